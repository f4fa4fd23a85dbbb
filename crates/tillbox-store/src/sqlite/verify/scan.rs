//! Reading the log in the order of its ids, on a thread of its own, a thousand rows at a time.

use super::super::rows::{ENTRY_COLUMNS, entry_from_row};
use super::super::{limit, open_for_reading, stretches};
use super::books::BookSums;
use super::{Scope, in_snapshot};
use crate::error::StoreError;
use rusqlite::types::FromSql;
use rusqlite::{CachedStatement, Connection, Row, params};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tillbox_core::entry::{Entry, Hash};
use tillbox_core::id::WalletId;

/// Chunks that wait for whoever follows them.
const AHEAD: usize = 3;

/// A row of the log, with what is told of it even where it can't be read whole.
pub(super) struct LogRow {
    pub(super) id: i64,
    pub(super) wallet: Option<WalletId>,
    pub(super) version: Option<i64>,
    pub(super) merchant: Option<i64>,
    pub(super) key: Option<[u8; 16]>,
    pub(super) hash: Option<Hash>,
    /// Height and hash of the log behind it, where it ends a commit.
    pub(super) head: Option<(u64, Hash)>,
    /// None where it is of a wallet that is left out.
    pub(super) entry: Option<Result<Entry, String>>,
}

type Chunk = Result<Vec<LogRow>, StoreError>;

/// Which rows are read whole.
#[derive(Clone, Copy)]
pub(super) struct Pass {
    pub(super) number: u64,
    pub(super) of: u64,
}

impl Pass {
    /// Whether a wallet belongs to it.
    pub(super) fn has(self, wallet: WalletId) -> bool {
        let number = u64::from_ne_bytes(wallet.number().to_ne_bytes());
        // Ids count up from a clock, so their low digits are not spread evenly.
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        self.of == 1 || mixed % self.of == self.number
    }
}

/// What is read, and how much of it at a time.
pub(super) struct Span<'a> {
    pub(super) path: &'a Path,
    pub(super) scope: Scope,
    pub(super) pass: Pass,
    pub(super) through: i64,
    pub(super) rows: usize,
}

/// Reads the span on a thread of `threads`, and adds it to the books; who stops receiving ends it.
pub(super) fn start<'scope>(
    threads: &'scope std::thread::Scope<'scope, '_>,
    span: Span<'scope>,
    books: Option<&'scope mut BookSums>,
) -> Receiver<Chunk> {
    let (sender, receiver) = sync_channel(AHEAD);
    threads.spawn(move || {
        if let Err(error) = read(&span, books, &sender) {
            // Whoever has stopped listening needs no telling.
            drop(sender.send(Err(error)));
        }
    });
    receiver
}

fn read(
    span: &Span<'_>,
    mut books: Option<&mut BookSums>,
    sender: &SyncSender<Chunk>,
) -> Result<(), StoreError> {
    let connection = open_for_reading(span.path)?;
    let mut after = i64::MIN;
    loop {
        let chunk = in_snapshot(&connection, |connection| {
            let chunk = match span.scope {
                Scope::All => read_all(connection, span, after),
                Scope::Merchant(_) => read_stretches(connection, span, after),
            }?;
            if let Some(books) = &mut books {
                let mut rows = chunk.iter();
                rows.try_for_each(|row| books.take(connection, row))?;
            }
            Ok(chunk)
        })?;
        let Some(last) = chunk.last() else {
            return Ok(());
        };
        after = last.id;
        if sender.send(Ok(chunk)).is_err() {
            return Ok(());
        }
    }
}

fn read_all(
    connection: &Connection,
    span: &Span<'_>,
    after: i64,
) -> Result<Vec<LogRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY_COLUMNS}, log.merchant_id, log.height, log.head FROM log \
         WHERE log.id > ?1 AND log.id <= ?2 ORDER BY log.id LIMIT ?3"
    ))?;
    let mut chunk = Vec::with_capacity(span.rows);
    let values = params![after, span.through, limit(span.rows)];
    take(&mut statement, values, span, &mut chunk)?;
    Ok(chunk)
}

/// Stretch by stretch, of one merchant: its rows that lie in no stretch of its own are missed here, and then their
/// wallet has a gap.
fn read_stretches(
    connection: &Connection,
    span: &Span<'_>,
    after: i64,
) -> Result<Vec<LogRow>, StoreError> {
    let Scope::Merchant(merchant) = span.scope else {
        return read_all(connection, span, after);
    };
    let merchant = merchant.number();
    let mut named = connection.prepare_cached(
        "SELECT stretch FROM log_stretches WHERE merchant_id = ?1 AND stretch >= ?2 ORDER BY stretch",
    )?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY_COLUMNS}, log.merchant_id, log.height, log.head FROM log \
         WHERE log.id > ?1 AND log.id <= ?2 AND log.merchant_id = ?3 ORDER BY log.id"
    ))?;
    let mut chunk = Vec::new();
    let mut found = named.query([merchant, after >> stretches::BITS])?;
    while let Some(row) = found.next()? {
        let stretch: i64 = row.get(0)?;
        let begin = (stretch << stretches::BITS).saturating_sub(1).max(after);
        let end = (stretch << stretches::BITS) | ((1 << stretches::BITS) - 1);
        let values = params![begin, end.min(span.through), merchant];
        take(&mut statement, values, span, &mut chunk)?;
        if chunk.len() >= span.rows {
            break;
        }
    }
    Ok(chunk)
}

fn take(
    statement: &mut CachedStatement<'_>,
    values: impl rusqlite::Params,
    span: &Span<'_>,
    chunk: &mut Vec<LogRow>,
) -> Result<(), StoreError> {
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        chunk.push(log_row(row, span.pass)?);
    }
    Ok(())
}

/// A row of [`ENTRY_COLUMNS`] with its merchant, height and head behind them.
pub(super) fn log_row(row: &Row<'_>, pass: Pass) -> Result<LogRow, StoreError> {
    let wallet = told(row, 1).map(WalletId::from_number);
    let entry = if wallet.is_none_or(|wallet| pass.has(wallet)) {
        match entry_from_row(row) {
            Ok(entry) => Some(Ok(entry)),
            Err(StoreError::Corrupt { what }) => Some(Err(what)),
            Err(other) => return Err(other),
        }
    } else {
        None
    };
    let (version, key, hash) = match &entry {
        Some(Ok(entry)) => (
            i64::try_from(entry.version).ok(),
            entry.key.map(|stamp| stamp.key),
            Some(entry.hash),
        ),
        _ => (told(row, 2), told(row, 9), told(row, 16)),
    };
    Ok(LogRow {
        id: row.get(0)?,
        wallet,
        version,
        merchant: told(row, 17),
        key,
        hash,
        head: told(row, 19).map(|hash| (told(row, 18).unwrap_or(0), hash)),
        entry,
    })
}

fn told<T: FromSql>(row: &Row<'_>, column: usize) -> Option<T> {
    row.get(column).ok()
}
