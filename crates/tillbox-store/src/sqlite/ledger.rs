//! The ledger's side of the store: loads what a batch needs, and writes a batch in one transaction.
//!
//! A commit costs one fsync, whatever its size. Statements are cached and run in a loop, which measured faster
//! than anything set-based (see `docs/performance.md`). Keys are inserted in their order, so that those of one
//! batch share pages of the index where they can.

use super::currency;
use super::key_index::{self, KeyIndex};
use super::plain::{PlainWrite, run_all};
use super::rows::{
    ENTRY_COLUMNS, HOLD_COLUMNS, LOT_COLUMNS, corrupt, entry_from_row, hold_from_row, lot_from_row,
    pack_parts, pack_spans, unpack_spans,
};
use super::stretches;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{DebitRecord, DebtPayment};
use tillbox_core::currency::Currency;
use tillbox_core::debt::{Debt, DebtSpan};
use tillbox_core::entry::{Entry, KeyStamp, encode_body};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{CustomerId, EntryId, HoldId, LotId, MerchantId, WalletId};
use tillbox_core::reason::{Language, Reason};
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::{NewWallet, WalletState, WalletStatus};
use tillbox_engine::port::{
    Batch, CommitError, HoldWrite, LedgerStore, LoadError, LotWrite, OpenedWallet, Remembered,
    StoredAnswer,
};

/// The one writer of a SQLite database.
pub struct SqliteLedger {
    connection: Connection,
    keys: KeyIndex,
}

impl SqliteLedger {
    /// Over the connection that [`super::SqliteStore::open`] gives for writing. Reads the log's tail.
    pub fn new(connection: Connection) -> Result<Self, StoreError> {
        Self::with_key_run(connection, key_index::RUN)
    }

    /// With another length of the runs in which keys are folded.
    pub fn with_key_run(connection: Connection, length: usize) -> Result<Self, StoreError> {
        connection.set_prepared_statement_cache_capacity(128);
        let keys = KeyIndex::load(&connection, length)?;
        Ok(Self { connection, keys })
    }

    /// Folds all keys that wait in memory into their table.
    pub fn fold_keys(&mut self) -> Result<(), CommitError> {
        let (connection, keys) = (&mut self.connection, &mut self.keys);
        match transact(connection, |connection| keys.fold_all(connection)) {
            Ok(slice) => {
                keys.committed(&[], slice);
                Ok(())
            }
            Err(error) => {
                *keys = KeyIndex::load(connection, keys.length())
                    .map_err(|why| CommitError::OutcomeUnknown(why.to_string()))?;
                Err(error)
            }
        }
    }
}

impl From<StoreError> for LoadError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl LedgerStore for SqliteLedger {
    type Plain = Box<dyn PlainWrite>;

    fn load_wallets(&mut self, ids: &[WalletId]) -> Result<Vec<Option<WalletState>>, LoadError> {
        let found = in_snapshot(&self.connection, |connection| {
            ids.iter().map(|id| load_wallet(connection, *id)).collect()
        });
        Ok(found?)
    }

    fn load_keys(&mut self, keys: &[[u8; 16]]) -> Result<Vec<Option<Remembered>>, LoadError> {
        let found = in_snapshot(&self.connection, |connection| {
            keys.iter()
                .map(|key| load_key(connection, &self.keys, key))
                .collect()
        });
        Ok(found?)
    }

    fn load_hold_status(
        &mut self,
        wallet: WalletId,
        hold: HoldId,
    ) -> Result<Option<HoldStatus>, LoadError> {
        Ok(load_hold_status(&self.connection, wallet, hold)?)
    }

    fn load_debit(
        &mut self,
        wallet: WalletId,
        debit: EntryId,
    ) -> Result<Option<DebitRecord>, LoadError> {
        Ok(load_debit(&self.connection, wallet, debit)?)
    }

    fn find_open_wallet(
        &mut self,
        merchant: MerchantId,
        customer: CustomerId,
        currency: Currency,
    ) -> Result<Option<WalletId>, LoadError> {
        Ok(find_open_wallet(
            &self.connection,
            merchant,
            customer,
            currency,
        )?)
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), CommitError> {
        let keys: Vec<([u8; 16], i64)> = batch
            .entries
            .iter()
            .filter_map(|entry| Some((entry.key?.key, entry.id.number())))
            .collect();
        if !self.keys.admits(&keys) {
            return Err(CommitError::NothingWritten(
                "a key is used twice".to_owned(),
            ));
        }
        let index = &self.keys;
        let slice = transact(&mut self.connection, |connection| {
            write_batch(connection, index, batch)?;
            index.fold(connection, keys.len())
        })?;
        self.keys.committed(&keys, slice);
        Ok(())
    }

    fn run_plain(&mut self, writes: Vec<Self::Plain>) -> Result<(), CommitError> {
        run_all(&mut self.connection, writes)
    }
}

/// Reads several things in one transaction: begun once, not once for each statement.
fn in_snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.execute_batch("BEGIN")?;
    let value = read(connection);
    connection.execute_batch("COMMIT")?;
    value
}

