//! Holds, ended ones too, with the words that they were placed with.

use super::limit;
use super::rows::{HOLD_COLUMNS, hold_from_row};
use crate::error::StoreError;
use rusqlite::{Connection, Row, params};
use tillbox_core::entry::{EntryKind, Note};
use tillbox_core::hold::{Hold, HoldStatus};
use tillbox_core::id::{HoldId, MerchantId, WalletId};

/// A hold and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHold {
    /// The hold.
    pub hold: Hold,
    /// What it was placed with.
    pub note: Note,
}

/// Which holds a list shows; what is none filters nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HoldFilter {
    /// Of that status.
    pub status: Option<HoldStatus>,
}

/// Only what callers have placed: what disputes reserve is no caller's.
fn placed() -> i64 {
    i64::from(EntryKind::HoldPlaced.code())
}

/// A hold's row of the log carries its id.
const FROM: &str = "FROM holds JOIN log ON log.id = holds.id";

fn from_row(row: &Row<'_>) -> Result<StoredHold, StoreError> {
    let text = |column: usize| {
        row.get::<_, Option<String>>(column)
            .map(|text| text.map(String::into_boxed_str))
    };
    let note = Note {
        description: text(10)?,
        reference: text(11)?,
        metadata: text(12)?,
    };
    Ok(StoredHold {
        hold: hold_from_row(row)?,
        note,
    })
}

/// A hold of a wallet of that merchant.
pub fn get(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    id: HoldId,
) -> Result<Option<StoredHold>, StoreError> {
    let sql = format!(
        "SELECT {HOLD_COLUMNS}, log.description, log.reference, log.metadata {FROM} \
         WHERE holds.id = ?1 AND holds.wallet_id = ?2 AND log.merchant_id = ?3 AND log.kind = ?4"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query_and_then(
        [id.number(), wallet.number(), merchant.number(), placed()],
        from_row,
    )?;
    rows.next().transpose()
}

/// Holds of a wallet, newest first, with ids below `before`.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    filter: &HoldFilter,
    before: Option<HoldId>,
    rows: usize,
) -> Result<Vec<StoredHold>, StoreError> {
    let sql = format!(
        "SELECT {HOLD_COLUMNS}, log.description, log.reference, log.metadata {FROM} \
         WHERE holds.wallet_id = ?1 AND log.merchant_id = ?2 AND holds.id < ?3 AND (?4 IS NULL OR holds.status = ?4) AND log.kind = ?6 \
         ORDER BY holds.id DESC LIMIT ?5"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let before = before.map_or(i64::MAX, HoldId::number);
    let values = params![
        wallet.number(),
        merchant.number(),
        before,
        filter.status.map(HoldStatus::code),
        limit(rows),
        placed()
    ];
    statement.query_and_then(values, from_row)?.collect()
}
