//! One batch: its commands see each other, stand alone, and are answered when all of it is durable.

use crate::client::{
    MERCHANT, Running, ask, credit, debit, key, keyed, opening, options, refusal, row, units, wait,
    wallet,
};
use crate::faulty::{Durable, Fate, FaultyStore};
use crate::gate::{gated, queued};
use crate::ledger::{Ledger, clock, refund};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tillbox_core::amount::Amount;
use tillbox_core::id::MerchantId;
use tillbox_core::rejection::Rejection;
use tillbox_engine::LaneEnd;
use tillbox_engine::clock::MerchantClock;
use tillbox_engine::work::{Mode, Submission, SubmitError};

#[test]
fn a_key_that_comes_twice_in_a_batch_has_one_effect() {
    let durable = Durable::new();
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    let store = FaultyStore::new(
        &durable,
        move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Fate::Written
        },
        |_| false,
    );
    let ledger = Ledger::over(&durable, store).fill(20);
    let before = commits.load(Ordering::Relaxed);
    let twice = vec![keyed(debit(3), 9), keyed(debit(3), 9)];
    let answers = wait(ledger.engine().submit_many(twice.clone()));
    let ((first, fresh), (second, again)) = (row(&answers[0]), row(&answers[1]));
    assert_eq!((fresh, again), (false, true));
    assert_eq!(first, second);
    let after = commits.load(Ordering::Relaxed);
    assert_eq!(after, before + 1, "it needs no second attempt");
    let later = wait(ledger.engine().submit_many(twice));
    assert_eq!(
        (row(&later[0]), row(&later[1])),
        ((first.clone(), true), (first, true))
    );
    assert_eq!(ledger.state().balance, units(17));
}

#[test]
fn a_key_of_another_request_is_refused_within_the_batch_and_later() {
    let ledger = Ledger::with_balance(20);
    let other = Submission {
        key: Some(key(9, 2)),
        ..ask(debit(4))
    };
    let answers = wait(
        ledger
            .engine()
            .submit_many(vec![keyed(debit(3), 9), other.clone()]),
    );
    assert!(!row(&answers[0]).1);
    assert_eq!(refusal(&answers[1]), Rejection::KeyReused);
    let later = wait(ledger.engine().submit(other));
    assert_eq!(refusal(&later), Rejection::KeyReused);
    assert_eq!(ledger.state().balance, units(17));
}

#[test]
fn sixty_four_parallel_debits_spend_what_is_there_and_no_more() {
    let ledger = Ledger::with_balance(20);
    let spenders = (0..64).map(|_| {
        let engine = ledger.engine();
        std::thread::spawn(move || wait(engine.submit(ask(debit(1)))))
    });
    let spenders: Vec<_> = spenders.collect();
    let answers = spenders
        .into_iter()
        .map(|one| one.join().expect("no panic"));
    let (done, refused): (Vec<_>, Vec<_>) = answers.partition(Result::is_ok);
    assert_eq!((done.len(), refused.len()), (20, 44));
    for answer in &refused {
        assert!(matches!(
            refusal(answer),
            Rejection::InsufficientFunds { .. }
        ));
    }
    assert_eq!(ledger.state().balance, Amount::ZERO);
}

#[test]
fn nobody_is_answered_before_the_commit_not_even_who_is_refused() {
    let durable = Durable::new();
    Ledger::over(&durable, FaultyStore::sound(&durable))
        .fill(20)
        .end();
    let (store, gate) = gated(&durable);
    let ledger = Ledger::over(&durable, store);
    let engine = ledger.engine();
    let asked = vec![ask(debit(15)), ask(debit(15)), keyed(debit(1), 1)];
    let mut answers = queued(engine.submit_many(asked));
    gate.wait_for_commit();
    let mut refused = queued(engine.submit(ask(debit(99))));
    assert!(
        answers.is_pending() && refused.is_pending(),
        "the commit is still under way"
    );
    assert_eq!(ledger.state().balance, units(20));
    gate.allow(Fate::Written);
    let answers = wait(answers.into_inner());
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert!(matches!(
        refusal(&answers[1]),
        Rejection::InsufficientFunds { .. }
    ));
    assert!(matches!(
        refusal(&wait(refused.into_inner())),
        Rejection::InsufficientFunds { .. }
    ));
    assert_eq!(ledger.state().balance, units(4));
}

#[test]
fn a_refusal_that_rests_on_a_lost_batch_is_not_told() {
    let durable = Durable::new();
    Ledger::over(&durable, FaultyStore::sound(&durable))
        .fill(20)
        .end();
    let store = FaultyStore::new(&durable, |_| Fate::WriteLost, |_| false);
    let ledger = Ledger::over(&durable, store);
    let asked = vec![ask(debit(15)), ask(debit(15))];
    for answer in wait(ledger.engine().submit_many(asked)) {
        assert!(
            matches!(answer, Err(SubmitError::OutcomeUnknown)),
            "{answer:?}"
        );
    }
}

