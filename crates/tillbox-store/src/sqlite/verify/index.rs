//! Whether the table of each wallet's rows holds exactly the rows of the log.
//!
//! Both are summed up, each in its own order, as keys are ([`super::keys`]): equal sums mean equal sets. What is
//! compared are rows up to where the table was folded when the audit began. Later ones are looked up.

use super::super::limit;
use super::report::OWN;
use super::{Report, in_snapshot, open_for_reading};
use crate::error::StoreError;
use rusqlite::{Connection, Row, params};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

/// Where tables stood when the audit began.
#[derive(Clone, Copy)]
pub(super) struct Folded {
    pub(super) keys: i64,
    pub(super) wallet_log: i64,
}

impl Folded {
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let sql = "SELECT (SELECT folded_to FROM key_fold), (SELECT folded_to FROM trail_fold)";
        let pair = |row: &Row<'_>| {
            Ok(Self {
                keys: row.get(0)?,
                wallet_log: row.get(1)?,
            })
        };
        Ok(connection.query_row(sql, [], pair)?)
    }
}

/// Sums over pairs of the log, and over those of a table.
#[derive(Clone)]
pub(super) struct Sums {
    secret: RandomState,
    folded_to: i64,
    wallet_log: u64,
}

impl Sums {
    /// Over rows up to `folded_to`.
    pub(super) fn new(folded_to: i64) -> Self {
        Self {
            secret: RandomState::new(),
            folded_to,
            wallet_log: 0,
        }
    }

    /// What a row adds to the sum over the rows of one wallet.
    pub(super) fn of_listed(&self, version: u64, id: i64) -> u64 {
        self.secret.hash_one((version, id))
    }

    /// Takes what a row of the log says of itself.
    pub(super) fn add(&mut self, id: i64, wallet: Option<i64>, version: Option<i64>) {
        if id <= self.folded_to {
            let one = self.secret.hash_one((wallet, version, id));
            self.wallet_log = self.wallet_log.wrapping_add(one);
        }
    }
}

/// What the table comes to.
pub(super) struct Listed {
    sums: Sums,
    stray: Option<String>,
}

impl Listed {
    /// Sums up the table, a snapshot for each `rows`.
    pub(super) fn read(path: &Path, sums: Sums, rows: usize) -> Result<Self, StoreError> {
        let connection = open_for_reading(path)?;
        let mut listed = Self { sums, stray: None };
        let mut after = (i64::MIN, i64::MIN);
        while let Some(last) = in_snapshot(&connection, |connection| {
            listed.take(connection, after, rows)
        })? {
            after = last;
        }
        Ok(listed)
    }

    fn take(
        &mut self,
        connection: &Connection,
        after: (i64, i64),
        most: usize,
    ) -> Result<Option<(i64, i64)>, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT wallet_id, version, entry_id FROM wallet_log WHERE (wallet_id, version) > (?1, ?2) \
             ORDER BY wallet_id, version LIMIT ?3",
        )?;
        let mut its_row = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM log WHERE id = ?3 AND wallet_id = ?1 AND version = ?2)",
        )?;
        let mut rows = statement.query(params![after.0, after.1, limit(most)])?;
        let mut last = None;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            read += 1;
            let [wallet, version, id]: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
            if id <= self.sums.folded_to {
                let one = self.sums.secret.hash_one((Some(wallet), Some(version), id));
                self.sums.wallet_log = self.sums.wallet_log.wrapping_sub(one);
            } else if !its_row.query_row([wallet, version, id], |row| row.get(0))? {
                let detail = || format!("row {id} is not version {version} of {wallet}");
                self.stray.get_or_insert_with(detail);
            }
            if read == most {
                last = Some((wallet, version));
            }
        }
        Ok(last)
    }

    /// Holds the table against what the log said of itself.
    pub(super) fn compare(
        self,
        connection: &Connection,
        log: &Sums,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        if let Some(detail) = self.stray {
            report.found(OWN, detail);
        }
        if self.sums.wallet_log.wrapping_add(log.wallet_log) != 0 {
            let sides = [
                "SELECT l.id, l.version FROM log l LEFT JOIN wallet_log w \
                 ON w.wallet_id = l.wallet_id AND w.version = l.version AND w.entry_id = l.id \
                 WHERE l.id > ?1 AND l.id <= ?2 AND w.entry_id IS NULL ORDER BY l.id LIMIT 1",
                "SELECT w.entry_id, w.version FROM wallet_log w LEFT JOIN log l \
                 ON l.id = w.entry_id AND l.wallet_id = w.wallet_id AND l.version = w.version \
                 WHERE w.entry_id > ?1 AND w.entry_id <= ?2 AND l.id IS NULL LIMIT 1",
            ];
            let detail = name(connection, &sides, log.folded_to)?;
            report.found(OWN, detail);
        }
        Ok(())
    }
}

/// Which row is on one side only.
fn name(connection: &Connection, sides: &[&str; 2], through: i64) -> Result<String, StoreError> {
    for (sql, side) in sides.iter().zip(["the table", "the log"]) {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([i64::MIN, through])?;
        if let Some(row) = rows.next()? {
            let what: rusqlite::types::Value = row.get(1)?;
            let id: i64 = row.get(0)?;
            return Ok(format!("row {id} ({what:?}) is not in {side}"));
        }
    }
    Ok("a row is in one of the two twice".to_owned())
}
