//! The database as the service uses it: reads beside the ledger, writes of plain tables on the ledger's thread.

use crate::error::ServiceError;
use std::sync::Arc;
use tillbox_engine::Engine;
use tillbox_engine::port::CommitError;
use tillbox_store::StoreError;
use tillbox_store::sqlite::{Connection, PlainWrite, SqliteLedger, SqliteStore};

/// Clones share it.
#[derive(Clone)]
pub(crate) struct Database {
    store: Arc<SqliteStore>,
    engine: Engine<SqliteLedger>,
}

impl Database {
    pub(crate) fn new(store: SqliteStore, engine: Engine<SqliteLedger>) -> Self {
        Self {
            store: Arc::new(store),
            engine,
        }
    }

    /// The file, for whoever reads it with connections of its own.
    pub(crate) fn path(&self) -> &std::path::Path {
        self.store.path()
    }

    /// Reads on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let store = Arc::clone(&self.store);
        match tokio::task::spawn_blocking(move || store.read(read)).await {
            Ok(result) => Ok(result?),
            Err(_stopped) => Err(ServiceError::ShuttingDown),
        }
    }

    /// Leaves nothing of what was overwritten in the write-ahead log. False where it has to be tried again.
    pub(crate) async fn cut_write_ahead_log(&self) -> Result<bool, ServiceError> {
        let store = Arc::clone(&self.store);
        match tokio::task::spawn_blocking(move || store.cut_write_ahead_log()).await {
            Ok(result) => Ok(result?),
            Err(_stopped) => Err(ServiceError::ShuttingDown),
        }
    }

    /// Writes plain tables on the ledger's thread; answered once it is durable.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        self.write_then(write, |_written| ()).await
    }

    /// The same, for tables that are kept in memory too: `then` follows each commit on the ledger's thread, in the
    /// order of the commits, also when the caller has gone.
    pub(crate) async fn write_then<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, ServiceError> {
        self.write_under(None, write, then).await
    }

    /// The same, under a key: refused where a row of the log has it.
    pub(crate) async fn write_under<T: Send + 'static>(
        &self,
        key: Option<[u8; 16]>,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, ServiceError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.engine.plain(Box::new(Write {
            key,
            run: Some(write),
            result: None,
            then,
            sender,
        }))?;
        match receiver.await {
            Ok(result) => Ok(result?),
            Err(_dropped) => Err(ServiceError::ShuttingDown),
        }
    }
}

/// A write of plain tables with the caller that waits for it.
struct Write<F, G, T> {
    key: Option<[u8; 16]>,
    run: Option<F>,
    result: Option<Result<T, StoreError>>,
    then: G,
    sender: tokio::sync::oneshot::Sender<Result<T, StoreError>>,
}

impl<F, G, T> PlainWrite for Write<F, G, T>
where
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send,
    G: FnOnce(&T) + Send,
    T: Send,
{
    fn key(&self) -> Option<[u8; 16]> {
        self.key
    }

    fn refuse(&mut self) {
        self.result = Some(Err(StoreError::KeyHasRow));
    }

    fn run(&mut self, connection: &Connection) -> bool {
        self.result = self.run.take().map(|write| write(connection));
        matches!(self.result, Some(Ok(_)))
    }

    fn settle(self: Box<Self>, outcome: Result<(), CommitError>) {
        let result = match (self.result, outcome) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(CommitError::OutcomeUnknown(_))) => Err(StoreError::OutcomeUnknown),
            (_, Err(CommitError::NothingWritten(why))) => Err(StoreError::Unavailable(why)),
            (Some(Ok(value)), Ok(())) => {
                (self.then)(&value);
                Ok(value)
            }
            (None, Ok(())) => Err(StoreError::Unavailable("the write did not run".to_owned())),
        };
        // A caller that has gone changes nothing.
        drop(self.sender.send(result));
    }
}