#[test]
fn a_bad_command_fails_alone_and_its_neighbours_succeed() {
    let durable = Durable::new();
    let store = FaultyStore::new(
        &durable,
        |batch| {
            let mut keys = batch.entries.iter().map(|row| row.key);
            let is_bad = keys.any(|of_row| of_row == Some(key(4, 1)));
            if is_bad { Fate::Refused } else { Fate::Written }
        },
        |_| false,
    );
    let ledger = Ledger::over(&durable, store).fill(20);
    let asked = (1..=7).map(|number| keyed(debit(2), number)).collect();
    let answers = wait(ledger.engine().submit_many(asked));
    for (place, answer) in answers.iter().enumerate() {
        if place == 3 {
            assert!(
                matches!(answer, Err(SubmitError::Overloaded(_))),
                "{answer:?}"
            );
        } else {
            assert!(answer.is_ok(), "{answer:?}");
        }
    }
    assert_eq!(ledger.state().balance, units(8));
    let balance = wait(ledger.read(|state, _| state.balance)).expect("a read");
    assert_eq!(balance, units(8), "what could not be written is forgotten");
}

#[test]
fn a_batch_that_fails_and_is_tried_again_has_each_effect_once() {
    let durable = Durable::new();
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    let store = FaultyStore::new(
        &durable,
        // Opening and filling go well; then the first two attempts fail.
        move |_| match counted.fetch_add(1, Ordering::Relaxed) {
            2 | 3 => Fate::Refused,
            _ => Fate::Written,
        },
        |_| false,
    );
    let ledger = Ledger::over(&durable, store).fill(20);
    let asked = (1..=8).map(|number| keyed(debit(3), number)).collect();
    let answers = wait(ledger.engine().submit_many(asked));
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(done, 6, "20 pays for six");
    assert_eq!(ledger.state().balance, units(2));
}

#[test]
fn a_cache_of_a_few_bytes_gives_the_same_results() {
    let run = |cache_bytes| {
        let durable = Durable::new();
        let clock = crate::ledger::clock();
        let mut options = options(&clock, &durable);
        options.cache_bytes = cache_bytes;
        let running = Running::start(FaultyStore::sound(&durable), options);
        for number in 1..=4 {
            wait(running.engine.open_wallet(opening(number, units(1)))).expect("opened");
        }
        for turn in 0..20 {
            let of = |number: i64, command| Submission {
                wallet_id: wallet(number),
                ..ask(command)
            };
            let asked = (1..=4).flat_map(|number| {
                [
                    of(number, credit(2)),
                    of(number, debit(1 + (turn + number) % 4)),
                ]
            });
            wait(running.engine.submit_many(asked.collect()));
        }
        assert_eq!(running.stop(), LaneEnd::Stopped);
        let rows: Vec<_> = durable.look().entries().cloned().collect();
        rows
    };
    let (large, none) = (run(1 << 20), run(1));
    assert!(large.len() > 100);
    assert_eq!(large, none);
}

#[test]
fn a_dry_run_answers_and_changes_nothing() {
    let ledger = Ledger::with_balance(20);
    let before = ledger.state();
    let dry = |command| Submission {
        mode: Mode::DryRun,
        ..keyed(command, 5)
    };
    let asked = vec![
        dry(debit(15)),
        dry(debit(15)),
        dry(debit(21)),
        keyed(debit(2), 5),
    ];
    let answers = wait(ledger.engine().submit_many(asked));
    assert_eq!(row(&answers[0]).0.balance_after, units(5));
    assert_eq!(row(&answers[1]).0.balance_after, units(5));
    assert!(matches!(
        refusal(&answers[2]),
        Rejection::InsufficientFunds { .. }
    ));
    assert!(!row(&answers[3]).1, "a dry run keeps no key");
    assert_eq!(ledger.state().version, before.version + 1);
    let again = wait(ledger.engine().submit(dry(debit(99))));
    assert!(
        matches!(refusal(&again), Rejection::InsufficientFunds { .. }),
        "nor replays one"
    );
}

#[test]
fn a_refund_waits_for_the_commit_of_its_wallets_rows() {
    let ledger = Ledger::with_balance(20);
    let (debited, _) = row(&wait(ledger.engine().submit(ask(debit(8)))));
    let part = |amount| ask(refund(debited.id, Some(amount)));
    let asked = vec![
        part(5),
        part(5),
        ask(debit(16)),
        part(3),
        part(1),
        ask(debit(4)),
    ];
    let answers = wait(ledger.engine().submit_many(asked));
    assert_eq!(row(&answers[0]).0.balance_after, units(17));
    let exceeds = |left| Rejection::RefundExceedsRemaining { remaining: left };
    assert_eq!(refusal(&answers[1]), exceeds(units(3)));
    assert_eq!(row(&answers[2]).0.balance_after, units(1));
    assert_eq!(row(&answers[3]).0.balance_after, units(4));
    assert_eq!(refusal(&answers[4]), exceeds(Amount::ZERO));
    assert_eq!(row(&answers[5]).0.balance_after, Amount::ZERO);
}

