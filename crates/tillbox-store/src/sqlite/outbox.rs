//! The outbox: what has happened that is no row of the log, in the commit in which it happened.
//!
//! Its ids rise together with the log's, in the order of commits, so that whoever follows both by id misses nothing.
//! That holds as long as they are drawn on the ledger's thread: within a plain write, or in the lane.

use super::audit_log::{self, AuditRow};
use super::rows::corrupt;
use super::wallets::{self, WalletRow};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tillbox_core::id::{AuditId, MerchantId, OutboxId, WalletId};
use tillbox_core::time::Timestamp;
use tillbox_engine::port::OpenedWallet;

/// The type of what tells that a wallet was opened: the one that is written here and not by the service.
pub const WALLET_CREATED: &str = "wallet.created";
/// The type of what tells that a wallet has another name or other metadata.
pub const WALLET_UPDATED: &str = "wallet.updated";

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its id; drawn on the ledger's thread.
    pub id: OutboxId,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// The wallet that it is about, if it is about one.
    pub wallet_id: Option<WalletId>,
    /// The type of the event.
    pub event_type: String,
    /// When it happened, by the merchant's clock.
    pub at: Timestamp,
    /// What the event is printed from: a JSON object.
    pub data: String,
}

/// The columns that [`from_row`] reads, in its order.
pub(super) const COLUMNS: &str = "o.id, o.merchant_id, o.wallet_id, o.type, o.at, o.data";

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    Ok(OutboxRow {
        id: OutboxId::from_number(row.get(0)?),
        merchant_id: MerchantId::from_number(row.get(1)?),
        wallet_id: row.get::<_, Option<i64>>(2)?.map(WalletId::from_number),
        event_type: row.get(3)?,
        at: Timestamp::from_micros(row.get(4)?),
        data: row.get(5)?,
    })
}

/// Adds a row, in the commit of what it tells of.
pub fn insert(connection: &Connection, row: &OutboxRow) -> Result<(), StoreError> {
    Ok(write(connection, row)?)
}

/// The data of what tells of a wallet's name and metadata, as the plain table only keeps the last ones. `metadata` is
/// a JSON object.
pub fn names(name: Option<&str>, metadata: &str) -> String {
    let name = serde_json::Value::from(name);
    format!(r#"{{"name":{name},"metadata":{metadata}}}"#)
}

/// A wallet's names as they were at a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletAsAt {
    /// The wallet, with the name and metadata that it had.
    pub wallet: WalletRow,
    /// The row with which they changed next, if they did.
    pub until: Option<i64>,
}

/// A wallet of a merchant as it was called at a row: at the outbox's own rows, with what they tell.
pub fn wallet_as_at(
    connection: &Connection,
    merchant: MerchantId,
    id: WalletId,
    row: i64,
) -> Result<Option<WalletAsAt>, StoreError> {
    let Some(wallet) = wallets::get(connection, merchant, id)? else {
        return Ok(None);
    };
    let named = format!("wallet_id = ?1 AND type IN ('{WALLET_CREATED}', '{WALLET_UPDATED}')");
    let mut next = connection.prepare_cached(&format!(
        "SELECT id FROM outbox WHERE {named} AND id > ?2 ORDER BY id LIMIT 1"
    ))?;
    let until = next
        .query_row([id.number(), row], |row| row.get(0))
        .optional()?;
    let mut last = connection.prepare_cached(&format!(
        "SELECT at, data FROM outbox WHERE {named} AND id <= ?2 ORDER BY id DESC LIMIT 1"
    ))?;
    let last: Option<(i64, String)> = last
        .query_row([id.number(), row], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let wallet = match last {
        Some((at, data)) => {
            let (name, metadata) = read_names(&data)
                .ok_or_else(|| corrupt(format!("the outbox tells unreadable names of {id}")))?;
            WalletRow {
                name,
                metadata,
                updated_at: Timestamp::from_micros(at),
                ..wallet
            }
        }
        None => wallet,
    };
    Ok(Some(WalletAsAt { wallet, until }))
}

fn read_names(data: &str) -> Option<(Option<String>, String)> {
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(data).ok()?;
    let name = serde_json::from_str(fields.get("name")?.get()).ok()?;
    Some((name, fields.get("metadata")?.get().to_owned()))
}

/// Tells that a wallet was opened, and by whom.
pub(super) fn write_opened(connection: &Connection, opened: &OpenedWallet) -> rusqlite::Result<()> {
    write(
        connection,
        &OutboxRow {
            id: opened.outbox_id,
            merchant_id: opened.wallet.merchant_id,
            wallet_id: Some(opened.wallet.id),
            event_type: WALLET_CREATED.to_owned(),
            at: opened.created_at,
            data: names(opened.name.as_deref(), &opened.metadata),
        },
    )?;
    audit_log::insert(
        connection,
        &AuditRow {
            id: AuditId::from_number(opened.outbox_id.number()),
            merchant_id: opened.wallet.merchant_id,
            wallet_id: Some(opened.wallet.id),
            actor: opened.opened_by,
            action: WALLET_CREATED.to_owned(),
            targets: vec![opened.wallet.customer_id.to_string()],
            at: opened.created_at,
            request: opened.request,
            changes: None,
        },
    )
}

fn write(connection: &Connection, row: &OutboxRow) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO outbox (id, merchant_id, wallet_id, type, at, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    insert.execute(params![
        row.id.number(),
        row.merchant_id.number(),
        row.wallet_id.map(WalletId::number),
        row.event_type,
        row.at.micros(),
        row.data
    ])?;
    Ok(())
}
