//! Which row a key belongs to: pairs in sorted runs, merged as they grow. The table `key_runs`.
//!
//! Keys are random. In one table in the order of keys each new key falls on a page of its own once the table is large,
//! and writing that page costs more than all else of a debit. So what has gathered in memory is written as a run, and
//! [`FANOUT`] runs of a level are merged into one of the next: a key is written once for each level, beside its
//! neighbours. Ten million keys take five levels.
//!
//! - **A run is cut into parts** by the first bits of the key, 4^level of them, some [`PART`] keys each. So a key is
//!   looked up by one part of each run, and part `n` of runs that are merged becomes the parts `4 n .. 4 n + 4`.
//! - **A merge moves parts**: what a step reads from its sources it deletes there, in the commit that writes it to the
//!   target. So every pair is stored once at any time, and how far a merge is can be seen by the first part of its
//!   sources. It goes on after a restart; nothing is left over by a crash.
//! - **Merges keep up** with what comes in: [`KeyRuns::owe`] counts keys, and a step is taken for each so many of them.

use super::limit;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, VecDeque};

pub(super) type Key = [u8; 16];
/// A key, and the id of its row.
pub(super) type Pair = (Key, i64);

/// Keys of a part of a run, about.
const PART: usize = 256;
/// Runs that are merged into one of the next level.
const FANOUT: usize = 4;
/// Parts of a source that a step of a merge moves.
const STEP: i64 = 4;
/// Runs of this level, 4 billion keys each, stay as they are.
const LAST_LEVEL: u32 = 12;
/// Bytes of a pair.
const BYTES: usize = 24;

/// All runs that are stored.
#[derive(Clone)]
pub(super) struct KeyRuns {
    levels: BTreeMap<u32, Level>,
    /// Keys that are added while a merge moves one part of each source.
    pace: usize,
}

#[derive(Clone, Default)]
struct Level {
    /// Numbers of its runs, oldest first. The first ones are the sources of its merge; the last may be the target of
    /// the merge of the level before.
    runs: VecDeque<i64>,
    /// Parts of the sources that were moved.
    moved: i64,
    /// Keys that were added and for which no step was taken yet.
    owed: usize,
}

impl KeyRuns {
    /// Finds the runs that are stored; new ones will be of so many keys.
    pub(super) fn load(connection: &Connection, length: usize) -> rusqlite::Result<Self> {
        let parts = usize::try_from(parts_of(level_for(length))).unwrap_or(1);
        let mut runs = Self {
            levels: BTreeMap::new(),
            pace: (FANOUT * length / parts).max(1),
        };
        let mut next = connection
            .prepare_cached("SELECT id FROM key_runs WHERE id >= ?1 ORDER BY id LIMIT 1")?;
        let mut from = 0;
        while let Some(id) = next.query_row([from], |row| row.get(0)).optional()? {
            let place = Place::of(id);
            let level = runs.level(place.level);
            if level.runs.is_empty() {
                level.moved = place.part;
            }
            level.runs.push_back(place.run);
            from = Place {
                run: place.run + 1,
                part: 0,
                ..place
            }
            .id();
        }
        // A step each is due at once, so that merges go on however short a process lives.
        for level in runs.levels.keys().copied().collect::<Vec<_>>() {
            runs.level(level).owed = runs.cost(level);
        }
        Ok(runs)
    }

    /// The row that a key belongs to. Recent keys are found soonest.
    pub(super) fn find(&self, connection: &Connection, key: &Key) -> rusqlite::Result<Option<i64>> {
        let mut select = connection.prepare_cached("SELECT pairs FROM key_runs WHERE id = ?1")?;
        for (&level, runs) in &self.levels {
            let part = part_of(key, level);
            for (at, run) in runs.runs.iter().enumerate().rev() {
                if at < FANOUT && part < runs.moved {
                    continue;
                }
                let id = Place {
                    level,
                    run: *run,
                    part,
                }
                .id();
                let found = select.query_row([id], |row| {
                    let pairs = as_pairs(row.get_ref(0)?.as_blob()?)?;
                    let at = pairs.binary_search_by(|pair| pair[..16].cmp(key));
                    Ok(at
                        .ok()
                        .and_then(|at| pairs.get(at))
                        .map(|pair| unpack(pair).1))
                });
                if let Some(Some(id)) = found.optional()? {
                    return Ok(Some(id));
                }
            }
        }
        Ok(None)
    }

