//! What settings come to in one currency (R38).
//!
//! The number that the merchant typed holds in each currency, unless `by_currency` has another one. What a card is
//! charged is then made chargeable there: in whole minor units, and never under the provider's minimum. So ten units
//! are 10.00 in USD, and 50 in JPY, where no provider charges less.

use super::{Settings, stored};
use crate::payments::minimums::minimum_charge;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::recharge::TopUpLimits;

/// Amounts that differ in one currency; none: the general one holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AmountOverrides {
    /// The first payment that opens a wallet; zero: wallets of this currency start active.
    #[serde(with = "stored", skip_serializing_if = "Option::is_none")]
    pub activation_charge: Option<Amount>,
    /// The least of one top-up.
    #[serde(with = "stored", skip_serializing_if = "Option::is_none")]
    pub top_up_minimum: Option<Amount>,
    /// The most of one top-up.
    #[serde(with = "stored", skip_serializing_if = "Option::is_none")]
    pub top_up_maximum: Option<Amount>,
    /// The balance that credits and top-ups must not pass.
    #[serde(with = "stored", skip_serializing_if = "Option::is_none")]
    pub maximum_balance: Option<Amount>,
    /// Amounts that the page proposes for a top-up.
    #[serde(with = "stored", skip_serializing_if = "Option::is_none")]
    pub top_up_presets: Option<Vec<Amount>>,
    /// Amounts that the page proposes for "Auto recharge with".
    #[serde(with = "stored", skip_serializing_if = "Option::is_none")]
    pub auto_recharge_presets: Option<Vec<Amount>>,
    /// Amounts that the page proposes for "When balance is lower than".
    #[serde(with = "stored", skip_serializing_if = "Option::is_none")]
    pub auto_recharge_threshold_presets: Option<Vec<Amount>>,
    /// Balances below which a wallet counts as low.
    #[serde(with = "stored", skip_serializing_if = "Option::is_none")]
    pub low_balance_thresholds: Option<Vec<Amount>>,
    /// The debt that forced debits may not pass.
    #[serde(with = "stored", skip_serializing_if = "Option::is_none")]
    pub force_floor: Option<Amount>,
}

/// The amounts that hold in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencySettings {
    /// The currency.
    pub currency: Currency,
    /// The first payment that opens a wallet; none: wallets start active. Exempt from the limits of a top-up (R24).
    pub activation_charge: Option<Amount>,
    /// The least of one top-up: the setting, or the provider's minimum where that is higher.
    pub top_up_minimum: Amount,
    /// The most of one top-up, never below the minimum.
    pub top_up_maximum: Option<Amount>,
    /// The balance that credits and top-ups must not pass.
    pub maximum_balance: Option<Amount>,
    /// What the page proposes for a top-up: all within the limits.
    pub top_up_presets: Vec<Amount>,
    /// What the page proposes for "Auto recharge with": all within the limits.
    pub recharge_presets: Vec<Amount>,
    /// What the page proposes for "When balance is lower than".
    pub threshold_presets: Vec<Amount>,
    /// Balances below which a wallet counts as low, where the wallet does not say.
    pub low_balance_thresholds: Vec<Amount>,
    /// The debt that forced debits may not pass.
    pub force_floor: Option<Amount>,
}

impl CurrencySettings {
    /// What one top-up may be.
    pub fn limits(&self) -> TopUpLimits {
        TopUpLimits {
            minimum: self.top_up_minimum,
            maximum: self.top_up_maximum,
            maximum_balance: self.maximum_balance,
        }
    }
}

impl Settings {
    /// The amounts that hold in a currency.
    pub fn in_currency(&self, currency: Currency) -> CurrencySettings {
        let settings = self.overridden_for(currency);
        let least = minimum_charge(currency);
        let minimum = whole_units_up(settings.top_up_minimum, currency).max(least);
        let maximum = settings
            .top_up_maximum
            .map(|most| whole_units_down(most, currency).max(minimum));
        let chargeable = |presets: &[Amount]| {
            let whole = presets
                .iter()
                .map(|preset| whole_units_up(*preset, currency));
            distinct(whole.filter(|preset| {
                *preset >= minimum && maximum.is_none_or(|maximum| *preset <= maximum)
            }))
        };
        CurrencySettings {
            currency,
            activation_charge: settings
                .activation_charge
                .filter(|charge| charge.is_positive())
                .map(|charge| whole_units_up(charge, currency).max(least)),
            top_up_minimum: minimum,
            top_up_maximum: maximum,
            maximum_balance: settings.maximum_balance,
            top_up_presets: chargeable(&settings.top_up_presets),
            recharge_presets: chargeable(&settings.auto_recharge_presets),
            threshold_presets: settings.auto_recharge_threshold_presets.clone(),
            low_balance_thresholds: settings.low_balance_thresholds.clone(),
            force_floor: settings.force_floor,
        }
    }

