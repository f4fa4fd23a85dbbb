//! The self-audit, audited: on a copy of a sound database each change breaks a rule, and `verify` names it.

use crate::books::{Books, units};
use crate::scripted::{capture, credit, debit, expiring_credit, forced_debit, hold, refund};
use crate::stores::{Sqlite, TestStore};
use std::path::{Path, PathBuf};
use tillbox_core::amount::Amount;
use tillbox_core::command::{AfterCapture, Command};
use tillbox_core::entry::{Entry, EntryKind, encode_body};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{EntryId, WalletId};
use tillbox_core::lot::FundingType;
use tillbox_store::sqlite::verify::{Report, verify};
use tillbox_store::sqlite::{self, Connection};

/// A database with a row of every kind, in two wallets.
fn sound() -> Books<Sqlite> {
    let mut books = Books::with_wallets(Sqlite::new("verify"), 2);
    for wallet in [1, 2] {
        let mut run = |command: &Command| books.run(wallet, command).expect("a command");
        run(&credit(10, FundingType::Cash));
        run(&expiring_credit(5, 100));
        let spent = run(&debit(3));
        let first = run(&hold(4, 50)).event.hold.expect("a hold").id;
        let second = run(&hold(6, 500)).event.hold.expect("a hold").id;
        run(&capture(first, Some(units(1)), AfterCapture::StayOpen));
        run(&debit(6));
        run(&forced_debit(30));
        run(&credit(8, FundingType::Promotional));
        run(&refund(spent.id, Some(units(2))));
        run(&capture(second, Some(units(2)), AfterCapture::End));
        books.now = books.now.plus_seconds(60);
        let mut run = |command: &Command| books.run(wallet, command).expect("a command");
        run(&credit(60, FundingType::Cash));
        run(&expiring_credit(7, 100));
        run(&hold(9, 1_000));
        run(&expiring_credit(2, 150));
        books.now = books.now.plus_seconds(200);
        let mut run = |command: &Command| books.run(wallet, command).expect("a command");
        run(&Command::SetOverdraftLimit(units(3)));
        run(&debit(1));
    }
    books.commit_and_compare();
    books
}

fn audit(path: &Path) -> Report {
    verify(path, &mut |_progress| {}).expect("the audit runs")
}

fn copy(books: &Books<Sqlite>, name: &str) -> (PathBuf, Connection) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}-broken-{name}.db", std::process::id()));
    drop(std::fs::remove_file(&path));
    let source = Connection::open(books.store.path()).expect("opens");
    let target = path.to_str().expect("a path");
    source.execute("VACUUM INTO ?1", [target]).expect("a copy");
    let copy = Connection::open(&path).expect("opens");
    copy.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA journal_mode = WAL;")
        .expect("pragmas");
    (path, copy)
}

/// Makes `change` in a copy, and expects exactly these rules to be named.
fn breaks(books: &Books<Sqlite>, name: &str, change: impl FnOnce(&Connection), rules: &[&str]) {
    let (path, connection) = copy(books, name);
    change(&connection);
    let report = audit(&path);
    let mut found: Vec<&str> = report
        .violations
        .iter()
        .map(|found| found.invariant)
        .collect();
    found.sort_unstable();
    let mut rules = rules.to_vec();
    rules.sort_unstable();
    assert_eq!(found, rules, "{name}: {report}");
    drop(connection);
    for ending in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{ending}", path.display())));
    }
}

/// Runs a statement that changes one row or more.
fn sql(text: &str) -> impl FnOnce(&Connection) {
    move |connection| {
        assert!(
            connection.execute(text, []).expect(text) > 0,
            "{text} met no row"
        );
    }
}

/// Changes rows of the first wallet, writes them back, and hashes its chain anew, as a forger would.
fn forge(change: impl FnOnce(&mut Vec<Entry>)) -> impl FnOnce(&Connection) {
    move |connection| {
        let wallet = WalletId::from_number(1);
        let mut rows = sqlite::log::read(connection, wallet, 0, usize::MAX).expect("rows");
        change(&mut rows);
        let mut head = [0; 32];
        for row in &mut rows {
            row.hash = row.chained_after(&head);
            head = row.hash;
            let mut body = Vec::new();
            encode_body(row, &mut body);
            let sql = "UPDATE log SET version = ?2, seq = ?3, amount = ?4, balance_after = ?5, at = ?6, body = ?7, hash = ?8 WHERE id = ?1";
            let numbers = (
                row.id.number(),
                row.version,
                row.seq,
                row.event.amount.micros(),
                row.balance_after.micros(),
                row.at.micros(),
                body,
                row.hash,
            );
            assert_eq!(connection.execute(sql, numbers).expect("an update"), 1);
        }
        connection
            .execute(
                "UPDATE wallet_states SET head = ?1 WHERE wallet_id = 1",
                [head],
            )
            .expect("an update");
    }
}

