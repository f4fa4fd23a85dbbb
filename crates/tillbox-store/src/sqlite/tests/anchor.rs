//! The anchor: a log that lost its end, or is another one, is not written on.

use super::{Folder, Ledger, OURS, usd};
use crate::error::StoreError;
use crate::sqlite::anchor::{self, Standing, compare, file_of};
use crate::sqlite::verify::verify;
use crate::sqlite::{Connection, SqliteLedger, SqliteStore, log_head};
use std::path::Path;
use tillbox_core::id::EntryId;
use tillbox_core::reason::Reason;

/// A database with `rows` rows, closed as a process that stops closes it, and a copy from before the last three.
fn with_copy(rows: usize) -> (Folder, std::path::PathBuf) {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    ledger.credit(wallet, None);
    for _ in 4..rows {
        ledger.debit(wallet, Reason::Usage, "before");
    }
    let copy = ledger.folder.0.join("copy.db");
    let target = copy.to_str().expect("a path").to_owned();
    let beside = Connection::open(ledger.folder.file()).expect("opens");
    beside.execute("VACUUM INTO ?1", [target]).expect("a copy");
    for _ in 0..3 {
        ledger.debit(wallet, Reason::Usage, "behind");
    }
    (ledger.close(), copy)
}

fn put_back(folder: &Folder, copy: &Path) {
    for ending in ["-wal", "-shm"] {
        drop(std::fs::remove_file(format!(
            "{}{ending}",
            folder.file().display()
        )));
    }
    std::fs::copy(copy, folder.file()).expect("the copy is put back");
}

fn refusal(folder: &Folder) -> String {
    match SqliteStore::open(&folder.url()) {
        Err(StoreError::Unavailable(why) | StoreError::Corrupt { what: why }) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    }
}

fn height(connection: &Connection) -> u64 {
    log_head::last(connection).expect("a head").height
}

#[test]
fn a_log_that_reaches_its_anchor_opens() {
    let (folder, _copy) = with_copy(9);
    let reader = Connection::open(folder.file()).expect("opens");
    let standing = compare(&folder.file(), &reader).expect("compares");
    let head = log_head::last(&reader).expect("a head");
    assert_eq!((standing, head.height), (Standing::Reaches(head), 9));
    // Ahead of it is right too: the process died before it wrote the next anchor.
    let sql = "SELECT id FROM log WHERE height = 6";
    let id = reader.query_row(sql, [], |row| row.get(0));
    let id = EntryId::from_number(id.expect("a row"));
    let earlier = log_head::at(&reader, id).expect("reads").expect("a head");
    anchor::write(&folder.file(), earlier).expect("written");
    let standing = compare(&folder.file(), &reader).expect("compares");
    assert_eq!(standing, Standing::Reaches(earlier));
    drop(reader);
    SqliteStore::open(&folder.url()).expect("opens");
}

#[test]
fn a_log_without_its_end_is_refused_until_it_is_accepted() {
    let (folder, copy) = with_copy(9);
    let (store, writer) = SqliteStore::open(&folder.url()).expect("opens");
    let highest = store.highest_id().expect("an id");
    drop((store, writer));
    put_back(&folder, &copy);
    let report = verify(&folder.file(), &mut |_progress| {}).expect("the audit runs");
    let named: Vec<_> = report
        .violations
        .iter()
        .map(|found| found.invariant)
        .collect();
    assert_eq!(named, ["the log reaches its anchor"], "{report}");
    for _ in 0..2 {
        let why = refusal(&folder);
        assert!(why.contains("there were 9 rows, there are 6"), "{why}");
        assert!(why.contains("--accept-restored"), "{why}");
    }
    let (store, writer) = SqliteStore::open_restored(&folder.url()).expect("opens");
    let noted = "SELECT anchored_height, height FROM restorations";
    let pair = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let noted: (i64, i64) = writer.query_row(noted, [], pair).expect("a note");
    assert_eq!(noted, (9, 6));
    let lost = store.highest_id().expect("an id");
    assert_eq!(lost, highest, "ids that were lost are not given again");
    drop((store, SqliteLedger::new(writer).expect("loads")));
    // The anchor is that of the copy from now on.
    let (_store, writer) = SqliteStore::open(&folder.url()).expect("opens");
    assert_eq!(height(&writer), 6);
}

#[test]
fn another_log_is_refused() {
    let (folder, _copy) = with_copy(9);
    let (other, _copy) = with_copy(11);
    std::fs::copy(file_of(&folder.file()), file_of(&other.file())).expect("copied");
    let writer = Connection::open(other.file()).expect("opens");
    let forged = "UPDATE log SET head = zeroblob(32) WHERE height = 9";
    assert_eq!(writer.execute(forged, []).expect("forged"), 1);
    drop(writer);
    let why = refusal(&other);
    assert!(why.contains("row 9 of 11 is another"), "{why}");
}

#[test]
fn a_database_that_is_gone_is_not_begun_anew() {
    let (folder, _copy) = with_copy(9);
    for ending in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(format!(
            "{}{ending}",
            folder.file().display()
        )));
    }
    let why = refusal(&folder);
    assert!(why.contains("there were 9 rows, there are 0"), "{why}");
}

#[test]
fn a_missing_anchor_is_made_and_an_unreadable_one_refused() {
    let (folder, _copy) = with_copy(9);
    let anchor = file_of(&folder.file());
    std::fs::remove_file(&anchor).expect("removed");
    let (store, writer) = SqliteStore::open(&folder.url()).expect("opens");
    drop((store, SqliteLedger::new(writer).expect("loads")));
    let text = std::fs::read_to_string(&anchor).expect("a new one");
    assert!(text.contains("\"height\":9"), "{text}");

    std::fs::write(&anchor, text.replace("\"height\":9", "\"height\":8")).expect("written");
    let why = refusal(&folder);
    assert!(why.contains("is not readable"), "{why}");
}

#[test]
fn rows_from_before_there_were_heads_are_taken_in_once() {
    let (folder, _copy) = with_copy(9);
    std::fs::remove_file(file_of(&folder.file())).expect("removed");
    let writer = Connection::open(folder.file()).expect("opens");
    writer
        .execute("UPDATE log SET head = NULL, height = NULL", [])
        .expect("as it was");
    drop(writer);
    let mut heads = Vec::new();
    for _ in 0..2 {
        let (_store, writer) = SqliteStore::open(&folder.url()).expect("opens");
        let sql = "SELECT count(head) FROM log";
        let count: i64 = writer.query_row(sql, [], |row| row.get(0)).expect("counts");
        heads.push((count, log_head::last(&writer).expect("a head")));
    }
    assert_eq!((heads[0].0, heads[0].1.height), (1, 9));
    assert_eq!(heads[0], heads[1]);
}
