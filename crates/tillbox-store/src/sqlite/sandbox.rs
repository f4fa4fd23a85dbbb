//! What the sandbox provider keeps: objects as JSON, found by id, by key, or by what they are about.

use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tillbox_core::id::MerchantId;

/// An object of the sandbox provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxObject {
    /// Its id, such as `pi_…`.
    pub id: String,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// What it is.
    pub kind: String,
    /// The idempotency key that made it; unique for a merchant and kind.
    pub key: Option<String>,
    /// The number of what it is about, such as a top-up.
    pub about: Option<i64>,
    /// Everything else, as JSON.
    pub body: String,
}

const COLUMNS: &str = "id, merchant_id, kind, key, about, body";

fn from_row(row: &Row<'_>) -> rusqlite::Result<SandboxObject> {
    Ok(SandboxObject {
        id: row.get(0)?,
        merchant_id: MerchantId::from_number(row.get(1)?),
        kind: row.get(2)?,
        key: row.get(3)?,
        about: row.get(4)?,
        body: row.get(5)?,
    })
}

/// The object of that id and kind.
pub fn get(
    connection: &Connection,
    kind: &str,
    id: &str,
) -> Result<Option<SandboxObject>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM sandbox_objects WHERE id = ?1 AND kind = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_row(params![id, kind], from_row)
        .optional()?)
}

/// The object that a key has made.
pub fn by_key(
    connection: &Connection,
    merchant: MerchantId,
    kind: &str,
    key: &str,
) -> Result<Option<SandboxObject>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sandbox_objects WHERE merchant_id = ?1 AND kind = ?2 AND key = ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = params![merchant.number(), kind, key];
    Ok(statement.query_row(values, from_row).optional()?)
}

/// The objects about something, oldest first.
pub fn about(
    connection: &Connection,
    merchant: MerchantId,
    kind: &str,
    about: i64,
) -> Result<Vec<SandboxObject>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sandbox_objects WHERE merchant_id = ?1 AND kind = ?2 AND about = ?3 ORDER BY id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![merchant.number(), kind, about], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The objects of a kind that are about something, with ids behind `after`, oldest first.
pub fn about_behind(
    connection: &Connection,
    merchant: MerchantId,
    kind: &str,
    after: &str,
    rows: usize,
) -> Result<Vec<SandboxObject>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sandbox_objects WHERE merchant_id = ?1 AND kind = ?2 AND about IS NOT NULL AND id > ?3 ORDER BY id LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = params![merchant.number(), kind, after, super::limit(rows)];
    let found = statement.query_map(values, from_row)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Puts an object, in place of one of the same id.
pub fn put(connection: &Connection, object: &SandboxObject) -> Result<(), StoreError> {
    let sql = "INSERT INTO sandbox_objects (id, merchant_id, kind, key, about, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (id) DO UPDATE SET body = excluded.body";
    connection.prepare_cached(sql)?.execute(params![
        object.id,
        object.merchant_id.number(),
        object.kind,
        object.key,
        object.about,
        object.body
    ])?;
    Ok(())
}

/// What waits to be told, of all merchants, oldest first.
pub fn notices(connection: &Connection, rows: usize) -> Result<Vec<SandboxObject>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM sandbox_objects WHERE kind = 'notice' ORDER BY id LIMIT ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([super::limit(rows)], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Takes an object away.
pub fn remove(connection: &Connection, id: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM sandbox_objects WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}
