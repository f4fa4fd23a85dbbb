//! One wallet after the other: its rows, and what was derived from them.

use super::super::rows::{ENTRY_COLUMNS, entry_from_row};
use super::super::{limit, snapshots};
use super::compare::{
    STATE, compare_holds, compare_lots, compare_state, compare_top_ups, load_wallet,
};
use super::tail::{self, Tail};
use super::told::{self, Stretches};
use super::{Report, Violation, in_snapshot, next_wallet};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row};
use tillbox_core::audit::{Audited, WalletAudit};
use tillbox_core::entry::Entry;
use tillbox_core::id::WalletId;

const SNAPSHOTS: &str = "snapshots are what the log comes to";
const DEBT_PAYMENTS: &str = "payments of debt are stored beside the log";

/// Where the audit stands: behind the last whole wallet, perhaps within the next.
#[derive(Default)]
pub(super) struct Walk {
    after: i64,
    open: Option<Open>,
    tail: Tail,
    /// Rows that were read and were folded when the audit began.
    folded: u64,
    /// Whether rows of a wallet were left out, as one could not be read.
    is_cut: bool,
}

struct Open {
    id: WalletId,
    audit: WalletAudit,
    merchant: Option<i64>,
    debt_payments: i64,
    stretches: Stretches,
    readable: bool,
    /// Rows read since they were last taken.
    ids: Vec<i64>,
}

impl Walk {
    /// Reads some rows within the open snapshot; true when there are no more wallets.
    pub(super) fn advance(
        &mut self,
        connection: &Connection,
        rows: usize,
        report: &mut Report,
    ) -> Result<bool, StoreError> {
        self.tail.read_on(connection)?;
        let mut left = rows;
        while left > 0 {
            let mut open = if let Some(open) = self.open.take() {
                open
            } else {
                let named = next_wallet(connection, self.after)?;
                let trailing = self.tail.next_wallet(self.after);
                let Some(id) = named.into_iter().chain(trailing).min() else {
                    return Ok(true);
                };
                Open::new(connection, id)?
            };
            let read = open.read(connection, left, report)?;
            self.folded += open.take_folded(self.tail.begin());
            self.is_cut |= !open.readable;
            if read == left && open.readable {
                self.open = Some(open);
                return Ok(false);
            }
            self.after = open.id.number();
            open.finish(connection, &self.tail, report)?;
            left = left.saturating_sub(read.max(1));
        }
        Ok(false)
    }

    /// Whether the log has as many rows as were read of all wallets, up to where it was folded when the audit began.
    pub(super) fn check_all_were_read(
        &self,
        connection: &Connection,
        rows: usize,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let (mut after, mut counted) = (i64::MIN, 0);
        loop {
            let (count, last) = in_snapshot(connection, |connection| {
                tail::count_rows(connection, after, self.tail.begin(), rows)
            })?;
            counted += count;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        if counted != self.folded && !self.is_cut {
            report.add(Violation {
                invariant: "each row is one of its wallet's",
                wallet: None,
                version: None,
                detail: format!("the log has {counted} rows, its wallets {}", self.folded),
            });
        }
        Ok(())
    }
}

impl Open {
    fn new(connection: &Connection, id: WalletId) -> Result<Self, StoreError> {
        let mut statement =
            connection.prepare_cached("SELECT merchant_id FROM wallets WHERE id = ?1")?;
        let merchant = statement.query_row([id.number()], |row| row.get(0));
        Ok(Self {
            id,
            audit: WalletAudit::new(id),
            merchant: merchant.optional()?,
            debt_payments: 0,
            stretches: Stretches::default(),
            readable: true,
            ids: Vec::new(),
        })
    }

