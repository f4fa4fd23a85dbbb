//! A store in plain collections, for tests and simulation. It keeps the same promises as a real one: a batch
//! is written whole or not at all, and what is unique is refused twice.

use crate::port::{
    Batch, CommitError, HoldWrite, LedgerStore, LoadError, LotWrite, OpenedWallet, Remembered,
    StoredAnswer, TopUpWrite,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{DebitRecord, DebtPayment, PaymentRecord};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, Part};
use tillbox_core::hold::{Hold, HoldStatus};
use tillbox_core::id::{CustomerId, EntryId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::payback::Payback;
use tillbox_core::reason::Reason;
use tillbox_core::top_up::{TopUp, TopUpStatus};
use tillbox_core::wallet::{NewWallet, WalletState, WalletStatus};

/// The store. A clone is a snapshot of what is durable.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    wallets: BTreeMap<WalletId, OpenedWallet>,
    states: BTreeMap<WalletId, WalletState>,
    log: BTreeMap<EntryId, Arc<Entry>>,
    versions: BTreeMap<(WalletId, u64), EntryId>,
    keys: HashMap<[u8; 16], EntryId>,
    answers: HashMap<[u8; 16], StoredAnswer>,
    lots: HashMap<LotId, Lot>,
    lots_of: BTreeSet<(WalletId, LotId)>,
    holds: HashMap<HoldId, HoldWrite>,
    holds_of: BTreeSet<(WalletId, HoldId)>,
    top_ups: BTreeMap<TopUpId, TopUpWrite>,
}

type Owner = (MerchantId, CustomerId, Currency);

