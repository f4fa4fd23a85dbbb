//! Prices: each change is a new version, and one of each key and currency is current (R31).

use super::rows::corrupt;
use super::{currency, limit, unique};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::id::{MerchantId, PriceId};
use tillbox_core::rating::Rounding;
use tillbox_core::time::Timestamp;

/// A price as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    /// Its merchant.
    pub merchant_id: MerchantId,
    /// Its id.
    pub id: PriceId,
    /// Its key.
    pub key: String,
    /// Its currency.
    pub currency: Currency,
    /// What is counted.
    pub unit: String,
    /// The cost of `per` units.
    pub unit_amount: Amount,
    /// For how many units that is.
    pub per: i64,
    /// Billed quantities are multiples of this.
    pub billing_increment: i64,
    /// No use is billed as less.
    pub minimum_units: i64,
    /// The one rounding.
    pub rounding: Rounding,
    /// What its units are counted as.
    pub meter: String,
    /// For people.
    pub description: Option<String>,
    /// Where the provider's rules win, for people.
    pub billing_note: Option<String>,
    /// Its number among the versions of its key and currency, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

const COLUMNS: &str = "merchant_id, id, key, currency, unit, unit_amount, per, billing_increment, minimum_units, rounding, meter, \
     description, billing_note, version, created_at";

fn from_row(row: &Row<'_>) -> Result<PriceRow, StoreError> {
    let rounding: String = row.get(9)?;
    let rounding = Rounding::ALL
        .into_iter()
        .find(|known| known.name() == rounding);
    Ok(PriceRow {
        merchant_id: MerchantId::from_number(row.get(0)?),
        id: PriceId::from_number(row.get(1)?),
        key: row.get(2)?,
        currency: currency(&row.get::<_, String>(3)?)?,
        unit: row.get(4)?,
        unit_amount: Amount::from_micros(row.get(5)?),
        per: row.get(6)?,
        billing_increment: row.get(7)?,
        minimum_units: row.get(8)?,
        rounding: rounding.ok_or_else(|| corrupt("a price has an unknown rounding"))?,
        meter: row.get(10)?,
        description: row.get(11)?,
        billing_note: row.get(12)?,
        version: row.get(13)?,
        created_at: Timestamp::from_micros(row.get(14)?),
    })
}

/// Adds the next version of its key and currency and makes it the current one; gives it with its version.
pub fn insert(connection: &Connection, row: PriceRow) -> Result<PriceRow, StoreError> {
    // The last version is the current one: the index of those finds it, however many there were.
    let sql = "UPDATE prices SET current = 0 WHERE merchant_id = ?1 AND key = ?2 AND currency = ?3 AND current = 1 RETURNING version";
    let last: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row(
            params![row.merchant_id.number(), row.key, row.currency.code()],
            |found| found.get(0),
        )
        .optional()?;
    let row = PriceRow {
        version: last.unwrap_or(0) + 1,
        ..row
    };
    let values = params![
        row.merchant_id.number(),
        row.id.number(),
        row.key,
        row.currency.code(),
        row.unit,
        row.unit_amount.micros(),
        row.per,
        row.billing_increment,
        row.minimum_units,
        row.rounding.name(),
        row.meter,
        row.description,
        row.billing_note,
        row.version,
        row.created_at.micros()
    ];
    let sql = format!(
        "INSERT INTO prices ({COLUMNS}, current) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 1)"
    );
    connection
        .execute(&sql, values)
        .map_err(|error| unique(error, "a current price"))?;
    Ok(row)
}

/// A price of any version.
pub fn get(
    connection: &Connection,
    merchant: MerchantId,
    id: PriceId,
) -> Result<Option<PriceRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM prices WHERE merchant_id = ?1 AND id = ?2"
    ))?;
    let mut rows = statement.query_and_then([merchant.number(), id.number()], from_row)?;
    rows.next().transpose()
}

/// The current price of a key in a currency.
pub fn current(
    connection: &Connection,
    merchant: MerchantId,
    key: &str,
    currency: Currency,
) -> Result<Option<PriceRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM prices WHERE merchant_id = ?1 AND key = ?2 AND currency = ?3 AND current = 1"
    ))?;
    let mut rows =
        statement.query_and_then(params![merchant.number(), key, currency.code()], from_row)?;
    rows.next().transpose()
}

/// Whether there is a price of that key, in whatever currency.
pub fn key_exists(
    connection: &Connection,
    merchant: MerchantId,
    key: &str,
) -> Result<bool, StoreError> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM prices WHERE merchant_id = ?1 AND key = ?2 AND current = 1)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![merchant.number(), key], |row| row.get(0))?)
}

/// Current prices, newest first, with ids below `before`.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    before: Option<PriceId>,
    rows: usize,
) -> Result<Vec<PriceRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM prices WHERE merchant_id = ?1 AND current = 1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let before = before.map_or(i64::MAX, PriceId::number);
    statement
        .query_and_then([merchant.number(), before, limit(rows)], from_row)?
        .collect()
}

/// Current prices of a currency, by key.
pub fn in_currency(
    connection: &Connection,
    merchant: MerchantId,
    currency: Currency,
    rows: usize,
) -> Result<Vec<PriceRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM prices WHERE merchant_id = ?1 AND currency = ?2 AND current = 1 ORDER BY key LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = params![merchant.number(), currency.code(), limit(rows)];
    statement.query_and_then(values, from_row)?.collect()
}

/// Current prices of all merchants: what the server keeps in memory.
pub fn all_current(connection: &Connection) -> Result<Vec<PriceRow>, StoreError> {
    let mut statement =
        connection.prepare(&format!("SELECT {COLUMNS} FROM prices WHERE current = 1"))?;
    statement.query_and_then([], from_row)?.collect()
}
