//! What callers are told when work can't be done, or nobody knows whether it was.

use crate::client::{
    Running, ask, credit, debit, keyed, opening, options, row, units, wait, wallet,
};
use crate::faulty::{Durable, Fate, FaultyStore};
use crate::gate::{gated, queued};
use crate::ledger::{Ledger, clock};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tillbox_core::amount::Amount;
use tillbox_engine::LaneEnd;
use tillbox_engine::work::{Answer, SubmitError};

/// What is durable once wallet 1 has 20.
fn filled() -> Durable {
    let durable = Durable::new();
    let sound = FaultyStore::sound(&durable);
    Ledger::over(&durable, sound).fill(20).end();
    durable
}

fn is_unknown<T>(answer: &Result<T, SubmitError>) -> bool {
    matches!(answer, Err(SubmitError::OutcomeUnknown))
}

fn is_overloaded(answer: &Answer) -> bool {
    matches!(answer, Err(SubmitError::Overloaded(_)))
}

#[test]
fn a_full_queue_refuses_and_does_nothing() {
    let durable = filled();
    let (store, gate) = gated(&durable);
    let mut options = options(&clock(), &durable);
    options.queue = 3;
    let running = Running::start(store, options);
    let engine = &running.engine;
    let first = queued(engine.submit(keyed(debit(1), 1)));
    gate.wait_for_commit();
    let waiting: Vec<_> = (2..=4)
        .map(|number| queued(engine.submit(keyed(debit(1), number))))
        .collect();
    assert!(is_overloaded(&wait(engine.submit(keyed(debit(1), 5)))));
    let many = wait(engine.submit_many(vec![keyed(debit(1), 6), keyed(debit(1), 7)]));
    assert!(many.len() == 2 && many.iter().all(is_overloaded));
    gate.allow(Fate::Written);
    gate.wait_for_commit();
    gate.allow(Fate::Written);
    drop(gate);
    assert!(wait(first.into_inner()).is_ok());
    for one in waiting {
        assert!(wait(one.into_inner()).is_ok());
    }
    assert_eq!(durable.state(wallet(1)).balance, units(16));
    assert_eq!(running.stop(), LaneEnd::Stopped);
}

#[test]
fn a_batch_counts_in_the_queue_with_each_of_its_commands() {
    let durable = filled();
    let (store, gate) = gated(&durable);
    let mut options = options(&clock(), &durable);
    options.queue = 3;
    let running = Running::start(store, options);
    let engine = &running.engine;
    let first = queued(engine.submit(keyed(debit(1), 1)));
    gate.wait_for_commit();
    let pair = queued(engine.submit_many(vec![keyed(debit(1), 2), keyed(debit(1), 3)]));
    let more = wait(engine.submit_many(vec![keyed(debit(1), 4), keyed(debit(1), 5)]));
    assert!(more.len() == 2 && more.iter().all(is_overloaded));
    let third = queued(engine.submit(keyed(debit(1), 6)));
    assert!(is_overloaded(&wait(engine.submit(keyed(debit(1), 7)))));
    gate.allow(Fate::Written);
    gate.wait_for_commit();
    gate.allow(Fate::Written);
    drop(gate);
    assert!(wait(first.into_inner()).is_ok() && wait(third.into_inner()).is_ok());
    assert!(wait(pair.into_inner()).iter().all(Result::is_ok));
    assert_eq!(durable.state(wallet(1)).balance, units(16));
    assert_eq!(running.stop(), LaneEnd::Stopped);
}