/// Runs `write` in a transaction of its own. An error before COMMIT, with a rollback that succeeds, wrote
/// nothing. An error of COMMIT itself says nothing about what a restart will find: SQLite may report an I/O
/// error of the sync after the frames reached the log, so it is unknown, and the connection is not used again.
pub(super) fn transact<T>(
    connection: &mut Connection,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, CommitError> {
    let nothing = |why: &rusqlite::Error| CommitError::NothingWritten(why.to_string());
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(|why| nothing(&why))?;
    let value = match write(connection) {
        Ok(value) => value,
        Err(why) => {
            // Some errors end the transaction by themselves.
            if !connection.is_autocommit()
                && let Err(rollback) = connection.execute_batch("ROLLBACK")
            {
                return Err(CommitError::OutcomeUnknown(format!(
                    "{why}, and the rollback failed: {rollback}"
                )));
            }
            return Err(nothing(&why));
        }
    };
    match connection.execute_batch("COMMIT") {
        Ok(()) => Ok(value),
        Err(why) => Err(CommitError::OutcomeUnknown(why.to_string())),
    }
}

fn load_wallet(connection: &Connection, id: WalletId) -> Result<Option<WalletState>, StoreError> {
    let sql = "SELECT w.merchant_id, w.customer_id, w.currency, w.language, s.status, s.overdraft_limit, s.version, s.seq, \
               s.head, s.last_at, s.last_effective_at, s.balance, s.debt_paid_to, s.debt_owed_to, s.debt_gaps \
               FROM wallet_states s JOIN wallets w ON w.id = s.wallet_id WHERE s.wallet_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.number()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let wallet = NewWallet {
        id,
        merchant_id: MerchantId::from_number(row.get(0)?),
        customer_id: CustomerId::from_number(row.get(1)?),
        currency: currency(&row.get::<_, String>(2)?)?,
        language: if row.get::<_, String>(3)? == "es" {
            Language::Es
        } else {
            Language::En
        },
        status: WalletStatus::from_code(row.get(4)?)
            .ok_or_else(|| corrupt(format!("{id} has an unknown status")))?,
        overdraft_limit: Amount::from_micros(row.get(5)?),
    };
    let mut state = WalletState::new(wallet);
    state.version = row.get(6)?;
    state.seq = row.get(7)?;
    state.head = row.get(8)?;
    state.last_at = Timestamp::from_micros(row.get(9)?);
    state.last_effective_at = Timestamp::from_micros(row.get(10)?);
    state.balance = Amount::from_micros(row.get(11)?);
    let gaps: Option<Vec<u8>> = row.get(14)?;
    let gaps = unpack_spans(gaps.as_deref().unwrap_or_default())
        .ok_or_else(|| corrupt(format!("{id} has unreadable gaps of debt")))?;
    state.debt = Debt::restore(
        Amount::from_micros(row.get(12)?),
        Amount::from_micros(row.get(13)?),
        gaps,
    );

    let mut statement = connection.prepare_cached(&format!(
        "SELECT {LOT_COLUMNS} FROM lots WHERE wallet_id = ?1 AND open = 1"
    ))?;
    let lots = statement
        .query_and_then([id.number()], lot_from_row)?
        .collect::<Result<_, _>>()?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {HOLD_COLUMNS} FROM holds WHERE wallet_id = ?1 AND status = 0"
    ))?;
    let holds = statement
        .query_and_then([id.number()], hold_from_row)?
        .collect::<Result<_, _>>()?;
    Ok(Some(state.with_open(lots, holds)))
}

fn load_key(
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

fn load_hold_status(
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

fn load_debit(
    connection: &Connection,
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
        lots.push(lot_from_row(row)?);
    }
    Ok(Some(DebitRecord {
        event: entry.event,
        refunded,
        debt_payments,
        lots,
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

fn find_open_wallet(
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

fn write_batch(
    connection: &Connection,
    keys: &KeyIndex,
    batch: &Batch<'_>,
) -> rusqlite::Result<()> {
    write_opened(connection, batch.opened)?;
    write_entries(connection, batch)?;
    write_lots(connection, batch.lots)?;
    write_holds(connection, batch.holds)?;
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
    for OpenedWallet {
        wallet,
        name,
        metadata,
        created_at,
    } in opened
    {
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
    }
    Ok(())
}

fn write_entries(connection: &Connection, batch: &Batch<'_>) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO log (id, merchant_id, wallet_id, version, seq, kind, reason, amount, balance_after, at, key, fingerprint, \
         body, description, reference, metadata, salt, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
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
            entry.hash
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
fn expect_one(changed: usize) -> rusqlite::Result<()> {
    match changed {
        1 => Ok(()),
        other => Err(rusqlite::Error::StatementChangedRows(other)),
    }
}

/// Wallets are there but for those that the batch opens.
fn write_states(connection: &Connection, wallets: &[&WalletState]) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE wallet_states SET merchant_id = ?2, status = ?3, version = ?4, seq = ?5, head = ?6, last_at = ?7, last_effective_at = ?8, \
         balance = ?9, held = ?10, debt_paid_to = ?11, debt_owed_to = ?12, debt_gaps = ?13, overdraft_limit = ?14, next_due_at = ?15 \
         WHERE wallet_id = ?1",
    )?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO wallet_states (wallet_id, merchant_id, status, version, seq, head, last_at, last_effective_at, balance, held, \
         debt_paid_to, debt_owed_to, debt_gaps, overdraft_limit, next_due_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
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
            state.next_due_at().map(Timestamp::micros)
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
