//! The draw order, field by field: each pair differs in one field, and all that come later speak against it.

use super::book::Book;
use super::*;
use crate::command::Credit;

struct Lot {
    funding: FundingType,
    priority: u8,
    expires: Option<i64>,
    made: i64,
}

fn lot(funding: FundingType, priority: u8, expires: Option<i64>, made: i64) -> Lot {
    Lot {
        funding,
        priority,
        expires,
        made,
    }
}

/// Makes A then B, each of 5, draws 7 and expects 5 of one and 2 of the other. Lots are named in the order made.
fn check_pair(name: &str, lots: [Lot; 2], expected: &str) {
    let mut book = Book::new();
    for lot in lots {
        let credit = Credit {
            priority: lot.priority,
            expiry: lot.expires.map(|end| Expiry::At(at(end))),
            ..Credit::new(units(5), lot.funding)
        };
        book.ok_at(lot.made, Command::Credit(credit));
    }
    let drawn = book.ok(debit(7));
    assert_eq!(book.show_row(&drawn.event), expected, "{name}");
}

#[test]
fn r13_lots_are_drawn_by_five_fields_in_turn() {
    use FundingType::{Cash, Promotional};
    check_pair(
        "priority before expiry, withdrawability and age",
        [lot(Promotional, 50, Some(100), 1), lot(Cash, 49, None, 2)],
        "-7: B-5 A-2",
    );
    check_pair(
        "expiry before withdrawability and age",
        [
            lot(Promotional, 50, Some(101), 1),
            lot(Cash, 50, Some(100), 2),
        ],
        "-7: B-5 A-2",
    );
    check_pair(
        "never is the last expiry",
        [lot(Promotional, 50, None, 1), lot(Cash, 50, Some(100), 2)],
        "-7: B-5 A-2",
    );
    check_pair(
        "what can't be paid out before what can, before age",
        [lot(Cash, 50, None, 1), lot(Promotional, 50, None, 2)],
        "-7: B-5 A-2",
    );
    check_pair(
        "the older before the younger",
        [lot(Cash, 50, None, 1), lot(Cash, 50, None, 2)],
        "-7: A-5 B-2",
    );
    check_pair(
        "of one instant, the lower id",
        [lot(Cash, 50, None, 1), lot(Cash, 50, None, 1)],
        "-7: A-5 B-2",
    );
    check_pair(
        "priority 0 is the first, 100 the last",
        [lot(Cash, 100, Some(100), 1), lot(Cash, 0, None, 2)],
        "-7: B-5 A-2",
    );
}

/// Age speaks against the id only where ids do not rise with time, so the order is shown on the key itself.
#[test]
fn age_goes_before_the_id() {
    let mut book = Book::after([cash(1)]);
    let older = book.ok_at(1, cash(1)).event.parts[0].lot;
    let younger = crate::lot::DrawKey {
        created_at: at(2),
        id: crate::id::LotId::from_number(older.id.number() - 1),
        ..older
    };
    assert!(older < younger);
}
