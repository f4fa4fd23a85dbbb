use super::book::Book;
use super::*;
use crate::command::Usage;
use crate::entry::UsageFacts;
use crate::wallet::WalletStatus;

pub(super) fn usage(cost: i64, hold_id: Option<HoldId>) -> Command {
    Command::Usage(Usage {
        cost: units(cost),
        facts: UsageFacts {
            price_key: "voice".into(),
            quantity: 61,
            billed_quantity: 120,
        },
        hold_id,
        force: None,
        note: Note::default(),
    })
}

fn forced_usage(cost: i64, hold_id: Option<HoldId>) -> Command {
    let Command::Usage(inner) = usage(cost, hold_id) else {
        unreachable!("usage makes usage")
    };
    Command::Usage(Usage {
        force: Some(Force { floor: None }),
        ..inner
    })
}

#[test]
fn refusals_in_precedence_order() {
    let unknown = HoldId::from_number(1);
    let mut frozen = Book::after([cash(5), hold(2, 60)]);
    let id = frozen.last_hold();
    frozen.ok(freeze());
    let open = || Book::after([cash(5), hold(2, 60)]);
    check_refusals(vec![
        (
            "no such open hold, though the wallet is frozen and force is set",
            frozen.clone(),
            forced_usage(1, Some(unknown)),
            Rejection::HoldUnknown(unknown),
        ),
        (
            "r40: frozen, though force is set",
            frozen.clone(),
            forced_usage(1, Some(id)),
            Rejection::WalletNotActive(WalletStatus::Frozen),
        ),
        (
            "r40: frozen, also for what costs nothing",
            frozen,
            usage(0, None),
            Rejection::WalletNotActive(WalletStatus::Frozen),
        ),
        (
            "state: usage from a hold can't be forced",
            open(),
            forced_usage(9, Some(id)),
            Rejection::Conflict("usage from a hold can't be forced"),
        ),
        (
            "r16: more than the hold, though the wallet could pay it",
            open(),
            usage(3, Some(id)),
            Rejection::CaptureExceedsHold {
                remaining: units(2),
            },
        ),
        (
            "funds",
            open(),
            usage(4, None),
            insufficient_until(4, 3, 60),
        ),
    ]);
}

#[test]
fn r16_usage_is_paid_wholly_from_its_hold_which_stays_open() {
    let mut book = Book::after([cash(9), hold(5, 60)]);
    let id = book.last_hold();
    check(
        &mut book,
        &[
            (
                "a part",
                usage(2, Some(id)),
                Ok(("-2: A-2[-2] open 3", "7 held 3 A7[3]")),
            ),
            ("more than the rest", usage(4, Some(id)), {
                let remaining = units(3);
                Err(Rejection::CaptureExceedsHold { remaining })
            }),
            (
                "the rest ends it",
                usage(3, Some(id)),
                Ok(("-3: A-3[-3] captured 0", "4 A4")),
            ),
        ],
    );
    let entry = book.entries.last().expect("a row");
    assert_eq!(entry.event.reason, Some(Reason::Usage));
    let facts = entry.event.usage.as_ref().expect("facts");
    assert_eq!((facts.quantity, facts.billed_quantity), (61, 120));
}

#[test]
fn r4_usage_rated_to_zero_moves_nothing_but_is_a_row_with_its_key() {
    let mut book = Book::after([cash(9), hold(5, 60)]);
    let id = book.last_hold();
    for command in [usage(0, None), usage(0, Some(id))] {
        let entry = book.ok(command);
        assert_eq!((entry.seq, entry.event.reason), (None, None));
        assert!(entry.key.is_some());
        assert_eq!(book.show(), "9 held 5 A9[5]");
    }
}

#[test]
fn r7_usage_may_be_forced() {
    let mut book = Book::after([cash(2), freeze()]);
    check(
        &mut book,
        &[
            (
                "on a frozen wallet",
                forced_usage(5, None),
                Ok(("-5: A-2 debt+3@0", "-3 debt 3")),
            ),
            (
                "also for nothing",
                forced_usage(0, None),
                Ok(("0", "-3 debt 3")),
            ),
        ],
    );
}
