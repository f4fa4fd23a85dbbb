//! The store in memory: what is durable is what it holds.

use crate::disk::{Disk, Mortal};
use crate::model::{Model, wide};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tillbox_core::audit::WalletAudit;
use tillbox_core::command::{DebitRecord, PaymentRecord};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, EntryKind};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{CustomerId, EntryId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::top_up::{TopUp, TopUpStatus};
use tillbox_core::wallet::WalletState;
use tillbox_engine::memory::MemoryStore;
use tillbox_engine::port::{Batch, CommitError, LedgerStore, LoadError, Remembered};

/// What is shared by the engine, its successors and the model.
#[derive(Clone, Default)]
pub(crate) struct MemoryDisk(Arc<Mutex<MemoryStore>>);

impl MemoryDisk {
    fn look(&self) -> MutexGuard<'_, MemoryStore> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for MemoryDisk {
    type Store = Self;

    fn new() -> Self {
        Self::default()
    }

    fn open(&mut self) -> Self {
        self.clone()
    }

    fn highest_id(&self) -> i64 {
        let store = self.look();
        let rows = store.entries().map(|entry| entry.id.number());
        let wallets = store.opened().map(|opened| opened.wallet.id);
        let lots = wallets.flat_map(|wallet| store.lots_of(wallet));
        let outbox = store.opened().map(|opened| opened.outbox_id.number());
        let lots = lots.map(|lot| lot.id.number());
        let last = rows.chain(outbox).chain(lots).max();
        last.unwrap_or(0)
    }

    fn has_wallet(&self, wallet: WalletId) -> bool {
        let store = self.look();
        store.opened().any(|opened| opened.wallet.id == wallet)
    }

    fn rows_behind(&self, wallet: WalletId, version: u64) -> Vec<Arc<Entry>> {
        self.look()
            .entries_behind(wallet, version)
            .cloned()
            .collect()
    }

    fn compare(&self, id: WalletId, model: &Model) {
        let mut store = self.look();
        let mut lots: Vec<_> = store.lots_of(id).collect();
        lots.sort_by_key(|lot| lot.draw_key());
        let lots = lots.iter().map(|lot| {
            let sums = (wide(lot.amount), wide(lot.remaining), wide(lot.held));
            (lot.priority, lot.expires_at, lot.withdrawable, sums)
        });
        let mut order: Vec<usize> = (0..model.lots.len()).collect();
        order.sort_by_key(|lot| model.order(*lot));
        let expected = order.iter().map(|at| &model.lots[*at]).map(|lot| {
            let sums = (lot.amount, lot.remaining, lot.held);
            (lot.priority, lot.expires, lot.withdrawable, sums)
        });
        assert!(lots.eq(expected), "lots of {id} in the store");
        let holds = store.holds_of(id).map(|hold| {
            let sums = [hold.remaining(), hold.captured, hold.released].map(wide);
            (hold.id, hold.status, hold.expires_at, sums)
        });
        let expected = model.holds.iter().map(|(id, hold)| {
            let sums = [hold.remaining, hold.captured, hold.released];
            (*id, hold.status, hold.expires, sums)
        });
        assert!(holds.eq(expected), "holds of {id} in the store");
        for (top_up, one) in &model.top_ups {
            let stored = store.load_top_up(id, *top_up).expect("memory is read");
            let stored = stored.expect("the top-up is kept");
            assert_eq!(
                (wide(stored.amount), stored.status),
                (one.amount, one.status)
            );
        }
        for (top_up, one) in &model.payments {
            let stored = store
                .load_payment(id, *top_up, None)
                .expect("memory is read");
            let stored = stored.and_then(|record| record.payback);
            let stored = stored.expect("what was charged can go back");
            let sums = [
                stored.lapsed,
                stored.refunded,
                stored.clawed,
                stored.charged_back,
            ];
            let lapsed = model.lapsed_bonus(one);
            let expected = [lapsed, one.refunded(), one.clawed(), one.charged_back()];
            assert_eq!(sums.map(wide), expected, "what went back of {top_up}");
            let of_gift = wide(stored.given_charged_back);
            let most = one.charged_back().min(wide(stored.given));
            assert!(
                (0..=most).contains(&of_gift),
                "{of_gift} of {most} was given"
            );
            let told = stored.disputes.iter();
            let told = told.map(|dispute| (&*dispute.provider_id, dispute.status));
            let expected = one.disputes.iter().map(|one| (&*one.name, one.status));
            assert!(told.eq(expected), "disputes of {top_up}");
        }
        let loaded = store.load_wallets(&[id]).expect("memory is read").remove(0);
        assert_eq!(loaded.expect("it was opened").version, model.version);
    }

    fn audit(&mut self, audits: Vec<(WalletAudit, WalletState)>) {
        let mut store = self.look();
        for (audit, shown) in audits {
            let opened = store.opened().find(|one| one.wallet.id == shown.id);
            let audited = audit.finish(opened.expect("it was opened").wallet);
            assert_eq!(audited.violations, vec![]);
            assert_eq!(audited.state, Some(shown.clone()), "what the rows come to");
            for (id, (top_up, _)) in &audited.top_ups {
                let credits = store.entries_of(shown.id).filter(|row| {
                    row.event.kind == EntryKind::Credit
                        && row.event.top_up_id == Some(*id)
                        && row.event.top_up.is_some()
                });
                let paid = top_up.status == TopUpStatus::Succeeded;
                assert_eq!(credits.count(), usize::from(paid), "one credit per payment");
            }
            let loaded = store.load_wallets(&[shown.id]).expect("memory is read");
            assert_eq!(loaded, [Some(shown)], "what a new engine loads");
        }
    }
}

impl Mortal for MemoryDisk {
    fn die(&mut self) {}

    fn die_in_commit(&mut self, batch: &Batch<'_>, chance: u64) -> Result<(), CommitError> {
        if chance.is_multiple_of(2) {
            self.commit(batch)?;
        }
        Ok(())
    }
}

impl LedgerStore for MemoryDisk {
    type Plain = Infallible;

    fn load_wallets(&mut self, ids: &[WalletId]) -> Result<Vec<Option<WalletState>>, LoadError> {
        self.look().load_wallets(ids)
    }

    fn load_keys(&mut self, keys: &[[u8; 16]]) -> Result<Vec<Option<Remembered>>, LoadError> {
        self.look().load_keys(keys)
    }

    fn load_hold_status(
        &mut self,
        wallet: WalletId,
        hold: HoldId,
    ) -> Result<Option<HoldStatus>, LoadError> {
        self.look().load_hold_status(wallet, hold)
    }

    fn load_debit(
        &mut self,
        wallet: WalletId,
        debit: EntryId,
    ) -> Result<Option<DebitRecord>, LoadError> {
        self.look().load_debit(wallet, debit)
    }

    fn load_top_up(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
    ) -> Result<Option<TopUp>, LoadError> {
        self.look().load_top_up(wallet, top_up)
    }

    fn has_lot(&mut self, wallet: WalletId, lot: LotId) -> Result<bool, LoadError> {
        self.look().has_lot(wallet, lot)
    }

    fn load_origins(&mut self, lots: &[LotId]) -> Result<Vec<Option<Arc<Entry>>>, LoadError> {
        self.look().load_origins(lots)
    }

    fn load_payment(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
        payout: Option<EntryId>,
    ) -> Result<Option<PaymentRecord>, LoadError> {
        self.look().load_payment(wallet, top_up, payout)
    }

    fn find_open_wallet(
        &mut self,
        merchant: MerchantId,
        customer: CustomerId,
        currency: Currency,
    ) -> Result<Option<WalletId>, LoadError> {
        self.look().find_open_wallet(merchant, customer, currency)
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), CommitError> {
        self.look().commit(batch)
    }

    fn run_plain(&mut self, writes: Vec<Infallible>) -> Result<(), CommitError> {
        self.look().run_plain(writes)
    }
}
