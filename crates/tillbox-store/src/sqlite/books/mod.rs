//! The merchant's books: the journal, and sums of it that trail the log.
//!
//! | part | what it does | cost |
//! |---|---|---|
//! | [`fold`] | reads the log behind `folded_to`, adds it to the sums, takes snapshots on the way | a pass over new rows |
//! | [`tally`] | what rows add up to, in memory | |
//! | [`sums`] | reads sums of a span of time | the quarters of the span, and the rows of those that it cuts |
//! | [`lines`] | reads the postings of rows, either way | what is read |
//!
//! The log is the truth. A report first has the log folded up to its head, then reads as of `folded_to`: sums and
//! rows up to there never change, so that what several reads give belongs together. `verify` makes the sums anew.

pub mod fold;
pub mod lines;
pub mod sums;
pub mod tally;

use super::rows::corrupt;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{EntryKind, Event, Note, decode_body};
use tillbox_core::id::{EntryId, MerchantId, WalletId};
use tillbox_core::journal::{Posting, postings};
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;

/// Microseconds in a quarter of an hour: the days of every time zone begin with one.
const SLOT_MICROS: i64 = 900_000_000;

/// The quarter in which an instant lies.
pub(super) fn slot_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(SLOT_MICROS)
}

/// The first instant of a quarter.
pub fn start_of(slot: i64) -> Timestamp {
    Timestamp::from_micros(slot.saturating_mul(SLOT_MICROS))
}

/// From an instant on, up to right before another; none: open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first instant of it.
    pub from: Option<Timestamp>,
    /// The first instant behind it.
    pub to: Option<Timestamp>,
}

/// A row of the log as the books see it: without free text and the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The row.
    pub id: EntryId,
    /// Whose merchant's.
    pub merchant_id: MerchantId,
    /// Whose.
    pub wallet_id: WalletId,
    /// In what money.
    pub currency: Currency,
    /// Its number among the wallet's rows.
    pub version: u64,
    /// When it was booked.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// The reason of the transaction that it reverses.
    pub reverses: Option<Reason>,
}

/// The columns that [`booked_from_row`] reads, of `log` joined with its wallet `w`.
const BOOKED_COLUMNS: &str = "log.id, log.merchant_id, log.wallet_id, w.currency, log.version, log.at, log.kind, log.reason, log.amount, log.body";

impl Booked {
    /// What it posts.
    pub fn postings(&self) -> Vec<Posting> {
        postings(&self.event, self.reverses)
    }
}

fn booked_from_row(row: &Row<'_>) -> Result<Booked, StoreError> {
    let id = EntryId::from_number(row.get(0)?);
    let kind = EntryKind::from_code(row.get(6)?)
        .ok_or_else(|| corrupt(format!("log row {id} is of an unknown kind")))?;
    let reason = match row.get::<_, u8>(7)? {
        0 => None,
        code => Some(known_reason(code, id)?),
    };
    let amount = tillbox_core::amount::Amount::from_micros(row.get(8)?);
    let body = row
        .get_ref(9)?
        .as_blob()
        .map_err(|_no_blob| corrupt(format!("log row {id} has no body")))?;
    let (_, event) = decode_body(body, kind, reason, amount, Note::default())
        .map_err(|why| corrupt(format!("log row {id}: {why}")))?;
    let currency = row
        .get_ref(3)?
        .as_str()
        .map_err(|_no_text| corrupt(format!("the wallet of log row {id} has no currency")))?;
    Ok(Booked {
        id,
        merchant_id: MerchantId::from_number(row.get(1)?),
        wallet_id: WalletId::from_number(row.get(2)?),
        currency: super::currency(currency)?,
        version: row.get(4)?,
        at: Timestamp::from_micros(row.get(5)?),
        event,
        reverses: None,
    })
}

fn known_reason(code: u8, row: EntryId) -> Result<Reason, StoreError> {
    Reason::from_code(code).ok_or_else(|| corrupt(format!("log row {row} has an unknown reason")))
}

fn with_reversed(connection: &Connection, mut booked: Booked) -> Result<Booked, StoreError> {
    booked.reverses = reversed(connection, booked.wallet_id, &booked.event)?;
    Ok(booked)
}

/// Looks up the reason of what a reversal reverses; few rows are one.
pub(super) fn reversed(
    connection: &Connection,
    wallet: WalletId,
    event: &Event,
) -> Result<Option<Reason>, StoreError> {
    let Some(reversed) = event.refund_of else {
        return Ok(None);
    };
    if event.reason != Some(Reason::Reversal) {
        return Ok(None);
    }
    let sql = "SELECT reason FROM log WHERE id = ?1 AND wallet_id = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let place = [reversed.number(), wallet.number()];
    let code: Option<u8> = statement.query_row(place, |row| row.get(0)).optional()?;
    let code = code.filter(|code| *code > 0);
    code.map(|code| known_reason(code, reversed)).transpose()
}

/// The row up to which the log is in the sums.
pub fn folded_to(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT folded_to FROM book_fold")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The last row of the log.
pub fn head(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(id), 0) FROM log")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}
