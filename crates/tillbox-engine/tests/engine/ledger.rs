//! One wallet over a store: what most tests begin with.

use crate::client::{MERCHANT, Running, START, ask, credit, opening, options, row, wait, wallet};
use crate::faulty::{Durable, FaultyStore};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Expiry, PlaceHold, Refund};
use tillbox_core::entry::Note;
use tillbox_core::id::EntryId;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tillbox_engine::clock::{ManualClock, MerchantClock};
use tillbox_engine::work::SubmitError;
use tillbox_engine::{Engine, LaneEnd};

pub(crate) struct Ledger {
    pub(crate) durable: Durable,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) running: Running,
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(START))
}

impl Ledger {
    /// Over that store.
    pub(crate) fn over(durable: &Durable, store: FaultyStore) -> Self {
        let clock = clock();
        let running = Running::start(store, options(&clock, durable));
        Self {
            durable: durable.clone(),
            clock,
            running,
        }
    }

    /// Wallet 1 with so much, over a sound store.
    pub(crate) fn with_balance(balance: i64) -> Self {
        let durable = Durable::new();
        Self::over(&durable, FaultyStore::sound(&durable)).fill(balance)
    }

    /// Opens wallet 1 and credits it.
    pub(crate) fn fill(self, balance: i64) -> Self {
        wait(self.engine().open_wallet(opening(1, Amount::ZERO))).expect("opened");
        row(&wait(self.engine().submit(ask(credit(balance)))));
        self
    }

    pub(crate) fn engine(&self) -> Engine<FaultyStore> {
        self.running.engine.clone()
    }

    /// What is durable of wallet 1.
    pub(crate) fn state(&self) -> WalletState {
        self.durable.state(wallet(1))
    }

    /// Looks at wallet 1 through the engine.
    pub(crate) fn read<T: Send + 'static, F>(
        &self,
        look: F,
    ) -> impl Future<Output = Result<T, SubmitError>> + use<T, F>
    where
        F: FnOnce(&WalletState, Timestamp) -> T + Send + 'static,
    {
        let engine = self.engine();
        let clock = MerchantClock::default();
        async move { engine.read(MERCHANT, wallet(1), clock, look).await }
    }

    /// Stops it as an operator does.
    pub(crate) fn end(self) {
        assert_eq!(self.running.stop(), LaneEnd::Stopped);
    }
}

pub(crate) fn refund(debit_id: EntryId, amount: Option<i64>) -> Command {
    Command::Refund(Refund {
        debit_id,
        amount: amount.map(crate::client::units),
        grace_days: 30,
        debit: None,
        note: Note::default(),
    })
}

pub(crate) fn hold(amount: i64, seconds: i64) -> Command {
    Command::PlaceHold(PlaceHold {
        amount: crate::client::units(amount),
        expiry: Expiry::InSeconds(seconds),
        invoice_id: None,
        note: Note::default(),
    })
}
