//! Connections that only read: few, opened when first needed, and no read holds one for ever.

use super::open_for_reading;
use crate::error::StoreError;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What bounds the reads.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Connections at most.
    pub(super) connections: usize,
    /// How long a read waits for a connection before it is told that the store is busy.
    pub(super) wait: Duration,
    /// How many steps, of [`STEP`] instructions each, a statement may run before it is cut off.
    pub(super) steps: u32,
}

/// Four connections: reads are short, and more would only share the same cores. Three thousand steps are about half
/// a minute: a longer reader would keep the write-ahead log from being folded. Steps, as work is the same on a
/// machine that is busy, and needs no clock.
pub(super) const LIMITS: Limits = Limits {
    connections: 4,
    wait: Duration::from_secs(10),
    steps: 3_000,
};

/// Instructions of SQLite's machine between two looks at the limit.
const STEP: i32 = 1_000_000;

pub(super) struct ReadPool {
    path: PathBuf,
    limits: Limits,
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
    /// The file of the database.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn new(path: PathBuf, limits: Limits) -> Self {
        Self {
            path,
            limits,
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
        let most = self.limits.connections;
        let none_free = |idle: &mut Idle| idle.connections.is_empty() && idle.opened >= most;
        let (mut idle, waited) = self
            .returned
            .wait_timeout_while(idle, self.limits.wait, none_free)
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
            // Its place is free again: who waits may try.
            self.returned.notify_one();
        }
        connected
    }

    fn connect(&self) -> Result<Pooled, StoreError> {
        let mut connection = open_for_reading(&self.path)?;
        let steps = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&steps);
        let most = self.limits.steps;
        let too_long = move || counted.fetch_add(1, Ordering::Relaxed) > most;
        connection.progress_handler(STEP, Some(too_long))?;
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
