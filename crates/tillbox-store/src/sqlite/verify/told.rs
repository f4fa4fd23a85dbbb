//! Whether each row is found by whoever walks its merchant's stretches, and whether each stretch has a row.

use super::super::stretches;
use super::report::{STRETCHES, TOLD};
use super::{Report, Scope, in_snapshot};
use crate::error::StoreError;
use foldhash::{HashMap, HashSet};
use rusqlite::{Connection, OptionalExtension};
use tillbox_core::entry::Entry;
use tillbox_core::id::EntryId;

/// The stretches that were met.
#[derive(Default)]
pub(super) struct Stretches {
    /// The last of each merchant, as it is stored: rows come in order, and mostly share one.
    last: HashMap<i64, (i64, Option<bool>)>,
    met: HashSet<(i64, i64)>,
}

impl Stretches {
    /// Notes that a merchant has a row there.
    pub(super) fn meet(&mut self, merchant: i64, id: i64) {
        let stretch = stretches::of(EntryId::from_number(id));
        if self.last.get(&merchant).map(|(last, _)| *last) != Some(stretch) {
            self.met.insert((merchant, stretch));
        }
    }

    /// What is wrong with where a row is looked for, if anything is.
    pub(super) fn check(
        &mut self,
        connection: &Connection,
        merchant: i64,
        entry: &Entry,
    ) -> Result<super::links::Broken, StoreError> {
        let stretch = stretches::of(entry.id);
        let known = match self.last.get(&merchant) {
            Some((last, listed)) if *last == stretch => *listed,
            _ => {
                let sql =
                    "SELECT listed FROM log_stretches WHERE merchant_id = ?1 AND stretch = ?2";
                let mut statement = connection.prepare_cached(sql)?;
                let found = statement
                    .query_row([merchant, stretch], |row| row.get(0))
                    .optional()?;
                self.last.insert(merchant, (stretch, found));
                found
            }
        };
        let is_right = known.is_some_and(|listed| listed || !stretches::is_listed(entry));
        let wrong = || format!("the stretch of {} is stored as {known:?}", entry.id);
        Ok((!is_right).then(|| (TOLD, wrong())))
    }

    /// Whether each stretch before that of `through` was met.
    pub(super) fn check_all_were_met(
        &self,
        connection: &Connection,
        scope: Scope,
        through: i64,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        if scope != Scope::All {
            return Ok(());
        }
        let end = stretches::of(EntryId::from_number(through));
        in_snapshot(connection, |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT merchant_id, stretch FROM log_stretches WHERE stretch < ?1",
            )?;
            let mut rows = statement.query([end])?;
            while let Some(row) = rows.next()? {
                let (merchant, stretch) = (row.get(0)?, row.get(1)?);
                if !self.met.contains(&(merchant, stretch)) {
                    let detail = format!("merchant {merchant} has no row in stretch {stretch}");
                    report.found(STRETCHES, detail);
                }
            }
            Ok(())
        })
    }
}