    /// All pairs whose key begins with that byte, in the order of keys; and a key, if there is one, that lies where it is
    /// not looked up.
    pub(super) fn beginning_with(
        &self,
        connection: &Connection,
        byte: u8,
    ) -> rusqlite::Result<(Vec<Pair>, Option<Key>)> {
        let (mut pairs, mut misplaced) = (Vec::new(), None);
        let mut select = connection
            .prepare_cached("SELECT id, pairs FROM key_runs WHERE id >= ?1 AND id < ?2")?;
        let mut first = [0; 16];
        first[0] = byte;
        for (&level, runs) in &self.levels {
            let from = part_of(&first, level);
            let to = from + (parts_of(level) >> 8).max(1);
            for &run in &runs.runs {
                let at = |part| Place { level, run, part }.id();
                let mut rows = select.query([at(from), at(to)])?;
                while let Some(row) = rows.next()? {
                    let part = Place::of(row.get(0)?).part;
                    let stored = as_pairs(row.get_ref(1)?.as_blob()?)?;
                    let mut last = [0; 16];
                    for (key, id) in stored.iter().map(unpack) {
                        if part_of(&key, level) != part || key < last {
                            misplaced = Some(key);
                        }
                        last = key;
                        if key[0] == byte {
                            pairs.push((key, id));
                        }
                    }
                }
            }
        }
        pairs.sort_unstable();
        Ok((pairs, misplaced))
    }

    /// Writes a run of pairs, which are in the order of keys.
    pub(super) fn add(&mut self, connection: &Connection, pairs: &[Pair]) -> rusqlite::Result<()> {
        let level = level_for(pairs.len());
        // The target of a merge is the last run of its level until it is done.
        while level > 0 && self.level(level - 1).moved > 0 {
            self.step(connection, level - 1)?;
        }
        let run = self.level(level).begin();
        let place = Place {
            level,
            run,
            part: 0,
        };
        write(connection, place, parts_of(level), pairs)
    }

    /// So many keys were added: merges have to keep up with them.
    pub(super) fn owe(&mut self, keys: usize) {
        for level in self.levels.values_mut() {
            level.owed += keys;
        }
    }

    /// Whether [`KeyRuns::merge`] has anything to do.
    pub(super) fn is_due(&self) -> bool {
        let due = |(level, runs): (&u32, &Level)| runs.owed >= self.cost(*level);
        self.levels.iter().any(due)
    }

    /// Takes the steps of merges that are due.
    pub(super) fn merge(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut level = 0;
        while self.levels.range(level..).next().is_some() {
            let cost = self.cost(level);
            while self.level(level).owed >= cost {
                if self.can_merge(level) {
                    self.step(connection, level)?;
                    self.level(level).owed -= cost;
                } else {
                    self.level(level).owed = 0;
                }
            }
            level += 1;
        }
        Ok(())
    }

    /// Takes all steps that can be taken.
    pub(super) fn merge_all(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut level = 0;
        while self.levels.range(level..).next().is_some() {
            while self.can_merge(level) {
                self.step(connection, level)?;
            }
            level += 1;
        }
        Ok(())
    }

    /// Keys for which a step is taken: a fifth less than come in while it has to be done, so that merges catch up.
    fn cost(&self, level: u32) -> usize {
        let parts = usize::try_from(parts_of(level).min(STEP)).unwrap_or(1);
        (self.pace * parts * 4 / 5).max(1)
    }

    fn can_merge(&self, level: u32) -> bool {
        let count = self.levels.get(&level).map_or(0, |one| one.runs.len());
        let below = level
            .checked_sub(1)
            .and_then(|below| self.levels.get(&below));
        let has_target = below.is_some_and(|below| below.moved > 0);
        level < LAST_LEVEL && count >= FANOUT + usize::from(has_target)
    }

