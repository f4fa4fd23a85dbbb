//! The payment worker: asks the provider about every open top-up and every payout until it has ended, and has it give up
//! what was given up here. Every hour it asks about disputes, and whether payments have failed since they were credited,
//! as notices get lost.
//!
//! It wakes when a commit has opened or moved one, and when a poll is due; it reads what is to be asked from the
//! store, so that a crash forgets nothing. Calls run side by side, never two for one of them. Time here is the
//! system's: providers know no test clock.

use super::learn::Learnt;
use crate::error::ServiceError;
use crate::service::Service;
use std::collections::HashSet;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::{Connection, paybacks, top_ups};
use tokio::sync::Semaphore;

/// Calls to the provider at the same time.
const CALLS: usize = 32;
/// Top-ups that one look takes.
const LOOK: usize = 128;
/// The longest that it sleeps, whatever it knows of.
const AT_MOST: Duration = Duration::from_mins(1);
/// Between two looks at disputes, and at payments that were credited.
const LOST_NOTICES_EVERY_SECONDS: i64 = 3_600;
/// Stand for them among the numbers of what is asked about: no id has these.
const DISPUTES: i64 = 0;
const CREDITED: i64 = -1;
/// A pause after the store could not be read.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Top-ups and payouts that a call is under way for, by the numbers in their ids: no two things share one.
#[derive(Default)]
pub(crate) struct Driving(Mutex<HashSet<i64>>);

impl Driving {
    fn begin(self: &Arc<Self>, id: i64) -> Option<Claim> {
        let mut driving = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        driving.insert(id).then(|| Claim {
            driving: Arc::clone(self),
            id,
        })
    }
}

/// The right to call the provider for one top-up or payout.
pub(crate) struct Claim {
    driving: Arc<Driving>,
    id: i64,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let driving = self.driving.0.lock();
        driving
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
    }
}

impl Service {
    /// Asks about open top-ups and payouts, until the service stops.
    pub async fn run_payments(self: Arc<Self>) {
        let mut moved = self.engine.top_ups_moved();
        let places = Arc::new(Semaphore::new(CALLS));
        let mut lost_notices_at = self.clock.now();
        loop {
            moved.mark_unchanged();
            if lost_notices_at <= self.clock.now() {
                lost_notices_at = self.clock.now().plus_seconds(LOST_NOTICES_EVERY_SECONDS);
                let call = |service: Arc<Self>| async move { service.reconcile_disputes().await };
                self.begin_call(&places, DISPUTES, "disputes", call).await;
                let call = |service: Arc<Self>| async move { service.check_credited().await };
                self.begin_call(&places, CREDITED, "credited", call).await;
            }
            let sleep = match self.look(&places).await {
                Ok(next) => self.until(next),
                Err(ServiceError::ShuttingDown | ServiceError::OutcomeUnknown) => return,
                Err(error) => {
                    tracing::warn!(%error, "open top-ups could not be read");
                    AFTER_ERROR
                }
            };
            tokio::select! {
                changed = moved.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Starts a call for each top-up and payout that is due; gives when the next one is.
    async fn look(
        self: &Arc<Self>,
        places: &Arc<Semaphore>,
    ) -> Result<Option<Timestamp>, ServiceError> {
        let now = self.clock.now();
        let read = move |connection: &Connection| {
            let open = top_ups::to_ask(connection, now, LOOK)?;
            let given_up = top_ups::to_give_up(connection, now, LOOK)?;
            Ok((open, given_up, paybacks::to_ask(connection, now, LOOK)?))
        };
        let (open, given_up, payouts) = self.database.read(read).await?;
        for row in open {
            let id = row.id;
            let call = |service: Arc<Self>| async move { service.drive(row).await };
            self.begin_call(places, id.number(), id, call).await;
        }
        for row in given_up {
            let id = row.id;
            let call = |service: Arc<Self>| async move { service.give_up(row).await };
            self.begin_call(places, id.number(), id, call).await;
        }
        for row in payouts {
            let id = row.payout.debit_id;
            let call = |service: Arc<Self>| async move { service.drive_payout(row).await };
            self.begin_call(places, id.number(), id, call).await;
        }
        let next = move |connection: &Connection| {
            let next = [
                top_ups::next_poll_at(connection)?,
                paybacks::next_poll_at(connection)?,
            ];
            Ok(next.into_iter().flatten().min())
        };
        self.database.read(next).await
    }

    /// Starts one call, once there is a place; none while one is under way for that number.
    async fn begin_call<F>(
        self: &Arc<Self>,
        places: &Arc<Semaphore>,
        number: i64,
        about: impl Display + Send + 'static,
        call: impl FnOnce(Arc<Self>) -> F,
    ) where
        F: Future<Output = Result<Learnt, ServiceError>> + Send + 'static,
    {
        let Some(claim) = self.driving.begin(number) else {
            return;
        };
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            return;
        };
        let service = Arc::clone(self);
        let call = call(Arc::clone(self));
        tokio::spawn(async move {
            if let Err(error) = call.await {
                tracing::warn!(%about, %error, "a payment could not be moved on");
            }
            drop((claim, place));
            service.driven.notify_waiters();
        });
    }

    fn until(&self, next: Option<Timestamp>) -> Duration {
        let Some(next) = next else { return AT_MOST };
        let micros = next.micros().saturating_sub(self.clock.now().micros());
        let micros = u64::try_from(micros).unwrap_or(0);
        Duration::from_micros(micros).clamp(Duration::from_millis(20), AT_MOST)
    }
}
