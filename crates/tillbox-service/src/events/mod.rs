//! Events: what has happened, told to whoever follows (N3, R47).
//!
//! The log is the outbox: an event is derived from a row of it ([`table`]), with the state that stood behind the row.
//! What is no row of the log stands in a small outbox of its own, written by [`Outbox::emit`] in the commit in which
//! it happened. Both are read in the order of their commits, so a position says all: what is told and what is not.

mod event;
mod feed;
mod lot_expiring;
mod outbox;
pub(crate) mod payment_method;
mod reading;
mod table;
mod told;
mod types;

#[cfg(test)]
mod tests;

pub use event::{Event, EventData};
pub use feed::EventPage;
pub(crate) use feed::past_states;
pub(crate) use outbox::{NewEvent, Outbox};
pub use types::EventType;

use tillbox_core::id::WalletId;

/// Which events are asked for; what is none filters nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// About that wallet.
    pub wallet: Option<WalletId>,
    /// Of that type.
    pub event_type: Option<EventType>,
}
