//! Where numbers of ids come from: the clock's milliseconds and a counter, never the same twice.

use crate::time::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// Milliseconds are counted from 2020-01-01T00:00:00Z, so that 42 bits last until 2159.
const EPOCH_MS: i64 = 1_577_836_800_000;
/// Numbers in one millisecond: 2²¹.
const NUMBERS_PER_MS: i64 = 2_097_152;

/// When a number was made, by the system's clock, to the millisecond.
pub fn made_at(number: i64) -> Timestamp {
    let milliseconds = number.div_euclid(NUMBERS_PER_MS).saturating_add(EPOCH_MS);
    Timestamp::from_micros(milliseconds.saturating_mul(1_000))
}

/// Gives rising numbers. One per process; it starts behind the highest number that the store holds.
#[derive(Debug)]
pub struct IdSource(AtomicI64);

impl IdSource {
    /// Numbers will be higher than `last`.
    pub fn after(last: i64) -> Self {
        Self(AtomicI64::new(last))
    }

    /// A number higher than any before, near the instant `now` of the system's clock.
    pub fn next(&self, now: Timestamp) -> i64 {
        let milliseconds = now
            .micros()
            .div_euclid(1_000)
            .saturating_sub(EPOCH_MS)
            .max(0);
        let floor = milliseconds.saturating_mul(NUMBERS_PER_MS);
        let advance = |last: i64| Some(last.saturating_add(1).max(floor));
        crate::seeded_bug!(IdGivenTwice: return self.0.load(Ordering::Relaxed).max(floor));
        match self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance)
        {
            Ok(last) | Err(last) => last.saturating_add(1).max(floor),
        }
    }
}
