//! Connections that only read: few, opened when first needed, and no read holds one for ever.

use super::open_for_reading;
use crate::error::StoreError;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Connections at most. Reads are short; more would only share the same cores.
const CONNECTIONS: usize = 4;
/// How long a read waits for a connection before it is told that the store is busy.
const WAIT: Duration = Duration::from_secs(10);
/// A read is cut off after this many steps of a million instructions of SQLite, about half a minute: a long reader
/// keeps the write-ahead log from being folded.
const MAX_STEPS: u32 = 3_000;

pub(super) struct ReadPool {
    path: PathBuf,
    idle: Mutex<Idle>,
    returned: Condvar,
}

struct Idle {
    connections: Vec<Pooled>,
    opened: usize,
}

struct Pooled {
    connection: Connection,
    steps: Arc<AtomicU32>,
}

impl ReadPool {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Mutex::new(Idle {
                connections: Vec::new(),
                opened: 0,
            }),
            returned: Condvar::new(),
        }
    }

    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let pooled = self.take()?;
        pooled.steps.store(0, Ordering::Relaxed);
        let returning = Returning {
            pool: self,
            pooled: Some(pooled),
        };
        match &returning.pooled {
            Some(pooled) => read(&pooled.connection),
            None => Err(StoreError::Unavailable("no connection".to_owned())),
        }
    }

    fn take(&self) -> Result<Pooled, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let none_free = |idle: &mut Idle| idle.connections.is_empty() && idle.opened >= CONNECTIONS;
        let (mut idle, waited) = self
            .returned
            .wait_timeout_while(idle, WAIT, none_free)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(StoreError::Unavailable(
                "all connections for reading are in use".to_owned(),
            ));
        }
        if let Some(pooled) = idle.connections.pop() {
            return Ok(pooled);
        }
        idle.opened += 1;
        drop(idle);
        let connected = self.connect();
        if connected.is_err() {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .opened -= 1;
        }
        connected
    }

    fn connect(&self) -> Result<Pooled, StoreError> {
        let mut connection = open_for_reading(&self.path)?;
        let steps = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&steps);
        let too_long = move || counted.fetch_add(1, Ordering::Relaxed) > MAX_STEPS;
        connection.progress_handler(1_000_000, Some(too_long))?;
        Ok(Pooled { connection, steps })
    }
}

/// Gives the connection back, also when the read panics.
struct Returning<'a> {
    pool: &'a ReadPool,
    pooled: Option<Pooled>,
}

impl Drop for Returning<'_> {
    fn drop(&mut self) {
        if let Some(pooled) = self.pooled.take() {
            self.pool
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .connections
                .push(pooled);
            self.pool.returned.notify_one();
        }
    }
}
