//! Changes of what trails the log: the books and snapshots. No answer may rest on one of them unnoticed.

use super::{audit, breaks, sound};
use crate::books::Books;
use crate::commands::{credit, debit};
use crate::stores::Sqlite;
use tillbox_core::entry::{decode_state, encode_state};
use tillbox_core::lot::FundingType;
use tillbox_store::sqlite::books::fold;
use tillbox_store::sqlite::{Connection, PastStates};

const BOOKS: &str = "the books are what the log comes to";
const SNAPSHOTS: &str = "snapshots are what the log comes to";

/// What somebody does to a database.
type Change = fn(&Connection);

/// Folds so many rows of the log.
fn fold_rows(connection: &Connection, rows: usize) {
    let past = PastStates::new(1 << 20);
    let folded = fold::read(connection, &past, rows).expect("the log is read");
    if let Some(folded) = folded {
        fold::write(connection, &folded).expect("the books are written");
    }
}

#[test]
fn each_change_of_the_books_is_named() {
    let books = sound();
    breaks(
        &books,
        "folded",
        |connection| fold_rows(connection, 10_000),
        &[],
    );
    breaks(
        &books,
        "half-folded",
        |connection| fold_rows(connection, 40),
        &[],
    );
    for (name, change) in [
        (
            "posting",
            "UPDATE book_postings SET high = high + 1 WHERE debit = 1",
        ),
        ("posting-gone", "DELETE FROM book_postings WHERE reason = 7"),
        (
            "reason",
            "UPDATE book_postings SET reason = 8 WHERE reason = 7",
        ),
        (
            "count",
            "UPDATE book_transactions SET transactions = transactions + 1",
        ),
        ("slot", "UPDATE book_transactions SET slot = slot + 1000"),
        ("lot", "UPDATE book_lots SET low = low + 1"),
        ("quarter", "UPDATE book_slots SET first_id = first_id + 1"),
        ("ahead", "UPDATE book_fold SET folded_to = folded_to - 1"),
    ] {
        let changed = |connection: &Connection| {
            fold_rows(connection, 10_000);
            assert!(connection.execute(change, []).expect(change) > 0);
        };
        breaks(&books, name, changed, &[BOOKS]);
    }
}

#[test]
fn each_change_of_a_snapshot_is_named() {
    let mut books = Books::with_wallets(Sqlite::new("verify-snapshots"), 1);
    let gift = credit(5_000, FundingType::Promotional);
    books.run(1, &gift).expect("a credit");
    for _ in 0..2_050 {
        books.run(1, &debit(1)).expect("a debit");
    }
    books.commit().expect("a commit");
    assert_eq!(audit(books.store.path()).violations, []);
    breaks(
        &books,
        "taken",
        |connection| fold_rows(connection, 10_000),
        &[],
    );
    let cases: [(&str, Change); 3] = [
        ("flipped", |connection| {
            let sql = "UPDATE snapshots SET checksum = zeroblob(32) WHERE version = 1000";
            connection.execute(sql, []).expect(sql);
        }),
        // Whole, and of its row: only the log says that it is wrong.
        ("forged", |connection| {
            let sql = "SELECT state FROM snapshots WHERE version = 2000";
            let bytes: Vec<u8> = connection.query_row(sql, [], |row| row.get(0)).expect(sql);
            let mut state = decode_state(&bytes).expect("a state");
            state.seq -= 1;
            let bytes = encode_state(&state);
            let sql = "UPDATE snapshots SET checksum = ?1, state = ?2 WHERE version = 2000";
            let checksum = blake3::hash(&bytes);
            let values = (checksum.as_bytes().as_slice(), bytes.as_slice());
            connection.execute(sql, values).expect(sql);
        }),
        ("misplaced", |connection| {
            let sql = "UPDATE snapshots SET version = 2050 WHERE version = 2000";
            connection.execute(sql, []).expect(sql);
        }),
    ];
    for (name, change) in cases {
        let changed = |connection: &Connection| {
            fold_rows(connection, 10_000);
            change(connection);
        };
        breaks(&books, name, changed, &[SNAPSHOTS]);
    }
}
