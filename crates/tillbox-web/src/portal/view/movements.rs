//! Every movement of a wallet, twenty a page.

use super::{Choice, Tone};
use crate::words::money::Markup;

/// A page of them.
#[derive(Clone, Debug)]
pub(crate) struct Movements {
    pub(crate) rows: Vec<Movement>,
    /// The most decimals beyond the currency's own, which hang outside the columns.
    pub(crate) micros: usize,
    /// What is said where there are none.
    pub(crate) empty: &'static str,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kinds: Vec<Choice>,
    pub(crate) is_filtered: bool,
    pub(crate) all_url: String,
    pub(crate) csv_url: String,
    /// From 1.
    pub(crate) page: usize,
    pub(crate) newest_url: Option<String>,
    pub(crate) newer_url: Option<String>,
    pub(crate) older_url: Option<String>,
}

/// One of them. It opens into its details.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    pub(crate) machine: String,
    pub(crate) when: String,
    pub(crate) kind: &'static str,
    pub(crate) description: String,
    pub(crate) status: &'static str,
    pub(crate) tone: Tone,
    pub(crate) amount: Markup,
    pub(crate) amount_class: &'static str,
    /// None where it moved no balance.
    pub(crate) balance: Option<Markup>,
    pub(crate) note: Option<String>,
    pub(crate) facts: Vec<(String, String)>,
    /// Ids to copy.
    pub(crate) codes: Vec<(&'static str, String)>,
    /// Help with it, where it has gone wrong or takes long.
    pub(crate) support: Option<NamedLink>,
    /// What it waits for.
    pub(crate) action: Option<NamedLink>,
    pub(crate) is_open: bool,
}

/// A link with what it says.
#[derive(Clone, Debug)]
pub(crate) struct NamedLink {
    pub(crate) label: String,
    pub(crate) url: String,
}
