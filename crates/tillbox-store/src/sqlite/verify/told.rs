//! Whether all that has happened is found by whoever follows events: each row by its merchant's stretches, each opening
//! in the outbox.

use super::super::outbox::WALLET_CREATED;
use super::super::stretches;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension};
use tillbox_core::entry::Entry;
use tillbox_core::id::WalletId;

pub(super) const ROWS: &str = "each row is found by its merchant";
pub(super) const OPENINGS: &str = "each opening is told of once, before the rows";

/// The last stretch that was looked up; rows of a wallet mostly share one.
#[derive(Default)]
pub(super) struct Stretches {
    last: Option<(i64, bool)>,
}

impl Stretches {
    /// What is wrong with where a row is looked for, if anything is.
    pub(super) fn check(
        &mut self,
        connection: &Connection,
        merchant: i64,
        entry: &Entry,
    ) -> Result<Option<String>, StoreError> {
        let stretch = stretches::of(entry.id);
        let is_listed = stretches::is_listed(entry);
        let known = match self.last {
            Some((last, listed)) if last == stretch => Some(listed),
            _ => {
                let sql =
                    "SELECT listed FROM log_stretches WHERE merchant_id = ?1 AND stretch = ?2";
                let mut statement = connection.prepare_cached(sql)?;
                statement
                    .query_row([merchant, stretch], |row| row.get(0))
                    .optional()?
            }
        };
        self.last = known.map(|listed| (stretch, listed));
        let is_right = known.is_some_and(|listed| listed || !is_listed);
        Ok((!is_right).then(|| format!("the stretch of {} is stored as {known:?}", entry.id)))
    }
}

/// What is wrong with how a wallet's opening is told, if anything is.
pub(super) fn check_opening(
    connection: &Connection,
    wallet: WalletId,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT count(*), (SELECT count(*) FROM wallet_log WHERE wallet_id = ?1 AND version = 1 AND entry_id <= max(o.id)) \
               FROM outbox o WHERE o.wallet_id = ?1 AND o.type = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let values = rusqlite::params![wallet.number(), WALLET_CREATED];
    let (told, rows_before): (i64, i64) =
        statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(match (told, rows_before) {
        (1, 0) => None,
        (1, _) => Some("it is told of behind the first row".to_owned()),
        (told, _) => Some(format!("it is told of {told} times")),
    })
}
