use super::book::Book;
use super::*;
use crate::wallet::WalletStatus;

#[test]
fn refusals_in_precedence_order() {
    let unknown = HoldId::from_number(1);
    let open = || Book::after([cash(5), hold(2, 60)]);
    let id = open().last_hold();
    let all = |id| capture(id, Some(3), AfterCapture::End);
    check_refusals(vec![
        (
            "no such open hold, though the wallet is pending too",
            Book::with_status(WalletStatus::PendingActivation),
            all(unknown),
            Rejection::HoldUnknown(unknown),
        ),
        (
            "state: closed, though it is more than the hold",
            {
                let mut book = open();
                book.state.status = WalletStatus::Closed;
                book
            },
            all(id),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        (
            "r14: nothing",
            open(),
            capture(id, Some(0), AfterCapture::End),
            Rejection::AmountOutOfRange {
                minimum: Some(Amount::from_micros(1)),
                maximum: Some(units(2)),
            },
        ),
        (
            "r14: more than the hold",
            open(),
            all(id),
            Rejection::CaptureExceedsHold {
                remaining: units(2),
            },
        ),
    ]);
}

#[test]
fn r14_a_final_capture_spends_a_part_and_returns_the_rest() {
    let mut book = Book::after([cash(5), given(3), hold(6, 60)]);
    let id = book.last_hold();
    check(
        &mut book,
        &[
            (
                "in the order in which it was reserved",
                capture(id, Some(4), AfterCapture::End),
                Ok(("-4: B-3[-3] A-1[-1] A[-2] captured 0", "4 A4")),
            ),
            (
                "it is over",
                capture(id, None, AfterCapture::End),
                Err(Rejection::HoldUnknown(id)),
            ),
        ],
    );
    let hold = book.entries.last().and_then(|entry| entry.event.hold);
    let hold = hold.expect("a hold");
    assert_eq!((hold.captured, hold.released), (units(4), units(2)));
}

#[test]
fn r14_a_hold_stays_open_until_nothing_remains() {
    let mut book = Book::after([cash(5), given(3), hold(6, 60)]);
    let id = book.last_hold();
    let stay = AfterCapture::StayOpen;
    check(
        &mut book,
        &[
            (
                "the first part",
                capture(id, Some(2), stay),
                Ok(("-2: B-2[-2] open 4", "6 held 4 B1[1] A5[3]")),
            ),
            (
                "value that came later is not touched",
                given(7),
                Ok(("7: C+7", "13 held 4 B1[1] C7 A5[3]")),
            ),
            (
                "over both lots",
                capture(id, Some(3), stay),
                Ok(("-3: B-1[-1] A-2[-2] open 1", "10 held 1 C7 A3[1]")),
            ),
            (
                "without an amount: all that remains",
                capture(id, None, stay),
                Ok(("-1: A-1[-1] captured 0", "9 C7 A2")),
            ),
        ],
    );
}

#[test]
fn r13_the_overdraft_part_becomes_debt_where_no_value_came_meanwhile() {
    let mut book = Book::after([limit(10), cash(4), hold(9, 60)]);
    let id = book.last_hold();
    check(
        &mut book,
        &[
            (
                "lots first, then a part of the overdraft",
                capture(id, Some(6), AfterCapture::StayOpen),
                Ok(("-6: A-4[-4] debt+2@0 open 3", "-2 held 3 debt 2 limit 10")),
            ),
            (
                "the rest of the overdraft returns",
                capture(id, Some(1), AfterCapture::End),
                Ok(("-1: debt+1@2 captured 0", "-3 debt 3 limit 10")),
            ),
        ],
    );
    assert_eq!(book.state.held_overdraft, Amount::ZERO);
}

#[test]
fn r13_the_overdraft_part_draws_then_unheld_lots_and_books_only_what_is_missing() {
    let mut book = Book::after([limit(10), cash(4), hold(9, 60), given(3)]);
    let id = HoldId::from_number(103);
    check(
        &mut book,
        &[(
            "five on the overdraft: three of them from the lot that came",
            capture(id, None, AfterCapture::End),
            Ok(("-9: A-4[-4] B-3 debt+2@0 captured 0", "-2 debt 2 limit 10")),
        )],
    );

    let mut book = Book::after([limit(10), cash(4), hold(9, 60), cash(7)]);
    check(
        &mut book,
        &[(
            "all of them from the lot that came",
            capture(id, None, AfterCapture::End),
            Ok(("-9: A-4[-4] B-5 captured 0", "2 limit 10 B2")),
        )],
    );
}

#[test]
fn r6_what_a_final_capture_returns_pays_debt_at_once() {
    let mut book = Book::after([cash(9), hold(9, 60), forced(2, None)]);
    let id = HoldId::from_number(102);
    check(
        &mut book,
        &[(
            "four captured, five back, two of them owed",
            capture(id, Some(4), AfterCapture::End),
            Ok(("-4: A-4[-4] A[-5] A-2>0 captured 0", "3 A3")),
        )],
    );
}

#[test]
fn a_capture_takes_value_that_was_held_before_its_date() {
    let mut book = Book::after([cash_until(9, 50), hold(4, 60)]).at(55);
    let id = book.last_hold();
    let from = book.entries.len();
    book.ok(capture(id, Some(3), AfterCapture::End));
    assert_eq!(
        book.show_rows(from),
        ["-5: A-5", "-3: A-3[-3] A[-1] captured 0", "-1: A-1",],
        "the unheld part expired before, what returns expires at once"
    );
    assert_eq!(book.show(), "0");
    let effective: Vec<_> = book.entries[from..]
        .iter()
        .map(|entry| (entry.at, entry.event.effective_at))
        .collect();
    assert_eq!(
        effective,
        [
            (at(55), Some(at(50))),
            (at(55), None),
            (at(55), Some(at(55)))
        ]
    );
}
