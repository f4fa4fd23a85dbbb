//! What a batch needs of the store before it is decided.

use super::super::key_index::KeyIndex;
use super::super::rows::{
    ENTRY_COLUMNS, HOLD_COLUMNS, LOT_COLUMNS, NEW_WALLET_COLUMNS, corrupt, entry_from_row,
    hold_from_row, lot_from_row, new_wallet_from_row,
};
use super::super::state_row::StateRow;
use super::super::trail::Trail;
use super::super::{paybacks, top_ups};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{DebitRecord, DebtPayment, PaymentRecord};
use tillbox_core::currency::Currency;
use tillbox_core::debt::DebtSpan;
use tillbox_core::entry::{Entry, KeyStamp};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{CustomerId, EntryId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::wallet::WalletState;
use tillbox_engine::port::{Remembered, StoredAnswer};

/// The state of a wallet as it is stored, or as it stands in memory where it is behind the log.
pub(in super::super) fn load_wallet(
    connection: &Connection,
    trail: Option<&Trail>,
    id: WalletId,
) -> Result<Option<WalletState>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {NEW_WALLET_COLUMNS} FROM wallets WHERE id = ?1"
    ))?;
    let mut rows = statement.query([id.number()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let wallet = new_wallet_from_row(row)?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {LOT_COLUMNS} FROM lots WHERE wallet_id = ?1 AND open = 1"
    ))?;
    let mut lots = statement
        .query_and_then([id.number()], lot_from_row)?
        .collect::<Result<_, _>>()?;
    let now = trail.and_then(|trail| trail.now(id, &mut lots));
    let Some(state) = now.map_or_else(|| StateRow::read(connection, id), |now| Ok(Some(now)))?
    else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {HOLD_COLUMNS} FROM holds WHERE wallet_id = ?1 AND status = 0"
    ))?;
    let holds = statement
        .query_and_then([id.number()], hold_from_row)?
        .collect::<Result<_, _>>()?;
    let top_ups = top_ups::open_of_wallet(connection, id)?;
    state.into_state(wallet, lots, holds, top_ups).map(Some)
}

pub(super) fn load_key(
    connection: &Connection,
    index: &KeyIndex,
    key: &[u8; 16],
) -> Result<Option<Remembered>, StoreError> {
    if let Some(id) = index.find(connection, key)? {
        let mut statement =
            connection.prepare_cached(&format!("SELECT {ENTRY_COLUMNS} FROM log WHERE id = ?1"))?;
        let mut rows = statement.query([id])?;
        let row = rows
            .next()?
            .ok_or_else(|| corrupt("a key names a row that is not there"))?;
        return Ok(Some(Remembered::Entry(Arc::new(entry_from_row(row)?))));
    }
    let mut statement = connection
        .prepare_cached("SELECT fingerprint, status, body FROM answers WHERE key = ?1")?;
    let answer = statement.query_row([key], |row| {
        let body: Vec<u8> = row.get(2)?;
        Ok(StoredAnswer {
            key: KeyStamp {
                key: *key,
                fingerprint: row.get(0)?,
            },
            status: row.get(1)?,
            body: body.into(),
        })
    });
    Ok(answer.optional()?.map(Remembered::Answer))
}

pub(super) fn load_hold_status(
    connection: &Connection,
    wallet: WalletId,
    hold: HoldId,
) -> Result<Option<HoldStatus>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT status FROM holds WHERE id = ?1 AND wallet_id = ?2")?;
    let code = statement
        .query_row([hold.number(), wallet.number()], |row| row.get::<_, u8>(0))
        .optional()?;
    code.map(|code| {
        HoldStatus::from_code(code).ok_or_else(|| corrupt(format!("{hold} has an unknown status")))
    })
    .transpose()
}

