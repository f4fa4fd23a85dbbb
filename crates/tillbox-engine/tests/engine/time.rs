//! Time is given in the lane (R46), and what is due at that time is booked first, in the same commit (R10).

use crate::client::{
    MERCHANT, START, ask, credit, debit, forced, refusal, row, units, wait, wallet,
};
use crate::faulty::{Durable, Fate, FaultyStore};
use crate::ledger::{Ledger, hold, refund};
use std::sync::{Arc, Mutex};
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Credit, Expiry};
use tillbox_core::entry::EntryKind;
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::HoldId;
use tillbox_core::lot::FundingType;
use tillbox_core::rejection::Rejection;
use tillbox_engine::clock::MerchantClock;
use tillbox_engine::work::{Mode, Outcome, Submission};

fn expiring(amount: i64, seconds: i64) -> Command {
    Command::Credit(Credit {
        expiry: Some(Expiry::InSeconds(seconds)),
        ..Credit::new(units(amount), FundingType::Promotional)
    })
}

#[test]
fn r46_time_never_goes_back_for_a_wallet() {
    let ledger = Ledger::with_balance(20);
    ledger.clock.set(START.plus_seconds(100));
    let (first, _) = row(&wait(ledger.engine().submit(ask(debit(1)))));
    ledger.clock.set(START.plus_seconds(40));
    let (second, _) = row(&wait(ledger.engine().submit(ask(debit(1)))));
    assert_eq!((first.at, second.at), (START.plus_seconds(100), first.at));
    assert!(second.id > first.id, "ids rise all the same");
    let seen = wait(ledger.read(|_, now| now)).expect("a read");
    assert_eq!(seen, first.at);
}

#[test]
fn r46_a_merchants_clock_runs_ahead_and_an_instant_given_overrides_it() {
    let ledger = Ledger::with_balance(20);
    let ahead = MerchantClock::ahead_by(60_000_000);
    let of_merchant = |at| Submission {
        clock: ahead.clone(),
        at,
        ..ask(debit(1))
    };
    let at = |submission| row(&wait(ledger.engine().submit(submission))).0.at;
    assert_eq!(
        at(of_merchant(Some(START.plus_seconds(30)))),
        START.plus_seconds(30)
    );
    assert_eq!(at(of_merchant(None)), START.plus_seconds(60));
    let earlier = of_merchant(Some(START.plus_seconds(45)));
    assert_eq!(
        at(earlier),
        START.plus_seconds(60),
        "not behind its last row"
    );
    ahead.set_offset_us(90_000_000);
    assert_eq!(at(of_merchant(None)), START.plus_seconds(90));
}

#[test]
fn r10_what_is_due_is_booked_first_in_the_same_commit() {
    use EntryKind::{Debit, HoldExpired, LotExpired};
    let durable = Durable::new();
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sizes);
    let store = FaultyStore::new(
        &durable,
        move |batch| {
            seen.lock().expect("no panic").push(batch.entries.len());
            Fate::Written
        },
        |_| false,
    );
    let ledger = Ledger::over(&durable, store).fill(10);
    row(&wait(ledger.engine().submit(ask(expiring(5, 50)))));
    row(&wait(ledger.engine().submit(ask(expiring(7, 30)))));
    row(&wait(ledger.engine().submit(ask(hold(9, 40)))));
    ledger.clock.set(START.plus_seconds(50));
    let seen = wait(ledger.read(|state, _| (state.balance, state.held, state.version)));
    assert_eq!(
        seen.expect("a read"),
        (units(10), Amount::ZERO, 7),
        "reads see it as booked"
    );
    assert_eq!(ledger.state().version, 4, "and book nothing");
    row(&wait(ledger.engine().submit(ask(debit(10)))));
    let rows: Vec<_> = durable.look().entries_of(wallet(1)).cloned().collect();
    // The hold took all of the first to expire, and two of the other.
    let kinds: Vec<_> = rows[4..].iter().map(|row| row.event.kind).collect();
    assert_eq!(kinds, [HoldExpired, LotExpired, LotExpired, Debit]);
    let amounts: Vec<_> = rows[4..].iter().map(|row| row.event.amount).collect();
    assert_eq!(amounts, [Amount::ZERO, units(-7), units(-5), units(-10)]);
    assert_eq!(rows[4].event.effective_at, Some(START.plus_seconds(40)));
    assert!(rows[4..].iter().all(|row| row.at == START.plus_seconds(50)));
    assert_eq!(
        sizes.lock().expect("no panic").last(),
        Some(&4),
        "one commit"
    );
}

