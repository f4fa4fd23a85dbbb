//! The anchor: the head of the log, kept in a file beside the database.
//!
//! A chain does not show that its end is missing: one bit that flips in the write-ahead log makes SQLite drop all
//! commits behind it, and what is left is whole. So a thread of its own writes the head to `FILE.anchor` once a second
//! while there are commits, and at the end: to a new file, synced, then renamed over the old one. It is only ever
//! written behind a commit that is durable, so the log is at the anchor or ahead of it; a log that is not has lost
//! answered writes, or is another one, and [`compare`] refuses it.

use super::log_head::{self, SharedLogHead};
use super::rows::corrupt;
use crate::error::StoreError;
use rusqlite::{Connection, params};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tillbox_core::entry::LogHead;
use tillbox_core::id::EntryId;
use tillbox_engine::clock::{Clock, SystemClock};

/// How long a commit may be without its anchor.
const EVERY: Duration = Duration::from_secs(1);
const FORMAT: u64 = 1;

/// How a log stands to its anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no anchor: the database is new, was copied without it, or is of an earlier version.
    NotAnchored,
    /// The log holds what was anchored.
    Reaches(LogHead),
    /// It does not: its end is missing, or it is another log.
    Differs {
        /// What was anchored.
        anchored: LogHead,
        /// Where the log stands.
        log: LogHead,
    },
}

/// Holds a log against the anchor beside its database, which is read first: a running writer only gets further ahead.
pub fn compare(path: &Path, connection: &Connection) -> Result<Standing, StoreError> {
    let Some(anchored) = read(path)? else {
        return Ok(Standing::NotAnchored);
    };
    if anchored == LogHead::EMPTY {
        return Ok(Standing::Reaches(anchored));
    }
    let has_heads = "SELECT count(*) FROM pragma_table_info('log') WHERE name = 'head'";
    let (known, log) = if connection.query_row(has_heads, [], |row| row.get(0))? {
        (
            log_head::at(connection, anchored.last)?,
            log_head::last(connection)?,
        )
    } else {
        (None, LogHead::EMPTY)
    };
    Ok(if known == Some(anchored) {
        Standing::Reaches(anchored)
    } else {
        Standing::Differs { anchored, log }
    })
}

/// Why a log that does not reach its anchor is not written, and what to do.
pub(super) fn refusal(path: &Path, anchored: LogHead, log: LogHead) -> StoreError {
    let what = if log.height < anchored.height {
        format!(
            "the database has lost its end: {} says that there were {} rows, there are {}",
            file_of(path).display(),
            anchored.height,
            log.height
        )
    } else {
        format!(
            "the database is not the one that {} was written for: row {} of {} is another",
            file_of(path).display(),
            anchored.height,
            log.height
        )
    };
    StoreError::Unavailable(format!(
        "{what}. Nothing was written. Keep all files as they are; if the disk failed, restore a copy. If this is a copy \
         that was restored on purpose, start once with `tillbox serve --accept-restored`"
    ))
}

/// Notes that an older or other log was accepted, before it is written on.
pub(super) fn note_restored(
    connection: &Connection,
    anchored: LogHead,
    log: LogHead,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO restorations (at, anchored_height, anchored_id, anchored_head, height, id, head) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            SystemClock.now().micros(),
            anchored.height,
            anchored.last.number(),
            anchored.hash,
            log.height,
            log.last.number(),
            log.hash
        ],
    )?;
    Ok(())
}

/// The file beside a database.
pub(super) fn file_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".anchor");
    PathBuf::from(name)
}

/// What is anchored; none where there is no file.
fn read(path: &Path) -> Result<Option<LogHead>, StoreError> {
    let file = file_of(path);
    match fs::read_to_string(&file) {
        Ok(text) => parse(&text).map(Some).ok_or_else(|| {
            corrupt(format!(
                "the anchor {} is not readable: the disk may be failing. Run `tillbox verify`; if the database is whole, \
                 move the anchor away",
                file.display()
            ))
        }),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(StoreError::Unavailable(format!(
            "the anchor {} can't be read: {why}",
            file.display()
        ))),
    }
}

