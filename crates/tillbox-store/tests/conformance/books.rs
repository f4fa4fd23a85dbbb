//! Wallets run by the core alone, with what their commits must write: the model that a store is held against.

use crate::stores::TestStore;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{AdvanceTopUp, EndTopUp, LearnDispute, RefundTopUp};
use tillbox_core::command::{Close, Command, Refund, SettleTopUp, SourcePayment};
use tillbox_core::currency::Currency;
use tillbox_core::decide::{self, Context, decide, due};
use tillbox_core::entry::{Actor, Entry, EntryKind, Event, KeyStamp, Stamp, seal};
use tillbox_core::hold::Hold;
use tillbox_core::id::{
    ApiKeyId, CustomerId, EntryId, HoldId, LotId, MerchantId, OutboxId, TopUpId, WalletId,
};
use tillbox_core::lot::{DrawKey, Lot};
use tillbox_core::reason::Language;
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::{NewWallet, WalletState, WalletStatus};
use tillbox_engine::port::{
    Batch, CommitError, HoldWrite, LedgerStore, LotWrite, OpenedWallet, Remembered, StoredAnswer,
    TopUpWrite,
};

/// What a commit will write.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) opened: Vec<OpenedWallet>,
    pub(crate) entries: Vec<Arc<Entry>>,
    pub(crate) answers: Vec<StoredAnswer>,
    touched: BTreeSet<WalletId>,
    lots: BTreeMap<LotId, (WalletId, Option<Lot>)>,
    /// Lots that got another expiry.
    changed: BTreeSet<LotId>,
    holds: BTreeMap<HoldId, WalletId>,
    pub(crate) top_ups: BTreeMap<TopUpId, TopUpWrite>,
    pub(crate) shown: Vec<WalletId>,
}

impl Pending {
    /// Takes back what was opened by mistake.
    pub(crate) fn forget_wallets_above(&mut self, last: i64) {
        self.touched.retain(|id| id.number() <= last);
    }
}

/// A store, and what must be in it.
pub(crate) struct Books<T> {
    pub(crate) store: T,
    pub(crate) states: BTreeMap<WalletId, WalletState>,
    pub(crate) pending: Pending,
    pub(crate) now: Timestamp,
    committed: Vec<Arc<Entry>>,
    last_id: Cell<i64>,
}

pub(crate) fn units(units: i64) -> Amount {
    Amount::from_micros(units * 1_000_000)
}

pub(crate) fn new_wallet(id: i64, customer: i64) -> OpenedWallet {
    OpenedWallet {
        wallet: NewWallet {
            id: WalletId::from_number(id),
            merchant_id: MerchantId::from_number(1),
            customer_id: CustomerId::from_number(customer),
            currency: Currency::parse("USD").expect("a currency"),
            language: Language::Es,
            status: WalletStatus::Active,
            overdraft_limit: units(20),
        },
        name: Some("Main".to_owned()),
        metadata: "{}".to_owned(),
        created_at: Timestamp::from_micros(1),
        outbox_id: OutboxId::from_number(id),
        opened_by: Actor::System,
        request: None,
    }
}

impl<T: TestStore> Books<T> {
    pub(crate) fn new(store: T) -> Self {
        Self {
            store,
            states: BTreeMap::new(),
            pending: Pending::default(),
            now: Timestamp::from_micros(1_700_000_000_000_000),
            committed: Vec::new(),
            last_id: Cell::new(1_000),
        }
    }

    /// Opens wallets 1 to `count`, in one commit.
    pub(crate) fn with_wallets(store: T, count: i64) -> Self {
        let mut books = Self::new(store);
        for id in 1..=count {
            books.open(new_wallet(id, id));
        }
        books.commit().expect("wallets open");
        books
    }

    pub(crate) fn open(&mut self, opened: OpenedWallet) {
        let id = opened.wallet.id;
        self.states.insert(id, WalletState::new(opened.wallet));
        self.pending.touched.insert(id);
        self.pending.opened.push(opened);
    }