#[test]
fn another_merchants_wallet_is_not_found() {
    let ledger = Ledger::with_balance(20);
    let stranger = Submission {
        merchant_id: MerchantId::from_number(2),
        ..ask(debit(1))
    };
    let answer = wait(ledger.engine().submit(stranger));
    assert_eq!(refusal(&answer), Rejection::WalletNotFound);
    let clock = MerchantClock::default();
    let engine = ledger.engine();
    let read = engine.read(
        MerchantId::from_number(2),
        wallet(1),
        clock.clone(),
        |_, _| (),
    );
    let not_found = |seen: Result<(), SubmitError>| match seen {
        Err(SubmitError::Rejected { rejection, .. }) => rejection == Rejection::WalletNotFound,
        _ => false,
    };
    assert!(not_found(wait(read)));
    assert!(not_found(wait(engine.read(
        MERCHANT,
        wallet(9),
        clock,
        |_, _| ()
    ))));
}

#[test]
fn a_read_sees_what_is_durable() {
    let durable = Durable::new();
    Ledger::over(&durable, FaultyStore::sound(&durable))
        .fill(20)
        .end();
    let (store, gate) = gated(&durable);
    let ledger = Ledger::over(&durable, store);
    let engine = ledger.engine();
    let spent = queued(engine.submit(ask(debit(15))));
    gate.wait_for_commit();
    let mut read = queued(ledger.read(|state, _| state.balance));
    assert!(read.is_pending(), "it waits for the commit under way");
    gate.allow(Fate::Refused);
    assert!(matches!(
        wait(spent.into_inner()),
        Err(SubmitError::Overloaded(_))
    ));
    assert_eq!(wait(read.into_inner()).expect("a read"), units(20));
}

#[test]
fn each_commit_is_counted_before_it_is_answered_and_nothing_else_is() {
    let durable = Durable::new();
    let store = FaultyStore::new(
        &durable,
        |batch| match batch.entries.first().and_then(|row| row.key) {
            Some(stamp) if stamp == key(4, 1) => Fate::Refused,
            _ => Fate::Written,
        },
        |_| false,
    );
    let ledger = Ledger::over(&durable, store);
    let mut committed = ledger.engine().committed();
    let ledger = ledger.fill(20);
    assert_eq!(*committed.borrow_and_update(), 2, "an opening, a credit");
    wait(ledger.engine().submit(ask(debit(5)))).expect("booked");
    assert!(committed.has_changed().expect("the lane lives"));
    assert_eq!(*committed.borrow_and_update(), 3);
    for nothing in [ask(debit(99)), keyed(debit(1), 4)] {
        wait(ledger.engine().submit(nothing)).expect_err("refused");
    }
    wait(ledger.read(|_, _| ())).expect("a read");
    assert!(!committed.has_changed().expect("the lane lives"));
    ledger.end();
    assert!(
        wait(committed.changed()).is_err(),
        "it ends with the lane, so that nobody waits for ever"
    );
}

/// Many callers are woken by the runtime that they wait in, and where that has gone, by the lane.
#[test]
fn many_callers_are_told_through_their_runtime_and_without_it() {
    let durable = Durable::new();
    let sound = FaultyStore::sound(&durable);
    Ledger::over(&durable, sound).fill(100).end();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    let (store, gate) = gated(&durable);
    let mut options = options(&clock(), &durable);
    options.runtime = Some(runtime.handle().clone());
    let running = Running::start(store, options);
    let first = queued(running.engine.submit(keyed(debit(1), 1)));
    gate.wait_for_commit();
    let callers: Vec<_> = (2..=21)
        .map(|number| {
            let engine = running.engine.clone();
            runtime.spawn(async move { engine.submit(keyed(debit(1), number)).await })
        })
        .collect();
    while running.engine.figures().waiting < callers.len() {
        std::thread::yield_now();
    }
    gate.allow(Fate::Written);
    gate.wait_for_commit();
    gate.allow(Fate::Written);
    assert!(wait(first.into_inner()).is_ok());
    for caller in callers {
        let told = runtime.block_on(caller).expect("the task lives");
        assert!(!row(&told).1);
    }

    let blocking = queued(running.engine.submit(keyed(debit(1), 22)));
    gate.wait_for_commit();
    let others: Vec<_> = (23..=42)
        .map(|number| queued(running.engine.submit(keyed(debit(1), number))))
        .collect();
    runtime.shutdown_background();
    drop(gate);
    assert!(wait(blocking.into_inner()).is_ok());
    for one in others {
        assert!(!row(&wait(one.into_inner())).1);
    }
    assert_eq!(durable.state(wallet(1)).balance, units(58));
    assert_eq!(running.stop(), LaneEnd::Stopped);
}
