//! Disputes: payments that banks take back, or may.

use super::query::Query;
use super::rows::corrupt;
use crate::error::StoreError;
use rusqlite::{Connection, Row, params};
use tillbox_core::amount::Amount;
use tillbox_core::id::{DisputeId, HoldId, MerchantId, TopUpId, WalletId};
use tillbox_core::payback::{Dispute, DisputeStatus};
use tillbox_core::time::Timestamp;

/// A dispute as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeRow {
    /// Its wallet.
    pub wallet_id: WalletId,
    /// The payment that is disputed.
    pub top_up_id: TopUpId,
    /// The wallet's currency, as its code.
    pub currency: String,
    /// The provider's id of the payment.
    pub payment_id: Option<String>,
    /// How it stands in the log.
    pub dispute: Dispute,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Which disputes a list shows; what is none filters nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisputeFilter {
    /// Of that wallet.
    pub wallet: Option<WalletId>,
    /// Of that status.
    pub status: Option<DisputeStatus>,
}

fn dispute(row: &Row<'_>) -> Result<(TopUpId, Dispute), StoreError> {
    let id = DisputeId::from_number(row.get(0)?);
    let status = DisputeStatus::from_code(row.get(2)?);
    let text = |column: usize| {
        row.get::<_, Option<String>>(column)
            .map(|text| text.map(String::into_boxed_str))
    };
    let dispute = Dispute {
        id,
        provider_id: text(1)?.unwrap_or_default(),
        status: status.ok_or_else(|| corrupt(format!("{id} has an unknown status")))?,
        amount: Amount::from_micros(row.get(3)?),
        reason: text(4)?,
        hold_id: row.get::<_, Option<i64>>(5)?.map(HoldId::from_number),
        opened_at: Timestamp::from_micros(row.get(6)?),
    };
    Ok((TopUpId::from_number(row.get(7)?), dispute))
}

fn from_row(row: &Row<'_>) -> Result<DisputeRow, StoreError> {
    let (top_up_id, dispute) = dispute(row)?;
    Ok(DisputeRow {
        wallet_id: WalletId::from_number(row.get(8)?),
        top_up_id,
        currency: row.get(10)?,
        payment_id: row.get(11)?,
        dispute,
        updated_at: Timestamp::from_micros(row.get(9)?),
    })
}

/// Disputes of a merchant, newest first, with ids below `before`.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    filter: DisputeFilter,
    before: Option<DisputeId>,
    rows: usize,
) -> Result<Vec<DisputeRow>, StoreError> {
    let select = "SELECT d.id, d.provider_id, d.status, d.amount, d.reason, d.hold_id, d.opened_at, d.top_up_id, \
         d.wallet_id, d.updated_at, w.currency, t.payment_id FROM disputes d JOIN wallets w ON w.id = d.wallet_id \
         JOIN top_ups t ON t.id = d.top_up_id WHERE";
    let mut query = Query::new(select, "d.merchant_id = {}", merchant.number());
    query.and("d.id < {}", before.map_or(i64::MAX, DisputeId::number));
    if let Some(wallet) = filter.wallet {
        query.and("d.wallet_id = {}", wallet.number());
    }
    if let Some(status) = filter.status {
        query.and("d.status = {}", i64::from(status.code()));
    }
    query.first("d.id DESC", rows).read(connection, from_row)
}

/// What the provider calls the disputes that are open, of all merchants, with ids behind `after`, oldest first.
pub fn open(
    connection: &Connection,
    after: DisputeId,
    rows: usize,
) -> Result<Vec<(DisputeId, MerchantId, String)>, StoreError> {
    let sql = "SELECT id, merchant_id, provider_id FROM disputes WHERE status = 0 AND id > ?1 ORDER BY id LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let values = [after.number(), super::limit(rows)];
    let found = statement.query_map(values, |row| {
        let id = DisputeId::from_number(row.get(0)?);
        Ok((id, MerchantId::from_number(row.get(1)?), row.get(2)?))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Writes the ledger's word on a dispute.
pub(super) fn write(
    connection: &Connection,
    (merchant, wallet): (Option<i64>, i64),
    top_up: TopUpId,
    dispute: &Dispute,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO disputes (id, merchant_id, wallet_id, top_up_id, provider_id, status, amount, reason, hold_id, opened_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, updated_at = excluded.updated_at",
    )?;
    upsert.execute(params![
        dispute.id.number(),
        merchant,
        wallet,
        top_up.number(),
        dispute.provider_id,
        dispute.status.code(),
        dispute.amount.micros(),
        dispute.reason,
        dispute.hold_id.map(HoldId::number),
        dispute.opened_at.micros(),
        at.micros()
    ])?;
    Ok(())
}

/// Writes which disputes share a hold.
pub(super) fn write_hold<'a>(
    connection: &Connection,
    hold: HoldId,
    sharing: impl Iterator<Item = &'a Dispute>,
) -> rusqlite::Result<()> {
    let mut shares = connection.prepare_cached("UPDATE disputes SET hold_id = ?2 WHERE id = ?1")?;
    for dispute in sharing {
        shares.execute([dispute.id.number(), hold.number()])?;
    }
    Ok(())
}

/// All disputes of a wallet: for the audit.
pub(super) const AUDIT_SQL: &str = "SELECT id, provider_id, status, amount, reason, hold_id, opened_at, top_up_id, wallet_id FROM disputes \
     WHERE wallet_id > ?1 AND wallet_id <= ?2";

/// Reads a row of [`AUDIT_SQL`].
pub(super) fn audited(row: &Row<'_>) -> Result<(TopUpId, Dispute), StoreError> {
    dispute(row)
}
