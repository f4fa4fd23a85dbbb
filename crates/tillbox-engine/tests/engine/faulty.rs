//! A store in memory that fails as it is told, and whose durable content outlives the engine.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tillbox_core::command::{DebitRecord, PaymentRecord};
use tillbox_core::currency::Currency;
use tillbox_core::entry::Entry;
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{CustomerId, EntryId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::top_up::TopUp;
use tillbox_core::wallet::WalletState;
use tillbox_engine::memory::MemoryStore;
use tillbox_engine::port::{Batch, CommitError, LedgerStore, LoadError, Remembered};

/// What becomes of one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written.
    Written,
    /// It fails, for certain.
    Refused,
    /// It is written, and the answer is lost.
    AnswerLost,
    /// It is not written, and nobody can know.
    WriteLost,
    /// The process dies before it is written.
    CrashBefore,
    /// The process dies when it is written.
    CrashAfter,
}

type OnCommit = Box<dyn FnMut(&Batch<'_>) -> Fate + Send>;
type OnLoad = Box<dyn FnMut(&'static str) -> bool + Send>;

/// What is shared with the test.
#[derive(Clone)]
pub(crate) struct Durable(Arc<Mutex<MemoryStore>>);

impl Durable {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(MemoryStore::new())))
    }

    /// The durable content.
    pub(crate) fn look(&self) -> MutexGuard<'_, MemoryStore> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of a wallet, as a new engine would load it.
    pub(crate) fn state(&self, wallet: WalletId) -> WalletState {
        let mut loaded = self.look().load_wallets(&[wallet]).expect("memory is read");
        loaded.remove(0).expect("the wallet is there")
    }
}

/// The store that an engine gets.
pub(crate) struct FaultyStore {
    durable: Durable,
    on_commit: OnCommit,
    on_load: OnLoad,
}

impl FaultyStore {
    /// Does as `on_commit` says, and fails the loads that `on_load` names.
    pub(crate) fn new(
        durable: &Durable,
        on_commit: impl FnMut(&Batch<'_>) -> Fate + Send + 'static,
        on_load: impl FnMut(&'static str) -> bool + Send + 'static,
    ) -> Self {
        Self {
            durable: durable.clone(),
            on_commit: Box::new(on_commit),
            on_load: Box::new(on_load),
        }
    }

    /// Never fails.
    pub(crate) fn sound(durable: &Durable) -> Self {
        Self::new(durable, |_| Fate::Written, |_| false)
    }

    fn load<T>(
        &mut self,
        what: &'static str,
        load: impl FnOnce(&mut MemoryStore) -> Result<T, LoadError>,
    ) -> Result<T, LoadError> {
        if (self.on_load)(what) {
            return Err(LoadError(what.to_owned()));
        }
        load(&mut self.durable.look())
    }
}

impl LedgerStore for FaultyStore {
    type Plain = Infallible;

    fn load_wallets(&mut self, ids: &[WalletId]) -> Result<Vec<Option<WalletState>>, LoadError> {
        self.load("wallets", |store| store.load_wallets(ids))
    }

    fn load_keys(&mut self, keys: &[[u8; 16]]) -> Result<Vec<Option<Remembered>>, LoadError> {
        self.load("keys", |store| store.load_keys(keys))
    }

    fn load_hold_status(
        &mut self,
        wallet: WalletId,
        hold: HoldId,
    ) -> Result<Option<HoldStatus>, LoadError> {
        self.load("hold", |store| store.load_hold_status(wallet, hold))
    }

    fn load_debit(
        &mut self,
        wallet: WalletId,
        debit: EntryId,
    ) -> Result<Option<DebitRecord>, LoadError> {
        self.load("debit", |store| store.load_debit(wallet, debit))
    }

    fn load_payment(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
        payout: Option<EntryId>,
    ) -> Result<Option<PaymentRecord>, LoadError> {
        self.load("payment", |store| {
            store.load_payment(wallet, top_up, payout)
        })
    }

    fn load_top_up(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
    ) -> Result<Option<TopUp>, LoadError> {
        self.load("top-up", |store| store.load_top_up(wallet, top_up))
    }

    fn has_lot(&mut self, wallet: WalletId, lot: LotId) -> Result<bool, LoadError> {
        self.load("lot", |store| store.has_lot(wallet, lot))
    }

    fn load_origins(&mut self, lots: &[LotId]) -> Result<Vec<Option<Arc<Entry>>>, LoadError> {
        self.load("origins", |store| store.load_origins(lots))
    }

    fn find_open_wallet(
        &mut self,
        merchant: MerchantId,
        customer: CustomerId,
        currency: Currency,
    ) -> Result<Option<WalletId>, LoadError> {
        self.load("owner", |store| {
            store.find_open_wallet(merchant, customer, currency)
        })
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), CommitError> {
        let fate = (self.on_commit)(batch);
        let unknown = || Err(CommitError::OutcomeUnknown("injected".to_owned()));
        // Unwinds as a panic does, without its message: the thread ends in the middle.
        let die = || -> Result<(), CommitError> { std::panic::resume_unwind(Box::new("crash")) };
        match fate {
            Fate::Refused => return Err(CommitError::NothingWritten("injected".to_owned())),
            Fate::WriteLost => return unknown(),
            Fate::CrashBefore => return die(),
            Fate::Written | Fate::AnswerLost | Fate::CrashAfter => {}
        }
        self.durable.look().commit(batch)?;
        match fate {
            Fate::AnswerLost => unknown(),
            Fate::CrashAfter => die(),
            _ => Ok(()),
        }
    }

    fn run_plain(&mut self, writes: Vec<Infallible>) -> Result<(), CommitError> {
        self.durable.look().run_plain(writes)
    }
}
