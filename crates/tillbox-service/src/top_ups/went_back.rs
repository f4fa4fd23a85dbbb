//! What has gone back of top-ups, and may: refunds to the card, disputes.

use super::TopUpView;
use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use tillbox_core::amount::Amount;
use tillbox_core::decide::refundable;
use tillbox_core::id::{DisputeId, EntryId, WalletId};
use tillbox_core::payback::{Payback, Payout};
use tillbox_core::wallet::WalletState;
use tillbox_store::sqlite::disputes::{self, DisputeFilter, DisputeRow};
use tillbox_store::sqlite::paybacks;
use tillbox_store::sqlite::top_ups::TopUpRow;

/// What has gone back of a top-up, and may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WentBack {
    /// Refunded to the card, what is on its way included.
    pub refunded: Amount,
    /// Taken back of what was given, for that.
    pub bonus_clawed: Amount,
    /// Taken by disputes.
    pub charged_back: Amount,
    /// What may still be refunded to the card.
    pub refundable: Amount,
}

impl WentBack {
    /// By what stands of it, as the wallet stands.
    pub(crate) fn of(state: &WalletState, payback: Option<&Payback>) -> Self {
        payback.map_or_else(Self::default, |payback| Self {
            refunded: payback.refunded,
            bonus_clawed: payback.clawed,
            charged_back: payback.charged_back,
            refundable: refundable(state, payback),
        })
    }
}

impl Service {
    /// Top-ups of one wallet as callers see them.
    pub(super) async fn views(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        rows: Vec<TopUpRow>,
    ) -> Result<Vec<TopUpView>, ServiceError> {
        let facts = self.wallet_facts(who, wallet_id).await?;
        let (rows, paybacks) = self
            .database
            .read(move |connection| {
                let all = rows.iter().map(|row| paybacks::of_top_up(connection, row));
                let all: Vec<_> = all.collect::<Result<_, _>>()?;
                Ok((rows, all))
            })
            .await?;
        let clock = who.merchant.clock.clone();
        let view = move |state: &WalletState, _now| {
            let all = paybacks.iter();
            all.map(|payback| WentBack::of(state, payback.as_ref()))
                .collect::<Vec<_>>()
        };
        let read = self.engine.read(who.merchant_id, wallet_id, clock, view);
        let went_back = read.await?;
        let rows = rows.into_iter().zip(went_back);
        let (currency, language) = (facts.currency, facts.language);
        Ok(rows
            .map(|(row, went_back)| TopUpView {
                row,
                currency,
                language,
                went_back,
            })
            .collect())
    }

    /// The same of one.
    pub(super) async fn view(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        row: TopUpRow,
    ) -> Result<TopUpView, ServiceError> {
        let mut views = self.views(who, wallet_id, vec![row]).await?;
        views.pop().ok_or(ServiceError::NotFound)
    }

    /// The payout of a wallet that is known by that transaction.
    pub async fn payout(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        id: EntryId,
    ) -> Result<Option<Payout>, ServiceError> {
        self.wallet_facts(who, wallet_id).await?;
        let merchant_id = who.merchant_id;
        let row = self
            .database
            .read(move |connection| paybacks::get(connection, merchant_id, id))
            .await?;
        let row = row.filter(|row| row.wallet_id == wallet_id);
        Ok(row.map(|row| row.payout))
    }

    /// Disputes of a merchant, newest first, before `before`. A wallet that is not the merchant's is not found.
    pub async fn disputes(
        &self,
        who: &Principal,
        filter: DisputeFilter,
        before: Option<DisputeId>,
        limit: usize,
    ) -> Result<Vec<DisputeRow>, ServiceError> {
        who.check_merchant()?;
        if let Some(wallet) = filter.wallet {
            self.wallet_facts(who, wallet).await?;
        }
        let merchant_id = who.merchant_id;
        self.database
            .read(move |connection| disputes::list(connection, merchant_id, filter, before, limit))
            .await
    }
}
