//! What is learnt of a payment becomes a command of the wallet, whoever learns it: the reply of a call, a notice, the
//! return page, the poller, Sync. They may come in any order and any number of times: the key of the settlement is
//! the top-up, and the ledger knows what may follow what, so that there is one credit in the end (T4).

use super::declines::failure_class;
use super::{Decline, Payment, PaymentState};
use crate::error::ServiceError;
use crate::service::Service;
use tillbox_core::command::{AdvanceTopUp, Command, EndTopUp, SettleTopUp, TopUpEnd};
use tillbox_core::entry::{Actor, KeyStamp, Note};
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::recharge::FailureClass;
use tillbox_core::rejection::Rejection;
use tillbox_core::top_up::TopUpStatus;
use tillbox_engine::work::{Mode, Outcome, Submission, SubmitError};
use tillbox_store::sqlite::top_ups::{self, TopUpRow};

/// What learning of a payment has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learnt {
    /// It was credited just now.
    Credited,
    /// It has failed or was given up just now.
    Ended,
    /// It waits for something else now.
    Moved,
    /// Nothing that was not known.
    Nothing,
    /// It does not match what was asked, and waits for a person (R26).
    Quarantined,
}

impl Service {
    /// Takes in how a payment of that merchant stands.
    pub async fn learn(
        &self,
        merchant_id: MerchantId,
        payment: &Payment,
    ) -> Result<Learnt, ServiceError> {
        let row = self.top_up_row(merchant_id, payment.top_up_id).await?;
        self.learn_of(&row, payment).await
    }

    /// The same, of a top-up that was read already.
    pub(crate) async fn learn_of(
        &self,
        row: &TopUpRow,
        payment: &Payment,
    ) -> Result<Learnt, ServiceError> {
        let payment_id = Some(payment.id.clone().into_boxed_str());
        match &payment.state {
            PaymentState::Open => Ok(Learnt::Nothing),
            PaymentState::RequiresAction { url } => {
                self.note_action(row, url).await?;
                self.advance(row, TopUpStatus::RequiresAction, payment_id)
                    .await
            }
            PaymentState::Processing => {
                self.advance(row, TopUpStatus::Processing, payment_id).await
            }
            PaymentState::Canceled => {
                let end = self.end(row, TopUpEnd::Canceled, payment_id);
                end.await
            }
            PaymentState::Failed(decline) => {
                let learnt = self.fail(row, decline, payment_id).await?;
                if learnt == Learnt::Ended {
                    return Ok(learnt);
                }
                self.fail_credited(row, decline, &payment.id).await
            }
            PaymentState::Succeeded {
                subtotal,
                charged,
                currency,
            } => {
                let wallet = self.currency_of(row).await?;
                let as_asked = *subtotal == row.top_up.amount
                    && *currency == wallet
                    && !charged.is_negative()
                    && charged <= subtotal;
                if !as_asked {
                    let what = format!(
                        "{} says {} {currency} for {} {wallet}",
                        payment.id,
                        subtotal.display(*currency),
                        row.top_up.amount.display(wallet)
                    );
                    return self.quarantine(row, what).await;
                }
                let settle = SettleTopUp {
                    top_up_id: row.id,
                    charged: *charged,
                    payment_id: payment.id.clone().into_boxed_str(),
                    record: None,
                    note: Note {
                        description: row.description.clone().map(String::into_boxed_str),
                        ..Note::default()
                    },
                };
                self.settle(row, settle).await
            }
        }
    }

    /// Takes back what was credited for a payment that has failed since. Another payment of the same top-up that had
    /// failed before is none of its.
    async fn fail_credited(
        &self,
        row: &TopUpRow,
        decline: &Decline,
        payment_id: &str,
    ) -> Result<Learnt, ServiceError> {
        let row = self.top_up_row(row.merchant_id, row.id).await?;
        let is_credited = row.top_up.status == TopUpStatus::Succeeded;
        if is_credited && row.top_up.payment_id.as_deref() == Some(payment_id) {
            return self.failed_after_credit(&row, decline).await;
        }
        Ok(Learnt::Nothing)
    }

    /// Ends a top-up whose payment was declined for good.
    pub(crate) async fn fail(
        &self,
        row: &TopUpRow,
        decline: &Decline,
        payment_id: Option<Box<str>>,
    ) -> Result<Learnt, ServiceError> {
        self.fail_as(row, decline, failure_class(&decline.code), payment_id)
            .await
    }

    /// The same, where what it means for auto-recharge was judged already.
    pub(crate) async fn fail_as(
        &self,
        row: &TopUpRow,
        decline: &Decline,
        class: FailureClass,
        payment_id: Option<Box<str>>,
    ) -> Result<Learnt, ServiceError> {
        let code = decline.code.clone().into_boxed_str();
        self.end(row, TopUpEnd::Failed { code, class }, payment_id)
            .await
    }

