//! Much that is due of one wallet is booked in bounded commits, before the command is answered (R10).

use crate::client::{START, ask, debit, refusal, row, units, wait, wallet};
use crate::faulty::{Durable, Fate, FaultyStore};
use crate::ledger::Ledger;
use std::sync::{Arc, Mutex};
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Credit, Expiry};
use tillbox_core::entry::EntryKind;
use tillbox_core::lot::FundingType;
use tillbox_core::rejection::Rejection;
use tillbox_engine::work::{Outcome, SubmitError};

/// Lots that expire at the same instant: more than two commits book.
const LOTS: usize = 1_200;
/// Rows of what is due that one commit books.
const MOST: usize = 500;

type Sizes = Arc<Mutex<Vec<usize>>>;

/// Wallet 1 with ten units and [`LOTS`] lots that expire at second 50, and the sizes of its commits.
fn full_of_expiring_lots(
    fate: impl Fn(usize) -> Fate + Send + 'static,
) -> (Ledger, Durable, Sizes) {
    let durable = Durable::new();
    let sizes = Sizes::default();
    let seen = Arc::clone(&sizes);
    let store = FaultyStore::new(
        &durable,
        move |batch| {
            let due = batch.entries.iter();
            let due = due.filter(|row| row.event.kind == EntryKind::LotExpired);
            let mut seen = seen.lock().expect("no panic");
            seen.push(batch.entries.len());
            if due.count() == 0 {
                Fate::Written
            } else {
                fate(seen.len())
            }
        },
        |_| false,
    );
    let ledger = Ledger::over(&durable, store).fill(10);
    let lot = || {
        ask(Command::Credit(Credit {
            expiry: Some(Expiry::At(START.plus_seconds(50))),
            ..Credit::new(units(1), FundingType::Promotional)
        }))
    };
    let answers = wait(
        ledger
            .engine()
            .submit_many((0..LOTS).map(|_| lot()).collect()),
    );
    for answer in &answers {
        drop(row(answer));
    }
    sizes.lock().expect("no panic").clear();
    ledger.clock.set(START.plus_seconds(50));
    (ledger, durable, sizes)
}

#[test]
fn r10_many_due_are_booked_by_bounded_commits_before_the_command() {
    let (ledger, durable, sizes) = full_of_expiring_lots(|_| Fate::Written);
    let seen = wait(ledger.read(|state, _| (state.balance, state.lots().len())));
    assert_eq!(
        seen.expect("a read"),
        (units(10), 1),
        "reads see it as booked"
    );
    let (paid, _) = row(&wait(ledger.engine().submit(ask(debit(10)))));
    let rows: Vec<_> = durable.look().entries_of(wallet(1)).cloned().collect();
    assert_eq!(
        rows.last(),
        Some(&paid),
        "the command comes behind all of it"
    );
    assert_eq!(rows.len(), 1 + LOTS + LOTS + 1);
    assert_eq!(ledger.state().balance, Amount::ZERO);
    assert_eq!(
        *sizes.lock().expect("no panic"),
        [MOST, MOST, LOTS - 2 * MOST + 1]
    );
}

#[test]
fn r10_a_sweep_answers_once_all_is_booked() {
    let (ledger, _, sizes) = full_of_expiring_lots(|_| Fate::Written);
    let sweep = || wait(ledger.engine().submit(ask(Command::BookDue)));
    let (last, _) = row(&sweep());
    assert_eq!(last.balance_after, units(10));
    assert!(matches!(sweep(), Ok(Outcome::NothingDue)));
    assert_eq!(sizes.lock().expect("no panic").len(), 3);
}

#[test]
fn r10_others_of_the_batch_are_answered_and_see_what_was_booked() {
    let (ledger, ..) = full_of_expiring_lots(|_| Fate::Written);
    let asked = vec![ask(debit(11)), ask(debit(4)), ask(debit(6)), ask(debit(1))];
    let answers = wait(ledger.engine().submit_many(asked));
    let short = |place: usize| refusal(&answers[place]);
    assert!(matches!(short(0), Rejection::InsufficientFunds { .. }));
    assert_eq!(row(&answers[1]).0.balance_after, units(6));
    assert_eq!(row(&answers[2]).0.balance_after, Amount::ZERO);
    assert!(matches!(short(3), Rejection::InsufficientFunds { .. }));
}

#[test]
fn a_sweep_that_can_not_be_written_refuses_the_command_and_can_be_tried_again() {
    let (ledger, _, _) = full_of_expiring_lots(|commit| match commit {
        2 => Fate::Refused,
        _ => Fate::Written,
    });
    let refused = wait(ledger.engine().submit(ask(debit(10))));
    assert!(matches!(refused, Err(SubmitError::Overloaded(_))));
    let left = LOTS - MOST;
    assert_eq!(ledger.state().lots().len(), 1 + left, "one commit stands");
    row(&wait(ledger.engine().submit(ask(debit(10)))));
    assert_eq!(ledger.state().balance, Amount::ZERO);
}
