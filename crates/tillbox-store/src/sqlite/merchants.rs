//! Merchants.

use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tillbox_core::id::MerchantId;
use tillbox_core::time::Timestamp;

/// A merchant as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantRow {
    /// Its id.
    pub id: MerchantId,
    /// Its name.
    pub name: String,
    /// Whether real money moves.
    pub live: bool,
    /// Its settings, as JSON.
    pub settings: String,
    /// How far its clock is ahead, in microseconds; zero unless it is a test merchant.
    pub clock_offset_us: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Adds one.
pub fn insert(connection: &Connection, row: &MerchantRow) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO merchants (id, name, live, settings, clock_offset_us, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![row.id.number(), row.name, row.live, row.settings, row.clock_offset_us, row.created_at.micros()],
    )?;
    Ok(())
}

const COLUMNS: &str = "id, name, live, settings, clock_offset_us, created_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<MerchantRow> {
    Ok(MerchantRow {
        id: MerchantId::from_number(row.get(0)?),
        name: row.get(1)?,
        live: row.get(2)?,
        settings: row.get(3)?,
        clock_offset_us: row.get(4)?,
        created_at: Timestamp::from_micros(row.get(5)?),
    })
}

/// The merchant of that id.
pub fn get(connection: &Connection, id: MerchantId) -> Result<Option<MerchantRow>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM merchants WHERE id = ?1"))?;
    Ok(statement.query_row([id.number()], from_row).optional()?)
}

/// All of them, oldest first.
pub fn list(connection: &Connection) -> Result<Vec<MerchantRow>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM merchants ORDER BY id"))?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Replaces the settings.
pub fn set_settings(
    connection: &Connection,
    id: MerchantId,
    settings: &str,
) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE merchants SET settings = ?2 WHERE id = ?1",
        params![id.number(), settings],
    )?;
    Ok(())
}

/// Moves the clock.
pub fn set_clock_offset(
    connection: &Connection,
    id: MerchantId,
    offset_us: i64,
) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE merchants SET clock_offset_us = ?2 WHERE id = ?1",
        [id.number(), offset_us],
    )?;
    Ok(())
}
