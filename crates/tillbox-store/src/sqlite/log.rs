//! The log as it is: every row of a wallet, also those that move no money.

use super::limit;
use super::rows::{ENTRY_COLUMNS, entry_from_row};
use crate::error::StoreError;
use rusqlite::{Connection, Transaction};
use tillbox_core::entry::Entry;
use tillbox_core::id::WalletId;

/// Rows of a wallet with versions above `after`, in their order: also those that its tables trail, for which the log's
/// tail is looked through where the others are not enough.
pub fn read(
    connection: &Connection,
    wallet: WalletId,
    after: u64,
    rows: usize,
) -> Result<Vec<Entry>, StoreError> {
    let tx = if connection.is_autocommit() {
        Some(Transaction::new_unchecked(
            connection,
            rusqlite::TransactionBehavior::Deferred,
        )?)
    } else {
        None
    };
    let version = |version: u64| i64::try_from(version).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY_COLUMNS} FROM log_of_wallets log WHERE wallet_id = ?1 AND version > ?2 ORDER BY version LIMIT ?3"
    ))?;
    let mut found: Vec<Entry> = statement
        .query_and_then(
            [wallet.number(), version(after), limit(rows)],
            entry_from_row,
        )?
        .collect::<Result<_, _>>()?;
    if found.len() < rows {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {ENTRY_COLUMNS} FROM trail_fold CROSS JOIN log ON log.id > trail_fold.folded_to \
             WHERE log.wallet_id = ?1 AND log.version > ?2 ORDER BY log.id LIMIT ?3"
        ))?;
        let last = found.last().map_or(after, |entry| entry.version);
        let left = limit(rows - found.len());
        let tail =
            statement.query_and_then([wallet.number(), version(last), left], entry_from_row)?;
        for entry in tail {
            found.push(entry?);
        }
    }
    if let Some(tx) = tx {
        tx.commit()?;
    }
    Ok(found)
}
