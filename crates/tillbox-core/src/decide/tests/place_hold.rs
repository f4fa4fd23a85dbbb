use super::book::Book;
use super::*;
use crate::decide::MAX_OPEN;
use crate::wallet::WalletStatus;

fn full_of_holds() -> Book {
    let mut book = Book::after([cash(1), hold(1, 60)]);
    let one = book.state.holds().next().expect("a hold").clone();
    let holds = (0..MAX_OPEN).map(|index| crate::hold::Hold {
        id: HoldId::from_number(i64::try_from(index).expect("few") + 1),
        ..one.clone()
    });
    // Only the number of the holds matters here: what they reserve does not add up.
    let lots = book.state.lots().cloned().collect();
    book.state = book.state.clone().with_open(lots, holds.collect());
    book
}

#[test]
fn refusals_in_precedence_order() {
    let out_of_range = Rejection::ExpiryOutOfRange {
        earliest: at(0),
        latest: at(30 * DAY),
    };
    check_refusals(vec![
        (
            "state: pending, though the end is out of range too",
            Book::with_status(WalletStatus::PendingActivation),
            hold(1, 0),
            Rejection::WalletNotActive(WalletStatus::PendingActivation),
        ),
        (
            "r40: frozen",
            Book::after([cash(5), freeze()]),
            hold(1, 60),
            Rejection::WalletNotActive(WalletStatus::Frozen),
        ),
        (
            "limit: an end that is not after now, though the holds are too many",
            full_of_holds(),
            hold(1, 0),
            out_of_range.clone(),
        ),
        (
            "r15: an end after 30 days",
            Book::after([cash(5)]),
            hold(1, 30 * DAY + 1),
            out_of_range.clone(),
        ),
        (
            "an end beyond all time",
            Book::after([cash(5)]),
            hold(1, i64::MAX),
            out_of_range,
        ),
        (
            "r49: too many holds, though the funds are missing too",
            full_of_holds(),
            hold(6, 60),
            Rejection::TooMany("holds"),
        ),
        (
            "funds",
            Book::after([cash(5)]),
            hold(6, 60),
            insufficient(6, 5),
        ),
    ]);
}

#[test]
fn r13_a_hold_reserves_lots_in_draw_order_then_overdraft_up_to_available() {
    let mut book = Book::after([cash(5), given(3), limit(10)]);
    check(
        &mut book,
        &[
            (
                "lots",
                hold(4, 60),
                Ok(("0: B[+3] A[+1] open 4", "8 held 4 limit 10 B3[3] A5[1]")),
            ),
            (
                "overdraft",
                hold(7, 60),
                Ok(("0: A[+4] open 7", "8 held 11 limit 10 B3[3] A5[5]")),
            ),
            ("not beyond", hold(8, 60), Err(insufficient_until(8, 7, 60))),
            (
                "to the end",
                hold(7, 60),
                Ok(("0: open 7", "8 held 18 limit 10 B3[3] A5[5]")),
            ),
            (
                "nothing is left",
                debit(1),
                Err(insufficient_until(1, 0, 60)),
            ),
        ],
    );
    let balances = book.state.balances();
    assert_eq!(balances.held, units(18));
    assert_eq!(book.state.held_overdraft, units(10));
    assert_eq!(balances.available, Amount::ZERO);
    assert_eq!(balances.withdrawable, Amount::ZERO);
}

#[test]
fn r8_withdrawable_is_the_lesser_of_withdrawable_lots_and_the_balance_without_holds() {
    let withdrawable = |commands: &[Command]| {
        let book = Book::after(commands.iter().cloned());
        book.state.balances().withdrawable
    };
    for (name, commands, expected) in [
        ("cash only", vec![cash(5), given(3)], 5),
        ("held cash is not", vec![cash(5), hold(2, 60)], 3),
        (
            "a hold on what was given leaves it",
            vec![cash(5), given(3), hold(2, 60)],
            5,
        ),
        ("never below zero", vec![forced(5, None)], 0),
        (
            "overdraft that a hold reserves lessens it",
            vec![limit(10), hold(4, 60), cash(6)],
            2,
        ),
        ("down to zero", vec![limit(10), hold(8, 60), cash(6)], 0),
    ] {
        assert_eq!(withdrawable(&commands), units(expected), "{name}");
    }
}

#[test]
fn r17_a_hold_for_an_invoice_counts_in_pending_charges() {
    let mut book = Book::after([cash(9), hold(2, 60)]);
    book.ok(Command::PlaceHold(PlaceHold {
        amount: units(3),
        expiry: Expiry::InSeconds(60),
        invoice_id: Some(crate::id::InvoiceId::from_number(5)),
        note: Note::default(),
    }));
    let balances = book.state.balances();
    assert_eq!(
        (balances.held, balances.pending_charges),
        (units(5), units(3))
    );
}
