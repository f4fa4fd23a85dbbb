use super::book::Book;
use super::*;
use crate::wallet::WalletStatus;

fn first(book: &Book) -> LotId {
    *book.lots.keys().next().expect("a lot")
}

#[test]
fn refusals_in_precedence_order() {
    let unknown = LotId::from_number(1);
    let book = Book::after([cash(5)]);
    let mut past = Book::after([cash_until(5, 50), hold(2, 90)]).at(60);
    past.book_due();
    let (lot, past_lot) = (first(&book), first(&past));
    let out_of_range = Rejection::ExpiryOutOfRange {
        earliest: at(0),
        latest: Timestamp::NEVER,
    };
    check_refusals(vec![
        (
            "what it names, whatever the state",
            Book::with_status(WalletStatus::Closed),
            expire_at(unknown, None),
            Rejection::LotUnknown(unknown),
        ),
        (
            "past its date, though a hold still reserves of it",
            past,
            expire_at(past_lot, Some(99)),
            Rejection::Conflict("the lot has expired"),
        ),
        ("now", book, expire_at(lot, Some(0)), out_of_range),
    ]);
    let mut spent = Book::after([cash(5), debit(5)]);
    let lot = first(&spent);
    let outcome = spent.run(expire_at(lot, None)).map(|_| ());
    assert_eq!(outcome, Err(Rejection::LotUnknown(lot)));
}

#[test]
fn another_expiry_is_another_place_in_the_draw_order() {
    let mut book = Book::after([cash_until(5, 50), cash_until(4, 60), cash(3)]);
    let lot = first(&book);
    check(
        &mut book,
        &[
            ("later", expire_at(lot, Some(70)), Ok(("0", "12 B4 A5 C3"))),
            ("never", expire_at(lot, None), Ok(("0", "12 B4 A5 C3"))),
            (
                "earlier",
                expire_at(lot, Some(40)),
                Ok(("0", "12 A5 B4 C3")),
            ),
        ],
    );
    assert_eq!(book.state.next_due_at(), Some(at(40)));
    book.now = at(65);
    book.book_due();
    assert_eq!(book.show_rows(6), ["-5: A-5", "-4: B-4"]);
}

#[test]
fn r10_a_lot_that_never_expires_any_more_is_not_due() {
    let mut book = Book::after([cash_until(5, 50)]);
    let lot = first(&book);
    book.ok(expire_at(lot, None));
    assert_eq!(book.state.next_due_at(), None);
    let mut book = book.at(99);
    book.ok(debit(5));
    assert_eq!(book.show(), "0");
}

#[test]
fn r14_a_hold_follows_its_lot_to_another_place() {
    let mut book = Book::after([cash_until(5, 50), cash(4), hold(7, 40)]);
    assert_eq!(book.show(), "9 held 7 A5[5] B4[2]");
    let (lot, id) = (first(&book), book.last_hold());
    book.ok(expire_at(lot, None));
    check(
        &mut book,
        &[
            (
                "part of it",
                capture(id, Some(3), AfterCapture::StayOpen),
                Ok(("-3: A-3[-3] open 4", "6 held 4 A2[2] B4[2]")),
            ),
            (
                "the rest",
                release(id),
                Ok(("0: A[-2] B[-2] released 0", "6 A2 B4")),
            ),
        ],
    );
}

#[test]
fn r11_what_returns_to_a_lot_that_got_more_time_needs_no_successor() {
    let mut book = Book::after([cash_until(5, 50), debit(2)]);
    let (lot, spent) = (first(&book), book.last_id());
    book.ok(expire_at(lot, Some(90)));
    let mut book = book.at(60);
    book.ok(refund(spent, None));
    assert_eq!(book.show(), "5 A5");
    assert_eq!(book.state.next_due_at(), Some(at(90)));
}
