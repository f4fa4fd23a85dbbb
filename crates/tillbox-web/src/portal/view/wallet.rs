//! The wallet page.

use super::{
    AddFunds, AlertsCard, Balance, FormFields, Frame, Movements, Place, RechargeCard, Theme, Tone,
};
use crate::words::Words;
use crate::words::money::Markup;
use askama::Template;

/// The page of a wallet that is set up.
#[derive(Template)]
#[template(path = "portal/wallet.html")]
pub(crate) struct WalletPage {
    pub(crate) words: Words,
    pub(crate) frame: Frame,
    pub(crate) form: FormFields,
    pub(crate) wallet_name: Option<String>,
    pub(crate) live_url: String,
    pub(crate) version: u64,
    pub(crate) help_url: String,
    pub(crate) wallets: Vec<WalletLink>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) told: Option<Told>,
    pub(crate) banners: Vec<Banner>,
    pub(crate) balance: Balance,
    pub(crate) add_funds: AddFunds,
    pub(crate) methods: Vec<Card>,
    pub(crate) recharge: RechargeCard,
    pub(crate) alerts: AlertsCard,
    pub(crate) prices: Prices,
    pub(crate) movements: Movements,
}

/// One of a customer's wallets.
#[derive(Clone, Debug)]
pub(crate) struct WalletLink {
    pub(crate) name: String,
    pub(crate) balance: String,
    pub(crate) url: String,
    pub(crate) is_current: bool,
}

/// What is wrong with a form that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// The field that it is about.
    pub(crate) field: Option<&'static str>,
    pub(crate) text: String,
}

/// What came of the form that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) tone: Tone,
    pub(crate) heading: String,
    pub(crate) text: String,
}

/// Something to do.
#[derive(Clone, Debug)]
pub(crate) struct Banner {
    pub(crate) id: &'static str,
    pub(crate) tone: Tone,
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) actions: Vec<BannerAction>,
}

/// How it is done.
#[derive(Clone, Debug)]
pub(crate) enum BannerAction {
    Link {
        label: String,
        url: String,
    },
    Post {
        label: String,
        path: &'static str,
        fields: Vec<(&'static str, String)>,
    },
}

/// A saved card.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) id: String,
    /// "Visa ending in 4242".
    pub(crate) name: String,
    /// "Expires 08/28".
    pub(crate) remark: String,
    pub(crate) remark_tone: &'static str,
    pub(crate) is_default: bool,
    /// What removing it means.
    pub(crate) removal: String,
}

/// The price table.
#[derive(Clone, Debug)]
pub(crate) struct Prices {
    pub(crate) rows: Vec<Price>,
    /// The most decimals beyond the currency's own.
    pub(crate) micros: usize,
}

/// A line of it.
#[derive(Clone, Debug)]
pub(crate) struct Price {
    pub(crate) name: String,
    pub(crate) amount: Markup,
    pub(crate) unit: String,
    pub(crate) note: Option<String>,
}
