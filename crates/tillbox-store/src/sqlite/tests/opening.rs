//! Opening: what is refused, and how the writer is set.

use super::{Folder, Plain, url};
use crate::error::StoreError;
use crate::sqlite::migrations::MIGRATIONS;
use crate::sqlite::{Connection, SqliteStore, path_of};
use std::path::PathBuf;

fn refusal(url: &str) -> String {
    match SqliteStore::open(url) {
        Err(StoreError::Unavailable(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{url} opened"),
    }
}

#[test]
fn a_url_names_a_file() {
    assert_eq!(
        path_of("sqlite:a/b.db").expect("a path"),
        PathBuf::from("a/b.db")
    );
    assert_eq!(
        path_of("sqlite:///a/b.db").expect("a path"),
        PathBuf::from("/a/b.db")
    );
    for wrong in [
        "",
        "a/b.db",
        "sqlite:",
        "sqlite://",
        "postgres://localhost/x",
    ] {
        assert!(path_of(wrong).is_err(), "{wrong}");
    }
    let memory = refusal("sqlite::memory:");
    assert!(memory.contains("must outlive the process"), "{memory}");
}

#[test]
fn a_missing_folder_is_made() {
    let folder = Folder::new();
    let path = folder.0.join("one/two/tillbox.db");
    let (_store, _writer) = SqliteStore::open(&url(&path)).expect("opens");
    assert!(path.exists());
}

#[test]
fn a_name_that_looks_like_a_uri_is_a_file_all_the_same() {
    let folder = Folder::new();
    let path = folder.0.join("file:x?mode=memory");
    let (_store, _writer) = SqliteStore::open(&url(&path)).expect("opens");
    assert!(path.exists());
}

#[test]
fn a_folder_is_no_database() {
    let folder = Folder::new();
    let why = refusal(&url(&folder.0));
    assert!(why.contains("is a folder"), "{why}");
}

#[test]
fn a_second_opening_is_refused_by_name_until_the_first_ends() {
    let folder = Folder::new();
    let first = SqliteStore::open(&folder.url()).expect("opens");
    let why = refusal(&folder.url());
    let lock = format!("{}.lock", folder.file().display());
    assert!(why.contains(&lock), "{why}");
    drop(first);
    SqliteStore::open(&folder.url()).expect("opens again");
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_leads_to_the_same_lock() {
    let folder = Folder::new();
    let _first = SqliteStore::open(&folder.url()).expect("opens");
    let link = folder.0.join("link.db");
    std::os::unix::fs::symlink(folder.file(), &link).expect("a link");
    let why = refusal(&url(&link));
    assert!(why.contains("tillbox.db.lock"), "{why}");
}

#[test]
fn the_writer_is_durable_and_bounded() {
    let plain = Plain::new();
    let number = |pragma: &str| -> i64 {
        let query = format!("PRAGMA {pragma}");
        let value = plain.writer.query_row(&query, [], |row| row.get(0));
        value.expect(pragma)
    };
    let mode: String = plain
        .writer
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .expect("a mode");
    assert_eq!(mode, "wal");
    assert_eq!(number("synchronous"), 2, "FULL");
    assert_eq!(number("foreign_keys"), 0);
    assert_eq!(number("wal_autocheckpoint"), 1_000);
    assert_eq!(number("cache_size"), -16_384);
    assert_eq!(number("temp_store"), 2, "MEMORY");
    assert_eq!(number("busy_timeout"), 5_000);
}

fn reopened_after(change: &str) -> StoreError {
    let folder = Folder::new();
    let (store, writer) = SqliteStore::open(&folder.url()).expect("opens");
    writer.execute_batch(change).expect("changes");
    drop((store, writer));
    match SqliteStore::open(&folder.url()) {
        Err(why) => why,
        Ok(_) => panic!("opened after {change}"),
    }
}

#[test]
fn migrations_run_once() {
    let folder = Folder::new();
    for _ in 0..2 {
        let (_store, writer) = SqliteStore::open(&folder.url()).expect("opens");
        let count = |writer: &Connection| {
            writer.query_row("SELECT count(*) FROM migrations", [], |row| {
                row.get::<_, i64>(0)
            })
        };
        let all = i64::try_from(MIGRATIONS.len()).expect("few");
        assert_eq!(count(&writer).expect("counts"), all);
    }
}

#[test]
fn a_migration_that_changed_since_is_refused() {
    let why = reopened_after("UPDATE migrations SET checksum = zeroblob(32) WHERE number = 1");
    assert!(matches!(why, StoreError::Corrupt { .. }), "{why}");
    assert!(why.to_string().contains("migration 1 (first)"), "{why}");
}

#[test]
fn a_schema_of_a_later_version_is_refused() {
    let why = reopened_after("INSERT INTO migrations VALUES (1000, 'later', zeroblob(32))");
    assert!(why.to_string().contains("later version"), "{why}");
}

#[test]
fn verify_says_what_to_do_with_a_schema_of_an_older_version() {
    let folder = Folder::new();
    let (_store, writer) = SqliteStore::open(&folder.url()).expect("opens");
    writer
        .execute(
            "DELETE FROM migrations WHERE number = (SELECT max(number) FROM migrations)",
            [],
        )
        .expect("forgets");
    let why = crate::sqlite::verify::verify(&folder.file(), &mut |_now| {});
    let why = why.expect_err("it is older");
    assert!(why.to_string().contains("older version"), "{why}");
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = Folder::new();
    let other = Connection::open(folder.file()).expect("opens");
    other
        .execute_batch("CREATE TABLE recipes (name TEXT)")
        .expect("a table");
    assert!(refusal(&folder.url()).contains("another program"));
    let audit = crate::sqlite::verify::verify(&folder.file(), &mut |_progress| {});
    let why = audit.expect_err("no ledger").to_string();
    assert!(why.contains("holds no ledger"), "{why}");
    let tables: i64 = other
        .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(tables, 1);
}

#[test]
fn the_highest_id_is_found_in_every_table() {
    let tables = [
        "INSERT INTO merchants VALUES (9000, 'M', 0, '{}', 0, 0)",
        "INSERT INTO api_keys VALUES (9000, 1, 'K', x'01', 'hint', 'all', 0, NULL)",
        "INSERT INTO customers VALUES (1, 9000, 'C', NULL, NULL, 'en', '{}', 0, 0, NULL)",
        "INSERT INTO prices VALUES (1, 9000, 'k', 'USD', 'unit', 1, 1, 1, 0, 'up', 'k', NULL, NULL, 1, 1, 0)",
        "INSERT INTO wallets (id, merchant_id, customer_id, currency, language, metadata, initial_status, initial_overdraft_limit, created_at, updated_at) \
         VALUES (9000, 1, 1, 'USD', 'en', '{}', 1, 0, 0, 0)",
        "INSERT INTO lots (id, wallet_id, funding, withdrawable, priority, created_at, amount, cost_basis, source, remaining, held, open) \
         VALUES (9000, 1, 1, 1, 50, 0, 1, 1, 1, 1, 0, 1)",
        "INSERT INTO log (id, merchant_id, wallet_id, version, kind, reason, amount, balance_after, at, body, hash) \
         VALUES (9000, 1, 1, 1, 12, 0, 0, 0, 0, x'', x'')",
        "INSERT INTO outbox VALUES (9000, 1, 1, 'wallet.updated', 0, '{}')",
    ];
    assert_eq!(Plain::new().store.highest_id().expect("reads"), 0);
    for insert in tables {
        let plain = Plain::new();
        let merchant = "INSERT OR IGNORE INTO merchants VALUES (1, 'M', 0, '{}', 0, 0)";
        plain.writer.execute_batch(merchant).expect(merchant);
        plain.writer.execute_batch(insert).expect(insert);
        assert_eq!(plain.store.highest_id().expect("reads"), 9_000, "{insert}");
    }
}

/// The log has no index by wallet: `log_of_wallets` has, of what is folded, and `log::read` reads on behind that. Who
/// reads the former has the wallet shown before (`Engine::show`).
#[test]
fn no_query_looks_through_the_whole_log_for_the_rows_of_a_wallet() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite");
    let mut folders = vec![folder];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for one in std::fs::read_dir(folder).expect("a folder") {
            let path = one.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a text");
            for by_wallet in ["wallet_id = ", "log.wallet_id = "] {
                if text.contains(&format!("FROM log WHERE {by_wallet}")) {
                    found.push(path.clone());
                }
            }
        }
    }
    assert_eq!(found, Vec::<std::path::PathBuf>::new());
}
