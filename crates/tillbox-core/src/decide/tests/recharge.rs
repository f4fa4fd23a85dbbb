//! Auto-recharge behind other rows (R18–R23), and how it stands between them.

use super::book::Book;
use super::top_ups::{declined, id, limited, open, settle};
use super::*;
use crate::command::SetRecharge;
use crate::entry::EntryKind;
use crate::id::TopUpId;
use crate::recharge::{
    FailureClass, PauseReason, Recharge, RechargeSettings, RechargeState, Refill,
};
use crate::wallet::WalletStatus;

const HOUR: i64 = 3_600;

fn set(threshold: i64, refill: Refill, monthly_cap: Option<i64>) -> SetRecharge {
    SetRecharge {
        is_enabled: true,
        settings: RechargeSettings {
            threshold: units(threshold),
            refill,
            monthly_cap: monthly_cap.map(units),
        },
        method: None,
        backups: Vec::new(),
        has_method: true,
    }
}

pub(super) fn fixed(threshold: i64, amount: i64, cap: Option<i64>) -> Command {
    Command::SetRecharge(set(threshold, Refill::Fixed(units(amount)), cap))
}

/// A wallet with that balance, recharged by 20 below 20.
pub(super) fn recharged(balance: i64, cap: Option<i64>) -> Book {
    let mut book = limited(Book::after([cash(balance)]), None);
    book.ok(fixed(20, 20, cap));
    book
}

fn standing(book: &Book) -> &Recharge {
    book.state.recharge.as_deref().expect("it was set")
}

fn charge(book: &Book) -> Option<(TopUpId, Amount)> {
    let charge = standing(book).charge;
    charge.map(|charge| (charge.top_up_id, charge.amount))
}

fn fail(book: &mut Book, class: FailureClass) -> RechargeState {
    let (id, _) = charge(book).expect("a charge is under way");
    book.ok(declined(id, class));
    standing(book).state
}

