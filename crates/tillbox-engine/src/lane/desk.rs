//! The steps of one command: wallet found, replay, what is due, the rules, the row.

use super::cache::Cache;
use super::pending::Pending;
use super::remembered::follow_in;
use crate::engine::Options;
use crate::port::{LedgerStore, LoadError, OpenedWallet, Remembered, StoredAnswer};
use crate::work::{Answer, AnswerWriter, Mode, OpenSubmission, Outcome, Submission, SubmitError};
use std::borrow::Cow;
use std::sync::Arc;
use tillbox_core::command::Command;
use tillbox_core::currency::Currency;
use tillbox_core::decide::{self, Context, as_of_following, decide, due};
use tillbox_core::entry::{Actor, Entry, Event, KeyStamp, Stamp, seal};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{EntryId, OutboxId, WalletId};
use tillbox_core::policy::Policies;
use tillbox_core::rejection::Rejection;
use tillbox_core::seeded_bug;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::{WalletState, WalletStatus};

/// Rows of what is due that one batch books: what is beyond waits for the next.
const DUE_ROWS: usize = 500;

/// What became of one piece of a batch.
pub(super) enum Decided {
    /// It is answered once the batch is durable.
    Answer(Answer),
    /// It goes into the next batch: it needs what the store remembers, and this one has changed that, or this one has
    /// booked as much of what is due as it may.
    AfterCommit,
}

/// All that one command needs at hand.
pub(super) struct Desk<'a, S: LedgerStore> {
    pub(super) store: &'a mut S,
    pub(super) cache: &'a mut Cache,
    pub(super) pending: &'a mut Pending,
    pub(super) options: &'a Options,
    pub(super) system_now: Timestamp,
}

