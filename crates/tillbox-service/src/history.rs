//! How a wallet did lately: its balance day by day, what it spent, and what that says of the days to come.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan};
use tillbox_core::amount::{Amount, MICROS_PER_UNIT};
use tillbox_core::id::WalletId;
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::history;

/// The balance at the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayBalance {
    /// The day, in the merchant's time zone.
    pub on: Date,
    /// The balance at its end; of today: now.
    pub balance: Amount,
}

/// What a wallet spent lately: usage, purchases, fees and invoices, less what was given back of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// How much. Below zero where more was given back than spent.
    pub spent: Amount,
    /// From when on: not before the wallet was opened.
    pub since: Timestamp,
    /// Until when: now.
    pub until: Timestamp,
}

/// How a wallet did lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Day by day, oldest first, from the day that the wallet was opened on.
    pub balances: Vec<DayBalance>,
    /// What it spent in the same time, counted back from now in days of 24 hours.
    pub spending: Spending,
}

/// Less than this says nothing of the days to come.
const ENOUGH_DAYS: i64 = 7;
const DAY_MICROS: i64 = 86_400_000_000;
/// The days of a billing cycle.
const CYCLE_DAYS: i64 = 30;

impl Spending {
    /// What so many days cost at that pace; none where too few have passed to tell.
    pub fn per_days(&self, days: i64) -> Option<Amount> {
        let span = self.until.micros().saturating_sub(self.since.micros());
        if span < ENOUGH_DAYS * DAY_MICROS {
            return None;
        }
        let cost = i128::from(self.spent.micros().max(0))
            .saturating_mul(i128::from(days) * i128::from(DAY_MICROS))
            / i128::from(span);
        let cost = i64::try_from(cost).unwrap_or(i64::MAX);
        Some(Amount::from_micros(cost).min(Amount::MAX_SINGLE))
    }

    /// How many whole days an amount lasts at that pace; none where nothing was spent, or too few days have passed.
    pub fn days_left(&self, available: Amount) -> Option<i64> {
        let cycle = self
            .per_days(CYCLE_DAYS)
            .filter(|cost| cost.is_positive())?;
        let days = i128::from(available.micros().max(0)) * i128::from(CYCLE_DAYS)
            / i128::from(cycle.micros());
        i64::try_from(days).ok()
    }

    /// A threshold of auto-recharge under which a billing cycle does not run dry: the least of the choices that
    /// covers one at that pace, otherwise its cost, rounded up to two digits.
    pub fn threshold(&self, choices: &[Amount]) -> Option<Amount> {
        let cost = self
            .per_days(CYCLE_DAYS)
            .filter(|cost| cost.is_positive())?;
        let covering = choices.iter().copied().filter(|choice| *choice >= cost);
        Some(covering.min().unwrap_or_else(|| two_digits_up(cost)))
    }
}

/// Rounded up to two digits, and to whole units: 1,234.56 gives 1,300.
fn two_digits_up(amount: Amount) -> Amount {
    let mut step = MICROS_PER_UNIT;
    while amount.micros() / step >= 100 {
        step = step.saturating_mul(10);
    }
    let steps = amount.micros() / step + i64::from(amount.micros() % step > 0);
    Amount::from_micros(steps.saturating_mul(step)).min(Amount::MAX_SINGLE)
}

impl Service {
    /// How a wallet did in the last days, today included.
    pub async fn history(
        &self,
        who: &Principal,
        wallet: WalletId,
        days: i64,
    ) -> Result<History, ServiceError> {
        let created_at = self.wallet_row(who, wallet).await?.created_at;
        self.book_due(who, wallet).await?;
        let now = self.clock_now(who);
        let calendar = days_until(now, days, &who.merchant.policies().time_zone);
        let calendar = calendar.into_iter();
        let lived: Vec<(Date, Timestamp)> = calendar.filter(|(_, end)| *end > created_at).collect();
        let since = now.plus_days(-days).max(created_at);
        let ends: Vec<Timestamp> = lived.iter().map(|(_, end)| *end).collect();
        let merchant = who.merchant_id;
        let read = self.database.read(move |connection| {
            let balances = history::balances_before(connection, merchant, wallet, &ends)?;
            let spent = history::spent_since(connection, merchant, wallet, since)?;
            Ok((balances, spent))
        });
        let (balances, spent) = read.await?;
        let lived = lived.into_iter().zip(balances);
        Ok(History {
            balances: lived
                .map(|((on, _), balance)| DayBalance { on, balance })
                .collect(),
            spending: Spending {
                spent,
                since,
                until: now,
            },
        })
    }
}

