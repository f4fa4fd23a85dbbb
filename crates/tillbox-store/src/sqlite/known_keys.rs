//! The filter over all keys that are stored, in runs of keys and with answers that are stored whole.
//!
//! What is stored when the process starts is read by a thread of its own, a stretch at a time, so that starting waits
//! for no more than the first; until it is done, every key is perhaps stored. What is stored from then on is added as
//! it is committed.

use super::key_filter::KeyFilter;
use super::key_runs;
use super::{limit, open_for_reading};
use crate::error::StoreError;
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

/// Answers that one read takes.
const STRETCH: usize = 50_000;
/// Parts of runs that one read takes.
const PARTS: usize = 128;

#[derive(Default)]
pub(super) struct KnownKeys {
    /// What was stored at the start; none until all of it was read.
    stored: Option<KeyFilter>,
    reading: Option<Reading>,
    /// What was stored since then.
    fresh: KeyFilter,
    /// The last row of `answers` that was looked at.
    last_answer: i64,
}

struct Reading {
    filter: Receiver<KeyFilter>,
    /// The thread ends when this is gone.
    _alive: Arc<()>,
}

/// How far a table was read.
#[derive(Clone, Copy)]
enum Place {
    Keys(i64),
    Answers(i64),
    End,
}

impl KnownKeys {
    /// Begins to read what is stored.
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let last_answer =
            connection.query_row("SELECT coalesce(max(rowid), 0) FROM answers", [], |row| {
                row.get(0)
            })?;
        let mut known = Self {
            stored: None,
            reading: None,
            fresh: KeyFilter::default(),
            last_answer,
        };
        let mut filter = KeyFilter::default();
        let mut place = Place::Keys(-1);
        for _ in 0..2 {
            place = read_on(connection, place, &mut filter)?;
        }
        let path = connection.path().filter(|path| !path.is_empty());
        match (place, path) {
            (Place::End, _) => known.stored = Some(filter),
            (place, Some(path)) => {
                known.reading = Some(Reading::start(path.into(), place, filter)?);
            }
            // Nobody else can read a database in memory.
            (_, None) => {}
        }
        Ok(known)
    }

    /// False where the key is certainly not stored.
    pub(super) fn may_have(&self, key: &[u8; 16]) -> bool {
        let stored = self.stored.as_ref();
        stored.is_none_or(|stored| stored.may_have(key)) || self.fresh.may_have(key)
    }

    /// A key was stored.
    pub(super) fn add(&mut self, key: &[u8; 16]) {
        self.fresh.add(key);
    }

    /// Takes what the thread has read, once it is done; and answers that others have stored since the last call.
    pub(super) fn catch_up(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let read = self
            .reading
            .as_ref()
            .and_then(|one| one.filter.try_recv().ok());
        if read.is_some() {
            self.stored = read;
            self.reading = None;
        }
        let mut statement =
            connection.prepare_cached("SELECT rowid, key FROM answers WHERE rowid > ?1")?;
        let mut rows = statement.query([self.last_answer])?;
        while let Some(row) = rows.next()? {
            self.last_answer = self.last_answer.max(row.get(0)?);
            self.fresh.add(&row.get(1)?);
        }
        Ok(())
    }
}

impl Reading {
    fn start(path: PathBuf, place: Place, filter: KeyFilter) -> Result<Self, StoreError> {
        let (sender, receiver) = channel();
        let alive = Arc::new(());
        let watched = Arc::downgrade(&alive);
        std::thread::Builder::new()
            .name("known keys".to_owned())
            .spawn(move || {
                if let Err(why) = read_all(&path, place, filter, &watched, &sender) {
                    tracing::warn!(%why, "stored keys can't be read ahead: each is looked up");
                }
            })
            .map_err(|why| StoreError::Unavailable(format!("a thread can't be started: {why}")))?;
        Ok(Self {
            filter: receiver,
            _alive: alive,
        })
    }
}

