//! Low-balance alerts: thresholds with a latch each (N1, R41).
//!
//! What is compared is balance − held. An alert fires when that falls strictly below its threshold, and is armed
//! again when it reaches 110 % of it; a new threshold starts latched. At zero the comparison is ≤ 0, and any value
//! above arms it again, so zero needs no latch: it fires when a row takes the wallet from above zero to there.
//! Thresholds stand in the log; latches follow from it, so that replaying rows tells which of them fired.

use crate::amount::Amount;
use std::borrow::Cow;

/// One threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Above zero.
    pub threshold: Amount,
    /// Whether falling below it fires.
    pub armed: bool,
}

/// A wallet's thresholds, rising.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    /// Whether they are its own, or the merchant's.
    pub source: Source,
    /// The thresholds above zero.
    pub thresholds: Vec<Alert>,
}

/// Whose thresholds they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The merchant's, as the last row found them.
    #[default]
    Merchant,
    /// Its own.
    Wallet,
    /// None at all, not even zero: they were turned off.
    Off,
}

impl Source {
    /// The number in the log; never reused for another meaning.
    pub const fn code(self) -> u8 {
        match self {
            Self::Merchant => 0,
            Self::Wallet => 1,
            Self::Off => 2,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Merchant, Self::Wallet, Self::Off]
            .into_iter()
            .find(|source| source.code() == code)
    }
}

/// Thresholds as a row sets them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertsChange {
    /// Whose they are.
    pub source: Source,
    /// Above zero, rising.
    pub thresholds: Vec<Amount>,
}

impl Alerts {
    /// The thresholds, without their latches.
    pub fn amounts(&self) -> impl ExactSizeIterator<Item = Amount> + '_ {
        self.thresholds.iter().map(|alert| alert.threshold)
    }

    /// As they stand once a row has changed the thresholds, and before it has moved the value.
    pub fn changed(&self, change: Option<&AlertsChange>) -> Cow<'_, Self> {
        match change {
            None => Cow::Borrowed(self),
            Some(change) => {
                let mut changed = self.clone();
                changed.change(change);
                Cow::Owned(changed)
            }
        }
    }

    /// Takes other thresholds; those that stay keep their latch.
    pub(crate) fn change(&mut self, change: &AlertsChange) {
        let latch = |threshold: &Amount| Alert {
            threshold: *threshold,
            armed: self
                .thresholds
                .iter()
                .any(|alert| alert.threshold == *threshold && alert.armed),
        };
        self.thresholds = change.thresholds.iter().map(latch).collect();
        self.source = change.source;
    }

    /// Moves the latches to where `value` (balance − held) puts them.
    pub(crate) fn follow(&mut self, value: Amount) {
        for alert in &mut self.thresholds {
            if value < alert.threshold {
                alert.armed = crate::seeded_bug!(AlertStaysArmed: true; else false);
            } else if value >= rearmed_at(alert.threshold) {
                alert.armed = true;
            }
        }
    }

    /// Which thresholds fire when a row takes the value from `before` to `after`; zero as [`Amount::ZERO`].
    pub fn fired(&self, before: Amount, after: Amount) -> Vec<Amount> {
        let armed = self.thresholds.iter().filter(|alert| alert.armed);
        let mut fired: Vec<Amount> = armed
            .map(|alert| alert.threshold)
            .filter(|threshold| after < *threshold)
            .collect();
        if self.source != Source::Off && before.is_positive() && !after.is_positive() {
            fired.insert(0, Amount::ZERO);
        }
        fired
    }

    /// Which thresholds are armed again when a row takes the value from `before` up to `after`; zero as
    /// [`Amount::ZERO`].
    pub fn recovered(&self, before: Amount, after: Amount) -> Vec<Amount> {
        let latched = self.thresholds.iter().filter(|alert| !alert.armed);
        let mut recovered: Vec<Amount> = latched
            .map(|alert| alert.threshold)
            .filter(|threshold| {
                let line = rearmed_at(*threshold);
                before < line && line <= after
            })
            .collect();
        if self.source != Source::Off && !before.is_positive() && after.is_positive() {
            recovered.insert(0, Amount::ZERO);
        }
        recovered
    }
}

/// 110 % of the threshold.
fn rearmed_at(threshold: Amount) -> Amount {
    threshold
        .checked_add(Amount::from_micros(threshold.micros().div_euclid(10)))
        .unwrap_or(threshold)
}

/// Whether a balance is low: strictly below a threshold, or at zero and below, once the wallet had any money (R41).
pub fn is_low(value: Amount, thresholds: impl Iterator<Item = Amount>, had_money: bool) -> bool {
    let mut thresholds = thresholds;
    (had_money && !value.is_positive()) || thresholds.any(|threshold| value < threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Amount {
        Amount::parse(text).expect("an amount")
    }

    fn with(thresholds: &[&str]) -> Alerts {
        let mut alerts = Alerts::default();
        alerts.change(&AlertsChange {
            source: Source::Wallet,
            thresholds: thresholds.iter().map(|text| usd(text)).collect(),
        });
        alerts
    }

    #[test]
    fn r41_one_notice_a_crossing_and_armed_again_at_110_percent() {
        let mut alerts = with(&["20", "50"]);
        let mut value = Amount::ZERO;
        for (next, fired, recovered) in [
            ("40", vec![], vec!["0", "20"]),
            ("19.999999", vec!["20"], vec![]),
            ("21.999999", vec![], vec![]),
            ("19", vec![], vec![]),
            ("55", vec![], vec!["20", "50"]),
            ("60", vec![], vec![]),
            ("50", vec![], vec![]),
            ("49", vec!["50"], vec![]),
            ("0", vec!["0", "20"], vec![]),
            ("-3", vec![], vec![]),
            ("1", vec![], vec!["0"]),
            ("0", vec!["0"], vec![]),
        ] {
            let next = usd(next);
            let amounts = |texts: Vec<&str>| texts.into_iter().map(usd).collect::<Vec<_>>();
            assert_eq!(alerts.fired(value, next), amounts(fired), "to {next:?}");
            assert_eq!(
                alerts.recovered(value, next),
                amounts(recovered),
                "to {next:?}"
            );
            alerts.follow(next);
            value = next;
        }
    }

    #[test]
    fn r41_a_new_threshold_starts_latched_and_one_that_stays_keeps_its_latch() {
        let mut alerts = with(&["20"]);
        alerts.follow(usd("30"));
        alerts.change(&AlertsChange {
            source: Source::Wallet,
            thresholds: vec![usd("20"), usd("40")],
        });
        assert_eq!(alerts.fired(usd("30"), usd("10")), [usd("20")]);
        assert_eq!(
            alerts.recovered(usd("50"), usd("60")),
            [],
            "40 was passed before it was watched"
        );
    }

    #[test]
    fn r41_low_follows_the_comparison() {
        let low = |value, thresholds: &[&str], had_money| {
            is_low(
                usd(value),
                thresholds.iter().map(|text| usd(text)),
                had_money,
            )
        };
        assert!(!low("20", &["20"], true));
        assert!(low("19.99", &["20"], true));
        assert!(low("0", &[], true));
        assert!(!low("0", &[], false), "a new wallet never had money");
        assert!(low("0", &["20"], false));
    }
}
