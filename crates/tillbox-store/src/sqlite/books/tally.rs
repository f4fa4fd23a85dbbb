//! What rows of the log add up to.

use super::sums::{lot_from_row, posting_from_row, transaction_from_row};
use super::{Booked, slot_of};
use crate::error::StoreError;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;
use std::fmt::Debug;
use tillbox_core::amount::Total;
use tillbox_core::currency::Currency;
use tillbox_core::entry::{EntryKind, Event};
use tillbox_core::id::MerchantId;
use tillbox_core::journal::{Account, postings};
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;

/// Microseconds in a day.
const DAY_MICROS: i64 = 86_400_000_000;
/// What the low part of a stored sum counts to.
const LOW: i128 = 1_000_000;

/// Postings between two accounts for a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PostingKey {
    /// In what money.
    pub currency: Currency,
    /// Why; none where a row that is no transaction paid debt.
    pub reason: Option<Reason>,
    /// Debited.
    pub debit: Account,
    /// Credited.
    pub credit: Account,
}

/// Transactions of a kind and reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionKey {
    /// In what money.
    pub currency: Currency,
    /// By which rule.
    pub kind: EntryKind,
    /// Why.
    pub reason: Reason,
    /// The price that was used; empty where none was.
    pub price_key: Box<str>,
}

/// How many transactions there were, and of how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub transactions: i64,
    /// Units used.
    pub quantity: i128,
    /// Units billed.
    pub billed: i128,
    /// The sum of their signed amounts.
    pub amount: Total,
}

/// Lots of a funding type that were made on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LotKey {
    /// In what money.
    pub currency: Currency,
    /// Of what origin.
    pub funding: FundingType,
    /// The day, in UTC, since 1970.
    pub made_on: i64,
}

/// A merchant and a quarter of an hour.
pub(super) type Place = (MerchantId, i64);

/// What of a row is added up.
pub(in super::super) struct Summand<'a> {
    pub(in super::super) id: i64,
    pub(in super::super) merchant_id: MerchantId,
    pub(in super::super) currency: Currency,
    pub(in super::super) at: Timestamp,
    pub(in super::super) event: &'a Event,
    /// The reason of the transaction that it reverses.
    pub(in super::super) reverses: Option<Reason>,
}

impl<'a> From<&'a Booked> for Summand<'a> {
    fn from(row: &'a Booked) -> Self {
        Self {
            id: row.id.number(),
            merchant_id: row.merchant_id,
            currency: row.currency,
            at: row.at,
            event: &row.event,
            reverses: row.reverses,
        }
    }
}

/// What rows add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Tally {
    pub(super) postings: BTreeMap<(Place, PostingKey), Total>,
    pub(super) transactions: BTreeMap<(Place, TransactionKey), Counted>,
    pub(super) lots: BTreeMap<(MerchantId, LotKey), Total>,
    /// The first and the last row of each.
    pub(super) slots: BTreeMap<Place, (i64, i64)>,
}

/// The day, in UTC, since 1970.
pub fn day_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(DAY_MICROS)
}

impl Counted {
    pub(super) fn add(&mut self, other: Self) {
        self.transactions += other.transactions;
        self.quantity += other.quantity;
        self.billed += other.billed;
        self.amount += other.amount;
    }
}

