//! Clocks: the system's, one that tests move, and a merchant's own, which runs ahead of either.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tillbox_core::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.micros()))
    }

    /// Moves on (or back, to try what a clock that jumps does).
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// How far a merchant's time is ahead of the system's: zero, unless a test merchant moved it (R46).
#[derive(Clone, Debug, Default)]
pub struct MerchantClock(Arc<AtomicI64>);

impl MerchantClock {
    /// Ahead by so many microseconds.
    pub fn ahead_by(offset_us: i64) -> Self {
        Self(Arc::new(AtomicI64::new(offset_us)))
    }

    /// How far it is ahead, in microseconds.
    pub fn offset_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Moves it.
    pub fn set_offset_us(&self, offset_us: i64) {
        self.0.store(offset_us, Ordering::Relaxed);
    }

    /// The merchant's time when the system's clock shows `system`.
    pub fn time(&self, system: Timestamp) -> Timestamp {
        Timestamp::from_micros(system.micros().saturating_add(self.offset_us()))
    }
}
