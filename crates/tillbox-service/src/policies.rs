//! Settings as decisions see them, for each currency.

use crate::settings::{CurrencySettings, Settings};
use std::sync::LazyLock;
use tillbox_core::currency::Currency;
use tillbox_core::lot::FundingType;
use tillbox_core::policy::{Policies, Policy};

/// Every currency there is.
static CURRENCIES: LazyLock<Vec<Currency>> = LazyLock::new(|| {
    let letters = || 'A'..='Z';
    let pairs = letters().flat_map(|first| letters().map(move |second| (first, second)));
    let codes =
        pairs.flat_map(|(first, second)| letters().map(move |third| [first, second, third]));
    codes
        .filter_map(|code| Currency::parse(&code.iter().collect::<String>()).ok())
        .collect()
});

impl Settings {
    /// What decisions need of the settings. Currencies that come to the same share one policy.
    pub(crate) fn policies(&self) -> Policies {
        let policies = CURRENCIES
            .iter()
            .map(|currency| (*currency, self.policy(&self.in_currency(*currency))));
        let mut policies: Vec<(Currency, Policy)> = policies.collect();
        let dollars = policies
            .iter()
            .find(|(currency, _)| currency.code() == "USD");
        let standard = dollars
            .map(|(_, policy)| policy.clone())
            .unwrap_or_default();
        policies.retain(|(_, policy)| *policy != standard);
        Policies {
            standard,
            by_currency: policies.into_iter().collect(),
            time_zone: jiff::tz::TimeZone::get(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC),
        }
    }

    fn policy(&self, amounts: &CurrencySettings) -> Policy {
        let days = |funding: FundingType| {
            let days = self.credit_expiry_days.get(funding.name())?;
            Some((funding, *days))
        };
        let mut thresholds = amounts.low_balance_thresholds.clone();
        thresholds.retain(|threshold| threshold.is_positive());
        thresholds.sort_unstable();
        thresholds.dedup();
        Policy {
            top_up_limits: amounts.limits(),
            expiry_days: FundingType::ALL.into_iter().filter_map(days).collect(),
            freeze_on_dispute: self.freeze_on_dispute,
            low_balance_thresholds: thresholds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::AmountOverrides;
    use tillbox_core::amount::Amount;

    fn money(text: &str) -> Amount {
        Amount::parse(text).expect("an amount")
    }

    #[test]
    fn r38_a_currency_that_differs_has_a_policy_of_its_own() {
        let (dollars, yen) = (Currency::parse("USD"), Currency::parse("JPY"));
        let (dollars, yen) = (dollars.expect("USD"), yen.expect("JPY"));
        let mut settings = Settings::default();
        let policies = settings.policies();
        assert_eq!(policies.of(dollars).top_up_limits.minimum, money("10"));
        assert_eq!(policies.of(yen).top_up_limits.minimum, money("50"));
        let overrides = AmountOverrides {
            top_up_minimum: Some(money("500")),
            ..AmountOverrides::default()
        };
        settings.by_currency.insert(yen, overrides);
        let policies = settings.policies();
        assert_eq!(policies.of(dollars).top_up_limits.minimum, money("10"));
        assert_eq!(policies.of(yen).top_up_limits.minimum, money("500"));
    }
}
