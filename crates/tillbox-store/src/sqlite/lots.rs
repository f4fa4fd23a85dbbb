//! Lots, spent ones too.

use super::rows::{LOT_COLUMNS, lot_from_row};
use super::{limit, past};
use crate::error::StoreError;
use rusqlite::Connection;
use std::collections::HashMap;
use tillbox_core::amount::Amount;
use tillbox_core::id::{LotId, MerchantId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::time::Timestamp;

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
    let ever = Timestamp::from_micros(i64::MAX);
    made_until(connection, merchant, wallet, ever, before, rows)
}

/// The same as of a past instant: lots that were made until then, as they stood.
pub fn list_at(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    at: Timestamp,
    before: Option<LotId>,
    rows: usize,
) -> Result<Vec<Lot>, StoreError> {
    let Some(state) = past::state_at(connection, merchant, wallet, at)? else {
        return Ok(Vec::new());
    };
    let open: HashMap<LotId, &Lot> = state.lots().map(|lot| (lot.id, lot)).collect();
    let made = made_until(connection, merchant, wallet, at, before, rows)?.into_iter();
    let as_it_stood = |lot: Lot| match open.get(&lot.id) {
        Some(lot) => (*lot).clone(),
        None => Lot {
            remaining: Amount::ZERO,
            held: Amount::ZERO,
            ..lot
        },
    };
    Ok(made.map(as_it_stood).collect())
}

fn made_until(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    at: Timestamp,
    before: Option<LotId>,
    rows: usize,
) -> Result<Vec<Lot>, StoreError> {
    let sql = format!(
        "SELECT {LOT_COLUMNS} FROM lots JOIN wallets w ON w.id = lots.wallet_id \
         WHERE lots.wallet_id = ?1 AND w.merchant_id = ?2 AND lots.id < ?3 AND lots.created_at <= ?4 ORDER BY lots.id DESC LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let before = before.map_or(i64::MAX, LotId::number);
    let values = [
        wallet.number(),
        merchant.number(),
        before,
        at.micros(),
        limit(rows),
    ];
    statement.query_and_then(values, lot_from_row)?.collect()
}
