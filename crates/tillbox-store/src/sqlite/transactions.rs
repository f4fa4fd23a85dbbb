//! Transactions: the log's rows that move money.

use super::rows::{ENTRY_COLUMNS, entry_from_row};
use super::{currency, limit};
use crate::error::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tillbox_core::currency::Currency;
use tillbox_core::entry::Entry;
use tillbox_core::id::{EntryId, MerchantId, WalletId};
use tillbox_core::reason::{Reason, TransactionType};
use tillbox_core::time::Timestamp;

/// Which transactions a list shows; what is none filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// Booked at or after.
    pub from: Option<Timestamp>,
    /// Booked before.
    pub to: Option<Timestamp>,
    /// Of that type.
    pub transaction_type: Option<TransactionType>,
    /// Of that reason.
    pub reason: Option<Reason>,
    /// With that reference.
    pub reference: Option<String>,
}

/// A transaction of any wallet of a merchant.
#[derive(Clone, Debug)]
pub struct MerchantTransaction {
    /// The transaction.
    pub entry: Entry,
    /// Its wallet's currency.
    pub currency: Currency,
}

impl TransactionFilter {
    /// Adds its conditions and their values.
    fn narrow(&self, sql: &mut String, values: &mut Vec<Value>) {
        let mut condition = |text: &str, value: Value| {
            values.push(value);
            sql.push_str(&text.replace("{}", &format!("?{}", values.len())));
        };
        if let Some(from) = self.from {
            condition(" AND log.at >= {}", from.micros().into());
        }
        if let Some(to) = self.to {
            condition(" AND log.at < {}", to.micros().into());
        }
        if let Some(reason) = self.reason {
            condition(" AND log.reason = {}", i64::from(reason.code()).into());
        }
        if let Some(reference) = &self.reference {
            condition(" AND log.reference = {}", reference.clone().into());
        }
        if let Some(kind) = self.transaction_type {
            let codes = Reason::ALL
                .iter()
                .filter(|reason| reason.transaction_type() == kind)
                .map(|reason| reason.code().to_string());
            sql.push_str(" AND log.reason IN (");
            sql.push_str(&codes.collect::<Vec<_>>().join(","));
            sql.push(')');
        }
    }
}

/// A transaction of a wallet of that merchant.
pub fn get(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    id: EntryId,
) -> Result<Option<Entry>, StoreError> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM log WHERE log.id = ?1 AND log.wallet_id = ?2 AND log.merchant_id = ?3 AND log.seq IS NOT NULL"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query_and_then(
        [id.number(), wallet.number(), merchant.number()],
        entry_from_row,
    )?;
    rows.next().transpose()
}

/// Transactions of a wallet, newest first, with versions below `before`: the order of `seq`, by the index that there is.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    filter: &TransactionFilter,
    before: Option<u64>,
    rows: usize,
) -> Result<Vec<Entry>, StoreError> {
    let mut sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM log WHERE log.wallet_id = ?1 AND log.merchant_id = ?2 AND log.seq IS NOT NULL"
    );
    let mut values: Vec<Value> = vec![wallet.number().into(), merchant.number().into()];
    if let Some(before) = before {
        values.push(i64::try_from(before).unwrap_or(i64::MAX).into());
        sql.push_str(" AND log.version < ?3");
    }
    filter.narrow(&mut sql, &mut values);
    values.push(limit(rows).into());
    sql.push_str(" ORDER BY log.version DESC LIMIT ?");
    sql.push_str(&values.len().to_string());
    let mut statement = connection.prepare_cached(&sql)?;
    statement
        .query_and_then(params_from_iter(values), entry_from_row)?
        .collect()
}

/// Transactions of all wallets of a merchant, newest first, with ids below `before`.
pub fn list_merchant(
    connection: &Connection,
    merchant: MerchantId,
    filter: &TransactionFilter,
    before: Option<EntryId>,
    rows: usize,
) -> Result<Vec<MerchantTransaction>, StoreError> {
    let mut sql = format!(
        "SELECT {ENTRY_COLUMNS}, w.currency FROM log JOIN wallets w ON w.id = log.wallet_id \
         WHERE log.merchant_id = ?1 AND log.id < ?2 AND log.seq IS NOT NULL"
    );
    let mut values: Vec<Value> = vec![
        merchant.number().into(),
        before.map_or(i64::MAX, EntryId::number).into(),
    ];
    filter.narrow(&mut sql, &mut values);
    values.push(limit(rows).into());
    sql.push_str(" ORDER BY log.id DESC LIMIT ?");
    sql.push_str(&values.len().to_string());
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_and_then(params_from_iter(values), |row| {
        Ok(MerchantTransaction {
            entry: entry_from_row(row)?,
            currency: currency(&row.get::<_, String>(17)?)?,
        })
    })?;
    found.collect()
}
