//! Jobs: what runs by the clock. Each is only another sender of commands, and may run twice without harm.

use crate::error::ServiceError;
use crate::service::Service;
use std::sync::Arc;
use std::time::Duration;
use tillbox_core::command::Command;
use tillbox_core::entry::Actor;
use tillbox_engine::work::{Mode, Submission};

/// How often due holds and lots are looked for. Decisions don't wait for this: each command books what is due
/// of its own wallet first (R10).
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Wallets that one sweep books for one merchant.
const SWEEP_WALLETS: usize = 500;

impl Service {
    /// Books what falls due, warns of what will, and erases what was deleted, until the service stops.
    pub async fn run_jobs(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(SWEEP_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let swept = self.sweep().await;
            let erased = self.erase_on().await;
            for (done, what) in [(swept, "book what is due"), (erased, "erase personal data")] {
                match done {
                    Ok(()) => {}
                    Err(ServiceError::ShuttingDown | ServiceError::OutcomeUnknown) => return,
                    Err(error) => tracing::warn!(%error, "a job could not {what}"),
                }
            }
        }
    }

    async fn sweep(&self) -> Result<(), ServiceError> {
        let merchants: Vec<_> = {
            let merchants = self
                .merchants
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            merchants.values().cloned().collect()
        };
        for merchant in merchants {
            // While its clock is being moved, due items run at their own instants.
            let Ok(_still) = merchant.advancing.try_lock() else {
                continue;
            };
            let now = merchant.clock.time(self.clock.now());
            let id = merchant.id;
            let due = self
                .database
                .read(move |connection| {
                    tillbox_store::sqlite::wallets::due_wallets(connection, id, now, SWEEP_WALLETS)
                })
                .await?;
            let submissions = due.into_iter().map(|(wallet_id, _)| Submission {
                merchant_id: id,
                wallet_id,
                command: Command::BookDue,
                key: None,
                actor: Actor::System,
                clock: merchant.clock.clone(),
                policies: merchant.policies(),
                at: None,
                mode: Mode::Commit,
                answer: None,
            });
            for answer in self.engine.submit_many(submissions.collect()).await {
                answer?;
            }
            let next = self.next_lot_warning(id).await?;
            if next.is_some_and(|at| at <= now) {
                self.warn_of_expiry(id, now).await?;
            }
        }
        Ok(())
    }
}
