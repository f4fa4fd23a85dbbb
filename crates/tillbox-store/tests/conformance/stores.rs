//! The stores under test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tillbox_core::entry::Entry;
use tillbox_core::id::WalletId;
use tillbox_engine::memory::MemoryStore;
use tillbox_engine::port::LedgerStore;
use tillbox_store::sqlite::{self, SqliteLedger, SqliteStore};

/// A store that can be looked into.
pub(crate) trait TestStore {
    type Ledger: LedgerStore;

    fn ledger(&mut self) -> &mut Self::Ledger;

    /// All rows of a wallet, as stored.
    fn log(&mut self, wallet: WalletId) -> Vec<Entry>;
}

pub(crate) struct Memory(MemoryStore);

impl Memory {
    pub(crate) fn new() -> Self {
        Self(MemoryStore::new())
    }
}

impl TestStore for Memory {
    type Ledger = MemoryStore;

    fn ledger(&mut self) -> &mut MemoryStore {
        &mut self.0
    }

    fn log(&mut self, wallet: WalletId) -> Vec<Entry> {
        self.0
            .entries_of(wallet)
            .map(|entry| Entry::clone(entry))
            .collect()
    }
}

pub(crate) struct Sqlite {
    store: SqliteStore,
    ledger: SqliteLedger,
    path: PathBuf,
}

impl Sqlite {
    /// In a new file of its own, which goes with it.
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("{}-{name}-{number}.db", std::process::id()));
        let url = format!("sqlite:{}", path.display());
        let (store, writer) = SqliteStore::open(&url).expect("a new database opens");
        Self {
            store,
            // Runs of a few keys, so that folding is part of every test.
            ledger: SqliteLedger::with_key_run(writer, 3).expect("the log's tail is readable"),
            path,
        }
    }
}

impl Sqlite {
    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm", ".lock", ".anchor"] {
            let mut name = self.path.clone().into_os_string();
            name.push(ending);
            drop(std::fs::remove_file(name));
        }
    }
}

impl TestStore for Sqlite {
    type Ledger = SqliteLedger;

    fn ledger(&mut self) -> &mut SqliteLedger {
        &mut self.ledger
    }

    fn log(&mut self, wallet: WalletId) -> Vec<Entry> {
        let read =
            |connection: &sqlite::Connection| sqlite::log::read(connection, wallet, 0, usize::MAX);
        self.store.read(read).expect("the log is readable")
    }
}
