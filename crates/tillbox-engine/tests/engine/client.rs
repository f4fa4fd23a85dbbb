//! The caller's side: an engine with a clock that is moved by hand, and commands in a few words.

use crate::faulty::{Durable, FaultyStore};
use std::sync::Arc;
use std::thread::JoinHandle;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Credit, Debit, Force};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Actor, Entry, KeyStamp, Note};
use tillbox_core::id::{CustomerId, MerchantId, OutboxId, WalletId};
use tillbox_core::id_source::IdSource;
use tillbox_core::lot::FundingType;
use tillbox_core::reason::{Language, Reason};
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::{NewWallet, WalletState, WalletStatus};
use tillbox_engine::clock::{Clock, ManualClock, MerchantClock};
use tillbox_engine::port::OpenedWallet;
use tillbox_engine::work::{Answer, Mode, OpenSubmission, Outcome, Submission, SubmitError};
use tillbox_engine::{Engine, LaneEnd, Options};

pub(crate) const MERCHANT: MerchantId = MerchantId::from_number(1);
/// Where clocks stand at first: 2026-01-01.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// A running engine.
pub(crate) struct Running {
    pub(crate) engine: Engine<FaultyStore>,
    pub(crate) thread: JoinHandle<LaneEnd>,
}

impl Running {
    pub(crate) fn start(store: FaultyStore, options: Options) -> Self {
        let (engine, thread) = Engine::start(store, options).expect("a thread is started");
        Self { engine, thread }
    }

    /// Ends it as an operator does.
    pub(crate) fn stop(self) -> LaneEnd {
        self.engine.stop();
        self.thread.join().expect("the lane does not panic")
    }
}

pub(crate) fn options(clock: &Arc<ManualClock>, durable: &Durable) -> Options {
    let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    let store = durable.look();
    let rows = store.entries().map(|entry| entry.id.number());
    let wallets = store.opened().map(|opened| opened.wallet.id);
    let lots = wallets.flat_map(|wallet| store.lots_of(wallet));
    let last = rows.chain(lots.map(|lot| lot.id.number())).max();
    Options {
        clock: shared,
        ids: Arc::new(IdSource::after(last.unwrap_or(0))),
        salt_key: [7; 32],
        queue: 64,
        batch: 1_024,
        cache_bytes: 1 << 20,
        runtime: None,
    }
}

/// Runs a future to its end on this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}

pub(crate) fn wallet(number: i64) -> WalletId {
    WalletId::from_number(number)
}

pub(crate) fn units(units: i64) -> Amount {
    Amount::from_micros(units * 1_000_000)
}

pub(crate) fn credit(amount: i64) -> Command {
    Command::Credit(Credit::new(units(amount), FundingType::Cash))
}

pub(crate) fn debit_of(amount: Amount, force: Option<Force>) -> Debit {
    Debit {
        amount,
        reason: Reason::Usage,
        force,
        note: Note::default(),
    }
}

pub(crate) fn debit(amount: i64) -> Command {
    Command::Debit(debit_of(units(amount), None))
}

pub(crate) fn forced(amount: i64) -> Command {
    Command::Debit(debit_of(units(amount), Some(Force { floor: None })))
}

pub(crate) fn key(number: u64, fingerprint: u8) -> KeyStamp {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number.to_be_bytes());
    KeyStamp {
        key,
        fingerprint: [fingerprint; 16],
    }
}

/// A command for wallet 1 without a key.
pub(crate) fn ask(command: Command) -> Submission {
    Submission {
        merchant_id: MERCHANT,
        wallet_id: wallet(1),
        command,
        key: None,
        actor: Actor::System,
        clock: MerchantClock::default(),
        policies: Arc::default(),
        at: None,
        mode: Mode::Commit,
        answer: None,
    }
}

/// The same under a key.
pub(crate) fn keyed(command: Command, number: u64) -> Submission {
    Submission {
        key: Some(key(number, 1)),
        ..ask(command)
    }
}

/// A wallet to open. Its answer is its balance in text.
pub(crate) fn opening(number: i64, overdraft_limit: Amount) -> OpenSubmission {
    let new = NewWallet {
        id: wallet(number),
        merchant_id: MERCHANT,
        customer_id: CustomerId::from_number(number),
        currency: Currency::parse("USD").expect("a currency"),
        language: Language::En,
        status: WalletStatus::Active,
        overdraft_limit,
    };
    OpenSubmission {
        opened: OpenedWallet {
            wallet: new,
            name: None,
            metadata: "{}".to_owned(),
            created_at: START,
            outbox_id: OutboxId::from_number(0),
            opened_by: Actor::System,
            request: None,
        },
        credit: None,
        key: None,
        actor: Actor::System,
        clock: MerchantClock::default(),
        policies: Arc::default(),
        mode: Mode::Commit,
        answer: Arc::new(|state: &WalletState, _rows, now| {
            (
                201,
                format!("{} {now}", state.balance.micros()).into_bytes(),
            )
        }),
    }
}

/// The row of an answer, and whether it was there before.
pub(crate) fn row(answer: &Answer) -> (Arc<Entry>, bool) {
    match answer {
        Ok(Outcome::Row {
            entry, replayed, ..
        }) => (Arc::clone(entry), *replayed),
        other => panic!("no row but {other:?}"),
    }
}

/// Why it was refused.
pub(crate) fn refusal(answer: &Answer) -> Rejection {
    match answer {
        Err(SubmitError::Rejected { rejection, .. }) => rejection.clone(),
        other => panic!("not refused but {other:?}"),
    }
}
