//! The outbox: what has happened that is no row of the log, in the commit in which it happened.
//!
//! Its ids rise together with the log's, in the order of commits, so that whoever follows both by id misses nothing.
//! That holds as long as they are drawn on the ledger's thread: within a plain write, or in the lane.

use crate::error::StoreError;
use rusqlite::{Connection, params};
use tillbox_core::id::{MerchantId, OutboxId, WalletId};
use tillbox_core::time::Timestamp;
use tillbox_engine::port::OpenedWallet;

/// The type of what tells that a wallet was opened: the one that is written here and not by the service.
pub const WALLET_CREATED: &str = "wallet.created";

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

/// Tells that a wallet was opened.
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
