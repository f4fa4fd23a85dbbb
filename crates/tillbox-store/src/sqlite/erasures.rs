//! Erasing a customer's personal data (W6, R50): names, addresses and free text go, amounts and hashes stay.
//!
//! What is little goes at once, in the commit that deletes the customer ([`begin`]). What may be much, rows of the log
//! before all, goes in steps ([`step`]) that are as long as the caller says; how far it has come is committed with each,
//! so that it goes on after a crash. In the log a row's texts and salt are replaced by the commitment that the chain
//! holds, so the chain stays what it was.

use super::outbox::{self, WALLET_CREATED, WALLET_UPDATED};
use super::rows::corrupt;
use super::{limit, log};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use tillbox_core::id::{CustomerId, MerchantId, WalletId};
use tillbox_core::time::Timestamp;

/// Whose data is being erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The merchant.
    pub merchant: MerchantId,
    /// The customer, deleted by now.
    pub customer: CustomerId,
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more.
    More,
    /// All of it was overwritten; the write-ahead log may hold some yet.
    Erased,
}

/// Erases about so many rows; gives the position of the last, or none where nothing is left.
type Erase = fn(&Connection, Place, usize, Blank<'_>) -> Result<Option<i64>, StoreError>;

/// What is erased one after the other: of each wallet the log, the outbox and the top-ups, then answers.
const STAGES: [Erase; 4] = [erase_log, erase_outbox, erase_top_ups, erase_answers];

/// Takes the free text out of an answer.
pub type Blank<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// Where a step is: all of what is about `subject` behind a position.
#[derive(Clone, Copy)]
struct Place {
    erasure: Erasure,
    /// None: about the customer itself.
    wallet: Option<WalletId>,
    position: i64,
}

/// Erases what is little, and notes that the rest is to be erased; in the commit that deletes the customer.
pub fn begin(
    connection: &Connection,
    merchant: MerchantId,
    customer: CustomerId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (merchant, customer) = (merchant.number(), customer.number());
    let of_wallets =
        "wallet_id IN (SELECT id FROM wallets WHERE merchant_id = ?1 AND customer_id = ?2)";
    for sql in [
        "UPDATE wallets SET name = NULL, metadata = '{}', alert_ways = NULL WHERE merchant_id = ?1 AND customer_id = ?2",
        &format!("DELETE FROM payment_links WHERE merchant_id = ?1 AND {of_wallets}"),
        // What the sandbox provider keeps: its cards are taken away too, as a provider of its own would be told.
        "UPDATE sandbox_objects SET body = json_set(body, '$.detached', json('true')) WHERE kind = 'method' AND id IN \
         (SELECT provider_id FROM payment_methods WHERE merchant_id = ?1 AND customer_id = ?2 AND provider = 'sandbox')",
        "UPDATE sandbox_objects SET body = json_replace(body, '$.return_url', '', '$.success_url', '', '$.cancel_url', '', \
         '$.purpose.checkout.description', '') \
         WHERE merchant_id = ?1 AND json_extract(body, '$.customer') = ?2 AND kind IN ('payment', 'session')",
        "INSERT INTO erasures (merchant_id, customer_id, stage, wallet_id, position) VALUES (?1, ?2, 0, 0, 0) ON CONFLICT DO NOTHING",
    ] {
        connection.execute(sql, [merchant, customer])?;
    }
    let sql = "UPDATE payment_methods SET brand = '', last4 = '', expires = '', is_default = 0, detached_at = coalesce(detached_at, ?3) \
               WHERE merchant_id = ?1 AND customer_id = ?2";
    connection.execute(sql, [merchant, customer, now.micros()])?;
    Ok(())
}

/// Erasures that have more to overwrite, of all merchants.
pub fn open(connection: &Connection, rows: usize) -> Result<Vec<Erasure>, StoreError> {
    list(connection, "erased_at IS NULL", rows)
}

/// Erasures of which only the write-ahead log may hold some yet.
pub fn overwritten(connection: &Connection, rows: usize) -> Result<Vec<Erasure>, StoreError> {
    list(connection, "erased_at IS NOT NULL", rows)
}

fn list(connection: &Connection, which: &str, rows: usize) -> Result<Vec<Erasure>, StoreError> {
    let sql = format!("SELECT merchant_id, customer_id FROM erasures WHERE {which} LIMIT ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([limit(rows)], |row| {
        Ok(Erasure {
            merchant: MerchantId::from_number(row.get(0)?),
            customer: CustomerId::from_number(row.get(1)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Nothing is left of it anywhere.
pub fn finish(connection: &Connection, erasure: Erasure) -> Result<(), StoreError> {
    let sql = "DELETE FROM erasures WHERE merchant_id = ?1 AND customer_id = ?2 AND erased_at IS NOT NULL";
    connection.execute(sql, [erasure.merchant.number(), erasure.customer.number()])?;
    Ok(())
}

/// Erases on, about `rows` rows. `blank` takes the free text out of an answer.
pub fn step(
    connection: &Connection,
    erasure: Erasure,
    now: Timestamp,
    rows: usize,
    blank: Blank<'_>,
) -> Result<Progress, StoreError> {
    let key = [erasure.merchant.number(), erasure.customer.number()];
    let sql = "SELECT stage, wallet_id, position FROM erasures WHERE merchant_id = ?1 AND customer_id = ?2 AND erased_at IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let Some((stage, wallet, position)) = found.optional()? else {
        return Ok(Progress::Erased);
    };
    let (stage, wallet): (usize, i64) = (stage, wallet);
    // The wallet itself, or the next one where that is done; behind the last, the customer.
    let sql = "SELECT id FROM wallets WHERE merchant_id = ?1 AND customer_id = ?2 AND id >= ?3 ORDER BY id LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let wallet: Option<i64> = statement
        .query_row([key[0], key[1], wallet], |row| row.get(0))
        .optional()?;
    let place = Place {
        erasure,
        wallet: wallet.map(WalletId::from_number),
        position,
    };
    let Some(erase) = STAGES.get(stage) else {
        return Err(corrupt("an erasure is at an unknown stage"));
    };
    let (stage, wallet, position) = match (erase(connection, place, rows, blank)?, wallet) {
        (Some(position), wallet) => (stage, wallet.unwrap_or(i64::MAX), position),
        (None, wallet) if stage + 1 < STAGES.len() => (stage + 1, wallet.unwrap_or(i64::MAX), 0),
        (None, Some(wallet)) => (0, wallet + 1, 0),
        (None, None) => {
            let sql =
                "UPDATE erasures SET erased_at = ?3 WHERE merchant_id = ?1 AND customer_id = ?2";
            connection.execute(sql, [key[0], key[1], now.micros()])?;
            return Ok(Progress::Erased);
        }
    };
    let sql = "UPDATE erasures SET stage = ?3, wallet_id = ?4, position = ?5 WHERE merchant_id = ?1 AND customer_id = ?2";
    let stage = i64::try_from(stage).unwrap_or(i64::MAX);
    connection.execute(sql, params![key[0], key[1], stage, wallet, position])?;
    Ok(Progress::More)
}

/// Texts and salts of rows; the position is their version.
fn erase_log(
    connection: &Connection,
    place: Place,
    rows: usize,
    _blank: Blank<'_>,
) -> Result<Option<i64>, StoreError> {
    let Some(wallet) = place.wallet else {
        return Ok(None);
    };
    let position = u64::try_from(place.position).unwrap_or(0);
    let entries = log::read(connection, wallet, position, rows)?;
    let mut update = connection.prepare_cached(
        "UPDATE log SET description = NULL, reference = NULL, metadata = NULL, salt = ?2 WHERE id = ?1",
    )?;
    for entry in &entries {
        if entry.salt.is_some() {
            update.execute(params![entry.id.number(), entry.note_commitment])?;
        }
    }
    let last = entries.last().map(|entry| entry.version);
    Ok(last.map(|version| i64::try_from(version).unwrap_or(i64::MAX)))
}

/// What the outbox tells of a wallet's name and metadata.
fn erase_outbox(
    connection: &Connection,
    place: Place,
    rows: usize,
    _blank: Blank<'_>,
) -> Result<Option<i64>, StoreError> {
    let Some(wallet) = place.wallet else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT id FROM outbox WHERE wallet_id = ?1 AND id > ?2 AND type IN ('{WALLET_CREATED}', '{WALLET_UPDATED}') ORDER BY id LIMIT ?3"
    );
    let ids = ids(connection, &sql, wallet.number(), place.position, rows)?;
    let mut update = connection.prepare_cached("UPDATE outbox SET data = ?2 WHERE id = ?1")?;
    for id in &ids {
        update.execute(params![id, outbox::names(None, "{}")])?;
    }
    Ok(ids.last().copied())
}

/// Addresses of pages, which may carry a session.
fn erase_top_ups(
    connection: &Connection,
    place: Place,
    rows: usize,
    _blank: Blank<'_>,
) -> Result<Option<i64>, StoreError> {
    let Some(wallet) = place.wallet else {
        return Ok(None);
    };
    let sql = "SELECT id FROM top_ups WHERE wallet_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let ids = ids(connection, sql, wallet.number(), place.position, rows)?;
    let mut update = connection
        .prepare_cached("UPDATE top_ups SET page_url = NULL, next_action = NULL WHERE id = ?1")?;
    for id in &ids {
        update.execute([id])?;
    }
    Ok(ids.last().copied())
}

fn ids(
    connection: &Connection,
    sql: &str,
    of: i64,
    behind: i64,
    rows: usize,
) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([of, behind, limit(rows)], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Answers about something, as its index has them.
pub(super) const ANSWERS_OF: &str = "SELECT rowid, body FROM answers INDEXED BY answers_by_subject WHERE \
               CASE WHEN json_valid(CAST(body AS TEXT)) THEN \
               coalesce(json_extract(CAST(body AS TEXT), '$.customer_id'), json_extract(CAST(body AS TEXT), '$.wallet_id'), \
               json_extract(CAST(body AS TEXT), '$.id')) END = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3";

/// Answers that are stored whole: of the wallet, or, behind the last wallet, of the customer.
fn erase_answers(
    connection: &Connection,
    place: Place,
    rows: usize,
    blank: Blank<'_>,
) -> Result<Option<i64>, StoreError> {
    let subject = match place.wallet {
        Some(wallet) => wallet.to_string(),
        None => place.erasure.customer.to_string(),
    };
    let mut statement = connection.prepare_cached(ANSWERS_OF)?;
    let values = params![subject, place.position, limit(rows)];
    let found = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let answers: Vec<(i64, Vec<u8>)> = found.collect::<rusqlite::Result<_>>()?;
    let mut update = connection.prepare_cached("UPDATE answers SET body = ?2 WHERE rowid = ?1")?;
    for (row, body) in &answers {
        update.execute(params![row, blank(body)])?;
    }
    Ok(answers.last().map(|(row, _)| *row))
}
