//! Writes of plain tables on the ledger's thread.

use super::key_index::KeyIndex;
use rusqlite::Connection;
use tillbox_engine::port::CommitError;

/// A write with the caller that waits for it. Several run in one transaction, each within a savepoint.
pub trait PlainWrite: Send {
    /// The key that its answer is stored under, if it has one.
    fn key(&self) -> Option<[u8; 16]>;

    /// It is not run, as a row of the log has its key ([`crate::StoreError::KeyHasRow`]).
    fn refuse(&mut self);

    /// Runs it; false undoes what it wrote, and only that.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Tells the caller, once all of them are durable or lost.
    fn settle(self: Box<Self>, outcome: Result<(), CommitError>);
}

/// Runs `writes` in one transaction.
pub(super) fn run_all(
    connection: &mut Connection,
    keys: &KeyIndex,
    writes: Vec<Box<dyn PlainWrite>>,
) -> Result<(), CommitError> {
    let mut writes = writes;
    let outcome = try_all(connection, keys, &mut writes);
    for write in writes {
        write.settle(outcome.clone());
    }
    outcome
}

fn try_all(
    connection: &mut Connection,
    keys: &KeyIndex,
    writes: &mut [Box<dyn PlainWrite>],
) -> Result<(), CommitError> {
    super::ledger::transact(connection, |connection| {
        for write in writes {
            if let Some(key) = write.key()
                && keys.find(connection, &key)?.is_some()
            {
                write.refuse();
                continue;
            }
            connection.execute_batch("SAVEPOINT one")?;
            let end = if write.run(connection) {
                "RELEASE one"
            } else {
                "ROLLBACK TO one; RELEASE one"
            };
            connection.execute_batch(end)?;
        }
        Ok(())
    })
}
