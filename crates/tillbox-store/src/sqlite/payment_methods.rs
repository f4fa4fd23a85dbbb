//! Payment methods: what customers have saved, as the provider names it. No card number is ever here.

use super::query::Query;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tillbox_core::id::{CustomerId, MerchantId, PaymentMethodId};
use tillbox_core::time::Timestamp;

/// A payment method as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentMethodRow {
    /// Its merchant.
    pub merchant_id: MerchantId,
    /// Its id.
    pub id: PaymentMethodId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The provider that knows it.
    pub provider: String,
    /// The provider's id of it: what charges name.
    pub provider_id: String,
    /// Such as `visa`.
    pub brand: String,
    /// The last four digits, for people.
    pub last4: String,
    /// The last month in which it is good, as `2030-12`.
    pub expires: String,
    /// Whether it is charged where nothing else is said.
    pub is_default: bool,
    /// When it was declined for good: it is never charged by itself since then (R22).
    pub hard_declined_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was taken away.
    pub detached_at: Option<Timestamp>,
}

const COLUMNS: &str = "merchant_id, id, customer_id, provider, provider_id, brand, last4, expires, is_default, hard_declined_at, created_at, detached_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<PaymentMethodRow> {
    Ok(PaymentMethodRow {
        merchant_id: MerchantId::from_number(row.get(0)?),
        id: PaymentMethodId::from_number(row.get(1)?),
        customer_id: CustomerId::from_number(row.get(2)?),
        provider: row.get(3)?,
        provider_id: row.get(4)?,
        brand: row.get(5)?,
        last4: row.get(6)?,
        expires: row.get(7)?,
        is_default: row.get(8)?,
        hard_declined_at: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_micros),
        created_at: Timestamp::from_micros(row.get(10)?),
        detached_at: row.get::<_, Option<i64>>(11)?.map(Timestamp::from_micros),
    })
}

/// A method of any customer of that merchant, detached ones too.
pub fn find(
    connection: &Connection,
    merchant: MerchantId,
    id: PaymentMethodId,
) -> Result<Option<PaymentMethodRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM payment_methods WHERE merchant_id = ?1 AND id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_row([merchant.number(), id.number()], from_row)
        .optional()?)
}

/// What a customer is charged by where nothing else is said.
pub fn default_of(
    connection: &Connection,
    merchant: MerchantId,
    customer: CustomerId,
) -> Result<Option<PaymentMethodRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM payment_methods WHERE merchant_id = ?1 AND customer_id = ?2 AND is_default = 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_row([merchant.number(), customer.number()], from_row)
        .optional()?)
}

/// Methods of a customer that were not taken away, newest first, with ids below `before`.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    customer: CustomerId,
    before: Option<PaymentMethodId>,
    rows: usize,
) -> Result<Vec<PaymentMethodRow>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM payment_methods WHERE detached_at IS NULL AND");
    let mut query = Query::new(&select, "merchant_id = {}", merchant.number());
    query.and("customer_id = {}", customer.number());
    query.and("id < {}", before.map_or(i64::MAX, PaymentMethodId::number));
    query
        .first("id DESC", rows)
        .read(connection, |row| Ok(from_row(row)?))
}

/// Adds one; the first of a customer is the default. A method that the provider names again is the one that is there.
pub fn insert(
    connection: &Connection,
    row: &PaymentMethodRow,
) -> Result<PaymentMethodRow, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM payment_methods WHERE merchant_id = ?1 AND provider = ?2 AND provider_id = ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = params![row.merchant_id.number(), row.provider, row.provider_id];
    if let Some(known) = statement.query_row(values, from_row).optional()? {
        return Ok(known);
    }
    let first = default_of(connection, row.merchant_id, row.customer_id)?.is_none();
    let row = PaymentMethodRow {
        is_default: first,
        ..row.clone()
    };
    let sql = format!(
        "INSERT INTO payment_methods ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, ?10, NULL)"
    );
    connection.prepare_cached(&sql)?.execute(params![
        row.merchant_id.number(),
        row.id.number(),
        row.customer_id.number(),
        row.provider,
        row.provider_id,
        row.brand,
        row.last4,
        row.expires,
        row.is_default,
        row.created_at.micros()
    ])?;
    Ok(row)
}

/// Makes a method the default of its customer.
pub fn make_default(
    connection: &Connection,
    merchant: MerchantId,
    customer: CustomerId,
    id: PaymentMethodId,
) -> Result<(), StoreError> {
    // One after the other: an index allows one default, also between the rows of one statement.
    let was = "UPDATE payment_methods SET is_default = 0 WHERE merchant_id = ?1 AND customer_id = ?2 AND is_default = 1";
    connection.execute(was, [merchant.number(), customer.number()])?;
    let is = "UPDATE payment_methods SET is_default = 1 WHERE merchant_id = ?1 AND customer_id = ?2 AND id = ?3 AND detached_at IS NULL";
    connection.execute(is, [merchant.number(), customer.number(), id.number()])?;
    Ok(())
}

/// Takes a method away; the newest of the rest becomes the default where it was that. False where it was away already.
pub fn detach(
    connection: &Connection,
    row: &PaymentMethodRow,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (merchant, customer) = (row.merchant_id, row.customer_id);
    let sql = "UPDATE payment_methods SET detached_at = ?3, is_default = 0 WHERE merchant_id = ?1 AND id = ?2 AND detached_at IS NULL";
    if connection.execute(sql, [merchant.number(), row.id.number(), now.micros()])? == 0 {
        return Ok(false);
    }
    if default_of(connection, merchant, customer)?.is_none()
        && let Some(next) = list(connection, merchant, customer, None, 1)?.first()
    {
        make_default(connection, merchant, customer, next.id)?;
    }
    Ok(true)
}

/// Remembers that a method was declined for good.
pub fn mark_hard_declined(
    connection: &Connection,
    merchant: MerchantId,
    id: PaymentMethodId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE payment_methods SET hard_declined_at = coalesce(hard_declined_at, ?3) WHERE merchant_id = ?1 AND id = ?2";
    connection.execute(sql, [merchant.number(), id.number(), now.micros()])?;
    Ok(())
}
