//! Payouts: what a transaction has taken is paid back over the provider.
//!
//! The value is taken before the provider is asked. The payout is the provider's idempotency key, so that it may be asked
//! as often as needed; an unknown outcome waits and is asked about again, and only a definite failure gives the value
//! back (R27). Whoever learns of it (the reply, a notice, the poller, Sync) hands it to the same function.

use super::drive::{never_arrived, poll_after, within};
use super::learn::{Done, Learnt};
use super::{Decline, ProviderError, Refund, RefundRequest, RefundState};
use crate::error::ServiceError;
use crate::service::Service;
use tillbox_core::command::{Command, EndPayout, PayoutEnd};
use tillbox_core::id::MerchantId;
use tillbox_store::sqlite::paybacks::{self, PayoutRow};

impl Service {
    /// Takes the next step for a payout whose outcome is not known.
    pub(crate) async fn drive_payout(&self, mut row: PayoutRow) -> Result<Learnt, ServiceError> {
        row.poll_at = self.clock.now().plus_seconds(poll_after(row.polls));
        row.polls = row.polls.saturating_add(1);
        let noted = row.clone();
        self.database
            .write(move |connection| paybacks::note_poll(connection, &noted))
            .await?;
        let payout = row.payout.debit_id;
        let told = if self.key_lives(payout.number()) {
            let request = self.refund_request(&row).await?;
            within(self.sandbox.refund(request)).await.map(Some)
        } else {
            within(self.sandbox.look_up_refund(row.merchant_id, payout)).await
        };
        match told {
            Ok(Some(refund)) => self.learn_refund_of(&row, &refund).await,
            Ok(None) if self.has_never_arrived(payout.number()) => {
                self.fail_payout(&row, &never_arrived()).await
            }
            Ok(None) => Ok(Learnt::Nothing),
            Err(ProviderError::Unknown(why)) => {
                tracing::info!(%payout, %why, "the outcome of a refund is not known yet");
                Ok(Learnt::Nothing)
            }
            Err(ProviderError::Refused(code)) => {
                tracing::warn!(%payout, %code, "a refund was refused");
                self.fail_payout(&row, &Decline { code }).await
            }
        }
    }

    /// Takes in how a refund of that merchant stands.
    pub(crate) async fn learn_refund(
        &self,
        merchant_id: MerchantId,
        refund: &Refund,
    ) -> Result<Learnt, ServiceError> {
        let id = refund.payout;
        let row = self
            .database
            .read(move |connection| paybacks::get(connection, merchant_id, id))
            .await?
            .ok_or(ServiceError::NotFound)?;
        self.learn_refund_of(&row, refund).await
    }

    async fn learn_refund_of(
        &self,
        row: &PayoutRow,
        refund: &Refund,
    ) -> Result<Learnt, ServiceError> {
        let currency = self
            .currency_of_wallet(row.merchant_id, row.wallet_id)
            .await?;
        if refund.amount != row.payout.amount || refund.currency != currency {
            let payout = row.payout.debit_id;
            tracing::error!(%payout, refund = %refund.id, "a refund is not what was asked for: it must be looked at");
            return Ok(Learnt::Quarantined);
        }
        match &refund.state {
            RefundState::Pending => Ok(Learnt::Nothing),
            RefundState::Succeeded => self.end_payout(row, PayoutEnd::Succeeded).await,
            RefundState::Failed(decline) => self.fail_payout(row, decline).await,
        }
    }

    async fn fail_payout(
        &self,
        row: &PayoutRow,
        decline: &Decline,
    ) -> Result<Learnt, ServiceError> {
        let code = decline.code.clone().into_boxed_str();
        self.end_payout(row, PayoutEnd::Failed { code }).await
    }

    async fn end_payout(&self, row: &PayoutRow, end: PayoutEnd) -> Result<Learnt, ServiceError> {
        let merchant = self
            .merchant(row.merchant_id)
            .ok_or(ServiceError::NotFound)?;
        let command = Command::EndPayout(EndPayout {
            top_up_id: row.top_up_id,
            debit_id: row.payout.debit_id,
            end,
            grace_days: merchant.settings().refund_grace_days,
            record: None,
        });
        let done = self.learnt_command(row.merchant_id, row.wallet_id, command, None);
        Ok(match done.await? {
            Done::Now => Learnt::Ended,
            Done::Before => Learnt::Nothing,
            Done::Refused(why) => {
                let payout = row.payout.debit_id;
                tracing::error!(%payout, %why, "a payout can't be ended: it must be looked at");
                Learnt::Quarantined
            }
        })
    }

    async fn refund_request(&self, row: &PayoutRow) -> Result<RefundRequest, ServiceError> {
        let top_up = self.top_up_row(row.merchant_id, row.top_up_id).await?;
        Ok(RefundRequest {
            merchant_id: row.merchant_id,
            payout: row.payout.debit_id,
            top_up_id: row.top_up_id,
            payment_id: top_up
                .top_up
                .payment_id
                .as_deref()
                .unwrap_or_default()
                .to_owned(),
            amount: row.payout.amount,
            currency: self
                .currency_of_wallet(row.merchant_id, row.wallet_id)
                .await?,
        })
    }
}
