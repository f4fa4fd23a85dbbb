//! A wallet as it was: its log, replayed from the last snapshot before.

use super::rows::{
    ENTRY_COLUMNS, NEW_WALLET_COLUMNS, corrupt, entry_from_row, new_wallet_from_row,
};
use super::transactions::first_version_at;
use super::{limit, snapshots};
use crate::error::StoreError;
use rusqlite::Connection;
use tillbox_core::decide::as_of;
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;

/// The state before the first row. None when the merchant has no such wallet.
pub fn initial(
    connection: &Connection,
    merchant: MerchantId,
    id: WalletId,
) -> Result<Option<WalletState>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {NEW_WALLET_COLUMNS} FROM wallets WHERE id = ?1 AND merchant_id = ?2"
    ))?;
    let values = [id.number(), merchant.number()];
    let mut rows = statement.query_and_then(values, new_wallet_from_row)?;
    Ok(rows.next().transpose()?.map(WalletState::new))
}

/// The state behind the last snapshot up to a version, or before the first row. None when the merchant has no such
/// wallet.
pub fn nearest(
    connection: &Connection,
    merchant: MerchantId,
    id: WalletId,
    through: u64,
) -> Result<Option<WalletState>, StoreError> {
    let Some(state) = initial(connection, merchant, id)? else {
        return Ok(None);
    };
    let snapshot = if through < snapshots::EVERY {
        None
    } else {
        snapshots::nearest(connection, id, through)?
    };
    Ok(Some(snapshot.unwrap_or(state)))
}

/// The state at an instant: rows booked until then, and what was due then though it was booked later. None when
/// the merchant has no such wallet. Costs some twenty look-ups, and the rows behind the last snapshot.
pub fn state_at(
    connection: &Connection,
    merchant: MerchantId,
    id: WalletId,
    at: Timestamp,
) -> Result<Option<WalletState>, StoreError> {
    let behind = Timestamp::from_micros(at.micros().saturating_add(1));
    let next = first_version_at(connection, id, behind)?;
    let through = u64::try_from(next.saturating_sub(1)).unwrap_or(0);
    let Some(mut state) = nearest(connection, merchant, id, through)? else {
        return Ok(None);
    };
    advance(connection, &mut state, through, usize::MAX)?;
    if state.version != through {
        return Err(corrupt(format!("{id} has no row of version {through}")));
    }
    Ok(Some(as_of(&state, at)))
}

/// Moves a state behind further rows of its wallet, up to that of version `through` and at most `rows` of them. Gives
/// how many there were.
pub fn advance(
    connection: &Connection,
    state: &mut WalletState,
    through: u64,
    rows: usize,
) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY_COLUMNS} FROM log_of_wallets log WHERE wallet_id = ?1 AND version > ?2 AND version <= ?3 ORDER BY version LIMIT ?4"
    ))?;
    let number = |version: u64| i64::try_from(version).unwrap_or(i64::MAX);
    let values = [
        state.id.number(),
        number(state.version),
        number(through),
        limit(rows),
    ];
    let mut applied = 0;
    for entry in statement.query_and_then(values, entry_from_row)? {
        let entry = entry?;
        if entry.version != state.version.saturating_add(1) {
            let gap = format!("{} has no row behind version {}", state.id, state.version);
            return Err(corrupt(gap));
        }
        state.apply(&entry);
        applied += 1;
    }
    Ok(applied)
}
