//! What has gone back of payments, and what is still to be paid back over the provider.

use super::rows::{ENTRY_COLUMNS, corrupt, entry_from_row};
use super::top_ups::TopUpRow;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::entry::{Entry, EntryKind, decode_payback, encode_payback};
use tillbox_core::id::{EntryId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::payback::{Payback, Payout, PayoutStatus};
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::TopUp;

/// A payout as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutRow {
    /// Its merchant.
    pub merchant_id: MerchantId,
    /// Its wallet.
    pub wallet_id: WalletId,
    /// The payment that it goes back to.
    pub top_up_id: TopUpId,
    /// How it stands in the log.
    pub payout: Payout,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the provider is asked next.
    pub poll_at: Timestamp,
    /// How often it was asked.
    pub polls: i64,
}

const PAYOUT_COLUMNS: &str = "p.id, p.amount, p.clawed, p.status, p.failure, p.top_up_id";
const ROW_COLUMNS: &str = "p.id, p.amount, p.clawed, p.status, p.failure, p.top_up_id, p.merchant_id, p.wallet_id, p.updated_at, p.poll_at, p.polls";

fn payout(row: &Row<'_>) -> Result<(TopUpId, Payout), StoreError> {
    let debit_id = EntryId::from_number(row.get(0)?);
    let status = PayoutStatus::from_code(row.get(3)?);
    let payout = Payout {
        debit_id,
        amount: Amount::from_micros(row.get(1)?),
        clawed: Amount::from_micros(row.get(2)?),
        status: status
            .ok_or_else(|| corrupt(format!("the payout of {debit_id} has an unknown status")))?,
        failure: row.get::<_, Option<String>>(4)?.map(String::into_boxed_str),
    };
    Ok((TopUpId::from_number(row.get(5)?), payout))
}

fn payout_row(row: &Row<'_>) -> Result<PayoutRow, StoreError> {
    let (top_up_id, payout) = payout(row)?;
    Ok(PayoutRow {
        merchant_id: MerchantId::from_number(row.get(6)?),
        wallet_id: WalletId::from_number(row.get(7)?),
        top_up_id,
        payout,
        updated_at: Timestamp::from_micros(row.get(8)?),
        poll_at: Timestamp::from_micros(row.get(9)?),
        polls: row.get(10)?,
    })
}