impl Tally {
    /// Adds a row.
    pub(in super::super) fn add<'a>(&mut self, row: impl Into<Summand<'a>>) {
        let row = row.into();
        let (place, currency) = ((row.merchant_id, slot_of(row.at)), row.currency);
        let event = row.event;
        for posting in postings(event, row.reverses) {
            let key = PostingKey {
                currency,
                reason: event.reason,
                debit: posting.debit,
                credit: posting.credit,
            };
            *self.postings.entry((place, key)).or_default() += posting.amount.into();
        }
        add_lots(&mut self.lots, &row);
        if let Some(reason) = event.reason {
            let usage = event.usage.as_ref();
            let key = TransactionKey {
                currency,
                kind: event.kind,
                reason,
                price_key: usage
                    .map(|usage| usage.price_key.clone())
                    .unwrap_or_default(),
            };
            self.transactions
                .entry((place, key))
                .or_default()
                .add(Counted {
                    transactions: 1,
                    quantity: usage.map_or(0, |usage| usage.quantity.into()),
                    billed: usage.map_or(0, |usage| usage.billed_quantity.into()),
                    amount: event.amount.into(),
                });
        }
        let id = row.id;
        let (first, last) = self.slots.entry(place).or_insert((id, id));
        (*first, *last) = ((*first).min(id), (*last).max(id));
    }

    /// What is stored.
    pub(in super::super) fn stored(connection: &Connection) -> Result<Self, StoreError> {
        let mut stored = Self::default();
        let mut statement = connection.prepare(
            "SELECT currency, reason, debit, credit, high, low, merchant_id, slot FROM book_postings",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (key, total) = posting_from_row(row)?;
            stored.postings.insert((place(row, 6)?, key), total);
        }
        let mut statement = connection.prepare(
            "SELECT currency, kind, reason, price_key, transactions, quantity_high, quantity_low, billed_high, billed_low, high, low, \
             merchant_id, slot FROM book_transactions",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (key, counted) = transaction_from_row(row)?;
            stored.transactions.insert((place(row, 11)?, key), counted);
        }
        let mut statement = connection
            .prepare("SELECT currency, funding, made_on, high, low, merchant_id FROM book_lots")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (key, total) = lot_from_row(row)?;
            stored
                .lots
                .insert((MerchantId::from_number(row.get(5)?), key), total);
        }
        let mut statement =
            connection.prepare("SELECT merchant_id, slot, first_id, last_id FROM book_slots")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            stored
                .slots
                .insert(place(row, 0)?, (row.get(2)?, row.get(3)?));
        }
        Ok(stored)
    }

    /// The first that is another; none where all are the same.
    pub(in super::super) fn differs_from(&self, stored: &Self) -> Option<String> {
        first_other(&self.postings, &stored.postings)
            .or_else(|| first_other(&self.transactions, &stored.transactions))
            .or_else(|| first_other(&self.lots, &stored.lots))
            .or_else(|| first_other(&self.slots, &stored.slots))
    }

    /// Adds it to what is stored.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO book_postings (merchant_id, slot, currency, reason, debit, credit, high, low) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
             ON CONFLICT DO UPDATE SET high = high + excluded.high + (low + excluded.low) / 1000000, low = (low + excluded.low) % 1000000",
        )?;
        for (((merchant, slot), key), total) in &self.postings {
            let (high, low) = split(total.micros())?;
            statement.execute(params![
                merchant.number(),
                slot,
                key.currency.code(),
                key.reason.map_or(0, Reason::code),
                key.debit.code(),
                key.credit.code(),
                high,
                low
            ])?;
        }
        let mut statement = connection.prepare_cached(
            "INSERT INTO book_transactions (merchant_id, slot, currency, kind, reason, price_key, transactions, quantity_high, quantity_low, \
             billed_high, billed_low, high, low) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
             ON CONFLICT DO UPDATE SET transactions = transactions + excluded.transactions, quantity_high = quantity_high + excluded.quantity_high + (quantity_low + excluded.quantity_low) / 1000000, quantity_low = (quantity_low + excluded.quantity_low) % 1000000, billed_high = billed_high + excluded.billed_high + (billed_low + excluded.billed_low) / 1000000, billed_low = (billed_low + excluded.billed_low) % 1000000, high = high + excluded.high + (low + excluded.low) / 1000000, low = (low + excluded.low) % 1000000",
        )?;
        for (((merchant, slot), key), counted) in &self.transactions {
            let (quantity_high, quantity_low) = split(counted.quantity)?;
            let (billed_high, billed_low) = split(counted.billed)?;
            let (high, low) = split(counted.amount.micros())?;
            statement.execute(params![
                merchant.number(),
                slot,
                key.currency.code(),
                key.kind.code(),
                key.reason.code(),
                key.price_key,
                counted.transactions,
                quantity_high,
                quantity_low,
                billed_high,
                billed_low,
                high,
                low
            ])?;
        }
        let mut statement = connection.prepare_cached(
            "INSERT INTO book_lots (merchant_id, currency, funding, made_on, high, low) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO UPDATE SET high = high + excluded.high + (low + excluded.low) / 1000000, low = (low + excluded.low) % 1000000",
        )?;
        for ((merchant, key), total) in &self.lots {
            let (high, low) = split(total.micros())?;
            statement.execute(params![
                merchant.number(),
                key.currency.code(),
                key.funding.code(),
                key.made_on,
                high,
                low
            ])?;
        }
        let mut statement = connection.prepare_cached(
            "INSERT INTO book_slots (merchant_id, slot, first_id, last_id) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO UPDATE SET first_id = min(first_id, excluded.first_id), last_id = max(last_id, excluded.last_id)",
        )?;
        for ((merchant, slot), (first, last)) in &self.slots {
            statement.execute([merchant.number(), *slot, *first, *last])?;
        }
        Ok(())
    }
}

fn place(row: &Row<'_>, column: usize) -> rusqlite::Result<Place> {
    Ok((
        MerchantId::from_number(row.get(column)?),
        row.get(column + 1)?,
    ))
}

fn first_other<K: Ord + Debug, V: PartialEq + Debug>(
    expected: &BTreeMap<K, V>,
    stored: &BTreeMap<K, V>,
) -> Option<String> {
    let missing = expected
        .iter()
        .find(|(key, value)| stored.get(key) != Some(*value));
    let missing = missing.map(|(key, value)| (key, Some(value)));
    let other = missing.or_else(|| {
        let mut keys = stored.keys();
        keys.find(|key| !expected.contains_key(key))
            .map(|key| (key, None))
    });
    let (key, expected) = other?;
    let stored = stored.get(key);
    Some(format!(
        "{key:?} is {stored:?}, the log comes to {expected:?}"
    ))
}

/// Adds what a row moved on lots.
fn add_lots(lots: &mut BTreeMap<(MerchantId, LotKey), Total>, row: &Summand<'_>) {
    for part in row.event.parts.iter().filter(|part| !part.amount.is_zero()) {
        let key = LotKey {
            currency: row.currency,
            funding: part.funding,
            made_on: day_of(part.lot.created_at),
        };
        *lots.entry((row.merchant_id, key)).or_default() += part.amount.into();
    }
}

/// A sum as it is stored: in two parts, so that neither leaves the range of 64 bits where sums of amounts do.
fn split(sum: i128) -> Result<(i64, i64), StoreError> {
    let part = |part: i128| {
        i64::try_from(part).map_err(|_large| super::corrupt("a sum of the books is too large"))
    };
    Ok((part(sum.div_euclid(LOW))?, part(sum.rem_euclid(LOW))?))
}

/// Back from the two parts.
pub(super) fn joined(high: i64, low: i64) -> i128 {
    i128::from(high) * LOW + i128::from(low)
}
