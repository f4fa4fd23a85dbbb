//! Whether every key leads to its row, and to nothing else.
//!
//! Looking each key up would cost more than all else together. So of both sides, the log and the runs, the pairs of key and
//! row are summed up for each first byte of a key: every pair is hashed with a secret of this audit, and equal sums mean
//! equal sets. Only where they differ are pairs compared, to name the first. Summed up are rows up to where keys were
//! folded when the audit began: they are on both sides from then on, whatever a running writer does. Later rows, whose
//! keys the writer has in memory, are few: they are held against the runs one by one.

use super::super::key_runs::{Key, KeyRuns, Pair};
use super::report::{KEYS, ONE_KEY};
use super::{Report, in_snapshot, open_for_reading};
use crate::error::StoreError;
use foldhash::{HashMap, HashMapExt};
use rusqlite::{Connection, params};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use tillbox_core::id::EntryId;

/// Keys of one merchant that are held against the runs at once.
const MANY: usize = 1 << 20;

/// Sums over pairs of key and row, by the first byte of the key.
#[derive(Clone)]
pub(super) struct KeySums {
    secret: RandomState,
    folded_to: i64,
    sums: Vec<u64>,
}

impl KeySums {
    /// Over rows up to `folded_to`.
    pub(super) fn new(folded_to: i64) -> Self {
        Self {
            secret: RandomState::new(),
            folded_to,
            sums: vec![0; 256],
        }
    }

    /// Takes a row of the log.
    pub(super) fn add(&mut self, key: Key, id: i64) {
        if id <= self.folded_to {
            let one = self.secret.hash_one((key, id));
            let sum = self.sum_of(key[0]);
            *sum = sum.wrapping_add(one);
        }
    }

    fn take_away(&mut self, key: Key, id: i64) {
        let one = self.secret.hash_one((key, id));
        let sum = self.sum_of(key[0]);
        *sum = sum.wrapping_sub(one);
    }

    fn sum_of(&mut self, byte: u8) -> &mut u64 {
        &mut self.sums[usize::from(byte)]
    }
}

/// What the runs come to.
pub(super) struct StoredKeys {
    sums: KeySums,
    strays: Vec<(&'static str, String)>,
}

impl StoredKeys {
    /// Reads all runs, a snapshot for each first byte.
    pub(super) fn read(path: &Path, sums: KeySums) -> Result<Self, StoreError> {
        let connection = open_for_reading(path)?;
        let mut stored = Self {
            sums,
            strays: Vec::new(),
        };
        let tail = stored.tail(&connection)?;
        for byte in 0..=u8::MAX {
            in_snapshot(&connection, |connection| {
                stored.take(connection, byte, &tail)
            })?;
        }
        Ok(stored)
    }

    fn stray(&mut self, rule: &'static str, detail: String) {
        if self.strays.iter().all(|(known, _)| *known != rule) {
            self.strays.push((rule, detail));
        }
    }

    /// The keys of rows behind those that are summed up.
    fn tail(&mut self, connection: &Connection) -> Result<HashMap<Key, i64>, StoreError> {
        let sql = "SELECT key, id FROM log WHERE id > ?1 AND key IS NOT NULL";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([self.sums.folded_to])?;
        let mut tail = HashMap::new();
        while let Some(row) = rows.next()? {
            // Whether the row can be read is asked elsewhere.
            let Ok(key) = row.get(0) else { continue };
            if let Some(before) = tail.insert(key, row.get(1)?) {
                self.stray(
                    KEYS,
                    format!("{key:02x?} is of row {before} and a later one"),
                );
            }
        }
        Ok(tail)
    }

    fn take(
        &mut self,
        connection: &Connection,
        byte: u8,
        tail: &HashMap<Key, i64>,
    ) -> Result<(), StoreError> {
        let stored = match read(connection, byte)? {
            Ok(stored) => stored,
            Err(damage) => {
                self.stray(KEYS, damage);
                return Ok(());
            }
        };
        if let Some(damage) = stored.damage() {
            self.stray(KEYS, damage);
        }
        let pairs = stored.pairs;
        for &(key, id) in &pairs {
            if id <= self.sums.folded_to {
                self.sums.take_away(key, id);
            }
            match tail.get(&key) {
                Some(row) if *row != id => {
                    self.stray(KEYS, format!("{key:02x?} of row {row} leads to {id}"));
                }
                None if id > self.sums.folded_to && !leads_to_its_row(connection, key, id)? => {
                    self.stray(KEYS, format!("{key:02x?} leads to none"));
                }
                Some(_) | None => {}
            }
        }
        let mut statement =
            connection.prepare_cached("SELECT key FROM answers WHERE key >= ?1 AND key < ?2")?;
        let end = byte
            .checked_add(1)
            .map_or(vec![u8::MAX; 17], |next| vec![next]);
        let mut answers = statement.query(params![[byte], end])?;
        while let Some(row) = answers.next()? {
            let key: Key = row.get(0)?;
            let has_row = pairs.binary_search_by_key(&key, |pair| pair.0).is_ok();
            if has_row || tail.contains_key(&key) {
                self.stray(ONE_KEY, format!("{key:02x?} has both"));
            }
        }
        Ok(())
    }

