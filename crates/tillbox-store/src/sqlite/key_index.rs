//! Which row a key belongs to, at the cost of few pages.
//!
//! The log itself carries every key. Those of its tail wait in memory; whenever there are enough of them they are written
//! as a run of their own ([`KeyRuns`]), in one commit. What is not written when the process dies is read from the log's
//! tail at the next start.
//!
//! - `folded_to` in the database: every row up to that id has its key in a run. It moves in the commit of the run.
//! - A key is looked for in memory, then in the runs; one of the two has it. Nothing is ever forgotten.
//! - What is new is not looked for in tables at all: a filter over all that is stored says so ([`KnownKeys`]).

use super::key_runs::{Key, KeyRuns, Pair};
use super::known_keys::KnownKeys;
use crate::error::StoreError;
use foldhash::{HashMap, HashMapExt};
use rusqlite::Connection;

/// Keys of one run: the commit that writes it takes some two milliseconds longer.
pub(super) const RUN: usize = 16_384;

pub(super) struct KeyIndex {
    /// Keys of the log's tail.
    recent: HashMap<Key, i64>,
    /// Keys of the rows before it.
    runs: KeyRuns,
    /// What is stored, perhaps.
    known: KnownKeys,
    /// How long runs are.
    length: usize,
}

/// What a commit did to the runs; it counts once the commit has succeeded.
#[derive(Default)]
pub(super) struct Fold {
    runs: Option<KeyRuns>,
    takes_recent: bool,
}

impl KeyIndex {
    /// Reads the keys that are in no run from the log's tail. Where that is long, they are written first.
    pub(super) fn load(connection: &Connection, length: usize) -> Result<Self, StoreError> {
        let mut index = Self {
            recent: HashMap::new(),
            runs: KeyRuns::load(connection, length)?,
            known: KnownKeys::default(),
            length,
        };
        let folded_to: i64 =
            connection.query_row("SELECT folded_to FROM key_fold", [], |row| row.get(0))?;
        let mut statement = connection
            .prepare("SELECT key, id FROM log WHERE id > ?1 AND key IS NOT NULL ORDER BY id")?;
        let mut tail = statement.query([folded_to])?;
        while let Some(row) = tail.next()? {
            index.recent.insert(row.get(0)?, row.get(1)?);
            if index.recent.len() >= 2 * length {
                // None of it may wait for a commit: a tail that is long has all the keys of an older database.
                connection.execute_batch("SAVEPOINT tail")?;
                let mut fold = index.fold(connection)?;
                if let Some(runs) = &mut fold.runs {
                    runs.merge_all(connection)?;
                }
                connection.execute_batch("RELEASE tail")?;
                index.committed(&[], fold);
            }
        }
        drop(tail);
        index.known = KnownKeys::load(connection)?;
        for key in index.recent.keys() {
            index.known.add(key);
        }
        Ok(index)
    }

    /// How long runs are.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The row that the key belongs to.
    pub(super) fn find(&self, connection: &Connection, key: &Key) -> rusqlite::Result<Option<i64>> {
        match self.recent.get(key) {
            Some(id) => Ok(Some(*id)),
            None => self.runs.find(connection, key),
        }
    }

    /// Whether a row or an answer may be stored under the key; where it says no, none is.
    pub(super) fn may_have(&self, key: &Key) -> bool {
        self.known.may_have(key)
    }

    /// Learns of what was stored since the last call, answers of plain writes too.
    pub(super) fn catch_up(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.known.catch_up(connection)
    }

    /// Whether a batch may add these keys: none twice, none that waits in memory. What is in a run was looked up when
    /// the batch was decided.
    pub(super) fn admits(&self, keys: &[Pair]) -> bool {
        let mut sorted: Vec<Key> = keys.iter().map(|(key, _)| *key).collect();
        sorted.sort_unstable();
        let unique = sorted.windows(2).all(|pair| pair.first() != pair.last());
        unique && keys.iter().all(|(key, _)| !self.recent.contains_key(key))
    }

    /// Writes what waits, where it is enough for a run, and merges runs, as part of a commit.
    pub(super) fn fold(&self, connection: &Connection) -> rusqlite::Result<Fold> {
        if self.recent.len() >= self.length {
            return self.fold_all(connection);
        }
        if !self.runs.is_due() {
            return Ok(Fold::default());
        }
        let mut runs = self.runs.clone();
        runs.merge(connection)?;
        Ok(Fold {
            runs: Some(runs),
            takes_recent: false,
        })
    }

    /// Writes all that waits.
    pub(super) fn fold_all(&self, connection: &Connection) -> rusqlite::Result<Fold> {
        let mut pairs: Vec<Pair> = self.recent.iter().map(|(key, id)| (*key, *id)).collect();
        pairs.sort_unstable();
        let mut runs = self.runs.clone();
        if let Some(last) = pairs.iter().map(|(_, id)| *id).max() {
            runs.add(connection, &pairs)?;
            connection
                .prepare_cached("UPDATE key_fold SET folded_to = ?1")?
                .execute([last])?;
        }
        runs.merge(connection)?;
        Ok(Fold {
            runs: Some(runs),
            takes_recent: true,
        })
    }

    /// The commit succeeded.
    pub(super) fn committed(&mut self, added: &[Pair], fold: Fold) {
        if let Some(runs) = fold.runs {
            self.runs = runs;
        }
        if fold.takes_recent {
            self.recent.clear();
        }
        self.runs.owe(added.len());
        for (key, id) in added {
            self.recent.insert(*key, *id);
            self.known.add(key);
        }
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
                 CREATE TABLE key_runs (id INTEGER PRIMARY KEY, pairs BLOB NOT NULL);
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
        let slice = index.fold(connection).expect("folds");
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
        let runs = KeyRuns::load(connection, 7).expect("loads");
        let found = runs.find(connection, &key_of(id)).expect("looks");
        found == Some(id)
    }

    /// As an older database has it, whose keys were stored in another way: it starts with none.
    #[test]
    fn a_long_tail_is_written_at_the_start() {
        let connection = database();
        let mut rows = connection
            .prepare("INSERT INTO log VALUES (?1, ?2)")
            .expect("prepares");
        for id in 1..=1_000 {
            rows.execute(rusqlite::params![id, key_of(id)])
                .expect("a row");
        }
        let index = KeyIndex::load(&connection, 7).expect("loads");
        assert!(index.recent.len() < 14);
        assert!(is_folded(&connection, 900));
        for id in 1..=1_000 {
            let found = index.find(&connection, &key_of(id)).expect("looks");
            assert_eq!(found, Some(id));
        }
    }

    #[test]
    fn a_key_twice_in_a_batch_is_not_admitted() {
        let connection = database();
        let index = KeyIndex::load(&connection, 7).expect("loads");
        assert!(!index.admits(&[(key_of(1), 1), (key_of(2), 2), (key_of(1), 3)]));
    }
}
