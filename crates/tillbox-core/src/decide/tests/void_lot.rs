use super::book::Book;
use super::*;
use crate::entry::EntryKind;
use crate::reason::TransactionType;
use crate::wallet::WalletStatus;

/// The first lot of a book.
fn first(book: &Book) -> LotId {
    *book.lots.keys().next().expect("a lot")
}

#[test]
fn refusals_in_precedence_order() {
    let unknown = LotId::from_number(1);
    let held = Book::after([cash(5), hold(5, 60)]);
    let mut pending = Book::with_status(WalletStatus::PendingActivation);
    pending.ok(cash(5));
    let (held_lot, pending_lot) = (first(&held), first(&pending));
    check_refusals(vec![
        (
            "what it names, whatever the state",
            Book::with_status(WalletStatus::Closed),
            void(unknown),
            Rejection::LotUnknown(unknown),
        ),
        (
            "state",
            pending,
            void(pending_lot),
            Rejection::WalletNotActive(WalletStatus::PendingActivation),
        ),
        (
            "nothing is unheld",
            held,
            void(held_lot),
            Rejection::Conflict("holds reserve all of the lot"),
        ),
    ]);
}

#[test]
fn a_void_takes_all_that_is_unheld_of_one_lot() {
    let mut book = Book::after([given(9), cash(5), hold(4, 60), freeze()]);
    let lot = first(&book);
    check(
        &mut book,
        &[(
            "on a frozen wallet too",
            void(lot),
            Ok(("-5: A-5", "9 held 4 A4[4] B5")),
        )],
    );
    let row = &book.entries.last().expect("a row").event;
    assert_eq!(row.kind, EntryKind::LotVoided);
    let reason = row.reason.expect("money moved");
    assert_eq!(reason, Reason::Reversal);
    assert_eq!(reason.transaction_type(), TransactionType::Adjustment);
    let id = book.state.holds().next().expect("a hold").id;
    book.ok(capture(id, None, AfterCapture::End));
    assert_eq!(book.show(), "5 B5", "what was held could be captured");
}
