//! The checker checked: each invariant is broken by hand, alone, and must be named.

use super::book::Book;
use super::*;
use crate::debt::Debt;
use crate::wallet::WalletState;

fn one(micros: i64) -> Amount {
    Amount::from_micros(micros)
}

/// B3[3] A5[2], and of the holds 5 and 7 the second reserves 4 on the overdraft beside A's other 3.
fn book() -> Book {
    Book::after([limit(10), cash(5), given(3), hold(5, 60), hold(7, 60)])
}

type Break = fn(&mut WalletState);

#[test]
fn each_broken_invariant_is_named() {
    let breaks: [(&str, Break); 9] = [
        ("balance = Σ remaining of lots − debt", |state| {
            state.balance += one(1);
        }),
        ("held = Σ remaining of open holds", |state| {
            state.held += one(1);
        }),
        ("held overdraft = Σ overdraft part of holds", |state| {
            state.held_overdraft += one(1);
        }),
        (
            "Σ holds = Σ held of lots + Σ overdraft part of holds",
            |state| state.lots[0].held -= one(1),
        ),
        ("held of a lot = Σ parts of holds on it", |state| {
            state.lots[0].held -= one(1);
            state.lots[1].held += one(1);
        }),
        (
            "remaining of a hold = Σ its parts + its overdraft part",
            |state| {
                let mut holds = state.holds.values_mut();
                holds.next().expect("the first").overdraft += one(1);
                holds.next().expect("the second").overdraft -= one(1);
            },
        ),
        (
            "0 ≤ held ≤ remaining ≤ amount of each lot, and something remains",
            |state| state.lots[0].amount -= one(1),
        ),
        ("debt is never negative", |state| {
            state.debt = Debt::restore(one(1), one(0), Vec::new());
            state.balance += one(1);
        }),
        ("lots stand in draw order", |state| state.lots.swap(0, 1)),
    ];
    for (name, break_it) in breaks {
        let mut state = book().state;
        assert_eq!(state.check(), Ok(()));
        break_it(&mut state);
        assert_eq!(state.check(), Err(name));
    }
}

#[test]
fn r6_unheld_value_beside_debt_is_named_unless_it_is_past_its_date() {
    let mut state = Book::after([cash_until(5, 50)]).state;
    state.debt = Debt::restore(one(0), one(1), Vec::new());
    state.balance -= one(1);
    state.last_effective_at = at(49);
    assert_eq!(state.check(), Err("debt > 0 ⇒ no unheld value"));
    state.last_effective_at = at(50);
    assert_eq!(state.check(), Ok(()));
}

/// Applies the last row of the book again, changed, to the state before it.
fn apply_forged(mut book: Book, forge: fn(&mut crate::entry::Event)) {
    let before = Book::after([limit(10), cash(5), given(3)]).state;
    let mut entry = book.entries.remove(3);
    forge(&mut entry.event);
    before.clone().apply(&entry);
}

#[test]
#[should_panic(expected = "a hold reserves what remains of it")]
fn a_hold_that_reserves_too_little_stops_the_process() {
    apply_forged(book(), |event| {
        event.hold.as_mut().expect("a hold").amount += one(1);
    });
}

#[test]
#[should_panic(expected = "a lot left its bounds")]
fn a_lot_that_is_held_beyond_what_remains_stops_the_process() {
    apply_forged(book(), |event| event.parts[0].held += one(1));
}

#[test]
#[should_panic(expected = "the row carries the balance after it")]
fn a_row_with_another_balance_stops_the_process() {
    apply_forged(book(), |event| event.amount += one(1));
}
