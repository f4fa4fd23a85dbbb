//! SQLite: opening, the read pool, and the tables, a file each.
//!
//! Opening takes a lock beside the file, so that one process writes; checks the version of SQLite (older ones than
//! 3.51.3 can corrupt the WAL); sets the pragmas; migrates. What is durable is: WAL with `synchronous=FULL`.

pub mod anchor;
pub mod answers;
pub mod api_keys;
pub mod audit_log;
pub mod books;
pub mod customers;
pub mod disputes;
pub mod erasures;
pub mod events;
pub mod explain;
pub mod history;
pub mod holds;
mod key_filter;
mod key_index;
mod key_runs;
mod known_keys;
mod ledger;
pub mod listing;
pub mod log;
mod log_head;
pub mod lot_warnings;
pub mod lots;
pub mod merchants;
mod migrations;
pub mod outbox;
pub mod past;
pub mod paybacks;
pub mod payment_links;
pub mod payment_methods;
mod plain;
mod pool;
pub mod portal_sessions;
pub mod prices;
mod query;
pub mod row_lock;
mod rows;
pub mod sandbox;
mod snapshots;
mod state_row;
mod stretches;
pub mod top_ups;
mod trail;
pub mod transactions;
pub mod verify;
mod walk;
pub mod wallets;

#[cfg(test)]
mod tests;

pub use ledger::{SqliteLedger, Trailing};
pub use log_head::SharedLogHead;
pub use plain::PlainWrite;
pub use rusqlite::{Connection, Row};
pub use walk::{PastStates, Steps, Walk};

use crate::error::StoreError;
use anchor::Standing;
use pool::ReadPool;
use rusqlite::OpenFlags;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use tillbox_core::entry::LogHead;

/// SQLite before this can corrupt a WAL database; as SQLite numbers its versions.
const OLDEST_SQLITE: i32 = 3_051_003;
/// Pages in the WAL before the writer folds it into the database: more makes rarer, longer stalls. 4,000 cost as much in
/// all, and a third more at the 99th percentile.
const CHECKPOINT_PAGES: i64 = 1_000;
/// The writer's page cache, in KiB: holds the upper levels of every index.
const WRITER_CACHE_KIB: i64 = 16_384;

/// An open database: reads, and the lock that keeps other processes from writing.
pub struct SqliteStore {
    pool: ReadPool,
    _lock: File,
}

impl SqliteStore {
    /// Opens the database that `url` names (`sqlite:PATH`), migrates it, and gives the one connection that may
    /// write. Its folder is made if it is missing. One that does not reach its anchor is refused.
    pub fn open(url: &str) -> Result<(Self, Connection), StoreError> {
        Self::open_if(url, |path, anchored, log| {
            Err(anchor::refusal(path, anchored, log))
        })
    }

    /// The same, but takes a database that does not reach its anchor: a copy was restored on purpose. It is noted.
    pub fn open_restored(url: &str) -> Result<(Self, Connection), StoreError> {
        Self::open_if(url, |_path, _anchored, _log| Ok(()))
    }

