//! What events are derived from: rows of the log and of the outbox, merged in the order of their ids.
//!
//! Ids rise in the order of commits and a page is read in one snapshot, so whoever has read through an id has missed
//! nothing before it. A page costs what it shows, and at most [`STRETCHES`] stretches of a merchant's log
//! (see `stretches.rs`) or [`VERSIONS`] rows of a wallet's where a filter matches little: then it is short, and says
//! how far it came.

use super::limit;
use super::outbox::{self, OutboxRow};
use super::query::Query;
use super::rows::{ENTRY_COLUMNS, corrupt, entry_from_row};
use super::stretches::{self, BITS};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension};
use tillbox_core::entry::{Entry, EntryKind};
use tillbox_core::id::{EntryId, MerchantId, WalletId};

/// Stretches of the log, of about a second each, that one page walks.
const STRETCHES: usize = 100;
/// Rows of a wallet that one page looks at.
const VERSIONS: i64 = 20_000;

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A row of the log.
    Entry(Box<Entry>),
    /// A row of the outbox.
    Outbox(OutboxRow),
}

impl Fact {
    /// The number of its row.
    pub fn row(&self) -> i64 {
        match self {
            Self::Entry(entry) => entry.id.number(),
            Self::Outbox(row) => row.id.number(),
        }
    }

    /// The wallet that it is about.
    pub fn wallet(&self) -> Option<WalletId> {
        match self {
            Self::Entry(entry) => Some(entry.wallet_id),
            Self::Outbox(row) => row.wallet_id,
        }
    }
}

/// Which facts are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactFilter {
    /// Of this wallet alone.
    pub wallet: Option<WalletId>,
    /// Of the log: rows of these kinds alone.
    pub kinds: Option<Vec<EntryKind>>,
    /// Of the outbox: rows of this type alone.
    pub outbox_type: Option<&'static str>,
}

/// Facts in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactPage {
    /// The facts.
    pub facts: Vec<Fact>,
    /// The row up to which all was looked at.
    pub through: i64,
    /// Whether nothing more was there.
    pub is_last: bool,
}

/// One side of the merge: what was found, and up to which row all was looked at; none where that is all there is.
struct Side {
    facts: Vec<Fact>,
    through: Option<i64>,
}

/// Facts of a merchant behind the row `after`, oldest first, at most `rows`.
pub fn read(
    connection: &Connection,
    merchant: MerchantId,
    filter: &FactFilter,
    after: i64,
    rows: usize,
) -> Result<FactPage, StoreError> {
    let tx = connection.unchecked_transaction()?;
    let log = match filter.wallet {
        _ if filter.kinds.as_ref().is_some_and(Vec::is_empty) => Side::nothing(),
        Some(wallet) => log_of_wallet(&tx, merchant, wallet, filter, after, rows)?,
        None => log_of_merchant(&tx, merchant, filter, after, rows)?,
    };
    let found = outbox_query(merchant, filter, after, rows).read(&tx, |row| {
        let row = outbox::from_row(row)?;
        Ok(Fact::Outbox(row))
    })?;
    let page = merged([log, Side::full(found, rows)], rows);
    let through = match page.through {
        Some(through) => through,
        None => head(&tx)?.max(after),
    };
    tx.commit()?;
    Ok(FactPage {
        facts: page.facts,
        through,
        is_last: page.through.is_none(),
    })
}

/// The last row of all: whatever is committed later has a higher number.
pub fn head(connection: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT max((SELECT coalesce(max(id), 0) FROM log), (SELECT coalesce(max(id), 0) FROM outbox))";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Whether a row is one of the merchant's.
pub fn is_of(connection: &Connection, merchant: MerchantId, row: i64) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM log WHERE id = ?1 AND merchant_id = ?2) \
               OR EXISTS (SELECT 1 FROM outbox WHERE id = ?1 AND merchant_id = ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([row, merchant.number()], |row| row.get(0))?)
}

/// The version of a wallet's last row up to an id; 0 where there is none.
pub fn version_at(connection: &Connection, wallet: WalletId, row: i64) -> Result<u64, StoreError> {
    let log = WalletLog { connection, wallet };
    let last = log.last_version()?;
    let behind = log.first_version_behind(row, last)?;
    Ok(u64::try_from(behind - 1).unwrap_or(0))
}

impl Side {
    fn nothing() -> Self {
        Self {
            facts: Vec::new(),
            through: None,
        }
    }

    /// What a query found that was asked for `rows`: fewer are all.
    fn full(facts: Vec<Fact>, rows: usize) -> Self {
        let through = facts.last().filter(|_| facts.len() >= rows).map(Fact::row);
        Self { facts, through }
    }
}

fn merged(sides: [Side; 2], rows: usize) -> Side {
    let through = sides.iter().filter_map(|side| side.through).min();
    let mut facts: Vec<Fact> = sides.into_iter().flat_map(|side| side.facts).collect();
    facts.sort_unstable_by_key(Fact::row);
    facts.retain(|fact| through.is_none_or(|through| fact.row() <= through));
    if facts.len() > rows {
        facts.truncate(rows);
        return Side::full(facts, rows);
    }
    Side { facts, through }
}