pub(super) fn load_debit(
    connection: &Connection,
    trail: &Trail,
    wallet: WalletId,
    debit: EntryId,
) -> Result<Option<DebitRecord>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY_COLUMNS} FROM log WHERE id = ?1 AND wallet_id = ?2 AND seq IS NOT NULL"
    ))?;
    let mut rows = statement.query([debit.number(), wallet.number()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let entry = entry_from_row(row)?;
    let mut statement = connection
        .prepare_cached("SELECT coalesce(sum(amount), 0) FROM refunds WHERE debit_id = ?1")?;
    let refunded = Amount::from_micros(statement.query_row([debit.number()], |row| row.get(0))?);
    let debt_payments = match entry.event.debt_made {
        Some(span) => load_debt_payments(connection, wallet, span)?,
        None => Vec::new(),
    };
    let drawn = entry.event.own_parts().map(|part| part.lot.id);
    let mut lot_ids: Vec<LotId> = drawn
        .chain(debt_payments.iter().map(|payment| payment.lot_id))
        .collect();
    lot_ids.sort_unstable();
    lot_ids.dedup();
    let mut statement =
        connection.prepare_cached(&format!("SELECT {LOT_COLUMNS} FROM lots WHERE id = ?1"))?;
    let mut lots = Vec::with_capacity(lot_ids.len());
    for id in lot_ids {
        let mut rows = statement.query([id.number()])?;
        let row = rows
            .next()?
            .ok_or_else(|| corrupt(format!("{id} is named in the log but is not there")))?;
        let mut lot = lot_from_row(row)?;
        trail.patch(wallet, &mut lot);
        lots.push(lot);
    }
    Ok(Some(DebitRecord {
        event: entry.event,
        refunded,
        debt_payments,
        lots,
    }))
}

/// A payment, and what went back of it.
pub(super) fn load_payment(
    connection: &Connection,
    trail: &Trail,
    wallet: WalletId,
    id: TopUpId,
    payout: Option<EntryId>,
) -> Result<Option<PaymentRecord>, StoreError> {
    let Some((top_up, credited_by)) = top_ups::of_wallet(connection, wallet, id)? else {
        return Ok(None);
    };
    let payback = paybacks::standing(connection, wallet, id, &top_up, credited_by)?;
    let last = payback
        .as_ref()
        .and_then(|payback| payback.chargebacks.last());
    let debit = payout.or(last.map(|last| last.entry_id));
    Ok(Some(PaymentRecord {
        payout: match payout {
            Some(payout) => paybacks::payout_of(connection, wallet, id, payout)?,
            None => None,
        },
        debit: match debit {
            Some(debit) => load_debit(connection, trail, wallet, debit)?,
            None => None,
        },
        top_up,
        payback,
    }))
}

/// Payments that overlap the span; the one that begins before it may reach into it.
fn load_debt_payments(
    connection: &Connection,
    wallet: WalletId,
    span: DebtSpan,
) -> Result<Vec<DebtPayment>, StoreError> {
    let sql = "SELECT debt_from, amount, lot_id FROM debt_payments WHERE wallet_id = ?1 AND debt_from < ?3 \
               AND debt_from >= coalesce((SELECT max(debt_from) FROM debt_payments WHERE wallet_id = ?1 AND debt_from <= ?2), ?2) \
               ORDER BY debt_from";
    let mut statement = connection.prepare_cached(sql)?;
    let payments = statement.query_map(
        [wallet.number(), span.from.micros(), span.end().micros()],
        |row| {
            let span = DebtSpan {
                from: Amount::from_micros(row.get(0)?),
                amount: Amount::from_micros(row.get(1)?),
            };
            Ok(DebtPayment {
                span,
                lot_id: LotId::from_number(row.get(2)?),
            })
        },
    )?;
    Ok(payments.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn has_lot(
    connection: &Connection,
    wallet: WalletId,
    lot: LotId,
) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM lots WHERE id = ?1 AND wallet_id = ?2")?;
    Ok(statement.exists([lot.number(), wallet.number()])?)
}

/// The row that a lot came in with, or the first of those that it stands for.
pub(super) fn load_origin(
    connection: &Connection,
    lot: LotId,
) -> Result<Option<Arc<Entry>>, StoreError> {
    let sql = format!(
        "WITH RECURSIVE chain (source, succeeds) AS ( \
         SELECT source, succeeds FROM lots WHERE id = ?1 \
         UNION ALL SELECT l.source, l.succeeds FROM chain c JOIN lots l ON l.id = c.succeeds) \
         SELECT {ENTRY_COLUMNS} FROM log WHERE id = (SELECT source FROM chain WHERE succeeds IS NULL)"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([lot.number()])?;
    let row = rows.next()?;
    row.map(|row| entry_from_row(row).map(Arc::new)).transpose()
}

pub(super) fn find_open_wallet(
    connection: &Connection,
    merchant: MerchantId,
    customer: CustomerId,
    currency: Currency,
) -> Result<Option<WalletId>, StoreError> {
    let sql = "SELECT id FROM wallets WHERE merchant_id = ?1 AND customer_id = ?2 AND currency = ?3 AND closed = 0";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement
        .query_row(
            params![merchant.number(), customer.number(), currency.code()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(found.map(WalletId::from_number))
}
