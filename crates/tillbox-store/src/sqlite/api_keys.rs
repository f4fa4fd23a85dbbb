//! API keys: hashes only.

use crate::error::StoreError;
use rusqlite::{Connection, params};
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

/// Adds one.
pub fn insert(connection: &Connection, row: &ApiKeyRow) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO api_keys (id, merchant_id, name, hash, hint, scopes, created_at, revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![row.id.number(), row.merchant_id.number(), row.name, row.hash, row.hint, row.scopes, row.created_at.micros(), row.revoked_at.map(Timestamp::micros)],
    )?;
    Ok(())
}

/// Those of all merchants that are valid: what the server keeps in memory.
pub fn active(connection: &Connection) -> Result<Vec<ApiKeyRow>, StoreError> {
    let sql = "SELECT id, merchant_id, name, hash, hint, scopes, created_at FROM api_keys WHERE revoked_at IS NULL ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(ApiKeyRow {
            id: ApiKeyId::from_number(row.get(0)?),
            merchant_id: MerchantId::from_number(row.get(1)?),
            name: row.get(2)?,
            hash: row.get(3)?,
            hint: row.get(4)?,
            scopes: row.get(5)?,
            created_at: Timestamp::from_micros(row.get(6)?),
            revoked_at: None,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