    fn open_if(
        url: &str,
        accept: impl FnOnce(&Path, LogHead, LogHead) -> Result<(), StoreError>,
    ) -> Result<(Self, Connection), StoreError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(StoreError::Unavailable(format!(
                "SQLite {} is too old: 3.51.3 is needed",
                rusqlite::version()
            )));
        }
        let path = path_of(url)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).map_err(|why| {
                StoreError::Unavailable(format!(
                    "the folder {} can't be made: {why}",
                    folder.display()
                ))
            })?;
        }
        let path = resolve(path)?;
        let lock = lock(&path)?;
        // Not as a URI: a name that begins with `file:` would ask for a database in memory.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut writer = Connection::open_with_flags(&path, flags)?;
        migrations::refuse_foreign(&writer)?;
        prepare_writer(&writer)?;
        let standing = anchor::compare(&path, &writer)?;
        if let Standing::Differs { anchored, log } = standing {
            accept(&path, anchored, log)?;
        }
        migrations::migrate(&mut writer)?;
        log_head::take_in_older_rows(&writer)?;
        match standing {
            Standing::Reaches(_) => {}
            Standing::Differs { anchored, log } => {
                anchor::note_restored(&writer, anchored, log)?;
                tracing::warn!(
                    anchored = anchored.height,
                    height = log.height,
                    "a restored database was accepted: what was written behind it is gone"
                );
            }
            Standing::NotAnchored => {
                let height = log_head::last(&writer)?.height;
                if height > 0 {
                    tracing::warn!(
                        height,
                        "there was no anchor beside the database: whether its end is there is not known; a new one is made"
                    );
                }
            }
        }
        Ok((
            Self {
                pool: ReadPool::new(path, pool::LIMITS),
                _lock: lock,
            },
            writer,
        ))
    }

    /// Where the database lies.
    pub fn path(&self) -> &Path {
        self.pool.path()
    }

    /// Reads on a pooled connection; blocks until one is free.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.pool.read(read)
    }

    /// Folds the write-ahead log into the database and cuts it off, so that nothing is left of what was overwritten.
    /// False where somebody reads or writes just now: then it has to be tried again. Nobody waits for it longer than
    /// cutting off takes.
    pub fn cut_write_ahead_log(&self) -> Result<bool, StoreError> {
        let connection = open_for_reading(self.pool.path())?;
        connection.pragma_update(None, "busy_timeout", 0)?;
        // The long part beside the writer; then only what was written meanwhile is left for the part that stops it.
        for mode in ["PASSIVE", "TRUNCATE"] {
            let sql = format!("PRAGMA wal_checkpoint({mode})");
            let busy: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
            if busy != 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The highest number that any id carries: new ones begin behind it.
    pub fn highest_id(&self) -> Result<i64, StoreError> {
        // Where the merchant comes first in the key, each merchant's last is looked up: no table is walked.
        let by_merchant = |table: &str| {
            format!(
                "SELECT coalesce(max(last), 0) FROM (SELECT (SELECT max(id) FROM {table} WHERE merchant_id = merchants.id) AS last FROM merchants)"
            )
        };
        let last = |table: &&str| format!("SELECT coalesce(max(id), 0) FROM {table}");
        // Of rows that were lost: their ids are not used again.
        let anchored = "SELECT coalesce(max(anchored_id), 0) FROM restorations".to_owned();
        let queries = [
            "log",
            "outbox",
            "audit_log",
            "wallets",
            "lots",
            "merchants",
            "api_keys",
            "top_ups",
        ]
        .iter()
        .map(last)
        .chain(["customers", "prices"].map(by_merchant))
        .chain([anchored]);
        self.read(|connection| {
            let mut highest = 0;
            for query in queries {
                let last: i64 = connection.query_row(&query, [], |row| row.get(0))?;
                highest = highest.max(last);
            }
            Ok(highest)
        })
    }
}

/// The file that a database URL names.
pub fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let refused = |why: &str| StoreError::Unavailable(format!("the database URL {url:?} {why}"));
    let path = url
        .strip_prefix("sqlite:")
        .ok_or_else(|| refused("is not of the form sqlite:PATH"))?;
    let path = path.strip_prefix("//").unwrap_or(path);
    match path {
        "" => Err(refused("names no file")),
        ":memory:" => Err(refused("names memory: a ledger must outlive the process")),
        path => Ok(PathBuf::from(path)),
    }
}

/// Opens a database for reading beside a process that writes it, without its lock.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Unavailable(format!(
            "there is no database at {}",
            path.display()
        )));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA mmap_size = 0; PRAGMA busy_timeout = 5000;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Runs plain writes at start, before the ledger's thread owns the connection.
pub fn in_transaction<T>(
    connection: &mut Connection,
    write: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let tx = connection.transaction()?;
    let value = write(&tx)?;
    tx.commit()?;
    Ok(value)
}

/// The file itself, so that all names of it (links, relative paths) lead to the same lock.
fn resolve(path: PathBuf) -> Result<PathBuf, StoreError> {
    match path.canonicalize() {
        Ok(real) if real.is_dir() => Err(StoreError::Unavailable(format!(
            "{} is a folder: the database must be a file",
            path.display()
        ))),
        Ok(real) => Ok(real),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(path),
        Err(why) => Err(StoreError::Unavailable(format!(
            "{} can't be opened: {why}",
            path.display()
        ))),
    }
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let unavailable = |why: std::io::Error| {
        StoreError::Unavailable(format!("{} can't be locked: {why}", name.display()))
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Unavailable(format!(
            "another process serves {}: it holds {}",
            path.display(),
            name.display()
        ))),
        Err(TryLockError::Error(why)) => Err(unavailable(why)),
    }
}

fn prepare_writer(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "busy_timeout", 5_000)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Unavailable(format!(
            "the database can't use a write-ahead log (it says {mode:?})"
        )));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // What is overwritten or deleted leaves no trace in the file: a customer's data can be erased (W6).
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(())
}

/// A stored currency code.
pub(crate) fn currency(code: &str) -> Result<tillbox_core::currency::Currency, StoreError> {
    tillbox_core::currency::Currency::parse(code)
        .map_err(|_unknown| rows::corrupt(format!("{code:?} is no currency")))
}

/// A stored language.
pub(crate) fn language(code: &str) -> tillbox_core::reason::Language {
    if code == "es" {
        tillbox_core::reason::Language::Es
    } else {
        tillbox_core::reason::Language::En
    }
}

/// How many rows a page asks for, as SQLite takes it.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Says of a failed insert or update whether something unique is taken; a primary key that is taken is a fault of
/// ours.
pub(crate) fn unique(error: rusqlite::Error, taken: &'static str) -> StoreError {
    match error.sqlite_extended_error_code() {
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE) => StoreError::Conflict(taken),
        _ => error.into(),
    }
}
