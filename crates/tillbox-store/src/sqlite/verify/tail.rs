//! Rows of the log that the tables of their wallets may trail, and whether every row is one of its wallet's.

use super::super::limit;
use crate::error::StoreError;
use rusqlite::Connection;
use std::collections::BTreeMap;
use tillbox_core::id::WalletId;

/// The tail of the log, as far as it was read.
#[derive(Default)]
pub(super) struct Tail {
    /// Where it began when the audit did, and how far it was read.
    span: Option<(i64, i64)>,
    rows: BTreeMap<WalletId, Vec<i64>>,
}

impl Tail {
    /// Reads what came since the last snapshot, so that it reaches the end of this one.
    pub(super) fn read_on(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let (begin, end) = if let Some(span) = self.span {
            span
        } else {
            let sql = "SELECT folded_to, folded_to FROM trail_fold";
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?
        };
        let mut statement =
            connection.prepare_cached("SELECT id, wallet_id FROM log WHERE id > ?1 ORDER BY id")?;
        let mut rows = statement.query([end])?;
        let mut last = end;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            let wallet = WalletId::from_number(row.get(1)?);
            self.rows.entry(wallet).or_default().push(last);
        }
        self.span = Some((begin, last));
        Ok(())
    }

    /// Its rows of a wallet, in order; some of them may be folded.
    pub(super) fn of(&self, wallet: WalletId) -> &[i64] {
        self.rows.get(&wallet).map_or(&[], Vec::as_slice)
    }

    /// The wallet behind `after` that it has rows of.
    pub(super) fn next_wallet(&self, after: i64) -> Option<WalletId> {
        let from = WalletId::from_number(after.checked_add(1)?);
        self.rows.range(from..).next().map(|(id, _)| *id)
    }

    /// The last row that was folded when the audit began.
    pub(super) fn begin(&self) -> i64 {
        self.span.map_or(0, |(begin, _)| begin)
    }
}

/// Counts rows of the log behind `after` and up to `through`, at most so many; and gives the last of them.
pub(super) fn count_rows(
    connection: &Connection,
    after: i64,
    through: i64,
    most: usize,
) -> Result<(u64, Option<i64>), StoreError> {
    let sql = "SELECT count(*), max(id) FROM (SELECT id FROM log WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)";
    let mut statement = connection.prepare_cached(sql)?;
    let pair = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(statement.query_row([after, through, limit(most)], pair)?)
}
