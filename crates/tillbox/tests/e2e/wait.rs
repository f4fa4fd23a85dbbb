//! Waiting, always bounded: the only place of the suite that reads a clock or sleeps.

use std::time::{Duration, Instant};

/// Between two looks; short against everything that is waited for.
const PAUSE: Duration = Duration::from_millis(2);

/// Measures how long something took in real time.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a black-box test measures the server by the wall clock"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Looks until there is an answer; panics with `what` when there is none in time.
#[track_caller]
pub(crate) fn until<T>(within: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    match at_most(within, &mut look) {
        Some(found) => found,
        None => panic!("waited {within:?} in vain for {what}"),
    }
}

/// Looks until there is an answer, or the time is over: `None`.
#[expect(
    clippy::disallowed_methods,
    reason = "polling another process with a bounded deadline needs a pause between two looks"
)]
pub(crate) fn at_most<T>(within: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let watch = Stopwatch::start();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if watch.elapsed() > within {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}
