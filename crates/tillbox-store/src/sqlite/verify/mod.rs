//! The self-audit: reads the whole log and all that was derived from it, beside a running writer.
//!
//! | phase | reads | cost |
//! |---|---|---|
//! | rows ([`scan`], [`follow`]) | the log in the order of its ids, up to where all tables were folded when the audit began | one pass, read and decoded on a thread of its own |
//! | index ([`index`]) | the tables that are in another order than the log, beside it | one pass each |
//! | wallets ([`part`], [`compare`]) | what is stored of each wallet, and the rest of its rows | some queries for hundreds of wallets, on two threads |
//!
//! **In snapshots.** A read transaction lasts for a thousand rows, so that the writer's log can be folded. Rows
//! never change, so they may come from many snapshots. A wallet is compared in the snapshot in which its last row is
//! read, at the version that its tables stand at.
//!
//! **Memory.** All wallets are followed at once: some hundred bytes for each wallet, lot and hold, and sixteen for each
//! refundable debit. Where that would be more than [`Limits::memory`], the log is read in several passes, each of which
//! follows a part of the wallets.

mod books;
mod chain;
mod compare;
mod follow;
mod index;
mod keys;
mod links;
mod part;
mod report;
mod scan;
mod stored;
mod told;
mod warnings;

pub use report::{Progress, Report, Violation, rules_of_all, rules_of_one};

use super::migrations::{self, Contents, contents};
use super::{log_head, open_for_reading};
use crate::error::StoreError;
use books::BookSums;
use follow::{Books, Followed};
use index::{Folded, Listed};
use keys::StoredKeys;
use part::Part;
use rusqlite::Connection;
use scan::{Pass, Span};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_engine::clock::{Clock, SystemClock};

/// Pages that a connection keeps which looks up rows, in KiB: most of the upper levels of all tables.
const CACHE_KIB: i64 = 32_768;

/// Whose rows are audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All there are, and the log as a whole.
    All,
    /// Those of one merchant.
    Merchant(MerchantId),
}

/// What bounds an audit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Rows that one snapshot reads.
    pub rows: usize,
    /// Wallets that one snapshot compares.
    pub wallets: usize,
    /// Bytes that followed wallets may take, by estimate.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows: 1_000,
            wallets: 500,
            memory: 1 << 30,
        }
    }
}

/// What is told of how far it is; [`ControlFlow::Break`] ends it.
pub type Tell<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Audits the database at `path` without its lock: the server may go on writing.
pub fn verify(path: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Report, StoreError> {
    let mut tell = |now| {
        progress(now);
        ControlFlow::Continue(())
    };
    verify_within(path, Scope::All, Limits::default(), &mut tell)
}

/// The same of a scope, within limits, and until it is told to end.
pub fn verify_within(
    path: &Path,
    scope: Scope,
    limits: Limits,
    tell: Tell<'_>,
) -> Result<Report, StoreError> {
    let connection = open(path)?;
    if !matches!(contents(&connection)?, Contents::Ledger) {
        return Err(StoreError::Unavailable(format!(
            "{} holds no ledger",
            path.display()
        )));
    }
    migrations::expect_current(&connection)?;
    let begun = SystemClock.now().micros();
    let mut report = Report::new(match scope {
        Scope::All => rules_of_all(),
        Scope::Merchant(_) => rules_of_one(),
    });
    chain::check_anchor(path, &connection, &mut report)?;
    let (folded, mut sums, passes) = in_snapshot(&connection, |connection| {
        report.head = log_head::last(connection)?;
        let passes = passes(connection, report.head.height, limits)?;
        let folded = Folded::read(connection)?;
        let sums = match scope {
            Scope::All => Some(BookSums::new(connection, folded.wallet_log)?),
            Scope::Merchant(_) => None,
        };
        Ok((folded, sums, passes))
    })?;
    let mut audit = Audit {
        path,
        connection: &connection,
        limits,
        rows_total: report.head.height,
        tell,
    };
    for number in 0..passes {
        let pass = Pass { number, of: passes };
        let books = Books::new(scope, pass, folded);
        audit.pass(books, sums.as_mut(), &mut report)?;
    }
    warnings::check(&connection, scope, limits.rows, &mut report)?;
    if scope == Scope::All {
        links::check_every_refund(&connection, limits.rows, &mut report)?;
    }
    if let Some(sums) = sums {
        sums.compare(&connection, limits.rows, &mut report)?;
    }
    let micros = SystemClock.now().micros().saturating_sub(begun);
    report.took = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    Ok(report)
}

/// How often the log is read, so that what is followed at once fits into memory.
fn passes(connection: &Connection, rows: u64, limits: Limits) -> Result<u64, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM wallets) * 1000 + (SELECT count(*) FROM lots) * 200 + (SELECT count(*) FROM holds) * 300";
    let bytes: u64 = connection.query_row(sql, [], |row| row.get(0))?;
    let bytes = bytes.saturating_add(rows.saturating_mul(16));
    Ok(bytes.div_ceil(limits.memory.max(1)).max(1))
}

