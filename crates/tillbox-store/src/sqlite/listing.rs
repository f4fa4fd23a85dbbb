//! The list of transactions, with top-ups that have not succeeded in their place (R2).
//!
//! A top-up stands where its first row stands in the log, and is gone from there once a transaction has taken its
//! place in the list. Both kinds are read in one snapshot and merged, so that none is missed or comes twice.

use super::top_ups::{self, TopUpRow};
use super::transactions::{self, TransactionFilter};
use super::{currency, language, rows};
use crate::error::StoreError;
use rusqlite::Connection;
use tillbox_core::currency::Currency;
use tillbox_core::entry::Entry;
use tillbox_core::id::{EntryId, MerchantId, WalletId};
use tillbox_core::reason::{Language, TransactionType};
use tillbox_core::top_up::TopUpStatus;

/// How a row of the list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedStatus {
    /// A transaction.
    Completed,
    /// A top-up that may still succeed.
    Pending,
    /// A top-up that failed or was given up.
    Failed,
}

impl ListedStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Completed, Self::Pending, Self::Failed];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }

    /// How a top-up is listed; one that succeeded is not, its transaction is.
    pub const fn of_top_up(status: TopUpStatus) -> Self {
        match status {
            TopUpStatus::Pending | TopUpStatus::RequiresAction | TopUpStatus::Processing => {
                Self::Pending
            }
            TopUpStatus::Failed | TopUpStatus::Canceled => Self::Failed,
            TopUpStatus::Succeeded => Self::Completed,
        }
    }
}

/// Which rows a list shows; what is none filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// What is asked of both kinds of rows.
    pub transactions: TransactionFilter,
    /// Of that status.
    pub status: Option<ListedStatus>,
}

impl ListFilter {
    fn wants_transactions(&self) -> bool {
        self.status
            .is_none_or(|status| status == ListedStatus::Completed)
    }

    fn wants_top_ups(&self) -> bool {
        let kind = self.transactions.transaction_type;
        let may_be = kind.is_none_or(|kind| kind == TransactionType::Credit);
        may_be && self.status != Some(ListedStatus::Completed)
    }
}

/// A row of the list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its place among the rows of its wallet.
    pub version: u64,
    /// Its place in the log.
    pub row: EntryId,
    /// Its wallet's currency.
    pub currency: Currency,
    /// The language of its wallet.
    pub language: Language,
    /// What it is.
    pub what: What,
}

/// What a row of the list is.
#[derive(Clone, Debug)]
pub enum What {
    /// Money moved.
    Transaction(Box<Entry>),
    /// Money that has not come in.
    TopUp(Box<TopUpRow>),
}

/// The list of a wallet, newest first, with versions below `before`.
pub fn of_wallet(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    filter: &ListFilter,
    before: Option<u64>,
    rows: usize,
) -> Result<Vec<Listed>, StoreError> {
    let tx = connection.unchecked_transaction()?;
    let Some(owner) = super::wallets::get(&tx, merchant, wallet)? else {
        return Ok(Vec::new());
    };
    let mut listed = Vec::new();
    let narrowed = &filter.transactions;
    if filter.wants_transactions() {
        let found = transactions::list(&tx, merchant, wallet, narrowed, before, rows)?;
        listed.extend(found.into_iter().map(|entry| Listed {
            version: entry.version,
            row: entry.id,
            currency: owner.currency,
            language: owner.language,
            what: What::Transaction(Box::new(entry)),
        }));
    }
    if filter.wants_top_ups() {
        let of = top_ups::Unsucceeded {
            merchant,
            status: filter.status,
            filter: narrowed,
        };
        let found = of.of_wallet_query(wallet, before, rows);
        listed.extend(found.read(&tx, |row| {
            let top_up = top_ups::from_row(row)?;
            Ok(Listed {
                version: row.get("version")?,
                row: top_up.opened_by,
                currency: owner.currency,
                language: owner.language,
                what: What::TopUp(Box::new(top_up)),
            })
        })?);
    }
    tx.commit()?;
    Ok(newest(listed, rows))
}

/// The lists of all wallets of a merchant as one, newest first, with rows below `before`.
pub fn of_merchant(
    connection: &Connection,
    merchant: MerchantId,
    filter: &ListFilter,
    before: Option<EntryId>,
    rows: usize,
) -> Result<Vec<Listed>, StoreError> {
    let tx = connection.unchecked_transaction()?;
    let mut listed = Vec::new();
    let narrowed = &filter.transactions;
    if filter.wants_transactions() {
        let found = transactions::list_merchant_query(merchant, narrowed, before, rows);
        listed.extend(found.read(&tx, |row| {
            let entry = rows::entry_from_row(row)?;
            Ok(Listed {
                version: entry.version,
                row: entry.id,
                currency: currency(&row.get::<_, String>("currency")?)?,
                language: language(&row.get::<_, String>("language")?),
                what: What::Transaction(Box::new(entry)),
            })
        })?);
    }
    if filter.wants_top_ups() {
        let of = top_ups::Unsucceeded {
            merchant,
            status: filter.status,
            filter: narrowed,
        };
        let found = of.of_merchant_query(before, rows);
        listed.extend(found.read(&tx, |row| {
            let top_up = top_ups::from_row(row)?;
            Ok(Listed {
                version: row.get("version")?,
                row: top_up.opened_by,
                currency: currency(&row.get::<_, String>("currency")?)?,
                language: language(&row.get::<_, String>("language")?),
                what: What::TopUp(Box::new(top_up)),
            })
        })?);
    }
    tx.commit()?;
    Ok(newest(listed, rows))
}

fn newest(mut listed: Vec<Listed>, rows: usize) -> Vec<Listed> {
    listed.sort_unstable_by_key(|one| std::cmp::Reverse(one.row));
    listed.truncate(rows);
    listed
}
