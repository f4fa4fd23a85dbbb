//! A merchant's settings: typed here, kept as JSON text in the store. What is missing there has its default,
//! so that a new setting needs no migration.

mod check;
mod in_currency;
mod stored;

pub use check::SettingsError;
pub use in_currency::{AmountOverrides, CurrencySettings};
pub use stored::UnreadableSettings;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;

/// What a merchant decides once for all wallets. Amounts count as the same number in each currency, unless
/// [`Settings::by_currency`] says otherwise (R38): [`Settings::in_currency`] tells what holds in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The first payment that opens a wallet; none: wallets start active (W3).
    #[serde(with = "stored")]
    pub activation_charge: Option<Amount>,
    /// IANA name; months, days and reports are of this zone (R23).
    pub time_zone: String,
    /// Whether customers may top up (T2); merchants always may.
    pub allow_top_up: bool,
    /// Amounts that the page proposes for a top-up. Those outside the limits are not shown.
    #[serde(with = "stored")]
    pub top_up_presets: Vec<Amount>,
    /// The least of one top-up.
    #[serde(with = "stored")]
    pub top_up_minimum: Amount,
    /// The most of one top-up; none: no limit.
    #[serde(with = "stored")]
    pub top_up_maximum: Option<Amount>,
    /// The balance that credits and top-ups must not pass.
    #[serde(with = "stored")]
    pub maximum_balance: Option<Amount>,
    /// Amounts that the page proposes for "Auto recharge with". Those outside the limits are not shown.
    #[serde(with = "stored")]
    pub auto_recharge_presets: Vec<Amount>,
    /// Amounts that the page proposes for "When balance is lower than".
    #[serde(with = "stored")]
    pub auto_recharge_threshold_presets: Vec<Amount>,
    /// Balances below which a wallet counts as low, where the wallet does not say; zero always does (R41).
    #[serde(with = "stored")]
    pub low_balance_thresholds: Vec<Amount>,
    /// Days after which a lot of that type expires, where the credit does not say.
    #[serde(with = "stored")]
    pub credit_expiry_days: BTreeMap<&'static str, i64>,
    /// Days that value lives which returns to an expired lot (R11).
    pub refund_grace_days: i64,
    /// Seconds that a hold lasts where it does not say.
    pub hold_expires_in: i64,
    /// The debt that forced debits may not pass; none: no limit (R7).
    #[serde(with = "stored")]
    pub force_floor: Option<Amount>,
    /// Whether a dispute freezes the wallet (R28).
    pub freeze_on_dispute: bool,
    /// Other amounts in some currencies.
    #[serde(with = "stored")]
    pub by_currency: BTreeMap<Currency, AmountOverrides>,
    /// How the customers' pages look.
    pub branding: Branding,
    /// Where customers find help.
    pub support_email: Option<String>,
    /// Where customers find help.
    pub support_url: Option<String>,
}

/// How the customers' pages look (U4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Branding {
    /// The name that customers know; none: the merchant's.
    pub name: Option<String>,
    /// Of the main action, as `#rrggbb`; none: ours.
    pub color: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            activation_charge: None,
            time_zone: "UTC".to_owned(),
            allow_top_up: true,
            top_up_presets: units([10, 25, 50, 100]),
            top_up_minimum: unit(10),
            top_up_maximum: Some(unit(1_000)),
            maximum_balance: None,
            auto_recharge_presets: units([25, 50, 100, 200]),
            auto_recharge_threshold_presets: units([20, 50, 100]),
            low_balance_thresholds: Vec::new(),
            credit_expiry_days: BTreeMap::new(),
            refund_grace_days: 30,
            hold_expires_in: 900,
            force_floor: None,
            freeze_on_dispute: false,
            by_currency: BTreeMap::new(),
            branding: Branding::default(),
            support_email: None,
            support_url: None,
        }
    }
}

fn unit(number: i64) -> Amount {
    Amount::from_micros(number.saturating_mul(tillbox_core::amount::MICROS_PER_UNIT))
}

fn units<const COUNT: usize>(numbers: [i64; COUNT]) -> Vec<Amount> {
    numbers.into_iter().map(unit).collect()
}

/// An amount that is the same number in each currency, printed with at least two decimals.
pub fn print_amount(amount: Amount) -> String {
    Currency::parse("USD").map_or_else(|_unknown| String::new(), |usd| amount.display(usd))
}