#[test]
fn r20_refusals_in_precedence_order() {
    let book = || limited(Book::new(), None);
    let out_of_range = Rejection::AmountOutOfRange {
        minimum: Some(units(10)),
        maximum: Some(units(100)),
    };
    let no_card = Command::SetRecharge(SetRecharge {
        has_method: false,
        ..set(20, Refill::Fixed(units(1)), None)
    });
    let odd = Refill::Fixed(Amount::from_micros(10_000_001));
    check_refusals(vec![
        (
            "state",
            Book::with_status(WalletStatus::Closed),
            no_card.clone(),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        ("no card", book(), no_card, Rejection::PaymentMethodRequired),
        (
            "too small",
            book(),
            fixed(20, 9, None),
            out_of_range.clone(),
        ),
        ("too much", book(), fixed(20, 101, None), out_of_range),
        (
            "not in whole cents",
            book(),
            Command::SetRecharge(set(20, odd, None)),
            Rejection::NotWholeMinorUnits,
        ),
        (
            "a target below the threshold",
            book(),
            Command::SetRecharge(set(20, Refill::UpTo(units(19)), None)),
            Rejection::TargetBelowThreshold,
        ),
        (
            "off",
            book(),
            Command::ResumeRecharge,
            Rejection::Conflict("auto-recharge is off"),
        ),
        (
            "not paused",
            recharged(50, None),
            Command::ResumeRecharge,
            Rejection::Conflict("auto-recharge is not paused"),
        ),
    ]);
}

#[test]
fn r21_it_fires_in_the_commit_of_what_lowers_the_balance_one_at_a_time() {
    for (name, command) in [
        ("debit", debit(31)),
        ("hold", hold(31, 60)),
        ("adjustment", adjust(-31)),
        ("usage", super::usage::usage(31, None)),
    ] {
        let mut book = recharged(50, None);
        book.ok(command);
        let amount = charge(&book).map(|(_, amount)| amount);
        assert_eq!(amount, Some(units(20)), "{name}");
        let first = charge(&book);
        book.ok(debit(5));
        assert_eq!(charge(&book), first, "{name}: one at a time");
    }
    let mut book = recharged(50, None);
    book.ok(debit(30));
    assert_eq!(charge(&book), None, "strictly below");
}

#[test]
fn r21_it_fires_when_it_is_set_unfrozen_or_value_expires() {
    let mut book = limited(Book::after([cash_until(50, 60), cash(10)]), None);
    book.ok(fixed(20, 20, None));
    assert_eq!(charge(&book), None);
    book.ok(freeze());
    book.now = at(60);
    book.book_due();
    assert_eq!(charge(&book), None, "a frozen wallet is never recharged");
    book.ok(Command::Unfreeze);
    assert!(charge(&book).is_some());
    assert!(charge(&recharged(5, None)).is_some(), "on save");
}

#[test]
fn r22_back_off_then_pause_then_resume() {
    let mut book = recharged(5, None);
    let mut now = 0;
    for hours in [1, 3, 7] {
        let until = at(now + hours * HOUR);
        let state = fail(&mut book, FailureClass::Soft);
        assert_eq!(state, RechargeState::CoolingDown { until });
        book.now = Timestamp::from_micros(until.micros() - 1);
        book.ok(given(1));
        book.ok(debit(1));
        assert_eq!(charge(&book), None, "not before {hours} h are over");
        now += hours * HOUR;
        book.now = at(now);
        book.book_due();
        assert!(charge(&book).is_some(), "after {hours} h");
    }
    let paused = RechargeState::Paused(PauseReason::TooManyFailures);
    assert_eq!(fail(&mut book, FailureClass::Soft), paused);
    book.now = at(now + 1_000 * HOUR);
    book.ok(debit(1));
    assert_eq!(charge(&book), None);
    book.ok(Command::ResumeRecharge);
    assert_eq!(standing(&book).failures, 0);
    assert!(charge(&book).is_some());
}

#[test]
fn r22_hard_and_authentication_declines_pause_and_an_outage_counts_for_nothing() {
    for (class, reason) in [
        (FailureClass::Hard, PauseReason::HardDecline),
        (
            FailureClass::AuthenticationRequired,
            PauseReason::AuthenticationRequired,
        ),
    ] {
        let state = fail(&mut recharged(5, None), class);
        assert_eq!(state, RechargeState::Paused(reason));
    }
    let mut book = recharged(5, None);
    fail(&mut book, FailureClass::ProviderOutage);
    assert_eq!(standing(&book).failures, 0);
}

#[test]
fn a_failed_charge_lifts_no_pause() {
    for class in [FailureClass::Soft, FailureClass::ProviderOutage] {
        let mut book = recharged(5, None);
        book.ok(Command::PauseRecharge(PauseReason::ByHand));
        let state = fail(&mut book, class);
        assert_eq!(state, RechargeState::Paused(PauseReason::ByHand));
        assert_eq!(charge(&book), None);
    }
}

#[test]
fn r23_the_cap_is_never_passed_and_warned_of_at_80_90_and_100_percent() {
    let mut book = recharged(100, Some(100));
    for (debited, warned) in [(81, 0), (20, 0), (20, 0), (20, 80), (20, 100)] {
        book.ok(debit(debited));
        let (id, amount) = charge(&book).expect("a charge");
        assert_eq!(amount, units(20));
        assert_eq!(standing(&book).warned_percent, warned);
        book.ok(settle(id, 20));
    }
    let rows = book.entries.len();
    book.ok(debit(20));
    book.ok(debit(1));
    assert_eq!(charge(&book), None, "the cap is reached");
    let told = book.entries[rows..].iter();
    let told = told.filter(|row| row.event.kind == EntryKind::RechargeChanged);
    assert_eq!(told.count(), 1, "and told once");
    assert_eq!(standing(&book).month_charged, units(100));
    book.now = at(32 * 24 * HOUR);
    book.ok(debit(1));
    assert!(charge(&book).is_some(), "another month");
    assert_eq!(standing(&book).warned_percent, 0);
}

#[test]
fn r23_what_failed_counts_in_no_cap_until_it_succeeds_late() {
    let mut book = recharged(5, Some(40));
    let (first, _) = charge(&book).expect("a charge");
    fail(&mut book, FailureClass::Soft);
    assert_eq!(standing(&book).month_charged, Amount::ZERO);
    book.ok(settle(first, 20));
    assert_eq!(standing(&book).state, RechargeState::Armed);
    assert_eq!(standing(&book).month_charged, units(20));
    assert!(book.run(settle(id(9), 20)).is_err());
}

#[test]
fn money_that_comes_in_behind_a_back_off_forgets_the_failures_before_it() {
    let mut book = recharged(5, None);
    fail(&mut book, FailureClass::Soft);
    book.ok(cash(50));
    book.now = at(2 * HOUR);
    // Armed again by the clock, with enough left: nothing is charged, and the failure is remembered.
    book.ok(cash(1));
    assert_eq!(standing(&book).state, RechargeState::Armed);
    assert_eq!(standing(&book).failures, 1);
    book.ok(open(7, 20));
    book.ok(settle(id(7), 20));
    assert_eq!(standing(&book).failures, 0);
}
