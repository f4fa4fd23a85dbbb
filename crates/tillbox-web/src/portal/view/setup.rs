//! Setting a wallet up: a card first, then the first charge.

use super::{
    Banner, BannerAction, Card, FormFields, Frame, Place, Prices, Problem, Theme, Told, WalletLink,
};
use crate::words::Words;
use crate::words::money::Markup;
use askama::Template;

/// The page of a wallet that waits to be activated.
#[derive(Template)]
#[template(path = "portal/setup.html")]
pub(crate) struct SetupPage {
    pub(crate) words: Words,
    pub(crate) frame: Frame,
    pub(crate) form: FormFields,
    pub(crate) wallets: Vec<WalletLink>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) told: Option<Told>,
    pub(crate) banners: Vec<Banner>,
    pub(crate) card: Option<Card>,
    pub(crate) charge: Markup,
    pub(crate) charge_plain: String,
    pub(crate) afterwards: Markup,
    pub(crate) prices: Prices,
}