    /// Moves some parts of the sources into the target.
    fn step(&mut self, connection: &Connection, level: u32) -> rusqlite::Result<()> {
        let runs = self.level(level);
        let (from, all) = (runs.moved, parts_of(level));
        let to = (from + STEP).min(all);
        let sources: Vec<i64> = runs.runs.iter().take(FANOUT).copied().collect();
        runs.moved = to;
        if to == all {
            runs.moved = 0;
            runs.runs.drain(..FANOUT);
        }
        let above = self.level(level + 1);
        let target = match (from, above.runs.back()) {
            (0, _) => above.begin(),
            (_, Some(last)) => *last,
            (_, None) => return Err(damaged("a merge has lost its target")),
        };
        let mut pairs = Vec::new();
        let mut select = connection
            .prepare_cached("SELECT pairs FROM key_runs WHERE id >= ?1 AND id < ?2 ORDER BY id")?;
        let mut delete =
            connection.prepare_cached("DELETE FROM key_runs WHERE id >= ?1 AND id < ?2")?;
        for run in sources {
            let at = |part| Place { level, run, part }.id();
            let mut rows = select.query([at(from), at(to)])?;
            while let Some(row) = rows.next()? {
                pairs.extend(as_pairs(row.get_ref(0)?.as_blob()?)?.iter().map(unpack));
            }
            drop(rows);
            delete.execute([at(from), at(to)])?;
        }
        // Each source is in order, which a stable sort makes use of.
        pairs.sort_by_key(|(key, _)| u128::from_be_bytes(*key));
        let place = Place {
            level: level + 1,
            run: target,
            part: from * 4,
        };
        write(connection, place, to * 4, &pairs)
    }

    fn level(&mut self, level: u32) -> &mut Level {
        self.levels.entry(level).or_default()
    }
}

impl Level {
    /// The number of a new run.
    fn begin(&mut self) -> i64 {
        let number = self.runs.back().map_or(0, |last| last + 1);
        self.runs.push_back(number);
        number
    }
}

/// Where a part of a run is stored.
#[derive(Clone, Copy)]
struct Place {
    level: u32,
    run: i64,
    part: i64,
}

impl Place {
    fn id(self) -> i64 {
        i64::from(self.level) << 56 | self.run << 32 | self.part
    }

    fn of(id: i64) -> Self {
        Self {
            level: u32::try_from(id >> 56).unwrap_or(0),
            run: id >> 32 & 0xff_ffff,
            part: id & 0xffff_ffff,
        }
    }
}

/// Reads the keys of so many parts behind the one with the id `after`; gives the id of the last of them, none behind
/// the last of all.
pub(super) fn read_on(
    connection: &Connection,
    after: i64,
    parts: usize,
    mut take: impl FnMut(Key),
) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT id, pairs FROM key_runs WHERE id > ?1 ORDER BY id LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![after, limit(parts)])?;
    let (mut last, mut read) = (None, 0);
    while let Some(row) = rows.next()? {
        last = Some(row.get(0)?);
        read += 1;
        let pairs = as_pairs(row.get_ref(1)?.as_blob()?)?;
        for pair in pairs {
            take(unpack(pair).0);
        }
    }
    Ok(last.filter(|_| read == parts))
}

/// The level of a run of so many keys.
fn level_for(keys: usize) -> u32 {
    (keys / PART).max(1).ilog(FANOUT).min(LAST_LEVEL)
}

/// How many parts a run of that level has.
fn parts_of(level: u32) -> i64 {
    1 << (2 * level)
}

/// The part in which runs of that level have a key.
fn part_of(key: &Key, level: u32) -> i64 {
    let first = u32::from_be_bytes([key[0], key[1], key[2], key[3]]);
    i64::from(first) >> (32 - 2 * level)
}

