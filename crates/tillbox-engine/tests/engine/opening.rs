//! Opening wallets: one for each customer and currency, with its first value and its answer in one commit.

use crate::client::{ask, debit, key, opening, refusal, row, units, wait, wallet};
use crate::faulty::{Durable, Fate, FaultyStore};
use crate::gate::{gated, queued};
use crate::ledger::Ledger;
use tillbox_core::amount::Amount;
use tillbox_core::command::Credit;
use tillbox_core::id::CustomerId;
use tillbox_core::lot::FundingType;
use tillbox_core::rejection::Rejection;
use tillbox_engine::port::StoredAnswer;
use tillbox_engine::work::{Answer, Mode, OpenSubmission, Outcome, Submission, SubmitError};

fn empty() -> (Durable, Ledger) {
    let durable = Durable::new();
    let ledger = Ledger::over(&durable, FaultyStore::sound(&durable));
    (durable, ledger)
}

fn with_credit(number: i64, amount: i64) -> OpenSubmission {
    OpenSubmission {
        credit: Some(Credit::new(units(amount), FundingType::Cash)),
        key: Some(key(77, 1)),
        ..opening(number, Amount::ZERO)
    }
}

fn stored(answer: &Answer) -> (StoredAnswer, bool) {
    match answer {
        Ok(Outcome::Answer { answer, replayed }) => (answer.clone(), *replayed),
        other => panic!("no stored answer but {other:?}"),
    }
}

#[test]
fn a_wallet_opens_with_its_first_value_and_replays_the_same_bytes() {
    let (durable, ledger) = empty();
    let (first, fresh) = stored(&wait(ledger.engine().open_wallet(with_credit(1, 5))));
    assert_eq!((first.status, fresh), (201, false));
    assert_eq!(&*first.body, b"5000000 2026-01-01T00:00:00.000000Z");
    row(&wait(ledger.engine().submit(ask(debit(2)))));
    let again = stored(&wait(ledger.engine().open_wallet(with_credit(2, 5))));
    assert_eq!(again, (first.clone(), true), "whatever has changed since");
    ledger.end();
    let ledger = Ledger::over(&durable, FaultyStore::sound(&durable));
    let again = stored(&wait(ledger.engine().open_wallet(with_credit(3, 5))));
    assert_eq!(again, (first, true), "from the store, too");
    assert_eq!(durable.look().opened().count(), 1);
    assert_eq!(
        (ledger.state().balance, ledger.state().version),
        (units(3), 2)
    );
}

#[test]
fn an_opening_is_told_of_between_what_came_before_and_its_first_row() {
    let (durable, ledger) = empty();
    stored(&wait(ledger.engine().open_wallet(with_credit(1, 5))));
    row(&wait(ledger.engine().submit(ask(debit(2)))));
    let second = OpenSubmission {
        key: None,
        ..with_credit(2, 7)
    };
    stored(&wait(ledger.engine().open_wallet(second)));
    let store = durable.look();
    let rows = store.entries().map(|entry| entry.id.number());
    let opened = store
        .opened()
        .map(|opened| (opened.wallet.id, opened.outbox_id.number()));
    let opened: std::collections::BTreeMap<_, _> = opened.collect();
    let rows: Vec<i64> = rows.collect();
    let told = [
        opened[&wallet(1)],
        rows[0],
        rows[1],
        opened[&wallet(2)],
        rows[2],
    ];
    assert!(
        told.is_sorted_by(|before, after| before < after),
        "{told:?}"
    );
}

#[test]
fn a_key_of_another_opening_is_refused() {
    let (_, ledger) = empty();
    stored(&wait(ledger.engine().open_wallet(with_credit(1, 5))));
    let other = OpenSubmission {
        key: Some(key(77, 2)),
        ..with_credit(2, 5)
    };
    let answer = wait(ledger.engine().open_wallet(other));
    assert_eq!(refusal(&answer), Rejection::KeyReused);
}

#[test]
fn a_customer_has_one_open_wallet_in_a_currency_within_a_batch_too() {
    let durable = Durable::new();
    let (store, gate) = gated(&durable);
    let ledger = Ledger::over(&durable, store);
    let engine = ledger.engine();
    let of_customer_one = |number| {
        let mut open = opening(number, Amount::ZERO);
        open.opened.wallet.customer_id = CustomerId::from_number(1);
        open
    };
    let other = queued(engine.open_wallet(opening(9, Amount::ZERO)));
    gate.wait_for_commit();
    // These wait together, and so are one batch.
    let first = queued(engine.open_wallet(of_customer_one(1)));
    let second = queued(engine.open_wallet(of_customer_one(2)));
    gate.allow(Fate::Written);
    gate.wait_for_commit();
    gate.allow(Fate::Written);
    let further = gate.open();
    stored(&wait(other.into_inner()));
    stored(&wait(first.into_inner()));
    let is_conflict = |answer: &Answer| matches!(refusal(answer), Rejection::Conflict(_));
    assert!(is_conflict(&wait(second.into_inner())));
    assert!(is_conflict(&wait(engine.open_wallet(of_customer_one(3)))));
    assert!(further.try_recv().is_err(), "no further commit was needed");
    assert_eq!(durable.look().opened().count(), 2);
    ledger.end();
}

#[test]
fn a_wallet_that_could_not_be_written_is_not_there() {
    let durable = Durable::new();
    let mut fates = [Fate::Refused].into_iter();
    let store = FaultyStore::new(
        &durable,
        move |_| fates.next().unwrap_or(Fate::Written),
        |_| false,
    );
    let ledger = Ledger::over(&durable, store);
    let answer = wait(ledger.engine().open_wallet(with_credit(1, 5)));
    assert!(
        matches!(answer, Err(SubmitError::Overloaded(_))),
        "{answer:?}"
    );
    let spent = wait(ledger.engine().submit(ask(debit(1))));
    assert_eq!(refusal(&spent), Rejection::WalletNotFound);
    assert!(!stored(&wait(ledger.engine().open_wallet(with_credit(1, 5)))).1);
    assert_eq!(ledger.state().balance, units(5));
}

#[test]
fn a_dry_run_opens_nothing() {
    let (durable, ledger) = empty();
    let dry = OpenSubmission {
        mode: Mode::DryRun,
        ..with_credit(1, 5)
    };
    let (answer, _) = stored(&wait(ledger.engine().open_wallet(dry)));
    assert!(answer.body.starts_with(b"5000000 "));
    assert_eq!(durable.look().opened().count(), 0);
    assert!(!stored(&wait(ledger.engine().open_wallet(with_credit(1, 5)))).1);
}

#[test]
fn an_answer_that_is_stored_whole_is_replayed_whatever_changed() {
    let (_, ledger) = empty();
    let ledger = ledger.fill(20);
    let freeze = || Submission {
        key: Some(key(5, 1)),
        answer: Some(opening(1, Amount::ZERO).answer),
        ..ask(tillbox_core::command::Command::Freeze {
            note: tillbox_core::entry::Note::default(),
        })
    };
    let twice = wait(ledger.engine().submit_many(vec![freeze(), freeze()]));
    let (first, _) = stored(&twice[0]);
    assert_eq!(stored(&twice[1]), (first.clone(), true));
    row(&wait(ledger.engine().submit(ask(crate::client::credit(1)))));
    assert_eq!(
        stored(&wait(ledger.engine().submit(freeze()))),
        (first, true)
    );
    assert_eq!(ledger.durable.state(wallet(1)).version, 3);
}
