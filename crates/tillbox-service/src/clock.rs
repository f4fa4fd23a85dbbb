//! The test clock: a test merchant's time, moved forward on demand (R46).
//!
//! On the way to its target, all that falls due runs in due order, each at its own instant.

use crate::access::Principal;
use crate::audit_log::AuditAction;
use crate::error::ServiceError;
use crate::service::Service;
use std::sync::Arc;
use tillbox_core::command::Command;
use tillbox_core::entry::Actor;
use tillbox_core::time::Timestamp;
use tillbox_engine::work::{Mode, Submission};
use tillbox_store::sqlite::wallets::{self, WalletFilter};

/// How far to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// To that instant.
    To(Timestamp),
    /// By so many seconds.
    BySeconds(i64),
}

/// Microseconds in a day.
const DAY_US: i64 = 86_400_000_000;
/// The clock is never moved further than this many days at once.
const MAX_ADVANCE_DAYS: i64 = 3_660;

impl Service {
    /// The merchant's time.
    pub fn clock_now(&self, who: &Principal) -> Timestamp {
        who.merchant.clock.time(self.clock.now())
    }

    /// Moves a test merchant's time forward, and answers once all that falls due has run. It goes on when the caller
    /// has gone: what is booked at a later instant and the clock belong together.
    pub async fn advance_clock(
        self: &Arc<Self>,
        who: &Principal,
        advance: Advance,
    ) -> Result<Timestamp, ServiceError> {
        who.check_merchant()?;
        let (service, who) = (Arc::clone(self), who.clone());
        let moved = tokio::spawn(async move { service.move_clock(&who, advance).await });
        moved.await.unwrap_or(Err(ServiceError::ShuttingDown))
    }

    /// Whether an instant lies in the past by the system's clock.
    pub fn is_past(&self, at: Timestamp) -> bool {
        at < self.clock.now()
    }

    /// Sets a test merchant's time back, to make a history from there on. Refused once anything has been booked, as
    /// time never goes back behind that.
    pub async fn begin_in_the_past(&self, who: &Principal, days: i64) -> Result<(), ServiceError> {
        let merchant_id = who.merchant_id;
        let any = WalletFilter::default();
        let wallets = self
            .database
            .read(move |connection| wallets::list(connection, merchant_id, &any, None, 1))
            .await?;
        if who.live || !wallets.is_empty() {
            return Err(ServiceError::Conflict(
                "only a new test merchant begins in the past",
            ));
        }
        self.set_offset(who, days.saturating_mul(-DAY_US)).await
    }

    /// Lets a merchant's time be the system's again, once its history has come near it.
    pub async fn end_in_the_present(&self, who: &Principal) -> Result<(), ServiceError> {
        let _one_at_a_time = who.merchant.advancing.lock().await;
        if who.merchant.clock.offset_us() < 0 {
            self.run_due_until(who, self.clock.now()).await?;
            self.set_offset(who, 0).await?;
        }
        Ok(())
    }

    async fn set_offset(&self, who: &Principal, offset_us: i64) -> Result<(), ServiceError> {
        let merchant_id = who.merchant_id;
        let deed = self.deed(who, AuditAction::TestClockAdvanced);
        self.database
            .write(move |connection| {
                deed.note(connection)?;
                tillbox_store::sqlite::merchants::set_clock_offset(
                    connection,
                    merchant_id,
                    offset_us,
                )
            })
            .await?;
        who.merchant.clock.set_offset_us(offset_us);
        Ok(())
    }

    async fn move_clock(
        &self,
        who: &Principal,
        advance: Advance,
    ) -> Result<Timestamp, ServiceError> {
        if who.live {
            return Err(ServiceError::NotFound);
        }
        let _one_at_a_time = who.merchant.advancing.lock().await;
        let now = self.clock_now(who);
        let (target, pointer) = match advance {
            Advance::To(instant) => (instant, "/to"),
            Advance::BySeconds(seconds) => (now.plus_seconds(seconds), "/by_seconds"),
        };
        if target < now {
            return Err(ServiceError::Invalid {
                pointer,
                message: "the test clock never goes back",
            });
        }
        if target > now.plus_days(MAX_ADVANCE_DAYS) {
            return Err(ServiceError::Invalid {
                pointer,
                message: "at most ten years at once",
            });
        }
        self.run_due_until(who, target).await?;
        let offset_us = target.micros() - self.clock.now().micros();
        self.set_offset(who, offset_us).await?;
        Ok(target.max(self.clock_now(who)))
    }

    async fn run_due_until(&self, who: &Principal, target: Timestamp) -> Result<(), ServiceError> {
        let merchant_id = who.merchant_id;
        loop {
            let due = self
                .database
                .read(move |connection| {
                    tillbox_store::sqlite::wallets::due_wallets(
                        connection,
                        merchant_id,
                        target,
                        500,
                    )
                })
                .await?;
            let warning = self.next_lot_warning(merchant_id).await?;
            let warning = warning.filter(|at| *at <= target);
            if due.is_empty() && warning.is_none() {
                return Ok(());
            }
            let (mut before, behind) = (due, warning.unwrap_or(Timestamp::NEVER));
            before.retain(|(_, due_at)| *due_at < behind);
            if let Some(at) = warning.filter(|_| before.is_empty()) {
                self.warn_of_expiry(merchant_id, at).await?;
            }
            for (wallet_id, due_at) in before {
                let submission = Submission {
                    merchant_id,
                    wallet_id,
                    command: Command::BookDue,
                    key: None,
                    actor: Actor::System,
                    clock: who.merchant.clock.clone(),
                    policies: who.merchant.policies(),
                    at: Some(due_at),
                    mode: Mode::Commit,
                    answer: None,
                };
                self.engine.submit(submission).await?;
                self.wait_for_charges(who, wallet_id).await?;
            }
        }
    }
}
