//! Whether the tables that are in another order than the log hold exactly its rows.
//!
//! Looking each row up would cost more than all else together. So both sides are summed up, each in its own order:
//! every pair is hashed with a secret of this run, and equal sums mean equal sets. Only where they differ is each pair
//! looked up, to name the first. What is compared are rows up to where a table was folded when the audit began: they
//! are in both from then on, whatever a running writer does. Pairs of later rows are looked up.

use super::super::limit;
use super::report::{KEYS, ONE_KEY, OWN};
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
    folded: Folded,
    keys: u64,
    wallet_log: u64,
}

impl Sums {
    pub(super) fn new(folded: Folded) -> Self {
        Self {
            secret: RandomState::new(),
            folded,
            keys: 0,
            wallet_log: 0,
        }
    }

    /// What a row adds to the sum over the rows of one wallet.
    pub(super) fn of_listed(&self, version: u64, id: i64) -> u64 {
        self.secret.hash_one((version, id))
    }

    /// Takes what a row of the log says of itself.
    pub(super) fn add(
        &mut self,
        id: i64,
        wallet: Option<i64>,
        version: Option<i64>,
        key: Option<[u8; 16]>,
    ) {
        if id <= self.folded.wallet_log {
            let one = self.secret.hash_one((wallet, version, id));
            self.wallet_log = self.wallet_log.wrapping_add(one);
        }
        if let Some(key) = key.filter(|_| id <= self.folded.keys) {
            self.keys = self.keys.wrapping_add(self.secret.hash_one((key, id)));
        }
    }
}

/// What the tables come to.
pub(super) struct Tables {
    sums: Sums,
    strays: Vec<(&'static str, String)>,
}

/// Sums up both tables, a snapshot for each `rows`.
pub(super) fn read_tables(path: &Path, sums: Sums, rows: usize) -> Result<Tables, StoreError> {
    let connection = open_for_reading(path)?;
    let mut tables = Tables {
        sums,
        strays: Vec::new(),
    };
    let mut after: Vec<u8> = Vec::new();
    while let Some(last) = in_snapshot(&connection, |connection| {
        tables.keys(connection, &after, rows)
    })? {
        after = last;
    }
    let mut after = (i64::MIN, i64::MIN);
    while let Some(last) = in_snapshot(&connection, |connection| {
        tables.wallet_log(connection, after, rows)
    })? {
        after = last;
    }
    Ok(tables)
}

impl Tables {
    fn stray(&mut self, rule: &'static str, detail: String) {
        if self.strays.iter().all(|(known, _)| *known != rule) {
            self.strays.push((rule, detail));
        }
    }

    fn keys(
        &mut self,
        connection: &Connection,
        after: &[u8],
        most: usize,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT key, entry_id FROM keys WHERE key > ?1 ORDER BY key LIMIT ?2",
        )?;
        let mut rows = statement.query(params![after, limit(most)])?;
        let mut last: Option<Vec<u8>> = None;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            read += 1;
            let id: i64 = row.get(1)?;
            let key: Result<[u8; 16], _> = row.get(0);
            match key {
                Ok(key) if id <= self.sums.folded.keys => {
                    let one = self.sums.secret.hash_one((key, id));
                    self.sums.keys = self.sums.keys.wrapping_sub(one);
                }
                _ if !leads_to_its_row(connection, row)? => {
                    let key: Vec<u8> = row.get(0)?;
                    self.stray(KEYS, format!("{key:02x?} leads to none"));
                }
                _ => {}
            }
            if read == most {
                last = Some(row.get(0)?);
            }
        }
        Ok(last)
    }

    fn wallet_log(
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
            if id <= self.sums.folded.wallet_log {
                let one = self.sums.secret.hash_one((Some(wallet), Some(version), id));
                self.sums.wallet_log = self.sums.wallet_log.wrapping_sub(one);
            } else if !its_row.query_row([wallet, version, id], |row| row.get(0))? {
                self.stray(
                    OWN,
                    format!("row {id} is not version {version} of {wallet}"),
                );
            }
            if read == most {
                last = Some((wallet, version));
            }
        }
        Ok(last)
    }

    /// Holds the tables against what the log said of itself.
    pub(super) fn compare(
        self,
        connection: &Connection,
        log: &Sums,
        rows: usize,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        for (rule, detail) in self.strays {
            report.found(rule, detail);
        }
        if self.sums.keys.wrapping_add(log.keys) != 0 {
            let sides = [
                "SELECT l.id, hex(l.key) FROM log l LEFT JOIN keys k ON k.key = l.key AND k.entry_id = l.id \
                 WHERE l.id > ?1 AND l.id <= ?2 AND l.key IS NOT NULL AND k.key IS NULL ORDER BY l.id LIMIT 1",
                "SELECT k.entry_id, hex(k.key) FROM keys k LEFT JOIN log l ON l.id = k.entry_id AND l.key = k.key \
                 WHERE k.entry_id > ?1 AND k.entry_id <= ?2 AND l.id IS NULL LIMIT 1",
            ];
            let detail = name(connection, &sides, log.folded.keys)?;
            report.found(KEYS, detail);
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
            let detail = name(connection, &sides, log.folded.wallet_log)?;
            report.found(OWN, detail);
        }
        both(connection, rows, report)
    }
}

/// Whether a key of the table is that of the row that it names.
fn leads_to_its_row(connection: &Connection, row: &Row<'_>) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM log WHERE id = ?1 AND key = ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    let (key, id): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
    Ok(statement.query_row(params![id, key], |row| row.get(0))?)
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

/// A key has a row or an answer, never both.
fn both(connection: &Connection, rows: usize, report: &mut Report) -> Result<(), StoreError> {
    let sql = "SELECT max(key), (SELECT hex(key) FROM some WHERE EXISTS (SELECT 1 FROM keys k WHERE k.key = some.key) LIMIT 1) FROM some";
    let sql = format!(
        "WITH some AS MATERIALIZED (SELECT key FROM answers WHERE key > ?1 ORDER BY key LIMIT ?2) {sql}"
    );
    let mut after: Vec<u8> = Vec::new();
    loop {
        let pair = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (last, twice): (Option<Vec<u8>>, Option<String>) =
            in_snapshot(connection, |connection| {
                let mut statement = connection.prepare_cached(&sql)?;
                Ok(statement.query_row(params![after, limit(rows)], pair)?)
            })?;
        if let Some(key) = twice {
            report.found(ONE_KEY, format!("{key} has both"));
        }
        match last {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}
