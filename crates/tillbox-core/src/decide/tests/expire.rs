use super::book::Book;
use super::*;
use crate::command::Credit;
use crate::entry::EntryKind;

/// Row, booked at, effective at: seconds after the start.
fn dated(book: &Book, from: usize) -> Vec<(String, i64, i64)> {
    let seconds = |instant: Timestamp| (instant.micros() - at(0).micros()) / 1_000_000;
    let rows = book.entries[from..].iter().zip(book.show_rows(from));
    rows.map(|(entry, row)| {
        let effective_at = entry.event.effective_at.expect("it fell due");
        (row, seconds(entry.at), seconds(effective_at))
    })
    .collect()
}

fn check_due(mut book: Book, expected: &[(&str, i64, i64)], state: &str) {
    let from = book.entries.len();
    book.book_due();
    let rows = dated(&book, from);
    let rows: Vec<_> = rows
        .iter()
        .map(|(row, booked, effective)| (row.as_str(), *booked, *effective))
        .collect();
    assert_eq!(rows, expected);
    assert_eq!(book.show(), state);
}

#[test]
fn r10_a_lot_expires_at_its_instant_with_its_unheld_remainder() {
    let book = || Book::after([cash_until(5, 50), debit(2), hold(1, 60)]);
    check_due(book().at(49), &[], "3 held 1 A3[1]");
    check_due(book().at(50), &[("-2: A-2", 50, 50)], "1 held 1 A1[1]");
    check_due(
        book().at(100),
        &[
            ("-2: A-2", 100, 50),
            ("0: A[-1] expired 0", 100, 60),
            ("-1: A-1", 100, 60),
        ],
        "0",
    );
}

#[test]
fn r10_what_is_due_is_booked_late_in_due_order_as_if_on_time() {
    let mut book = Book::after([cash_until(5, 50), cash_until(4, 40), hold(6, 45)]);
    book.ok(forced(5, None));
    assert_eq!(book.show(), "4 held 6 debt 2 B4[4] A2[2]");
    check_due(
        book.at(99),
        &[
            ("0: B[-4] A[-2] A-2>0 expired 0", 99, 45),
            ("-4: B-4", 99, 45),
        ],
        "0",
    );
}

#[test]
fn r10_a_hold_ends_before_a_lot_of_the_same_instant_and_its_value_pays_nothing_then() {
    let book = Book::after([cash_until(5, 50), hold(5, 50), forced(2, None)]);
    check_due(
        book.at(50),
        &[("0: A[-5] expired 0", 50, 50), ("-5: A-5", 50, 50)],
        "-2 debt 2",
    );
    let book = Book::after([cash_until(5, 50), hold(5, 49), forced(2, None)]);
    check_due(
        book.at(50),
        &[("0: A[-5] A-2>0 expired 0", 50, 49), ("-3: A-3", 50, 50)],
        "0",
    );
}

#[test]
fn r10_lots_and_holds_of_one_instant_come_in_draw_order_and_by_id() {
    let mut book = Book::after([cash_until(1, 50), cash_until(2, 50)]);
    book.ok(Command::Credit(Credit {
        expiry: Some(Expiry::At(at(50))),
        priority: 3,
        ..Credit::new(units(4), FundingType::Promotional)
    }));
    for _ in 0..2 {
        book.ok(hold(1, 50));
    }
    check_due(
        book.at(50),
        &[
            ("0: C[-1] expired 0", 50, 50),
            ("0: C[-1] expired 0", 50, 50),
            ("-4: C-4", 50, 50),
            ("-1: A-1", 50, 50),
            ("-2: B-2", 50, 50),
        ],
        "0",
    );
}

#[test]
fn r10_every_command_first_books_what_is_due() {
    let mut book = Book::after([cash_until(5, 50), cash(3)]).at(50);
    assert_eq!(book.run(debit(4)).map(|_| ()), Err(insufficient(4, 3)));
    assert_eq!(book.show(), "3 B3");
    let kinds: Vec<_> = book.entries.iter().map(|entry| entry.event.kind).collect();
    assert_eq!(
        kinds,
        [EntryKind::Credit, EntryKind::Credit, EntryKind::LotExpired]
    );
    let expired = book.entries.last().expect("a row");
    assert_eq!(expired.event.reason, Some(Reason::Expiry));
    assert_eq!(expired.seq, Some(3));
    assert_eq!(
        book.run(Command::BookDue).map(|_| ()),
        Err(Rejection::Conflict("nothing is left to book"))
    );
}