/// A payout of that merchant.
pub fn get(
    connection: &Connection,
    merchant: MerchantId,
    id: EntryId,
) -> Result<Option<PayoutRow>, StoreError> {
    let sql = format!("SELECT {ROW_COLUMNS} FROM payouts p WHERE p.id = ?1 AND p.merchant_id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query_and_then([id.number(), merchant.number()], payout_row)?;
    rows.next().transpose()
}

/// Payouts of all merchants about which the provider is to be asked, longest due first.
pub fn to_ask(
    connection: &Connection,
    now: Timestamp,
    rows: usize,
) -> Result<Vec<PayoutRow>, StoreError> {
    let sql = format!(
        "SELECT {ROW_COLUMNS} FROM payouts p WHERE p.status = 0 AND p.poll_at <= ?1 ORDER BY p.poll_at LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = [now.micros(), super::limit(rows)];
    statement.query_and_then(values, payout_row)?.collect()
}

/// When the provider is to be asked about a payout next.
pub fn next_poll_at(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(poll_at) FROM payouts WHERE status = 0";
    let next: Option<i64> = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(next.map(Timestamp::from_micros))
}

/// Payouts of a wallet whose outcome is not known.
pub fn pending(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
) -> Result<Vec<PayoutRow>, StoreError> {
    let sql = format!(
        "SELECT {ROW_COLUMNS} FROM payouts p WHERE p.wallet_id = ?1 AND p.merchant_id = ?2 AND p.status = 0 \
         ORDER BY p.id LIMIT 200"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = [wallet.number(), merchant.number()];
    statement.query_and_then(values, payout_row)?.collect()
}

/// Notes when the provider is asked next, and how often it was.
pub fn note_poll(connection: &Connection, row: &PayoutRow) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("UPDATE payouts SET poll_at = ?2, polls = ?3 WHERE id = ?1")?;
    statement.execute([
        row.payout.debit_id.number(),
        row.poll_at.micros(),
        row.polls,
    ])?;
    Ok(())
}

/// What has gone back of a payment of a wallet, and may; none where nothing was charged.
pub fn of_top_up(connection: &Connection, row: &TopUpRow) -> Result<Option<Payback>, StoreError> {
    standing(
        connection,
        row.wallet_id,
        row.id,
        &row.top_up,
        row.credited_by,
    )
}

/// The payout to a payment of a wallet that is known by that transaction.
pub(super) fn payout_of(
    connection: &Connection,
    wallet: WalletId,
    top_up: TopUpId,
    id: EntryId,
) -> Result<Option<Payout>, StoreError> {
    let sql = format!(
        "SELECT {PAYOUT_COLUMNS} FROM payouts p WHERE p.id = ?1 AND p.wallet_id = ?2 AND p.top_up_id = ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = [id.number(), wallet.number(), top_up.number()];
    let mut rows = statement.query_and_then(values, payout)?;
    Ok(rows.next().transpose()?.map(|(_, payout)| payout))
}

/// What stands of what has gone back of a payment, with what has lapsed of its bonus by now.
pub(super) fn standing(
    connection: &Connection,
    wallet: WalletId,
    id: TopUpId,
    top_up: &TopUp,
    credited_by: Option<EntryId>,
) -> Result<Option<Payback>, StoreError> {
    let Some(credit) = credited_by else {
        return Ok(None);
    };
    let sql = "SELECT body FROM paybacks WHERE top_up_id = ?1 AND wallet_id = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let values = [id.number(), wallet.number()];
    let body: Option<Vec<u8>> = statement.query_row(values, |row| row.get(0)).optional()?;
    let payback = if let Some(body) = body {
        Some(read(id, &body)?)
    } else {
        let bonus_lot = if top_up.has_bonus() {
            bonus_lot(connection, wallet, credit)?
        } else {
            None
        };
        Payback::none_yet(top_up, LotId::from_number(credit.number()), bonus_lot)
    };
    let Some(mut payback) = payback else {
        return Ok(None);
    };
    if let Some(lot) = payback.bonus_lot {
        payback.lapsed = lapsed(connection, wallet, lot)?;
    }
    Ok(Some(payback))
}

fn read(id: TopUpId, body: &[u8]) -> Result<Payback, StoreError> {
    decode_payback(body)
        .map_err(|why| corrupt(format!("what went back of {id} is unreadable: {why}")))
}

/// The lot of what was given with a payment: its row stands right behind that of the payment.
fn bonus_lot(
    connection: &Connection,
    wallet: WalletId,
    credit: EntryId,
) -> Result<Option<LotId>, StoreError> {
    let sql = "SELECT id FROM log INDEXED BY log_beside_spending WHERE wallet_id = ?1 AND version = 1 + (SELECT version FROM log WHERE id = ?2) \
               AND seq IS NOT NULL AND kind <> 4 AND reason NOT BETWEEN 7 AND 12 AND reason = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let reason = Reason::Bonus.code();
    let values = params![wallet.number(), credit.number(), reason];
    let id: Option<i64> = statement.query_row(values, |row| row.get(0)).optional()?;
    Ok(id.map(LotId::from_number))
}

/// What of a lot was lost unused. Rows that do so are few, and have an index; its condition stands here word for word.
fn lapsed(connection: &Connection, wallet: WalletId, lot: LotId) -> Result<Amount, StoreError> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM log INDEXED BY log_beside_spending WHERE wallet_id = ?1 AND id > ?2 AND seq IS NOT NULL AND kind <> 4 \
         AND reason NOT BETWEEN 7 AND 12 AND reason IN (?3, ?4)"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let reasons = [Reason::Expiry.code(), Reason::Forfeiture.code()];
    let values = params![wallet.number(), lot.number(), reasons[0], reasons[1]];
    let mut lapsed = Amount::ZERO;
    for entry in statement.query_and_then(values, entry_from_row)? {
        let entry = entry?;
        let parts = entry.event.parts.iter().filter(|part| part.lot.id == lot);
        lapsed -= parts.map(|part| part.amount).sum();
    }
    Ok(lapsed)
}

/// Writes what rows say of what has gone back of payments.
pub(super) fn write(
    connection: &Connection,
    merchant_of: impl Fn(WalletId) -> Option<MerchantId>,
    entries: &[Arc<Entry>],
) -> rusqlite::Result<()> {
    for entry in entries {
        let (Some(id), Some(payback)) = (entry.event.top_up_id, &entry.event.payback) else {
            continue;
        };
        let owner = (
            merchant_of(entry.wallet_id).map(MerchantId::number),
            entry.wallet_id.number(),
        );
        let mut upsert = connection.prepare_cached(
            "INSERT INTO paybacks (top_up_id, merchant_id, wallet_id, body) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (top_up_id) DO UPDATE SET body = excluded.body",
        )?;
        let body = encode_payback(&payback.standing());
        upsert.execute(params![id.number(), owner.0, owner.1, body])?;
        if let Some(payout) = &payback.payout {
            let mut upsert = connection.prepare_cached(
                "INSERT INTO payouts (id, top_up_id, merchant_id, wallet_id, amount, clawed, status, failure, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                 ON CONFLICT (id) DO UPDATE SET status = excluded.status, failure = excluded.failure, updated_at = excluded.updated_at",
            )?;
            upsert.execute(params![
                payout.debit_id.number(),
                id.number(),
                owner.0,
                owner.1,
                payout.amount.micros(),
                payout.clawed.micros(),
                payout.status.code(),
                payout.failure,
                entry.at.micros()
            ])?;
        }
        let moved = payback.moved.and_then(|moved| {
            let mut disputes = payback.disputes.iter();
            disputes.find(|dispute| dispute.id == moved)
        });
        if let Some(dispute) = moved {
            super::disputes::write(connection, owner, id, dispute, entry.at)?;
        }
        if let Some(hold) = &entry.event.hold
            && entry.event.kind == EntryKind::DisputeChanged
        {
            let sharing = payback.disputes.iter();
            let sharing = sharing.filter(|dispute| dispute.hold_id == Some(hold.id));
            super::disputes::write_hold(connection, hold.id, sharing)?;
        }
    }
    Ok(())
}

/// What has gone back of all payments of a wallet: for the audit.
pub(super) const AUDIT_SQL: &str =
    "SELECT top_up_id, body, wallet_id FROM paybacks WHERE wallet_id > ?1 AND wallet_id <= ?2";

/// Reads a row of [`AUDIT_SQL`].
pub(super) fn audited(row: &Row<'_>) -> Result<Payback, StoreError> {
    let body: Vec<u8> = row.get(1)?;
    read(TopUpId::from_number(row.get(0)?), &body)
}

/// All payouts of a wallet: for the audit.
pub(super) const AUDIT_PAYOUTS_SQL: &str = "SELECT p.id, p.amount, p.clawed, p.status, p.failure, p.top_up_id, p.wallet_id \
     FROM payouts p WHERE p.wallet_id > ?1 AND p.wallet_id <= ?2";

/// Reads a row of [`AUDIT_PAYOUTS_SQL`].
pub(super) fn audited_payout(row: &Row<'_>) -> Result<(TopUpId, Payout), StoreError> {
    payout(row)
}
