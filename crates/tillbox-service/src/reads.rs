//! Reads of the log, lots and holds; each caller asks for one more than it shows, to know whether there is more.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::ledger::{Operation, submission};
use crate::service::Service;
use std::sync::Arc;
use tillbox_core::command::Command;
use tillbox_core::entry::Entry;
use tillbox_core::id::{EntryId, HoldId, LotId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::time::Timestamp;
use tillbox_engine::work::Mode;
use tillbox_store::sqlite::holds::{self, HoldFilter, StoredHold};
use tillbox_store::sqlite::listing::{self, ListFilter, Listed};
use tillbox_store::sqlite::lots;
use tillbox_store::sqlite::transactions;

impl Service {
    /// Books what is due on a wallet, so that what is read next is as of now; an unknown wallet is not found.
    pub(crate) async fn book_due(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<(), ServiceError> {
        self.wallet_facts(who, wallet_id).await?;
        let operation = Operation {
            wallet_id,
            command: Command::BookDue,
            key: None,
            mode: Mode::Commit,
        };
        self.engine.submit(submission(who, operation)).await?;
        Ok(())
    }

    /// A transaction of that wallet.
    pub async fn transaction(
        &self,
        who: &Principal,
        wallet: WalletId,
        id: EntryId,
    ) -> Result<Entry, ServiceError> {
        self.wallet_facts(who, wallet).await?;
        let merchant = who.merchant_id;
        self.database
            .read(move |connection| transactions::get(connection, merchant, wallet, id))
            .await?
            .ok_or(ServiceError::NotFound)
    }

    /// The list of transactions of a wallet, newest first, with versions below `before`: with top-ups that have not
    /// succeeded in their place (R2).
    pub async fn transactions(
        &self,
        who: &Principal,
        wallet: WalletId,
        filter: Arc<ListFilter>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Listed>, ServiceError> {
        self.book_due(who, wallet).await?;
        let merchant = who.merchant_id;
        self.database
            .read(move |connection| {
                listing::of_wallet(connection, merchant, wallet, &filter, before, limit)
            })
            .await
    }

    /// The lists of all wallets of the merchant as one, newest first, with rows below `before`.
    pub async fn merchant_transactions(
        &self,
        who: &Principal,
        filter: Arc<ListFilter>,
        before: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Listed>, ServiceError> {
        who.check_merchant()?;
        let merchant = who.merchant_id;
        self.database
            .read(move |connection| {
                listing::of_merchant(connection, merchant, &filter, before, limit)
            })
            .await
    }

    /// A lot of that wallet, spent ones too.
    pub async fn lot(
        &self,
        who: &Principal,
        wallet: WalletId,
        id: LotId,
    ) -> Result<Lot, ServiceError> {
        self.book_due(who, wallet).await?;
        let merchant = who.merchant_id;
        self.database
            .read(move |connection| lots::get(connection, merchant, wallet, id))
            .await?
            .ok_or(ServiceError::NotFound)
    }

    /// Lots of a wallet, spent ones too, newest first, with ids below `before`; as of now or of a past instant.
    pub async fn lots(
        &self,
        who: &Principal,
        wallet: WalletId,
        at: Option<Timestamp>,
        before: Option<LotId>,
        limit: usize,
    ) -> Result<Vec<Lot>, ServiceError> {
        self.book_due(who, wallet).await?;
        self.check_past(who, at)?;
        let merchant = who.merchant_id;
        self.database
            .read(move |connection| match at {
                None => lots::list(connection, merchant, wallet, before, limit),
                Some(at) => lots::list_at(connection, merchant, wallet, at, before, limit),
            })
            .await
    }

    /// Passes an instant that does not lie in the future.
    pub(crate) fn check_past(
        &self,
        who: &Principal,
        at: Option<Timestamp>,
    ) -> Result<(), ServiceError> {
        if at.is_some_and(|at| at > self.clock_now(who)) {
            return Err(ServiceError::Invalid {
                pointer: "at",
                message: "must not lie in the future",
            });
        }
        Ok(())
    }

    /// A hold of that wallet, with the words that it was placed with.
    pub async fn hold(
        &self,
        who: &Principal,
        wallet: WalletId,
        id: HoldId,
    ) -> Result<StoredHold, ServiceError> {
        self.book_due(who, wallet).await?;
        let merchant = who.merchant_id;
        self.database
            .read(move |connection| holds::get(connection, merchant, wallet, id))
            .await?
            .ok_or(ServiceError::NotFound)
    }

    /// Holds of a wallet, ended ones too, newest first, with ids below `before`.
    pub async fn holds(
        &self,
        who: &Principal,
        wallet: WalletId,
        filter: HoldFilter,
        before: Option<HoldId>,
        limit: usize,
    ) -> Result<Vec<StoredHold>, ServiceError> {
        self.book_due(who, wallet).await?;
        let merchant = who.merchant_id;
        self.database
            .read(move |connection| {
                holds::list(connection, merchant, wallet, &filter, before, limit)
            })
            .await
    }
}
