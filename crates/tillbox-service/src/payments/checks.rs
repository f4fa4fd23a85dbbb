//! Payments that were credited are asked about once more: banks return direct debits weeks later, and the notice may be
//! lost (R28).
//!
//! A payment is asked about an hour after it was credited, and each time again once the pause has doubled: after 1, 3, 7,
//! 15 … hours, the eleventh and last time after 85 days. So each costs eleven questions, and no look reads any but those
//! that are due, by an index, in pages; what is more than a look takes waits for the next. One that the provider did not
//! answer for is asked about again an hour later. Time here is the system's: providers know no test clock.

use super::learn::Learnt;
use crate::error::ServiceError;
use crate::service::Service;
use futures_util::StreamExt;
use tillbox_core::id::TopUpId;
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::Connection;
use tillbox_store::sqlite::top_ups::{self, TopUpRow};

/// Payments that are asked about together.
const PAGE: usize = 100;
/// Pages that one look takes.
const PAGES: usize = 50;
/// Calls to the provider at the same time.
const CALLS: usize = 8;
/// Between a payment's credit and the first question.
const FIRST_SECONDS: i64 = 3_600;

impl Service {
    /// Asks about payments that were credited and are due to be asked about.
    pub async fn check_credited(&self) -> Result<Learnt, ServiceError> {
        for _ in 0..PAGES {
            let now = self.clock.now();
            let read = move |connection: &Connection| top_ups::to_check(connection, now, PAGE);
            let due = self.database.read(read).await?;
            if due.is_empty() {
                break;
            }
            let mut asked = futures_util::stream::iter(due)
                .map(|(row, checks)| self.check(row, checks, now))
                .buffer_unordered(CALLS);
            let mut noted = Vec::with_capacity(PAGE);
            while let Some(one) = asked.next().await {
                noted.push(one?);
            }
            let write = move |connection: &Connection| top_ups::note_checks(connection, &noted);
            self.database.write(write).await?;
        }
        Ok(Learnt::Nothing)
    }

    /// Asks about one; gives when it is asked about next, and how often it was. The first time is too early.
    async fn check(
        &self,
        row: TopUpRow,
        checks: i64,
        now: Timestamp,
    ) -> Result<(TopUpId, Timestamp, i64), ServiceError> {
        let id = row.id;
        let is_answered = match checks {
            0 => true,
            _ => match self.reconcile_credited(&row).await {
                Ok(is_answered) => is_answered,
                Err(error @ (ServiceError::ShuttingDown | ServiceError::OutcomeUnknown)) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(top_up = %id, %error, "a payment that was credited could not be asked about");
                    false
                }
            },
        };
        Ok(if is_answered {
            (id, next_check_at(now, checks), checks.saturating_add(1))
        } else {
            (id, now.plus_seconds(FIRST_SECONDS), checks)
        })
    }
}

/// When a payment is asked about next that was so often.
fn next_check_at(now: Timestamp, checks: i64) -> Timestamp {
    let doublings = u32::try_from(checks).unwrap_or(0);
    now.plus_seconds(FIRST_SECONDS.saturating_mul(2_i64.saturating_pow(doublings)))
}
