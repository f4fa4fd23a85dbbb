//! Folding the log into the sums: a pass over new rows, a stretch at a time.
//!
//! A stretch is read on a reader's connection and written on the ledger's thread, as a plain write of a few rows. It
//! counts only if nothing else was folded between: two that fold the same stretch can't both be written.

use super::tally::Tally;
use super::{BOOKED_COLUMNS, Booked, booked_from_row, folded_to, with_reversed};
use crate::error::StoreError;
use crate::sqlite::snapshots::{self, Snapshot};
use crate::sqlite::walk::{PastStates, Walk};
use rusqlite::Connection;
use tillbox_core::id::{MerchantId, WalletId};

/// A stretch of the log, added up.
pub struct Folded {
    from: i64,
    to: i64,
    rows: usize,
    tally: Tally,
    snapshots: Vec<Snapshot>,
}

impl Folded {
    /// The row up to which the log is in the sums, once it is written.
    pub fn to(&self) -> i64 {
        self.to
    }

    /// How many rows it adds.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

/// Reads up to `most` rows behind what is folded; none where nothing is left.
pub fn read(
    connection: &Connection,
    past: &PastStates,
    most: usize,
) -> Result<Option<Folded>, StoreError> {
    let from = folded_to(connection)?;
    let mut folded = Folded {
        from,
        to: from,
        rows: 0,
        tally: Tally::default(),
        snapshots: Vec::new(),
    };
    // Wallets of which a snapshot is due, with the last row that it is due behind.
    let mut due: Vec<(MerchantId, WalletId, u64)> = Vec::new();
    let last = read_on(connection, from, i64::MAX, most, |row| {
        folded.tally.add(row);
        folded.rows += 1;
        if snapshots::is_due(row.version) {
            due.retain(|(_, wallet, _)| *wallet != row.wallet_id);
            due.push((row.merchant_id, row.wallet_id, row.version));
        }
    })?;
    let Some(last) = last else {
        return Ok(None);
    };
    folded.to = last;
    let mut walk = Walk::default();
    for (merchant, wallet, version) in due {
        let taken = snapshots::take(connection, past, &mut walk, merchant, wallet, version)?;
        folded.snapshots.extend(taken);
    }
    walk.remember(past);
    Ok(Some(folded))
}

/// Gives up to `most` rows behind one and up to another to `take`; and which the last of them was, none where there was
/// none.
pub(in super::super) fn read_on(
    connection: &Connection,
    behind: i64,
    through: i64,
    most: usize,
    mut take: impl FnMut(&Booked),
) -> Result<Option<i64>, StoreError> {
    let sql = format!(
        "SELECT {BOOKED_COLUMNS} FROM log CROSS JOIN wallets w ON w.id = log.wallet_id \
         WHERE log.id > ?1 AND log.id <= ?2 ORDER BY log.id LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = [behind, through, super::super::limit(most)];
    let mut last = None;
    for row in statement.query_and_then(values, booked_from_row)? {
        let row = with_reversed(connection, row?)?;
        last = Some(row.id.number());
        take(&row);
    }
    Ok(last)
}

/// Adds a stretch to what is stored; refused where something else was folded since it was read.
pub fn write(connection: &Connection, folded: &Folded) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("UPDATE book_fold SET folded_to = ?2 WHERE folded_to = ?1")?;
    if statement.execute([folded.from, folded.to])? != 1 {
        return Err(StoreError::Conflict("the books are folded by another"));
    }
    folded.tally.write(connection)?;
    snapshots::write(connection, &folded.snapshots)
}