fn of_kind(rows: &mut [Entry], kind: EntryKind) -> &mut Entry {
    let mut rows = rows.iter_mut();
    rows.find(|row| row.event.kind == kind)
        .expect("a row of that kind")
}

const STATE: &str = "the stored state is what the log comes to";
const LOTS: &str = "stored lots are what the log comes to";
const HOLDS: &str = "stored holds are what the log comes to";
const CHAIN: &str = "the chain holds";
const KEYS: &str = "every key leads to its row";
const REFUNDS: &str = "refunds are stored beside the log";
const PAYMENTS: &str = "payments of debt are stored beside the log";

#[test]
fn a_sound_database_has_no_violations() {
    let mut books = sound();
    let mut last = None;
    let report = verify(books.store.path(), &mut |progress| last = Some(progress));
    let report = report.expect("the audit runs");
    assert_eq!(report.violations, vec![], "{report}");
    let rows = [1, 2].map(|id| books.store.log(WalletId::from_number(id)).len());
    let rows = u64::try_from(rows.iter().sum::<usize>()).expect("a count");
    assert_eq!((report.rows, report.wallets), (rows, 2));
    let last = last.expect("progress");
    assert_eq!((last.rows, last.rows_total), (rows, rows));
    assert!(report.to_json().contains("\"ok\":true"));
}

#[test]
fn each_change_of_a_derived_table_is_named() {
    let books = sound();
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "balance",
            "UPDATE wallet_states SET balance = balance + 1 WHERE wallet_id = 2",
            &[STATE],
        ),
        (
            "held",
            "UPDATE wallet_states SET held = held - 1 WHERE wallet_id = 2",
            &[STATE],
        ),
        (
            "due",
            "UPDATE wallet_states SET next_due_at = NULL WHERE wallet_id = 2",
            &[STATE],
        ),
        (
            "head",
            "UPDATE wallet_states SET head = zeroblob(32) WHERE wallet_id = 2",
            &[STATE],
        ),
        (
            "no-state",
            "DELETE FROM wallet_states WHERE wallet_id = 2",
            &[STATE],
        ),
        (
            "owner",
            "UPDATE wallet_states SET merchant_id = 9 WHERE wallet_id = 2",
            &[STATE],
        ),
        (
            "closed",
            "UPDATE wallets SET closed = 1 WHERE id = 2",
            &[STATE],
        ),
        (
            "limit",
            "UPDATE wallet_states SET overdraft_limit = 1 WHERE wallet_id = 2",
            &[STATE],
        ),
        (
            "lot",
            "UPDATE lots SET remaining = remaining + 1 WHERE id = (SELECT max(id) FROM lots)",
            &[LOTS],
        ),
        (
            "lot-gone",
            "DELETE FROM lots WHERE id = (SELECT min(id) FROM lots)",
            &[LOTS],
        ),
        (
            "lot-more",
            "INSERT INTO lots SELECT 1, 2, funding, 1, 1, NULL, 1, 5, 5, 1, NULL, 5, 0 FROM lots LIMIT 1",
            &[LOTS],
        ),
        (
            "lot-text",
            "UPDATE lots SET amount = 'much' WHERE id = (SELECT min(id) FROM lots)",
            &[LOTS],
        ),
        (
            "hold",
            "UPDATE holds SET captured = captured + 1 WHERE id = (SELECT max(id) FROM holds)",
            &[HOLDS],
        ),
        (
            "hold-parts",
            "UPDATE holds SET parts = x'00' WHERE id = (SELECT max(id) FROM holds)",
            &[HOLDS],
        ),
        (
            "hold-gone",
            "DELETE FROM holds WHERE id = (SELECT min(id) FROM holds)",
            &[HOLDS],
        ),
        (
            "key-gone",
            "DELETE FROM keys WHERE key = (SELECT min(key) FROM keys)",
            &[KEYS],
        ),
        ("key-more", "INSERT INTO keys VALUES (x'00', 5)", &[KEYS]),
        (
            "key-moved",
            "UPDATE keys SET entry_id = entry_id + 1 WHERE key = (SELECT min(key) FROM keys)",
            &[KEYS],
        ),
        (
            "answer",
            "INSERT INTO answers SELECT key, key, 200, '' FROM keys LIMIT 1",
            &["a key has a row or an answer"],
        ),
        (
            "refund",
            "UPDATE refunds SET amount = amount - 1",
            &[REFUNDS],
        ),
        ("refund-gone", "DELETE FROM refunds", &[REFUNDS]),
        (
            "refund-more",
            "INSERT INTO refunds VALUES (77, 78, 1)",
            &[REFUNDS],
        ),
        (
            "payment",
            "UPDATE debt_payments SET lot_id = lot_id + 1",
            &[PAYMENTS],
        ),
        (
            "payment-gone",
            "DELETE FROM debt_payments WHERE wallet_id = 2 AND debt_from = 0",
            &[PAYMENTS],
        ),
        (
            "payment-more",
            "INSERT INTO debt_payments VALUES (2, 999999999, 1, 1, 1)",
            &[PAYMENTS],
        ),
        (
            "merchant",
            "UPDATE log SET merchant_id = 9 WHERE wallet_id = 2 AND version = 3",
            &["every row has its merchant"],
        ),
    ];
    for (name, text, rules) in cases {
        breaks(&books, name, sql(text), rules);
    }
}