impl<S: LedgerStore> Desk<'_, S> {
    /// Wallet found, replay, then the rules (R42).
    pub(super) fn command(&mut self, submission: &Submission) -> Result<Decided, LoadError> {
        let Some(state) = self.cache.get(submission.wallet_id).filter(|state| {
            let is_theirs = state.merchant_id == submission.merchant_id;
            seeded_bug!(OtherMerchantsWallet: true; else is_theirs)
        }) else {
            return Ok(rejected(Rejection::WalletNotFound, None));
        };
        let currency = state.currency;
        if let Some(answer) = self.replay(submission.key, submission.mode, currency) {
            return Ok(Decided::Answer(answer));
        }
        let Some(command) = self.completed(submission)? else {
            return Ok(Decided::AfterCommit);
        };
        match submission.mode {
            Mode::Commit => self.carry_out(submission, command, currency),
            Mode::DryRun => self.try_out(submission, command, currency),
        }
    }

    fn carry_out(
        &mut self,
        submission: &Submission,
        mut command: Cow<'_, Command>,
        currency: Currency,
    ) -> Result<Decided, LoadError> {
        let now = self.now_for(submission);
        let policies = &submission.policies;
        let booked = self.book_due(submission.wallet_id, now, policies, Some(&mut command));
        if self.is_due(submission.wallet_id, now) {
            return Ok(Decided::AfterCommit);
        }
        if matches!(*command, Command::BookDue) {
            self.show(submission.wallet_id);
            let row = booked.map(|entry| Outcome::Row {
                entry,
                currency,
                replayed: false,
            });
            return Ok(Decided::Answer(Ok(row.unwrap_or(Outcome::NothingDue))));
        }
        let id = EntryId::from_number(self.next_id());
        let event = match self.decide(submission.wallet_id, &command, now, id, policies) {
            Ok(event) => event,
            Err(rejection) => {
                return Ok(rejected(
                    self.explain(submission.wallet_id, rejection)?,
                    Some(currency),
                ));
            }
        };
        // Answers that are stored whole keep their key beside them, not in the row.
        let key = submission.key.filter(|_| submission.answer.is_none());
        let stamp = self.stamp(id, now, submission.actor, key);
        let apply = WalletState::apply;
        let wallet = submission.wallet_id;
        let entry = self.book_by(apply, wallet, event, stamp, Some(&mut command));
        self.book_what_follows(&entry, now, policies, None);
        let mut rows = vec![entry];
        while let Some(last) = rows.last()
            && decide::goes_on(&command, &last.event)
        {
            let id = EntryId::from_number(self.next_id());
            let event = self
                .decide(submission.wallet_id, &command, now, id, policies)
                .expect("what has begun is not refused on its way");
            let stamp = self.stamp(id, now, submission.actor, None);
            let entry = self.book_by(apply, wallet, event, stamp, Some(&mut command));
            self.book_what_follows(&entry, now, policies, None);
            rows.push(entry);
        }
        self.book_due(submission.wallet_id, now, policies, None);
        Ok(Decided::Answer(Ok(match &submission.answer {
            None => Outcome::Row {
                entry: rows.swap_remove(0),
                currency,
                replayed: false,
            },
            Some(writer) => self.answer(submission.wallet_id, writer, &rows, now, submission.key),
        })))
    }

    /// Lets the wallet's tables be read: they are up to date once the batch is written.
    pub(super) fn show(&mut self, wallet_id: WalletId) {
        if self.store.trails(wallet_id) || self.pending.has_touched(wallet_id) {
            self.pending.show(wallet_id);
        }
    }

    fn try_out(
        &mut self,
        submission: &Submission,
        mut command: Cow<'_, Command>,
        currency: Currency,
    ) -> Result<Decided, LoadError> {
        let now = self.now_for(submission);
        let Some(state) = self.cache.get(submission.wallet_id) else {
            return Ok(rejected(Rejection::WalletNotFound, None));
        };
        let mut state = as_of_following(state, now, |before, row| {
            follow_in(&mut command, before, row);
        });
        let ids = &self.options.ids;
        let system_now = self.system_now;
        let next_id = || ids.next(system_now);
        let mut rows: Vec<Arc<Entry>> = Vec::with_capacity(1);
        while rows
            .last()
            .is_none_or(|last| decide::goes_on(&command, &last.event))
        {
            let id = EntryId::from_number(next_id());
            let context = Context {
                now,
                entry_id: id,
                next_id: &next_id,
                policies: &submission.policies,
            };
            let event = match decide(&state, &command, &context) {
                Ok(event) => event,
                Err(rejection) => {
                    return Ok(rejected(
                        self.explain(submission.wallet_id, rejection)?,
                        Some(currency),
                    ));
                }
            };
            let entry = seal(&state, event, self.stamp(id, now, submission.actor, None));
            follow_in(&mut command, &state, &entry);
            state.apply(&entry);
            let mut id = EntryId::from_number(next_id());
            while let Some(event) = decide::reserve_freed(&state, &entry.event, id, now) {
                let reserved = seal(&state, event, self.stamp(id, now, Actor::System, None));
                follow_in(&mut command, &state, &reserved);
                state.apply(&reserved);
                id = EntryId::from_number(next_id());
            }
            rows.push(Arc::new(entry));
        }
        Ok(Decided::Answer(Ok(match &submission.answer {
            None => Outcome::Row {
                entry: rows.swap_remove(0),
                currency,
                replayed: false,
            },
            Some(writer) => written(writer, &state, &rows, now, None),
        })))
    }

    /// Opens a wallet, with its first value in the same commit.
    pub(super) fn open(&mut self, open: &OpenSubmission) -> Result<Decided, LoadError> {
        let wallet = open.opened.wallet;
        if let Some(answer) = self.replay(open.key, open.mode, wallet.currency) {
            return Ok(Decided::Answer(answer));
        }
        let owner = (wallet.merchant_id, wallet.customer_id, wallet.currency);
        let (merchant, customer, currency) = owner;
        let found = self.store.find_open_wallet(merchant, customer, currency)?;
        if found.is_some_and(|open| self.closes(open)) {
            return Ok(Decided::AfterCommit);
        }
        if found.is_some() || self.pending.opens_for(owner) {
            let rejection = Rejection::Conflict("the customer has an open wallet in this currency");
            return Ok(rejected(rejection, Some(currency)));
        }
        let now = open.clock.time(self.system_now);
        let mut state = WalletState::new(wallet);
        // Before its first row, so that it is told of first.
        let outbox_id = OutboxId::from_number(self.next_id());
        let id = EntryId::from_number(self.next_id());
        let mut first = None;
        if let Some(credit) = &open.credit {
            let ids = &self.options.ids;
            let system_now = self.system_now;
            let next_id = || ids.next(system_now);
            let context = Context {
                now,
                entry_id: id,
                next_id: &next_id,
                policies: &open.policies,
            };
            match decide(&state, &Command::Credit(credit.clone()), &context) {
                Ok(event) => {
                    let entry = seal(&state, event, self.stamp(id, now, open.actor, None));
                    state.apply(&entry);
                    first = Some(Arc::new(entry));
                }
                Err(rejection) => return Ok(rejected(rejection, Some(currency))),
            }
        }
        if open.mode == Mode::DryRun {
            return Ok(Decided::Answer(Ok(written(
                &open.answer,
                &state,
                first.as_slice(),
                now,
                None,
            ))));
        }
        self.cache.insert(state);
        self.pending.open(OpenedWallet {
            created_at: now,
            outbox_id,
            ..open.opened.clone()
        });
        if let Some(entry) = &first {
            self.pending.record(entry);
        }
        Ok(Decided::Answer(Ok(self.answer(
            wallet.id,
            &open.answer,
            first.as_slice(),
            now,
            open.key,
        ))))
    }

    /// Whether this batch closes a wallet that the store still has as open.
    fn closes(&mut self, wallet: WalletId) -> bool {
        let state = self.cache.get(wallet);
        self.pending.has_touched(wallet)
            && state.is_some_and(|state| state.status == WalletStatus::Closed)
    }

    /// The answer that the key was given before, by the store or earlier in this batch.
    fn replay(&self, key: Option<KeyStamp>, mode: Mode, currency: Currency) -> Option<Answer> {
        seeded_bug!(KeyIsForgotten: return None);
        let stamp = key.filter(|_| mode == Mode::Commit)?;
        let remembered = self.pending.remembered(stamp.key)?;
        if remembered.fingerprint() != Some(stamp.fingerprint) {
            return Some(Err(SubmitError::Rejected {
                rejection: Rejection::KeyReused,
                currency: Some(currency),
            }));
        }
        Some(Ok(match remembered {
            Remembered::Entry(entry) => Outcome::Row {
                entry: Arc::clone(entry),
                currency,
                replayed: true,
            },
            Remembered::Answer(answer) => Outcome::Answer {
                answer: answer.clone(),
                replayed: true,
            },
        }))
    }

    fn now_for(&mut self, submission: &Submission) -> Timestamp {
        let merchants = submission
            .at
            .unwrap_or_else(|| submission.clock.time(self.system_now));
        let last = self
            .cache
            .get(submission.wallet_id)
            .map(|state| state.last_at);
        last.map_or(merchants, |last| last.max(merchants))
    }

    fn decide(
        &mut self,
        wallet_id: WalletId,
        command: &Command,
        now: Timestamp,
        id: EntryId,
        policies: &Policies,
    ) -> Result<Event, Rejection> {
        let ids = &self.options.ids;
        let system_now = self.system_now;
        let next_id = || ids.next(system_now);
        let state = self.cache.get(wallet_id).ok_or(Rejection::WalletNotFound)?;
        let context = Context {
            now,
            entry_id: id,
            next_id: &next_id,
            policies,
        };
        seeded_bug!(BalanceReadBefore: {
            let before = self.store.load_wallets(&[wallet_id]);
            if let Ok([Some(before)]) = before.as_deref() {
                return decide(before, command, &context);
            }
        });
        decide(state, command, &context)
    }

    /// Says what became of a hold or a lot that is not open: in this batch, or before.
    fn explain(
        &mut self,
        wallet_id: WalletId,
        rejection: Rejection,
    ) -> Result<Rejection, LoadError> {
        if let Rejection::LotUnknown(id) = rejection {
            let is_known = match self.pending.wallet_of_lot(id) {
                Some(wallet) => wallet == wallet_id,
                None => self.store.has_lot(wallet_id, id)?,
            };
            return Ok(if is_known {
                Rejection::Conflict("nothing is left of the lot")
            } else {
                Rejection::LotNotFound
            });
        }
        let Rejection::HoldUnknown(id) = rejection else {
            return Ok(rejection);
        };
        let ended = match self.pending.hold(id) {
            Some((wallet, change)) => Some(change.status).filter(|_| wallet == wallet_id),
            None => self.store.load_hold_status(wallet_id, id)?,
        };
        Ok(match ended {
            // A dry run may have expired it without booking that.
            Some(HoldStatus::Open) => Rejection::HoldNotOpen(HoldStatus::Expired),
            Some(status) => Rejection::HoldNotOpen(status),
            None => Rejection::HoldNotFound,
        })
    }

    fn is_due(&mut self, wallet_id: WalletId, now: Timestamp) -> bool {
        let state = self.cache.get(wallet_id);
        let next = state.and_then(WalletState::next_due_at);
        next.is_some_and(|at| at <= now)
    }

    /// Books what is due, as much as fits the batch, and gives the last row of it. What was read for
    /// `command` before follows.
    fn book_due(
        &mut self,
        wallet_id: WalletId,
        now: Timestamp,
        policies: &Policies,
        mut command: Option<&mut Cow<'_, Command>>,
    ) -> Option<Arc<Entry>> {
        seeded_bug!(ExpiredIsSpendable: return None);
        let mut last = None;
        while self.pending.due_rows < DUE_ROWS
            && let Some(event) = self.cache.get(wallet_id).and_then(|state| due(state, now))
        {
            self.pending.due_rows += 1;
            let id = EntryId::from_number(self.next_id());
            let stamp = self.stamp(id, now, Actor::System, None);
            let keep_spent = |state: &mut WalletState, row: &Entry| {
                state.apply_keeping_spent(row);
            };
            let entry = self.book_by(keep_spent, wallet_id, event, stamp, command.as_deref_mut());
            self.book_what_follows(&entry, now, policies, command.as_deref_mut());
            last = Some(entry);
        }
        if last.is_some()
            && let Some(state) = self.cache.get_mut(wallet_id)
        {
            state.drop_spent();
        }
        last
    }

    /// Books what follows from a row: it may be nothing, and mostly is. What was read for `command` before follows.
    fn book_what_follows(
        &mut self,
        row: &Arc<Entry>,
        now: Timestamp,
        policies: &Policies,
        mut command: Option<&mut Cow<'_, Command>>,
    ) {
        let state = self.cache.get(row.wallet_id);
        if !state.is_some_and(|state| decide::may_follow(state, &row.event)) {
            return;
        }
        let mut following = decide::Following::default();
        loop {
            let (ids, system_now) = (&self.options.ids, self.system_now);
            let next_id = || ids.next(system_now);
            let state = self
                .cache
                .get(row.wallet_id)
                .expect("the wallet was found before");
            let id = EntryId::from_number(next_id());
            let context = Context {
                now,
                entry_id: id,
                next_id: &next_id,
                policies,
            };
            let Some(event) = following.next(state, &row.event, &context) else {
                return;
            };
            let stamp = self.stamp(id, now, Actor::System, None);
            let apply = WalletState::apply;
            self.book_by(apply, row.wallet_id, event, stamp, command.as_deref_mut());
        }
    }

    /// It was decided, and must now succeed.
    fn book_by(
        &mut self,
        apply: fn(&mut WalletState, &Entry),
        wallet_id: WalletId,
        event: Event,
        stamp: Stamp,
        command: Option<&mut Cow<'_, Command>>,
    ) -> Arc<Entry> {
        let state = self
            .cache
            .get_mut(wallet_id)
            .expect("the wallet was found before");
        let entry = Arc::new(seal(state, event, stamp));
        if let Some(command) = command {
            follow_in(command, state, &entry);
        }
        apply(state, &entry);
        seeded_bug!(CreditLost: if self.pending.has_touched(wallet_id) {
            state.balance -= entry.event.amount.or_zero();
        });
        self.pending.record(&entry);
        if let Some(change) = &entry.event.lot_change {
            self.pending.rename_lot(&entry, change, state);
        }
        entry
    }

    fn answer(
        &mut self,
        wallet_id: WalletId,
        writer: &AnswerWriter,
        rows: &[Arc<Entry>],
        now: Timestamp,
        key: Option<KeyStamp>,
    ) -> Outcome {
        let state = self
            .cache
            .get(wallet_id)
            .expect("the wallet was found before");
        // Some of what the command set free may be due, and wait for the next batch.
        let outcome = match state.next_due_at() {
            Some(at) if at <= now => written(writer, &decide::as_of(state, now), rows, now, key),
            _ => written(writer, state, rows, now, key),
        };
        if let (Some(_), Outcome::Answer { answer, .. }) = (key, &outcome) {
            self.pending.store_answer(answer);
        }
        outcome
    }

    fn stamp(&self, id: EntryId, at: Timestamp, actor: Actor, key: Option<KeyStamp>) -> Stamp {
        let mut salt = [0; 16];
        let hash = blake3::keyed_hash(&self.options.salt_key, &id.number().to_be_bytes());
        salt.copy_from_slice(&hash.as_bytes()[..16]);
        Stamp {
            id,
            at,
            actor,
            key,
            salt,
        }
    }

    fn next_id(&self) -> i64 {
        self.options.ids.next(self.system_now)
    }
}

fn written(
    writer: &AnswerWriter,
    state: &WalletState,
    rows: &[Arc<Entry>],
    now: Timestamp,
    key: Option<KeyStamp>,
) -> Outcome {
    let (status, body) = writer(state, rows, now);
    let key = key.unwrap_or(KeyStamp {
        key: [0; 16],
        fingerprint: [0; 16],
    });
    Outcome::Answer {
        answer: StoredAnswer {
            key,
            status,
            body: body.into(),
        },
        replayed: false,
    }
}

fn rejected(rejection: Rejection, currency: Option<Currency>) -> Decided {
    Decided::Answer(Err(SubmitError::Rejected {
        rejection,
        currency,
    }))
}
