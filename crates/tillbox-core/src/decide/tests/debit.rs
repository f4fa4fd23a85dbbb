use super::book::Book;
use super::*;
use crate::command::Debit;
use crate::wallet::WalletStatus;

#[test]
fn refusals_in_precedence_order() {
    check_refusals(vec![
        (
            "state: pending, though the funds are missing too",
            Book::with_status(WalletStatus::PendingActivation),
            debit(1),
            Rejection::WalletNotActive(WalletStatus::PendingActivation),
        ),
        (
            "state: closed",
            Book::with_status(WalletStatus::Closed),
            debit(1),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        (
            "r40: frozen",
            Book::after([cash(5), freeze()]),
            debit(1),
            Rejection::WalletNotActive(WalletStatus::Frozen),
        ),
        (
            "r7: force on a pending wallet",
            Book::with_status(WalletStatus::PendingActivation),
            forced(1, None),
            Rejection::WalletNotActive(WalletStatus::PendingActivation),
        ),
        (
            "r7: force on a closed wallet",
            Book::with_status(WalletStatus::Closed),
            forced(1, None),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        (
            "funds",
            Book::after([cash(5)]),
            debit(6),
            insufficient(6, 5),
        ),
        (
            "funds: held value is not to be had, and the answer says until when",
            Book::after([cash(5), hold(3, 60), hold(1, 30)]),
            debit(2),
            insufficient_until(2, 1, 30),
        ),
        (
            "r7: funds below the floor",
            Book::after([cash(5)]),
            forced(16, Some(10)),
            insufficient(16, 15),
        ),
    ]);
}

#[test]
fn a_debit_draws_lots_then_debt_within_the_overdraft_limit() {
    let mut book = Book::after([cash(5), given(3), limit(10)]);
    check(
        &mut book,
        &[
            (
                "what can't be paid out goes first",
                debit(4),
                Ok(("-4: B-3 A-1", "4 limit 10 A4")),
            ),
            (
                "into the overdraft",
                debit(6),
                Ok(("-6: A-4 debt+2@0", "-2 debt 2 limit 10")),
            ),
            (
                "to its end",
                debit(8),
                Ok(("-8: debt+8@2", "-10 debt 10 limit 10")),
            ),
            ("not beyond", debit(1), Err(insufficient(1, 0))),
        ],
    );
}

#[test]
fn r7_force_draws_unheld_lots_then_debt_down_to_the_floor_never_held_value() {
    let mut book = Book::after([cash(5), hold(3, 60)]);
    check(
        &mut book,
        &[
            (
                "the floor counts from what is unheld",
                forced(13, Some(10)),
                Err(insufficient_until(13, 12, 60)),
            ),
            (
                "held value stays",
                forced(12, Some(10)),
                Ok(("-12: A-2 debt+10@0", "-7 held 3 debt 10 A3[3]")),
            ),
            (
                "the floor is reached",
                forced(1, Some(10)),
                Err(insufficient_until(1, 0, 60)),
            ),
            (
                "no floor, no end",
                forced(90, None),
                Ok(("-90: debt+90@10", "-97 held 3 debt 100 A3[3]")),
            ),
        ],
    );
}

#[test]
fn r7_force_gets_at_least_what_a_plain_debit_gets() {
    let mut book = Book::after([limit(10)]);
    check(
        &mut book,
        &[(
            "the limit is beyond the floor",
            forced(10, Some(4)),
            Ok(("-10: debt+10@0", "-10 debt 10 limit 10")),
        )],
    );
}

#[test]
fn r7_force_works_on_a_frozen_wallet() {
    let mut book = Book::after([cash(5), freeze()]);
    check(
        &mut book,
        &[(
            "usage already delivered",
            forced(7, None),
            Ok(("-7: A-5 debt+2@0", "-2 debt 2")),
        )],
    );
}

#[test]
fn r9_available_is_below_zero_only_after_force_or_a_lowered_limit() {
    let mut book = Book::after([limit(10), debit(8), limit(5)]);
    assert_eq!(book.state.available(), units(-3));
    check(
        &mut book,
        &[
            ("nothing is spent", debit(1), Err(insufficient(1, -3))),
            ("nor held", hold(1, 60), Err(insufficient(1, -3))),
            (
                "a credit that leaves it at zero",
                cash(3),
                Ok(("3: A+3 A-3>0", "-5 debt 5 limit 5")),
            ),
            ("still nothing", debit(1), Err(insufficient(1, 0))),
            (
                "one above",
                cash(1),
                Ok(("1: B+1 B-1>3", "-4 debt 4 limit 5")),
            ),
            (
                "one to spend",
                debit(1),
                Ok(("-1: debt+1@8", "-5 debt 5 limit 5")),
            ),
        ],
    );
}

#[test]
fn r29_only_some_reasons_are_refundable() {
    for reason in Reason::ALL {
        let mut book = Book::after([cash(5)]);
        let spent = book.ok(Command::Debit(Debit {
            amount: units(2),
            reason: *reason,
            force: None,
            note: Note::default(),
        }));
        let refundable = [
            Reason::Usage,
            Reason::Overage,
            Reason::Purchase,
            Reason::Subscription,
            Reason::RecurringCharge,
        ]
        .contains(reason);
        let outcome = book.run(refund(spent.id, None)).map(|_| ());
        let expected = if refundable {
            Ok(())
        } else {
            Err(Rejection::NotRefundable)
        };
        assert_eq!(outcome, expected, "{reason:?}");
    }
}
