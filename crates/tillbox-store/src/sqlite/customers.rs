//! Customers.

use super::query::Query;
use super::unique;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tillbox_core::id::{CustomerId, MerchantId};
use tillbox_core::time::Timestamp;

/// A customer as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRow {
    /// Its merchant.
    pub merchant_id: MerchantId,
    /// Its id.
    pub id: CustomerId,
    /// Its name.
    pub name: String,
    /// Where it is written to.
    pub email: Option<String>,
    /// The merchant's own id of it, unique.
    pub external_id: Option<String>,
    /// The language that it reads.
    pub locale: String,
    /// The merchant's own data, a JSON object.
    pub metadata: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was deleted, and its personal data erased.
    pub deleted_at: Option<Timestamp>,
}

const COLUMNS: &str = "merchant_id, id, name, email, external_id, locale, metadata, created_at, updated_at, deleted_at";
const TAKEN: &str = "external_id is taken";

fn from_row(row: &Row<'_>) -> rusqlite::Result<CustomerRow> {
    Ok(CustomerRow {
        merchant_id: MerchantId::from_number(row.get(0)?),
        id: CustomerId::from_number(row.get(1)?),
        name: row.get(2)?,
        email: row.get(3)?,
        external_id: row.get(4)?,
        locale: row.get(5)?,
        metadata: row.get(6)?,
        created_at: Timestamp::from_micros(row.get(7)?),
        updated_at: Timestamp::from_micros(row.get(8)?),
        deleted_at: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_micros),
    })
}

/// Adds one; a conflict when its `external_id` is taken.
pub fn insert(connection: &Connection, row: &CustomerRow) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO customers ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL)"
    ))?;
    let inserted = statement.execute(params![
        row.merchant_id.number(),
        row.id.number(),
        row.name,
        row.email,
        row.external_id,
        row.locale,
        row.metadata,
        row.created_at.micros(),
        row.updated_at.micros()
    ]);
    inserted.map(drop).map_err(|error| unique(error, TAKEN))
}

/// A customer of that merchant, deleted ones too.
pub fn get(
    connection: &Connection,
    merchant: MerchantId,
    id: CustomerId,
) -> Result<Option<CustomerRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM customers WHERE merchant_id = ?1 AND id = ?2"
    ))?;
    Ok(statement
        .query_row([merchant.number(), id.number()], from_row)
        .optional()?)
}

/// Those that are not deleted, newest first, with ids below `before`.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    external_id: Option<&str>,
    before: Option<CustomerId>,
    rows: usize,
) -> Result<Vec<CustomerRow>, StoreError> {
    list_query(merchant, external_id, before, rows).read(connection, |row| Ok(from_row(row)?))
}

pub(super) fn list_query(
    merchant: MerchantId,
    external_id: Option<&str>,
    before: Option<CustomerId>,
    rows: usize,
) -> Query {
    let select = format!("SELECT {COLUMNS} FROM customers WHERE deleted_at IS NULL AND");
    let mut query = Query::new(&select, "merchant_id = {}", merchant.number());
    query.and("id < {}", before.map_or(i64::MAX, CustomerId::number));
    if let Some(external_id) = external_id {
        query.and("external_id = {}", external_id.to_owned());
    }
    query.first("id DESC", rows)
}

/// Replaces what may change, unless it was deleted: what is erased stays so.
pub fn update(connection: &Connection, row: &CustomerRow) -> Result<(), StoreError> {
    let sql = "UPDATE customers SET name = ?3, email = ?4, external_id = ?5, locale = ?6, metadata = ?7, updated_at = ?8 \
               WHERE merchant_id = ?1 AND id = ?2 AND deleted_at IS NULL";
    let updated = connection.execute(
        sql,
        params![
            row.merchant_id.number(),
            row.id.number(),
            row.name,
            row.email,
            row.external_id,
            row.locale,
            row.metadata,
            row.updated_at.micros()
        ],
    );
    updated.map(drop).map_err(|error| unique(error, TAKEN))
}

/// Erases personal data and marks it deleted; a conflict while it has a wallet that is not closed. False when there
/// is no such customer.
pub fn delete(
    connection: &Connection,
    merchant: MerchantId,
    id: CustomerId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM wallets WHERE merchant_id = ?1 AND customer_id = ?2 AND closed = 0)";
    if connection.query_row(sql, [merchant.number(), id.number()], |row| row.get(0))? {
        return Err(StoreError::Conflict("a wallet is not closed"));
    }
    let sql = "UPDATE customers SET name = '', email = NULL, external_id = NULL, metadata = '{}', updated_at = ?3, deleted_at = ?3 \
               WHERE merchant_id = ?1 AND id = ?2 AND deleted_at IS NULL";
    Ok(connection.execute(sql, [merchant.number(), id.number(), now.micros()])? == 1)
}
