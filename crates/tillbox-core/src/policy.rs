//! What a merchant's settings mean for decisions, by currency. Comes with each command, as settings are no part of
//! the log.

use crate::amount::Amount;
use crate::currency::Currency;
use crate::lot::FundingType;
use crate::recharge::{Month, TopUpLimits};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// The settings that decisions about wallets of one currency look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What a top-up may be.
    pub top_up_limits: TopUpLimits,
    /// Days after which value expires that came in without a date, by its origin (L5); none never does.
    pub expiry_days: BTreeMap<FundingType, i64>,
    /// Whether a dispute freezes the wallet (R28).
    pub freeze_on_dispute: bool,
    /// Below which balances a wallet is low that has no thresholds of its own, rising (R41).
    pub low_balance_thresholds: Vec<Amount>,
}

impl Policy {
    /// When value expires that comes in at `now` without a date.
    pub fn expires_at(&self, funding: FundingType, now: Timestamp) -> Option<Timestamp> {
        let days = self.expiry_days.get(&funding)?;
        Some(now.plus_days(*days)).filter(|end| *end < Timestamp::NEVER)
    }
}

/// A merchant's policies, and the zone in which its months are counted (R23).
#[derive(Clone, Debug)]
pub struct Policies {
    /// Where nothing else is said.
    pub standard: Policy,
    /// Currencies that differ (R38).
    pub by_currency: BTreeMap<Currency, Policy>,
    /// The merchant's time zone.
    pub time_zone: jiff::tz::TimeZone,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            standard: Policy::default(),
            by_currency: BTreeMap::new(),
            time_zone: jiff::tz::TimeZone::UTC,
        }
    }
}

impl Policies {
    /// Those for a currency.
    pub fn of(&self, currency: Currency) -> &Policy {
        self.by_currency.get(&currency).unwrap_or(&self.standard)
    }

    /// The calendar month of an instant.
    pub fn month(&self, at: Timestamp) -> Month {
        let instant =
            jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::MAX);
        let date = self.time_zone.to_datetime(instant).date();
        Month::new(date.year(), date.month())
    }
}