struct Audit<'a> {
    path: &'a Path,
    connection: &'a Connection,
    limits: Limits,
    rows_total: u64,
    tell: Tell<'a>,
}

impl Audit<'_> {
    /// Reads the log once, adds it to the books, and compares the wallets that were followed.
    fn pass(
        &mut self,
        mut books: Books,
        sums: Option<&mut BookSums>,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let (path, rows) = (self.path, self.limits.rows);
        let span = Span {
            path,
            scope: books.beside.scope,
            pass: books.beside.pass,
            through: books.beside.folded.wallet_log,
            rows,
        };
        std::thread::scope(|threads| {
            let tables = books.beside.is_whole.then(|| {
                let (sums, keys) = (books.beside.sums.clone(), books.beside.keys.clone());
                threads.spawn(move || {
                    let keys = StoredKeys::read(path, keys)?;
                    Ok::<_, StoreError>((keys, Listed::read(path, sums, rows)?))
                })
            });
            for chunk in scan::start(threads, span, sums) {
                let chunk = chunk?;
                in_snapshot(self.connection, |connection| {
                    let mut rows = chunk.iter();
                    rows.try_for_each(|row| books.take(connection, row, report))
                })?;
                self.tell(report)?;
            }
            self.compare(&mut books, report)?;
            if let Some(tables) = tables {
                let (keys, listed) = tables.join().map_err(panicked)??;
                keys.compare(self.connection, &books.beside.keys, report)?;
                listed.compare(self.connection, &books.beside.sums, report)?;
                books.chain.end(report);
            }
            let through = books.beside.folded.wallet_log;
            let stretches = &books.beside.stretches;
            if books.beside.is_whole {
                stretches.check_all_were_met(
                    self.connection,
                    books.beside.scope,
                    through,
                    report,
                )?;
            }
            Ok(())
        })
    }

    /// Compares all wallets, those with higher ids on a thread of its own.
    fn compare(&mut self, books: &mut Books, report: &mut Report) -> Result<(), StoreError> {
        let mut wallets: BTreeMap<WalletId, Box<Followed>> =
            std::mem::take(&mut books.wallets).into_iter().collect();
        let middle = wallets.keys().nth(wallets.len() / 2).copied();
        let middle = middle.filter(|_| wallets.len() > 2 * self.limits.wallets);
        let higher = middle.map(|middle| wallets.split_off(&middle));
        let mut part = Part {
            limits: self.limits,
            wallets,
            after: i64::MIN,
            to: middle.map_or(i64::MAX, |middle| middle.number().saturating_sub(1)),
        };
        let ended = AtomicBool::new(false);
        let (path, limits, ended) = (self.path, self.limits, &ended);
        std::thread::scope(|threads| {
            let higher = higher.map(|wallets| {
                let mut part = Part {
                    limits,
                    wallets,
                    after: part.to,
                    to: i64::MAX,
                };
                let mut books = books.for_a_part();
                threads.spawn(move || {
                    let mut report = Report::new(Vec::new());
                    let connection = open(path)?;
                    part.compare(&connection, &mut books, &mut report, &mut |_report| {
                        if ended.load(Ordering::Relaxed) {
                            return Err(stopped());
                        }
                        Ok(())
                    })?;
                    Ok(report)
                })
            });
            let connection = self.connection;
            let mut tell = |report: &Report| self.tell(report);
            let lower = part.compare(connection, books, report, &mut tell);
            ended.store(lower.is_err(), Ordering::Relaxed);
            if let Some(higher) = higher {
                let higher: Result<Report, StoreError> = higher.join().map_err(panicked)?;
                report.take_in(higher?);
            }
            lower
        })
    }

    fn tell(&mut self, report: &Report) -> Result<(), StoreError> {
        let progress = Progress {
            rows: report.rows,
            rows_total: self.rows_total,
        };
        match (self.tell)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                Err(StoreError::Unavailable("the audit was stopped".to_owned()))
            }
        }
    }
}

/// A connection that looks up many rows.
fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_for_reading(path)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the audit was stopped".to_owned())
}

fn panicked(_panic: Box<dyn std::any::Any + Send>) -> StoreError {
    StoreError::Unavailable("a thread of the audit panicked".to_owned())
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
