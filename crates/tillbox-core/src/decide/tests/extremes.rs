//! The bounds of R4: refused before an operator of [`Amount`] would stop the process.

use super::book::Book;
use super::*;
use crate::command::Credit;

const MOST: i64 = 1_000_000_000_000;

fn room(maximum: i64) -> Rejection {
    Rejection::AmountOutOfRange {
        minimum: None,
        maximum: Some(units(maximum)),
    }
}

fn richest() -> Book {
    Book::after((0..9).map(|_| cash(MOST)))
}

fn poorest() -> Book {
    Book::after((0..9).map(|_| forced(MOST, None)))
}

#[test]
fn r4_a_balance_is_at_most_nine_times_the_largest_amount() {
    let mut book = richest();
    assert_eq!(book.state.balance, Amount::MAX_BALANCE);
    for command in [cash(1), given(MOST), adjust(1)] {
        assert_eq!(book.run(command).map(|_| ()), Err(room(0)));
    }
    book.ok(debit(3));
    assert_eq!(book.run(cash(4)).map(|_| ()), Err(room(3)));
    book.ok(cash(3));
    book.ok(hold(MOST, 60));
    let id = book.last_hold();
    book.ok(capture(id, None, AfterCapture::End));
}

#[test]
fn r4_a_refund_that_would_pass_the_largest_balance_is_refused() {
    let mut book = richest();
    let spent = book.ok(debit(MOST)).id;
    book.ok(cash(MOST - 2));
    assert_eq!(book.run(refund(spent, None)).map(|_| ()), Err(room(2)));
    book.ok(refund(spent, Some(2)));
    assert_eq!(book.run(refund(spent, Some(1))).map(|_| ()), Err(room(0)));
}

#[test]
fn r4_the_overdraft_limit_counts_in_what_is_available() {
    let mut book = richest();
    assert_eq!(book.run(limit(1)).map(|_| ()), Err(room(0)));
    book.ok(debit(MOST));
    book.ok(limit(MOST));
    assert_eq!(book.state.available(), Amount::MAX_BALANCE);
    assert_eq!(book.run(cash(1)).map(|_| ()), Err(room(0)));
    for _ in 0..9 {
        book.ok(hold(MOST, 60));
    }
    assert_eq!(book.state.held, Amount::MAX_BALANCE);
    assert_eq!(book.state.available(), Amount::ZERO);
    for _ in 0..8 {
        book.ok(forced(MOST, None));
    }
    assert_eq!(book.run(forced(MOST, None)).map(|_| ()), Err(room(0)));
}

#[test]
fn r4_a_debt_is_at_most_nine_times_the_largest_amount() {
    let mut book = poorest();
    assert_eq!(book.state.balance, -Amount::MAX_BALANCE);
    assert_eq!(book.run(forced(1, None)).map(|_| ()), Err(room(0)));
    assert_eq!(
        book.run(forced(1, Some(MOST))).map(|_| ()),
        Err(room(0)),
        "limits go before funds"
    );
    book.ok(limit(MOST));
    assert_eq!(book.run(debit(1)).map(|_| ()), Err(room(0)));
    assert_eq!(book.run(hold(1, 60)).map(|_| ()), Err(room(0)));
    assert!(matches!(
        book.run(adjust(-MOST)),
        Err(Rejection::InsufficientFunds { .. })
    ));
    book.ok(Command::Credit(Credit {
        maximum_balance: Some(Amount::MAX_SINGLE),
        ..Credit::new(Amount::MAX_SINGLE, FundingType::Cash)
    }));
    for _ in 0..9 {
        book.ok(cash(MOST));
    }
    assert_eq!(book.state.balance, units(MOST));
}

/// What a hold reserves on the overdraft counts as debt to come, so that no capture is refused for its room.
#[test]
fn r4_overdraft_that_holds_reserve_is_kept_free_below() {
    let mut book = Book::after([limit(MOST), hold(MOST, 60)]);
    let id = book.last_hold();
    for _ in 0..8 {
        book.ok(forced(MOST, None));
    }
    assert_eq!(book.run(forced(1, None)).map(|_| ()), Err(room(0)));
    book.ok(capture(id, None, AfterCapture::End));
    assert_eq!(book.state.balance, -Amount::MAX_BALANCE);
}

#[test]
fn r4_force_with_a_floor_on_the_richest_wallet() {
    let mut book = richest();
    book.ok(forced(MOST, Some(MOST)));
    assert_eq!(book.state.balance, units(8 * MOST));
}

#[test]
fn r4_a_single_amount_is_at_most_the_largest() {
    let book = Book::after([limit(5), cash(5)]);
    for amount in [
        Amount::MAX_SINGLE + Amount::from_micros(1),
        Amount::from_micros(i64::MAX),
    ] {
        for command in [
            Command::Credit(Credit::new(amount, FundingType::Cash)),
            Command::Debit(crate::command::Debit {
                amount,
                reason: Reason::Usage,
                force: Some(Force { floor: None }),
                note: Note::default(),
            }),
            Command::Adjust(Adjust {
                amount,
                note: Note::default(),
            }),
            Command::Adjust(Adjust {
                amount: -amount,
                note: Note::default(),
            }),
            Command::PlaceHold(PlaceHold {
                amount,
                expiry: Expiry::InSeconds(60),
                invoice_id: None,
                note: Note::default(),
            }),
            Command::SetOverdraftLimit(amount),
        ] {
            let outcome = book.clone().run(command.clone()).map(|_| ());
            assert_eq!(outcome, Err(room(MOST)), "{command:?}");
        }
    }
}
