//! Migrations: numbered, forward only, each in a transaction of its own, held by a checksum.

use super::rows::corrupt;
use crate::error::StoreError;
use rusqlite::{Connection, params};

/// All of them, in order. What has been released is never changed: a change is a new one.
pub(super) const MIGRATIONS: &[(&str, &str)] = &[
    ("first", include_str!("migrations/0001_first.sql")),
    ("top_ups", include_str!("migrations/0002_top_ups.sql")),
    ("payments", include_str!("migrations/0003_payments.sql")),
    ("portal", include_str!("migrations/0004_portal.sql")),
    ("outbox", include_str!("migrations/0005_outbox.sql")),
    (
        "payment_links",
        include_str!("migrations/0006_payment_links.sql"),
    ),
    ("log_head", include_str!("migrations/0007_log_head.sql")),
    ("audit_log", include_str!("migrations/0008_audit_log.sql")),
    ("erasures", include_str!("migrations/0009_erasures.sql")),
    ("trail", include_str!("migrations/0010_trail.sql")),
    (
        "lot_warnings",
        include_str!("migrations/0011_lot_warnings.sql"),
    ),
    ("books", include_str!("migrations/0012_books.sql")),
    ("paybacks", include_str!("migrations/0013_paybacks.sql")),
    ("given_up", include_str!("migrations/0014_given_up.sql")),
    ("deeds", include_str!("migrations/0015_deeds.sql")),
    ("key_runs", include_str!("migrations/0016_key_runs.sql")),
    ("checks", include_str!("migrations/0017_checks.sql")),
];

/// Whether a file is a ledger, could become one, or is something else's.
pub(super) enum Contents {
    Ledger,
    Nothing,
    SomethingElse,
}

/// Looks at the tables that are there.
pub(super) fn contents(connection: &Connection) -> Result<Contents, StoreError> {
    let sql = "SELECT count(*), coalesce(sum(name = 'migrations'), 0) FROM sqlite_master WHERE type = 'table'";
    let (tables, ours): (i64, i64) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(match (tables, ours) {
        (0, _) => Contents::Nothing,
        (_, 0) => Contents::SomethingElse,
        _ => Contents::Ledger,
    })
}

/// Refuses a database of another program, before anything of it is changed.
pub(super) fn refuse_foreign(connection: &Connection) -> Result<(), StoreError> {
    match contents(connection)? {
        Contents::Ledger | Contents::Nothing => Ok(()),
        Contents::SomethingElse => Err(StoreError::Unavailable(
            "the file is a database of another program: name another file".to_owned(),
        )),
    }
}

/// Brings the schema up to date. A schema of a later version, and one whose past differs, is refused.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    connection.execute_batch("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL)")?;
    let applied = applied(connection)?;
    for (number, (name, sql)) in (1_i64..).zip(MIGRATIONS).skip(applied) {
        let tx = connection.transaction()?;
        tx.execute_batch(sql)?;
        let checksum = *blake3::hash(sql.as_bytes()).as_bytes();
        tx.execute(
            "INSERT INTO migrations (number, name, checksum) VALUES (?1, ?2, ?3)",
            params![number, name, checksum],
        )?;
        tx.commit()?;
    }
    Ok(())
}

/// Refuses a schema that is not that of this version, where it is not to be changed.
pub(super) fn expect_current(connection: &Connection) -> Result<(), StoreError> {
    if applied(connection)? == MIGRATIONS.len() {
        return Ok(());
    }
    Err(StoreError::Unavailable(
        "the database was written by an older version of Tillbox: start the server with it once, which brings it up to date"
            .to_owned(),
    ))
}

/// How many migrations were applied. One of a later version, and one that differs, is refused.
fn applied(connection: &Connection) -> Result<usize, StoreError> {
    let applied: Vec<(i64, String, [u8; 32])> = {
        let mut statement =
            connection.prepare("SELECT number, name, checksum FROM migrations ORDER BY number")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    if applied.len() > MIGRATIONS.len() {
        return Err(StoreError::Unavailable(
            "the database was written by a later version of Tillbox: use that one".to_owned(),
        ));
    }
    for ((number, name, checksum), (known, sql)) in applied.iter().zip(MIGRATIONS) {
        if name != known || *blake3::hash(sql.as_bytes()).as_bytes() != *checksum {
            return Err(corrupt(format!(
                "migration {number} ({name}) is not the one that this version knows"
            )));
        }
    }
    Ok(applied.len())
}
