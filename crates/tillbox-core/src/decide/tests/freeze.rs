use super::book::Book;
use super::*;
use crate::wallet::WalletStatus;

#[test]
fn refusals_in_precedence_order() {
    use WalletStatus::{Active, Closed, Frozen, PendingActivation};
    for status in [PendingActivation, Frozen, Closed] {
        let outcome = Book::with_status(status).run(freeze()).map(|_| ());
        assert_eq!(outcome, Err(Rejection::WalletNotActive(status)));
    }
    for status in [PendingActivation, Closed] {
        let outcome = Book::with_status(status).run(Command::Unfreeze);
        assert_eq!(outcome.map(|_| ()), Err(Rejection::WalletNotActive(status)));
    }
    let outcome = Book::with_status(Active).run(Command::Unfreeze).map(|_| ());
    assert_eq!(
        outcome,
        Err(Rejection::Conflict("the wallet is not frozen"))
    );
}

#[test]
fn r40_a_frozen_wallet_refuses_spending_and_allows_the_rest() {
    let mut book = Book::after([cash(20), debit(2), hold(3, 60), hold(4, 60)]);
    let spent = book.entries[1].id;
    let (first, second) = (HoldId::from_number(103), HoldId::from_number(104));
    let frozen = || Err(Rejection::WalletNotActive(WalletStatus::Frozen));
    check(
        &mut book,
        &[
            ("freeze", freeze(), Ok(("0", "18 held 7 A18[7]"))),
            ("no debit", debit(1), frozen()),
            ("no hold", hold(1, 60), frozen()),
            ("no usage", super::usage::usage(1, None), frozen()),
            (
                "no usage from a hold",
                super::usage::usage(1, Some(first)),
                frozen(),
            ),
            (
                "no extension",
                extend(first, Expiry::InSeconds(90)),
                frozen(),
            ),
            ("credit", given(1), Ok(("1: B+1", "19 held 7 B1 A18[7]"))),
            (
                "force",
                forced(2, None),
                Ok(("-2: B-1 A-1", "17 held 7 A17[7]")),
            ),
            (
                "refund",
                refund(spent, None),
                Ok(("2: A+2", "19 held 7 A19[7]")),
            ),
            (
                "capture of a hold placed before",
                capture(first, None, AfterCapture::End),
                Ok(("-3: A-3[-3] captured 0", "16 held 4 A16[4]")),
            ),
            (
                "release",
                release(second),
                Ok(("0: A[-4] released 0", "16 A16")),
            ),
            ("unfreeze", Command::Unfreeze, Ok(("0", "16 A16"))),
            ("debit again", debit(16), Ok(("-16: A-16", "0"))),
        ],
    );
}

#[test]
fn r40_holds_and_lots_of_a_frozen_wallet_expire() {
    let mut book = Book::after([cash_until(5, 50), hold(2, 30), freeze()]).at(60);
    book.book_due();
    assert_eq!(book.show_rows(3), ["0: A[-2] expired 0", "-5: A-5"]);
}
