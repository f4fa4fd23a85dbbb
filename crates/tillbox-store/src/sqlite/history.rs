//! What became of a wallet over time. What it costs to ask does not grow with the number of debits.

use super::rows::corrupt;
use super::transactions::first_version_at;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension};
use tillbox_core::amount::Amount;
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::time::Timestamp;

/// The balance as it was right before each of these instants; zero before the wallet's first row.
pub fn balances_before(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    instants: &[Timestamp],
) -> Result<Vec<Amount>, StoreError> {
    instants
        .iter()
        .map(|instant| {
            let version = first_version_at(connection, wallet, *instant)?;
            balance_before(connection, merchant, wallet, version)
        })
        .collect()
}

/// What a wallet spent since an instant, less what of any spending was given back since.
///
/// The balance then, with all that moved it since but spending and refunds of spending, would be what is missing now
/// and the balance now. All of it is as of one read.
pub fn spent_since(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    from: Timestamp,
) -> Result<Amount, StoreError> {
    let first = first_version_at(connection, wallet, from)?;
    let before = balance_before(connection, merchant, wallet, first)?;
    let now = balance_before(connection, merchant, wallet, i64::MAX)?;
    let mut statement = connection.prepare_cached(BESIDE_SPENDING)?;
    let mut rows = statement.query([wallet.number(), merchant.number(), first])?;
    let mut spent = i128::from(before.micros()) - i128::from(now.micros());
    while let Some(row) = rows.next()? {
        spent += i128::from(row.get::<_, i64>(0)?);
    }
    let micros = i64::try_from(spent)
        .map_err(|_beyond| corrupt(format!("{wallet} spent more than can be")))?;
    Ok(Amount::from_micros(micros))
}

/// The condition is that of the index `log_beside_spending`, word for word, so that SQLite uses it.
pub(super) const BESIDE_SPENDING: &str = "SELECT amount FROM log INDEXED BY log_beside_spending \
    WHERE wallet_id = ?1 AND merchant_id = ?2 AND version >= ?3 AND seq IS NOT NULL AND kind <> 4 AND reason NOT BETWEEN 7 AND 12";

/// The balance after the last row below a version.
fn balance_before(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    version: i64,
) -> Result<Amount, StoreError> {
    let sql = "SELECT balance_after, merchant_id FROM log_of_wallets WHERE wallet_id = ?1 AND version < ?2 ORDER BY version DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let last = statement
        .query_row([wallet.number(), version], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let own = last.filter(|(_, owner)| *owner == merchant.number());
    Ok(own.map_or(Amount::ZERO, |(balance, _)| Amount::from_micros(balance)))
}
