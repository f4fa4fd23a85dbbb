use super::book::Book;
use super::*;
use crate::wallet::WalletStatus;

#[test]
fn refusals_in_precedence_order() {
    check_refusals(vec![(
        "state: closed",
        Book::with_status(WalletStatus::Closed),
        limit(5),
        Rejection::WalletNotActive(WalletStatus::Closed),
    )]);
}

#[test]
fn r9_the_limit_may_be_lowered_below_the_debt_and_below_what_holds_reserve() {
    let mut book = Book::after([limit(10), debit(4), hold(3, 60)]);
    let id = book.last_hold();
    check(
        &mut book,
        &[
            ("lowered", limit(2), Ok(("0", "-4 held 3 debt 4 limit 2"))),
            ("nothing new", debit(1), Err(insufficient_until(1, -5, 60))),
            (
                "what was held before is captured",
                capture(id, None, AfterCapture::End),
                Ok(("-3: debt+3@4 captured 0", "-7 debt 7 limit 2")),
            ),
            ("raised", limit(8), Ok(("0", "-7 debt 7 limit 8"))),
            (
                "one is left",
                debit(1),
                Ok(("-1: debt+1@7", "-8 debt 8 limit 8")),
            ),
        ],
    );
}

#[test]
fn pending_and_frozen_wallets_may_be_given_a_limit() {
    for status in [WalletStatus::PendingActivation, WalletStatus::Frozen] {
        let mut book = Book::with_status(status);
        book.ok(limit(5));
        assert_eq!(book.state.overdraft_limit, units(5));
    }
}
