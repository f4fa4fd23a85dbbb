//! A lot that changes its place, and the rows by which a wallet ends, in one commit.

use crate::client::{
    START, ask, credit, debit, key, keyed, opening, refusal, row, units, wait, wallet,
};
use crate::faulty::{Durable, Fate, FaultyStore};
use crate::ledger::{Ledger, hold};
use std::sync::{Arc, Mutex};
use tillbox_core::amount::Amount;
use tillbox_core::command::{
    AfterCapture, CaptureHold, ChangeLot, Close, Command, Credit, Expiry, VoidLot,
};
use tillbox_core::entry::{EntryKind, Note, PayoutWay};
use tillbox_core::id::LotId;
use tillbox_core::lot::FundingType;
use tillbox_core::rejection::Rejection;
use tillbox_core::wallet::WalletStatus;
use tillbox_engine::work::{Mode, Outcome, Submission};

fn expiring(amount: i64, seconds: i64) -> Command {
    Command::Credit(Credit {
        expiry: Some(Expiry::InSeconds(seconds)),
        ..Credit::new(units(amount), FundingType::Cash)
    })
}

fn never_expire(lot_id: LotId) -> Command {
    let expires_at = None;
    Command::ChangeLot(ChangeLot { lot_id, expires_at })
}

fn void(lot_id: LotId) -> Command {
    let note = Note::default();
    Command::VoidLot(VoidLot { lot_id, note })
}

fn close() -> Command {
    Command::Close(Close {
        way: PayoutWay::Manual,
        payments: Vec::new(),
    })
}

#[test]
fn a_held_lot_that_got_another_place_is_found_there_after_a_restart() {
    let ledger = Ledger::with_balance(2);
    let (made, _) = row(&wait(ledger.engine().submit(ask(expiring(5, 50)))));
    let (placed, _) = row(&wait(ledger.engine().submit(ask(hold(6, 60)))));
    let lot = made.made_lot().expect("a lot");
    let id = placed.event.hold.expect("a hold").id;
    row(&wait(ledger.engine().submit(ask(never_expire(lot)))));
    let state = ledger.state();
    assert_eq!(state.lot_of(lot).expect("it is open").expires_at, None);
    assert_eq!(state.check(), Ok(()));
    let durable = ledger.durable.clone();
    ledger.end();
    let ledger = Ledger::over(&durable, FaultyStore::sound(&durable));
    ledger.clock.set(START.plus_seconds(55));
    let capture = CaptureHold {
        hold_id: id,
        amount: None,
        after: AfterCapture::End,
        note: Note::default(),
    };
    let (captured, _) = row(&wait(
        ledger.engine().submit(ask(Command::CaptureHold(capture))),
    ));
    assert_eq!(captured.balance_after, units(1));
    assert_eq!(ledger.state().check(), Ok(()));
}

#[test]
fn a_lot_may_be_made_changed_and_spent_in_one_batch() {
    let ledger = Ledger::with_balance(1);
    let asked = vec![ask(expiring(5, 50)), ask(debit(2)), ask(hold(1, 60))];
    let answers = wait(ledger.engine().submit_many(asked));
    let lot = row(&answers[0]).0.made_lot().expect("a lot");
    let asked = vec![
        ask(debit(1)),
        ask(never_expire(lot)),
        ask(debit(1)),
        ask(void(lot)),
    ];
    let answers = wait(ledger.engine().submit_many(asked));
    for answer in &answers {
        drop(row(answer));
    }
    let state = ledger.state();
    let lot = state.lot_of(lot).expect("the hold keeps it open");
    assert_eq!((lot.expires_at, lot.remaining), (None, units(1)));
    assert_eq!(state.check(), Ok(()));
    assert_eq!(
        state.next_due_at(),
        Some(START.plus_seconds(60)),
        "the hold's"
    );
}

#[test]
fn a_lot_that_is_spent_is_known_and_one_that_never_was_is_not() {
    let ledger = Ledger::with_balance(1);
    let (made, _) = row(&wait(ledger.engine().submit(ask(credit(5)))));
    let lot = made.made_lot().expect("a lot");
    let unknown = LotId::from_number(7);
    let asked = vec![ask(debit(6)), ask(void(lot)), ask(void(unknown))];
    let answers = wait(ledger.engine().submit_many(asked));
    let spent = Rejection::Conflict("nothing is left of the lot");
    assert_eq!(refusal(&answers[1]), spent, "in the same batch");
    assert_eq!(refusal(&answers[2]), Rejection::LotNotFound);
    let later = |lot| refusal(&wait(ledger.engine().submit(ask(never_expire(lot)))));
    assert_eq!(later(lot), spent);
    assert_eq!(later(unknown), Rejection::LotNotFound);
}

#[test]
fn r39_closing_is_one_commit_and_answers_again() {
    let durable = Durable::new();
    let kinds = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&kinds);
    let store = FaultyStore::new(
        &durable,
        move |batch| {
            let kinds: Vec<_> = batch.entries.iter().map(|row| row.event.kind).collect();
            seen.lock().expect("no panic").push(kinds);
            Fate::Written
        },
        |_| false,
    );
    let ledger = Ledger::over(&durable, store).fill(5);
    let given = Command::Credit(Credit::new(units(3), FundingType::Promotional));
    row(&wait(ledger.engine().submit(ask(given))));
    let closing = |mode| Submission {
        answer: Some(opening(1, Amount::ZERO).answer),
        mode,
        ..keyed(close(), 9)
    };
    let answer = |mode| match wait(ledger.engine().submit(closing(mode))) {
        Ok(Outcome::Answer { answer, replayed }) => (answer.body, replayed),
        other => panic!("{other:?}"),
    };
    let (dry, _) = answer(Mode::DryRun);
    assert_eq!(ledger.state().status, WalletStatus::Active);
    let (first, replayed) = answer(Mode::Commit);
    assert!(!replayed && first == dry);
    let last = kinds.lock().expect("no panic").last().cloned();
    let expected = vec![
        EntryKind::Withdrawn,
        EntryKind::Forfeited,
        EntryKind::Closed,
    ];
    assert_eq!(last, Some(expected));
    assert_eq!(
        answer(Mode::Commit),
        (first, true),
        "a closed wallet replays"
    );
    let state = durable.state(wallet(1));
    assert_eq!(
        (state.status, state.balance),
        (WalletStatus::Closed, Amount::ZERO)
    );
}

#[test]
fn r39_the_customer_may_open_another_wallet_in_the_batch_that_closes_the_first() {
    let ledger = Ledger::with_balance(5);
    let asked = Submission {
        answer: Some(opening(1, Amount::ZERO).answer),
        key: Some(key(9, 1)),
        ..ask(close())
    };
    let mut next = opening(1, Amount::ZERO);
    next.opened.wallet.id = wallet(2);
    let engine = ledger.engine();
    let (closed, opened) =
        wait(async { tokio::join!(engine.submit(asked), engine.open_wallet(next)) });
    closed.expect("closed");
    opened.expect("opened");
    assert_eq!(ledger.durable.state(wallet(2)).status, WalletStatus::Active);
}
