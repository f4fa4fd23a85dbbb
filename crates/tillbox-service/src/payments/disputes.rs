//! What a provider tells of disputes becomes commands of the wallet, in whatever order and however often it is told (R28).

use super::learn::{Done, Learnt};
use super::{Decline, DisputeNotice};
use crate::error::ServiceError;
use crate::service::Service;
use tillbox_core::command::{Command, LearnDispute};
use tillbox_core::id::MerchantId;
use tillbox_core::payback::DisputeStatus;
use tillbox_core::top_up::TopUpStatus;
use tillbox_store::sqlite::top_ups::{self, TopUpRow};

impl Service {
    /// Takes in how a dispute of that merchant stands.
    pub(crate) async fn learn_dispute(
        &self,
        merchant_id: MerchantId,
        notice: &DisputeNotice,
    ) -> Result<Learnt, ServiceError> {
        let row = self.disputed(merchant_id, notice).await?;
        if row.top_up.status != TopUpStatus::Succeeded {
            // It is told before anybody heard of the payment.
            self.look_up(&row).await?;
            let row = self.disputed(merchant_id, notice).await?;
            if row.top_up.status != TopUpStatus::Succeeded {
                let why = "the disputed payment is not known to have succeeded";
                return Err(ServiceError::Overloaded(why.to_owned()));
            }
        }
        let currency = self.currency_of(&row).await?;
        if notice.currency != currency || !notice.amount.is_positive() {
            tracing::error!(top_up = %row.id, dispute = %notice.provider_id, "a dispute is of another currency than its payment: it must be looked at");
            return Ok(Learnt::Quarantined);
        }
        self.dispute(&row, notice).await
    }

    /// A payment that failed after it was credited is one that the bank has taken back.
    pub(crate) async fn failed_after_credit(
        &self,
        row: &TopUpRow,
        decline: &Decline,
    ) -> Result<Learnt, ServiceError> {
        let notice = DisputeNotice {
            top_up_id: row.id,
            provider_id: row
                .top_up
                .payment_id
                .as_deref()
                .unwrap_or_default()
                .to_owned(),
            status: DisputeStatus::Lost,
            amount: row.top_up.charged,
            currency: self.currency_of(row).await?,
            reason: Some(decline.code.clone()),
        };
        self.dispute(row, &notice).await
    }

    /// Tells the wallet as often as that changes anything: a step at a time.
    async fn dispute(
        &self,
        row: &TopUpRow,
        notice: &DisputeNotice,
    ) -> Result<Learnt, ServiceError> {
        let merchant = self
            .merchant(row.merchant_id)
            .ok_or(ServiceError::NotFound)?;
        let command = Command::LearnDispute(LearnDispute {
            top_up_id: row.id,
            provider_id: notice.provider_id.clone().into_boxed_str(),
            status: notice.status,
            amount: notice.amount,
            reason: notice.reason.clone().map(String::into_boxed_str),
            grace_days: merchant.settings().refund_grace_days,
            record: None,
        });
        let mut learnt = Learnt::Nothing;
        loop {
            let command = command.clone();
            let done = self.learnt_command(row.merchant_id, row.wallet_id, command, None);
            match done.await? {
                Done::Now => learnt = Learnt::Moved,
                Done::Before => return Ok(learnt),
                Done::Refused(why) => {
                    tracing::error!(top_up = %row.id, %why, "a dispute can't be booked: it must be looked at");
                    return Ok(Learnt::Quarantined);
                }
            }
        }
    }

    async fn disputed(
        &self,
        merchant_id: MerchantId,
        notice: &DisputeNotice,
    ) -> Result<TopUpRow, ServiceError> {
        let id = notice.top_up_id;
        self.database
            .read(move |connection| top_ups::get(connection, merchant_id, id))
            .await?
            .ok_or(ServiceError::NotFound)
    }
}
