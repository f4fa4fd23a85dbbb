//! What a warning tells: the lot, with what it had at stake.

use serde::Deserialize;
use tillbox_core::id::LotId;
use tillbox_core::lot::Lot;
use tillbox_core::wallet::WalletState;
use tillbox_store::StoreError;

#[derive(Deserialize)]
struct Data {
    lot_id: i64,
    days_left: u8,
}

/// The lot behind a row of the outbox as it stood then, and how many days are left.
pub(super) fn read(state: &WalletState, data: &str) -> Result<(Option<Lot>, u8), StoreError> {
    let data: Data = serde_json::from_str(data).map_err(|why| StoreError::Corrupt {
        what: format!("the outbox has an unreadable warning: {why}"),
    })?;
    let lot = state.lot_of(LotId::from_number(data.lot_id));
    Ok((lot.cloned(), data.days_left))
}
