//! A batch, written in one transaction.

use super::super::key_index::KeyIndex;
use super::super::rows::pack_parts;
use super::super::trail::{LotWriter, Plan, Trail};
use super::super::{lot_warnings, outbox, paybacks, stretches, top_ups};
use foldhash::{HashMap, HashMapExt, HashSet};
use rusqlite::{Connection, params};
use std::sync::Arc;
use tillbox_core::entry::{Entry, LogHead, encode_body};
use tillbox_core::id::{LotId, MerchantId, WalletId};
use tillbox_core::reason::{Language, Reason};
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tillbox_engine::port::{Batch, HoldWrite, LotWrite, OpenedWallet};

/// All of a batch: wallets that it opens, rows with what looks them up, then what does not trail them, in its last
/// form. `head`: behind its rows.
pub(super) fn write_batch(
    connection: &Connection,
    keys: &KeyIndex,
    trail: &Trail,
    plan: &Plan<'_>,
    batch: &Batch<'_>,
    head: LogHead,
) -> rusqlite::Result<()> {
    write_opened(connection, batch.opened)?;
    write_entries(connection, batch, head)?;
    trail.write(connection, plan)?;
    write_lots(connection, batch, &plan.lots_behind())?;
    write_holds(connection, batch.holds)?;
    write_top_ups(connection, batch)?;
    write_paybacks(connection, batch)?;
    write_answers(connection, keys, batch)
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
    let mut merchants: HashMap<WalletId, MerchantId> = HashMap::with_capacity(batch.wallets.len());
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

fn write_lots(
    connection: &Connection,
    batch: &Batch<'_>,
    behind: &HashSet<LotId>,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO lots (id, wallet_id, funding, withdrawable, priority, expires_at, created_at, amount, cost_basis, source, succeeds, remaining, held, open) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?12 > 0)",
    )?;
    let mut stored = LotWriter::new(connection)?;
    let state_of = |wallet: WalletId| batch.wallets.iter().find(|state| state.id == wallet);
    for write in batch.lots {
        match write {
            LotWrite::Opened { wallet_id, lot } => {
                let changed = insert.execute(params![
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
                ])?;
                expect_one(changed)?;
                let owner = state_of(*wallet_id).map(|state| state.merchant_id);
                lot_warnings::expect(connection, owner, *wallet_id, lot)?;
            }
            LotWrite::Changed { id, .. } if behind.contains(id) => {}
            LotWrite::Changed {
                id,
                remaining,
                held,
                expires_at,
            } => {
                stored.write(*id, *remaining, *held)?;
                if let Some(end) = expires_at {
                    change_expiry(connection, *id, *end, state_of)?;
                }
            }
        }
    }
    Ok(())
}

/// Another expiry for a lot, and with it other warnings.
fn change_expiry<'a>(
    connection: &Connection,
    id: LotId,
    end: Option<Timestamp>,
    state_of: impl FnOnce(WalletId) -> Option<&'a &'a WalletState>,
) -> rusqlite::Result<()> {
    let (wallet, before): (i64, Option<i64>) = connection
        .prepare_cached("SELECT wallet_id, expires_at FROM lots WHERE id = ?1")?
        .query_row([id.number()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    connection
        .prepare_cached("UPDATE lots SET expires_at = ?2 WHERE id = ?1")?
        .execute(params![id.number(), end.map(Timestamp::micros)])?;
    let Some(state) = state_of(WalletId::from_number(wallet)) else {
        return Ok(());
    };
    lot_warnings::change(
        connection,
        state,
        id,
        before.map(Timestamp::from_micros),
        end,
    )
}

fn write_holds(connection: &Connection, holds: &[HoldWrite]) -> rusqlite::Result<()> {
    if holds.is_empty() {
        return Ok(());
    }
    let mut upsert = connection.prepare_cached(
        "INSERT INTO holds (id, wallet_id, amount, captured, released, overdraft, expires_at, placed_at, invoice_id, status, parts) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, captured = excluded.captured, released = excluded.released, overdraft = excluded.overdraft, \
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

fn write_paybacks(connection: &Connection, batch: &Batch<'_>) -> rusqlite::Result<()> {
    let merchant_of = |wallet: WalletId| {
        let state = batch.wallets.iter().find(|state| state.id == wallet);
        state.map(|state| state.merchant_id)
    };
    paybacks::write(connection, merchant_of, batch.entries)
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