impl MemoryStore {
    /// Nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The log, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.log.values()
    }

    /// The wallets that were opened, closed ones too.
    pub fn opened(&self) -> impl Iterator<Item = &OpenedWallet> {
        self.wallets.values()
    }

    /// The rows of a wallet, in order.
    pub fn entries_of(&self, wallet: WalletId) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries_behind(wallet, 0)
    }

    /// The rows of a wallet with versions above `version`, in order.
    pub fn entries_behind(
        &self,
        wallet: WalletId,
        version: u64,
    ) -> impl Iterator<Item = &Arc<Entry>> {
        let first = (wallet, version.saturating_add(1));
        let ids = self.versions.range(first..=(wallet, u64::MAX));
        ids.filter_map(|(_, id)| self.log.get(id))
    }

    /// All lots of a wallet, spent ones too.
    pub fn lots_of(&self, wallet: WalletId) -> impl Iterator<Item = &Lot> {
        let all = (wallet, LotId::from_number(0))..=(wallet, LotId::from_number(i64::MAX));
        let ids = self.lots_of.range(all);
        ids.filter_map(|(_, id)| self.lots.get(id))
    }

    /// All holds of a wallet, ended ones too.
    pub fn holds_of(&self, wallet: WalletId) -> impl Iterator<Item = &Hold> {
        let all = (wallet, HoldId::from_number(0))..=(wallet, HoldId::from_number(i64::MAX));
        let ids = self.holds_of.range(all);
        ids.filter_map(|(_, id)| self.holds.get(id).map(|write| &write.hold))
    }

    /// All top-ups of a wallet, ended ones too.
    pub fn top_ups_of(&self, wallet: WalletId) -> impl Iterator<Item = &TopUpWrite> {
        let all = self.top_ups.values();
        all.filter(move |write| write.wallet_id == wallet)
    }

    fn open_wallet_of(&self, owner: Owner) -> Option<WalletId> {
        let is_open = |id: WalletId| {
            let state = self.states.get(&id);
            state.is_none_or(|state| state.status != WalletStatus::Closed)
        };
        let mut wallets = self.wallets.values().map(|opened| &opened.wallet);
        wallets
            .find(|wallet| owner_of(wallet) == owner && is_open(wallet.id))
            .map(|wallet| wallet.id)
    }

    /// What a real store refuses by its unique indexes, looked for before anything is written.
    fn check(&self, batch: &Batch<'_>) -> Result<(), &'static str> {
        let mut wallets = HashSet::new();
        let mut owners = HashSet::new();
        for OpenedWallet { wallet, .. } in batch.opened {
            if self.wallets.contains_key(&wallet.id) || !wallets.insert(wallet.id) {
                return Err("a wallet is there already");
            }
            let owner = owner_of(wallet);
            if self.open_wallet_of(owner).is_some() || !owners.insert(owner) {
                return Err("the customer has an open wallet in this currency");
            }
        }
        let (mut ids, mut versions) = (HashSet::new(), HashSet::new());
        for entry in batch.entries {
            let version = (entry.wallet_id, entry.version);
            if self.versions.contains_key(&version) || !versions.insert(version) {
                return Err("a version is taken");
            }
            if self.log.contains_key(&entry.id) || !ids.insert(entry.id) {
                return Err("the id of a row is taken");
            }
        }
        let mut keys = HashSet::new();
        let rows = batch.entries.iter().filter_map(|entry| entry.key);
        for stamp in rows.chain(batch.answers.iter().map(|answer| answer.key)) {
            let key = stamp.key;
            let taken = self.keys.contains_key(&key) || self.answers.contains_key(&key);
            if taken || !keys.insert(key) {
                return Err("a key is taken");
            }
        }
        let mut opened = HashSet::new();
        for write in batch.lots {
            match write {
                LotWrite::Opened { lot, .. } => {
                    if self.lots.contains_key(&lot.id) || !opened.insert(lot.id) {
                        return Err("a lot is there already");
                    }
                }
                LotWrite::Changed { id, .. } => {
                    if !self.lots.contains_key(id) {
                        return Err("a lot is not there");
                    }
                }
            }
        }
        for write in batch.top_ups {
            let before = self.top_ups.get(&write.id);
            if before.is_some_and(|before| before.top_up.status == TopUpStatus::Succeeded) {
                return Err("a top-up was credited already");
            }
            if is_open_recharge(write) && self.has_other_recharge(write, batch) {
                return Err("a recharge is in flight already");
            }
        }
        Ok(())
    }

    /// Whether another recharge of the wallet is in flight.
    /// Whether the wallet has a further recharge in flight, once the batch is written.
    fn has_other_recharge(&self, write: &TopUpWrite, batch: &Batch<'_>) -> bool {
        let is_other = |other: &TopUpWrite| {
            other.wallet_id == write.wallet_id && other.id != write.id && is_open_recharge(other)
        };
        let is_moved = |id: TopUpId| batch.top_ups.iter().any(|moved| moved.id == id);
        let mut stays = self.top_ups.values().filter(|known| !is_moved(known.id));
        stays.any(is_other) || batch.top_ups.iter().any(is_other)
    }

    fn write(&mut self, batch: &Batch<'_>) {
        for opened in batch.opened {
            self.wallets.insert(opened.wallet.id, opened.clone());
        }
        for entry in batch.entries {
            self.versions
                .insert((entry.wallet_id, entry.version), entry.id);
            if let Some(stamp) = entry.key {
                self.keys.insert(stamp.key, entry.id);
            }
            self.log.insert(entry.id, Arc::clone(entry));
        }
        for write in batch.lots {
            match write {
                LotWrite::Opened { wallet_id, lot } => {
                    self.lots_of.insert((*wallet_id, lot.id));
                    self.lots.insert(lot.id, lot.clone());
                }
                LotWrite::Changed {
                    id,
                    remaining,
                    held,
                    expires_at,
                } => {
                    let lot = self.lots.get_mut(id).expect("the batch was checked");
                    (lot.remaining, lot.held) = (*remaining, *held);
                    lot.expires_at = expires_at.unwrap_or(lot.expires_at);
                }
            }
        }
        for write in batch.holds {
            self.holds_of.insert((write.wallet_id, write.hold.id));
            self.holds.insert(write.hold.id, write.clone());
        }
        for write in batch.top_ups {
            self.top_ups.insert(write.id, write.clone());
        }
        for answer in batch.answers {
            self.answers.insert(answer.key.key, answer.clone());
        }
        for state in batch.wallets {
            self.states.insert(state.id, (*state).clone());
        }
    }

    /// The state as a store rebuilds it: from its columns, open lots and open holds.
    fn state(&self, id: WalletId) -> Option<WalletState> {
        let state = self.states.get(&id)?.clone();
        let lots = self.lots_of(id).filter(|lot| lot.remaining.is_positive());
        let holds = self
            .holds_of(id)
            .filter(|hold| hold.status == HoldStatus::Open);
        let top_ups = self
            .top_ups_of(id)
            .filter(|write| write.top_up.status.is_open());
        let top_ups: Vec<_> = top_ups
            .map(|write| (write.id, write.top_up.clone()))
            .collect();
        let (recharge, alerts) = (state.recharge.clone(), state.alerts.clone());
        let state = state.with_open(lots.cloned().collect(), holds.cloned().collect());
        Some(state.with_policy(top_ups, recharge.map(|recharge| *recharge), alerts))
    }

    fn remembered(&self, key: &[u8; 16]) -> Option<Remembered> {
        let entry = self.keys.get(key).and_then(|id| self.log.get(id));
        match entry {
            Some(entry) => Some(Remembered::Entry(Arc::clone(entry))),
            None => self.answers.get(key).cloned().map(Remembered::Answer),
        }
    }

    fn payment_record(&self, write: &TopUpWrite, payout: Option<EntryId>) -> PaymentRecord {
        let rows = || {
            let rows = self.entries_of(write.wallet_id);
            rows.filter(|row| row.event.top_up_id == Some(write.id))
        };
        let paybacks = || rows().filter_map(|row| row.event.payback.as_deref());
        let bonus = rows().find(|row| row.event.reason == Some(Reason::Bonus));
        let fresh = write.credited_by.and_then(|credit| {
            let bonus = bonus.and_then(|row| row.made_lot());
            Payback::none_yet(&write.top_up, LotId::from_number(credit.number()), bonus)
        });
        let mut payback = paybacks().last().map(Payback::standing).or(fresh);
        if let Some(payback) = &mut payback {
            let lapses = self.entries_of(write.wallet_id).map(|row| &row.event);
            let lapses = lapses.filter(|row| row.reason.is_some_and(Reason::is_lapse));
            let parts = lapses.flat_map(|row| &row.parts);
            let parts = parts.filter(|part| Some(part.lot.id) == payback.bonus_lot);
            payback.lapsed = -parts.map(|part| part.amount).sum::<Amount>();
        }
        let of_payout = paybacks().filter_map(|payback| payback.payout.as_ref());
        let known = of_payout.filter(|known| Some(known.debit_id) == payout);
        let last = payback.as_ref().and_then(|one| one.chargebacks.last());
        let debit = payout.or(last.map(|last| last.entry_id));
        let debit = debit.and_then(|id| self.log.get(&id));
        let debit = debit.filter(|row| row.wallet_id == write.wallet_id);
        PaymentRecord {
            top_up: write.top_up.clone(),
            payout: known.last().cloned(),
            debit: debit.map(|row| self.debit_record(row)),
            payback,
        }
    }

    fn debit_record(&self, debit: &Entry) -> DebitRecord {
        let rows = || self.entries_of(debit.wallet_id);
        let refunds = rows().filter(|row| row.event.refund_of == Some(debit.id));
        let parts = rows().flat_map(|row| &row.event.parts);
        let payment = |part: &Part| {
            let span = part.debt_paid()?;
            span.overlap(&debit.event.debt_made?)?;
            Some(DebtPayment {
                span,
                lot_id: part.lot.id,
            })
        };
        let mut debt_payments: Vec<DebtPayment> = parts.filter_map(payment).collect();
        debt_payments.sort_by_key(|payment| payment.span.from);
        let named = |id: LotId| {
            debit.event.own_parts().any(|part| part.lot.id == id)
                || debt_payments.iter().any(|payment| payment.lot_id == id)
        };
        DebitRecord {
            event: debit.event.clone(),
            refunded: refunds.map(|row| row.event.amount).sum(),
            lots: self
                .lots_of(debit.wallet_id)
                .filter(|lot| named(lot.id))
                .cloned()
                .collect(),
            debt_payments,
        }
    }
}

