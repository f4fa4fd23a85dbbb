//! The self-audit: reads the whole log and all that was derived from it, beside a running writer.
//!
//! | phase | reads | cost |
//! |---|---|---|
//! | wallets ([`wallet`]) | each wallet's rows in order, then its state, lots and holds ([`compare`]) | one pass over the log, one look-up a key |
//! | rows ([`tail`]) | whether each row was one of its wallet's | a count |
//! | links ([`links`]) | keys and refunds, back to their rows | one look-up each |
//! | books ([`books`]) | the log up to what is folded, added up anew | one pass over the log |
//!
//! **In snapshots.** A read transaction lasts for some thousand rows, so that the writer's log can be folded. Rows
//! never change, so those of one wallet may come from several snapshots; only the last of them, the one in which
//! no row is left, is also the one in which its state is compared. Memory is bounded by the largest wallet, and by what
//! trails the log ([`tail`]): a wallet's tables are compared as of the last row that they have, then its other rows are
//! followed.

mod books;
mod compare;
mod links;
mod tail;
mod told;
mod wallet;

use super::anchor::{self, Standing};
use super::migrations::{Contents, contents};
use super::open_for_reading;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::fmt;
use std::path::Path;
use std::time::Duration;
use tillbox_core::id::WalletId;
use tillbox_engine::clock::{Clock, SystemClock};
use wallet::Walk;

const ANCHOR: &str = "the log reaches its anchor";

/// Rows that one snapshot reads.
const ROWS_PER_SNAPSHOT: usize = 10_000;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows of the log that were read.
    pub rows: u64,
    /// Rows that there were at the start; a running writer makes more.
    pub rows_total: u64,
}

/// A rule that does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name.
    pub invariant: &'static str,
    /// In which wallet, where it is about one.
    pub wallet: Option<WalletId>,
    /// At which of its rows, where it is about one.
    pub version: Option<u64>,
    /// What was found, for people.
    pub detail: String,
}

/// What the audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows of the log that were read.
    pub rows: u64,
    /// Wallets that were read.
    pub wallets: u64,
    /// How long it took.
    pub took: Duration,
    /// The first of each kind; none when all is well.
    pub violations: Vec<Violation>,
}

/// Audits the database at `path` without its lock: the server may go on writing.
pub fn verify(path: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Report, StoreError> {
    let connection = open_for_reading(path)?;
    if !matches!(contents(&connection)?, Contents::Ledger) {
        return Err(StoreError::Unavailable(format!(
            "{} holds no ledger",
            path.display()
        )));
    }
    let begun = SystemClock.now().micros();
    let mut report = Report::default();
    check_anchor(path, &connection, &mut report)?;
    let sql = "SELECT (SELECT count(*) FROM wallet_log) + (SELECT count(*) FROM log CROSS JOIN trail_fold ON log.id > folded_to \
         WHERE NOT EXISTS (SELECT 1 FROM wallet_log w WHERE w.wallet_id = log.wallet_id AND w.version = log.version))";
    let rows_total = connection.query_row(sql, [], |row| row.get(0))?;
    let mut walk = Walk::default();
    loop {
        let done = in_snapshot(&connection, |connection| {
            walk.advance(connection, ROWS_PER_SNAPSHOT, &mut report)
        })?;
        progress(Progress {
            rows: report.rows,
            rows_total,
        });
        if done {
            break;
        }
    }
    walk.check_all_were_read(&connection, ROWS_PER_SNAPSHOT, &mut report)?;
    links::check(&connection, ROWS_PER_SNAPSHOT, &mut report)?;
    books::check(&connection, ROWS_PER_SNAPSHOT, &mut report)?;
    let micros = SystemClock.now().micros().saturating_sub(begun);
    report.took = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    Ok(report)
}

/// Whether the log reaches what is anchored beside it, if anything is.
fn check_anchor(
    path: &Path,
    connection: &Connection,
    report: &mut Report,
) -> Result<(), StoreError> {
    let detail = match anchor::compare(path, connection) {
        Ok(Standing::NotAnchored | Standing::Reaches(_)) => return Ok(()),
        Ok(Standing::Differs { anchored, log }) => {
            let (anchored, height) = (anchored.height, log.height);
            format!("{anchored} rows are anchored; the log has {height}, and not these")
        }
        Err(StoreError::Corrupt { what }) => what,
        Err(other) => return Err(other),
    };
    report.add(Violation {
        invariant: ANCHOR,
        wallet: None,
        version: None,
        detail,
    });
    Ok(())
}

fn in_snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let tx = connection.unchecked_transaction()?;
    let value = read(&tx)?;
    tx.commit()?;
    Ok(value)
}

/// The wallet behind `after` of which anything is stored, whatever table names it.
fn next_wallet(connection: &Connection, after: i64) -> Result<Option<WalletId>, StoreError> {
    let sql = "SELECT min(id) FROM (SELECT min(id) AS id FROM wallets WHERE id > ?1 \
               UNION ALL SELECT min(wallet_id) FROM wallet_states WHERE wallet_id > ?1 \
               UNION ALL SELECT min(wallet_id) FROM wallet_log WHERE wallet_id > ?1 \
               UNION ALL SELECT min(wallet_id) FROM lots WHERE wallet_id > ?1 \
               UNION ALL SELECT min(wallet_id) FROM holds WHERE wallet_id > ?1 \
               UNION ALL SELECT min(wallet_id) FROM top_ups WHERE wallet_id > ?1 \
               UNION ALL SELECT min(wallet_id) FROM snapshots WHERE wallet_id > ?1 \
               UNION ALL SELECT min(wallet_id) FROM debt_payments WHERE wallet_id > ?1)";
    let mut statement = connection.prepare_cached(sql)?;
    let id: Option<Option<i64>> = statement.query_row([after], |row| row.get(0)).optional()?;
    Ok(id.flatten().map(WalletId::from_number))
}

impl Report {
    /// Rows read in a second.
    pub fn rows_per_second(&self) -> u64 {
        let milliseconds = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        self.rows.saturating_mul(1_000) / milliseconds.max(1)
    }

    /// One JSON object.
    pub fn to_json(&self) -> String {
        let violations = self.violations.iter().map(|violation| {
            serde_json::json!({
                "invariant": violation.invariant,
                "wallet_id": violation.wallet.map(|wallet| wallet.to_string()),
                "version": violation.version,
                "detail": violation.detail,
            })
        });
        let whole = serde_json::json!({
            "ok": self.violations.is_empty(),
            "rows": self.rows,
            "wallets": self.wallets,
            "rows_per_second": self.rows_per_second(),
            "violations": violations.collect::<Vec<_>>(),
        });
        whole.to_string()
    }

    fn add(&mut self, violation: Violation) {
        let mut known = self.violations.iter();
        if !known.any(|known| known.invariant == violation.invariant) {
            self.violations.push(violation);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, wallets) = (self.rows, self.wallets);
        let speed = self.rows_per_second();
        write!(
            formatter,
            "{rows} rows of {wallets} wallets read, {speed} rows/s"
        )?;
        if self.violations.is_empty() {
            return write!(formatter, "\nall invariants hold");
        }
        for violation in &self.violations {
            write!(formatter, "\nbroken: {}", violation.invariant)?;
            if let Some(wallet) = violation.wallet {
                write!(formatter, "\n  wallet {wallet}")?;
            }
            if let Some(version) = violation.version {
                write!(formatter, ", version {version}")?;
            }
            write!(formatter, "\n  {}", violation.detail)?;
        }
        Ok(())
    }
}
