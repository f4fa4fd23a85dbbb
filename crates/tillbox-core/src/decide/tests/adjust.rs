use super::book::Book;
use super::*;
use crate::wallet::WalletStatus;

#[test]
fn refusals_in_precedence_order() {
    check_refusals(vec![
        (
            "state: pending, though the funds are missing too",
            Book::with_status(WalletStatus::PendingActivation),
            adjust(-1),
            Rejection::WalletNotActive(WalletStatus::PendingActivation),
        ),
        (
            "state: closed",
            Book::with_status(WalletStatus::Closed),
            adjust(1),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        (
            "funds",
            Book::after([cash(5)]),
            adjust(-6),
            insufficient(6, 5),
        ),
    ]);
}

#[test]
fn r9_a_negative_adjustment_draws_like_a_debit_but_never_on_overdraft_or_held_value() {
    let mut book = Book::after([limit(100), cash(5), given(3), hold(2, 60)]);
    check(
        &mut book,
        &[
            (
                "neither held value nor overdraft",
                adjust(-7),
                Err(insufficient_until(7, 6, 60)),
            ),
            (
                "all that is unheld, in draw order",
                adjust(-6),
                Ok(("-6: B-1 A-5", "2 held 2 limit 100 B2[2]")),
            ),
            (
                "below zero there is nothing to take",
                debit(10),
                Ok(("-10: debt+10@0", "-8 held 2 debt 10 limit 100 B2[2]")),
            ),
            ("nothing", adjust(-1), Err(insufficient_until(1, 0, 60))),
        ],
    );
}

#[test]
fn r9_overdraft_that_a_hold_reserves_is_not_taken_by_an_adjustment() {
    let mut book = Book::after([limit(10), hold(4, 60), cash(6)]);
    check(
        &mut book,
        &[
            (
                "four of six are owed to the hold",
                adjust(-3),
                Err(insufficient_until(3, 2, 60)),
            ),
            (
                "two are free",
                adjust(-2),
                Ok(("-2: A-2", "4 held 4 limit 10 A4")),
            ),
        ],
    );
}

#[test]
fn r6_a_positive_adjustment_makes_a_lot_and_pays_debt() {
    let mut book = Book::after([forced(4, None), freeze()]);
    check(
        &mut book,
        &[(
            "on a frozen wallet too",
            adjust(6),
            Ok(("6: A+6 A-4>0", "2 A2")),
        )],
    );
    let lot = book.state.lots().next().expect("a lot");
    assert_eq!(lot.funding, FundingType::ManualAdjustment);
    assert_eq!(lot.expires_at, None);
}
