//! Warnings before value expires: 30, 7 and 1 day before, each told once (L5).
//!
//! A lot that will expire has a row with the instant of its next warning, written with the lot; so spending costs
//! nothing here. [`take_due`] moves rows on in the commit that tells of them. Whether value is at stake is looked at
//! then, and only then: a lot that is spent or held says nothing, and keeps its later warnings, as value may return.
//! A warning that nobody was there to tell gives way to the next one that is due too.

use super::limit;
use super::rows::{LOT_COLUMNS, corrupt, lot_from_row};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use tillbox_core::id::{LotId, MerchantId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;

/// How many days before the end, in the order in which they come.
const DAYS: [i64; 3] = [30, 7, 1];

/// A lot that expires soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiring {
    /// Whose it is.
    pub wallet_id: WalletId,
    /// The lot, with value that no hold reserves.
    pub lot: Lot,
    /// Of how many days before the end this warns.
    pub days: i64,
}

/// The first warning behind an instant.
fn first_behind(end: Timestamp, instant: Timestamp) -> Option<Timestamp> {
    let mut warnings = DAYS.into_iter().map(|days| end.plus_days(-days));
    warnings.find(|at| *at > instant)
}

/// Expects the warnings of a new lot.
pub(super) fn expect(
    connection: &Connection,
    owner: Option<MerchantId>,
    wallet: WalletId,
    lot: &Lot,
) -> rusqlite::Result<()> {
    let next = lot
        .expires_at
        .and_then(|end| first_behind(end, lot.created_at));
    match owner.zip(next) {
        Some((owner, at)) => insert(connection, owner, at, lot.id, wallet),
        None => Ok(()),
    }
}

/// Expects the warnings of a lot that got another expiry, by the time of its wallet's last row.
pub(super) fn change(
    connection: &Connection,
    state: &WalletState,
    lot: LotId,
    before: Option<Timestamp>,
    end: Option<Timestamp>,
) -> rusqlite::Result<()> {
    let expected = before
        .into_iter()
        .flat_map(|end| DAYS.map(|days| end.plus_days(-days)));
    for at in expected {
        delete(connection, state.merchant_id, at, lot)?;
    }
    match end.and_then(|end| first_behind(end, state.last_at)) {
        Some(at) => insert(connection, state.merchant_id, at, lot, state.id),
        None => Ok(()),
    }
}

/// When the next warning of a merchant's lots is due.
pub fn next_at(
    connection: &Connection,
    merchant: MerchantId,
) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT at FROM lot_warnings WHERE merchant_id = ?1 ORDER BY at LIMIT 1")?;
    let at = statement.query_row([merchant.number()], |row| row.get(0));
    Ok(at.optional()?.map(Timestamp::from_micros))
}

/// Whose lots the first `rows` warnings are of that are due at `now`: their tables must be up to date for
/// [`take_due`].
pub fn due_wallets(
    connection: &Connection,
    merchant: MerchantId,
    now: Timestamp,
    rows: usize,
) -> Result<Vec<WalletId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT wallet_id FROM (SELECT wallet_id FROM lot_warnings WHERE merchant_id = ?1 AND at <= ?2 ORDER BY at, lot_id LIMIT ?3)",
    )?;
    let wallets = statement.query_map([merchant.number(), now.micros(), limit(rows)], |row| {
        row.get(0).map(WalletId::from_number)
    })?;
    Ok(wallets.collect::<rusqlite::Result<_>>()?)
}

/// Moves on up to `rows` warnings that are due at `now`, and gives the lots that they warn of. Fewer than `rows` moved
/// says that no more are due.
pub fn take_due(
    connection: &Connection,
    merchant: MerchantId,
    now: Timestamp,
    rows: usize,
) -> Result<(usize, Vec<Expiring>), StoreError> {
    let due: Vec<(i64, i64, i64)> = connection
        .prepare_cached(
            "SELECT at, lot_id, wallet_id FROM lot_warnings WHERE merchant_id = ?1 AND at <= ?2 ORDER BY at, lot_id LIMIT ?3",
        )?
        .query_map([merchant.number(), now.micros(), limit(rows)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut lots =
        connection.prepare_cached(&format!("SELECT {LOT_COLUMNS} FROM lots WHERE id = ?1"))?;
    let mut expiring = Vec::new();
    for (at, id, wallet) in &due {
        let (id, wallet_id) = (LotId::from_number(*id), WalletId::from_number(*wallet));
        delete(connection, merchant, Timestamp::from_micros(*at), id)?;
        let lot = lots.query_and_then([id.number()], lot_from_row)?.next();
        let lot =
            lot.ok_or_else(|| corrupt(format!("a warning is of {id}, which is not there")))??;
        let Some(end) = lot.expires_at.filter(|end| *end > now) else {
            continue;
        };
        if let Some(next) = first_behind(end, now) {
            insert(connection, merchant, next, id, wallet_id)?;
        }
        let mut passed = DAYS.into_iter().rev();
        let days = passed.find(|days| end.plus_days(-days) <= now);
        if let Some(days) = days.filter(|_| lot.unheld().is_positive()) {
            expiring.push(Expiring {
                wallet_id,
                lot,
                days,
            });
        }
    }
    Ok((due.len(), expiring))
}

fn insert(
    connection: &Connection,
    merchant: MerchantId,
    at: Timestamp,
    lot: LotId,
    wallet: WalletId,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO lot_warnings (merchant_id, at, lot_id, wallet_id) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute([
            merchant.number(),
            at.micros(),
            lot.number(),
            wallet.number(),
        ])?;
    Ok(())
}

fn delete(
    connection: &Connection,
    merchant: MerchantId,
    at: Timestamp,
    lot: LotId,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM lot_warnings WHERE merchant_id = ?1 AND at = ?2 AND lot_id = ?3",
        )?
        .execute(params![merchant.number(), at.micros(), lot.number()])?;
    Ok(())
}
