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
//! - What is new is not looked for in tables at all: a filter over all that is stored says so ([`KnownKeys`]).
//! - A slice is a little longer than the batch that it rides on, so a run is folded before the next one is full.

use super::known_keys::KnownKeys;
use crate::error::StoreError;
use foldhash::{HashMap, HashMapExt};
use rusqlite::{Connection, OptionalExtension};

/// Keys of one run. Longer runs share pages better and take longer to sort: 131,072 take some 10 ms.
pub(super) const RUN: usize = 131_072;

type Key = [u8; 16];

pub(super) struct KeyIndex {
    /// Keys of rows behind the run.
    recent: HashMap<Key, i64>,
    /// The run that is being folded, in key order, and to be looked up in.
    run: Vec<(Key, i64)>,
    run_ids: HashMap<Key, i64>,
    /// What is stored, perhaps.
    known: KnownKeys,
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
        let folded_to: i64 =
            connection.query_row("SELECT folded_to FROM key_fold", [], |row| row.get(0))?;
        let mut statement =
            connection.prepare("SELECT key, id FROM log WHERE id > ?1 AND key IS NOT NULL")?;
        let tail = statement.query_map([folded_to], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let recent = tail.collect::<rusqlite::Result<_>>()?;
        let mut index = Self {
            recent,
            run: Vec::new(),
            run_ids: HashMap::new(),
            known: KnownKeys::load(connection)?,
            folded: 0,
            length,
        };
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
        let mut statement =
            connection.prepare_cached("SELECT entry_id FROM keys WHERE key = ?1")?;
        statement.query_row([key], |row| row.get(0)).optional()
    }

    fn find_in_memory(&self, key: &Key) -> Option<i64> {
        let found = self.recent.get(key).or_else(|| self.run_ids.get(key));
        found.copied()
    }

    /// Whether a row or an answer may be stored under the key; where it says no, none is.
    pub(super) fn may_have(&self, key: &Key) -> bool {
        self.find_in_memory(key).is_some() || self.known.may_have(key)
    }

    /// Learns of what was stored since the last call, answers of plain writes too.
    pub(super) fn catch_up(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.known.catch_up(connection)
    }

    /// Whether a batch may add these keys: none twice, none that waits in memory. What is in the table was looked up
    /// when the batch was decided.
    pub(super) fn admits(&self, keys: &[(Key, i64)]) -> bool {
        let mut sorted: Vec<Key> = keys.iter().map(|(key, _)| *key).collect();
        sorted.sort_unstable();
        let unique = sorted.windows(2).all(|pair| pair.first() != pair.last());
        unique
            && keys
                .iter()
                .all(|(key, _)| self.find_in_memory(key).is_none())
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
        let mut insert = connection
            .prepare_cached("INSERT OR IGNORE INTO keys (key, entry_id) VALUES (?1, ?2)")?;
        for (key, id) in self.run.get(self.folded..end).unwrap_or_default() {
            insert.execute(rusqlite::params![key, id])?;
        }
        if end == self.run.len() {
            let last = self.run.iter().map(|(_, id)| *id).max();
            connection
                .prepare_cached("UPDATE key_fold SET folded_to = ?1")?
                .execute([last])?;
        }
        Ok(Slice(end))
    }

    /// The commit succeeded.
    pub(super) fn committed(&mut self, added: &[(Key, i64)], Slice(end): Slice) {
        self.recent.extend(added.iter().copied());
        for (key, _) in self.run.get(self.folded..end).unwrap_or_default() {
            self.known.add(key);
        }
        self.folded = end;
        self.begin_run();
    }

    /// Once a run is folded and enough has gathered behind it, that is the next.
    fn begin_run(&mut self) {
        if self.folded == self.run.len() && self.recent.len() >= self.length {
            self.run_ids = std::mem::take(&mut self.recent);
            self.run.clear();
            self.run
                .extend(self.run_ids.iter().map(|(key, id)| (*key, *id)));
            self.run.sort_unstable();
            self.folded = 0;
        }
    }

    /// Folds all that waits: inside one transaction, and once it is committed, see [`KeyIndex::committed`].
    pub(super) fn fold_all(&mut self, connection: &Connection) -> rusqlite::Result<Slice> {
        self.run_ids.extend(self.recent.drain());
        self.run.clear();
        self.run
            .extend(self.run_ids.iter().map(|(key, id)| (*key, *id)));
        self.run.sort_unstable();
        self.folded = 0;
        self.fold_up_to(connection, self.run.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().expect("opens");
        connection
            .execute_batch(
                "CREATE TABLE log (id INTEGER PRIMARY KEY, key BLOB);
                 CREATE TABLE keys (key BLOB PRIMARY KEY, entry_id INTEGER NOT NULL) WITHOUT ROWID;
                 CREATE TABLE key_fold (folded_to INTEGER NOT NULL);
                 CREATE TABLE answers (key BLOB PRIMARY KEY);
                 INSERT INTO key_fold VALUES (0);",
            )
            .expect("tables");
        connection
    }

    fn key_of(id: i64) -> Key {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(&id.to_be_bytes()).as_bytes()[..16]);
        key
    }

    /// Commits so many rows; where it is told to fail, the transaction is rolled back and nothing counts.
    fn commit(
        connection: &Connection,
        index: &mut KeyIndex,
        ids: std::ops::Range<i64>,
        fails: bool,
    ) {
        let added: Vec<(Key, i64)> = ids.map(|id| (key_of(id), id)).collect();
        assert!(index.admits(&added));
        connection.execute_batch("BEGIN").expect("begins");
        for (key, id) in &added {
            connection
                .execute(
                    "INSERT INTO log VALUES (?1, ?2)",
                    rusqlite::params![id, key],
                )
                .expect("a row");
        }
        let slice = index.fold(connection, added.len()).expect("folds");
        connection
            .execute_batch(if fails { "ROLLBACK" } else { "COMMIT" })
            .expect("ends");
        if !fails {
            index.committed(&added, slice);
        }
    }

    #[test]
    fn every_key_is_found_whenever_the_process_dies() {
        for crash_every in 1..12 {
            let connection = database();
            let mut index = KeyIndex::load(&connection, 7).expect("loads");
            let mut next = 1;
            for step in 0..60 {
                let end = next + step % 4;
                commit(&connection, &mut index, next..end, true);
                commit(&connection, &mut index, next..end, false);
                next = end;
                if step % crash_every == 0 {
                    index = KeyIndex::load(&connection, 7).expect("loads");
                }
                for id in 1..next {
                    assert_eq!(
                        index.find(&connection, &key_of(id)).expect("looks"),
                        Some(id),
                        "{id} at step {step}"
                    );
                    assert!(index.may_have(&key_of(id)), "{id} at step {step}");
                }
                assert_eq!(index.find(&connection, &key_of(next)).expect("looks"), None);
                assert!(!index.may_have(&key_of(next)));
                assert!(
                    next == 1
                        || !index.admits(&[(key_of(next - 1), next)])
                        || is_folded(&connection, next - 1)
                );
            }
            assert!(is_folded(&connection, 1), "folding happens");
        }
    }

    fn is_folded(connection: &Connection, id: i64) -> bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM keys WHERE key = ?1)";
        connection
            .query_row(sql, [key_of(id)], |row| row.get(0))
            .expect("looks")
    }

    #[test]
    fn a_key_twice_in_a_batch_is_not_admitted() {
        let connection = database();
        let index = KeyIndex::load(&connection, 7).expect("loads");
        assert!(!index.admits(&[(key_of(1), 1), (key_of(2), 2), (key_of(1), 3)]));
    }
}