/// Writes parts of a run, up to `end`; those without keys too.
fn write(
    connection: &Connection,
    place: Place,
    end: i64,
    mut pairs: &[Pair],
) -> rusqlite::Result<()> {
    let mut insert =
        connection.prepare_cached("INSERT INTO key_runs (id, pairs) VALUES (?1, ?2)")?;
    let mut packed = Vec::with_capacity(2 * PART * BYTES);
    for part in place.part..end {
        let count = pairs.partition_point(|(key, _)| part_of(key, place.level) <= part);
        let (own, others) = pairs.split_at(count);
        packed.clear();
        for (key, id) in own {
            packed.extend_from_slice(key);
            packed.extend_from_slice(&id.to_be_bytes());
        }
        insert.execute(params![Place { part, ..place }.id(), packed])?;
        pairs = others;
    }
    Ok(())
}

fn as_pairs(packed: &[u8]) -> rusqlite::Result<&[[u8; BYTES]]> {
    match packed.as_chunks() {
        (pairs, []) => Ok(pairs),
        _ => Err(damaged("a run of keys is cut off")),
    }
}

fn unpack(pair: &[u8; BYTES]) -> Pair {
    let (mut key, mut id) = ([0; 16], [0; 8]);
    key.copy_from_slice(&pair[..16]);
    id.copy_from_slice(&pair[16..]);
    (key, i64::from_be_bytes(id))
}

fn damaged(what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(1, Type::Blob, what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().expect("opens");
        connection
            .execute_batch("CREATE TABLE key_runs (id INTEGER PRIMARY KEY, pairs BLOB NOT NULL)")
            .expect("a table");
        connection
    }

    fn pair_of(id: i64) -> Pair {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(&id.to_be_bytes()).as_bytes()[..16]);
        (key, id)
    }

    fn stored(connection: &Connection) -> Vec<i64> {
        let runs = KeyRuns::load(connection, 1).expect("loads");
        let mut ids = Vec::new();
        for byte in 0..=u8::MAX {
            let (pairs, misplaced) = runs.beginning_with(connection, byte).expect("reads");
            assert_eq!(misplaced, None);
            ids.extend(pairs.iter().map(|pair| pair.1));
        }
        ids.sort_unstable();
        ids
    }

    /// Runs of several levels, merged step by step, begun anew at any of them: each key is stored once and found.
    #[test]
    fn every_key_is_there_once_while_runs_are_merged() {
        const LENGTH: usize = 5;
        for restart_every in [1, 2, 7, 1_000] {
            let connection = database();
            let mut runs = KeyRuns::load(&connection, LENGTH).expect("loads");
            let mut last = 0;
            for step in 1..700 {
                let count = if step % 50 == 0 { 1_500 } else { 5 };
                let mut pairs: Vec<Pair> = (last + 1..=last + count).map(pair_of).collect();
                pairs.sort_unstable();
                last += count;
                runs.add(&connection, &pairs).expect("a run");
                runs.owe(pairs.len());
                runs.merge(&connection).expect("merges");
                if step % restart_every == 0 {
                    runs = KeyRuns::load(&connection, LENGTH).expect("loads");
                }
                if step % 97 == 0 {
                    assert_eq!(stored(&connection), (1..=last).collect::<Vec<_>>());
                    for id in (1..=last).step_by(13) {
                        let found = runs.find(&connection, &pair_of(id).0).expect("looks");
                        assert_eq!(found, Some(id), "at step {step}");
                    }
                    assert_eq!(runs.find(&connection, &pair_of(0).0).expect("looks"), None);
                }
            }
            let most = runs.levels.values().map(|level| level.runs.len()).max();
            let bound = if restart_every == 1 { 700 } else { 3 * FANOUT };
            assert!(
                most.is_some_and(|most| most < bound),
                "{most:?} runs of a level"
            );
            assert!(runs.levels.len() > 3, "{} levels", runs.levels.len());
        }
    }

    #[test]
    fn a_run_that_is_cut_off_is_an_error() {
        let connection = database();
        let mut runs = KeyRuns::load(&connection, 1).expect("loads");
        runs.add(&connection, &[pair_of(1)]).expect("a run");
        connection
            .execute("UPDATE key_runs SET pairs = substr(pairs, 2)", [])
            .expect("cuts");
        assert!(runs.find(&connection, &pair_of(1).0).is_err());
    }
}
