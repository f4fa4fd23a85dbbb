//! What a batch will write, and what its own commands must see of it until then.

use super::cache::Cache;
use crate::port::{
    Batch, CommitError, HoldWrite, LedgerStore, LoadError, LotWrite, OpenedWallet, Remembered,
    StoredAnswer, TopUpWrite,
};
use foldhash::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, EntryKind, HoldChange, LotChange};
use tillbox_core::id::{CustomerId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use tillbox_core::lot::{DrawKey, Lot};
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;

/// What a batch will write, and what its own commands must see of it.
#[derive(Default)]
pub(super) struct Pending {
    opened: Vec<OpenedWallet>,
    open_by_owner: HashSet<(MerchantId, CustomerId, Currency)>,
    entries: Vec<Arc<Entry>>,
    touched: Vec<WalletId>,
    touched_set: HashSet<WalletId>,
    lots: HashMap<LotId, TouchedLot>,
    holds: HashMap<HoldId, (WalletId, HoldChange)>,
    top_ups: BTreeMap<TopUpId, TopUpWrite>,
    answers: Vec<StoredAnswer>,
    shown: Vec<WalletId>,
    remembered: HashMap<[u8; 16], Remembered>,
    /// Rows of what was due.
    pub(super) due_rows: usize,
}

struct TouchedLot {
    wallet_id: WalletId,
    key: DrawKey,
    /// Whether the batch gave it another expiry.
    is_changed: bool,
    /// The lot as this batch made it.
    made: Option<Lot>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.opened.is_empty()
            && self.answers.is_empty()
            && self.shown.is_empty()
    }

    /// A wallet's tables are read next.
    pub(super) fn show(&mut self, id: WalletId) {
        self.shown.push(id);
    }

    pub(super) fn touched(&self) -> &[WalletId] {
        &self.touched
    }

    /// Whether the batch opens or moves a top-up or a payout.
    pub(super) fn moves_top_ups(&self) -> bool {
        let has_payout = |entry: &Arc<Entry>| {
            let payback = entry.event.payback.as_ref();
            payback.is_some_and(|payback| payback.payout.is_some())
        };
        !self.top_ups.is_empty() || self.entries.iter().any(has_payout)
    }

    /// Whether the batch has changed that wallet.
    pub(super) fn has_touched(&self, id: WalletId) -> bool {
        self.touched_set.contains(&id)
    }

    /// Whether the batch opens a wallet for that owner and currency.
    pub(super) fn opens_for(&self, owner: (MerchantId, CustomerId, Currency)) -> bool {
        self.open_by_owner.contains(&owner)
    }

    /// What a key was used for, before or in this batch.
    pub(super) fn remembered(&self, key: [u8; 16]) -> Option<&Remembered> {
        self.remembered.get(&key)
    }

    /// How a hold ended that this batch touched, and whose it is.
    pub(super) fn hold(&self, id: HoldId) -> Option<(WalletId, HoldChange)> {
        self.holds.get(&id).copied()
    }

    /// Whose a lot is that this batch touched.
    pub(super) fn wallet_of_lot(&self, id: LotId) -> Option<WalletId> {
        self.lots.get(&id).map(|touched| touched.wallet_id)
    }

    /// The batch opens a wallet.
    pub(super) fn open(&mut self, opened: OpenedWallet) {
        let wallet = opened.wallet;
        self.open_by_owner
            .insert((wallet.merchant_id, wallet.customer_id, wallet.currency));
        self.touch(wallet.id);
        self.opened.push(opened);
    }

    /// Looks keys up in the store, all at once.
    pub(super) fn look_up_keys<S: LedgerStore>(
        &mut self,
        store: &mut S,
        keys: impl Iterator<Item = [u8; 16]>,
    ) -> Result<(), LoadError> {
        let keys: Vec<[u8; 16]> = keys.collect();
        if keys.is_empty() {
            return Ok(());
        }
        let found = store.load_keys(&keys)?;
        self.remembered.extend(
            keys.into_iter()
                .zip(found)
                .filter_map(|(key, found)| Some((key, found?))),
        );
        Ok(())
    }

    /// Writes all of it. States are those of the cache.
    pub(super) fn commit<S: LedgerStore>(
        &self,
        store: &mut S,
        cache: &Cache,
    ) -> Result<(), CommitError> {
        let wallets: Vec<&WalletState> = self
            .touched
            .iter()
            .filter_map(|id| cache.peek(*id))
            .collect();
        assert_eq!(
            wallets.len(),
            self.touched.len(),
            "a touched wallet stays in memory until it is written"
        );
        let lots: Vec<LotWrite> = self
            .lots
            .iter()
            .map(|(id, touched)| touched.as_write(*id, cache))
            .collect();
        let holds: Vec<HoldWrite> = self
            .holds
            .values()
            .map(|(wallet, change)| as_hold_write(*wallet, change, cache))
            .collect();
        let top_ups: Vec<TopUpWrite> = self.top_ups.values().cloned().collect();
        store.commit(&Batch {
            opened: &self.opened,
            entries: &self.entries,
            wallets: &wallets,
            lots: &lots,
            holds: &holds,
            top_ups: &top_ups,
            answers: &self.answers,
            shown: &self.shown,
        })
    }

    fn touch(&mut self, id: WalletId) {
        if self.touched_set.insert(id) {
            self.touched.push(id);
        }
    }

    pub(super) fn record(&mut self, entry: &Arc<Entry>) {
        self.touch(entry.wallet_id);
        for part in &entry.event.parts {
            let touched = TouchedLot {
                wallet_id: entry.wallet_id,
                key: part.lot,
                is_changed: false,
                made: None,
            };
            self.lots.entry(part.lot.id).or_insert(touched);
        }
        for lot in entry.event.lots.iter().filter(|lot| lot.source == entry.id) {
            let touched = TouchedLot {
                wallet_id: entry.wallet_id,
                key: lot.draw_key(),
                is_changed: false,
                made: Some(lot.clone()),
            };
            self.lots.insert(lot.id, touched);
        }
        if let Some(change) = entry.event.hold {
            self.holds.insert(change.id, (entry.wallet_id, change));
        }
        self.record_top_up(entry);
        if let Some(stamp) = entry.key {
            self.remembered
                .insert(stamp.key, Remembered::Entry(Arc::clone(entry)));
        }
        self.entries.push(Arc::clone(entry));
    }

    /// A lot has another place: it is written, and so are the holds that name it. `state` stands behind `entry`.
    pub(super) fn rename_lot(&mut self, entry: &Entry, change: &LotChange, state: &WalletState) {
        let touched = self.lots.entry(change.lot.id).or_insert(TouchedLot {
            wallet_id: entry.wallet_id,
            key: change.key(),
            is_changed: true,
            made: None,
        });
        touched.key = change.key();
        touched.is_changed = true;
        for hold in state.holds().filter(|hold| hold.is_on(change.lot.id)) {
            let unchanged = (entry.wallet_id, HoldChange::unchanged(hold));
            self.holds.entry(hold.id).or_insert(unchanged);
        }
    }

    fn record_top_up(&mut self, entry: &Entry) {
        let (Some(id), Some(top_up)) = (entry.event.top_up_id, &entry.event.top_up) else {
            return;
        };
        let before = self.top_ups.remove(&id);
        let by = |kind: EntryKind| (entry.event.kind == kind).then_some(entry.id);
        let write = TopUpWrite {
            wallet_id: entry.wallet_id,
            id,
            top_up: (**top_up).clone(),
            opened_by: by(EntryKind::TopUpOpened).or(before.and_then(|before| before.opened_by)),
            credited_by: by(EntryKind::Credit),
            updated_at: entry.at,
        };
        self.top_ups.insert(id, write);
    }

    pub(super) fn store_answer(&mut self, answer: &StoredAnswer) {
        self.remembered
            .insert(answer.key.key, Remembered::Answer(answer.clone()));
        self.answers.push(answer.clone());
    }
}

impl TouchedLot {
    fn as_write(&self, id: LotId, cache: &Cache) -> LotWrite {
        let open = cache
            .peek(self.wallet_id)
            .and_then(|state| state.lot(&self.key));
        let (remaining, held) = open.map_or((Amount::ZERO, Amount::ZERO), |lot| {
            (lot.remaining, lot.held)
        });
        let never = Some(self.key.expires_at).filter(|end| *end != Timestamp::NEVER);
        let expires_at = self.is_changed.then_some(never);
        match &self.made {
            Some(lot) => LotWrite::Opened {
                wallet_id: self.wallet_id,
                lot: Lot {
                    remaining,
                    held,
                    expires_at: expires_at.unwrap_or(lot.expires_at),
                    ..lot.clone()
                },
            },
            None => LotWrite::Changed {
                id,
                remaining,
                held,
                expires_at,
            },
        }
    }
}

fn as_hold_write(wallet_id: WalletId, change: &HoldChange, cache: &Cache) -> HoldWrite {
    let open = cache
        .peek(wallet_id)
        .and_then(|state| state.hold(change.id));
    let hold = open.cloned().unwrap_or_else(|| change.to_hold());
    HoldWrite { wallet_id, hold }
}
