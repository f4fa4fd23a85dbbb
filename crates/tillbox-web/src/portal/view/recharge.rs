//! Auto-recharge: a sentence with two fields, what saving it does, and how it goes.

use super::{Affix, AmountField, Choice, Tone};
use crate::words::money::Markup;

/// The card.
#[derive(Clone, Debug)]
pub(crate) struct RechargeCard {
    pub(crate) state: &'static str,
    pub(crate) tone: Tone,
    pub(crate) is_on: bool,
    /// What happened lately, and what to do.
    pub(crate) news: Vec<Note>,
    pub(crate) can_resume: bool,
    /// Why it can't be turned on.
    pub(crate) unavailable: Option<&'static str>,
    pub(crate) is_target: bool,
    pub(crate) amount: AmountField,
    pub(crate) threshold: AmountField,
    pub(crate) affix: Affix,
    pub(crate) limits: String,
    /// What 30 days cost, and the threshold that covers them.
    pub(crate) proposal: Option<String>,
    /// "Turning this on charges $50.00 now."
    pub(crate) charge_heading: Option<String>,
    pub(crate) charge_text: String,
    /// The charge that the button names, in the plain form; empty where there is none.
    pub(crate) agreed: String,
    pub(crate) more: More,
    pub(crate) button: String,
    pub(crate) health: Option<Health>,
}

/// What else can be set.
#[derive(Clone, Debug)]
pub(crate) struct More {
    pub(crate) is_open: bool,
    /// "Visa ending in 4242 first, at most $300 a month".
    pub(crate) summary: String,
    pub(crate) cap: String,
    pub(crate) cap_error: Option<String>,
    pub(crate) methods: Vec<Choice>,
    /// For each place of a backup its choices.
    pub(crate) backups: Vec<Vec<Choice>>,
}

/// Something to know.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

/// How it goes: the last decisions with their reasons.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    pub(crate) is_open: bool,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) meter: Option<Meter>,
    pub(crate) attempts: Vec<Attempt>,
}

/// How much of the month's cap is used.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    pub(crate) text: String,
    pub(crate) percent: i64,
}

/// A charge that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) when: String,
    pub(crate) outcome: String,
    pub(crate) amount: Markup,
}
