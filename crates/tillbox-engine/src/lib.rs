//! The one writer of the ledger: queue, batch, decide, commit, answer.

pub mod port;