/// Loses a commit in that way with others in its batch and in the queue; then asks all of them again.
fn lose(fate: Fate, done: i64) {
    let durable = filled();
    let (store, gate) = gated(&durable);
    let ledger = Ledger::over(&durable, store);
    let engine = ledger.engine();
    let asked = vec![keyed(debit(1), 1), keyed(debit(99), 2)];
    let in_batch = queued(engine.submit_many(asked));
    gate.wait_for_commit();
    let behind = queued(engine.submit(keyed(debit(1), 3)));
    let many = queued(engine.submit_many(vec![keyed(debit(1), 4), keyed(debit(1), 5)]));
    let opened = queued(engine.open_wallet(opening(2, Amount::ZERO)));
    let read = queued(ledger.read(|_, _| ()));
    gate.allow(fate);
    let in_batch = wait(in_batch.into_inner());
    assert!(in_batch.len() == 2 && in_batch.iter().all(is_unknown));
    assert!(is_unknown(&wait(behind.into_inner())));
    assert!(wait(many.into_inner()).iter().all(is_unknown));
    assert!(is_unknown(&wait(opened.into_inner())));
    assert!(is_unknown(&wait(read.into_inner())));
    let end = ledger.running.thread.join();
    match fate {
        Fate::CrashBefore | Fate::CrashAfter => assert!(end.is_err(), "it died"),
        _ => assert!(matches!(end, Ok(LaneEnd::Poisoned(_)))),
    }
    let later = wait(engine.submit(ask(debit(1))));
    assert!(matches!(later, Err(SubmitError::ShuttingDown)), "{later:?}");
    assert_eq!(durable.state(wallet(1)).balance, units(20 - done));

    let ledger = Ledger::over(&durable, FaultyStore::sound(&durable));
    let told = row(&wait(ledger.engine().submit(keyed(debit(1), 1))));
    assert_eq!(told.1, done == 1, "the key tells whether it was done");
    for number in [3, 4, 5] {
        assert!(!row(&wait(ledger.engine().submit(keyed(debit(1), number)))).1);
    }
    assert_eq!(ledger.state().balance, units(16));
    ledger.end();
}

#[test]
fn a_commit_whose_answer_is_lost_ends_the_lane_and_the_key_tells() {
    lose(Fate::AnswerLost, 1);
}

#[test]
fn a_commit_that_is_lost_ends_the_lane_and_the_key_tells() {
    lose(Fate::WriteLost, 0);
}

#[test]
fn who_the_lane_dies_over_is_told_that_the_outcome_is_unknown() {
    lose(Fate::CrashBefore, 0);
    lose(Fate::CrashAfter, 1);
}

#[test]
fn an_unknown_half_of_a_batch_is_unknown_to_all_of_it() {
    let durable = filled();
    let mut fates = [Fate::Refused, Fate::Written, Fate::AnswerLost].into_iter();
    let store = FaultyStore::new(
        &durable,
        move |_| fates.next().unwrap_or(Fate::Written),
        |_| false,
    );
    let ledger = Ledger::over(&durable, store);
    let asked: Vec<_> = (1..=8).map(|number| keyed(debit(1), number)).collect();
    let answers = wait(ledger.engine().submit_many(asked.clone()));
    assert!(
        answers[..4].iter().all(Result::is_ok),
        "the first half is done: {answers:?}"
    );
    assert!(answers[4..].iter().all(is_unknown), "{answers:?}");
    let ledger = Ledger::over(&durable, FaultyStore::sound(&durable));
    let again = wait(ledger.engine().submit_many(asked));
    assert!(again.iter().all(|answer| row(answer).1));
    assert_eq!(ledger.state().balance, units(12));
}

#[test]
fn nobody_is_told_that_nothing_was_stored_when_half_of_a_half_is_unknown() {
    let durable = filled();
    let mut fates = [Fate::Refused, Fate::Refused, Fate::Written, Fate::WriteLost].into_iter();
    let store = FaultyStore::new(
        &durable,
        move |_| fates.next().unwrap_or(Fate::Written),
        |_| false,
    );
    let ledger = Ledger::over(&durable, store);
    let asked: Vec<_> = (1..=8).map(|number| keyed(debit(1), number)).collect();
    let answers = wait(ledger.engine().submit_many(asked));
    assert_eq!(durable.state(wallet(1)).balance, units(18), "two are done");
    for answer in &answers {
        assert!(answer.is_ok() || is_unknown(answer), "{answer:?}");
    }
}

