//! Commands of the ledger, as callers of the service see them.

use crate::access::Principal;
use crate::api_keys::KeyScope;
use crate::error::ServiceError;
use crate::service::Service;
use std::sync::Arc;
use tillbox_core::command::Command;
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, KeyStamp};
use tillbox_core::id::WalletId;
use tillbox_core::rejection::Rejection;
use tillbox_engine::port::StoredAnswer;
use tillbox_engine::work::{self, Mode, Submission, SubmitError};

/// One of several commands.
#[derive(Clone)]
pub struct Operation {
    /// The wallet.
    pub wallet_id: WalletId,
    /// What is asked.
    pub command: Command,
    /// Under which key.
    pub key: Option<KeyStamp>,
    /// Whether it is meant.
    pub mode: Mode,
}

/// What a command came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A row: the answer is built from its values.
    Row {
        /// The row.
        entry: Arc<Entry>,
        /// The wallet's currency.
        currency: Currency,
        /// Whether it was there before.
        replayed: bool,
    },
    /// The answer that the key was given when it was used for something whose answer is stored whole.
    Stored(StoredAnswer),
}

impl Service {
    /// Submits a command and waits until it is durable, or refused.
    pub async fn submit(
        &self,
        who: &Principal,
        operation: Operation,
    ) -> Result<Outcome, ServiceError> {
        check_force(who, &operation.command)?;
        self.check_wallet(who, operation.wallet_id).await?;
        let wallet_id = operation.wallet_id;
        let answer = self.engine.submit(submission(who, operation)).await;
        outcome(answer).map_err(|error| self.with_top_up_url(error, wallet_id))
    }

    /// Submits several of one merchant, in order; each stands alone.
    pub async fn submit_many(
        &self,
        who: &Principal,
        operations: Vec<Operation>,
    ) -> Vec<Result<Outcome, ServiceError>> {
        if who.check_merchant().is_err() {
            let refused = operations.iter().map(|_| Err(ServiceError::NotFound));
            return refused.collect();
        }
        // What is not allowed is not submitted, and has its place among the answers.
        let allowed: Vec<Result<WalletId, ServiceError>> = operations
            .iter()
            .map(|operation| check_force(who, &operation.command).map(|()| operation.wallet_id))
            .collect();
        let submissions = operations
            .into_iter()
            .filter(|operation| check_force(who, &operation.command).is_ok())
            .map(|operation| submission(who, operation))
            .collect();
        let mut answers = self.engine.submit_many(submissions).await.into_iter();
        let mut answer = |wallet_id| {
            let answer = answers.next().unwrap_or(Err(SubmitError::OutcomeUnknown));
            outcome(answer).map_err(|error| self.with_top_up_url(error, wallet_id))
        };
        allowed
            .into_iter()
            .map(|place| place.and_then(&mut answer))
            .collect()
    }

    /// Says with a want of funds where the customer adds some: an address that opens nothing by itself (R30).
    fn with_top_up_url(&self, error: ServiceError, wallet_id: WalletId) -> ServiceError {
        match error {
            ServiceError::Rejected {
                rejection: rejection @ Rejection::InsufficientFunds { .. },
                currency,
                top_up_url: None,
            } => ServiceError::Rejected {
                rejection,
                currency,
                top_up_url: Some(format!(
                    "{}/wallet?wallet={wallet_id}",
                    self.public_url().as_str()
                )),
            },
            other => other,
        }
    }
}

/// Passes who may do without force, or has the scope for it (R7).
fn check_force(who: &Principal, command: &Command) -> Result<(), ServiceError> {
    let is_forced = match command {
        Command::Debit(debit) => debit.force.is_some(),
        Command::Usage(usage) => usage.force.is_some(),
        _ => false,
    };
    if is_forced {
        who.check_scope(KeyScope::Force)
    } else {
        Ok(())
    }
}

pub(crate) fn submission(who: &Principal, operation: Operation) -> Submission {
    Submission {
        merchant_id: who.merchant_id,
        wallet_id: operation.wallet_id,
        command: operation.command,
        key: operation.key,
        actor: who.actor,
        clock: who.merchant.clock.clone(),
        policies: who.merchant.policies(),
        at: None,
        mode: operation.mode,
        answer: None,
    }
}

fn outcome(answer: work::Answer) -> Result<Outcome, ServiceError> {
    match answer? {
        work::Outcome::Row {
            entry,
            currency,
            replayed,
        } => Ok(Outcome::Row {
            entry,
            currency,
            replayed,
        }),
        work::Outcome::Answer { answer, .. } => Ok(Outcome::Stored(answer)),
        work::Outcome::NothingDue => Err(ServiceError::Conflict("nothing is due")),
    }
}
