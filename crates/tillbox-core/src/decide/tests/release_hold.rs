use super::book::Book;
use super::*;
use crate::wallet::WalletStatus;

#[test]
fn refusals_in_precedence_order() {
    let unknown = HoldId::from_number(1);
    check_refusals(vec![
        (
            "no such open hold, though the wallet is closed too",
            Book::with_status(WalletStatus::Closed),
            release(unknown),
            Rejection::HoldUnknown(unknown),
        ),
        (
            "state: closed, with a hold still open",
            {
                let mut book = Book::after([cash(5), hold(2, 60)]);
                book.state.status = WalletStatus::Closed;
                book
            },
            release(HoldId::from_number(102)),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
    ]);
}

#[test]
fn r14_a_hold_ends_once() {
    let mut book = Book::after([cash(5), hold(3, 60)]);
    let id = book.last_hold();
    check(
        &mut book,
        &[
            (
                "all returns",
                release(id),
                Ok(("0: A[-3] released 0", "5 A5")),
            ),
            ("again", release(id), Err(Rejection::HoldUnknown(id))),
            (
                "captured after",
                capture(id, None, AfterCapture::End),
                Err(Rejection::HoldUnknown(id)),
            ),
        ],
    );
}

#[test]
fn r40_a_frozen_wallet_releases() {
    let mut book = Book::after([limit(4), cash(5), hold(7, 60)]);
    let id = book.last_hold();
    check(
        &mut book,
        &[
            ("frozen", freeze(), Ok(("0", "5 held 7 limit 4 A5[5]"))),
            (
                "lots and overdraft",
                release(id),
                Ok(("0: A[-5] released 0", "5 limit 4 A5")),
            ),
        ],
    );
}

#[test]
fn r6_released_value_pays_debt_at_once_in_draw_order() {
    let mut book = Book::after([cash(5), given(3), hold(8, 60), forced(6, None)]);
    let id = book.entries[2].event.hold.expect("a hold").id;
    check(
        &mut book,
        &[(
            "three of what was given, three of the cash",
            release(id),
            Ok(("0: B[-3] A[-5] B-3>0 A-3>3 released 0", "2 A2")),
        )],
    );
    assert_eq!(
        book.state.seq, 3,
        "paying debt is no transaction of its own"
    );
}

#[test]
fn r6_value_released_past_its_date_pays_nothing_and_expires() {
    let mut book = Book::after([cash_until(5, 50), hold(4, 60), forced(3, None)]).at(55);
    let id = book.entries[1].event.hold.expect("a hold").id;
    let from = book.entries.len();
    book.ok(release(id));
    assert_eq!(
        book.show_rows(from),
        ["0: A[-4] released 0", "-4: A-4"],
        "the unheld one paid debt before it"
    );
    assert_eq!(book.show(), "-2 debt 2");
}