/// The last days until now, oldest first, each with the instant at which it ends; today ends never.
fn days_until(now: Timestamp, days: i64, zone: &TimeZone) -> Vec<(Date, Timestamp)> {
    let Ok(instant) = Instant::from_microsecond(now.micros()) else {
        return Vec::new();
    };
    let today = instant.to_zoned(zone.clone()).date();
    let day = |ago: i64| {
        let date = today.checked_sub(ago.days()).ok()?;
        if ago == 0 {
            return Some((date, Timestamp::NEVER));
        }
        let end = date.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
        let end = Timestamp::from_micros(end.timestamp().as_microsecond());
        Some((date, end))
    };
    (0..days).rev().filter_map(day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("an instant")
    }

    fn money(text: &str) -> Amount {
        Amount::parse(text).expect("an amount")
    }

    fn spending(spent: &str, days: i64) -> Spending {
        let until = at("2026-05-31T12:00:00Z");
        Spending {
            spent: money(spent),
            since: until.plus_days(-days),
            until,
        }
    }

    #[test]
    fn days_begin_and_end_in_the_merchants_zone() {
        let zone = TimeZone::get("America/New_York").expect("a zone");
        // Summer time begins on 8 March: that day has 23 hours.
        let days = days_until(at("2026-03-10T03:30:00Z"), 3, &zone);
        let expected = [
            ("2026-03-07", at("2026-03-08T05:00:00Z")),
            ("2026-03-08", at("2026-03-09T04:00:00Z")),
            ("2026-03-09", Timestamp::NEVER),
        ];
        let expected = expected.map(|(date, end)| (date.parse().expect("a date"), end));
        assert_eq!(days, expected);
        assert_eq!(days_until(Timestamp::NEVER, 3, &zone), []);
    }

    #[test]
    fn a_pace_needs_a_week() {
        assert_eq!(spending("70", 6).per_days(30), None);
        assert_eq!(spending("70", 6).days_left(money("10")), None);
        assert_eq!(spending("70", 7).per_days(30), Some(money("300")));
        assert_eq!(spending("0.01", 30).per_days(30), Some(money("0.01")));
        assert_eq!(spending("-5", 30).per_days(30), Some(Amount::ZERO));
        let most = Amount::MAX_SINGLE;
        let spent = Spending {
            spent: most,
            ..spending("1", 7)
        };
        assert_eq!(spent.per_days(30), Some(most));
    }

    #[test]
    fn days_left_are_whole_and_honest() {
        for (spent, days, available, expected) in [
            ("30", 30, "10", Some(10)),
            ("30", 30, "10.99", Some(10)),
            ("30", 30, "0.99", Some(0)),
            ("30", 30, "-5", Some(0)),
            ("7", 7, "10", Some(10)),
            ("0", 30, "10", None),
            ("-1", 30, "10", None),
        ] {
            let left = spending(spent, days).days_left(money(available));
            assert_eq!(left, expected, "{spent} in {days} days, {available} left");
        }
    }

    #[test]
    fn a_proposed_threshold_covers_a_cycle() {
        let choices = ["50", "20", "100"].map(money);
        for (spent, days, expected) in [
            ("15", 30, Some("20")),
            ("20", 30, Some("20")),
            ("20.000001", 30, Some("50")),
            ("100", 30, Some("100")),
            ("100.01", 30, Some("110")),
            ("1234.56", 30, Some("1300")),
            ("1300", 30, Some("1300")),
            ("35", 7, Some("150")),
            ("0", 30, None),
            ("35", 6, None),
        ] {
            let proposed = spending(spent, days).threshold(&choices);
            assert_eq!(proposed, expected.map(money), "{spent} in {days} days");
        }
        assert_eq!(spending("0.30", 30).threshold(&[]), Some(money("1")));
    }
}
