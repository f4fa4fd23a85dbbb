//! What a provider tells of disputes becomes commands of the wallet, in whatever order and however often it is told (R28).
//! Notices get lost: every hour the worker asks about the disputes that were opened lately, and about those that are open
//! here, however old; Sync asks about those of its wallet, and whether a payment has failed since it was credited, as the
//! worker does too (`checks.rs`).

use super::drive::within;
use super::learn::{Done, Learnt};
use super::{Decline, DisputeNotice, PaymentState};
use crate::error::ServiceError;
use crate::service::Service;
use tillbox_core::command::{Command, LearnDispute};
use tillbox_core::id::{DisputeId, MerchantId};
use tillbox_core::payback::DisputeStatus;
use tillbox_core::top_up::TopUpStatus;
use tillbox_store::sqlite::top_ups::TopUpRow;
use tillbox_store::sqlite::{Connection, disputes};

/// Days for which a dispute is asked about that nobody has told of.
const LOOK_BACK_DAYS: i64 = 30;
/// Disputes that one question is about.
const LOOK: usize = 100;

impl Service {
    /// Takes in how disputes stand whose notices may have been lost.
    pub async fn reconcile_disputes(&self) -> Result<Learnt, ServiceError> {
        let since = self.clock.now().plus_days(-LOOK_BACK_DAYS);
        let merchants: Vec<MerchantId> = {
            let known = self.merchants.read();
            let known = known.unwrap_or_else(std::sync::PoisonError::into_inner);
            known.keys().copied().collect()
        };
        for merchant_id in merchants {
            let mut after = None;
            loop {
                let ask = self.sandbox.disputes_since(merchant_id, since, after, LOOK);
                let found = ask.await?;
                let Some(last) = found.last() else { break };
                after = Some(last.provider_id.clone());
                for notice in &found {
                    self.look_again(merchant_id, notice).await?;
                }
            }
        }
        let mut after = DisputeId::from_number(0);
        loop {
            let read = move |connection: &Connection| disputes::open(connection, after, LOOK);
            let open = self.database.read(read).await?;
            let Some((last, _, _)) = open.last() else {
                return Ok(Learnt::Nothing);
            };
            after = *last;
            for (_, merchant_id, provider_id) in open {
                let told = self.sandbox.look_up_dispute(merchant_id, &provider_id);
                if let Some(notice) = told.await? {
                    self.look_again(merchant_id, &notice).await?;
                }
            }
        }
    }

    /// The same of a payment that was credited: its disputes, and whether it has failed since. Says whether the provider
    /// has answered for it.
    pub(crate) async fn reconcile_credited(&self, row: &TopUpRow) -> Result<bool, ServiceError> {
        let told = within(self.sandbox.look_up(row.merchant_id, row.id)).await;
        let is_answered = told.is_ok();
        if let Ok(Some(payment)) = told
            && matches!(payment.state, PaymentState::Failed(_))
            && self.learn_of(row, &payment).await? == Learnt::Moved
        {
            tracing::warn!(top_up = %row.id, "no notice has told that a payment has failed since it was credited");
        }
        for notice in self.sandbox.disputes_of(row.merchant_id, row.id).await? {
            self.look_again(row.merchant_id, &notice).await?;
        }
        Ok(is_answered)
    }

    /// Takes in one of them; one that can't be taken in now is asked about again later.
    async fn look_again(
        &self,
        merchant_id: MerchantId,
        notice: &DisputeNotice,
    ) -> Result<(), ServiceError> {
        match self.learn_dispute(merchant_id, notice).await {
            Err(error @ (ServiceError::ShuttingDown | ServiceError::OutcomeUnknown)) => Err(error),
            Err(error) => {
                tracing::warn!(dispute = %notice.provider_id, %error, "a dispute could not be taken in");
                Ok(())
            }
            Ok(Learnt::Moved) => {
                tracing::warn!(dispute = %notice.provider_id, "no notice has told of how a dispute stands");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    /// Takes in how a dispute of that merchant stands.
    pub(crate) async fn learn_dispute(
        &self,
        merchant_id: MerchantId,
        notice: &DisputeNotice,
    ) -> Result<Learnt, ServiceError> {
        let row = self.top_up_row(merchant_id, notice.top_up_id).await?;
        if row.top_up.status != TopUpStatus::Succeeded {
            // It is told before anybody heard of the payment.
            self.look_up(&row).await?;
            let row = self.top_up_row(merchant_id, notice.top_up_id).await?;
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
}
