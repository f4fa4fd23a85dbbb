//! What payments that go back come to in the books: what is money, and what never was (R27, R28).

use super::book::Book;
use super::dispute::dispute;
use super::refund_top_up::{failed, paid, refund_all, refund_of, succeeded};
use super::*;
use crate::entry::Entry;
use crate::journal::postings;
use crate::payback::DisputeStatus::{Lost, Won};
use std::collections::BTreeMap;

/// The balances of all accounts that are not zero, debits above it, in units; they come to zero.
fn accounts(book: &Book) -> Vec<(&'static str, i64)> {
    let reason_of = |id: EntryId| {
        let row = book.entries.iter().find(|row| row.id == id);
        row.and_then(|row| row.event.reason)
    };
    let mut balances: BTreeMap<_, i64> = BTreeMap::new();
    for row in &book.entries {
        for posting in postings(&row.event, row.event.refund_of.and_then(reason_of)) {
            let units = posting.amount.micros() / 1_000_000;
            *balances.entry(posting.debit).or_default() += units;
            *balances.entry(posting.credit).or_default() -= units;
        }
    }
    assert_eq!(balances.values().sum::<i64>(), 0, "the trial balance");
    let balances = balances.into_iter();
    balances
        .filter(|(_, balance)| *balance != 0)
        .map(|(account, balance)| (account.name(), balance))
        .collect()
}

/// The pairs of the last row, in units.
fn last(book: &Book) -> Vec<String> {
    let row: &Entry = book.entries.last().expect("a row");
    let show = |posting: &crate::journal::Posting| {
        let (debit, credit) = (posting.debit.name(), posting.credit.name());
        format!("{debit} > {credit} {}", posting.amount.micros() / 1_000_000)
    };
    postings(&row.event, None).iter().map(show).collect()
}

#[test]
fn r27_a_bonus_that_was_spent_and_is_made_good_from_cash_is_no_payout() {
    let mut book = paid(100, 10);
    book.ok(debit(30));
    let before = [
        ("payment_clearing", 100),
        ("liability_cash", -80),
        ("revenue", -30),
        ("promotional_expense", 10),
    ];
    assert_eq!(accounts(&book), before);
    // 70 go to the card; 7 of the cash are for the bonus that is not earned any more: 30 that stay have earned 3.
    let id = book.ok(refund_all()).id;
    let pairs = [
        "liability_cash > payouts 70",
        "liability_cash > promotional_expense 7",
    ];
    assert_eq!(last(&book), pairs);
    let refunded = [
        ("payment_clearing", 100),
        ("liability_cash", -3),
        ("payouts", -70),
        ("revenue", -30),
        ("promotional_expense", 3),
    ];
    assert_eq!(accounts(&book), refunded);
    book.ok(succeeded(id));
    assert_eq!(accounts(&book), refunded);
    book.ok(failed(id));
    assert_eq!(accounts(&book), before);

    // A part of it, from the bonus lot as far as that goes: 5 of 10 are left of it, 6 are not earned any more.
    let mut book = paid(100, 10);
    book.ok(debit(5));
    book.ok(refund_of(60));
    let pairs = [
        "liability_promotional > promotional_expense 5",
        "liability_cash > payouts 60",
        "liability_cash > promotional_expense 1",
    ];
    assert_eq!(last(&book), pairs);
}

#[test]
fn r28_a_lost_dispute_costs_what_was_charged_wherever_it_is_taken_from() {
    let mut book = paid(100, 10);
    book.ok(debit(30));
    book.ok(dispute(Lost));
    let pairs = [
        "liability_cash > payment_clearing 70",
        "liability_cash > promotional_expense 10",
        "receivable > payment_clearing 30",
    ];
    assert_eq!(last(&book), pairs);
    assert_eq!(accounts(&book), [("receivable", 30), ("revenue", -30)]);
    book.ok(dispute(Won));
    let won = [
        ("payment_clearing", 100),
        ("liability_cash", -80),
        ("revenue", -30),
        ("promotional_expense", 10),
    ];
    assert_eq!(accounts(&book), won);

    // Other value that was given: the bank has taken money all the same.
    let mut book = paid(100, 0);
    book.ok(debit(100));
    book.ok(given(40));
    book.ok(dispute(Lost));
    let pairs = [
        "liability_promotional > payment_clearing 40",
        "receivable > payment_clearing 60",
    ];
    assert_eq!(last(&book), pairs);
    let lost = [
        ("receivable", 60),
        ("revenue", -100),
        ("promotional_expense", 40),
    ];
    assert_eq!(accounts(&book), lost);
}

#[test]
fn r28_the_books_are_the_same_whichever_way_a_payment_goes_back() {
    let orders: [&dyn Fn(&mut Book); 4] = [
        &|book| {
            book.ok(dispute(Lost));
        },
        &|book| {
            let id = book.ok(refund_of(60)).id;
            book.ok(dispute(Lost));
            book.ok(failed(id));
        },
        &|book| {
            let id = book.ok(refund_of(60)).id;
            book.ok(failed(id));
            book.ok(dispute(Lost));
        },
        &|book| {
            book.ok(dispute(Lost));
            while book.run(dispute(Won)).is_ok() {}
            book.ok(refund_all());
        },
    ];
    for (number, order) in orders.into_iter().enumerate() {
        let mut book = paid(100, 10);
        order(&mut book);
        // All of the charge has gone back, and nothing of the gift was used.
        let gone = if number == 3 {
            vec![("payment_clearing", 100), ("payouts", -100)]
        } else {
            Vec::new()
        };
        assert_eq!(accounts(&book), gone, "order {number}");
        assert_eq!(book.show(), "0");
    }
}
