//! The books, added up anew from the log: sums that reports read must be what the rows come to.
//!
//! Rows are added up as they are read for their wallets, as far as the books had them when the audit began. A running
//! writer folds on meanwhile: what it has folded since is read behind that, a snapshot for each stretch, the last of it
//! in the snapshot in which all is compared. Memory: the sums themselves, and the currency of each wallet.

use super::super::books::fold::read_on;
use super::super::books::tally::{Summand, Tally};
use super::super::books::{folded_to, reversed};
use super::super::currency;
use super::report::BOOKS;
use super::scan::LogRow;
use super::{Report, Violation, in_snapshot};
use crate::error::StoreError;
use foldhash::{HashMap, HashMapExt};
use rusqlite::Connection;
use tillbox_core::currency::Currency;
use tillbox_core::entry::Entry;
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::reason::Reason;

/// What the rows that were read come to.
pub(super) struct BookSums {
    tally: Tally,
    currencies: HashMap<WalletId, Currency>,
    /// The last row that is added as it is read.
    through: i64,
    /// Whether all were; one that can't be read is named where its wallet is.
    is_whole: bool,
}

impl BookSums {
    /// Rows are read up to `scanned`.
    pub(super) fn new(connection: &Connection, scanned: i64) -> Result<Self, StoreError> {
        let mut currencies = HashMap::new();
        let mut statement = connection.prepare("SELECT id, currency FROM wallets ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // One that can't be read is named where the wallet is.
            if let Ok(code) = row.get_ref(1)?.as_str()
                && let Ok(currency) = currency(code)
            {
                currencies.insert(WalletId::from_number(row.get(0)?), currency);
            }
        }
        Ok(Self {
            tally: Tally::default(),
            currencies,
            through: folded_to(connection)?.min(scanned),
            is_whole: true,
        })
    }

    /// Adds a row; none where it is of a wallet that another pass reads.
    pub(super) fn take(&mut self, connection: &Connection, row: &LogRow) -> Result<(), StoreError> {
        if row.id > self.through {
            return Ok(());
        }
        match &row.entry {
            None => {}
            Some(Err(_)) => self.is_whole = false,
            Some(Ok(entry)) => match reversed(connection, entry.wallet_id, &entry.event) {
                Ok(reason) => self.add(row, entry, reason),
                Err(StoreError::Corrupt { .. }) => self.is_whole = false,
                Err(other) => return Err(other),
            },
        }
        Ok(())
    }

    fn add(&mut self, row: &LogRow, entry: &Entry, reverses: Option<Reason>) {
        let currency = self.currencies.get(&entry.wallet_id);
        let (Some(merchant), Some(currency)) = (row.merchant, currency) else {
            self.is_whole = false;
            return;
        };
        self.tally.add(Summand {
            id: row.id,
            merchant_id: MerchantId::from_number(merchant),
            currency: *currency,
            at: entry.at,
            event: &entry.event,
            reverses,
        });
    }

    /// Adds what the books have beyond that, and compares.
    pub(super) fn compare(
        self,
        connection: &Connection,
        rows: usize,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        if !self.is_whole {
            return Ok(());
        }
        match self.difference(connection, rows) {
            Ok(None) => Ok(()),
            Ok(Some(difference)) => {
                found(difference, report);
                Ok(())
            }
            Err(StoreError::Corrupt { what }) => {
                if report.violations.is_empty() {
                    found(what, report);
                }
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    fn difference(
        mut self,
        connection: &Connection,
        rows: usize,
    ) -> Result<Option<String>, StoreError> {
        let through = folded_to(connection)?;
        let (tally, mut after) = (&mut self.tally, self.through);
        while let Some(last) = in_snapshot(connection, |connection| {
            read_on(connection, after, through, rows, |row| tally.add(row))
        })? {
            after = last;
        }
        in_snapshot(connection, |connection| {
            let folded = folded_to(connection)?;
            let mut after = through;
            while let Some(last) = read_on(connection, after, folded, rows, |row| tally.add(row))? {
                after = last;
            }
            Ok(tally.differs_from(&Tally::stored(connection)?))
        })
    }
}

fn found(detail: String, report: &mut Report) {
    report.add(Violation {
        invariant: BOOKS,
        wallet: None,
        version: None,
        detail,
    });
}
