//! Which settings may hold together.

use super::{Settings, print_amount};
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;

/// A setting that can't hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct SettingsError {
    /// JSON pointer to it.
    pub pointer: String,
    /// What to write instead.
    pub message: String,
}

/// Micro-units in a hundredth: the finest that a charge in all currencies is given in.
const HUNDREDTH: i64 = 10_000;

impl Settings {
    /// Whether these settings may follow `before`. What is wrong is told at the field that changed.
    pub(crate) fn check(&self, before: &Self) -> Result<(), SettingsError> {
        self.check_general(before)?;
        for currency in self.by_currency.keys() {
            self.check_in(*currency, before)?;
        }
        Ok(())
    }

    fn check_general(&self, before: &Self) -> Result<(), SettingsError> {
        let single = [
            ("/activation_charge", self.activation_charge),
            ("/top_up_minimum", Some(self.top_up_minimum)),
            ("/top_up_maximum", self.top_up_maximum),
        ];
        for (pointer, amount) in single {
            let message = "must have at most two decimals: by_currency takes finer ones";
            whole(pointer, amount.as_slice(), HUNDREDTH, message)?;
        }
        for (pointer, amounts) in [
            ("/top_up_presets", &self.top_up_presets),
            ("/auto_recharge_presets", &self.auto_recharge_presets),
        ] {
            let message = "must have amounts of at most two decimals: by_currency takes finer ones";
            whole(pointer, amounts, HUNDREDTH, message)?;
        }
        minimum_within_maximum("", self, before, print_amount)
    }

    fn check_in(&self, currency: Currency, before: &Self) -> Result<(), SettingsError> {
        let Some(overrides) = self.by_currency.get(&currency) else {
            return Ok(());
        };
        let place = format!("/by_currency/{currency}");
        let unit = currency.minor_unit_micros();
        for (name, amount) in [
            ("activation_charge", overrides.activation_charge),
            ("top_up_minimum", overrides.top_up_minimum),
            ("top_up_maximum", overrides.top_up_maximum),
        ] {
            let message = format!("must be in whole minor units of {currency}");
            whole(
                &format!("{place}/{name}"),
                amount.as_slice(),
                unit,
                &message,
            )?;
        }
        for (name, amounts) in [
            ("top_up_presets", &overrides.top_up_presets),
            ("auto_recharge_presets", &overrides.auto_recharge_presets),
        ] {
            let message = format!("must have amounts in whole minor units of {currency}");
            let amounts = amounts.as_deref().unwrap_or_default();
            whole(&format!("{place}/{name}"), amounts, unit, &message)?;
        }
        let here = self.overridden_for(currency);
        let before = before.overridden_for(currency);
        minimum_within_maximum(&place, &here, &before, |amount| amount.display(currency))
    }
}

fn whole(pointer: &str, amounts: &[Amount], unit: i64, message: &str) -> Result<(), SettingsError> {
    let is_whole = |amount: &Amount| amount.micros().rem_euclid(unit) == 0;
    if amounts.iter().all(is_whole) {
        return Ok(());
    }
    Err(SettingsError {
        pointer: pointer.to_owned(),
        message: message.to_owned(),
    })
}

fn minimum_within_maximum(
    place: &str,
    here: &Settings,
    before: &Settings,
    print: impl Fn(Amount) -> String,
) -> Result<(), SettingsError> {
    let minimum = here.top_up_minimum;
    let Some(maximum) = here.top_up_maximum.filter(|maximum| *maximum < minimum) else {
        return Ok(());
    };
    let (name, message) = if here.top_up_maximum == before.top_up_maximum {
        let message = format!("must be at most the maximum, {}", print(maximum));
        ("top_up_minimum", message)
    } else {
        let message = format!("must be at least the minimum, {}", print(minimum));
        ("top_up_maximum", message)
    };
    Err(SettingsError {
        pointer: format!("{place}/{name}"),
        message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::AmountOverrides;

    fn money(text: &str) -> Amount {
        Amount::parse(text).expect(text)
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Settings), expected: Option<&str>) {
        let mut settings = Settings::default();
        change(&mut settings);
        let found = settings.check(&Settings::default()).err();
        assert_eq!(
            found.as_ref().map(|error| error.pointer.as_str()),
            expected,
            "{found:?}"
        );
    }

    fn in_yen(overrides: AmountOverrides) -> impl FnOnce(&mut Settings) {
        let yen = Currency::parse("JPY").expect("a currency");
        move |settings| drop(settings.by_currency.insert(yen, overrides))
    }

    #[test]
    fn the_minimum_is_at_most_the_maximum_and_the_changed_one_is_told() {
        check(|_| {}, None);
        check(|it| it.top_up_minimum = money("1000"), None);
        check(
            |it| it.top_up_minimum = money("1000.01"),
            Some("/top_up_minimum"),
        );
        check(
            |it| it.top_up_maximum = Some(money("9.99")),
            Some("/top_up_maximum"),
        );
        check(
            |it| (it.top_up_maximum, it.top_up_minimum) = (None, money("5000")),
            None,
        );
        check(
            in_yen(AmountOverrides {
                top_up_maximum: Some(money("9")),
                ..AmountOverrides::default()
            }),
            Some("/by_currency/JPY/top_up_maximum"),
        );
        check(
            in_yen(AmountOverrides {
                top_up_minimum: Some(money("1001")),
                ..AmountOverrides::default()
            }),
            Some("/by_currency/JPY/top_up_minimum"),
        );
    }

    #[test]
    fn what_a_card_is_charged_is_in_whole_minor_units() {
        check(
            |it| it.activation_charge = Some(money("125.005")),
            Some("/activation_charge"),
        );
        check(
            |it| it.top_up_presets.push(money("20.001")),
            Some("/top_up_presets"),
        );
        check(
            |it| it.auto_recharge_presets.push(money("20.001")),
            Some("/auto_recharge_presets"),
        );
        check(|it| it.low_balance_thresholds.push(money("0.0075")), None);
        check(
            in_yen(AmountOverrides {
                top_up_presets: Some(vec![money("500"), money("0.5")]),
                ..AmountOverrides::default()
            }),
            Some("/by_currency/JPY/top_up_presets"),
        );
        check(
            in_yen(AmountOverrides {
                activation_charge: Some(money("125.50")),
                ..AmountOverrides::default()
            }),
            Some("/by_currency/JPY/activation_charge"),
        );
    }
}