    pub(crate) fn next_id(&self) -> i64 {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    pub(crate) fn state(&self, wallet: i64) -> &WalletState {
        &self.states[&WalletId::from_number(wallet)]
    }

    /// All rows of a wallet, committed or not.
    pub(crate) fn rows(&self, wallet: i64) -> impl Iterator<Item = &Arc<Entry>> {
        let rows = self.committed.iter().chain(&self.pending.entries);
        rows.filter(move |row| row.wallet_id.number() == wallet)
    }

    /// As a lane does it: due before, the command, due after.
    pub(crate) fn run(&mut self, wallet: i64, command: &Command) -> Result<Arc<Entry>, Rejection> {
        let wallet = WalletId::from_number(wallet);
        self.book_due(wallet);
        let command = match command {
            Command::Refund(refund) => {
                // What the store remembers must be whole: commits come first.
                self.commit().expect("a commit before a refund");
                let loaded = self.store.ledger().load_debit(wallet, refund.debit_id);
                let debit = loaded.expect("a debit loads").map(Box::new);
                &Command::Refund(Refund {
                    debit,
                    ..refund.clone()
                })
            }
            Command::RefundTopUp(_) | Command::EndPayout(_) | Command::LearnDispute(_) => {
                &self.with_payment(wallet, command)
            }
            other => &self.with_top_up(wallet, other),
        };
        let mut command = if let Command::Close(close) = command {
            self.commit().expect("a commit before a close");
            let payments = self.payments_of_lots(wallet);
            Command::Close(Close {
                payments,
                ..close.clone()
            })
        } else {
            command.clone()
        };
        let (id, event) = self.decide(wallet, &command)?;
        let spread = id.number().wrapping_mul(0x5851_f42d_4c95_7f2d);
        let mut key = [0x80; 16];
        key[..8].copy_from_slice(&spread.to_be_bytes());
        let key = KeyStamp {
            key,
            fingerprint: [7; 16],
        };
        let actor = Actor::ApiKey(ApiKeyId::from_number(3));
        let mut before = self.states[&wallet].clone();
        let entry = self.book(wallet, event, id, actor, Some(key));
        self.book_what_follows(&entry);
        let mut last = Arc::clone(&entry);
        while decide::goes_on(&command, &last.event) {
            if let Command::Close(close) = &mut command {
                close.follow(&before, &last);
            }
            let (id, event) = self.decide(wallet, &command)?;
            before = self.states[&wallet].clone();
            last = self.book(wallet, event, id, actor, None);
            self.book_what_follows(&last);
        }
        self.book_due(wallet);
        let checked = self.states[&wallet].check();
        checked.expect("the core keeps its invariants");
        Ok(entry)
    }

    fn decide(&self, wallet: WalletId, command: &Command) -> Result<(EntryId, Event), Rejection> {
        let id = EntryId::from_number(self.next_id());
        let next_id = || self.next_id();
        let context = Context {
            now: self.now,
            entry_id: id,
            next_id: &next_id,
            policies: &tillbox_core::policy::Policies::default(),
        };
        let event = decide(&self.states[&wallet], command, &context)?;
        Ok((id, event))
    }

    /// The payments that open lots came from, by what the store says.
    fn payments_of_lots(&mut self, wallet: WalletId) -> Vec<SourcePayment> {
        let keys: Vec<DrawKey> = self.states[&wallet].lots().map(Lot::draw_key).collect();
        let ids: Vec<LotId> = keys.iter().map(|key| key.id).collect();
        let mut lots_of: BTreeMap<TopUpId, Vec<DrawKey>> = BTreeMap::new();
        for (key, (_, top_up, _)) in keys.iter().zip(self.payments(&ids)) {
            lots_of.entry(top_up).or_default().push(*key);
        }
        let ledger = self.store.ledger();
        let mut payment = |(top_up_id, lots)| {
            let loaded = ledger.load_payment(wallet, top_up_id, None);
            SourcePayment {
                top_up_id,
                lots,
                record: loaded.expect("a payment loads").expect("it came in"),
            }
        };
        lots_of.into_iter().map(&mut payment).collect()
    }

    /// The payments that lots came from, by what the store says.
    pub(crate) fn payments(&mut self, lots: &[LotId]) -> Vec<(LotId, TopUpId, Option<Box<str>>)> {
        let origins = self.store.ledger().load_origins(lots);
        let named = lots.iter().zip(origins.expect("origins load"));
        named
            .filter_map(|(lot, row)| {
                let event = &row.as_ref()?.event;
                let payment_id = event.top_up.as_ref()?.payment_id.clone();
                Some((*lot, event.top_up_id?, payment_id))
            })
            .collect()
    }

    fn book_due(&mut self, wallet: WalletId) {
        while let Some(event) = due(&self.states[&wallet], self.now) {
            let id = EntryId::from_number(self.next_id());
            let row = self.book(wallet, event, id, Actor::System, None);
            self.book_what_follows(&row);
        }
    }

    fn book_what_follows(&mut self, row: &Arc<Entry>) {
        let mut following = decide::Following::default();
        loop {
            let id = EntryId::from_number(self.next_id());
            let next_id = || self.next_id();
            let context = Context {
                now: self.now,
                entry_id: id,
                next_id: &next_id,
                policies: &tillbox_core::policy::Policies::default(),
            };
            let state = &self.states[&row.wallet_id];
            let Some(event) = following.next(state, &row.event, &context) else {
                return;
            };
            self.book(row.wallet_id, event, id, Actor::System, None);
        }
    }

    /// The command with what the store remembers of a top-up that is not open.
    fn with_top_up(&mut self, wallet: WalletId, command: &Command) -> Command {
        let mut command = command.clone();
        if let Command::AdvanceTopUp(AdvanceTopUp {
            top_up_id, record, ..
        })
        | Command::EndTopUp(EndTopUp {
            top_up_id, record, ..
        })
        | Command::SettleTopUp(SettleTopUp {
            top_up_id, record, ..
        }) = &mut command
            && self.states[&wallet].top_up(*top_up_id).is_none()
        {
            self.commit().expect("a commit before a late outcome");
            let loaded = self.store.ledger().load_top_up(wallet, *top_up_id);
            *record = loaded.expect("a top-up loads").map(Box::new);
        }
        command
    }

    /// The command with what the store remembers of a payment, and of what went back of it.
    fn with_payment(&mut self, wallet: WalletId, command: &Command) -> Command {
        self.commit().expect("a commit before a payment goes back");
        let mut command = command.clone();
        let ledger = self.store.ledger();
        if let Command::RefundTopUp(RefundTopUp {
            top_up_id, record, ..
        })
        | Command::LearnDispute(LearnDispute {
            top_up_id, record, ..
        }) = &mut command
        {
            let loaded = ledger.load_payment(wallet, *top_up_id, None);
            *record = loaded.expect("a payment loads").map(Box::new);
        }
        if let Command::EndPayout(end) = &mut command {
            let loaded = ledger.load_payment(wallet, end.top_up_id, Some(end.debit_id));
            end.record = loaded.expect("a payment loads").map(Box::new);
        }
        command
    }

    fn book(
        &mut self,
        wallet: WalletId,
        event: Event,
        id: EntryId,
        actor: Actor,
        key: Option<KeyStamp>,
    ) -> Arc<Entry> {
        let state = self.states.get_mut(&wallet).expect("an open wallet");
        let stamp = Stamp {
            id,
            at: self.now,
            actor,
            key,
            salt: [9; 16],
        };
        let entry = Arc::new(seal(state, event, stamp));
        state.apply(&entry);
        let pending = &mut self.pending;
        pending.touched.insert(wallet);
        for part in &entry.event.parts {
            pending.lots.entry(part.lot.id).or_insert((wallet, None));
        }
        for lot in entry.event.lots.iter().filter(|lot| lot.source == id) {
            pending.lots.insert(lot.id, (wallet, Some(lot.clone())));
        }
        if let Some(change) = entry.event.hold {
            pending.holds.insert(change.id, wallet);
        }
        if let Some(change) = &entry.event.lot_change {
            pending.lots.entry(change.lot.id).or_insert((wallet, None));
            pending.changed.insert(change.lot.id);
            let on_it = state.holds().filter(|hold| hold.is_on(change.lot.id));
            pending.holds.extend(on_it.map(|hold| (hold.id, wallet)));
        }
        if let (Some(id), Some(top_up)) = (entry.event.top_up_id, &entry.event.top_up) {
            let before = pending.top_ups.get(&id).and_then(|one| one.opened_by);
            let by = |kind| (entry.event.kind == kind).then_some(entry.id);
            let write = TopUpWrite {
                wallet_id: wallet,
                id,
                top_up: (**top_up).clone(),
                opened_by: by(EntryKind::TopUpOpened).or(before),
                credited_by: by(EntryKind::Credit),
                updated_at: entry.at,
            };
            pending.top_ups.insert(id, write);
        }
        pending.entries.push(Arc::clone(&entry));
        entry
    }

    /// Writes what is pending; on an error it stays pending.
    pub(crate) fn commit(&mut self) -> Result<(), CommitError> {
        let pending = &self.pending;
        let lots: Vec<LotWrite> = pending
            .lots
            .iter()
            .map(|(id, (wallet, made))| {
                let mut write = lot_write(&self.states[wallet], *id, made.as_ref());
                if pending.changed.contains(id) {
                    let end = self.expiry_now(*id);
                    match &mut write {
                        LotWrite::Opened { lot, .. } => lot.expires_at = end,
                        LotWrite::Changed { expires_at, .. } => *expires_at = Some(end),
                    }
                }
                write
            })
            .collect();
        let holds: Vec<HoldWrite> = pending
            .holds
            .iter()
            .map(|(id, wallet)| HoldWrite {
                wallet_id: *wallet,
                hold: self.hold_now(*id, *wallet),
            })
            .collect();
        let wallets: Vec<&WalletState> =
            pending.touched.iter().map(|id| &self.states[id]).collect();
        let top_ups: Vec<TopUpWrite> = pending.top_ups.values().cloned().collect();
        self.store.ledger().commit(&Batch {
            opened: &pending.opened,
            entries: &pending.entries,
            wallets: &wallets,
            lots: &lots,
            holds: &holds,
            top_ups: &top_ups,
            answers: &pending.answers,
            shown: &pending.shown,
        })?;
        self.committed.append(&mut self.pending.entries);
        self.pending = Pending::default();
        Ok(())
    }

    /// The hold as it stands: open in the state, or as its last row left it.
    fn hold_now(&self, id: HoldId, wallet: WalletId) -> Hold {
        if let Some(hold) = self.states[&wallet].hold(id) {
            return hold.clone();
        }
        let mut rows = self.pending.entries.iter().rev();
        let change = rows
            .find_map(|row| row.event.hold.filter(|change| change.id == id))
            .expect("a row ended it");
        Hold {
            id,
            amount: change.amount,
            captured: change.captured,
            released: change.released,
            expires_at: change.expires_at,
            placed_at: change.placed_at,
            invoice_id: change.invoice_id,
            status: change.status,
            parts: Vec::new(),
            overdraft: Amount::ZERO,
        }
    }

    /// The expiry that a lot was given last.
    fn expiry_now(&self, id: LotId) -> Option<Timestamp> {
        let mut rows = self.pending.entries.iter().rev();
        let change = rows.find_map(|row| row.event.lot_change.filter(|change| change.lot.id == id));
        change.and_then(|change| change.expires_at)
    }

    /// Commits, and compares all that the store gives with the model.
    pub(crate) fn commit_and_compare(&mut self) {
        self.commit().expect("a commit");
        self.compare();
    }

    /// Compares what the engine loads of wallets: nothing is brought up to date for that.
    pub(crate) fn compare_loaded(&mut self) {
        let ids: Vec<WalletId> = self.states.keys().copied().collect();
        let loaded = self.store.ledger().load_wallets(&ids).expect("loads");
        for (id, loaded) in ids.iter().zip(loaded) {
            assert_eq!(loaded.as_ref(), Some(&self.states[id]), "as loaded");
        }
    }

    pub(crate) fn compare(&mut self) {
        self.compare_loaded();
        let ids: Vec<WalletId> = self.states.keys().copied().collect();
        for id in &ids {
            let log = self.store.log(*id);
            let model = self.committed.iter().filter(|entry| entry.wallet_id == *id);
            assert!(model.map(Arc::as_ref).eq(log.iter()), "rows as committed");
            assert_eq!(&self.replayed(*id, &log), &self.states[id], "replayed");
        }
        let rows = self.committed.iter();
        let moves = rows.filter_map(|row| {
            let one = row.event.top_up.as_deref()?.clone();
            Some((row.event.top_up_id?, (row.wallet_id, one)))
        });
        for (id, (wallet, last)) in moves.collect::<BTreeMap<_, _>>() {
            let loaded = self.store.ledger().load_top_up(wallet, id);
            assert_eq!(loaded.expect("a top-up loads"), Some(last), "the top-up");
        }
        let keyed: Vec<_> = self
            .committed
            .iter()
            .filter(|row| row.key.is_some())
            .collect();
        let keys: Vec<[u8; 16]> = keyed.iter().filter_map(|row| Some(row.key?.key)).collect();
        let found = self.store.ledger().load_keys(&keys).expect("keys load");
        for (row, found) in keyed.into_iter().zip(found) {
            let Some(Remembered::Entry(found)) = found else {
                panic!("the key of {row:?} gives {found:?}");
            };
            assert_eq!(&found, row, "under its key");
        }
    }

    fn replayed(&self, wallet: WalletId, log: &[Entry]) -> WalletState {
        let state = &self.states[&wallet];
        let mut replayed = WalletState::new(NewWallet {
            id: wallet,
            merchant_id: state.merchant_id,
            customer_id: state.customer_id,
            currency: state.currency,
            language: state.language,
            status: WalletStatus::Active,
            overdraft_limit: units(20),
        });
        for entry in log {
            assert_eq!(entry.hash, entry.chained_after(&replayed.head), "the chain");
            assert!(entry.note_holds(), "the text is the one in the chain");
            replayed.apply(entry);
        }
        replayed
    }
}

fn lot_write(state: &WalletState, id: LotId, made: Option<&Lot>) -> LotWrite {
    let open = state.lots().find(|lot| lot.id == id);
    let (remaining, held) = open.map_or((Amount::ZERO, Amount::ZERO), |lot| {
        (lot.remaining, lot.held)
    });
    match made {
        Some(lot) => LotWrite::Opened {
            wallet_id: state.id,
            lot: Lot {
                remaining,
                held,
                ..lot.clone()
            },
        },
        None => LotWrite::Changed {
            id,
            remaining,
            held,
            expires_at: None,
        },
    }
}