#[test]
fn each_change_of_the_log_is_named() {
    let books = sound();
    let text = "free text is what the chain holds";
    let unreadable = "every row is readable";
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "described",
            "UPDATE log SET description = 'nothing' WHERE wallet_id = 2 AND version = 3",
            &[CHAIN],
        ),
        (
            "text-added",
            "UPDATE log SET description = 'more' WHERE wallet_id = 2 AND version = 1",
            &[text],
        ),
        (
            "key-changed",
            "UPDATE log SET fingerprint = zeroblob(16) WHERE wallet_id = 2 AND version = 3",
            &[CHAIN],
        ),
        (
            "hash",
            "UPDATE log SET hash = zeroblob(32) WHERE wallet_id = 2 AND version = 3",
            &[CHAIN],
        ),
        (
            "body",
            "UPDATE log SET body = x'01' WHERE wallet_id = 2 AND version = 3",
            &[unreadable],
        ),
        (
            "kind",
            "UPDATE log SET kind = 99 WHERE wallet_id = 2 AND version = 3",
            &[unreadable],
        ),
        (
            "amount-text",
            "UPDATE log SET amount = 'much' WHERE wallet_id = 2 AND version = 3",
            &[unreadable],
        ),
        (
            "late",
            "UPDATE log SET at = at + 1 WHERE wallet_id = 2 AND version = 3",
            &[CHAIN, "time never goes backwards"],
        ),
    ];
    for (name, text, rules) in cases {
        breaks(&books, name, sql(text), rules);
    }
    let erased = "the text of a row may be erased";
    breaks(
        &books,
        "erased",
        |connection| {
            let rows = sqlite::log::read(connection, WalletId::from_number(2), 2, 1).expect(erased);
            let commitment = rows[0].note_commitment.expect(erased);
            let sql = "UPDATE log SET description = NULL, reference = NULL, metadata = NULL, salt = ?1 WHERE id = ?2";
            connection
                .execute(sql, (commitment, rows[0].id.number()))
                .expect(erased);
        },
        &[],
    );
}

