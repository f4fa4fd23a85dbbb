//! The outbox: wallets that come into being, and those that were there before it.

use super::Folder;
use crate::sqlite::migrations::MIGRATIONS;
use crate::sqlite::{Connection, SqliteStore};

/// A database as versions before the outbox left it, with two wallets and a row that moved no money.
fn from_before(folder: &Folder) {
    let connection = Connection::open(folder.file()).expect("opens");
    let table = "CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL)";
    connection.execute_batch(table).expect("a table");
    let before = MIGRATIONS.iter().take_while(|(name, _)| *name != "outbox");
    for ((name, sql), number) in before.zip(1_i64..) {
        connection.execute_batch(sql).expect(name);
        let checksum = *blake3::hash(sql.as_bytes()).as_bytes();
        let values = rusqlite::params![number, name, checksum];
        let insert = "INSERT INTO migrations VALUES (?1, ?2, ?3)";
        connection.execute(insert, values).expect(name);
    }
    let rows = "INSERT INTO wallets (id, merchant_id, customer_id, currency, language, name, metadata, initial_status, initial_overdraft_limit, created_at, updated_at) \
         VALUES (10, 1, 1, 'USD', 'en', 'The \"first\"', '{\"plan\":1}', 1, 0, 5, 6), (20, 1, 2, 'USD', 'en', NULL, '{}', 1, 0, 7, 7); \
         INSERT INTO log (id, merchant_id, wallet_id, version, kind, reason, amount, balance_after, at, body, hash) \
         VALUES (11, 1, 10, 1, 12, 0, 0, 0, 0, x'', zeroblob(32)), (9000000000, 1, 10, 2, 13, 0, 0, 0, 0, x'', zeroblob(32))";
    connection.execute_batch(rows).expect("rows");
}

#[test]
fn a_database_from_before_the_outbox_is_told_of_whole() {
    let folder = Folder::new();
    from_before(&folder);
    let (store, _writer) = SqliteStore::open(&folder.url()).expect("opens");
    let told = store.read(|connection| {
        let mut statement =
            connection.prepare("SELECT id, wallet_id, type, at, data FROM outbox")?;
        let rows = statement.query_map([], |row| {
            let data: String = row.get(4)?;
            let event_type: String = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, event_type, row.get(3)?, data))
        })?;
        Ok(rows.collect::<rusqlite::Result<Vec<(i64, i64, String, i64, String)>>>()?)
    });
    let created = |id, at, data: &str| (id, id, "wallet.created".to_owned(), at, data.to_owned());
    assert_eq!(
        told.expect("reads"),
        [
            created(10, 5, r#"{"name":"The \"first\"","metadata":{"plan":1}}"#),
            created(20, 7, r#"{"name":null,"metadata":{}}"#),
        ]
    );
    let stretches = store.read(|connection| {
        let sql = "SELECT stretch, listed FROM log_stretches WHERE merchant_id = 1";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<Vec<(i64, i64)>>>()?)
    });
    assert_eq!(
        stretches.expect("reads"),
        [(0, 0), (4, 0)],
        "rows of all kinds"
    );
}
