//! The feed: pages of events behind a position, for whoever follows.

use super::event::Event;
use super::reading::{Reached, Reading};
use super::{EventFilter, EventType};
use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use std::sync::Arc;
use tillbox_core::id::EventId;
use tillbox_store::sqlite::{PastStates, events};
use tokio::sync::watch;

/// Bytes that the states take from which followers go on.
const PAST_BYTES: usize = 64 << 20;
/// Reads that one page takes, where a filter matches little or a long log is replayed; then it is short. What was
/// replayed is remembered, so that whoever asks again gets further.
const MOST_READS: usize = 50;

/// Events in their order.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// All up to here was told, or was not asked for: where the next page begins.
    pub position: EventId,
    /// Whether there may be more; also behind a page that shows nothing.
    pub has_more: bool,
}

impl Reading {
    fn page(self, has_more: bool) -> EventPage {
        EventPage {
            events: self.events,
            position: self.position,
            has_more,
        }
    }
}

pub(crate) fn past_states() -> Arc<PastStates> {
    Arc::new(PastStates::new(PAST_BYTES))
}

impl Service {
    /// Events behind a position, oldest first: of all of the merchant, or of one wallet.
    pub async fn events(
        &self,
        who: &Principal,
        filter: EventFilter,
        after: EventId,
        limit: usize,
    ) -> Result<EventPage, ServiceError> {
        match filter.wallet {
            Some(wallet) => self.wallet_facts(who, wallet).await.map(drop)?,
            None => who.check_merchant()?,
        }
        // What is derived of a wallet may trail its rows.
        let behind = filter.wallet.into_iter().collect();
        let policies = who.merchant.policies();
        let mut reading = Reading::new(who.merchant_id, filter, policies, after, limit);
        reading.behind = behind;
        for _ in 0..MOST_READS {
            let behind = std::mem::take(&mut reading.behind);
            if !behind.is_empty() {
                self.engine.show(behind).await?;
            }
            let past = Arc::clone(&self.past_states);
            let read = self.database.read(move |connection| {
                let reached = reading.read(connection, &past)?;
                Ok((reading, reached))
            });
            let reached;
            (reading, reached) = read.await?;
            match reached {
                Reached::End => return Ok(reading.page(false)),
                Reached::Full => {
                    if let Some(last) = reading.events.last() {
                        reading.position = last.id;
                    }
                    return Ok(reading.page(true));
                }
                Reached::Partly => {}
            }
        }
        Ok(reading.page(true))
    }

    /// Where the feed ends now: what happens from now on lies behind it.
    pub async fn events_end(&self) -> Result<EventId, ServiceError> {
        let head = self.database.read(events::head).await?;
        Ok(EventId::last_of(head))
    }

    /// Whether there is such an event of the merchant.
    pub async fn has_event(&self, who: &Principal, id: EventId) -> Result<bool, ServiceError> {
        let is_known = EventType::ALL
            .iter()
            .any(|event_type| event_type.place() == id.place());
        let merchant = who.merchant_id;
        let is_theirs = self
            .database
            .read(move |connection| events::is_of(connection, merchant, id.row()))
            .await?;
        Ok(is_known && is_theirs)
    }

    /// Rises with each commit, to wake those that follow; it ends with the ledger.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.engine.committed()
    }
}