/// Two lines: the head as a JSON object, and its BLAKE3.
fn print(head: LogHead) -> String {
    let line = serde_json::json!({
        "format": FORMAT,
        "height": head.height,
        "id": head.last.number(),
        "hash": blake3::Hash::from_bytes(head.hash).to_hex().as_str(),
        "written_at": SystemClock.now().to_string(),
    })
    .to_string();
    let check = blake3::hash(line.as_bytes()).to_hex();
    format!("{line}\n{check}\n")
}

fn parse(text: &str) -> Option<LogHead> {
    let (line, check) = text.split_once('\n')?;
    if blake3::hash(line.as_bytes()).to_hex().as_str() != check.strip_suffix('\n')? {
        return None;
    }
    let values: serde_json::Value = serde_json::from_str(line).ok()?;
    if values.get("format")?.as_u64()? != FORMAT {
        return None;
    }
    Some(LogHead {
        height: values.get("height")?.as_u64()?,
        last: EntryId::from_number(values.get("id")?.as_i64()?),
        hash: *blake3::Hash::from_hex(values.get("hash")?.as_str()?)
            .ok()?
            .as_bytes(),
    })
}

/// Replaces the file in one step; durable when it returns.
pub(super) fn write(path: &Path, head: LogHead) -> std::io::Result<()> {
    let file = file_of(path);
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut out = File::create(&new)?;
    out.write_all(print(head).as_bytes())?;
    out.sync_all()?;
    fs::rename(&new, &file)?;
    let folder = path.parent().filter(|folder| folder != &Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The thread that writes the anchor; it ends, with a last anchor, when this is dropped.
pub(super) struct AnchorKeeper {
    ends: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl AnchorKeeper {
    /// Keeps the anchor of the database at `path` up with `head`. The first is written before this returns.
    pub(super) fn start(path: &Path, head: SharedLogHead) -> Result<Self, StoreError> {
        let unavailable = |why: std::io::Error| {
            StoreError::Unavailable(format!(
                "the anchor {} can't be written: {why}",
                file_of(path).display()
            ))
        };
        let mut written = head.get();
        write(path, written).map_err(unavailable)?;
        let ends = Arc::new((Mutex::new(false), Condvar::new()));
        let told = Arc::clone(&ends);
        let name = path.to_owned();
        let keep = move || {
            let mut failed = false;
            loop {
                let (ended, changed) = &*told;
                let ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
                let (ended, _) = changed
                    .wait_timeout_while(ended, EVERY, |ended| !*ended)
                    .unwrap_or_else(PoisonError::into_inner);
                let last = *ended;
                drop(ended);
                let now = head.get();
                if now != written {
                    match write(&name, now) {
                        Ok(()) => (written, failed) = (now, false),
                        Err(why) if !failed => {
                            failed = true;
                            tracing::error!(%why, "the anchor can't be written: a lost end of the log would not be seen");
                        }
                        Err(_again) => {}
                    }
                }
                if last {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("anchor".to_owned())
            .spawn(keep)
            .map_err(unavailable)?;
        Ok(Self {
            ends,
            thread: Some(thread),
        })
    }
}

impl Drop for AnchorKeeper {
    fn drop(&mut self) {
        let (ended, changed) = &*self.ends;
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the anchor panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_and_nothing_else() {
        let head = LogHead {
            height: 3,
            last: EntryId::from_number(77),
            hash: [5; 32],
        };
        let text = print(head);
        assert_eq!(parse(&text), Some(head));
        for cut in 0..text.len() {
            assert_eq!(parse(&text[..cut]), None, "{cut} bytes");
        }
        for place in 0..text.len() {
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let flipped = String::from_utf8(bytes).expect("ASCII");
                assert_eq!(parse(&flipped), None, "bit {bit} of byte {place}");
            }
        }
    }
}
