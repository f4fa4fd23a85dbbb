//! Opening, settling and ending top-ups (R24, R26).

use super::book::Book;
use super::*;
use crate::command::{EndTopUp, OpenTopUp, SettleTopUp, TopUpEnd};
use crate::entry::EntryKind;
use crate::id::{PaymentMethodId, TopUpId};
use crate::policy::{Policies, Policy};
use crate::recharge::{FailureClass, TopUpLimits};
use crate::top_up::{Channel, TopUpStatus};
use crate::wallet::WalletStatus;

pub(super) fn id(number: i64) -> TopUpId {
    TopUpId::from_number(number)
}

/// Ten to a hundred units a charge, and at most so many on the wallet.
pub(super) fn limited(book: Book, balance: Option<i64>) -> Book {
    let limits = TopUpLimits {
        minimum: units(10),
        maximum: Some(units(100)),
        maximum_balance: balance.map(units),
    };
    let standard = Policy {
        top_up_limits: limits,
        ..Policy::default()
    };
    let policies = Policies {
        standard,
        ..Policies::default()
    };
    let mut book = book;
    book.policies = policies;
    book
}

fn opening(number: i64, amount: Amount) -> OpenTopUp {
    OpenTopUp {
        id: id(number),
        amount,
        reason: Reason::TopUp,
        channel: Channel::Saved,
        method: Some(PaymentMethodId::from_number(1)),
        note: Note::default(),
    }
}

pub(super) fn open(number: i64, amount: i64) -> Command {
    Command::OpenTopUp(opening(number, units(amount)))
}

/// The same on a page of the provider's, where it waits for the customer.
pub(super) fn channeled(number: i64, amount: i64, channel: Channel) -> Command {
    Command::OpenTopUp(OpenTopUp {
        channel,
        method: None,
        ..opening(number, units(amount))
    })
}

fn activation(number: i64, amount: i64) -> Command {
    Command::OpenTopUp(OpenTopUp {
        reason: Reason::Activation,
        ..opening(number, units(amount))
    })
}

pub(super) fn settle(top_up_id: TopUpId, charged: i64) -> Command {
    Command::SettleTopUp(SettleTopUp {
        top_up_id,
        charged: units(charged),
        payment_id: "pay".into(),
        record: None,
        note: Note::default(),
    })
}

pub(super) fn declined(top_up_id: TopUpId, class: FailureClass) -> Command {
    let code = "declined".into();
    ended(top_up_id, TopUpEnd::Failed { code, class })
}

fn ended(top_up_id: TopUpId, end: TopUpEnd) -> Command {
    Command::EndTopUp(EndTopUp {
        top_up_id,
        end,
        payment_id: None,
        record: None,
    })
}

fn out_of_range(maximum: i64) -> Rejection {
    Rejection::AmountOutOfRange {
        minimum: Some(units(10)),
        maximum: Some(units(maximum)),
    }
}

