//! A batch, written in one transaction.

use super::super::key_index::KeyIndex;
use super::super::rows::{pack_parts, pack_spans};
use super::super::{outbox, stretches, top_ups};
use rusqlite::{Connection, params};
use std::sync::Arc;
use tillbox_core::entry::{Entry, LogHead, encode_body, encode_standing};
use tillbox_core::id::{LotId, MerchantId, WalletId};
use tillbox_core::reason::{Language, Reason};
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::{WalletState, WalletStatus};
use tillbox_engine::port::{Batch, HoldWrite, LotWrite, OpenedWallet};

/// All of a batch: wallets that it opens, rows with what looks them up, then last states. `head`: behind its rows.
pub(super) fn write_batch(
    connection: &Connection,
    keys: &KeyIndex,
    batch: &Batch<'_>,
    head: LogHead,
) -> rusqlite::Result<()> {
    write_opened(connection, batch.opened)?;
    write_entries(connection, batch, head)?;
    write_lots(connection, batch.lots)?;
    write_holds(connection, batch.holds)?;
    write_top_ups(connection, batch)?;
    write_answers(connection, keys, batch)?;
    write_states(connection, batch.wallets)
}

fn write_opened(connection: &Connection, opened: &[OpenedWallet]) -> rusqlite::Result<()> {
    if opened.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO wallets (id, merchant_id, customer_id, currency, language, name, metadata, created_at, updated_at, \
         initial_status, initial_overdraft_limit) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10)",
    )?;
    for one in opened {
        let OpenedWallet {
            wallet,
            name,
            metadata,
            created_at,
            outbox_id: _,
            opened_by: _,
            request: _,
        } = one;
        let language = match wallet.language {
            Language::En => "en",
            Language::Es => "es",
        };
        statement.execute(params![
            wallet.id.number(),
            wallet.merchant_id.number(),
            wallet.customer_id.number(),
            wallet.currency.code(),
            language,
            name,
            metadata,
            created_at.micros(),
            wallet.status.code(),
            wallet.overdraft_limit.micros()
        ])?;
        outbox::write_opened(connection, one)?;
    }
    Ok(())
}

fn write_entries(
    connection: &Connection,
    batch: &Batch<'_>,
    head: LogHead,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO log (id, merchant_id, wallet_id, version, seq, kind, reason, amount, balance_after, at, key, fingerprint, \
         body, description, reference, metadata, salt, hash, height, head) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
    )?;
    let mut merchants: std::collections::HashMap<WalletId, MerchantId> =
        std::collections::HashMap::with_capacity(batch.wallets.len());
    merchants.extend(
        batch
            .wallets
            .iter()
            .map(|state| (state.id, state.merchant_id)),
    );
    let mut body = Vec::with_capacity(256);
    for entry in batch.entries {
        body.clear();
        encode_body(entry, &mut body);
        let event = &entry.event;
        let ends = entry.id == head.last;
        insert.execute(params![
            entry.id.number(),
            merchants
                .get(&entry.wallet_id)
                .map(|merchant| merchant.number()),
            entry.wallet_id.number(),
            entry.version,
            entry.seq,
            event.kind.code(),
            event.reason.map_or(0, Reason::code),
            event.amount.micros(),
            entry.balance_after.micros(),
            entry.at.micros(),
            entry.key.as_ref().map(|stamp| stamp.key),
            entry.key.as_ref().map(|stamp| stamp.fingerprint),
            body,
            event.note.description,
            event.note.reference,
            event.note.metadata,
            entry.salt,
            entry.hash,
            ends.then_some(head.height),
            ends.then_some(head.hash)
        ])?;
        write_links(connection, entry)?;
    }
    let owned = |entry: &'_ Arc<Entry>| merchants.get(&entry.wallet_id).copied();
    let entries = batch.entries.iter();
    stretches::write(
        connection,
        entries.filter_map(|entry| Some((owned(entry)?, &**entry))),
    )
}

/// What refunds look up later: what was given back of a debit, and who paid debt.
fn write_links(connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    if let Some(debit_id) = entry.event.refund_of {
        let mut insert = connection.prepare_cached(
            "INSERT INTO refunds (entry_id, debit_id, amount) VALUES (?1, ?2, ?3)",
        )?;
        insert.execute([
            entry.id.number(),
            debit_id.number(),
            entry.event.amount.micros(),
        ])?;
    }
    for part in &entry.event.parts {
        if let Some(span) = part.debt_paid() {
            let mut insert = connection.prepare_cached("INSERT INTO debt_payments (wallet_id, debt_from, amount, lot_id, entry_id) VALUES (?1, ?2, ?3, ?4, ?5)")?;
            insert.execute([
                entry.wallet_id.number(),
                span.from.micros(),
                span.amount.micros(),
                part.lot.id.number(),
                entry.id.number(),
            ])?;
        }
    }
    Ok(())
}

