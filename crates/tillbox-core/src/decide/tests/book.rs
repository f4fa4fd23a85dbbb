//! A book: one wallet and its log, run as an engine runs it. Around each command it books what is due; after
//! each row it demands the invariants, reads the row back from its bytes, and replays it on a second state.

use crate::amount::Amount;
use crate::command::{
    AdvanceTopUp, Close, EndTopUp, LearnDispute, PaymentRecord, RefundTopUp, SettleTopUp,
    SourcePayment,
};
use crate::command::{Command, DebitRecord, DebtPayment};
use crate::currency::Currency;
use crate::decide::{self, Context, decide, due};
use crate::entry::{
    Actor, Entry, EntryKind, Event, KeyStamp, Part, Stamp, decode_body, decode_payback,
    decode_state, encode_body, encode_payback, encode_state, seal,
};
use crate::hold::HoldStatus;
use crate::id::{CustomerId, EntryId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use crate::journal::{Account, postings};
use crate::lot::{DrawKey, FundingType, Lot};
use crate::payback::Payback;
use crate::policy::Policies;
use crate::reason::{Language, Reason};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::wallet::{NewWallet, WalletState, WalletStatus};
use std::cell::Cell;
use std::collections::BTreeMap;

#[derive(Clone)]
pub(super) struct Book {
    pub(super) state: WalletState,
    pub(super) entries: Vec<Entry>,
    pub(super) now: Timestamp,
    pub(super) policies: Policies,
    /// Every lot ever made, as the rows leave it.
    pub(super) lots: BTreeMap<LotId, Lot>,
    /// What each account was debited less what it was credited.
    ledger: BTreeMap<Account, i128>,
    /// Rows that gave a lot another expiry which a hold was on.
    pub(super) holds_on: Vec<(EntryId, LotId)>,
    replayed: WalletState,
    last_id: Cell<i64>,
}

pub(super) fn new_wallet(status: WalletStatus) -> NewWallet {
    NewWallet {
        id: WalletId::from_number(1),
        merchant_id: MerchantId::from_number(2),
        customer_id: CustomerId::from_number(3),
        currency: Currency::parse("USD").expect("USD"),
        language: Language::En,
        status,
        overdraft_limit: Amount::ZERO,
    }
}

impl Book {
    pub(super) fn new() -> Self {
        Self::of(WalletState::new(new_wallet(WalletStatus::Active)))
    }

    pub(super) fn with_status(status: WalletStatus) -> Self {
        Self::of(WalletState::new(new_wallet(status)))
    }

    fn of(state: WalletState) -> Self {
        Self {
            replayed: state.clone(),
            state,
            entries: Vec::new(),
            now: super::at(0),
            policies: Policies::default(),
            lots: BTreeMap::new(),
            ledger: BTreeMap::new(),
            holds_on: Vec::new(),
            last_id: Cell::new(100),
        }
    }

    /// A book in which these commands were accepted.
    pub(super) fn after(commands: impl IntoIterator<Item = Command>) -> Self {
        let mut book = Self::new();
        for command in commands {
            book.ok(command);
        }
        book
    }

    /// The same at a later time.
    pub(super) fn at(mut self, seconds: i64) -> Self {
        self.now = super::at(seconds);
        self
    }

    pub(super) fn ok(&mut self, command: Command) -> Entry {
        self.run(command).expect("the command is accepted")
    }

    pub(super) fn ok_at(&mut self, seconds: i64, command: Command) -> Entry {
        self.now = super::at(seconds);
        self.ok(command)
    }

    pub(super) fn run(&mut self, command: Command) -> Result<Entry, Rejection> {
        self.book_due();
        let before = self.state.clone();
        let mut command = self.filled_in(command);
        let id = self.next_id();
        let decided = {
            let next_id = || self.next_id();
            let context = Context {
                now: self.now,
                entry_id: EntryId::from_number(id),
                next_id: &next_id,
                policies: &self.policies,
            };
            decide(&self.state, &command, &context)
        };
        let event = decided.inspect_err(|_| {
            assert_eq!(self.state, before, "a rejected command changes nothing");
        })?;
        let entry = self.book(
            id,
            event,
            Actor::ApiKey(crate::id::ApiKeyId::from_number(9)),
        );
        self.book_what_follows(&entry.event);
        let mut last = entry.clone();
        let mut stood = before;
        while decide::goes_on(&command, &last.event) {
            if let Command::Close(close) = &mut command {
                close.follow(&stood, &last);
            }
            stood = self.state.clone();
            let id = self.next_id();
            let event = {
                let next_id = || self.next_id();
                let context = Context {
                    now: self.now,
                    entry_id: EntryId::from_number(id),
                    next_id: &next_id,
                    policies: &self.policies,
                };
                decide(&self.state, &command, &context)
            };
            let event = event.expect("what has begun goes on");
            last = self.book(id, event, entry.actor);
            self.book_what_follows(&last.event);
        }
        self.book_due();
        Ok(entry)
    }

    pub(super) fn book_due(&mut self) {
        while let Some(event) = due(&self.state, self.now) {
            let id = self.next_id();
            let row = self.book(id, event, Actor::System);
            self.book_what_follows(&row.event);
        }
    }

    fn book_what_follows(&mut self, row: &Event) {
        let mut following = decide::Following::default();
        loop {
            let id = self.next_id();
            let followed = {
                let next_id = || self.next_id();
                let context = Context {
                    now: self.now,
                    entry_id: EntryId::from_number(id),
                    next_id: &next_id,
                    policies: &self.policies,
                };
                following.next(&self.state, row, &context)
            };
            let Some(event) = followed else {
                self.last_id.set(id - 1);
                return;
            };
            self.book(id, event, Actor::System);
        }
    }

    fn book(&mut self, id: i64, event: Event, actor: Actor) -> Entry {
        let stamp = Stamp {
            id: EntryId::from_number(id),
            at: self.now,
            actor,
            key: matches!(actor, Actor::ApiKey(_)).then_some(KeyStamp {
                key: [7; 16],
                fingerprint: [8; 16],
            }),
            salt: [id.to_le_bytes()[0]; 16],
        };
        let entry = seal(&self.state, event, stamp);
        assert_eq!(entry.event.balance_of_parts(), entry.event.amount);
        demand_no_draw_on_expired_value(&entry);
        self.remember_lots(&entry.event);
        if let Some(change) = &entry.event.lot_change
            && self.state.holds().any(|hold| hold.is_on(change.lot.id))
        {
            self.holds_on.push((entry.id, change.lot.id));
        }
        self.state.apply(&entry);
        assert_eq!(self.state.check(), Ok(()), "after {:?}", entry.event);

        let mut bytes = Vec::new();
        encode_body(&entry, &mut bytes);
        let event = &entry.event;
        let read = decode_body(
            &bytes,
            event.kind,
            event.reason,
            event.amount,
            event.note.clone(),
        );
        assert_eq!(read, Ok((entry.actor, event.clone())), "read back");
        if let Some(payback) = event.payback.as_deref() {
            let read = decode_payback(&encode_payback(payback));
            assert_eq!(read.as_ref(), Ok(payback), "read back");
        }
        let mut from_bytes = entry.clone();
        from_bytes.event = read.expect("just compared").1;
        assert_eq!(entry.chained_after(&self.replayed.head), entry.hash);
        self.replayed.apply(&from_bytes);
        assert_eq!(self.replayed, self.state, "replay of the log is the state");
        self.demand_same_state_from_what_is_open();
        self.demand_that_the_journal_ties(&entry);
        self.entries.push(entry.clone());
        entry
    }

    /// What a store keeps open is enough to come to the same state.
    fn demand_same_state_from_what_is_open(&self) {
        let lots = self.state.lots.iter().rev().cloned().collect();
        let holds = self.state.holds().cloned().collect();
        let top_ups: Vec<_> = self
            .state
            .top_ups()
            .map(|(id, one)| (id, one.clone()))
            .collect();
        let recharge = self.state.recharge.as_deref().cloned();
        let state = self.state.clone().with_open(lots, holds);
        let state = state.with_policy(top_ups, recharge, self.state.alerts.clone());
        let state = state.with_disputed(self.state.disputed().clone());
        assert_eq!(state, self.state);
        let snapshot = encode_state(&self.state);
        assert_eq!(
            decode_state(&snapshot).as_ref(),
            Ok(&self.state),
            "read back"
        );
        for lot in self.state.lots() {
            assert_eq!(self.lots.get(&lot.id), Some(lot), "the store's lot");
        }
        for hold in self.state.holds() {
            let parts: Amount = hold.parts.iter().map(|part| part.amount).sum();
            assert_eq!(parts + hold.overdraft, hold.remaining());
            assert_eq!(hold.status, HoldStatus::Open);
        }
    }

    /// The liability of each funding type is Σ remaining of its lots, the receivable is Σ debt.
    fn demand_that_the_journal_ties(&mut self, entry: &Entry) {
        for posting in postings(&entry.event, None) {
            assert!(posting.amount.is_positive() && posting.debit != posting.credit);
            for (account, sign) in [(posting.debit, 1), (posting.credit, -1)] {
                *self.ledger.entry(account).or_insert(0) +=
                    sign * i128::from(posting.amount.micros());
            }
        }
        let sum = |account| self.ledger.get(&account).copied().unwrap_or(0);
        for funding in FundingType::ALL {
            let lots = self.state.lots().filter(|lot| lot.funding == funding);
            let remaining: i128 = lots.map(|lot| i128::from(lot.remaining.micros())).sum();
            assert_eq!(-sum(Account::liability(funding)), remaining, "{funding:?}");
        }
        let debt = i128::from(self.state.debt.total().micros());
        assert_eq!(sum(Account::Receivable), debt, "{:?}", entry.event);
    }

    fn remember_lots(&mut self, event: &Event) {
        for lot in &event.lots {
            let known = self.lots.insert(lot.id, lot.clone());
            assert!(
                known.is_none_or(|known| known == *lot),
                "a lot comes back as it was"
            );
        }
        for part in &event.parts {
            let lot = self.lots.get_mut(&part.lot.id).expect("a known lot");
            assert_eq!(lot.draw_key(), part.lot);
            lot.remaining += part.amount;
            lot.held += part.held;
        }
        if let Some(change) = &event.lot_change {
            let lot = self.lots.get_mut(&change.lot.id).expect("a known lot");
            assert_eq!(lot.draw_key(), change.lot);
            lot.expires_at = change.expires_at;
        }
    }

    /// The payments that open lots came from, read off the log.
    fn payments(&self) -> Vec<SourcePayment> {
        let mut lots_of: BTreeMap<TopUpId, Vec<DrawKey>> = BTreeMap::new();
        for lot in self.state.lots() {
            let mut origin = lot;
            while let Some(before) = origin.succeeds {
                origin = &self.lots[&before];
            }
            let row = self.entries.iter().find(|row| row.id == origin.source);
            let top_up = row.filter(|row| row.event.top_up.is_some());
            if let Some(id) = top_up.and_then(|row| row.event.top_up_id) {
                lots_of.entry(id).or_default().push(lot.draw_key());
            }
        }
        let payment = |(top_up_id, lots)| SourcePayment {
            top_up_id,
            lots,
            record: *self.payment(top_up_id, None).expect("it came in"),
        };
        lots_of.into_iter().map(payment).collect()
    }

    fn filled_in(&self, command: Command) -> Command {
        if let Command::Refund(mut refund) = command {
            refund.debit = self.record(refund.debit_id).map(Box::new);
            return Command::Refund(refund);
        }
        if let Command::Close(close) = command {
            let payments = self.payments();
            return Command::Close(Close { payments, ..close });
        }
        let mut command = command;
        if let Command::RefundTopUp(RefundTopUp {
            top_up_id, record, ..
        })
        | Command::LearnDispute(LearnDispute {
            top_up_id, record, ..
        }) = &mut command
        {
            *record = self.payment(*top_up_id, None);
        }
        if let Command::EndPayout(end) = &mut command {
            end.record = self.payment(end.top_up_id, Some(end.debit_id));
        }
        if let Command::AdvanceTopUp(AdvanceTopUp {
            top_up_id, record, ..
        })
        | Command::EndTopUp(EndTopUp {
            top_up_id, record, ..
        })
        | Command::SettleTopUp(SettleTopUp {
            top_up_id, record, ..
        }) = &mut command
        {
            let mut rows = self.entries.iter().rev().map(|entry| &entry.event);
            let last = rows.find(|row| row.top_up_id == Some(*top_up_id) && row.top_up.is_some());
            *record = last.and_then(|row| row.top_up.clone());
        }
        command
    }

    /// What has gone back of a payment, as its last row left it.
    pub(super) fn payback(&self, id: TopUpId) -> Option<Payback> {
        let mut rows = self.entries.iter().rev().map(|entry| &entry.event);
        let last = rows.find(|row| row.top_up_id == Some(id) && row.payback.is_some());
        last.and_then(|row| Some(row.payback.as_ref()?.standing()))
    }

    /// What a store remembers of a payment, read off the log.
    pub(super) fn payment(
        &self,
        id: TopUpId,
        payout: Option<EntryId>,
    ) -> Option<Box<PaymentRecord>> {
        let of_it = |entry: &&Entry| entry.event.top_up_id == Some(id);
        let rows = || self.entries.iter().filter(of_it);
        let top_up = rows().rev().find_map(|row| row.event.top_up.clone())?;
        let credit = rows().find(|row| row.event.kind == EntryKind::Credit);
        let bonus = rows().find(|row| row.event.reason == Some(Reason::Bonus));
        let fresh = credit.and_then(|credit| {
            let bonus = bonus.and_then(Entry::made_lot);
            Payback::none_yet(&top_up, credit.made_lot()?, bonus)
        });
        let mut payback = self.payback(id).or(fresh);
        if let Some(payback) = &mut payback {
            let lapses = self.entries.iter().map(|entry| &entry.event);
            let lapses = lapses.filter(|row| row.reason.is_some_and(Reason::is_lapse));
            let parts = lapses.flat_map(|row| &row.parts);
            let parts = parts.filter(|part| Some(part.lot.id) == payback.bonus_lot);
            payback.lapsed = -parts.map(|part| part.amount).sum::<Amount>();
        }
        let known = rows()
            .rev()
            .filter_map(|row| row.event.payback.as_ref()?.payout.as_ref())
            .find(|one| Some(one.debit_id) == payout);
        let last = payback.as_ref().and_then(|one| one.chargebacks.last());
        let debit = payout.or(last.map(|last| last.entry_id));
        Some(Box::new(PaymentRecord {
            top_up: *top_up,
            payout: known.cloned(),
            debit: debit.and_then(|debit| self.record(debit)),
            payback,
        }))
    }

    /// What a store remembers of a debit, read off the log.
    pub(super) fn record(&self, debit_id: EntryId) -> Option<DebitRecord> {
        let debit = self.entries.iter().find(|entry| entry.id == debit_id)?;
        let refunds = self
            .entries
            .iter()
            .filter(|entry| entry.event.refund_of == Some(debit_id));
        let made = debit.event.debt_made;
        let payments = self.entries.iter().flat_map(|entry| &entry.event.parts);
        let debt_payments: Vec<DebtPayment> = payments
            .filter_map(|part| {
                let span = part.debt_paid()?.overlap(&made?)?;
                Some(DebtPayment {
                    span,
                    lot_id: part.lot.id,
                })
            })
            .collect();
        let drawn = debit.event.own_parts().map(|part| part.lot.id);
        let paid = debt_payments.iter().map(|payment| payment.lot_id);
        let lots = drawn.chain(paid).map(|id| self.lots[&id].clone());
        Some(DebitRecord {
            event: debit.event.clone(),
            refunded: refunds.map(|entry| entry.event.amount).sum(),
            lots: lots.collect(),
            debt_payments,
        })
    }

    pub(super) fn next_id(&self) -> i64 {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    /// The hold that the last row is about.
    pub(super) fn last_hold(&self) -> HoldId {
        let event = &self.entries.last().expect("a row").event;
        event.hold.expect("a row about a hold").id
    }

    /// Books a row that no command of today makes.
    pub(super) fn book_row(&mut self, event: Event) -> Entry {
        let id = self.next_id();
        self.book(id, event, Actor::System)
    }

    pub(super) fn last_id(&self) -> EntryId {
        self.entries.last().expect("a row").id
    }

    /// The rows since `from`, one line each.
    pub(super) fn show_rows(&self, from: usize) -> Vec<String> {
        self.entries[from..]
            .iter()
            .map(|entry| self.show_row(&entry.event))
            .collect()
    }

    /// Lots are called A, B, C… in the order in which they were made.
    fn name(&self, id: LotId) -> String {
        let place = self.lots.keys().position(|lot| *lot == id).expect("known");
        let place = u8::try_from(place).expect("few lots");
        char::from(b'A' + place).to_string()
    }

    /// What a row moved: `-8: A-5 B-3` draws on lots, `A[+3]` holds, `A-2>0` pays debt from offset 0.
    pub(super) fn show_row(&self, event: &Event) -> String {
        let mut words = vec![format!("{}:", plain(event.amount))];
        for part in &event.parts {
            words.push(format!("{}{}", self.name(part.lot.id), show_part(part)));
        }
        if let Some(made) = event.debt_made {
            words.push(format!("debt+{}@{}", plain(made.amount), plain(made.from)));
        }
        for span in &event.debt_canceled {
            words.push(format!("debt-{}@{}", plain(span.amount), plain(span.from)));
        }
        if let Some(hold) = &event.hold {
            words.push(format!(
                "{} {}",
                hold.status.name(),
                plain(hold.remaining())
            ));
        }
        words.join(" ").trim_end_matches(':').to_owned()
    }

    /// What the wallet holds: sums that are not zero, then its lots in draw order, held value in brackets.
    pub(super) fn show(&self) -> String {
        let balances = self.state.balances();
        let mut words = vec![plain(balances.balance)];
        for (name, sum) in [
            ("held", balances.held),
            ("debt", balances.debt),
            ("limit", self.state.overdraft_limit),
        ] {
            if !sum.is_zero() {
                words.push(format!("{name} {}", plain(sum)));
            }
        }
        for lot in self.state.lots() {
            let held = if lot.held.is_zero() {
                String::new()
            } else {
                format!("[{}]", plain(lot.held))
            };
            words.push(format!(
                "{}{}{held}",
                self.name(lot.id),
                plain(lot.remaining)
            ));
        }
        words.join(" ")
    }
}

/// No allocation to an expired lot, unless by a hold that was placed before or by its expiry (L5).
fn demand_no_draw_on_expired_value(entry: &Entry) {
    for part in &entry.event.parts {
        let drawn = part.amount.is_negative() && part.held.is_zero();
        let effective_at = entry.event.effective_at.unwrap_or(entry.at);
        if drawn && entry.event.kind != crate::entry::EntryKind::LotExpired {
            assert!(part.lot.expires_at > effective_at, "draws on expired value");
        }
        if part.held.is_positive() {
            assert!(part.lot.expires_at > effective_at, "holds expired value");
        }
    }
}

fn show_part(part: &Part) -> String {
    let signed = |amount: Amount| {
        let sign = if amount.is_positive() { "+" } else { "" };
        format!("{sign}{}", plain(amount))
    };
    let amount = Some(part.amount).filter(|amount| !amount.is_zero());
    let held = Some(part.held).filter(|held| !held.is_zero());
    let words = [
        amount.map(signed),
        held.map(|held| format!("[{}]", signed(held))),
        part.pays_debt_from.map(|from| format!(">{}", plain(from))),
    ];
    words.into_iter().flatten().collect()
}

/// An amount without needless zeros.
pub(super) fn plain(amount: Amount) -> String {
    amount.display(Currency::parse("JPY").expect("JPY"))
}
