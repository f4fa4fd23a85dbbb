//! A store that fails as the plan of the round says.

use crate::disk::Mortal;
use crate::plan::{Fate, Plan};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use tillbox_core::command::{DebitRecord, PaymentRecord};
use tillbox_core::currency::Currency;
use tillbox_core::entry::Entry;
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{CustomerId, EntryId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::top_up::TopUp;
use tillbox_core::wallet::WalletState;
use tillbox_engine::port::{Batch, CommitError, LedgerStore, LoadError, Remembered};

/// No wallet: who reads it holds up the engine at [`Faulty::gate`], twice.
pub(crate) const GATE: WalletId = WalletId::from_number(i64::MAX);

/// The store that an engine gets.
pub(crate) struct Faulty<S> {
    inner: S,
    plan: Arc<Mutex<Plan>>,
    gate: Arc<Barrier>,
}

impl<S: Mortal> Faulty<S> {
    pub(crate) fn new(inner: S, plan: &Arc<Mutex<Plan>>, gate: &Arc<Barrier>) -> Self {
        Self {
            inner,
            plan: Arc::clone(plan),
            gate: Arc::clone(gate),
        }
    }

    fn load<T>(
        &mut self,
        load: impl FnOnce(&mut S) -> Result<T, LoadError>,
    ) -> Result<T, LoadError> {
        let fate = self.plan().fate_of_load();
        match fate {
            Some(Fate::Refused) => Err(LoadError("injected".to_owned())),
            Some(_) => self.die(),
            None => load(&mut self.inner),
        }
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unwinds as a panic does, without its message: the thread ends in the middle.
    fn die(&mut self) -> ! {
        self.inner.die();
        std::panic::resume_unwind(Box::new("crash"))
    }
}

impl<S: Mortal> LedgerStore for Faulty<S> {
    type Plain = S::Plain;

    fn load_wallets(&mut self, ids: &[WalletId]) -> Result<Vec<Option<WalletState>>, LoadError> {
        if ids == [GATE] {
            self.gate.wait();
            self.gate.wait();
            return Ok(vec![None]);
        }
        self.load(|store| store.load_wallets(ids))
    }

    fn load_keys(&mut self, keys: &[[u8; 16]]) -> Result<Vec<Option<Remembered>>, LoadError> {
        self.load(|store| store.load_keys(keys))
    }

    fn load_hold_status(
        &mut self,
        wallet: WalletId,
        hold: HoldId,
    ) -> Result<Option<HoldStatus>, LoadError> {
        self.load(|store| store.load_hold_status(wallet, hold))
    }

    fn load_debit(
        &mut self,
        wallet: WalletId,
        debit: EntryId,
    ) -> Result<Option<DebitRecord>, LoadError> {
        self.load(|store| store.load_debit(wallet, debit))
    }

    fn load_top_up(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
    ) -> Result<Option<TopUp>, LoadError> {
        self.load(|store| store.load_top_up(wallet, top_up))
    }

    fn has_lot(&mut self, wallet: WalletId, lot: LotId) -> Result<bool, LoadError> {
        self.load(|store| store.has_lot(wallet, lot))
    }

    fn load_origins(&mut self, lots: &[LotId]) -> Result<Vec<Option<Arc<Entry>>>, LoadError> {
        self.load(|store| store.load_origins(lots))
    }

    fn load_payment(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
        payout: Option<EntryId>,
    ) -> Result<Option<PaymentRecord>, LoadError> {
        self.load(|store| store.load_payment(wallet, top_up, payout))
    }

    fn find_open_wallet(
        &mut self,
        merchant: MerchantId,
        customer: CustomerId,
        currency: Currency,
    ) -> Result<Option<WalletId>, LoadError> {
        self.load(|store| store.find_open_wallet(merchant, customer, currency))
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), CommitError> {
        let keys = batch.entries.iter().filter_map(|entry| entry.key);
        let answers = batch.answers.iter().map(|answer| answer.key);
        let fate = self.plan().fate_of_commit(keys.chain(answers));
        let unknown = || Err(CommitError::OutcomeUnknown("injected".to_owned()));
        match fate {
            Fate::Refused => Err(CommitError::NothingWritten("injected".to_owned())),
            Fate::WriteLost => unknown(),
            Fate::CrashBefore => self.die(),
            Fate::Written => self.inner.commit(batch),
            Fate::AnswerLost => self.inner.commit(batch).and_then(|()| unknown()),
            Fate::CrashAfter => {
                self.inner.commit(batch)?;
                self.die()
            }
            Fate::Torn { chance } => {
                self.inner.die_in_commit(batch, chance)?;
                std::panic::resume_unwind(Box::new("crash"))
            }
        }
    }

    fn run_plain(&mut self, writes: Vec<S::Plain>) -> Result<(), CommitError> {
        self.inner.run_plain(writes)
    }
}
