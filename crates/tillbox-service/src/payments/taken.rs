//! What comes from outside about payments: notices, and customers who come back from a hosted page.

use super::Notice;
use super::learn::Learnt;
use crate::error::ServiceError;
use crate::service::Service;
use tillbox_core::id::{EntryId, MerchantId, TopUpId};
use tillbox_core::payback::PayoutStatus;
use tillbox_core::seeded_bug;
use tillbox_core::top_up::TopUpStatus;
use tillbox_store::sqlite::paybacks;
use tillbox_store::sqlite::top_ups::{self, TopUpRow};

impl Service {
    /// Takes in a notice whose signature was checked. A top-up that is not known is no fault of the provider's: it is
    /// told that the notice was taken, or it would send it for ever.
    pub async fn take_notice(
        &self,
        merchant_id: MerchantId,
        notice: Notice,
    ) -> Result<(), ServiceError> {
        match notice {
            Notice::Payment(payment) => {
                seeded_bug!(NoticeMarkedFirst: if !is_first(&payment.id) { return Ok(()); });
                let learnt = self.learn(merchant_id, &payment).await;
                taken_at_last(learnt, &payment.id)
            }
            Notice::Refund(refund) => {
                let learnt = self.learn_refund(merchant_id, &refund).await;
                taken_at_last(learnt, &refund.id)
            }
            Notice::Dispute(dispute) => {
                let learnt = self.learn_dispute(merchant_id, &dispute).await;
                taken_at_last(learnt, &dispute.provider_id)
            }
            Notice::MethodAdded {
                customer_id,
                method,
            } => self
                .take_method(merchant_id, customer_id, method)
                .await
                .map(drop),
        }
    }

    /// A customer has come back from a hosted page: asks how the payment stands. Gives the top-up as it stands then,
    /// whoever's it is; the caller decides what to show.
    pub async fn come_back(&self, id: TopUpId) -> Result<TopUpRow, ServiceError> {
        let row = self.any_top_up(id).await?;
        if row.top_up.status.is_open() {
            let learnt = self.look_up(&row).await?;
            if learnt != Learnt::Nothing {
                return self.any_top_up(id).await;
            }
        }
        Ok(row)
    }

    /// Takes the next step with the provider for one top-up, as the worker does: charges it, makes its page, has it given
    /// up, or asks how it stands.
    pub async fn ask_provider(&self, id: TopUpId) -> Result<Learnt, ServiceError> {
        let row = self.any_top_up(id).await?;
        match row.top_up.status {
            status if status.is_open() => self.drive(row).await,
            TopUpStatus::Canceled => self.give_up(row).await,
            _ => self.look_up(&row).await,
        }
    }

    /// Asks the provider about a payout whose outcome is not known, as the worker does.
    pub async fn ask_about_payout(
        &self,
        merchant_id: MerchantId,
        id: EntryId,
    ) -> Result<Learnt, ServiceError> {
        let row = self
            .database
            .read(move |connection| paybacks::get(connection, merchant_id, id))
            .await?
            .ok_or(ServiceError::NotFound)?;
        if row.payout.status == PayoutStatus::Pending {
            self.drive_payout(row).await
        } else {
            Ok(Learnt::Nothing)
        }
    }

    async fn any_top_up(&self, id: TopUpId) -> Result<TopUpRow, ServiceError> {
        self.database
            .read(move |connection| top_ups::find(connection, id))
            .await?
            .ok_or(ServiceError::NotFound)
    }
}

/// What is about nothing of ours is taken too, as it will be about nothing of ours again.
fn taken_at_last(learnt: Result<Learnt, ServiceError>, about: &str) -> Result<(), ServiceError> {
    match learnt {
        Ok(learnt) => {
            tracing::debug!(about, ?learnt, "a notice was taken");
            Ok(())
        }
        Err(ServiceError::NotFound) => {
            tracing::warn!(about, "a notice is about nothing of ours");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// What a planted bug notes of a notice before it is taken.
#[cfg(tillbox_bugs)]
fn is_first(payment: &str) -> bool {
    static MARKED: std::sync::Mutex<std::collections::BTreeSet<String>> =
        std::sync::Mutex::new(std::collections::BTreeSet::new());
    let mut marked = MARKED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    marked.insert(payment.to_owned())
}