#[test]
fn a_failed_load_refuses_and_changes_nothing() {
    for what in ["wallets", "keys", "debit", "hold", "owner"] {
        let durable = filled();
        let failing = Arc::new(AtomicBool::new(true));
        let fails = Arc::clone(&failing);
        let store = FaultyStore::new(
            &durable,
            |_| Fate::Written,
            move |load| load == what && fails.load(Ordering::Relaxed),
        );
        let ledger = Ledger::over(&durable, store);
        let ask_it = || match what {
            "owner" => wait(ledger.engine().open_wallet(opening(2, Amount::ZERO))),
            "debit" => {
                let first = durable.look().entries().next().expect("a row").id;
                wait(
                    ledger
                        .engine()
                        .submit(ask(crate::ledger::refund(first, None))),
                )
            }
            "hold" => {
                let hold_id = tillbox_core::id::HoldId::from_number(5);
                let release = tillbox_core::command::Command::ReleaseHold { hold_id };
                wait(ledger.engine().submit(ask(release)))
            }
            _ => wait(ledger.engine().submit(keyed(debit(1), 1))),
        };
        assert!(is_overloaded(&ask_it()), "{what}");
        assert_eq!(ledger.state().version, 1, "{what}");
        failing.store(false, Ordering::Relaxed);
        assert!(!is_overloaded(&ask_it()), "{what}: it works again");
        ledger.end();
    }
}

#[test]
fn stopping_finishes_what_is_queued_and_refuses_what_comes_later() {
    let durable = filled();
    let (store, gate) = gated(&durable);
    let ledger = Ledger::over(&durable, store);
    let engine = ledger.engine();
    let first = queued(engine.submit(ask(debit(1))));
    gate.wait_for_commit();
    let second = queued(engine.submit(ask(debit(2))));
    engine.stop();
    let late = queued(engine.submit(ask(debit(4))));
    gate.allow(Fate::Written);
    gate.wait_for_commit();
    gate.allow(Fate::Written);
    drop(gate);
    assert!(wait(first.into_inner()).is_ok());
    assert!(wait(second.into_inner()).is_ok());
    let late = wait(late.into_inner());
    assert!(matches!(late, Err(SubmitError::ShuttingDown)), "{late:?}");
    assert_eq!(
        ledger.running.thread.join().expect("no panic"),
        LaneEnd::Stopped
    );
    let later = wait(engine.submit(ask(debit(8))));
    assert!(matches!(later, Err(SubmitError::ShuttingDown)), "{later:?}");
    assert_eq!(durable.state(wallet(1)).balance, units(17));
}

#[test]
fn a_lane_that_nobody_can_reach_ends() {
    let ledger = Ledger::with_balance(20);
    let Running { engine, thread } = ledger.running;
    drop(engine);
    assert_eq!(thread.join().expect("no panic"), LaneEnd::Stopped);
}

#[test]
fn b20_a_caller_that_goes_away_changes_nothing() {
    let durable = filled();
    let (store, gate) = gated(&durable);
    let ledger = Ledger::over(&durable, store);
    let engine = ledger.engine();
    let gone = queued(engine.submit(keyed(debit(1), 1)));
    gate.wait_for_commit();
    let gone_too = queued(engine.submit_many(vec![keyed(debit(2), 2), keyed(credit(4), 3)]));
    let gone_read = queued(ledger.read(|_, _| ()));
    drop((gone, gone_too, gone_read));
    gate.allow(Fate::Written);
    gate.wait_for_commit();
    gate.allow(Fate::Written);
    drop(gate);
    let told = row(&wait(engine.submit(keyed(debit(2), 2))));
    assert!(told.1, "it was done");
    assert_eq!(ledger.state().balance, units(21));
    ledger.end();
}

#[test]
fn b21_a_write_that_fails_is_told_as_such_and_never_as_a_refusal() {
    let durable = filled();
    let store = FaultyStore::new(&durable, |_| Fate::Refused, |_| false);
    let running = Running::start(store, options(&clock(), &durable));
    for command in [debit(1), credit(1), debit(500)] {
        let could_be_done = command != debit(500);
        let answer = wait(running.engine.submit(keyed(command, 1)));
        assert_eq!(is_overloaded(&answer), could_be_done, "{answer:?}");
    }
    assert_eq!(durable.state(wallet(1)).balance, units(20));
    assert_eq!(running.stop(), LaneEnd::Stopped);
}