impl LedgerStore for MemoryStore {
    type Plain = Infallible;

    fn load_wallets(&mut self, ids: &[WalletId]) -> Result<Vec<Option<WalletState>>, LoadError> {
        Ok(ids.iter().map(|id| self.state(*id)).collect())
    }

    fn load_keys(&mut self, keys: &[[u8; 16]]) -> Result<Vec<Option<Remembered>>, LoadError> {
        Ok(keys.iter().map(|key| self.remembered(key)).collect())
    }

    fn load_hold_status(
        &mut self,
        wallet: WalletId,
        hold: HoldId,
    ) -> Result<Option<HoldStatus>, LoadError> {
        let hold = self.holds.get(&hold);
        let hold = hold.filter(|write| write.wallet_id == wallet);
        Ok(hold.map(|write| write.hold.status))
    }

    fn load_debit(
        &mut self,
        wallet: WalletId,
        debit: EntryId,
    ) -> Result<Option<DebitRecord>, LoadError> {
        let row = self.log.get(&debit);
        let row = row.filter(|row| row.wallet_id == wallet && row.seq.is_some());
        Ok(row.map(|row| self.debit_record(row)))
    }

    fn load_top_up(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
    ) -> Result<Option<TopUp>, LoadError> {
        let write = self.top_ups.get(&top_up);
        let write = write.filter(|write| write.wallet_id == wallet);
        Ok(write.map(|write| write.top_up.clone()))
    }

