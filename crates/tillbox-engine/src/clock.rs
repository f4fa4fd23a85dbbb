//! Clocks: the system's, one that tests move, and a merchant's own, which runs ahead of either.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
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

/// How far the clock of the machine may be ahead of the time that has passed since it was last asked: more is a jump
/// (R46).
const MOST_JUMP_US: i64 = 5 * 60 * 1_000_000;
/// How long a jump must last to be taken for the time.
const CONFIRMED_AFTER_US: i64 = 2 * 60 * 1_000_000;

/// A clock that does not follow a jump forward until it is confirmed, so that a slip of the machine's clock expires no
/// hold, no lot and no key of a page, as time never goes back behind what was booked (R46).
///
/// The time that passes is counted by the monotonic clock beside it. Where the machine's clock is suddenly more than
/// five minutes ahead of that, time goes on as it went; once the machine's clock has been as far ahead for two minutes,
/// it is taken for right. A start takes the machine's clock as it is.
pub struct SteadyClock<R = MachineClocks> {
    clocks: R,
    seen: Mutex<Seen>,
}

/// What a [`SteadyClock`] reads.
pub trait Clocks: Send + Sync + 'static {
    /// The time of day, and a time that only passes; both in microseconds.
    fn read(&self) -> (i64, i64);
}

/// The clocks of the machine.
#[derive(Debug)]
pub struct MachineClocks(Instant);

impl Clocks for MachineClocks {
    #[expect(
        clippy::disallowed_methods,
        reason = "time that passes is read here, beside the system's clock, and nowhere else"
    )]
    fn read(&self) -> (i64, i64) {
        let passed = i64::try_from(self.0.elapsed().as_micros()).unwrap_or(i64::MAX);
        (SystemClock.now().micros(), passed)
    }
}

/// What was told last.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The time that was told.
    told: i64,
    /// When, by the time that only passes.
    passed: i64,
    /// Since when the machine's clock is ahead, by the time that only passes.
    ahead_since: Option<i64>,
}

impl SteadyClock {
    /// Begins with the machine's clock as it is.
    #[expect(
        clippy::disallowed_methods,
        reason = "time that passes is read here, beside the system's clock, and nowhere else"
    )]
    pub fn of_machine() -> Self {
        Self::over(MachineClocks(Instant::now()))
    }
}

impl<R: Clocks> SteadyClock<R> {
    fn over(clocks: R) -> Self {
        let (told, passed) = clocks.read();
        Self {
            clocks,
            seen: Mutex::new(Seen {
                told,
                passed,
                ahead_since: None,
            }),
        }
    }
}

impl<R: Clocks> Clock for SteadyClock<R> {
    fn now(&self) -> Timestamp {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, passed) = self.clocks.read();
        let expected = seen.told.saturating_add(passed.saturating_sub(seen.passed));
        let jumps = wall.saturating_sub(expected) > MOST_JUMP_US;
        let since = seen.ahead_since.unwrap_or(passed);
        let is_confirmed = passed.saturating_sub(since) >= CONFIRMED_AFTER_US;
        if jumps && seen.ahead_since.is_none() {
            tracing::warn!(
                "the system's clock jumped forward by more than five minutes: it is not followed yet"
            );
        } else if jumps && is_confirmed {
            tracing::warn!("the system's clock stays ahead: it is followed now");
        }
        *seen = if jumps && !is_confirmed {
            Seen {
                told: expected,
                passed,
                ahead_since: Some(since),
            }
        } else {
            Seen {
                told: wall,
                passed,
                ahead_since: None,
            }
        };
        Timestamp::from_micros(seen.told)
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    /// Two clocks that a test sets.
    struct Given(Arc<(AtomicI64, AtomicI64)>);

    impl Clocks for Given {
        fn read(&self) -> (i64, i64) {
            (
                self.0.0.load(Ordering::Relaxed),
                self.0.1.load(Ordering::Relaxed),
            )
        }
    }

    /// Tells the time for each pair of seconds by the two clocks.
    fn told(readings: &[(i64, i64)]) -> Vec<i64> {
        let given = Arc::new((AtomicI64::new(0), AtomicI64::new(0)));
        let clock = SteadyClock::over(Given(Arc::clone(&given)));
        let tell = |(wall, passed): &(i64, i64)| {
            given.0.store(wall * SECOND, Ordering::Relaxed);
            given.1.store(passed * SECOND, Ordering::Relaxed);
            clock.now().micros() / SECOND
        };
        readings.iter().map(tell).collect()
    }

    #[test]
    fn r46_a_jump_forward_is_followed_once_it_has_lasted() {
        let readings = [
            (10, 10),
            (4_010, 20),
            (4_100, 110),
            (4_129, 139),
            (4_130, 140),
            (4_140, 150),
        ];
        assert_eq!(told(&readings), [10, 20, 110, 139, 4_130, 4_140]);
    }

    #[test]
    fn r46_a_jump_that_goes_away_is_never_followed() {
        let readings = [
            (10, 10),
            (4_010, 20),
            (30, 30),
            (4_040, 40),
            (4_100, 100),
            (170, 170),
        ];
        assert_eq!(told(&readings), [10, 20, 30, 40, 100, 170]);
    }

    #[test]
    fn r46_small_steps_and_steps_back_are_followed() {
        let readings = [(300, 10), (310, 20), (100, 30), (400, 40), (720, 50)];
        assert_eq!(told(&readings), [300, 310, 100, 400, 410]);
    }
}
