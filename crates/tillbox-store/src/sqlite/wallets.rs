//! Wallets: the plain side. Sums and status are the ledger's.

use super::query::Query;
use super::{currency, language, limit};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tillbox_core::currency::Currency;
use tillbox_core::id::{CustomerId, MerchantId, WalletId};
use tillbox_core::reason::Language;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletStatus;

/// A wallet as the plain table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletRow {
    /// Its id.
    pub id: WalletId,
    /// Its merchant.
    pub merchant_id: MerchantId,
    /// Its owner.
    pub customer_id: CustomerId,
    /// Its currency.
    pub currency: Currency,
    /// The language of its descriptions, and of what its owner is told.
    pub language: Language,
    /// Its name, for people.
    pub name: Option<String>,
    /// The merchant's own data, a JSON object.
    pub metadata: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its name or data last changed.
    pub updated_at: Timestamp,
}

/// Which wallets a list shows; what is none filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WalletFilter {
    /// Of that customer.
    pub customer_id: Option<CustomerId>,
    /// Of that status.
    pub status: Option<WalletStatus>,
    /// Of that currency.
    pub currency: Option<Currency>,
}

const COLUMNS: &str = "w.id, w.merchant_id, w.customer_id, w.currency, w.name, w.metadata, w.created_at, w.updated_at, w.language";

fn from_row(row: &Row<'_>) -> Result<WalletRow, StoreError> {
    Ok(WalletRow {
        id: WalletId::from_number(row.get(0)?),
        merchant_id: MerchantId::from_number(row.get(1)?),
        customer_id: CustomerId::from_number(row.get(2)?),
        currency: currency(&row.get::<_, String>(3)?)?,
        language: language(&row.get::<_, String>(8)?),
        name: row.get(4)?,
        metadata: row.get(5)?,
        created_at: Timestamp::from_micros(row.get(6)?),
        updated_at: Timestamp::from_micros(row.get(7)?),
    })
}

/// A wallet of that merchant.
pub fn get(
    connection: &Connection,
    merchant: MerchantId,
    id: WalletId,
) -> Result<Option<WalletRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM wallets w WHERE w.id = ?1 AND w.merchant_id = ?2"
    ))?;
    let mut rows = statement.query_and_then([id.number(), merchant.number()], from_row)?;
    rows.next().transpose()
}

/// Wallets, newest first, with ids below `before`.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    filter: &WalletFilter,
    before: Option<WalletId>,
    rows: usize,
) -> Result<Vec<WalletRow>, StoreError> {
    list_query(merchant, filter, before, rows).read(connection, from_row)
}

pub(super) fn list_query(
    merchant: MerchantId,
    filter: &WalletFilter,
    before: Option<WalletId>,
    rows: usize,
) -> Query {
    let select = format!(
        "SELECT {COLUMNS} FROM wallets w CROSS JOIN wallet_states s ON s.wallet_id = w.id WHERE"
    );
    let mut query = Query::new(&select, "w.merchant_id = {}", merchant.number());
    query.and("w.id < {}", before.map_or(i64::MAX, WalletId::number));
    if let Some(customer) = filter.customer_id {
        query.and("w.customer_id = {}", customer.number());
    }
    if let Some(status) = filter.status {
        query.and("s.status = {}", i64::from(status.code()));
    }
    if let Some(currency) = filter.currency {
        query.and("w.currency = {}", currency.code().to_owned());
    }
    query.first("w.id DESC", rows)
}

/// Another name, other data; what is none stays. False when there is no such wallet.
pub fn update(
    connection: &Connection,
    merchant: MerchantId,
    id: WalletId,
    name: Option<Option<&str>>,
    metadata: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE wallets SET name = CASE WHEN ?3 THEN ?4 ELSE name END, metadata = coalesce(?5, metadata), updated_at = ?6 \
               WHERE id = ?1 AND merchant_id = ?2";
    let values = params![
        id.number(),
        merchant.number(),
        name.is_some(),
        name.flatten(),
        metadata,
        now.micros()
    ];
    Ok(connection.execute(sql, values)? == 1)
}

/// By which ways a wallet's alerts are told, as JSON; none where that was never set.
pub fn alert_ways(
    connection: &Connection,
    merchant: MerchantId,
    id: WalletId,
) -> Result<Option<String>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT alert_ways FROM wallets WHERE id = ?1 AND merchant_id = ?2")?;
    let ways = statement.query_row([id.number(), merchant.number()], |row| row.get(0));
    Ok(ways.optional()?.flatten())
}

/// Sets them.
pub fn set_alert_ways(
    connection: &Connection,
    merchant: MerchantId,
    id: WalletId,
    ways: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE wallets SET alert_ways = ?3 WHERE id = ?1 AND merchant_id = ?2";
    connection.execute(sql, params![id.number(), merchant.number(), ways])?;
    Ok(())
}

/// Wallets on which something falls due until `until`, and when; soonest first.
pub fn due_wallets(
    connection: &Connection,
    merchant: MerchantId,
    until: Timestamp,
    rows: usize,
) -> Result<Vec<(WalletId, Timestamp)>, StoreError> {
    let sql = "SELECT wallet_id, next_due_at FROM wallet_states WHERE merchant_id = ?1 AND next_due_at <= ?2 ORDER BY next_due_at, wallet_id LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([merchant.number(), until.micros(), limit(rows)], |row| {
        Ok((
            WalletId::from_number(row.get(0)?),
            Timestamp::from_micros(row.get(1)?),
        ))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