    /// Holds the runs against what the log said of itself.
    pub(super) fn compare(
        mut self,
        connection: &Connection,
        log: &KeySums,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let differs = (0..=u8::MAX).zip(&self.sums.sums).zip(&log.sums);
        let differs = differs.filter(|((_, ours), theirs)| ours.wrapping_add(**theirs) != 0);
        if let Some(byte) = differs.map(|((byte, _), _)| byte).next()
            && let Some(detail) = self.name(connection, byte)?
        {
            self.stray(KEYS, detail);
        }
        for (rule, detail) in self.strays {
            report.found(rule, detail);
        }
        Ok(())
    }

    /// A pair whose key begins with that byte and that is on one side only.
    fn name(&self, connection: &Connection, byte: u8) -> Result<Option<String>, StoreError> {
        let Ok(Stored { pairs, .. }) = read(connection, byte)? else {
            return Ok(None);
        };
        let sql = "SELECT key, id FROM log WHERE id <= ?1 AND key >= ?2 AND substr(key, 1, 1) = ?2 ORDER BY id";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query(params![self.sums.folded_to, [byte]])?;
        while let Some(row) = rows.next()? {
            let (key, id) = (row.get(0)?, row.get(1)?);
            if pairs.binary_search(&(key, id)).is_err() {
                return Ok(Some(format!("the key of row {id} is in no run")));
            }
        }
        for (key, id) in pairs {
            if !leads_to_its_row(connection, key, id)? {
                return Ok(Some(format!(
                    "{key:02x?} leads to {id}, which is not its row"
                )));
            }
        }
        Ok(Some("a row is in one of the two twice".to_owned()))
    }
}

/// Keys of one merchant's rows, to be held against the runs together.
#[derive(Default)]
pub(super) struct KeysOfOne(Vec<Pair>);

impl KeysOfOne {
    /// Takes a row.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        pair: Pair,
        folded_to: i64,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        self.0.push(pair);
        if self.0.len() < MANY {
            return Ok(());
        }
        self.check(connection, folded_to, report)
    }

    /// Whether each of them leads to its row. Keys of the log's tail are in no run yet: the writer has them in memory.
    pub(super) fn check(
        &mut self,
        connection: &Connection,
        folded_to: i64,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        self.0.sort_unstable();
        for ours in self.0.chunk_by(|(one, _), (other, _)| one[0] == other[0]) {
            let Some((first, _)) = ours.first() else {
                continue;
            };
            let stored = match read(connection, first[0])? {
                Ok(stored) => stored,
                Err(damage) => {
                    report.found(KEYS, damage);
                    continue;
                }
            };
            if let Some(damage) = stored.damage() {
                report.found(KEYS, damage);
            }
            for (key, id) in ours {
                let from = stored.pairs.partition_point(|pair| pair.0 < *key);
                let known = stored.pairs.get(from).filter(|pair| pair.0 == *key);
                let is_wrong = known.map_or(*id <= folded_to, |known| known.1 != *id);
                if is_wrong {
                    let row = EntryId::from_number(*id);
                    report.found(KEYS, format!("the key of {row} leads to {known:?}"));
                }
            }
        }
        self.0.clear();
        Ok(())
    }
}

/// The pairs whose keys begin with the same byte.
struct Stored {
    pairs: Vec<Pair>,
    misplaced: Option<Key>,
}

/// Reads them from all runs, or says why they can't be read.
fn read(connection: &Connection, byte: u8) -> Result<Result<Stored, String>, StoreError> {
    match KeyRuns::load(connection, 1)?.beginning_with(connection, byte) {
        Ok((pairs, misplaced)) => Ok(Ok(Stored { pairs, misplaced })),
        Err(rusqlite::Error::FromSqlConversionFailure(_, _, why)) => Ok(Err(why.to_string())),
        Err(why) => Err(why.into()),
    }
}

impl Stored {
    /// What is wrong with them in themselves.
    fn damage(&self) -> Option<String> {
        if let Some(key) = self.misplaced {
            return Some(format!("{key:02x?} lies where it is not looked up"));
        }
        let twice = self.pairs.windows(2).find_map(|two| match two {
            [one, other] if one.0 == other.0 => Some((one, other)),
            _ => None,
        });
        twice.map(|((key, one), (_, two))| format!("{key:02x?} leads to the rows {one} and {two}"))
    }
}

/// Whether a key is that of the row that it names.
fn leads_to_its_row(connection: &Connection, key: Key, id: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM log WHERE id = ?1 AND key = ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![id, key], |row| row.get(0))
}
