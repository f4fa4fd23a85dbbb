//! The audit log: what was done that is no row of the log, in a table of its own, and the rows of the log that may be
//! somebody's deed. Both are read in one snapshot and merged by their ids, which rise together.

use super::currency;
use super::query::Query;
use super::rows::{ENTRY_COLUMNS, corrupt, entry_from_row};
use crate::error::StoreError;
use rusqlite::{Connection, Row, params};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Actor, Entry};
use tillbox_core::id::{ApiKeyId, AuditId, CustomerId, MerchantId, WalletId};
use tillbox_core::time::Timestamp;

/// Something that was done, and is no row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id; drawn on the ledger's thread.
    pub id: AuditId,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// The wallet that it is about, if it is about one.
    pub wallet_id: Option<WalletId>,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what: public ids.
    pub targets: Vec<String>,
    /// When, by the merchant's clock.
    pub at: Timestamp,
    /// The number of the call that asked for it.
    pub request: Option<u64>,
    /// What changed: a JSON object.
    pub changes: Option<String>,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted {
    /// Of the table.
    Plain(AuditRow),
    /// A row of the log, with its wallet's currency.
    Entry(Box<Entry>, Currency),
}

impl Noted {
    /// Its place in the order of all.
    pub fn id(&self) -> AuditId {
        match self {
            Self::Plain(row) => row.id,
            Self::Entry(entry, _) => AuditId::from_number(entry.id.number()),
        }
    }
}

/// Which entries are read; what is none filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// About this wallet.
    pub wallet: Option<WalletId>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

/// The columns that [`from_row`] reads, in its order.
const COLUMNS: &str =
    "id, merchant_id, wallet_id, actor_kind, actor_id, action, targets, at, request, changes";
/// Rows that one step reads.
const STEP: usize = 500;

fn from_row(row: &Row<'_>) -> Result<AuditRow, StoreError> {
    let id = AuditId::from_number(row.get(0)?);
    let number = row.get(4)?;
    let targets: String = row.get(6)?;
    Ok(AuditRow {
        id,
        merchant_id: MerchantId::from_number(row.get(1)?),
        wallet_id: row.get::<_, Option<i64>>(2)?.map(WalletId::from_number),
        actor: match row.get(3)? {
            0 => Actor::System,
            1 => Actor::ApiKey(ApiKeyId::from_number(number)),
            2 => Actor::Customer(CustomerId::from_number(number)),
            kind => {
                return Err(corrupt(format!(
                    "{id} is by an actor of unknown kind {kind}"
                )));
            }
        },
        action: row.get(5)?,
        targets: targets.split_whitespace().map(str::to_owned).collect(),
        at: Timestamp::from_micros(row.get(7)?),
        request: row.get::<_, Option<i64>>(8)?.map(i64::cast_unsigned),
        changes: row.get(9)?,
    })
}

/// Adds an entry, in the commit of what it tells of.
pub fn insert(connection: &Connection, row: &AuditRow) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(&format!(
        "INSERT INTO audit_log ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    ))?;
    let (kind, number) = match row.actor {
        Actor::System => (0, 0),
        Actor::ApiKey(id) => (1, id.number()),
        Actor::Customer(id) => (2, id.number()),
    };
    insert.execute(params![
        row.id.number(),
        row.merchant_id.number(),
        row.wallet_id.map(WalletId::number),
        kind,
        number,
        row.action,
        row.targets.join(" "),
        row.at.micros(),
        row.request.map(u64::cast_signed),
        row.changes
    ])?;
    Ok(())
}

/// Entries of a merchant that `is_wanted`, newest first, with ids below `before`. It reads until it has that many, or
/// all.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    filter: &AuditFilter,
    before: Option<AuditId>,
    rows: usize,
    is_wanted: impl Fn(&Noted) -> bool,
) -> Result<Vec<Noted>, StoreError> {
    let tx = connection.unchecked_transaction()?;
    let mut wanted = Vec::new();
    for read in [plain_step, log_step] {
        let (mut before, mut found) = (before, 0);
        while found < rows {
            let step = read(&tx, merchant, filter, before)?;
            let is_full = step.len() == STEP;
            before = step.last().map(Noted::id);
            let fitting = step.into_iter().filter(|noted| is_wanted(noted));
            let known = wanted.len();
            wanted.extend(fitting.take(rows - found));
            found += wanted.len() - known;
            if !is_full {
                break;
            }
        }
    }
    tx.commit()?;
    wanted.sort_unstable_by_key(|noted| std::cmp::Reverse(noted.id()));
    wanted.truncate(rows);
    Ok(wanted)
}

fn plain_step(
    connection: &Connection,
    merchant: MerchantId,
    filter: &AuditFilter,
    before: Option<AuditId>,
) -> Result<Vec<Noted>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM audit_log WHERE");
    narrowed(&select, "", merchant, filter, before)
        .read(connection, |row| Ok(Noted::Plain(from_row(row)?)))
}

fn log_step(
    connection: &Connection,
    merchant: MerchantId,
    filter: &AuditFilter,
    before: Option<AuditId>,
) -> Result<Vec<Noted>, StoreError> {
    deeds_query(merchant, filter, before).read(connection, |row| {
        let currency = currency(&row.get::<_, String>("currency")?)?;
        Ok(Noted::Entry(Box::new(entry_from_row(row)?), currency))
    })
}

pub(super) fn deeds_query(
    merchant: MerchantId,
    filter: &AuditFilter,
    before: Option<AuditId>,
) -> Query {
    let select = format!(
        "SELECT {ENTRY_COLUMNS}, w.currency AS currency FROM log INDEXED BY log_deeds \
         JOIN wallets w ON w.id = log.wallet_id WHERE kind <> 2 AND kind NOT BETWEEN 5 AND 11 AND"
    );
    narrowed(&select, "log.", merchant, filter, before)
}

fn narrowed(
    select: &str,
    table: &str,
    merchant: MerchantId,
    filter: &AuditFilter,
    before: Option<AuditId>,
) -> Query {
    let column = |condition: &str| format!("{table}{condition}");
    let mut query = Query::new(select, &column("merchant_id = {}"), merchant.number());
    query.and(&column("id < {}"), before.map_or(i64::MAX, AuditId::number));
    if let Some(wallet) = filter.wallet {
        query.and(&column("wallet_id = {}"), wallet.number());
    }
    if let Some(from) = filter.from {
        query.and(&column("at >= {}"), from.micros());
    }
    if let Some(to) = filter.to {
        query.and(&column("at < {}"), to.micros());
    }
    query.first(&column("id DESC"), STEP)
}
