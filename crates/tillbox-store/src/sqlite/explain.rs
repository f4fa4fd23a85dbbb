//! What stands behind a transaction and behind debt (L13): where lots came from, which debits made debt, who paid it.

use super::rows::{ENTRY_COLUMNS, LOT_COLUMNS, corrupt, entry_from_row, lot_from_row};
use super::{limit, transactions};
use crate::error::StoreError;
use rusqlite::Connection;
use std::collections::BTreeMap;
use tillbox_core::amount::Amount;
use tillbox_core::debt::DebtSpan;
use tillbox_core::entry::{Entry, Part};
use tillbox_core::id::{EntryId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;

/// Rows that one look for debt reads.
const ROWS: usize = 20_000;

/// Debt that one debit made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebtShare {
    /// The debit.
    pub debit: EntryId,
    /// Why it was made.
    pub reason: Option<Reason>,
    /// When.
    pub at: Timestamp,
    /// How much of the debt asked about is its.
    pub amount: Amount,
}

/// A lot, and what made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotOrigin {
    /// The lot.
    pub lot: Lot,
    /// Why it was made.
    pub reason: Option<Reason>,
    /// The top-up that paid for it.
    pub top_up: Option<TopUpId>,
}

/// Debt of a debit that a lot paid later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatePayment {
    /// The lot.
    pub lot: LotId,
    /// How much.
    pub amount: Amount,
    /// The row that paid it.
    pub by: EntryId,
    /// When.
    pub at: Timestamp,
}

/// What was given back of a debit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenBack {
    /// The refund.
    pub refund: EntryId,
    /// How much.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
}

/// A transaction with what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The transaction.
    pub entry: Entry,
    /// The lots that it names, and those that paid its debt later.
    pub lots: BTreeMap<LotId, LotOrigin>,
    /// Who paid the debt that it made, oldest debt first.
    pub late: Vec<LatePayment>,
    /// What was given back of it, oldest first.
    pub refunds: Vec<GivenBack>,
    /// Whose debt it paid, newest first.
    pub paid: Vec<DebtShare>,
}

/// A transaction of a wallet of that merchant with what stands behind it, in one snapshot.
pub fn transaction(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    id: EntryId,
) -> Result<Option<Behind>, StoreError> {
    let tx = connection.unchecked_transaction()?;
    let Some(entry) = transactions::get(&tx, merchant, wallet, id)? else {
        return Ok(None);
    };
    let event = &entry.event;
    let late = match event.debt_made {
        Some(span) => late_payments(&tx, wallet, span)?,
        None => Vec::new(),
    };
    let mut spans: Vec<DebtSpan> = event.parts.iter().filter_map(Part::debt_paid).collect();
    spans.sort_by_key(|span| span.from);
    let paid = debtors(&tx, wallet, &spans, entry.version)?;
    let named = event.parts.iter().map(|part| part.lot.id);
    let named = named.chain(late.iter().map(|payment| payment.lot));
    let mut lots = BTreeMap::new();
    for lot in named {
        if let std::collections::btree_map::Entry::Vacant(place) = lots.entry(lot) {
            place.insert(origin(&tx, lot)?);
        }
    }
    let refunds = refunds(&tx, id)?;
    tx.commit()?;
    Ok(Some(Behind {
        entry,
        lots,
        late,
        refunds,
        paid,
    }))
}

/// The debits that made the debt in `spans`, which rise and do not overlap; newest first, of rows below `before`. Debt
/// is paid oldest first, so what is unpaid lies near the end of the log; where it lies far behind, less is told.
pub fn debtors(
    connection: &Connection,
    wallet: WalletId,
    spans: &[DebtSpan],
    before: u64,
) -> Result<Vec<DebtShare>, StoreError> {
    let Some(oldest) = spans.first() else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY_COLUMNS} FROM log_of_wallets log WHERE wallet_id = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3"
    ))?;
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let rows = statement.query_and_then([wallet.number(), before, limit(ROWS)], entry_from_row)?;
    let mut shares = Vec::new();
    for entry in rows {
        let entry = entry?;
        let Some(made) = entry.event.debt_made else {
            continue;
        };
        let overlaps = spans.iter().filter_map(|span| span.overlap(&made));
        let amount: Amount = overlaps.map(|span| span.amount).sum();
        if amount.is_positive() {
            shares.push(DebtShare {
                debit: entry.id,
                reason: entry.event.reason,
                at: entry.at,
                amount,
            });
        }
        if made.from <= oldest.from {
            break;
        }
    }
    Ok(shares)
}

fn late_payments(
    connection: &Connection,
    wallet: WalletId,
    made: DebtSpan,
) -> Result<Vec<LatePayment>, StoreError> {
    let sql = "SELECT p.debt_from, p.amount, p.lot_id, p.entry_id, log.at FROM debt_payments p JOIN log ON log.id = p.entry_id \
               WHERE p.wallet_id = ?1 AND p.debt_from < ?3 \
               AND p.debt_from >= coalesce((SELECT max(debt_from) FROM debt_payments WHERE wallet_id = ?1 AND debt_from <= ?2), ?2) \
               ORDER BY p.debt_from";
    let mut statement = connection.prepare_cached(sql)?;
    let values = [wallet.number(), made.from.micros(), made.end().micros()];
    let mut rows = statement.query(values)?;
    let mut late = Vec::new();
    while let Some(row) = rows.next()? {
        let paid = DebtSpan {
            from: Amount::from_micros(row.get(0)?),
            amount: Amount::from_micros(row.get(1)?),
        };
        if let Some(share) = paid.overlap(&made) {
            late.push(LatePayment {
                lot: LotId::from_number(row.get(2)?),
                amount: share.amount,
                by: EntryId::from_number(row.get(3)?),
                at: Timestamp::from_micros(row.get(4)?),
            });
        }
    }
    Ok(late)
}

fn origin(connection: &Connection, id: LotId) -> Result<LotOrigin, StoreError> {
    let missing = || corrupt(format!("{id} is named in the log but is not there"));
    let mut statement =
        connection.prepare_cached(&format!("SELECT {LOT_COLUMNS} FROM lots WHERE id = ?1"))?;
    let mut rows = statement.query([id.number()])?;
    let lot = lot_from_row(rows.next()?.ok_or_else(missing)?)?;
    let mut statement =
        connection.prepare_cached(&format!("SELECT {ENTRY_COLUMNS} FROM log WHERE id = ?1"))?;
    let mut rows = statement.query([lot.source.number()])?;
    let source = entry_from_row(rows.next()?.ok_or_else(missing)?)?;
    Ok(LotOrigin {
        lot,
        reason: source.event.reason,
        top_up: source.event.top_up_id,
    })
}

fn refunds(connection: &Connection, debit: EntryId) -> Result<Vec<GivenBack>, StoreError> {
    let sql = "SELECT r.entry_id, r.amount, log.at FROM refunds r JOIN log ON log.id = r.entry_id WHERE r.debit_id = ?1 ORDER BY r.entry_id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([debit.number()], |row| {
        Ok(GivenBack {
            refund: EntryId::from_number(row.get(0)?),
            amount: Amount::from_micros(row.get(1)?),
            at: Timestamp::from_micros(row.get(2)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
