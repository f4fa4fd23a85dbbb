use super::book::Book;
use super::*;
use crate::lot::Lot;
use crate::wallet::WalletStatus;

fn exceeds(remaining: i64) -> Rejection {
    Rejection::RefundExceedsRemaining {
        remaining: units(remaining),
    }
}

#[test]
fn refusals_in_precedence_order() {
    let spent = || Book::after([cash(5), debit(4)]);
    let id = spent().last_id();
    let credit_id = spent().entries[0].id;
    let closed = {
        let mut book = spent();
        book.state.status = WalletStatus::Closed;
        book
    };
    let refunded = Book::after([cash(5), debit(4), refund(id, Some(3))]);
    let wholly = Book::after([cash(5), debit(4), refund(id, None)]);
    check_refusals(vec![
        (
            "no such transaction, though the wallet is closed too",
            closed.clone(),
            refund(EntryId::from_number(1), Some(9)),
            Rejection::TransactionNotFound,
        ),
        (
            "state: closed, though it is not refundable",
            closed,
            refund(credit_id, Some(9)),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        (
            "r29: a credit, though it is too much",
            spent(),
            refund(credit_id, Some(9)),
            Rejection::NotRefundable,
        ),
        (
            "nothing",
            spent(),
            refund(id, Some(0)),
            Rejection::AmountOutOfRange {
                minimum: Some(Amount::from_micros(1)),
                maximum: Some(units(4)),
            },
        ),
        (
            "more than the debit",
            spent(),
            refund(id, Some(5)),
            exceeds(4),
        ),
        (
            "more than the rest",
            refunded,
            refund(id, Some(2)),
            exceeds(1),
        ),
        ("again", wholly.clone(), refund(id, None), exceeds(0)),
        (
            "again, by an amount",
            wholly,
            refund(id, Some(1)),
            exceeds(0),
        ),
    ]);
}

#[test]
fn r29_a_capture_is_refunded_and_a_hold_or_a_refund_is_not() {
    let mut book = Book::after([cash(9), hold(5, 60)]);
    let (placed, hold_id) = (book.last_id(), book.last_hold());
    let captured = book.ok(capture(hold_id, Some(3), AfterCapture::End)).id;
    check(
        &mut book,
        &[
            ("a hold moved nothing", refund(placed, None), {
                Err(Rejection::NotRefundable)
            }),
            (
                "what was captured, not what returned",
                refund(captured, None),
                Ok(("3: A+3", "9 A9")),
            ),
        ],
    );
    let refunded = book.last_id();
    assert_eq!(
        book.run(refund(refunded, None)).map(|_| ()),
        Err(Rejection::NotRefundable)
    );
}

/// Draws B3 A4 and 3 of debt, of which C later pays 2.
fn split() -> (Book, EntryId) {
    let mut book = Book::after([cash(4), given(3), limit(5), debit(10)]);
    let spent = book.last_id();
    book.ok(cash(2));
    assert_eq!(book.show(), "-1 debt 1 limit 5");
    (book, spent)
}

#[test]
fn r6_a_split_debit_returns_to_its_lots_then_to_the_lot_that_paid_its_debt_then_cancels_debt() {
    let (mut book, spent) = split();
    check(
        &mut book,
        &[(
            "whole: A, B and C as they were, and no debt",
            refund(spent, None),
            Ok(("10: B+3 A+4 C+2 debt-1@2", "9 limit 5 B3 A4 C2")),
        )],
    );
}

#[test]
fn r6_what_returns_while_debt_is_left_pays_it_at_once() {
    let (mut book, spent) = split();
    check(
        &mut book,
        &[
            (
                "the first piece pays the debit's own debt",
                refund(spent, Some(2)),
                Ok(("2: B+2 B-1>2", "1 limit 5 B1")),
            ),
            (
                "the next pieces go on in the recorded order",
                refund(spent, Some(3)),
                Ok(("3: B+1 A+2", "4 limit 5 B2 A2")),
            ),
            (
                "the last finds B where debt was unpaid before",
                refund(spent, None),
                Ok(("5: A+2 C+2 B+1", "9 limit 5 B3 A4 C2")),
            ),
        ],
    );
}

#[test]
fn a_refund_of_older_debt_cancels_what_is_unpaid_and_later_debt_stays() {
    let mut book = Book::after([forced(5, None), forced(3, None), forced(4, None)]);
    let [first, second, third] = [101, 102, 103].map(EntryId::from_number);
    check(
        &mut book,
        &[
            (
                "a gap in the middle",
                refund(second, None),
                Ok(("3: debt-3@5", "-9 debt 9")),
            ),
            (
                "a payment goes around it",
                cash(7),
                Ok(("7: A+7 A-5>0 A-2>8", "-2 debt 2")),
            ),
            (
                "a paid debit returns to the lot, which pays what is left",
                refund(first, None),
                Ok(("5: A+5 A-2>10", "3 A3")),
            ),
            (
                "the third was paid by the same lot, twice",
                refund(third, None),
                Ok(("4: A+4", "7 A7")),
            ),
        ],
    );
}

#[test]
fn pieces_of_a_refund_add_up_to_one_whole_refund() {
    let (whole, spent) = split();
    let wanted = {
        let mut book = whole.clone();
        book.ok(refund(spent, None));
        book.show()
    };
    for pieces in [
        vec![1; 10],
        vec![9, 1],
        vec![1, 9],
        vec![3, 4, 3],
        vec![7, 2, 1],
        vec![8, 2],
    ] {
        let mut book = whole.clone();
        for piece in &pieces {
            book.ok(refund(spent, Some(*piece)));
        }
        assert_eq!(book.show(), wanted, "{pieces:?}");
        assert_eq!(
            book.run(refund(spent, Some(1))).map(|_| ()),
            Err(exceeds(0))
        );
    }
}

fn lots(book: &Book) -> Vec<&Lot> {
    book.state.lots().collect()
}

#[test]
fn r11_the_share_of_an_expired_lot_returns_as_a_linked_successor() {
    let mut book = Book::after([cash_until(6, 50), given(2), debit(5)]);
    let spent = book.last_id();
    let spent_lot = book.state.lots().next().expect("B").clone();
    book.now = at(100);
    check(
        &mut book,
        &[(
            "B lives on, A has a successor",
            refund(spent, Some(4)),
            Ok(("4: C+4", "6 C4 B2")),
        )],
    );
    let original = book.lots.values().next().expect("A").clone();
    let successor = lots(&book)[0].clone();
    assert_eq!(spent_lot.funding, FundingType::Cash);
    assert_eq!(successor.succeeds, Some(original.id));
    assert_eq!(successor.expires_at, Some(at(100 + 30 * DAY)));
    assert_eq!(
        (
            successor.funding,
            successor.withdrawable,
            successor.priority
        ),
        (original.funding, original.withdrawable, original.priority)
    );
    assert_eq!(
        (successor.amount, successor.cost_basis),
        (units(4), units(4))
    );
    assert_eq!(successor.created_at, at(100));
    check(
        &mut book,
        &[(
            "each refund makes its own",
            refund(spent, None),
            Ok(("1: D+1", "7 C4 D1 B2")),
        )],
    );
}

#[test]
fn r11_a_lot_past_its_date_takes_nothing_back_though_a_hold_keeps_it_open() {
    let mut book = Book::after([cash_until(6, 50), debit(2), hold(3, 90)]);
    let spent = book.entries[1].id;
    book.now = at(60);
    check(
        &mut book,
        &[(
            "A is open and expired",
            refund(spent, None),
            Ok(("2: B+2", "5 held 3 A3[3] B2")),
        )],
    );
}

#[test]
fn r11_what_was_given_costs_nothing_as_a_successor_too() {
    let mut book = Book::new();
    book.ok(Command::Credit(crate::command::Credit {
        expiry: Some(Expiry::At(at(50))),
        priority: 7,
        ..crate::command::Credit::new(units(5), FundingType::Promotional)
    }));
    let spent = book.ok(debit(5)).id;
    book.now = at(50);
    book.ok(refund(spent, None));
    let lot = lots(&book)[0];
    assert_eq!(lot.funding, FundingType::Promotional);
    assert_eq!(
        (lot.cost_basis, lot.withdrawable, lot.priority),
        (Amount::ZERO, false, 7)
    );
}

#[test]
fn r11_a_successor_pays_debt_and_a_life_of_no_days_ends_at_once() {
    let refund_for = |debit_id, grace_days| {
        Command::Refund(Refund {
            debit_id,
            amount: None,
            grace_days,
            debit: None,
            note: Note::default(),
        })
    };
    let mut book = Book::after([cash_until(5, 50), debit(5), forced(2, None)]).at(60);
    let spent = book.entries[1].id;
    let mut no_days = book.clone();
    check(
        &mut book,
        &[(
            "two of five are owed",
            refund_for(spent, 1),
            Ok(("5: B+5 B-2>0", "3 B3")),
        )],
    );
    no_days.ok(refund_for(spent, 0));
    assert_eq!(no_days.show_rows(3), ["5: B+5", "-5: B-5"]);
    assert_eq!(no_days.show(), "-2 debt 2");
}

#[test]
fn r11_a_life_beyond_all_time_is_a_life_without_end() {
    let mut book = Book::after([cash_until(5, 50), debit(5)]).at(60);
    let spent = book.last_id();
    book.ok(Command::Refund(Refund {
        debit_id: spent,
        amount: None,
        grace_days: i64::MAX,
        debit: None,
        note: Note::default(),
    }));
    assert_eq!(lots(&book)[0].expires_at, None);
}
