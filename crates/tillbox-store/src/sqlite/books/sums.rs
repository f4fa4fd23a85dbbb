//! Sums of a span of time, as of what is folded.
//!
//! Quarters that lie wholly in the span come from the stored sums. Of the two that its ends may cut, the rows are read:
//! ends that are days of the merchant's time zone cut none.

use super::lines::{self, Order, Stretch};
use super::tally::{Counted, LotKey, PostingKey, Tally, TransactionKey, joined};
use super::{Span, folded_to, slot_of, start_of};
use crate::error::StoreError;
use crate::sqlite::currency;
use crate::sqlite::rows::corrupt;
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;
use tillbox_core::amount::Total;
use tillbox_core::entry::EntryKind;
use tillbox_core::id::MerchantId;
use tillbox_core::journal::Account;
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;

/// Rows that one query reads of a quarter that is cut.
const ROWS: usize = 1_000;

/// What was booked in a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Between which accounts.
    pub postings: BTreeMap<PostingKey, Total>,
    /// By which transactions.
    pub transactions: BTreeMap<TransactionKey, Counted>,
}

/// The sums of each span, all as of the same instant of the fold.
pub fn of_spans(
    connection: &Connection,
    merchant: MerchantId,
    spans: &[Span],
) -> Result<Vec<Sums>, StoreError> {
    let tx = connection.unchecked_transaction()?;
    let through = folded_to(&tx)?;
    let sums = spans
        .iter()
        .map(|span| of_span(&tx, merchant, *span, through))
        .collect();
    tx.commit()?;
    sums
}