#[test]
fn each_forged_row_is_named() {
    let books = sound();
    let case = |name: &str, change: fn(&mut Vec<Entry>), rules: &[&str]| {
        breaks(&books, name, forge(change), rules);
    };
    case(
        "gap",
        |rows| rows.last_mut().expect("a row").version += 1,
        &["versions have no gaps", STATE],
    );
    case(
        "seq",
        |rows| {
            let last = rows.last_mut().expect("a row");
            last.seq = last.seq.map(|seq| seq + 1);
        },
        &["transactions are numbered without gaps", STATE],
    );
    case(
        "time",
        |rows| {
            let place = rows
                .iter()
                .position(|row| row.event.kind == EntryKind::Debit)
                .expect("a debit");
            rows[place].at = rows[place].at.plus_seconds(-1);
        },
        &["time never goes backwards"],
    );
    case(
        "after",
        |rows| {
            of_kind(rows, EntryKind::HoldPlaced).balance_after += Amount::from_micros(1);
        },
        &["balance after = balance before + amount"],
    );
    case(
        "amount",
        |rows| {
            for row in rows.iter_mut().skip(2) {
                row.balance_after += Amount::from_micros(1);
            }
            rows[2].event.amount += Amount::from_micros(1);
        },
        &[
            "amount = sum of its parts",
            "balance = Σ remaining of lots − debt",
            STATE,
        ],
    );
    case(
        "unknown-lot",
        |rows| {
            let debit = of_kind(rows, EntryKind::Debit);
            debit.event.parts[0].lot.created_at = debit.at.plus_seconds(9);
        },
        &["parts name lots that the log opened"],
    );
    case(
        "lot-filled",
        |rows| {
            rows[0].event.lots[0].remaining = Amount::from_micros(1);
        },
        &["a lot is opened once, empty"],
    );
    case(
        "lot-bounds",
        |rows| {
            rows[0].event.lots[0].amount -= Amount::from_micros(1);
        },
        &["0 ≤ held ≤ remaining ≤ amount of each lot"],
    );
    case(
        "expired",
        |rows| {
            let lot = &mut rows[1].event.lots[0];
            let before = lot.draw_key();
            lot.expires_at = Some(lot.created_at);
            let after = lot.draw_key();
            let parts = rows.iter_mut().flat_map(|row| &mut row.event.parts);
            for part in parts.filter(|part| part.lot == before) {
                part.lot = after;
            }
        },
        &["no value of an expired lot, unless a hold reserved it before"],
    );
    case(
        "over-expiry",
        |rows| {
            let row = of_kind(rows, EntryKind::LotExpired);
            row.event.effective_at = None;
            row.event.parts[0].amount += Amount::from_micros(1);
        },
        &[
            "amount = sum of its parts",
            "expiry takes the unheld remainder of its lot",
        ],
    );
    case(
        "over-captured",
        |rows| {
            let row = of_kind(rows, EntryKind::HoldCaptured);
            let hold = row.event.hold.as_mut().expect("a hold");
            hold.captured = hold.amount + Amount::from_micros(1);
        },
        &["captured + released ≤ hold, and the rest is reserved"],
    );
    case(
        "ended-twice",
        |rows| {
            let ended = rows.iter().rev().find_map(|row| {
                row.event
                    .hold
                    .filter(|hold| hold.status != HoldStatus::Open)
            });
            let mut again = ended.expect("a hold that ended");
            again.status = HoldStatus::Released;
            rows.last_mut().expect("a row").event.hold = Some(again);
        },
        &["a hold ends once"],
    );
    case(
        "debt",
        |rows| {
            let forced = rows
                .iter_mut()
                .find(|row| row.event.debt_made.is_some())
                .expect("a debt");
            forced.event.debt_made.as_mut().expect("a debt").from += Amount::from_micros(1);
        },
        &["debt is made, paid and canceled in order"],
    );
    case(
        "range",
        |rows| {
            rows[0].event.amount = Amount::from_micros(i64::MIN);
            rows[0].event.parts[0].amount = Amount::from_micros(i64::MAX);
            rows[0].event.parts[0].held = Amount::from_micros(i64::MIN);
            rows[0].event.parts[0].pays_debt_from = Some(Amount::from_micros(i64::MAX));
        },
        &[
            "amount = sum of its parts",
            "balance after = balance before + amount",
            "debt is made, paid and canceled in order",
            PAYMENTS,
        ],
    );
    case(
        "refund-of",
        |rows| {
            of_kind(rows, EntryKind::Refund).event.refund_of = Some(EntryId::from_number(5));
        },
        &["refunds of a debit never pass the debit", REFUNDS],
    );
}

/// Long enough for several snapshots of one wallet, whose state moves while its rows are read.
#[test]
fn a_running_writer_makes_no_violations() {
    let mut books = Books::with_wallets(Sqlite::new("verify-beside"), 2);
    let path = books.store.path().to_owned();
    books
        .run(1, &credit(1_000_000, FundingType::Cash))
        .expect("a credit");
    books.commit().expect("a commit");
    let largest = std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for _ in 0..60 {
                for _ in 0..400 {
                    books.run(1, &debit(1)).expect("a debit");
                }
                books
                    .run(2, &credit(1, FundingType::Cash))
                    .expect("a credit");
                books.commit().expect("a commit");
            }
            // The files stay until the last audit is done.
            books
        });
        while !writer.is_finished() {
            let report = audit(&path);
            assert_eq!(report.violations, vec![], "{report}");
        }
        let books = writer.join().expect("the writer ends");
        let report = audit(&path);
        drop(books);
        assert_eq!(report.violations, vec![], "{report}");
        report.rows
    });
    assert_eq!(largest, 1 + 60 * 401);
}