#[test]
fn r13_value_is_held_past_its_date_and_expires_when_it_is_freed() {
    let mut book = Book::after([cash_until(5, 50), hold(3, 80)]).at(60);
    let refused = book.run(debit(1)).map(|_| ());
    assert_eq!(
        refused,
        Err(insufficient_until(1, 0, 80)),
        "held value is not drawn"
    );
    assert_eq!(book.show(), "3 held 3 A3[3]");
    check_due(
        book.at(90),
        &[("0: A[-3] expired 0", 90, 80), ("-3: A-3", 90, 80)],
        "0",
    );
}

#[test]
fn a_lot_that_value_returns_to_falls_due_again() {
    let mut book = Book::after([cash_until(5, 50), debit(5)]);
    let spent = book.last_id();
    book.ok(refund(spent, Some(2)));
    assert_eq!(book.state.next_due_at(), Some(at(50)));
    assert_eq!(
        book.state.balances().expiring_next,
        Some((units(2), at(50)))
    );
    check_due(book.at(50), &[("-2: A-2", 50, 50)], "0");
}

#[test]
fn what_expires_next_is_all_unheld_value_of_that_instant() {
    let book = Book::after([
        cash_until(5, 50),
        cash_until(4, 50),
        cash_until(3, 60),
        hold(6, 20),
    ]);
    let next = book.state.balances().expiring_next;
    assert_eq!(next, Some((units(3), at(50))), "three of the second lot");
}

#[test]
fn l5_value_without_a_date_lives_as_long_as_the_settings_say() {
    let mut book = super::top_ups::limited(Book::new(), None);
    let days = [
        (FundingType::Cash, 1),
        (FundingType::Promotional, 2),
        (FundingType::CodeRedemption, 3),
        (FundingType::Refund, 4),
        (FundingType::ManualAdjustment, 5),
    ];
    book.policies.standard.expiry_days = days.into();
    for funding in FundingType::ALL {
        book.ok(Command::Credit(Credit::new(units(1), funding)));
    }
    book.ok(adjust(1));
    book.ok(super::top_ups::open(1, 50));
    book.ok(super::top_ups::settle(super::top_ups::id(1), 40));
    book.ok(cash_until(1, 50));
    let lived: Vec<_> = book
        .lots
        .values()
        .map(|lot| {
            lot.expires_at
                .map(|end| (end.micros() - at(0).micros()) / 1_000_000)
        })
        .collect();
    let days = [1, 2, 3, 4, 5, 5, 1, 2].map(|days| Some(days * DAY));
    assert_eq!(lived[..8], days);
    assert_eq!(lived[8], Some(50), "a date that is named holds");
}

#[test]
fn l5_a_setting_without_end_is_no_date() {
    let mut book = Book::new();
    book.policies.standard.expiry_days = [(FundingType::Cash, i64::MAX)].into();
    book.ok(cash(1));
    assert_eq!(book.state.next_due_at(), None);
}

#[test]
fn r10_what_is_due_reads_as_if_it_were_booked_however_much_it_is() {
    let mut book = Book::new();
    for place in 0..40 {
        book.ok(Command::Credit(Credit {
            priority: u8::try_from(place % 3).expect("small"),
            ..Credit::new(units(1), FundingType::Cash)
        }));
        book.ok(cash_until(1, 50 + place % 7));
    }
    book.ok(hold(60, 53));
    let book = book.at(55);
    let read = crate::decide::as_of(&book.state, book.now);
    let mut booked = book.clone();
    booked.book_due();
    assert_eq!(read.balances(), booked.state.balances());
    assert!(read.lots().eq(booked.state.lots()));
    assert_eq!(read.check(), Ok(()));
}