    /// Feeds up to `most` rows to the audit, and follows what each links to.
    fn read(
        &mut self,
        connection: &Connection,
        most: usize,
        report: &mut Report,
    ) -> Result<usize, StoreError> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {ENTRY_COLUMNS}, log.merchant_id FROM wallet_log w CROSS JOIN log ON log.id = w.entry_id \
             WHERE w.wallet_id = ?1 AND w.version > ?2 ORDER BY w.version LIMIT ?3"
        ))?;
        let after = i64::try_from(self.audit.version()).unwrap_or(i64::MAX);
        let mut rows = statement.query([self.id.number(), after, limit(most)])?;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            read += 1;
            self.ids.push(row.get(0)?);
            self.take(connection, row, report)?;
            if !self.readable {
                break;
            }
        }
        Ok(read)
    }

    fn take(
        &mut self,
        connection: &Connection,
        row: &Row<'_>,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        report.rows += 1;
        match entry_from_row(row) {
            Ok(entry) => {
                self.audit.feed(&entry);
                self.check_merchant(row, &entry, report)?;
                self.check_links(connection, &entry, report)?;
                self.check_told(connection, &entry, report)?;
                self.check_snapshot(connection, &entry, report)
            }
            Err(StoreError::Corrupt { what }) => {
                self.audit.feed_unreadable(what);
                self.readable = false;
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    /// How many of the rows that were read since the last call lie no further than `through`.
    fn take_folded(&mut self, through: i64) -> u64 {
        let folded = self.ids.drain(..).filter(|id| *id <= through).count();
        u64::try_from(folded).unwrap_or(u64::MAX)
    }

    /// Feeds the rows that the wallet's tables trail.
    fn read_tail(
        &mut self,
        connection: &Connection,
        tail: &[i64],
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let sql = format!("SELECT {ENTRY_COLUMNS}, log.merchant_id FROM log WHERE id = ?1");
        let mut statement = connection.prepare_cached(&sql)?;
        for id in tail {
            let mut rows = statement.query([id])?;
            if let Some(row) = rows.next()?.filter(|_| self.readable) {
                self.take(connection, row, report)?;
            }
        }
        Ok(())
    }

    /// The rows of the tail that the wallet's tables do not have.
    fn not_folded<'a>(
        &self,
        connection: &Connection,
        tail: &'a Tail,
    ) -> Result<&'a [i64], StoreError> {
        let all = tail.of(self.id);
        let sql = "SELECT max(entry_id) FROM (SELECT entry_id FROM wallet_log WHERE wallet_id = ?1 ORDER BY version DESC LIMIT 1)";
        let mut statement = connection.prepare_cached(sql)?;
        let last: Option<i64> = statement.query_row([self.id.number()], |row| row.get(0))?;
        let first = all.partition_point(|id| Some(*id) <= last);
        Ok(all.get(first..).unwrap_or_default())
    }

    fn check_merchant(
        &self,
        row: &Row<'_>,
        entry: &Entry,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        if row.get::<_, Option<i64>>(17)? != self.merchant {
            let detail = "the row is of another merchant than its wallet".to_owned();
            self.found("every row has its merchant", Some(entry), detail, report);
        }
        Ok(())
    }

    fn check_links(
        &mut self,
        connection: &Connection,
        entry: &Entry,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let id = entry.id.number();
        if let Some(stamp) = entry.key {
            let mut statement =
                connection.prepare_cached("SELECT entry_id FROM keys WHERE key = ?1")?;
            let known: Option<i64> = statement
                .query_row([stamp.key], |row| row.get(0))
                .optional()?;
            // Keys of the log's tail are not folded yet: the writer has them in memory.
            let mut statement = connection.prepare_cached("SELECT folded_to FROM key_fold")?;
            let folded_to: i64 = statement.query_row([], |row| row.get(0))?;
            if known.map_or(id <= folded_to, |known| known != id) {
                let detail = format!("the key of {} leads to {known:?}", entry.id);
                self.found("every key leads to its row", Some(entry), detail, report);
            }
        }
        if let Some(debit) = entry.event.refund_of {
            let mut statement = connection
                .prepare_cached("SELECT debit_id, amount FROM refunds WHERE entry_id = ?1")?;
            let pair = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let known: Option<(i64, i64)> = statement.query_row([id], pair).optional()?;
            if known != Some((debit.number(), entry.event.amount.micros())) {
                let detail = format!("{} is stored as {known:?}", entry.id);
                self.found(
                    "refunds are stored beside the log",
                    Some(entry),
                    detail,
                    report,
                );
            }
        }
        let parts = entry.event.parts.iter();
        for (part, from) in parts.filter_map(|part| Some((part, part.pays_debt_from?))) {
            self.debt_payments += 1;
            let mut statement = connection.prepare_cached(
                "SELECT amount, lot_id, entry_id FROM debt_payments WHERE wallet_id = ?1 AND debt_from = ?2",
            )?;
            let triple = |row: &Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?]);
            let place = [self.id.number(), from.micros()];
            let known: Option<[i64; 3]> = statement.query_row(place, triple).optional()?;
            let amount = part.amount.micros().checked_neg().unwrap_or(i64::MAX);
            if known != Some([amount, part.lot.id.number(), id]) {
                let detail = format!("the payment at {} is stored as {known:?}", from.micros());
                self.found(DEBT_PAYMENTS, Some(entry), detail, report);
            }
        }
        Ok(())
    }

    fn check_told(
        &mut self,
        connection: &Connection,
        entry: &Entry,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let Some(merchant) = self.merchant else {
            return Ok(());
        };
        if let Some(detail) = self.stretches.check(connection, merchant, entry)? {
            self.found(told::ROWS, Some(entry), detail, report);
        }
        Ok(())
    }

    /// A snapshot is what the rows up to its own come to.
    fn check_snapshot(
        &self,
        connection: &Connection,
        entry: &Entry,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        if !snapshots::is_due(entry.version) {
            return Ok(());
        }
        let Some(stored) = snapshots::stored(connection, self.id, entry.version)? else {
            return Ok(());
        };
        let wallet = self.or_unreadable(load_wallet(connection, self.id), report)?;
        let expected = wallet
            .flatten()
            .and_then(|wallet| self.audit.state_so_far(wallet));
        if expected.is_some_and(|expected| !stored.is_of(&expected)) {
            let detail = format!("the snapshot behind version {} is another", entry.version);
            self.found(SNAPSHOTS, Some(entry), detail, report);
        }
        Ok(())
    }

    /// Compares what the rows come to with what is stored, in the snapshot that saw the last of them.
    fn finish(
        mut self,
        connection: &Connection,
        tail: &Tail,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        report.wallets += 1;
        let count = "SELECT count(*) FROM debt_payments WHERE wallet_id = ?1";
        let mut statement = connection.prepare_cached(count)?;
        let stored: i64 = statement.query_row([self.id.number()], |row| row.get(0))?;
        if self.readable && stored != self.debt_payments {
            let detail = format!("{stored} stored, {} in the log", self.debt_payments);
            self.found(DEBT_PAYMENTS, None, detail, report);
        }
        let behind = self.not_folded(connection, tail)?;
        // What is stored stands before those rows.
        let stored = (!behind.is_empty()).then(|| self.audit.clone());
        self.read_tail(connection, behind, report)?;
        if self.merchant.is_some()
            && let Some(detail) = told::check_opening(connection, self.id)?
        {
            self.found(told::OPENINGS, None, detail, report);
        }
        if self.readable && snapshots::has_others(connection, self.id, self.audit.version())? {
            let detail = "there is one behind no row that has one".to_owned();
            self.found(SNAPSHOTS, None, detail, report);
        }
        let Some(wallet) = self.or_unreadable(load_wallet(connection, self.id), report)? else {
            return Ok(());
        };
        let Some(wallet) = wallet else {
            let detail = "the wallet or its state is not there".to_owned();
            self.found(STATE, None, detail, report);
            return Ok(());
        };
        let id = self.id;
        let audited = self.audit.finish(wallet);
        for violation in &audited.violations {
            report.add(Violation {
                invariant: violation.invariant,
                wallet: Some(id),
                version: Some(violation.version).filter(|version| *version > 0),
                detail: violation.detail.clone(),
            });
        }
        let Audited {
            violations: _,
            state,
            lots,
            holds,
            top_ups,
        } = stored.map_or(audited, |stored| stored.finish(wallet));
        let Some(state) = state else {
            return Ok(());
        };
        compare_state(connection, &state, report)?;
        compare_lots(connection, id, lots, report)?;
        compare_holds(connection, id, holds, report)?;
        compare_top_ups(connection, id, top_ups, report)
    }

    fn or_unreadable<T>(
        &self,
        loaded: Result<T, StoreError>,
        report: &mut Report,
    ) -> Result<Option<T>, StoreError> {
        match loaded {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Corrupt { what }) => {
                self.found(STATE, None, what, report);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    fn found(
        &self,
        invariant: &'static str,
        entry: Option<&Entry>,
        detail: String,
        report: &mut Report,
    ) {
        report.add(Violation {
            invariant,
            wallet: Some(self.id),
            version: entry.map(|entry| entry.version),
            detail,
        });
    }
}
