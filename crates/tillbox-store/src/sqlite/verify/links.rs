//! What a row links to beside the log: refunds and payments of debt.

use super::report::{DEBT_PAYMENTS, REFUNDS};
use super::{Report, in_snapshot};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tillbox_core::entry::{Entry, EntryKind};

const EVERY_REFUND: &str = "SELECT r.entry_id, l.id IS NOT NULL FROM refunds r \
     LEFT JOIN log l ON l.id = r.entry_id AND l.kind IN (?3, ?4) \
     WHERE r.entry_id > ?1 ORDER BY r.entry_id LIMIT ?2";

/// What a row breaks, if anything: the rule, and what was found.
pub(super) type Broken = Option<(&'static str, String)>;

/// The refund that the row is, as it is stored to be added up.
pub(super) fn check_refund(connection: &Connection, entry: &Entry) -> Result<Broken, StoreError> {
    let Some(debit) = entry.event.refund_of else {
        return Ok(None);
    };
    let mut statement =
        connection.prepare_cached("SELECT debit_id, amount FROM refunds WHERE entry_id = ?1")?;
    let pair = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let known: Option<(i64, i64)> = statement.query_row([entry.id.number()], pair).optional()?;
    let is_right = known == Some((debit.number(), entry.event.amount.micros()));
    Ok((!is_right).then(|| (REFUNDS, format!("{} is stored as {known:?}", entry.id))))
}

/// The debt that the row pays; gives how many payments it makes too.
pub(super) fn check_debt_payments(
    connection: &Connection,
    entry: &Entry,
) -> Result<(i64, Broken), StoreError> {
    let (mut count, mut broken) = (0, None);
    let parts = entry.event.parts.iter();
    for (part, from) in parts.filter_map(|part| Some((part, part.pays_debt_from?))) {
        count += 1;
        let mut statement = connection.prepare_cached(
            "SELECT amount, lot_id, entry_id FROM debt_payments WHERE wallet_id = ?1 AND debt_from = ?2",
        )?;
        let triple = |row: &Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?]);
        let place = [entry.wallet_id.number(), from.micros()];
        let known: Option<[i64; 3]> = statement.query_row(place, triple).optional()?;
        let amount = part.amount.micros().checked_neg().unwrap_or(i64::MAX);
        if known != Some([amount, part.lot.id.number(), entry.id.number()]) {
            let detail = format!("the payment at {} is stored as {known:?}", from.micros());
            broken = Some((DEBT_PAYMENTS, detail));
        }
    }
    Ok((count, broken))
}

/// Goes through all refunds, a snapshot for each `rows`: each must have its row.
pub(super) fn check_every_refund(
    connection: &Connection,
    rows: usize,
    report: &mut Report,
) -> Result<(), StoreError> {
    let [refund, reversed] = [EntryKind::Refund, EntryKind::Reversed].map(EntryKind::code);
    let mut after = i64::MIN;
    loop {
        let last = in_snapshot(connection, |connection| {
            let mut statement = connection.prepare_cached(EVERY_REFUND)?;
            let mut found =
                statement.query(params![after, super::super::limit(rows), refund, reversed])?;
            let mut last = None;
            while let Some(row) = found.next()? {
                let id: i64 = row.get(0)?;
                if !row.get::<_, bool>(1)? {
                    report.found(REFUNDS, format!("a refund names row {id}, which is none"));
                }
                last = Some(id);
            }
            Ok(last)
        })?;
        match last {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}
