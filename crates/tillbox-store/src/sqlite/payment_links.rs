//! Links by which anybody can pay in an amount of their choice, as often as they like, until the link ends.

use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::time::Timestamp;

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentLinkRow {
    /// What stands in its address.
    pub token: String,
    /// Whose wallet it is.
    pub merchant_id: MerchantId,
    /// The wallet that it pays into.
    pub wallet_id: WalletId,
    /// What each payment by it is called, for people.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it takes nothing.
    pub expires_at: Timestamp,
}

/// Adds a link.
pub fn add(connection: &Connection, row: &PaymentLinkRow) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO payment_links (token, merchant_id, wallet_id, description, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            row.token,
            row.merchant_id.number(),
            row.wallet_id.number(),
            row.description,
            row.created_at.micros(),
            row.expires_at.micros()
        ],
    )?;
    Ok(())
}

/// The link of that token, of whatever merchant, an ended one too.
pub fn find(connection: &Connection, token: &str) -> Result<Option<PaymentLinkRow>, StoreError> {
    let sql = "SELECT token, merchant_id, wallet_id, description, created_at, expires_at FROM payment_links WHERE token = ?1";
    let from_row = |row: &Row<'_>| {
        Ok(PaymentLinkRow {
            token: row.get(0)?,
            merchant_id: MerchantId::from_number(row.get(1)?),
            wallet_id: WalletId::from_number(row.get(2)?),
            description: row.get(3)?,
            created_at: Timestamp::from_micros(row.get(4)?),
            expires_at: Timestamp::from_micros(row.get(5)?),
        })
    };
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([token], from_row).optional()?)
}
