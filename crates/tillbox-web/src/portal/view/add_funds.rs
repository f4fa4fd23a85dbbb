//! Adding funds: amounts, ways to pay, and what comes of it, shown before it is done.

use super::Affix;
use crate::words::money::Markup;

/// The form, or why there is none.
#[derive(Clone, Debug)]
pub(crate) enum AddFunds {
    Off(&'static str),
    Form(Box<AddFundsForm>),
}

/// The form.
#[derive(Clone, Debug)]
pub(crate) struct AddFundsForm {
    pub(crate) presets: Vec<Preset>,
    pub(crate) is_other: bool,
    /// What was typed.
    pub(crate) other: String,
    pub(crate) other_error: Option<String>,
    /// "From $10.00 to $1,000.00".
    pub(crate) limits: String,
    pub(crate) affix: Affix,
    pub(crate) methods: Vec<MethodChoice>,
    pub(crate) is_new_method: bool,
    pub(crate) method_error: Option<String>,
    pub(crate) saves_card: bool,
    /// How the script writes money: see `assets/js/money.js`.
    pub(crate) money_form: String,
    /// What is available, in micro-units.
    pub(crate) available_value: i64,
}

/// An amount to choose.
#[derive(Clone, Debug)]
pub(crate) struct Preset {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) bonus: Option<String>,
    pub(crate) is_chosen: bool,
    pub(crate) charged: Markup,
    pub(crate) charged_plain: String,
    pub(crate) afterwards: Markup,
    /// "enough for about 11 days".
    pub(crate) lasts: Option<String>,
}

/// A saved method to pay with.
#[derive(Clone, Debug)]
pub(crate) struct MethodChoice {
    pub(crate) value: String,
    pub(crate) name: String,
    pub(crate) remark: String,
    pub(crate) is_chosen: bool,
}
