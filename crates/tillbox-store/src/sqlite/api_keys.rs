//! API keys: hashes only.

use super::limit;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;
use tillbox_core::id::{ApiKeyId, MerchantId};
use tillbox_core::time::Timestamp;

/// A key as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Its id.
    pub id: ApiKeyId,
    /// The merchant that it belongs to.
    pub merchant_id: MerchantId,
    /// Its name, for people.
    pub name: String,
    /// BLAKE3 of the whole key.
    pub hash: [u8; 32],
    /// Its last characters, to tell it from others.
    pub hint: String,
    /// What it may do.
    pub scopes: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is void.
    pub revoked_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, merchant_id, name, hash, hint, scopes, created_at, revoked_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<ApiKeyRow> {
    Ok(ApiKeyRow {
        id: ApiKeyId::from_number(row.get(0)?),
        merchant_id: MerchantId::from_number(row.get(1)?),
        name: row.get(2)?,
        hash: row.get(3)?,
        hint: row.get(4)?,
        scopes: row.get(5)?,
        created_at: Timestamp::from_micros(row.get(6)?),
        revoked_at: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_micros),
    })
}

/// Adds one.
pub fn insert(connection: &Connection, row: &ApiKeyRow) -> Result<(), StoreError> {
    connection.execute(
        &format!("INSERT INTO api_keys ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
        params![
            row.id.number(),
            row.merchant_id.number(),
            row.name,
            row.hash,
            row.hint,
            row.scopes,
            row.created_at.micros(),
            row.revoked_at.map(Timestamp::micros)
        ],
    )?;
    Ok(())
}

/// The key of that hash, of whatever merchant, if it is valid: the hash is what tells the merchant.
pub fn find(connection: &Connection, hash: [u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE hash = ?1 AND revoked_at IS NULL");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([hash], from_row).optional()?)
}

/// Those of all merchants that are valid: what the server keeps in memory.
pub fn active(connection: &Connection) -> Result<Vec<ApiKeyRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE revoked_at IS NULL ORDER BY id");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Keys of a merchant, void ones too, newest first, with ids below `before`.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    before: Option<ApiKeyId>,
    rows: usize,
) -> Result<Vec<ApiKeyRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM api_keys WHERE merchant_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let before = before.map_or(i64::MAX, ApiKeyId::number);
    let rows = statement.query_map([merchant.number(), before, limit(rows)], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The names of a merchant's keys, void ones too.
pub fn names(
    connection: &Connection,
    merchant: MerchantId,
) -> Result<BTreeMap<ApiKeyId, String>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, name FROM api_keys WHERE merchant_id = ?1")?;
    let rows = statement.query_map([merchant.number()], |row| {
        Ok((ApiKeyId::from_number(row.get(0)?), row.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Makes a key of that merchant void. False when there is none, or when it was void before.
pub fn revoke(
    connection: &Connection,
    merchant: MerchantId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE api_keys SET revoked_at = ?3 WHERE id = ?1 AND merchant_id = ?2 AND revoked_at IS NULL";
    Ok(connection.execute(sql, [id.number(), merchant.number(), now.micros()])? == 1)
}
