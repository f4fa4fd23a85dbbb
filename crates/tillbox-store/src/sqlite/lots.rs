//! Lots, spent ones too.

use super::limit;
use super::rows::{LOT_COLUMNS, lot_from_row};
use crate::error::StoreError;
use rusqlite::Connection;
use tillbox_core::id::{LotId, MerchantId, WalletId};
use tillbox_core::lot::Lot;

/// A lot of a wallet of that merchant.
pub fn get(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    id: LotId,
) -> Result<Option<Lot>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {LOT_COLUMNS} FROM lots JOIN wallets w ON w.id = lots.wallet_id \
         WHERE lots.id = ?1 AND lots.wallet_id = ?2 AND w.merchant_id = ?3"
    ))?;
    let values = [id.number(), wallet.number(), merchant.number()];
    let mut rows = statement.query_and_then(values, lot_from_row)?;
    rows.next().transpose()
}

/// Lots of a wallet of that merchant, newest first, with ids below `before`.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    before: Option<LotId>,
    rows: usize,
) -> Result<Vec<Lot>, StoreError> {
    let sql = format!(
        "SELECT {LOT_COLUMNS} FROM lots JOIN wallets w ON w.id = lots.wallet_id \
         WHERE lots.wallet_id = ?1 AND w.merchant_id = ?2 AND lots.id < ?3 ORDER BY lots.id DESC LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let before = before.map_or(i64::MAX, LotId::number);
    statement
        .query_and_then(
            [wallet.number(), merchant.number(), before, limit(rows)],
            lot_from_row,
        )?
        .collect()
}
