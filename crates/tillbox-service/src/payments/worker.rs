//! The payment worker: asks the provider about every open top-up and every payout until it has ended.
//!
//! It wakes when a commit has opened or moved one, and when a poll is due; it reads what is to be asked from the
//! store, so that a crash forgets nothing. Calls run side by side, never two for one of them. Time here is the
//! system's: providers know no test clock.

use crate::error::ServiceError;
use crate::service::Service;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::{paybacks, top_ups};
use tokio::sync::Semaphore;

/// Calls to the provider at the same time.
const CALLS: usize = 32;
/// Top-ups that one look takes.
const LOOK: usize = 128;
/// The longest that it sleeps, whatever it knows of.
const AT_MOST: Duration = Duration::from_mins(1);
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
        loop {
            moved.mark_unchanged();
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

    /// Starts a call for each top-up that is due; gives when the next one is.
    async fn look(
        self: &Arc<Self>,
        places: &Arc<Semaphore>,
    ) -> Result<Option<Timestamp>, ServiceError> {
        let now = self.clock.now();
        let due = self
            .database
            .read(move |connection| top_ups::to_ask(connection, now, LOOK))
            .await?;
        for row in due {
            let Some(claim) = self.driving.begin(row.id.number()) else {
                continue;
            };
            let Ok(place) = Arc::clone(places).acquire_owned().await else {
                return Ok(None);
            };
            let service = Arc::clone(self);
            tokio::spawn(async move {
                let id = row.id;
                if let Err(error) = service.drive(row).await {
                    tracing::warn!(top_up = %id, %error, "a top-up could not be moved on");
                }
                drop((claim, place));
                service.driven.notify_waiters();
            });
        }
        let next_payout = self.look_at_payouts(places, now).await?;
        let next_top_up = self.database.read(top_ups::next_poll_at).await?;
        Ok([next_top_up, next_payout].into_iter().flatten().min())
    }

    /// The same for payouts.
    async fn look_at_payouts(
        self: &Arc<Self>,
        places: &Arc<Semaphore>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, ServiceError> {
        let due = self
            .database
            .read(move |connection| paybacks::to_ask(connection, now, LOOK))
            .await?;
        for row in due {
            let Some(claim) = self.driving.begin(row.payout.debit_id.number()) else {
                continue;
            };
            let Ok(place) = Arc::clone(places).acquire_owned().await else {
                return Ok(None);
            };
            let service = Arc::clone(self);
            tokio::spawn(async move {
                let id = row.payout.debit_id;
                if let Err(error) = service.drive_payout(row).await {
                    tracing::warn!(payout = %id, %error, "a payout could not be moved on");
                }
                drop((claim, place));
            });
        }
        self.database.read(paybacks::next_poll_at).await
    }

    fn until(&self, next: Option<Timestamp>) -> Duration {
        let Some(next) = next else { return AT_MOST };
        let micros = next.micros().saturating_sub(self.clock.now().micros());
        let micros = u64::try_from(micros).unwrap_or(0);
        Duration::from_micros(micros).clamp(Duration::from_millis(20), AT_MOST)
    }
}