fn read_all(
    path: &Path,
    mut place: Place,
    mut filter: KeyFilter,
    alive: &Weak<()>,
    done: &Sender<KeyFilter>,
) -> Result<(), StoreError> {
    let connection = open_for_reading(path)?;
    while alive.strong_count() > 0 {
        place = read_on(&connection, place, &mut filter)?;
        if matches!(place, Place::End) {
            // The store may have gone in the meantime.
            drop(done.send(filter));
            return Ok(());
        }
    }
    Ok(())
}

/// Reads a stretch, and says where the next begins.
fn read_on(
    connection: &Connection,
    place: Place,
    filter: &mut KeyFilter,
) -> Result<Place, StoreError> {
    match place {
        // What a merge moves meanwhile lies further on, and is read there.
        Place::Keys(after) => {
            let last = key_runs::read_on(connection, after, PARTS, |key| filter.add(&key))?;
            Ok(last.map_or(Place::Answers(0), Place::Keys))
        }
        Place::Answers(after) => {
            let sql = "SELECT rowid, key FROM answers WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![after, limit(STRETCH)])?;
            let mut last = after;
            let mut read = 0;
            while let Some(row) = rows.next()? {
                filter.add(&row.get(1)?);
                last = row.get(0)?;
                read += 1;
            }
            Ok(if read < STRETCH {
                Place::End
            } else {
                Place::Answers(last)
            })
        }
        Place::End => Ok(Place::End),
    }
}

#[cfg(test)]
mod tests {
    use super::super::key_runs::KeyRuns;
    use super::*;

    fn key_of(number: i64) -> [u8; 16] {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(&number.to_be_bytes()).as_bytes()[..16]);
        key
    }

    /// More than what is read before the start: the rest is read beside it, and until then every key is perhaps stored.
    #[test]
    fn all_that_is_stored_is_known_and_nothing_else_is_once_it_was_read() {
        let path = std::env::temp_dir().join(format!("tillbox-keys-{}.db", std::process::id()));
        drop(std::fs::remove_file(&path));
        let connection = Connection::open(&path).expect("opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 CREATE TABLE key_runs (id INTEGER PRIMARY KEY, pairs BLOB NOT NULL);
                 CREATE TABLE answers (key BLOB PRIMARY KEY);
                 BEGIN",
            )
            .expect("tables");
        let stored = i64::try_from(STRETCH * 3 + 10).expect("a count");
        let (answers, rows): (Vec<i64>, Vec<i64>) = (0..stored).partition(|number| number % 3 == 0);
        for number in answers {
            let mut insert = connection
                .prepare_cached("INSERT INTO answers (key) VALUES (?1)")
                .expect("prepares");
            insert.execute([key_of(number)]).expect("a key");
        }
        let mut runs = KeyRuns::load(&connection, 4_096).expect("loads");
        for some in rows.chunks(4_096) {
            let mut pairs: Vec<_> = some
                .iter()
                .map(|number| (key_of(*number), *number))
                .collect();
            pairs.sort_unstable();
            runs.add(&connection, &pairs).expect("a run");
        }
        connection.execute_batch("COMMIT").expect("commits");
        let mut known = KnownKeys::load(&connection).expect("loads");
        assert!(known.stored.is_none() && known.may_have(&key_of(-1)));
        while known.stored.is_none() {
            std::thread::yield_now();
            known.catch_up(&connection).expect("catches up");
        }
        assert!((0..stored).all(|number| known.may_have(&key_of(number))));
        let wrong = (stored..stored + 10_000).filter(|number| known.may_have(&key_of(*number)));
        assert!(wrong.count() < 100);

        let late = (stored..stored + 10_000).find(|number| !known.may_have(&key_of(*number)));
        let late = key_of(late.expect("a new one"));
        connection
            .execute("INSERT INTO answers (key) VALUES (?1)", [late])
            .expect("an answer of somebody else");
        known.catch_up(&connection).expect("catches up");
        assert!(known.may_have(&late));
        for ending in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{ending}", path.display())));
        }
    }
}