    fn has_lot(&mut self, wallet: WalletId, lot: LotId) -> Result<bool, LoadError> {
        Ok(self.lots_of.contains(&(wallet, lot)))
    }

    fn load_origins(&mut self, lots: &[LotId]) -> Result<Vec<Option<Arc<Entry>>>, LoadError> {
        let origin = |id: &LotId| {
            let mut lot = self.lots.get(id)?;
            while let Some(before) = lot.succeeds {
                lot = self.lots.get(&before)?;
            }
            self.log.get(&lot.source).cloned()
        };
        Ok(lots.iter().map(origin).collect())
    }

    fn load_payment(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
        payout: Option<EntryId>,
    ) -> Result<Option<PaymentRecord>, LoadError> {
        let write = self.top_ups.get(&top_up);
        let write = write.filter(|write| write.wallet_id == wallet);
        Ok(write.map(|write| self.payment_record(write, payout)))
    }

    fn find_open_wallet(
        &mut self,
        merchant: MerchantId,
        customer: CustomerId,
        currency: Currency,
    ) -> Result<Option<WalletId>, LoadError> {
        Ok(self.open_wallet_of((merchant, customer, currency)))
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), CommitError> {
        self.check(batch)
            .map_err(|why| CommitError::NothingWritten(why.to_owned()))?;
        self.write(batch);
        Ok(())
    }

    fn run_plain(&mut self, writes: Vec<Infallible>) -> Result<(), CommitError> {
        assert!(writes.is_empty(), "a plain write can't even be made");
        Ok(())
    }
}

fn is_open_recharge(write: &TopUpWrite) -> bool {
    write.top_up.reason == Reason::AutoRecharge && write.top_up.status.is_open()
}

fn owner_of(wallet: &NewWallet) -> Owner {
    (wallet.merchant_id, wallet.customer_id, wallet.currency)
}
