//! What the pages show, as plain values with all texts made: nothing here asks the service, so that each state of a
//! page can be looked at without one. The templates are in `templates/portal`.

mod add_funds;
mod alerts;
mod balance;
mod frame;
mod help;
mod movements;
mod recharge;
mod review;
mod setup;
mod wallet;

pub(crate) use add_funds::{AddFunds, AddFundsForm, MethodChoice, Preset};
pub(crate) use alerts::{AlertField, AlertsCard};
pub(crate) use balance::{Balance, ChartView, Runway};
pub(crate) use frame::{Frame, Place, SignedIn, Theme};
pub(crate) use help::{HelpPage, Topic};
pub(crate) use movements::{Movement, Movements, NamedLink};
pub(crate) use recharge::{Attempt, Health, Meter, More, Note, RechargeCard};
pub(crate) use review::ReviewPage;
pub(crate) use setup::SetupPage;
pub(crate) use wallet::{
    Banner, BannerAction, Card, Price, Prices, Problem, Told, WalletLink, WalletPage,
};

use crate::words::money::Markup;

/// How something is meant: always said in words or by a sign, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Info,
    Warn,
    Bad,
}

impl Tone {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    pub(crate) const fn icon(self) -> &'static str {
        match self {
            Self::Good => "i-check",
            Self::Plain | Self::Info => "i-info",
            Self::Warn | Self::Bad => "i-alert",
        }
    }
}

/// An amount with what it is.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) label: String,
    pub(crate) amount: Markup,
    /// The last line, which the others come to.
    pub(crate) is_sum: bool,
}

impl Fact {
    pub(crate) fn new(label: impl Into<String>, amount: Markup) -> Self {
        Self {
            label: label.into(),
            amount,
            is_sum: false,
        }
    }

    pub(crate) fn sum(label: impl Into<String>, amount: Markup) -> Self {
        Self {
            is_sum: true,
            ..Self::new(label, amount)
        }
    }
}

/// One of the choices of a list.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) is_chosen: bool,
}

/// The currency beside a field for an amount, on the side that the language has it.
#[derive(Clone, Debug)]
pub(crate) struct Affix {
    pub(crate) before: Option<String>,
    pub(crate) behind: Option<String>,
}

/// An amount to choose or to type.
#[derive(Clone, Debug)]
pub(crate) struct AmountField {
    pub(crate) choices: Vec<Choice>,
    /// Whether none of them is meant.
    pub(crate) is_other: bool,
    /// What was typed.
    pub(crate) other: String,
    pub(crate) error: Option<String>,
}

/// What every form of a page carries: who sends it, about which wallet, and the key that makes one charge of two
/// presses.
#[derive(Clone, Debug)]
pub(crate) struct FormFields {
    pub(crate) token: String,
    pub(crate) wallet: String,
    pub(crate) key: String,
}
