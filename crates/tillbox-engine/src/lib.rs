//! The one writer of the ledger.
//!
//! Callers put work into a bounded queue; a lane, one thread with the store, drains it: load what is missing,
//! look up keys, decide and apply each command in order, commit all of it at once, answer all ([`lane`]). The
//! next batch fills while this one commits, so a batch is as large as the load is high and nobody lingers.
//!
//! Promises: effect, key, hash and stored answer commit together; nobody is answered before the commit is
//! durable, refusals included; one bad command never fails its neighbours; an unknown outcome ends the lane.

pub mod clock;
mod engine;
mod lane;
pub mod memory;
pub mod port;
mod queue;
pub mod work;

pub use engine::{Engine, Figures, Options};
pub use lane::LaneEnd;
