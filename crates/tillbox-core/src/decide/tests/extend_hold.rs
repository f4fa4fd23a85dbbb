use super::book::Book;
use super::*;
use crate::wallet::WalletStatus;

#[test]
fn refusals_in_precedence_order() {
    let unknown = HoldId::from_number(1);
    let mut frozen = Book::after([cash(5), hold(2, 60)]);
    let id = frozen.last_hold();
    frozen.ok(freeze());
    let open = || Book::after([cash(5), hold(2, 60)]).at(10);
    let out_of_range = Rejection::ExpiryOutOfRange {
        earliest: at(10),
        latest: at(30 * DAY),
    };
    check_refusals(vec![
        (
            "no such open hold, though the wallet is frozen too",
            frozen.clone(),
            extend(unknown, Expiry::InSeconds(0)),
            Rejection::HoldUnknown(unknown),
        ),
        (
            "r40: frozen, though the end is out of range too",
            frozen.clone(),
            extend(id, Expiry::InSeconds(0)),
            Rejection::WalletNotActive(WalletStatus::Frozen),
        ),
        (
            "an end that is not after now",
            open(),
            extend(id, Expiry::At(at(10))),
            out_of_range.clone(),
        ),
        (
            "r15: more than 30 days after it was placed, not after now",
            open(),
            extend(id, Expiry::InSeconds(30 * DAY)),
            out_of_range,
        ),
    ]);
}

#[test]
fn r15_an_extension_moves_the_end_and_nothing_else() {
    let mut book = Book::after([cash(5), hold(2, 60)]);
    let id = book.last_hold();
    book.now = at(10);
    check(
        &mut book,
        &[(
            "to the last second of its 30 days",
            extend(id, Expiry::At(at(30 * DAY))),
            Ok(("0: open 2", "5 held 2 A5[2]")),
        )],
    );
    book.now = at(30 * DAY - 1);
    book.book_due();
    assert_eq!(book.show(), "5 held 2 A5[2]", "the old end is forgotten");
    book.now = at(30 * DAY);
    book.book_due();
    assert_eq!(book.show(), "5 A5");
}

#[test]
fn r15_past_its_end_a_hold_is_over_for_every_command() {
    let end: fn(HoldId) -> Command = |id| capture(id, None, AfterCapture::End);
    let move_end: fn(HoldId) -> Command = |id| extend(id, Expiry::InSeconds(60));
    for make in [release, end, move_end] {
        let mut book = Book::after([cash(5), hold(2, 60)]).at(60);
        let id = book.last_hold();
        let command = make(id);
        assert_eq!(
            book.run(command.clone()).map(|_| ()),
            Err(Rejection::HoldUnknown(id)),
            "{command:?}"
        );
        assert_eq!(
            book.show_rows(2),
            ["0: A[-2] expired 0"],
            "booked as it came by"
        );
    }
}
