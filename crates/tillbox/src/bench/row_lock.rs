//! The usual way, for comparison: each debit is a transaction of its own that reads the balance, writes it back and adds
//! a row, on the same SQLite with the same promises. Wherever a row lock guards the balance, debits of one wallet queue
//! like this, whatever the database.

use super::http::Random;
use super::stopwatch;
use anyhow::Result;
use std::time::Duration;
use tillbox_store::sqlite::row_lock::RowLock;

/// Debits of `wallets` wallets, one behind the other, for as long as `length`; gives the latency of each.
pub(crate) fn run(url: &str, wallets: usize, length: Duration) -> Result<Vec<Duration>> {
    let mut random = Random::new()?;
    let mut store = RowLock::create(url, i64::try_from(wallets)?)?;
    let mut latencies = Vec::new();
    let end = stopwatch() + length;
    loop {
        let started = stopwatch();
        if started >= end {
            return Ok(latencies);
        }
        let wallet = i64::try_from(random.below(wallets))?;
        let mut key = [0; 16];
        key[..8].copy_from_slice(&random.next().to_ne_bytes());
        key[8..].copy_from_slice(&random.next().to_ne_bytes());
        store.debit(wallet, key, 7_500)?;
        latencies.push(started.elapsed());
    }
}
