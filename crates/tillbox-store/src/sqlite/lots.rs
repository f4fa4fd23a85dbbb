//! Lots, spent ones too.

use super::limit;
use super::rows::{LOT_COLUMNS, lot_from_row};
use crate::error::StoreError;
use rusqlite::Connection;
use tillbox_core::id::{LotId, MerchantId, WalletId};
use tillbox_core::lot::Lot;

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
