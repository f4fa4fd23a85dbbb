//! The ledger and the plain tables, on SQLite.
//!
//! One connection writes, on the ledger's thread: batches of the log ([`sqlite::SqliteLedger`]) and plain tables
//! ([`sqlite::PlainWrite`]). A few others read ([`sqlite::SqliteStore::read`]). No SQL stands outside this crate, and
//! no rule of money inside it.

mod error;
pub mod sqlite;

pub use error::StoreError;
