//! The draw order, field by field: each pair differs in one field, and all that come later speak against it.

use super::book::Book;
use super::*;
use crate::command::Credit;
use proptest::prelude::*;

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

proptest! {
    /// A debit, or a hold, empties each lot before it takes of the next.
    #[test]
    fn r13_any_lots_give_in_their_order(
        lots in prop::collection::vec((0..5_usize, 48..52_u8, proptest::option::of(100..103_i64), 1..9_i64), 1..9),
        wanted in 1..60_i64,
        is_held in any::<bool>(),
    ) {
        let mut book = Book::new();
        let mut order = Vec::new();
        for (place, (funding, priority, expires, amount)) in lots.iter().enumerate() {
            let funding = FundingType::ALL[*funding];
            let made = i64::try_from(place / 2).expect("few lots");
            let credit = Credit {
                priority: *priority,
                expiry: expires.map(|end| Expiry::At(at(end))),
                ..Credit::new(units(*amount), funding)
            };
            let id = book.ok_at(made, Command::Credit(credit)).event.parts[0].lot.id;
            let withdrawable = [FundingType::Cash, FundingType::Refund, FundingType::ManualAdjustment];
            let end = expires.unwrap_or(i64::MAX);
            let key = (*priority, end, withdrawable.contains(&funding), made, place);
            order.push((key, id, *amount));
        }
        order.sort_unstable_by_key(|(key, ..)| *key);
        let all: i64 = order.iter().map(|(_, _, amount)| amount).sum();
        let mut left = wanted.min(all);
        let row = if is_held {
            book.ok(hold(left, 60))
        } else {
            book.ok(debit(left))
        };
        let mut expected = Vec::new();
        for (_, id, amount) in order {
            let share = amount.min(left);
            left -= share;
            if share > 0 {
                expected.push((id, units(share)));
            }
        }
        let parts = row.event.parts.iter();
        let found: Vec<_> = parts.map(|part| (part.lot.id, part.held - part.amount)).collect();
        prop_assert_eq!(found, expected);
    }
}
