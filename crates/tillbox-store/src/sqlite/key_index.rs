//! Which row a key belongs to, at the cost of few pages.
//!
//! Keys are random, so an index that takes each as it comes dirties a page of its own for every debit: measured, that
//! was most of what a commit cost. Here keys wait in memory (`recent`) and are folded into the table `keys` in runs, in
//! key order, a slice with every commit, so that neighbours share their pages. The log itself carries every key: what
//! is not folded when the process dies is read from the log's tail at the next start.
//!
//! - `folded_to` in the database: every row up to that id has its key in the table. It moves in the commit of a run's
//!   last slice; rows of a run that is half folded lie behind it, and are folded again after a crash (`OR IGNORE`).
//! - A key is looked for in `recent`, in `run`, then in the table; one of the three has it. Nothing is ever forgotten.
//! - A slice is a little longer than the batch that it rides on, so a run is folded before the next one is full.

use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// Keys of one run. Longer runs share pages better and take longer to sort: 131,072 take some 10 ms.
pub(super) const RUN: usize = 131_072;

type Key = [u8; 16];

pub(super) struct KeyIndex {
    /// Keys of rows behind the run.
    recent: HashMap<Key, i64>,
    /// The run that is being folded, in key order.
    run: Vec<(Key, i64)>,
    /// How much of it is in the table.
    folded: usize,
    /// How long runs are.
    length: usize,
}

/// What a commit folded; it counts once the commit has succeeded.
#[derive(Clone, Copy)]
pub(super) struct Slice(usize);

impl KeyIndex {
    /// Reads the keys that are not folded from the log's tail.
    pub(super) fn load(connection: &Connection, length: usize) -> Result<Self, StoreError> {
        let folded_to: i64 = connection.query_row("SELECT folded_to FROM key_fold", [], |row| row.get(0))?;
        let mut statement = connection.prepare("SELECT key, id FROM log WHERE id > ?1 AND key IS NOT NULL")?;
        let tail = statement.query_map([folded_to], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let recent = tail.collect::<rusqlite::Result<_>>()?;
        let mut index = Self { recent, run: Vec::new(), folded: 0, length };
        index.begin_run();
        Ok(index)
    }

    /// How long runs are.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The row that the key belongs to.
    pub(super) fn find(&self, connection: &Connection, key: &Key) -> rusqlite::Result<Option<i64>> {
        if let Some(id) = self.find_in_memory(key) {
            return Ok(Some(id));
        }
        let mut statement = connection.prepare_cached("SELECT entry_id FROM keys WHERE key = ?1")?;
        statement.query_row([key], |row| row.get(0)).optional()
    }

    fn find_in_memory(&self, key: &Key) -> Option<i64> {
        let in_run = || {
            let place = self.run.binary_search_by_key(key, |(known, _)| *known).ok()?;
            self.run.get(place).map(|(_, id)| *id)
        };
        self.recent.get(key).copied().or_else(in_run)
    }

    /// Whether a batch may add these keys: none twice, none that waits in memory. What is in the table was looked up
    /// when the batch was decided.
    pub(super) fn admits(&self, keys: &[(Key, i64)]) -> bool {
        let mut sorted: Vec<Key> = keys.iter().map(|(key, _)| *key).collect();
        sorted.sort_unstable();
        let unique = sorted.windows(2).all(|pair| pair.first() != pair.last());
        unique && keys.iter().all(|(key, _)| self.find_in_memory(key).is_none())
    }

    /// Folds the next slice of the run, as part of a commit that adds so many keys.
    pub(super) fn fold(&self, connection: &Connection, added: usize) -> rusqlite::Result<Slice> {
        self.fold_up_to(connection, self.folded + added + added / 4 + 16)
    }

    fn fold_up_to(&self, connection: &Connection, end: usize) -> rusqlite::Result<Slice> {
        let end = end.min(self.run.len());
        if end == self.folded {
            return Ok(Slice(end));
        }
        let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO keys (key, entry_id) VALUES (?1, ?2)")?;
        for (key, id) in self.run.get(self.folded..end).unwrap_or_default() {
            insert.execute(rusqlite::params![key, id])?;
        }
        if end == self.run.len() {
            let last = self.run.iter().map(|(_, id)| *id).max();
            connection.prepare_cached("UPDATE key_fold SET folded_to = ?1")?.execute([last])?;
        }
        Ok(Slice(end))
    }

    /// The commit succeeded.
    pub(super) fn committed(&mut self, added: &[(Key, i64)], Slice(end): Slice) {
        self.recent.extend(added.iter().copied());
        self.folded = end;
        self.begin_run();
    }

    /// Once a run is folded and enough has gathered behind it, that is the next.
    fn begin_run(&mut self) {
        if self.folded == self.run.len() && self.recent.len() >= self.length {
            self.run.clear();
            self.run.extend(self.recent.drain());
            self.run.sort_unstable();
            self.folded = 0;
        }
    }

    /// Folds all that waits: inside one transaction, and once it is committed, see [`KeyIndex::committed`].
    pub(super) fn fold_all(&mut self, connection: &Connection) -> rusqlite::Result<Slice> {
        let rest = self.run.split_off(self.folded);
        self.run = rest;
        self.run.extend(self.recent.drain());
        self.run.sort_unstable();
        self.folded = 0;
        self.fold_up_to(connection, self.run.len())
    }
}
