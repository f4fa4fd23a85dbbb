//! The ledger's side of the store: loads what a batch needs, and writes a batch in one transaction.
//!
//! A commit costs one fsync, whatever its size. Statements are cached and run in a loop, which measured faster
//! than anything set-based.

mod load;
mod write;

use super::anchor::AnchorKeeper;
use super::key_index::{self, KeyIndex};
use super::log_head::{self, SharedLogHead};
use super::plain::{PlainWrite, run_all};
use super::top_ups;
use super::trail::{self, Trail};
use crate::error::StoreError;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use tillbox_core::command::{DebitRecord, PaymentRecord};
use tillbox_core::currency::Currency;
use tillbox_core::entry::Entry;
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{CustomerId, EntryId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::top_up::TopUp;
use tillbox_core::wallet::WalletState;
use tillbox_engine::port::{Batch, CommitError, LedgerStore, LoadError, Remembered};

pub(super) use load::load_wallet;
use load::{
    find_open_wallet, has_lot, load_debit, load_hold_status, load_key, load_origin, load_payment,
};
pub(super) use write::expect_one;
use write::write_batch;

/// The one writer of a SQLite database.
pub struct SqliteLedger {
    connection: Connection,
    keys: KeyIndex,
    trail: Trail,
    head: SharedLogHead,
    _anchor: AnchorKeeper,
}

/// How much waits in memory of what trails the log.
#[derive(Clone, Copy, Debug)]
pub struct Trailing {
    /// Keys of a run.
    pub keys: usize,
    /// Rows that wallets are behind.
    pub rows: usize,
}

impl Default for Trailing {
    fn default() -> Self {
        Self {
            keys: key_index::RUN,
            rows: trail::LENGTH,
        }
    }
}

impl SqliteLedger {
    /// Over the connection that [`super::SqliteStore::open`] gives for writing. Reads the log's tail.
    pub fn new(connection: Connection) -> Result<Self, StoreError> {
        Self::trailing(connection, Trailing::default())
    }

    /// With so much waiting in memory.
    pub fn trailing(connection: Connection, trailing: Trailing) -> Result<Self, StoreError> {
        connection.set_prepared_statement_cache_capacity(128);
        let keys = KeyIndex::load(&connection, trailing.keys)?;
        let trail = Trail::load(&connection, trailing.rows)?;
        let head = SharedLogHead::new(log_head::last(&connection)?);
        let path = Path::new(connection.path().unwrap_or_default());
        let anchor = AnchorKeeper::start(path, head.clone())?;
        Ok(Self {
            connection,
            keys,
            trail,
            head,
            _anchor: anchor,
        })
    }

    /// Where the log stands, now and later.
    pub fn head(&self) -> SharedLogHead {
        self.head.clone()
    }

    /// Folds all keys that wait in memory into their table.
    pub fn fold_keys(&mut self) -> Result<(), CommitError> {
        let (connection, keys) = (&mut self.connection, &mut self.keys);
        match transact(connection, |connection| keys.fold_all(connection)) {
            Ok(fold) => {
                keys.committed(&[], fold);
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
        let trail = &mut self.trail;
        let found = in_snapshot(&self.connection, |connection| {
            let load = |id: &WalletId| {
                trail.recall(connection, *id)?;
                load_wallet(connection, Some(trail), *id)
            };
            ids.iter().map(load).collect()
        });
        Ok(found?)
    }

    fn load_keys(&mut self, keys: &[[u8; 16]]) -> Result<Vec<Option<Remembered>>, LoadError> {
        let index = &mut self.keys;
        let found = in_snapshot(&self.connection, |connection| {
            index.catch_up(connection)?;
            let load = |key| {
                if index.may_have(key) {
                    load_key(connection, index, key)
                } else {
                    Ok(None)
                }
            };
            keys.iter().map(load).collect()
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
        self.trail.recall(&self.connection, wallet)?;
        Ok(load_debit(&self.connection, &self.trail, wallet, debit)?)
    }

    fn load_top_up(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
    ) -> Result<Option<TopUp>, LoadError> {
        let known = top_ups::of_wallet(&self.connection, wallet, top_up)?;
        Ok(known.map(|(top_up, _)| top_up))
    }

    fn load_payment(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
        payout: Option<EntryId>,
    ) -> Result<Option<PaymentRecord>, LoadError> {
        self.trail.recall(&self.connection, wallet)?;
        Ok(in_snapshot(&self.connection, |connection| {
            load_payment(connection, &self.trail, wallet, top_up, payout)
        })?)
    }

    fn has_lot(&mut self, wallet: WalletId, lot: LotId) -> Result<bool, LoadError> {
        Ok(has_lot(&self.connection, wallet, lot)?)
    }

    fn load_origins(&mut self, lots: &[LotId]) -> Result<Vec<Option<Arc<Entry>>>, LoadError> {
        let found = in_snapshot(&self.connection, |connection| {
            lots.iter().map(|id| load_origin(connection, *id)).collect()
        });
        Ok(found?)
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
        let rows = batch.entries.iter().map(|entry| (entry.id, &entry.hash));
        let head = self.head.get().after(rows);
        let plan = self.trail.plan(&self.connection, batch);
        let plan = plan.map_err(|why| CommitError::NothingWritten(why.to_string()))?;
        let (index, trail) = (&self.keys, &self.trail);
        let fold = transact(&mut self.connection, |connection| {
            write_batch(connection, index, trail, &plan, batch, head)?;
            index.fold(connection)
        })?;
        self.keys.committed(&keys, fold);
        self.trail.committed(plan);
        self.head.set(head);
        Ok(())
    }

    fn trails(&self, wallet: WalletId) -> bool {
        self.trail.has(wallet)
    }

    fn run_plain(&mut self, writes: Vec<Self::Plain>) -> Result<(), CommitError> {
        run_all(&mut self.connection, &self.keys, writes)
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
