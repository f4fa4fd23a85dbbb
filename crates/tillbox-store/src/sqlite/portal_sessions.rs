//! Links to the customers' pages, and the sessions that they open. Both are found by the hash of a secret, which is
//! what tells the merchant; neither is of any use once its customer was deleted.

use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tillbox_core::id::{CustomerId, MerchantId};
use tillbox_core::time::Timestamp;

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// BLAKE3 of its token.
    pub hash: [u8; 32],
    /// The merchant that made it.
    pub merchant_id: MerchantId,
    /// Whose pages it opens.
    pub customer_id: CustomerId,
    /// Where the customer came from.
    pub return_url: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

/// A session of a customer on the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// BLAKE3 of its token.
    pub hash: [u8; 32],
    /// The customer's merchant.
    pub merchant_id: MerchantId,
    /// Whose session it is.
    pub customer_id: CustomerId,
    /// Where the customer came from.
    pub return_url: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
    /// When it ends in any case.
    pub ends_at: Timestamp,
}

/// Rows of the past that one new row clears away.
const CLEARED: i64 = 100;

/// Adds a link, and clears some away that ended before `ended_before`, and sessions likewise.
pub fn add_link(
    connection: &Connection,
    row: &LinkRow,
    ended_before: Timestamp,
) -> Result<(), StoreError> {
    for table in ["portal_links", "portal_sessions"] {
        let sql = format!(
            "DELETE FROM {table} WHERE hash IN (SELECT hash FROM {table} WHERE expires_at < ?1 LIMIT ?2)"
        );
        connection.execute(&sql, [ended_before.micros(), CLEARED])?;
    }
    connection.execute(
        "INSERT INTO portal_links (hash, merchant_id, customer_id, return_url, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            row.hash,
            row.merchant_id.number(),
            row.customer_id.number(),
            row.return_url,
            row.created_at.micros(),
            row.expires_at.micros()
        ],
    )?;
    Ok(())
}

/// The link of that hash, of whatever merchant, used or expired ones too.
pub fn link(connection: &Connection, hash: [u8; 32]) -> Result<Option<LinkRow>, StoreError> {
    let sql = "SELECT hash, merchant_id, customer_id, return_url, created_at, expires_at, used_at FROM portal_links WHERE hash = ?1";
    let from_row = |row: &Row<'_>| {
        Ok(LinkRow {
            hash: row.get(0)?,
            merchant_id: MerchantId::from_number(row.get(1)?),
            customer_id: CustomerId::from_number(row.get(2)?),
            return_url: row.get(3)?,
            created_at: Timestamp::from_micros(row.get(4)?),
            expires_at: Timestamp::from_micros(row.get(5)?),
            used_at: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_micros),
        })
    };
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([hash], from_row).optional()?)
}

/// Uses a link up, if it is good at that instant: false if it was used or has expired.
pub fn use_link(
    connection: &Connection,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE portal_links SET used_at = ?2 WHERE hash = ?1 AND used_at IS NULL AND expires_at > ?2";
    Ok(connection.execute(sql, params![hash, now.micros()])? == 1)
}

/// Begins a session.
pub fn begin(connection: &Connection, row: &SessionRow) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO portal_sessions (hash, merchant_id, customer_id, return_url, created_at, expires_at, ends_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            row.hash,
            row.merchant_id.number(),
            row.customer_id.number(),
            row.return_url,
            row.created_at.micros(),
            row.expires_at.micros(),
            row.ends_at.micros()
        ],
    )?;
    Ok(())
}

/// The session of that hash, if it has not ended and its customer was not deleted.
pub fn find(
    connection: &Connection,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<SessionRow>, StoreError> {
    let sql = "SELECT s.hash, s.merchant_id, s.customer_id, s.return_url, s.created_at, s.expires_at, s.ends_at \
               FROM portal_sessions s JOIN customers c ON c.merchant_id = s.merchant_id AND c.id = s.customer_id \
               WHERE s.hash = ?1 AND s.expires_at > ?2 AND s.ends_at > ?2 AND c.deleted_at IS NULL";
    let from_row = |row: &Row<'_>| {
        Ok(SessionRow {
            hash: row.get(0)?,
            merchant_id: MerchantId::from_number(row.get(1)?),
            customer_id: CustomerId::from_number(row.get(2)?),
            return_url: row.get(3)?,
            created_at: Timestamp::from_micros(row.get(4)?),
            expires_at: Timestamp::from_micros(row.get(5)?),
            ends_at: Timestamp::from_micros(row.get(6)?),
        })
    };
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_row(params![hash, now.micros()], from_row)
        .optional()?)
}

/// Lets a session live on, never shorter than before and never past its end. One that was ended stays ended.
pub fn prolong(
    connection: &Connection,
    hash: [u8; 32],
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE portal_sessions SET expires_at = min(ends_at, max(expires_at, ?2)) WHERE hash = ?1";
    connection.execute(sql, params![hash, expires_at.micros()])?;
    Ok(())
}

/// Ends a session.
pub fn end(connection: &Connection, hash: [u8; 32]) -> Result<(), StoreError> {
    connection.execute("DELETE FROM portal_sessions WHERE hash = ?1", [hash])?;
    Ok(())
}

/// Ends all sessions of a customer, and its links.
pub fn end_all(
    connection: &Connection,
    merchant: MerchantId,
    customer: CustomerId,
) -> Result<(), StoreError> {
    for table in ["portal_links", "portal_sessions"] {
        connection.execute(
            &format!("DELETE FROM {table} WHERE merchant_id = ?1 AND customer_id = ?2"),
            [merchant.number(), customer.number()],
        )?;
    }
    Ok(())
}
