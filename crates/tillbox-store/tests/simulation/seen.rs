//! How often each operation met each fault and each answer: what was never hit was never tried.

use crate::plan::FAULTS;
use crate::script::OPERATIONS;
use std::collections::BTreeMap;

/// What a request may come to.
const ANSWERS: [&str; 5] = ["done", "rejected", "replayed", "hung up", "done unheard"];

/// Counts by operation, and by fault or answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen(BTreeMap<(&'static str, &'static str), u64>);

impl Seen {
    pub(crate) fn count(&mut self, operation: &'static str, what: &'static str) {
        *self.0.entry((operation, what)).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (pair, times) in &other.0 {
            *self.0.entry(*pair).or_default() += times;
        }
    }

    /// Requests that were answered, or should have been.
    pub(crate) fn requests(&self) -> u64 {
        let heard = self
            .0
            .iter()
            .filter(|((_, what), _)| *what != "done unheard");
        heard.map(|(_, times)| times).sum()
    }

    fn of(&self, operation: &'static str, what: &'static str) -> u64 {
        self.0.get(&(operation, what)).copied().unwrap_or(0)
    }

    /// Each pair that can be was hit so often at least, and none that can't.
    pub(crate) fn demand_pairs(&self, at_least: u64) {
        for operation in OPERATIONS {
            for what in FAULTS.iter().chain(&ANSWERS) {
                let times = self.of(operation, what);
                let is_enough = if can_be(operation, what) {
                    times >= at_least
                } else {
                    times == 0
                };
                assert!(is_enough, "{operation} under {what}: {times} times\n{self}");
            }
        }
    }

    /// Each operation was done, and each fault and answer was met, as often as so many seeds should.
    pub(crate) fn demand_each(&self, seeds: u64) {
        for operation in OPERATIONS {
            let times = self.of(operation, "done");
            assert!(
                times >= seeds / 10,
                "{operation} done: {times} times\n{self}"
            );
        }
        for what in FAULTS.iter().chain(&ANSWERS) {
            let times = OPERATIONS.iter().map(|operation| self.of(operation, what));
            let times: u64 = times.sum();
            assert!(times >= seeds / 2, "{what}: {times} times\n{self}");
        }
    }
}

fn can_be(operation: &str, what: &str) -> bool {
    match operation {
        // It writes nothing, so that nothing of it is refused, kept or replayed.
        "dry run" => !["replayed", "done unheard", "bad row", "refused"].contains(&what),
        // It has no key, and what it books is nobody's answer.
        "sweep" => !["replayed", "done unheard", "bad row"].contains(&what),
        _ => true,
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = || FAULTS.iter().chain(&ANSWERS);
        write!(out, "{:15}", "")?;
        for what in columns() {
            write!(out, "{what:>14}")?;
        }
        for operation in OPERATIONS {
            write!(out, "\n{operation:15}")?;
            for what in columns() {
                write!(out, "{:>14}", self.of(operation, what))?;
            }
        }
        Ok(())
    }
}
