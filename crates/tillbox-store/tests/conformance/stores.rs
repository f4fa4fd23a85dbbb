//! The stores under test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tillbox_core::entry::Entry;
use tillbox_core::id::WalletId;
use tillbox_engine::memory::MemoryStore;
use tillbox_engine::port::{Batch, LedgerStore};
use tillbox_store::sqlite::{self, SqliteLedger, SqliteStore, Trailing};

/// A store that can be looked into.
pub(crate) trait TestStore {
    type Ledger: LedgerStore;

    fn ledger(&mut self) -> &mut Self::Ledger;

    /// What a restart leaves: what is durable, and nothing of what was in memory.
    fn reopen(&mut self);

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

    fn reopen(&mut self) {}

    fn log(&mut self, wallet: WalletId) -> Vec<Entry> {
        self.0
            .entries_of(wallet)
            .map(|entry| Entry::clone(entry))
            .collect()
    }
}

pub(crate) struct Sqlite {
    /// None while it is opened again.
    open: Option<(SqliteStore, SqliteLedger)>,
    path: PathBuf,
}

impl Sqlite {
    /// In a new file of its own, which goes with it.
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("{}-{name}-{number}.db", std::process::id()));
        let open = Some(Self::open(&path));
        Self { open, path }
    }

    fn open(path: &Path) -> (SqliteStore, SqliteLedger) {
        let url = format!("sqlite:{}", path.display());
        let (store, writer) = SqliteStore::open(&url).expect("a database opens");
        // Little waits in memory, so that folding is part of every test.
        let ledger = SqliteLedger::trailing(writer, Trailing { keys: 3, rows: 4 });
        (store, ledger.expect("the log's tail is readable"))
    }

    fn parts(&mut self) -> &mut (SqliteStore, SqliteLedger) {
        self.open.as_mut().expect("it is open")
    }
}

impl Sqlite {
    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Brings what is stored of a wallet up to its rows, as whoever reads its tables does.
fn show(ledger: &mut SqliteLedger, wallet: WalletId) {
    let nothing = Batch {
        opened: &[],
        entries: &[],
        wallets: &[],
        lots: &[],
        holds: &[],
        top_ups: &[],
        answers: &[],
        shown: &[wallet],
    };
    ledger.commit(&nothing).expect("the wallet is shown");
    assert!(!ledger.trails(wallet), "it trails no more");
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
        &mut self.parts().1
    }

    fn reopen(&mut self) {
        self.open = None;
        self.open = Some(Self::open(&self.path));
    }

    fn log(&mut self, wallet: WalletId) -> Vec<Entry> {
        let (store, ledger) = self.parts();
        show(ledger, wallet);
        let read =
            |connection: &sqlite::Connection| sqlite::log::read(connection, wallet, 0, usize::MAX);
        store.read(read).expect("the log is readable")
    }
}
