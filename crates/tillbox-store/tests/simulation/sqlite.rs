//! SQLite on a file. A process that dies leaves the file and its write-ahead log as they are on the disk then,
//! which the next one opens; where the power fails within a commit, the log ends in the middle of what it wrote.

use crate::client::MERCHANT;
use crate::disk::{Disk, Mortal};
use crate::model::Model;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tillbox_core::audit::WalletAudit;
use tillbox_core::command::{DebitRecord, PaymentRecord};
use tillbox_core::currency::Currency;
use tillbox_core::entry::Entry;
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{CustomerId, EntryId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::top_up::TopUp;
use tillbox_core::wallet::WalletState;
use tillbox_engine::port::{Batch, CommitError, LedgerStore, LoadError, Remembered};
use tillbox_store::sqlite::verify::verify;
use tillbox_store::sqlite::{Connection, SqliteLedger, SqliteStore, Trailing, log, wallets};

/// Little waits in memory, so that folding is part of every seed.
const TRAILING: Trailing = Trailing { keys: 7, rows: 9 };

/// A folder with the database, and with what a crash left of it.
pub(crate) struct SqliteDisk {
    files: Arc<Mutex<Files>>,
    store: Option<SqliteStore>,
}

/// The ledger of one process.
pub(crate) struct SqliteProcess {
    ledger: SqliteLedger,
    files: Arc<Mutex<Files>>,
}

struct Files {
    folder: PathBuf,
    /// Crashes so far: each leaves a file of its own, which the next process opens.
    crashes: u32,
}

impl Files {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Memory where there is such a place: what is tried here is what is written, not the disk.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            memory
        } else {
            Path::new(env!("CARGO_TARGET_TMPDIR"))
        };
        let folder = folder.join(format!("tillbox-sim-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder is made");
        Self { folder, crashes: 0 }
    }

    fn database(&self) -> PathBuf {
        self.folder.join(format!("{}.db", self.crashes))
    }

    /// Keeps the file as it is, with that write-ahead log, for the next process.
    fn crash(&mut self, log: &[u8]) {
        let from = self.database();
        self.crashes += 1;
        let to = self.database();
        fs::copy(from, &to).expect("a database is copied");
        fs::write(log_of(&to), log).expect("its log is written");
    }

    fn log(&self) -> Vec<u8> {
        fs::read(log_of(&self.database())).unwrap_or_default()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn lock(files: &Mutex<Files>) -> MutexGuard<'_, Files> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new database as a file, which migrating makes once.
fn empty_database() -> &'static [u8] {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    EMPTY.get_or_init(|| {
        let files = Files::new();
        drop(open(&files.database()));
        fs::read(files.database()).expect("it was made")
    })
}

fn open(path: &Path) -> (SqliteStore, Connection) {
    let url = format!("sqlite:{}", path.display());
    SqliteStore::open(&url).expect("the database opens")
}

impl Disk for SqliteDisk {
    type Store = SqliteProcess;

    fn new() -> Self {
        let files = Files::new();
        fs::write(files.database(), empty_database()).expect("a new database");
        Self {
            files: Arc::new(Mutex::new(files)),
            store: None,
        }
    }

    fn open(&mut self) -> SqliteProcess {
        self.store = None;
        let (store, writer) = open(&lock(&self.files).database());
        self.store = Some(store);
        let ledger = SqliteLedger::trailing(writer, TRAILING);
        SqliteProcess {
            ledger: ledger.expect("the log's tail is readable"),
            files: Arc::clone(&self.files),
        }
    }

    fn highest_id(&self) -> i64 {
        let store = self.store.as_ref().expect("it was opened");
        store.highest_id().expect("ids are read")
    }

    fn has_wallet(&self, wallet: WalletId) -> bool {
        let store = self.store.as_ref().expect("it was opened");
        let row = store.read(|connection| wallets::get(connection, MERCHANT, wallet));
        row.expect("wallets are readable").is_some()
    }

    fn rows_behind(&self, wallet: WalletId, version: u64) -> Vec<Arc<Entry>> {
        let store = self.store.as_ref().expect("it was opened");
        let rows = store.read(|connection| log::read(connection, wallet, version, usize::MAX));
        let rows = rows.expect("the log is readable");
        rows.into_iter().map(Arc::new).collect()
    }

