//! The head of the log as it is stored: in the last row of each commit.

use super::rows::corrupt;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::{Arc, Mutex, PoisonError};
use tillbox_core::entry::{Hash, LogHead};
use tillbox_core::id::EntryId;

/// Where the log stands, for whoever only looks. Clones share it.
#[derive(Clone)]
pub struct SharedLogHead(Arc<Mutex<LogHead>>);

impl SharedLogHead {
    pub(super) fn new(head: LogHead) -> Self {
        Self(Arc::new(Mutex::new(head)))
    }

    /// The head behind the last commit that is durable.
    pub fn get(&self) -> LogHead {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, head: LogHead) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = head;
    }
}

/// The head behind the last commit.
pub(super) fn last(connection: &Connection) -> Result<LogHead, StoreError> {
    let sql = "SELECT id, height, head FROM log WHERE head IS NOT NULL ORDER BY id DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    rows.next()?
        .map_or(Ok(LogHead::EMPTY), |row| Ok(from_row(row)?))
}

/// The head that stands in a row of the log; none where there is no such row, or another follows it in its commit.
pub(super) fn at(connection: &Connection, id: EntryId) -> Result<Option<LogHead>, StoreError> {
    let sql = "SELECT id, height, head FROM log WHERE id = ?1 AND head IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([id.number()], from_row).optional()?)
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<LogHead> {
    Ok(LogHead {
        last: EntryId::from_number(row.get(0)?),
        height: row.get(1)?,
        hash: row.get(2)?,
    })
}

/// Takes rows that were written before heads were kept as one commit, once.
pub(super) fn take_in_older_rows(connection: &Connection) -> Result<(), StoreError> {
    let mut commit = last(connection)?.begin();
    let after = commit.clone().end().last;
    let mut statement = connection.prepare("SELECT id, hash FROM log WHERE id > ?1 ORDER BY id")?;
    let mut rows = statement.query([after.number()])?;
    while let Some(row) = rows.next()? {
        let hash: Hash = row.get(1)?;
        commit.add(EntryId::from_number(row.get(0)?), &hash);
    }
    if commit.rows() == 0 {
        return Ok(());
    }
    let head = commit.end();
    let values = params![head.height, head.hash, head.last.number()];
    match connection.execute(
        "UPDATE log SET height = ?1, head = ?2 WHERE id = ?3",
        values,
    )? {
        1 => Ok(()),
        _ => Err(corrupt("the last row of the log is not there")),
    }
}