#[test]
fn r10_what_is_due_is_booked_beside_a_refusal_and_not_by_a_dry_run() {
    let ledger = Ledger::with_balance(10);
    row(&wait(ledger.engine().submit(ask(expiring(5, 50)))));
    ledger.clock.set(START.plus_seconds(60));
    let dry = Submission {
        mode: Mode::DryRun,
        ..ask(debit(11))
    };
    let short = |answer| matches!(refusal(&answer), Rejection::InsufficientFunds { .. });
    assert!(short(wait(ledger.engine().submit(dry))));
    assert_eq!(ledger.state().version, 2);
    assert!(short(wait(ledger.engine().submit(ask(debit(11))))));
    assert_eq!(
        (ledger.state().version, ledger.state().balance),
        (3, units(10))
    );
}

#[test]
fn r10_a_sweep_books_what_is_due_and_says_when_nothing_is() {
    let ledger = Ledger::with_balance(10);
    row(&wait(ledger.engine().submit(ask(expiring(5, 50)))));
    let sweep = || wait(ledger.engine().submit(ask(Command::BookDue)));
    assert!(matches!(sweep(), Ok(Outcome::NothingDue)));
    ledger.clock.set(START.plus_seconds(50));
    assert_eq!(row(&sweep()).0.event.kind, EntryKind::LotExpired);
    assert!(matches!(sweep(), Ok(Outcome::NothingDue)));
}

#[test]
fn r15_a_hold_past_its_end_is_expired_for_every_command() {
    let ledger = Ledger::with_balance(10);
    let (held, _) = row(&wait(ledger.engine().submit(ask(hold(4, 50)))));
    let hold_id = HoldId::from_number(held.id.number());
    ledger.clock.set(START.plus_seconds(50));
    let release = |mode| Submission {
        mode,
        ..ask(Command::ReleaseHold { hold_id })
    };
    for mode in [Mode::DryRun, Mode::Commit, Mode::Commit] {
        let answer = wait(ledger.engine().submit(release(mode)));
        assert_eq!(
            refusal(&answer),
            Rejection::HoldNotOpen(HoldStatus::Expired)
        );
    }
    let never = Command::ReleaseHold {
        hold_id: HoldId::from_number(5),
    };
    let answer = wait(ledger.engine().submit(ask(never)));
    assert_eq!(refusal(&answer), Rejection::HoldNotFound);
}

#[test]
fn a_refund_sees_debt_that_a_due_hold_has_just_paid() {
    let ledger = Ledger::with_balance(10);
    row(&wait(ledger.engine().submit(ask(hold(10, 50)))));
    let (debited, _) = row(&wait(ledger.engine().submit(ask(forced(15)))));
    ledger.clock.set(START.plus_seconds(50));
    // The hold gives back 10, which pay 10 of 15: 12 are 10 to the lot, which pays the rest, and 2 canceled.
    let wanted = |mode| Submission {
        mode,
        ..ask(refund(debited.id, Some(12)))
    };
    let (dry, _) = row(&wait(ledger.engine().submit(wanted(Mode::DryRun))));
    assert_eq!(dry.balance_after, units(7));
    let (refunded, _) = row(&wait(ledger.engine().submit(wanted(Mode::Commit))));
    assert_eq!(refunded.balance_after, units(7));
    let state = ledger.state();
    assert_eq!(
        (state.debt.total(), state.unheld()),
        (Amount::ZERO, units(7))
    );
    assert_eq!(state.check(), Ok(()));
    let lots: Vec<_> = state
        .lots()
        .map(|lot| (lot.amount, lot.remaining))
        .collect();
    assert_eq!(lots, [(units(10), units(7))]);
}

#[test]
fn a_read_by_a_merchants_clock_sees_what_is_due_there() {
    let ledger = Ledger::with_balance(10);
    row(&wait(ledger.engine().submit(ask(expiring(5, 50)))));
    row(&wait(ledger.engine().submit(ask(credit(1)))));
    let engine = ledger.engine();
    let balance_at = |clock| {
        let read = engine.read(MERCHANT, wallet(1), clock, |state, _| state.balance);
        wait(read).expect("a read")
    };
    assert_eq!(balance_at(MerchantClock::default()), units(16));
    assert_eq!(balance_at(MerchantClock::ahead_by(50_000_000)), units(11));
}

#[test]
fn b14_what_has_expired_is_not_spent_though_no_sweep_came_by() {
    let ledger = Ledger::with_balance(1);
    row(&wait(ledger.engine().submit(ask(expiring(5, 60)))));
    ledger.clock.set(START.plus_seconds(60));
    let refused = refusal(&wait(ledger.engine().submit(ask(debit(2)))));
    assert!(
        matches!(refused, Rejection::InsufficientFunds { available, .. } if available == units(1))
    );
    row(&wait(ledger.engine().submit(ask(debit(1)))));
    assert_eq!(ledger.state().balance, units(0));
    ledger.end();
}
