//! Low-balance alerts: below which amounts the page warns.

use super::Affix;

/// The card.
#[derive(Clone, Debug)]
pub(crate) struct AlertsCard {
    /// Whether the page warns by a banner.
    pub(crate) shows_banner: bool,
    pub(crate) fields: Vec<AlertField>,
    pub(crate) affix: Affix,
}

/// An amount below which it warns.
#[derive(Clone, Debug)]
pub(crate) struct AlertField {
    /// What was typed.
    pub(crate) value: String,
    pub(crate) error: Option<String>,
}