fn write_lots(connection: &Connection, lots: &[LotWrite]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO lots (id, wallet_id, funding, withdrawable, priority, expires_at, created_at, amount, cost_basis, source, succeeds, remaining, held, open) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?12 > 0)",
    )?;
    // A lot that stays open is changed without a look at the index of open lots.
    let mut spend = connection.prepare_cached(
        "UPDATE lots SET remaining = ?2, held = ?3 WHERE id = ?1 AND open = 1 AND ?2 > 0",
    )?;
    let mut turn = connection.prepare_cached(
        "UPDATE lots SET remaining = ?2, held = ?3, open = (?2 > 0) WHERE id = ?1",
    )?;
    for write in lots {
        let changed = match write {
            LotWrite::Opened { wallet_id, lot } => insert.execute(params![
                lot.id.number(),
                wallet_id.number(),
                lot.funding.code(),
                lot.withdrawable,
                lot.priority,
                lot.expires_at.map(Timestamp::micros),
                lot.created_at.micros(),
                lot.amount.micros(),
                lot.cost_basis.micros(),
                lot.source.number(),
                lot.succeeds.map(LotId::number),
                lot.remaining.micros(),
                lot.held.micros()
            ])?,
            LotWrite::Changed {
                id,
                remaining,
                held,
            } => {
                let values = [id.number(), remaining.micros(), held.micros()];
                match spend.execute(values)? {
                    0 => turn.execute(values)?,
                    changed => changed,
                }
            }
        };
        expect_one(changed)?;
    }
    Ok(())
}

fn write_holds(connection: &Connection, holds: &[HoldWrite]) -> rusqlite::Result<()> {
    if holds.is_empty() {
        return Ok(());
    }
    let mut upsert = connection.prepare_cached(
        "INSERT INTO holds (id, wallet_id, amount, captured, released, overdraft, expires_at, placed_at, invoice_id, status, parts) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (id) DO UPDATE SET captured = excluded.captured, released = excluded.released, overdraft = excluded.overdraft, \
         expires_at = excluded.expires_at, status = excluded.status, parts = excluded.parts",
    )?;
    for HoldWrite { wallet_id, hold } in holds {
        upsert.execute(params![
            hold.id.number(),
            wallet_id.number(),
            hold.amount.micros(),
            hold.captured.micros(),
            hold.released.micros(),
            hold.overdraft.micros(),
            hold.expires_at.micros(),
            hold.placed_at.micros(),
            hold.invoice_id.map(tillbox_core::id::InvoiceId::number),
            hold.status.code(),
            pack_parts(&hold.parts)
        ])?;
    }
    Ok(())
}

fn write_top_ups(connection: &Connection, batch: &Batch<'_>) -> rusqlite::Result<()> {
    let merchant_of = |wallet: WalletId| {
        let state = batch.wallets.iter().find(|state| state.id == wallet);
        state.map(|state| state.merchant_id)
    };
    top_ups::write(connection, merchant_of, batch.top_ups)
}

/// A key has a row or an answer, never both. Rows come first, so this side alone has to look.
fn write_answers(
    connection: &Connection,
    keys: &KeyIndex,
    batch: &Batch<'_>,
) -> rusqlite::Result<()> {
    if batch.answers.is_empty() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO answers (key, fingerprint, status, body) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for answer in batch.answers {
        let key = answer.key.key;
        let in_batch = batch
            .entries
            .iter()
            .any(|entry| entry.key.is_some_and(|stamp| stamp.key == key));
        let known = if in_batch {
            Some(0)
        } else {
            keys.find(connection, &key)?
        };
        expect_one(usize::from(known.is_none()))?;
        insert.execute(params![
            key,
            answer.key.fingerprint,
            answer.status,
            &*answer.body
        ])?;
    }
    Ok(())
}

/// A write that must meet one row, and whose batch is refused when it does not.
pub(crate) fn expect_one(changed: usize) -> rusqlite::Result<()> {
    match changed {
        1 => Ok(()),
        other => Err(rusqlite::Error::StatementChangedRows(other)),
    }
}

/// Wallets are there but for those that the batch opens.
fn write_states(connection: &Connection, wallets: &[&WalletState]) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE wallet_states SET merchant_id = ?2, status = ?3, version = ?4, seq = ?5, head = ?6, last_at = ?7, last_effective_at = ?8, \
         balance = ?9, held = ?10, debt_paid_to = ?11, debt_owed_to = ?12, debt_gaps = ?13, overdraft_limit = ?14, next_due_at = ?15, standing = ?16 \
         WHERE wallet_id = ?1",
    )?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO wallet_states (wallet_id, merchant_id, status, version, seq, head, last_at, last_effective_at, balance, held, \
         debt_paid_to, debt_owed_to, debt_gaps, overdraft_limit, next_due_at, standing) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?;
    for state in wallets {
        let gaps = pack_spans(state.debt.canceled());
        let values = params![
            state.id.number(),
            state.merchant_id.number(),
            state.status.code(),
            state.version,
            state.seq,
            state.head,
            state.last_at.micros(),
            state.last_effective_at.micros(),
            state.balance.micros(),
            state.held.micros(),
            state.debt.paid_to().micros(),
            state.debt.owed_to().micros(),
            gaps,
            state.overdraft_limit.micros(),
            state.next_due_at().map(Timestamp::micros),
            encode_standing(state.recharge.as_deref(), &state.alerts)
        ];
        if update.execute(values)? == 0 {
            insert.execute(values)?;
        }
        if state.status == WalletStatus::Closed {
            connection
                .prepare_cached("UPDATE wallets SET closed = 1 WHERE id = ?1")?
                .execute([state.id.number()])?;
        }
    }
    Ok(())
}