/// When a merchant's first row was booked, to the quarter, and its last; none where it has none.
pub fn booked_between(
    connection: &Connection,
    merchant: MerchantId,
) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT min(slot), max(slot) FROM book_slots WHERE merchant_id = ?1")?;
    let ends: (Option<i64>, Option<i64>) =
        statement.query_row([merchant.number()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(ends.0.zip(ends.1).map(|(first, last)| {
        let end = start_of(last.saturating_add(1));
        (start_of(first), Timestamp::from_micros(end.micros() - 1))
    }))
}

/// What remains of lots, by funding type and the day on which they were made; what was booked in a span; and the row
/// that both are as of.
pub fn of_lots(
    connection: &Connection,
    merchant: MerchantId,
    span: Span,
) -> Result<(BTreeMap<LotKey, Total>, Sums, i64), StoreError> {
    let tx = connection.unchecked_transaction()?;
    let through = folded_to(&tx)?;
    let sql = "SELECT currency, funding, made_on, high, low FROM book_lots WHERE merchant_id = ?1";
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_and_then([merchant.number()], lot_from_row)?;
    let lots = rows.collect::<Result<_, _>>()?;
    drop(statement);
    let sums = of_span(&tx, merchant, span, through)?;
    tx.commit()?;
    Ok((lots, sums, through))
}

/// Takes back what a row moved on lots.
pub fn take_back(lots: &mut BTreeMap<LotKey, Total>, row: &super::Booked) {
    let mut tally = Tally::default();
    tally.add(row);
    for ((_, key), moved) in tally.lots {
        let total = lots.entry(key).or_default();
        *total = *total - moved;
    }
}

fn of_span(
    connection: &Connection,
    merchant: MerchantId,
    span: Span,
    through: i64,
) -> Result<Sums, StoreError> {
    let (whole, cut) = split(span);
    let mut sums = Sums::default();
    if let Some((first, end)) = whole {
        let slots = [merchant.number(), first, end];
        let mut statement = connection.prepare_cached(
            "SELECT currency, reason, debit, credit, sum(high), sum(low) FROM book_postings \
             WHERE merchant_id = ?1 AND slot >= ?2 AND slot < ?3 GROUP BY currency, reason, debit, credit",
        )?;
        let rows = statement.query_and_then(slots, posting_from_row)?;
        sums.postings = rows.collect::<Result<_, _>>()?;
        let mut statement = connection.prepare_cached(
            "SELECT currency, kind, reason, price_key, sum(transactions), sum(quantity_high), sum(quantity_low), sum(billed_high), sum(billed_low), \
             sum(high), sum(low) FROM book_transactions WHERE merchant_id = ?1 AND slot >= ?2 AND slot < ?3 \
             GROUP BY currency, kind, reason, price_key",
        )?;
        let rows = statement.query_and_then(slots, transaction_from_row)?;
        sums.transactions = rows.collect::<Result<_, _>>()?;
    }
    for span in cut {
        add_rows(connection, merchant, span, through, &mut sums)?;
    }
    Ok(sums)
}

/// The quarters that lie wholly in a span, and what is left of it at its ends.
fn split(span: Span) -> (Option<(i64, i64)>, Vec<Span>) {
    let is_start = |at: Timestamp| start_of(slot_of(at)) == at;
    let first = span
        .from
        .map_or(i64::MIN, |from| slot_of(from) + i64::from(!is_start(from)));
    let end = span.to.map_or(i64::MAX, slot_of);
    if first > end {
        return (None, vec![span]);
    }
    let before = span.from.filter(|from| !is_start(*from)).map(|from| Span {
        from: Some(from),
        to: Some(start_of(first)),
    });
    let behind = span.to.filter(|to| !is_start(*to)).map(|to| Span {
        from: Some(start_of(end)),
        to: Some(to),
    });
    let cut = before.into_iter().chain(behind).collect();
    (Some((first, end)), cut)
}

fn add_rows(
    connection: &Connection,
    merchant: MerchantId,
    span: Span,
    through: i64,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let mut tally = Tally::default();
    let mut stretch = Stretch { behind: 0, through };
    loop {
        let rows = lines::rows(
            connection,
            merchant,
            span,
            stretch,
            Order::OldestFirst,
            ROWS,
        )?;
        for row in &rows {
            tally.add(row);
        }
        match rows.last() {
            Some(last) if rows.len() == ROWS => stretch.behind = last.id.number(),
            _ => break,
        }
    }
    for ((_, key), total) in tally.postings {
        *sums.postings.entry(key).or_default() += total;
    }
    for ((_, key), counted) in tally.transactions {
        sums.transactions.entry(key).or_default().add(counted);
    }
    Ok(())
}

fn account(code: u8) -> Result<Account, StoreError> {
    Account::from_code(code).ok_or_else(|| corrupt("the books name an unknown account"))
}

fn reason(code: u8) -> Result<Reason, StoreError> {
    Reason::from_code(code).ok_or_else(|| corrupt("the books name an unknown reason"))
}

fn total(row: &Row<'_>, high: usize) -> Result<Total, StoreError> {
    Ok(Total::from_micros(wide(row, high)?))
}

fn wide(row: &Row<'_>, high: usize) -> Result<i128, StoreError> {
    Ok(joined(row.get(high)?, row.get(high + 1)?))
}

pub(super) fn posting_from_row(row: &Row<'_>) -> Result<(PostingKey, Total), StoreError> {
    let code: u8 = row.get(1)?;
    let key = PostingKey {
        currency: currency(&row.get::<_, String>(0)?)?,
        reason: (code > 0).then(|| reason(code)).transpose()?,
        debit: account(row.get(2)?)?,
        credit: account(row.get(3)?)?,
    };
    Ok((key, total(row, 4)?))
}

pub(super) fn transaction_from_row(row: &Row<'_>) -> Result<(TransactionKey, Counted), StoreError> {
    let kind = EntryKind::from_code(row.get(1)?);
    let key = TransactionKey {
        currency: currency(&row.get::<_, String>(0)?)?,
        kind: kind.ok_or_else(|| corrupt("the books name an unknown kind of row"))?,
        reason: reason(row.get(2)?)?,
        price_key: row.get::<_, String>(3)?.into_boxed_str(),
    };
    let counted = Counted {
        transactions: row.get(4)?,
        quantity: wide(row, 5)?,
        billed: wide(row, 7)?,
        amount: total(row, 9)?,
    };
    Ok((key, counted))
}

pub(super) fn lot_from_row(row: &Row<'_>) -> Result<(LotKey, Total), StoreError> {
    let funding = FundingType::from_code(row.get(1)?);
    let key = LotKey {
        currency: currency(&row.get::<_, String>(0)?)?,
        funding: funding.ok_or_else(|| corrupt("the books name an unknown funding type"))?,
        made_on: row.get(2)?,
    };
    Ok((key, total(row, 3)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_whole_quarters_and_what_it_cuts() {
        let quarter = super::super::SLOT_MICROS;
        let at = |micros| Some(Timestamp::from_micros(micros));
        let span = |from, to| Span { from, to };
        let cases = [
            (span(None, None), Some((i64::MIN, i64::MAX)), vec![]),
            (span(at(0), at(4 * quarter)), Some((0, 4)), vec![]),
            (
                span(at(5), at(2 * quarter)),
                Some((1, 2)),
                vec![span(at(5), at(quarter))],
            ),
            (
                span(at(5), at(2 * quarter + 9)),
                Some((1, 2)),
                vec![
                    span(at(5), at(quarter)),
                    span(at(2 * quarter), at(2 * quarter + 9)),
                ],
            ),
            (span(at(5), at(9)), None, vec![span(at(5), at(9))]),
            (
                span(at(5), at(quarter)),
                Some((1, 1)),
                vec![span(at(5), at(quarter))],
            ),
        ];
        for (given, whole, cut) in cases {
            assert_eq!(split(given), (whole, cut), "{given:?}");
        }
    }
}