    fn compare(&self, _: WalletId, _: &Model) {}

    fn audit(&mut self, audits: Vec<(WalletAudit, WalletState)>) {
        let report = verify(&lock(&self.files).database(), &mut |_| {}).expect("the audit runs");
        assert!(report.violations.is_empty(), "{report}");
        let mut process = self.open();
        for (_, shown) in audits {
            let loaded = process.load_wallets(&[shown.id]).expect("it is read");
            assert_eq!(loaded, [Some(shown)], "what a new engine loads");
        }
    }
}

impl Mortal for SqliteProcess {
    fn die(&mut self) {
        let mut files = lock(&self.files);
        let log = files.log();
        files.crash(&log);
    }

    fn die_in_commit(&mut self, batch: &Batch<'_>, chance: u64) -> Result<(), CommitError> {
        let files = Arc::clone(&self.files);
        let mut files = lock(&files);
        let database = fs::read(files.database()).expect("it is readable");
        let before = files.log();
        self.ledger.commit(batch)?;
        let after = files.log();
        // A log that was folded into the database was synced before.
        let is_folded = fs::read(files.database()).expect("it is readable") != database;
        let torn = if is_folded {
            after
        } else {
            torn(&before, &after, chance)
        };
        files.crash(&torn);
        Ok(())
    }
}

/// What the log is if the power fails while it goes from `before` to `after`: some of it is written, from the front.
fn torn(before: &[u8], after: &[u8], chance: u64) -> Vec<u8> {
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let fresh = u64::try_from(after.len() - same).expect("a short file");
    if fresh == 0 {
        return after.to_vec();
    }
    let kept = same + usize::try_from(chance % fresh).expect("a short file");
    let mut torn = after[..kept].to_vec();
    torn.extend(before.get(kept..).unwrap_or_default());
    torn
}

impl LedgerStore for SqliteProcess {
    type Plain = <SqliteLedger as LedgerStore>::Plain;

    fn load_wallets(&mut self, ids: &[WalletId]) -> Result<Vec<Option<WalletState>>, LoadError> {
        self.ledger.load_wallets(ids)
    }

    fn load_keys(&mut self, keys: &[[u8; 16]]) -> Result<Vec<Option<Remembered>>, LoadError> {
        self.ledger.load_keys(keys)
    }

    fn load_hold_status(
        &mut self,
        wallet: WalletId,
        hold: HoldId,
    ) -> Result<Option<HoldStatus>, LoadError> {
        self.ledger.load_hold_status(wallet, hold)
    }

    fn load_debit(
        &mut self,
        wallet: WalletId,
        debit: EntryId,
    ) -> Result<Option<DebitRecord>, LoadError> {
        self.ledger.load_debit(wallet, debit)
    }

    fn load_top_up(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
    ) -> Result<Option<TopUp>, LoadError> {
        self.ledger.load_top_up(wallet, top_up)
    }

    fn has_lot(&mut self, wallet: WalletId, lot: LotId) -> Result<bool, LoadError> {
        self.ledger.has_lot(wallet, lot)
    }

    fn load_origins(&mut self, lots: &[LotId]) -> Result<Vec<Option<Arc<Entry>>>, LoadError> {
        self.ledger.load_origins(lots)
    }

    fn load_payment(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
        payout: Option<EntryId>,
    ) -> Result<Option<PaymentRecord>, LoadError> {
        self.ledger.load_payment(wallet, top_up, payout)
    }

    fn find_open_wallet(
        &mut self,
        merchant: MerchantId,
        customer: CustomerId,
        currency: Currency,
    ) -> Result<Option<WalletId>, LoadError> {
        self.ledger.find_open_wallet(merchant, customer, currency)
    }

    fn trails(&self, wallet: WalletId) -> bool {
        self.ledger.trails(wallet)
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), CommitError> {
        self.ledger.commit(batch)
    }

    fn run_plain(&mut self, writes: Vec<Self::Plain>) -> Result<(), CommitError> {
        self.ledger.run_plain(writes)
    }
}
