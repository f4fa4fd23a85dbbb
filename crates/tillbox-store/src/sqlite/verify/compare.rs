//! What is stored of a wallet, held against what its log comes to.

use super::super::rows::{
    HOLD_COLUMNS, LOT_COLUMNS, corrupt, hold_from_row, lot_from_row, pack_spans,
};
use super::super::{currency, top_ups};
use super::{Report, Violation};
use crate::error::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;
use std::fmt::Debug;
use tillbox_core::amount::Amount;
use tillbox_core::entry::encode_standing;
use tillbox_core::hold::Hold;
use tillbox_core::id::{CustomerId, EntryId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::reason::Language;
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::TopUp;
use tillbox_core::wallet::{NewWallet, WalletState, WalletStatus};

pub(super) const STATE: &str = "the stored state is what the log comes to";
const LOTS: &str = "stored lots are what the log comes to";
const HOLDS: &str = "stored holds are what the log comes to";
const TOP_UPS: &str = "stored top-ups are what the log comes to";

/// The wallet as it is stored; none where a part of it is missing, or parts differ.
pub(super) fn load_wallet(
    connection: &Connection,
    id: WalletId,
) -> Result<Option<NewWallet>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT w.merchant_id, w.customer_id, w.currency, w.language, w.initial_status, w.initial_overdraft_limit \
         FROM wallets w JOIN wallet_states s ON s.wallet_id = w.id \
         WHERE w.id = ?1 AND s.merchant_id = w.merchant_id AND w.closed = (s.status = 3)",
    )?;
    let mut rows = statement.query([id.number()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let status = WalletStatus::from_code(row.get(4)?);
    Ok(Some(NewWallet {
        id,
        merchant_id: MerchantId::from_number(row.get(0)?),
        customer_id: CustomerId::from_number(row.get(1)?),
        currency: currency(&row.get::<_, String>(2)?)?,
        language: match row.get::<_, String>(3)?.as_str() {
            "es" => Language::Es,
            _ => Language::En,
        },
        status: status.ok_or_else(|| corrupt("an unknown status"))?,
        overdraft_limit: Amount::from_micros(row.get(5)?),
    }))
}

/// The columns of `wallet_states`.
pub(super) fn compare_state(
    connection: &Connection,
    state: &WalletState,
    report: &mut Report,
) -> Result<(), StoreError> {
    let count = |count: u64| Value::from(i64::try_from(count).unwrap_or(i64::MAX));
    let due = state.next_due_at().map(Timestamp::micros);
    let standing = encode_standing(state.recharge.as_deref(), &state.alerts);
    let expected: [(&str, Value); 14] = [
        ("status", i64::from(state.status.code()).into()),
        ("version", count(state.version)),
        ("seq", count(state.seq)),
        ("head", state.head.to_vec().into()),
        ("last_at", state.last_at.micros().into()),
        ("last_effective_at", state.last_effective_at.micros().into()),
        ("balance", state.balance.micros().into()),
        ("held", state.held.micros().into()),
        ("debt_paid_to", state.debt.paid_to().micros().into()),
        ("debt_owed_to", state.debt.owed_to().micros().into()),
        ("debt_gaps", pack_spans(state.debt.canceled()).into()),
        ("overdraft_limit", state.overdraft_limit.micros().into()),
        ("next_due_at", due.into()),
        ("standing", standing.into()),
    ];
    let columns = expected.each_ref().map(|(name, _)| *name).join(", ");
    let sql = format!("SELECT {columns} FROM wallet_states WHERE wallet_id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([state.id.number()])?;
    let Some(row) = rows.next()? else {
        return Ok(());
    };
    for (place, (name, expected)) in expected.into_iter().enumerate() {
        let stored: Value = row.get(place)?;
        if stored != expected {
            report.add(Violation {
                invariant: STATE,
                wallet: Some(state.id),
                version: None,
                detail: format!("{name} is {stored:?}, the log comes to {expected:?}"),
            });
        }
    }
    Ok(())
}

/// All lots that the wallet ever had.
pub(super) fn compare_lots(
    connection: &Connection,
    wallet: WalletId,
    lots: BTreeMap<LotId, Lot>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let lots = lots.into_iter().map(|(id, lot)| (id.number(), lot));
    let sql = format!("SELECT {LOT_COLUMNS} FROM lots WHERE wallet_id = ?1");
    let table = Table {
        sql: &sql,
        invariant: LOTS,
        wallet,
    };
    compare_all(connection, &table, lots.collect(), lot_from_row, report)
}

/// All holds that the wallet ever had.
pub(super) fn compare_holds(
    connection: &Connection,
    wallet: WalletId,
    holds: BTreeMap<HoldId, Hold>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let holds = holds.into_iter().map(|(id, hold)| (id.number(), hold));
    let sql = format!("SELECT {HOLD_COLUMNS} FROM holds WHERE wallet_id = ?1");
    let table = Table {
        sql: &sql,
        invariant: HOLDS,
        wallet,
    };
    compare_all(connection, &table, holds.collect(), hold_from_row, report)
}

/// All top-ups that the wallet ever had.
pub(super) fn compare_top_ups(
    connection: &Connection,
    wallet: WalletId,
    all: BTreeMap<TopUpId, (TopUp, Option<EntryId>)>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let all = all.into_iter().map(|(id, known)| (id.number(), known));
    let table = Table {
        sql: top_ups::AUDIT_SQL,
        invariant: TOP_UPS,
        wallet,
    };
    compare_all(connection, &table, all.collect(), top_ups::audited, report)
}

struct Table<'a> {
    sql: &'a str,
    invariant: &'static str,
    wallet: WalletId,
}

/// Compares rows of a table with what they must be, by their ids: none more, none less.
fn compare_all<T: PartialEq + Debug>(
    connection: &Connection,
    table: &Table<'_>,
    mut expected: BTreeMap<i64, T>,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut found = |detail: String| {
        report.add(Violation {
            invariant: table.invariant,
            wallet: Some(table.wallet),
            version: None,
            detail,
        });
    };
    let mut statement = connection.prepare_cached(table.sql)?;
    let mut rows = statement.query([table.wallet.number()])?;
    while let Some(row) = rows.next()? {
        let expected = expected.remove(&row.get(0)?);
        match read(row) {
            Ok(stored) if Some(&stored) == expected.as_ref() => {}
            Ok(stored) => found(format!("{stored:?} is stored for {expected:?}")),
            Err(StoreError::Corrupt { what }) => found(what),
            Err(other) => return Err(other),
        }
    }
    if let Some(missing) = expected.into_values().next() {
        found(format!("{missing:?} is not stored"));
    }
    Ok(())
}
