//! A merchant's settings: typed here, kept as JSON text in the store. What is missing there has its default,
//! so that a new setting needs no migration.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::lot::FundingType;

/// What a merchant decides once for all wallets. Amounts count as the same number in each currency (R38).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The first payment that opens a wallet; none: wallets start active (W3).
    pub activation_charge: Option<Amount>,
    /// IANA name; months, days and reports are of this zone (R23).
    pub time_zone: String,
    /// The balance that merchants' credits must not pass.
    pub maximum_balance: Option<Amount>,
    /// Days after which a lot of that type expires, where the credit does not say.
    pub credit_expiry_days: BTreeMap<&'static str, i64>,
    /// Days that value lives which returns to an expired lot (R11).
    pub refund_grace_days: i64,
    /// Seconds that a hold lasts where it does not say.
    pub hold_expires_in: i64,
    /// The debt that forced debits may not pass; none: no limit (R7).
    pub force_floor: Option<Amount>,
    /// Where customers find help.
    pub support_email: Option<String>,
    /// Where customers find help.
    pub support_url: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            activation_charge: None,
            time_zone: "UTC".to_owned(),
            maximum_balance: None,
            credit_expiry_days: BTreeMap::new(),
            refund_grace_days: 30,
            hold_expires_in: 900,
            force_floor: None,
            support_email: None,
            support_url: None,
        }
    }
}

/// The stored form: amounts as decimal strings.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Stored {
    activation_charge: Option<String>,
    time_zone: Option<String>,
    maximum_balance: Option<String>,
    credit_expiry_days: BTreeMap<String, i64>,
    refund_grace_days: Option<i64>,
    hold_expires_in: Option<i64>,
    force_floor: Option<String>,
    support_email: Option<String>,
    support_url: Option<String>,
}

/// Stored settings that can't be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("stored settings are not readable: {0}")]
pub struct UnreadableSettings(String);

impl Settings {
    /// The text for the store.
    pub fn to_text(&self) -> String {
        let days = self
            .credit_expiry_days
            .iter()
            .map(|(funding, days)| ((*funding).to_owned(), *days));
        let stored = Stored {
            activation_charge: self.activation_charge.map(print_amount),
            time_zone: Some(self.time_zone.clone()),
            maximum_balance: self.maximum_balance.map(print_amount),
            credit_expiry_days: days.collect(),
            refund_grace_days: Some(self.refund_grace_days),
            hold_expires_in: Some(self.hold_expires_in),
            force_floor: self.force_floor.map(print_amount),
            support_email: self.support_email.clone(),
            support_url: self.support_url.clone(),
        };
        serde_json::to_string(&stored).expect("settings are plain values")
    }

    /// Back from the store.
    pub fn from_text(text: &str) -> Result<Self, UnreadableSettings> {
        let stored: Stored =
            serde_json::from_str(text).map_err(|why| UnreadableSettings(why.to_string()))?;
        let amount = |text: Option<String>| {
            text.map(|text| Amount::parse(&text).map_err(|why| UnreadableSettings(why.to_string())))
                .transpose()
        };
        let default = Self::default();
        let mut credit_expiry_days = BTreeMap::new();
        for funding in FundingType::ALL {
            if let Some(days) = stored.credit_expiry_days.get(funding.name()) {
                credit_expiry_days.insert(funding.name(), *days);
            }
        }
        Ok(Self {
            activation_charge: amount(stored.activation_charge)?,
            time_zone: stored.time_zone.unwrap_or(default.time_zone),
            maximum_balance: amount(stored.maximum_balance)?,
            credit_expiry_days,
            refund_grace_days: stored
                .refund_grace_days
                .unwrap_or(default.refund_grace_days),
            hold_expires_in: stored.hold_expires_in.unwrap_or(default.hold_expires_in),
            force_floor: amount(stored.force_floor)?,
            support_email: stored.support_email,
            support_url: stored.support_url,
        })
    }
}

/// An amount that is the same number in each currency, printed with at least two decimals.
pub fn print_amount(amount: Amount) -> String {
    Currency::parse("USD").map_or_else(|_unknown| String::new(), |usd| amount.display(usd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_back_as_they_were_written() {
        let settings = Settings {
            activation_charge: Some(Amount::from_micros(125_000_000)),
            credit_expiry_days: BTreeMap::from([("promotional", 90)]),
            force_floor: Some(Amount::ZERO),
            support_email: Some("help@example.com".to_owned()),
            ..Settings::default()
        };
        assert_eq!(
            Settings::from_text(&settings.to_text()).expect("readable"),
            settings
        );
        assert_eq!(
            Settings::from_text("{}").expect("readable"),
            Settings::default()
        );
    }
}
