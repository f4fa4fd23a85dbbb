//! What is stored of wallets beside the log, for many of them at a time.

use super::super::outbox::WALLET_CREATED;
use super::super::rows::{
    HOLD_COLUMNS, LOT_COLUMNS, NEW_WALLET_COLUMNS, hold_from_row, lot_from_row, new_wallet_from_row,
};
use super::super::{disputes, paybacks, top_ups};
use crate::error::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;
use tillbox_core::hold::Hold;
use tillbox_core::id::{EntryId, TopUpId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::payback::{Dispute, Payback, Payout};
use tillbox_core::top_up::TopUp;
use tillbox_core::wallet::NewWallet;

/// The columns of `wallet_states` that the log comes to.
pub(super) const STATE_COLUMNS: [&str; 14] = [
    "status",
    "version",
    "seq",
    "head",
    "last_at",
    "last_effective_at",
    "balance",
    "held",
    "debt_paid_to",
    "debt_owed_to",
    "debt_gaps",
    "overdraft_limit",
    "next_due_at",
    "standing",
];

/// Rows of a table by their ids; what could not be read has no value.
pub(super) type Rows<T> = Vec<(i64, Result<T, String>)>;

/// What is stored of one wallet.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) wallet: Option<Result<StoredWallet, String>>,
    pub(super) state: Option<StoredState>,
    pub(super) lots: Rows<Lot>,
    pub(super) holds: Rows<Hold>,
    pub(super) top_ups: Rows<(TopUp, Option<EntryId>)>,
    pub(super) paybacks: Rows<Payback>,
    pub(super) payouts: Rows<(TopUpId, Payout)>,
    pub(super) disputes: Rows<(TopUpId, Dispute)>,
    pub(super) debt_payments: i64,
    /// How often its opening is told of, and where last.
    pub(super) told: (i64, i64),
}

/// Its row of `wallets`.
pub(super) struct StoredWallet {
    pub(super) wallet: NewWallet,
    pub(super) is_closed: bool,
}

/// Its row of `wallet_states`.
pub(super) struct StoredState {
    pub(super) merchant: Value,
    pub(super) columns: Vec<Value>,
}

impl StoredState {
    /// The version that it stands at; none where it is no number.
    pub(super) fn version(&self) -> Option<u64> {
        match self.columns.get(1) {
            Some(Value::Integer(version)) => u64::try_from(*version).ok(),
            _ => None,
        }
    }

    pub(super) fn status(&self) -> Option<&Value> {
        self.columns.first()
    }
}

/// A wallet as its row says; none where there is none, or it can't be read.
pub(super) fn load_wallet(
    connection: &Connection,
    id: WalletId,
) -> Result<Option<NewWallet>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {NEW_WALLET_COLUMNS}, closed FROM wallets WHERE id = ?1"
    ))?;
    let mut rows = statement.query([id.number()])?;
    let read = rows.next()?.map(wallet).transpose();
    Ok(readable(read)?.ok().flatten().map(|stored| stored.wallet))
}

/// All that is stored of wallets within `(after, to]`.
pub(super) fn load(
    connection: &Connection,
    after: i64,
    to: i64,
) -> Result<BTreeMap<i64, Stored>, StoreError> {
    let mut all = BTreeMap::new();
    let range = Range {
        connection,
        after,
        to,
    };
    range.each(
        &format!("SELECT {NEW_WALLET_COLUMNS}, closed FROM wallets WHERE id > ?1 AND id <= ?2"),
        0,
        &mut all,
        |stored, row| {
            stored.wallet = Some(readable(wallet(row))?);
            Ok(())
        },
    )?;
    let columns = STATE_COLUMNS.join(", ");
    range.each(
        &format!("SELECT wallet_id, merchant_id, {columns} FROM wallet_states WHERE wallet_id > ?1 AND wallet_id <= ?2"),
        0,
        &mut all,
        |stored, row| {
            let places = 2..STATE_COLUMNS.len() + 2;
            stored.state = Some(StoredState {
                merchant: row.get(1)?,
                columns: places
                    .map(|place| row.get(place))
                    .collect::<rusqlite::Result<_>>()?,
            });
            Ok(())
        },
    )?;
    range.each(
        &format!("SELECT {LOT_COLUMNS}, lots.wallet_id FROM lots WHERE lots.wallet_id > ?1 AND lots.wallet_id <= ?2"),
        12,
        &mut all,
        |stored, row| push(&mut stored.lots, row, lot_from_row(row)),
    )?;
    range.each(
        &format!("SELECT {HOLD_COLUMNS}, holds.wallet_id FROM holds WHERE holds.wallet_id > ?1 AND holds.wallet_id <= ?2"),
        10,
        &mut all,
        |stored, row| push(&mut stored.holds, row, hold_from_row(row)),
    )?;
    range.each(
        &format!(
            "SELECT {}, t.wallet_id FROM top_ups t WHERE t.wallet_id > ?1 AND t.wallet_id <= ?2",
            top_ups::AUDIT_COLUMNS
        ),
        12,
        &mut all,
        |stored, row| push(&mut stored.top_ups, row, top_ups::audited(row)),
    )?;
    range.each(paybacks::AUDIT_SQL, 2, &mut all, |stored, row| {
        push(&mut stored.paybacks, row, paybacks::audited(row))
    })?;
    range.each(paybacks::AUDIT_PAYOUTS_SQL, 6, &mut all, |stored, row| {
        push(&mut stored.payouts, row, paybacks::audited_payout(row))
    })?;
    range.each(disputes::AUDIT_SQL, 8, &mut all, |stored, row| {
        push(&mut stored.disputes, row, disputes::audited(row))
    })?;
    range.each(
        "SELECT wallet_id, count(*) FROM debt_payments WHERE wallet_id > ?1 AND wallet_id <= ?2 GROUP BY wallet_id",
        0,
        &mut all,
        |stored, row| {
            stored.debt_payments = row.get(1)?;
            Ok(())
        },
    )?;
    let told = format!(
        "SELECT wallet_id, count(*), max(id) FROM outbox WHERE wallet_id > ?1 AND wallet_id <= ?2 AND type = '{WALLET_CREATED}' \
         GROUP BY wallet_id"
    );
    range.each(&told, 0, &mut all, |stored, row| {
        stored.told = (row.get(1)?, row.get(2)?);
        Ok(())
    })?;
    Ok(all)
}

struct Range<'a> {
    connection: &'a Connection,
    after: i64,
    to: i64,
}

impl Range<'_> {
    /// Gives each row to the wallet in that column.
    fn each(
        &self,
        sql: &str,
        wallet: usize,
        all: &mut BTreeMap<i64, Stored>,
        mut take: impl FnMut(&mut Stored, &Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.after, self.to])?;
        while let Some(row) = rows.next()? {
            take(all.entry(row.get(wallet)?).or_default(), row)?;
        }
        Ok(())
    }
}

fn push<T>(
    rows: &mut Rows<T>,
    row: &Row<'_>,
    read: Result<T, StoreError>,
) -> Result<(), StoreError> {
    rows.push((row.get(0)?, readable(read)?));
    Ok(())
}

/// What can't be right is what an audit looks for; what can't be read ends it.
fn readable<T>(read: Result<T, StoreError>) -> Result<Result<T, String>, StoreError> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(StoreError::Corrupt { what }) => Ok(Err(what)),
        Err(other) => Err(other),
    }
}

fn wallet(row: &Row<'_>) -> Result<StoredWallet, StoreError> {
    Ok(StoredWallet {
        wallet: new_wallet_from_row(row)?,
        is_closed: row.get(7)?,
    })
}