fn log_of_merchant(
    connection: &Connection,
    merchant: MerchantId,
    filter: &FactFilter,
    after: i64,
    rows: usize,
) -> Result<Side, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT stretch FROM log_stretches WHERE merchant_id = ?1 AND stretch >= ?2 ORDER BY stretch LIMIT ?3",
    )?;
    let first = stretches::of(EntryId::from_number(after));
    let values = [merchant.number(), first, limit(STRETCHES + 1)];
    let mut stretches: Vec<i64> = statement
        .query_map(values, |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let is_last = stretches.len() <= STRETCHES;
    stretches.truncate(STRETCHES);
    let mut facts = Vec::new();
    for stretch in &stretches {
        let left = rows - facts.len();
        let query = stretch_query(merchant, filter, *stretch, after, left);
        facts.extend(query.read(connection, entry)?);
        if facts.len() >= rows {
            return Ok(Side::full(facts, rows));
        }
    }
    let end = stretches.last().map(|stretch| end_of(*stretch));
    Ok(Side {
        facts,
        through: end.filter(|_| !is_last),
    })
}

/// The last id of a stretch.
const fn end_of(stretch: i64) -> i64 {
    (stretch << BITS) + ((1 << BITS) - 1)
}

pub(super) fn stretch_query(
    merchant: MerchantId,
    filter: &FactFilter,
    stretch: i64,
    after: i64,
    rows: usize,
) -> Query {
    let select = format!("SELECT {ENTRY_COLUMNS} FROM log WHERE");
    let behind = after.max((stretch << BITS) - 1);
    let mut query = Query::new(&select, "log.id > {}", behind);
    query.and("log.id <= {}", end_of(stretch));
    query.and("log.merchant_id = {}", merchant.number());
    of_kinds(&mut query, filter);
    query.first("log.id", rows)
}

fn log_of_wallet(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    filter: &FactFilter,
    after: i64,
    rows: usize,
) -> Result<Side, StoreError> {
    let log = WalletLog { connection, wallet };
    let last = log.last_version()?;
    let first = log.first_version_behind(after, last)?;
    let end = last.min(first.saturating_add(VERSIONS - 1));
    let select = format!("SELECT {ENTRY_COLUMNS} FROM log_of_wallets log WHERE");
    let mut query = Query::new(&select, "log.wallet_id = {}", wallet.number());
    query.and("log.merchant_id = {}", merchant.number());
    query.and("log.version >= {}", first);
    query.and("log.version <= {}", end);
    of_kinds(&mut query, filter);
    let facts = query.first("log.version", rows).read(connection, entry)?;
    if facts.len() >= rows {
        return Ok(Side::full(facts, rows));
    }
    let through = if end < last {
        Some(log.id_of(end)?)
    } else {
        None
    };
    Ok(Side { facts, through })
}

/// The rows of a wallet: ids rise with versions.
struct WalletLog<'a> {
    connection: &'a Connection,
    wallet: WalletId,
}

impl WalletLog<'_> {
    fn last_version(&self) -> Result<i64, StoreError> {
        let sql = "SELECT coalesce(max(version), 0) FROM wallet_log WHERE wallet_id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([self.wallet.number()], |row| row.get(0))?)
    }

    fn id_of(&self, version: i64) -> Result<i64, StoreError> {
        let wallet = self.wallet;
        let sql = "SELECT entry_id FROM wallet_log WHERE wallet_id = ?1 AND version = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement
            .query_row([wallet.number(), version], |row| row.get(0))
            .optional()?
            .ok_or_else(|| corrupt(format!("{wallet} has no row of version {version}")))
    }

    /// The version of the first row behind an id; one above `last` where there is none, which is asked first, as
    /// whoever follows is mostly there. Otherwise halving finds it.
    fn first_version_behind(&self, id: i64, last: i64) -> Result<i64, StoreError> {
        if last == 0 || self.id_of(last)? <= id {
            return Ok(last + 1);
        }
        let (mut low, mut high) = (1, last);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.id_of(middle)? <= id {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

pub(super) fn outbox_query(
    merchant: MerchantId,
    filter: &FactFilter,
    after: i64,
    rows: usize,
) -> Query {
    let select = format!("SELECT {} FROM outbox o WHERE", outbox::COLUMNS);
    let mut query = Query::new(&select, "o.id > {}", after);
    query.and("o.merchant_id = {}", merchant.number());
    if let Some(wallet) = filter.wallet {
        query.and("o.wallet_id = {}", wallet.number());
    }
    if let Some(event_type) = filter.outbox_type {
        query.and("o.type = {}", event_type.to_owned());
    }
    query.first("o.id", rows)
}

fn of_kinds(query: &mut Query, filter: &FactFilter) {
    if let Some(kinds) = &filter.kinds {
        let codes: Vec<String> = kinds.iter().map(|kind| kind.code().to_string()).collect();
        query.and_plain(&format!("log.kind IN ({})", codes.join(",")));
    }
}

fn entry(row: &rusqlite::Row<'_>) -> Result<Fact, StoreError> {
    entry_from_row(row).map(Box::new).map(Fact::Entry)
}