#[test]
fn refusals_in_precedence_order() {
    let book = || limited(Book::new(), None);
    let no_card = |amount| {
        Command::OpenTopUp(OpenTopUp {
            method: None,
            ..opening(1, amount)
        })
    };
    check_refusals(vec![
        (
            "state: a closed wallet, though there is no card",
            Book::with_status(WalletStatus::Closed),
            no_card(units(1)),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        (
            "r40: a wallet that waits for its activation",
            Book::with_status(WalletStatus::PendingActivation),
            open(1, 20),
            Rejection::WalletNotActive(WalletStatus::PendingActivation),
        ),
        (
            "state: no card, though the amount is too small",
            book(),
            no_card(units(1)),
            Rejection::PaymentMethodRequired,
        ),
        (
            "limit: too small, though not in whole cents",
            book(),
            Command::OpenTopUp(opening(1, Amount::from_micros(9_999_999))),
            out_of_range(100),
        ),
        ("limit: too much", book(), open(1, 101), out_of_range(100)),
        (
            "limit: what no card can be charged",
            book(),
            Command::OpenTopUp(opening(1, Amount::from_micros(10_000_001))),
            Rejection::NotWholeMinorUnits,
        ),
        (
            "r49: too many lots",
            limited(super::credit::full_of_lots(), None),
            open(1, 20),
            Rejection::TooMany("lots"),
        ),
    ]);
}

#[test]
fn r24_limits_are_checked_when_it_is_opened_and_never_when_it_settles() {
    let mut book = limited(Book::after([cash(50)]), Some(90));
    check(
        &mut book,
        &[
            ("above the room", open(1, 41), Err(out_of_range(40))),
            ("all of the room", open(1, 40), Ok(("0", "50 A50"))),
            (
                "what is under way counts",
                open(2, 10),
                Err(out_of_range(0)),
            ),
            (
                "a credit besides",
                cash(50),
                Ok(("50: B+50", "100 A50 B50")),
            ),
            ("frozen", freeze(), Ok(("0", "100 A50 B50"))),
            (
                "it settles all the same",
                settle(id(1), 40),
                Ok(("40: C+40", "140 A50 B50 C40")),
            ),
        ],
    );
}

#[test]
fn r24_an_activation_is_exempt_from_minimum_and_maximum_and_activates_once() {
    for amount in [1, 500] {
        let mut book = limited(Book::with_status(WalletStatus::PendingActivation), None);
        book.ok(activation(1, amount));
        let again = book.run(activation(2, amount)).map(|_| ());
        let under_way = Rejection::Conflict("an activation is under way");
        assert_eq!(again, Err(under_way.clone()));
        assert_eq!(book.run(Command::Activate).map(|_| ()), Err(under_way));
        assert_eq!(book.state.status, WalletStatus::PendingActivation);
        book.ok(settle(id(1), amount));
        assert_eq!(book.state.status, WalletStatus::Active);
    }
    let mut book = Book::with_status(WalletStatus::PendingActivation);
    book.ok(Command::Activate);
    assert_eq!(book.state.status, WalletStatus::Active);
    let again = book.run(Command::Activate).map(|_| ());
    assert_eq!(again, Err(Rejection::WalletNotActive(WalletStatus::Active)));
}

#[test]
fn r26_what_was_charged_is_cash_and_the_discount_a_lot_of_its_own() {
    for (charged, rows) in [
        (20, vec!["0", "20: A+20"]),
        (15, vec!["0", "15: A+15", "5: B+5"]),
        (0, vec!["0", "20: A+20"]),
    ] {
        let mut book = Book::after([open(1, 20), settle(id(1), charged)]);
        assert_eq!(book.show_rows(0), rows);
        let cash = book
            .state
            .lots()
            .filter(|lot| lot.funding == FundingType::Cash);
        assert_eq!(cash.map(|lot| lot.amount).sum::<Amount>(), units(charged));
        let given = book
            .state
            .lots()
            .filter(|lot| lot.funding == FundingType::Promotional);
        assert_eq!(
            given.map(|lot| lot.amount).sum::<Amount>(),
            units(20 - charged)
        );
        let again = book.run(settle(id(1), charged)).map(|_| ());
        assert_eq!(again, Err(Rejection::TopUpNotOpen(TopUpStatus::Succeeded)));
    }
    let mut book = Book::after([open(1, 20)]);
    let other = Rejection::Conflict("the payment is not of the top-up's amount");
    assert_eq!(book.run(settle(id(1), 21)).map(|_| ()), Err(other));
    let unknown = book.run(settle(id(2), 20)).map(|_| ());
    assert_eq!(unknown, Err(Rejection::TopUpNotFound));
}

#[test]
fn a_discount_pays_debt_too() {
    let mut book = Book::after([open(1, 20), forced(18, None), settle(id(1), 15)]);
    assert_eq!(book.show_rows(2), ["15: A+15 A-15>0", "5: B+5 B-3>15"]);
    assert_eq!(book.show(), "2 B2");
    book.ok(debit(2));
}

#[test]
fn a_success_after_a_failure_or_a_cancellation_is_credited_once() {
    let failed = declined(id(1), FailureClass::Soft);
    for (end, status) in [
        (failed.clone(), TopUpStatus::Failed),
        (ended(id(1), TopUpEnd::Canceled), TopUpStatus::Canceled),
    ] {
        let mut book = Book::after([open(1, 20), end]);
        assert_eq!(book.state.pending_top_ups, Amount::ZERO);
        let again = book.run(failed.clone()).map(|_| ());
        assert_eq!(again, Err(Rejection::TopUpNotOpen(status)));
        book.ok(settle(id(1), 20));
        assert!(book.run(settle(id(1), 20)).is_err());
        let credits = book
            .entries
            .iter()
            .filter(|row| row.event.kind == EntryKind::Credit);
        assert_eq!((credits.count(), book.state.balance), (1, units(20)));
    }
}

#[test]
fn r18_a_page_that_waits_takes_no_room_of_the_highest_balance_and_a_charge_does() {
    let page = |number, amount| {
        Command::OpenTopUp(OpenTopUp {
            channel: Channel::Checkout,
            method: None,
            ..opening(number, units(amount))
        })
    };
    let mut book = limited(Book::new(), Some(100));
    book.ok(page(1, 90));
    book.ok(open(2, 90));
    assert_eq!(book.run(open(3, 11)).map(|_| ()), Err(out_of_range(10)));
    book.ok(settle(id(2), 90));
    // What was opened within the limits is never refused when it comes in.
    book.ok(settle(id(1), 90));
    assert_eq!(book.state.balance, units(180));
}

#[test]
fn r24_an_activation_keeps_to_the_highest_balance() {
    let waiting = || {
        limited(
            Book::with_status(WalletStatus::PendingActivation),
            Some(100),
        )
    };
    let refused = Rejection::AmountOutOfRange {
        minimum: None,
        maximum: Some(units(100)),
    };
    assert_eq!(waiting().run(activation(1, 101)).map(|_| ()), Err(refused));
    waiting().ok(activation(1, 100));
}
