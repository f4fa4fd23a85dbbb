//! The log as it is: every row of a wallet, also those that move no money.

use super::limit;
use super::rows::{ENTRY_COLUMNS, entry_from_row};
use crate::error::StoreError;
use rusqlite::Connection;
use tillbox_core::entry::Entry;
use tillbox_core::id::WalletId;

/// Rows of a wallet with versions above `after`, in their order.
pub fn read(
    connection: &Connection,
    wallet: WalletId,
    after: u64,
    rows: usize,
) -> Result<Vec<Entry>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY_COLUMNS} FROM log WHERE wallet_id = ?1 AND version > ?2 ORDER BY version LIMIT ?3"
    ))?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    statement
        .query_and_then([wallet.number(), after, limit(rows)], entry_from_row)?
        .collect()
}
