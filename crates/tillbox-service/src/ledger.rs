//! Commands of the ledger, as callers of the service see them.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use std::sync::Arc;
use tillbox_core::command::Command;
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, KeyStamp};
use tillbox_core::id::WalletId;
use tillbox_engine::port::StoredAnswer;
use tillbox_engine::work::{self, Mode, Submission};

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
        self.check_wallet(who, operation.wallet_id).await?;
        let answer = self.engine.submit(submission(who, operation)).await;
        outcome(answer)
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
        let submissions = operations
            .into_iter()
            .map(|operation| submission(who, operation))
            .collect();
        self.engine
            .submit_many(submissions)
            .await
            .into_iter()
            .map(outcome)
            .collect()
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
