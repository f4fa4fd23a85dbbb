//! Tests on real files: opening, plain tables, reads. The ledger's own tests are the conformance suite.

mod anchor;
mod audit_log;
mod books;
mod customers;
mod erasures;
mod events;
mod history;
mod listing;
mod opening;
mod outbox;
mod plain;
mod pool;
mod portal_sessions;
mod snapshots;
mod top_ups;
mod transactions;
mod walk;
mod wallets;

use super::{Connection, PlainWrite, SqliteLedger, SqliteStore, in_transaction};
use crate::error::StoreError;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Credit, Debit, Expiry, PlaceHold};
use tillbox_core::currency::Currency;
use tillbox_core::decide::{Context, decide};
use tillbox_core::entry::{Actor, Entry, EntryKind, Note, Stamp, seal};
use tillbox_core::id::{CustomerId, EntryId, HoldId, MerchantId, OutboxId, WalletId};
use tillbox_core::lot::FundingType;
use tillbox_core::reason::{Language, Reason};
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::{NewWallet, WalletState, WalletStatus};
use tillbox_engine::port::{
    Batch, CommitError, HoldWrite, LedgerStore, LotWrite, OpenedWallet, TopUpWrite,
};

/// Whose things they are.
const OURS: MerchantId = MerchantId::from_number(1);
/// Who must see none of them.
const FOREIGN: MerchantId = MerchantId::from_number(2);

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tillbox-store-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path.canonicalize().expect("a folder"))
    }

    fn file(&self) -> PathBuf {
        self.0.join("tillbox.db")
    }

    fn url(&self) -> String {
        url(&self.file())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn usd() -> Currency {
    Currency::parse("USD").expect("a currency")
}

fn units(units: i64) -> Amount {
    Amount::from_micros(units * 1_000_000)
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// A database whose plain tables are written directly.
struct Plain {
    store: SqliteStore,
    writer: Connection,
    folder: Folder,
}

impl Plain {
    fn new() -> Self {
        let folder = Folder::new();
        let (store, writer) = SqliteStore::open(&folder.url()).expect("opens");
        Self {
            store,
            writer,
            folder,
        }
    }

    fn write<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        in_transaction(&mut self.writer, write)
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> T {
        self.store.read(read).expect("reads")
    }
}

/// A plain write beside the ledger's.
struct Once<F>(Option<F>);

impl<F: FnOnce(&Connection) -> Result<(), StoreError> + Send> PlainWrite for Once<F> {
    fn key(&self) -> Option<[u8; 16]> {
        None
    }

    fn refuse(&mut self) {}

    fn run(&mut self, connection: &Connection) -> bool {
        self.0.take().is_some_and(|write| write(connection).is_ok())
    }

    fn settle(self: Box<Self>, outcome: Result<(), CommitError>) {
        outcome.expect("written");
    }
}

/// A database whose wallets are written as the ledger writes them: a commit for each command.
struct Ledger {
    store: SqliteStore,
    writer: SqliteLedger,
    states: BTreeMap<WalletId, WalletState>,
    last_id: Cell<i64>,
    now: Timestamp,
    folder: Folder,
}

impl Ledger {
    fn new() -> Self {
        let folder = Folder::new();
        let (store, writer) = SqliteStore::open(&folder.url()).expect("opens");
        Self {
            store,
            writer: SqliteLedger::new(writer).expect("loads"),
            states: BTreeMap::new(),
            last_id: Cell::new(100),
            now: at(1_000),
            folder,
        }
    }

    /// Ends as a process that stops; the files stay.
    fn close(self) -> Folder {
        self.folder
    }

    /// As a new process would find it.
    fn reopen(&mut self) {
        let elsewhere = Folder::new();
        let (store, writer) = SqliteStore::open(&elsewhere.url()).expect("opens");
        drop(std::mem::replace(&mut self.store, store));
        drop(std::mem::replace(
            &mut self.writer,
            SqliteLedger::new(writer).expect("loads"),
        ));
        let (store, writer) = SqliteStore::open(&self.folder.url()).expect("opens");
        self.store = store;
        self.writer = SqliteLedger::new(writer).expect("loads");
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> T {
        self.store.read(read).expect("reads")
    }

    fn next_id(&self) -> i64 {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    fn open(&mut self, merchant: MerchantId, customer: i64, currency: Currency) -> WalletId {
        let wallet = NewWallet {
            id: WalletId::from_number(self.next_id()),
            merchant_id: merchant,
            customer_id: CustomerId::from_number(customer),
            currency,
            language: Language::En,
            status: WalletStatus::Active,
            overdraft_limit: Amount::ZERO,
        };
        let state = WalletState::new(wallet);
        let opened = OpenedWallet {
            wallet,
            name: None,
            metadata: "{}".to_owned(),
            created_at: self.now,
            outbox_id: OutboxId::from_number(self.next_id()),
            opened_by: Actor::System,
            request: None,
        };
        self.commit(&Batch {
            opened: &[opened],
            entries: &[],
            wallets: &[&state],
            lots: &[],
            holds: &[],
            top_ups: &[],
            answers: &[],
            shown: &[],
        });
        self.states.insert(state.id, state);
        wallet.id
    }

    fn plain(
        &mut self,
        write: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) {
        let write = Box::new(Once(Some(write)));
        self.writer.run_plain(vec![write]).expect("writes");
    }

    fn commit(&mut self, batch: &Batch<'_>) {
        self.writer.commit(batch).expect("commits");
    }

    /// Decides and commits one command, at the instant that holds.
    fn run(&mut self, wallet: WalletId, command: &Command) -> Arc<Entry> {
        let mut state = self.states.remove(&wallet).expect("an open wallet");
        let id = EntryId::from_number(self.next_id());
        let event = {
            let next_id = || self.next_id();
            let context = Context {
                now: self.now,
                entry_id: id,
                next_id: &next_id,
                policies: &tillbox_core::policy::Policies::default(),
            };
            decide(&state, command, &context).expect("an allowed command")
        };
        let stamp = Stamp {
            id,
            at: self.now,
            actor: Actor::System,
            key: None,
            salt: [9; 16],
        };
        let entry = Arc::new(seal(&state, event, stamp));
        state.apply(&entry);
        let event = &entry.event;
        let made = event.lots.iter().map(|lot| LotWrite::Opened {
            wallet_id: wallet,
            lot: lot.clone(),
        });
        let changed = event.parts.iter().map(|part| {
            let open = state.lot(&part.lot);
            LotWrite::Changed {
                id: part.lot.id,
                remaining: open.map_or(Amount::ZERO, |lot| lot.remaining),
                held: open.map_or(Amount::ZERO, |lot| lot.held),
                expires_at: None,
            }
        });
        let lots: Vec<LotWrite> = made.chain(changed).collect();
        let holds: Vec<HoldWrite> = event
            .hold
            .iter()
            .map(|change| HoldWrite {
                wallet_id: wallet,
                hold: state
                    .hold(change.id)
                    .cloned()
                    .unwrap_or_else(|| change.to_hold()),
            })
            .collect();
        let by = |kind: EntryKind| (event.kind == kind).then_some(entry.id);
        let moved = event.top_up_id.zip(event.top_up.as_deref());
        let top_ups: Vec<TopUpWrite> = moved
            .map(|(id, top_up)| TopUpWrite {
                wallet_id: wallet,
                id,
                top_up: top_up.clone(),
                opened_by: by(EntryKind::TopUpOpened),
                credited_by: by(EntryKind::Credit),
                updated_at: self.now,
            })
            .into_iter()
            .collect();
        self.commit(&Batch {
            opened: &[],
            entries: &[Arc::clone(&entry)],
            wallets: &[&state],
            lots: &lots,
            holds: &holds,
            top_ups: &top_ups,
            answers: &[],
            // Tests read all tables.
            shown: &[wallet],
        });
        self.states.insert(wallet, state);
        entry
    }

    fn credit(&mut self, wallet: WalletId, expiry: Option<Expiry>) -> Arc<Entry> {
        let credit = Credit {
            amount: units(10),
            funding: FundingType::Promotional,
            reason: Reason::Promotional,
            priority: 50,
            expiry,
            maximum_balance: None,
            note: Note::default(),
        };
        self.run(wallet, &Command::Credit(credit))
    }

    fn debit(&mut self, wallet: WalletId, reason: Reason, reference: &str) -> Arc<Entry> {
        let debit = Debit {
            amount: units(1),
            reason,
            force: None,
            note: Note {
                reference: Some(reference.into()),
                ..Note::default()
            },
        };
        self.run(wallet, &Command::Debit(debit))
    }

    fn place_hold(&mut self, wallet: WalletId, description: &str) -> HoldId {
        let hold = PlaceHold {
            amount: units(1),
            expiry: Expiry::InSeconds(600),
            invoice_id: None,
            note: Note {
                description: Some(description.into()),
                reference: Some("order-7".into()),
                metadata: Some(r#"{"seat":"4A"}"#.into()),
            },
        };
        let entry = self.run(wallet, &Command::PlaceHold(hold));
        entry.event.hold.expect("a hold").id
    }
}
