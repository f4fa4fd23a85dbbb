//! Events: what has happened, told to whoever follows.
//!
//! The log is the outbox: an event is derived from a row of it. What is no row of the log stands in a small outbox of
//! its own, written by [`Outbox::emit`] in the commit in which it happened.

mod outbox;
mod types;

pub(crate) use outbox::{NewEvent, Outbox};
pub use types::EventType;
