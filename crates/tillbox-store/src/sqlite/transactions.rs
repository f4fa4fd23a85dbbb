//! Transactions: the log's rows that move money.

use super::query::Query;
use super::rows::{ENTRY_COLUMNS, corrupt, entry_from_row};
use super::stretches::{self, BITS};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::ops::Range;
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

impl TransactionFilter {
    /// Adds its conditions.
    fn narrow(&self, query: &mut Query) {
        if let Some(from) = self.from {
            query.and("log.at >= {}", from.micros());
        }
        if let Some(to) = self.to {
            query.and("log.at < {}", to.micros());
        }
        if let Some(reason) = self.reason {
            query.and("log.reason = {}", i64::from(reason.code()));
        }
        if let Some(reference) = &self.reference {
            query.and("log.reference = {}", reference.clone());
        }
        if let Some(kind) = self.transaction_type {
            let codes = Reason::ALL
                .iter()
                .filter(|reason| reason.transaction_type() == kind)
                .map(|reason| reason.code().to_string());
            let codes = codes.collect::<Vec<_>>().join(",");
            query.and_plain(&format!("log.reason IN ({codes})"));
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

/// Transactions of a wallet, newest first, with versions below `before`: the order of `seq`, by the index that there
/// is. Instants are turned into versions first, so that a page of an old month is found as fast as the newest one.
pub(super) fn list(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    filter: &TransactionFilter,
    before: Option<u64>,
    rows: usize,
) -> Result<Vec<Entry>, StoreError> {
    let before = before.map_or(i64::MAX, |version| {
        i64::try_from(version).unwrap_or(i64::MAX)
    });
    let start = match filter.from {
        Some(from) => first_version_at(connection, wallet, from)?,
        None => 1,
    };
    let end = match filter.to {
        Some(to) => before.min(first_version_at(connection, wallet, to)?),
        None => before,
    };
    list_query(merchant, wallet, filter, start..end, rows).read(connection, entry_from_row)
}

pub(super) fn list_query(
    merchant: MerchantId,
    wallet: WalletId,
    filter: &TransactionFilter,
    versions: Range<i64>,
    rows: usize,
) -> Query {
    let select =
        format!("SELECT {ENTRY_COLUMNS} FROM log_of_wallets log WHERE log.seq IS NOT NULL AND");
    let mut query = Query::new(&select, "log.wallet_id = {}", wallet.number());
    query.and("log.merchant_id = {}", merchant.number());
    query.and("log.version >= {}", versions.start);
    query.and("log.version < {}", versions.end);
    filter.narrow(&mut query);
    query.first("log.version DESC", rows)
}

/// The version of the wallet's first row that was booked at or after `at`; one above its last if there is none. A
/// wallet's rows never go back in time, so that halving finds it: some twenty look-ups among a million rows.
pub(super) fn first_version_at(
    connection: &Connection,
    wallet: WalletId,
    at: Timestamp,
) -> Result<i64, StoreError> {
    let mut last = connection
        .prepare_cached("SELECT coalesce(max(version), 0) FROM wallet_log WHERE wallet_id = ?1")?;
    let mut statement = connection
        .prepare_cached("SELECT at FROM log_of_wallets WHERE wallet_id = ?1 AND version = ?2")?;
    let last: i64 = last.query_row([wallet.number()], |row| row.get(0))?;
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let booked: i64 = statement
            .query_row([wallet.number(), middle], |row| row.get(0))
            .optional()?
            .ok_or_else(|| corrupt(format!("{wallet} has no row of version {middle}")))?;
        if booked < at.micros() {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// Transactions of all wallets of a merchant, newest first, with ids below `before`, with their wallets' currencies and
/// languages: see `stretches.rs` for what a page costs.
pub(super) fn list_merchant_query(
    merchant: MerchantId,
    filter: &TransactionFilter,
    before: Option<EntryId>,
    rows: usize,
) -> Query {
    let before = before.unwrap_or(EntryId::from_number(i64::MAX));
    // CROSS JOIN keeps the order of the tables: stretches, their rows, each row's wallet.
    let select = format!(
        "SELECT {ENTRY_COLUMNS}, w.currency AS currency, w.language AS language FROM log_stretches s \
         CROSS JOIN log ON log.id BETWEEN s.stretch << {BITS} AND (s.stretch << {BITS}) + {LAST} \
         CROSS JOIN wallets w ON w.id = log.wallet_id \
         WHERE s.listed = 1 AND log.seq IS NOT NULL AND log.merchant_id = s.merchant_id AND",
        LAST = (1_i64 << BITS) - 1
    );
    let mut query = Query::new(&select, "s.merchant_id = {}", merchant.number());
    query.and("s.stretch <= {}", stretches::of(before));
    query.and("log.id < {}", before.number());
    filter.narrow(&mut query);
    query.first("s.stretch DESC, log.id DESC", rows)
}