    /// The settings with the overrides of a currency in their places, and nothing raised yet.
    pub fn overridden_for(&self, currency: Currency) -> Cow<'_, Self> {
        let Some(overrides) = self.by_currency.get(&currency).cloned() else {
            return Cow::Borrowed(self);
        };
        let mut settings = self.clone();
        let AmountOverrides {
            activation_charge,
            top_up_minimum,
            top_up_maximum,
            maximum_balance,
            top_up_presets,
            auto_recharge_presets,
            auto_recharge_threshold_presets,
            low_balance_thresholds,
            force_floor,
        } = overrides;
        settings.activation_charge = activation_charge.or(settings.activation_charge);
        settings.top_up_maximum = top_up_maximum.or(settings.top_up_maximum);
        settings.maximum_balance = maximum_balance.or(settings.maximum_balance);
        settings.force_floor = force_floor.or(settings.force_floor);
        put(&mut settings.top_up_minimum, top_up_minimum);
        put(&mut settings.top_up_presets, top_up_presets);
        put(&mut settings.auto_recharge_presets, auto_recharge_presets);
        put(
            &mut settings.auto_recharge_threshold_presets,
            auto_recharge_threshold_presets,
        );
        put(&mut settings.low_balance_thresholds, low_balance_thresholds);
        Cow::Owned(settings)
    }
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Each amount once, in the order given.
fn distinct(amounts: impl Iterator<Item = Amount>) -> Vec<Amount> {
    let mut kept = Vec::new();
    for amount in amounts {
        if !kept.contains(&amount) {
            kept.push(amount);
        }
    }
    kept
}

fn whole_units_down(amount: Amount, currency: Currency) -> Amount {
    let part = amount.micros().rem_euclid(currency.minor_unit_micros());
    Amount::from_micros(amount.micros().saturating_sub(part))
}

fn whole_units_up(amount: Amount, currency: Currency) -> Amount {
    let unit = currency.minor_unit_micros();
    match amount.micros().rem_euclid(unit) {
        0 => amount,
        part => Amount::from_micros(amount.micros().saturating_add(unit.saturating_sub(part))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).expect(code)
    }

    fn money(text: &str) -> Amount {
        Amount::parse(text).expect(text)
    }

    fn texts(amounts: &[Amount], currency: Currency) -> Vec<String> {
        let printed = amounts.iter().map(|amount| amount.display(currency));
        printed.collect()
    }

    #[test]
    fn r38_the_same_number_holds_in_each_currency() {
        for code in ["USD", "EUR", "GBP", "KWD"] {
            let here = Settings::default().in_currency(currency(code));
            assert_eq!(here.top_up_minimum, money("10"), "{code}");
            assert_eq!(here.top_up_maximum, Some(money("1000")), "{code}");
            assert_eq!(here.top_up_presets, Settings::default().top_up_presets);
            assert_eq!(here.activation_charge, None);
        }
    }

    #[test]
    fn r38_nothing_is_charged_under_the_providers_minimum() {
        let yen = currency("JPY");
        let settings = Settings {
            activation_charge: Some(money("12.50")),
            ..Settings::default()
        };
        let here = settings.in_currency(yen);
        assert_eq!(here.top_up_minimum, money("50"));
        assert_eq!(here.activation_charge, Some(money("50")));
        assert_eq!(texts(&here.top_up_presets, yen), ["50", "100"]);
        assert_eq!(texts(&here.recharge_presets, yen), ["50", "100", "200"]);
        assert_eq!(texts(&here.threshold_presets, yen), ["20", "50", "100"]);

        let little = Settings {
            top_up_maximum: Some(money("40")),
            ..Settings::default()
        };
        assert_eq!(little.in_currency(yen).top_up_maximum, Some(money("50")));
    }

    #[test]
    fn r38_an_override_holds_in_its_currency_alone() {
        let yen = currency("JPY");
        let overrides = AmountOverrides {
            activation_charge: Some(Amount::ZERO),
            top_up_minimum: Some(money("1000")),
            top_up_maximum: Some(money("200000")),
            maximum_balance: Some(money("500000")),
            top_up_presets: Some(vec![money("1000"), money("5000"), money("300000")]),
            auto_recharge_presets: Some(vec![money("3000")]),
            auto_recharge_threshold_presets: Some(vec![money("2000")]),
            low_balance_thresholds: Some(vec![money("700")]),
            force_floor: Some(money("10000")),
        };
        let settings = Settings {
            activation_charge: Some(money("125")),
            by_currency: [(yen, overrides)].into(),
            ..Settings::default()
        };
        let expected = CurrencySettings {
            currency: yen,
            activation_charge: None,
            top_up_minimum: money("1000"),
            top_up_maximum: Some(money("200000")),
            maximum_balance: Some(money("500000")),
            top_up_presets: vec![money("1000"), money("5000")],
            recharge_presets: vec![money("3000")],
            threshold_presets: vec![money("2000")],
            low_balance_thresholds: vec![money("700")],
            force_floor: Some(money("10000")),
        };
        assert_eq!(settings.in_currency(yen), expected);
        let dollars = settings.in_currency(currency("USD"));
        assert_eq!(dollars.activation_charge, Some(money("125")));
        assert_eq!(dollars.top_up_maximum, Some(money("1000")));
        assert_eq!(dollars.force_floor, None);
    }

    #[test]
    fn charges_are_in_whole_minor_units_of_each_currency() {
        let settings = Settings {
            activation_charge: Some(money("125.5")),
            top_up_minimum: money("99.5"),
            top_up_maximum: Some(money("200.5")),
            top_up_presets: vec![money("99.25"), money("99.75"), money("200.5")],
            ..Settings::default()
        };
        let yen = settings.in_currency(currency("JPY"));
        assert_eq!(yen.activation_charge, Some(money("126")));
        assert_eq!(yen.top_up_minimum, money("100"));
        assert_eq!(yen.top_up_maximum, Some(money("200")));
        assert_eq!(yen.top_up_presets, [money("100")]);
        let dollars = settings.in_currency(currency("USD"));
        assert_eq!(dollars.top_up_presets, [money("99.75"), money("200.5")]);
    }
}