    async fn settle(&self, row: &TopUpRow, settle: SettleTopUp) -> Result<Learnt, ServiceError> {
        let key = settlement_key(row);
        match self
            .command(row, Command::SettleTopUp(settle), Some(key))
            .await?
        {
            Done::Now => Ok(Learnt::Credited),
            Done::Before => Ok(Learnt::Nothing),
            Done::Refused(why) => self.quarantine(row, why).await,
        }
    }

    async fn advance(
        &self,
        row: &TopUpRow,
        to: TopUpStatus,
        payment_id: Option<Box<str>>,
    ) -> Result<Learnt, ServiceError> {
        if row.top_up.status == to {
            return Ok(Learnt::Nothing);
        }
        let command = Command::AdvanceTopUp(AdvanceTopUp {
            top_up_id: row.id,
            to,
            payment_id,
            record: None,
        });
        Ok(match self.command(row, command, None).await? {
            Done::Now => Learnt::Moved,
            Done::Before | Done::Refused(_) => Learnt::Nothing,
        })
    }

    async fn end(
        &self,
        row: &TopUpRow,
        end: TopUpEnd,
        payment_id: Option<Box<str>>,
    ) -> Result<Learnt, ServiceError> {
        let command = Command::EndTopUp(EndTopUp {
            top_up_id: row.id,
            end,
            payment_id,
            record: None,
        });
        Ok(match self.command(row, command, None).await? {
            Done::Now => Learnt::Ended,
            Done::Before | Done::Refused(_) => Learnt::Nothing,
        })
    }

    async fn command(
        &self,
        row: &TopUpRow,
        command: Command,
        key: Option<KeyStamp>,
    ) -> Result<Done, ServiceError> {
        self.learnt_command(row.merchant_id, row.wallet_id, command, key)
            .await
    }

    /// Submits what was learnt of a payment to its wallet.
    pub(super) async fn learnt_command(
        &self,
        merchant_id: MerchantId,
        wallet_id: WalletId,
        command: Command,
        key: Option<KeyStamp>,
    ) -> Result<Done, ServiceError> {
        let merchant = self.merchant(merchant_id).ok_or(ServiceError::NotFound)?;
        let submission = Submission {
            merchant_id,
            wallet_id,
            command,
            key,
            actor: Actor::System,
            clock: merchant.clock.clone(),
            policies: merchant.policies(),
            at: None,
            mode: Mode::Commit,
            answer: None,
        };
        match self.engine.submit(submission).await {
            Ok(Outcome::Row {
                replayed: false, ..
            }) => Ok(Done::Now),
            Ok(Outcome::Row { .. } | Outcome::Answer { .. } | Outcome::NothingDue)
            | Err(SubmitError::Rejected {
                rejection:
                    Rejection::TopUpNotOpen(_)
                    | Rejection::PayoutNotOpen(_)
                    | Rejection::DisputeNotOpen(_),
                ..
            }) => Ok(Done::Before),
            Err(SubmitError::Rejected { rejection, .. }) => {
                Ok(Done::Refused(rejection.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Notes that a payment is not credited, and why: once, loudly.
    async fn quarantine(&self, row: &TopUpRow, what: String) -> Result<Learnt, ServiceError> {
        if row.calls.quarantined.is_none() {
            tracing::error!(top_up = %row.id, %what, "a payment is not credited: it must be looked at");
            let mut calls = row.calls.clone();
            calls.quarantined = Some(what);
            self.note_calls(row, calls).await?;
        }
        Ok(Learnt::Quarantined)
    }

    /// Notes where the customer confirms.
    async fn note_action(&self, row: &TopUpRow, url: &str) -> Result<(), ServiceError> {
        if row.calls.next_action.as_deref() == Some(url) {
            return Ok(());
        }
        let mut calls = row.calls.clone();
        calls.next_action = Some(url.to_owned());
        self.note_calls(row, calls).await
    }

    pub(crate) async fn note_calls(
        &self,
        row: &TopUpRow,
        calls: top_ups::Calls,
    ) -> Result<(), ServiceError> {
        let id = row.id;
        self.database
            .write(move |connection| top_ups::note_calls(connection, id, &calls))
            .await
    }
}

/// What a command came to.
pub(super) enum Done {
    Now,
    Before,
    Refused(String),
}

/// The key of a settlement: the top-up, so that whoever settles it again is told the same row.
fn settlement_key(row: &TopUpRow) -> KeyStamp {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"settle");
    hasher.update(&row.id.number().to_be_bytes());
    let hash = *hasher.finalize().as_bytes();
    let (mut key, mut fingerprint) = ([0; 16], [0; 16]);
    key.copy_from_slice(&hash[..16]);
    fingerprint.copy_from_slice(&hash[16..]);
    KeyStamp { key, fingerprint }
}
