//! A book and the model beside it, which must agree after each step.

use super::book::Book;
use super::model::{GRACE_DAYS, Model, ModelLot};
use super::steps::Step;
use super::*;
use crate::audit::WalletAudit;
use crate::command::{ChangeLot, Credit, EndPayout, LearnDispute, OpenTopUp, PayoutEnd};
use crate::command::{RefundTopUp, SettleTopUp, Usage, VoidLot, Withdraw};
use crate::decide::as_of;
use crate::entry::{Entry, EntryKind, PayoutWay, UsageFacts};
use crate::hold::HoldStatus;
use crate::id::{LotId, TopUpId};
use crate::lot::Lot;
use crate::payback::DisputeStatus;
use crate::top_up::Channel;
use proptest::sample::Index;

fn micros(micros: i64) -> Amount {
    Amount::from_micros(micros)
}

fn wide(amount: Amount) -> i128 {
    i128::from(amount.micros())
}

fn seconds_in_micros(seconds: i64) -> i128 {
    i128::from(seconds) * 1_000_000
}

/// One of the last few of `count`, or the one behind them, which is none.
fn recent(pick: Index, count: usize, few: usize) -> usize {
    let first = count.saturating_sub(few);
    first + pick.index(count - first + 1)
}

/// A book and the model beside it.
pub(super) struct Pair {
    pub(super) book: Book,
    model: Model,
    holds: Vec<HoldId>,
    debits: Vec<EntryId>,
    payouts: Vec<(TopUpId, EntryId)>,
    payments: i64,
}

impl Pair {
    pub(super) fn new() -> Self {
        let book = Book::new();
        let model = Model::new(i128::from(book.now.micros()));
        Self {
            book,
            model,
            holds: Vec::new(),
            debits: Vec::new(),
            payouts: Vec::new(),
            payments: 0,
        }
    }

    fn pick_hold(&self, pick: Index) -> (usize, HoldId) {
        let unknown = HoldId::from_number(1);
        let place = recent(pick, self.holds.len(), 4);
        (place, self.holds.get(place).copied().unwrap_or(unknown))
    }

    fn pick_lot(&self, pick: Index) -> (usize, LotId) {
        let place = recent(pick, self.book.lots.len(), 6);
        let id = self.book.lots.keys().nth(place).copied();
        (place, id.unwrap_or(LotId::from_number(1)))
    }

    fn pick_debit(&self, pick: Index) -> (usize, EntryId) {
        let unknown = EntryId::from_number(1);
        let place = recent(pick, self.debits.len(), 8);
        (place, self.debits.get(place).copied().unwrap_or(unknown))
    }

    fn pick_payment(&self, pick: Index) -> (usize, TopUpId) {
        let count = usize::try_from(self.payments).expect("few payments");
        let place = recent(pick, count, 3);
        let number = i64::try_from(place).expect("few payments") + 1;
        (place, TopUpId::from_number(number))
    }

    /// What a row made can be named by later steps, by the same numbers as in the model.
    fn notice(&mut self, row: &Entry) {
        let event = &row.event;
        let kind = event.kind;
        let reserves = [EntryKind::HoldPlaced, EntryKind::DisputeChanged].contains(&kind);
        let hold = event.hold.filter(|hold| hold.status == HoldStatus::Open);
        let hold = hold.filter(|hold| reserves && !self.holds.contains(&hold.id));
        self.holds.extend(hold.map(|hold| hold.id));
        let spends = [
            EntryKind::Debit,
            EntryKind::HoldCaptured,
            EntryKind::Usage,
            EntryKind::TopUpRefunded,
            EntryKind::ChargedBack,
        ];
        if spends.contains(&kind) {
            self.debits.push(row.id);
        }
        if kind == EntryKind::TopUpRefunded {
            let payment = event.top_up_id.expect("a payment");
            self.payouts.push((payment, row.id));
        }
    }

    /// The command of a step, and whether the model accepts it.
    fn both(&mut self, step: &Step) -> (Command, bool) {
        let model = &mut self.model;
        let note = Note::default();
        let active_or_frozen = true;
        match step.clone() {
            Step::Wait(_) => (Command::BookDue, false),
            Step::Credit {
                funding,
                amount,
                priority,
                expires_in,
            } => {
                model.credit(ModelLot {
                    priority,
                    expires: expires_in.map(|seconds| model.now + seconds_in_micros(seconds)),
                    ..ModelLot::new(funding, i128::from(amount), model.now)
                });
                let credit = Credit {
                    priority,
                    expiry: expires_in.map(Expiry::InSeconds),
                    ..Credit::new(micros(amount), FundingType::ALL[funding])
                };
                (Command::Credit(credit), active_or_frozen)
            }
            Step::Debit(amount) => (spend(amount, None), model.debit(i128::from(amount))),
            Step::Force(amount, floor) => {
                let accepted = model.force(i128::from(amount), floor.map(i128::from));
                let floor = floor.map(micros);
                (spend(amount, Some(Force { floor })), accepted)
            }
            Step::Limit(amount) => {
                model.limit = i128::from(amount);
                let command = Command::SetOverdraftLimit(micros(amount));
                (command, active_or_frozen)
            }
            Step::Adjust(amount) => {
                let command = Command::Adjust(Adjust {
                    amount: micros(amount),
                    note,
                });
                if amount < 0 {
                    return (command, model.take_back(-i128::from(amount)));
                }
                model.credit(ModelLot::new(4, i128::from(amount), model.now));
                (command, active_or_frozen)
            }
            Step::Refund {
                debit,
                amount,
                grace_days,
            } => {
                let (place, debit_id) = self.pick_debit(debit);
                let grace = i128::from(grace_days);
                let accepted = self.model.refund(place, amount.map(i128::from), grace);
                let command = Command::Refund(Refund {
                    debit_id,
                    amount: amount.map(micros),
                    grace_days,
                    debit: None,
                    note,
                });
                (command, accepted)
            }
            Step::Withdraw(amount) => {
                let command = withdraw_micros(amount);
                (command, model.withdraw(i128::from(amount)))
            }
            Step::VoidLot(lot) => {
                let (place, lot_id) = self.pick_lot(lot);
                let command = Command::VoidLot(VoidLot { lot_id, note });
                (command, self.model.void_lot(place))
            }
            Step::ChangeLot(lot, seconds) => {
                let (place, lot_id) = self.pick_lot(lot);
                let end = seconds.map(|seconds| self.model.now + seconds_in_micros(seconds));
                let command = Command::ChangeLot(ChangeLot {
                    lot_id,
                    expires_at: seconds.map(|seconds| self.book.now.plus_seconds(seconds)),
                });
                (command, self.model.change_lot(place, end))
            }
            Step::Hold(amount, seconds) => {
                let end = model.now + seconds_in_micros(seconds);
                let command = Command::PlaceHold(PlaceHold {
                    amount: micros(amount),
                    expiry: Expiry::InSeconds(seconds),
                    invoice_id: None,
                    note,
                });
                (command, model.place(i128::from(amount), end))
            }
            Step::Capture {
                hold,
                amount,
                after,
            } => {
                let (place, hold_id) = self.pick_hold(hold);
                let ends = after == AfterCapture::End;
                let accepted = self.model.capture(place, amount.map(i128::from), ends);
                let command = Command::CaptureHold(CaptureHold {
                    hold_id,
                    amount: amount.map(micros),
                    after,
                    note,
                });
                (command, accepted)
            }
            Step::UseHold(hold, amount) => {
                let (place, hold_id) = self.pick_hold(hold);
                let accepted = self.model.use_hold(place, i128::from(amount));
                let command = Command::Usage(Usage {
                    cost: micros(amount),
                    facts: UsageFacts {
                        price_key: "voice".into(),
                        quantity: 1,
                        billed_quantity: 1,
                    },
                    hold_id: Some(hold_id),
                    force: None,
                    note,
                });
                (command, accepted)
            }
            Step::Release(hold) => {
                let (place, hold_id) = self.pick_hold(hold);
                (release(hold_id), self.model.release(place))
            }
            Step::Extend(hold, seconds) => {
                let (place, hold_id) = self.pick_hold(hold);
                let end = self.model.now + seconds_in_micros(seconds);
                let command = extend(hold_id, Expiry::InSeconds(seconds));
                (command, self.model.extend(place, end))
            }
            Step::TopUp { charged, given } => {
                self.model.pay_in(i128::from(charged), i128::from(given));
                self.payments += 1;
                let id = TopUpId::from_number(self.payments);
                self.book.ok(open_top_up(id, micros(charged + given)));
                (settled_top_up(id, micros(charged)), active_or_frozen)
            }
            Step::RefundCard(payment, amount) => {
                let (place, top_up_id) = self.pick_payment(payment);
                let accepted = self.model.refund_card(place, amount.map(i128::from));
                let command = Command::RefundTopUp(RefundTopUp {
                    top_up_id,
                    amount: amount.map(micros),
                    record: None,
                    note,
                });
                (command, accepted)
            }
            Step::EndPayout(payout, paid) => {
                let place = recent(payout, self.payouts.len(), 4);
                let unknown = (TopUpId::from_number(1), EntryId::from_number(1));
                let (top_up_id, debit_id) = self.payouts.get(place).copied().unwrap_or(unknown);
                let code = "card_closed".into();
                let command = Command::EndPayout(EndPayout {
                    top_up_id,
                    debit_id,
                    end: if paid {
                        PayoutEnd::Succeeded
                    } else {
                        PayoutEnd::Failed { code }
                    },
                    grace_days: grace_days(),
                    record: None,
                });
                (command, self.model.end_payout(place, paid))
            }
            Step::Dispute {
                payment,
                name,
                status,
                amount,
            } => {
                let (place, top_up_id) = self.pick_payment(payment);
                let wide = i128::from(amount);
                let accepted = self.model.dispute(place, name, status, wide);
                let command = Command::LearnDispute(LearnDispute {
                    top_up_id,
                    provider_id: format!("dp_{name}").into(),
                    status: DisputeStatus::ALL[status],
                    amount: micros(amount),
                    reason: None,
                    grace_days: grace_days(),
                    record: None,
                });
                (command, accepted)
            }
            Step::Freeze => (freeze(), !std::mem::replace(&mut model.frozen, true)),
            Step::Unfreeze => {
                let was_frozen = std::mem::replace(&mut model.frozen, false);
                (Command::Unfreeze, was_frozen)
            }
        }
    }

    pub(super) fn step(&mut self, step: &Step) {
        if let Step::Wait(seconds) = step {
            self.book.now = self.book.now.plus_seconds(*seconds);
            self.model.now += seconds_in_micros(*seconds);
        }
        let from = self.book.entries.len();
        let read = as_of(&self.book.state, self.book.now);
        self.model.book_due();
        self.book.book_due();
        assert_eq!(
            read.balances(),
            self.book.state.balances(),
            "what is due is read as if it were booked"
        );
        let before = self.book.clone();
        let (command, accepted) = self.both(step);
        self.model.reserve_freed(self.model.now);
        self.model.book_due();
        let outcome = self.book.run(command);
        for place in from..self.book.entries.len() {
            let row = self.book.entries[place].clone();
            self.notice(&row);
        }
        assert_eq!(outcome.is_ok(), accepted, "{step:?}: {outcome:?}");
        if let Ok(entry) = outcome {
            if matches!(step, Step::Debit(_) | Step::Hold(..)) {
                assert!(!self.book.state.available().is_negative(), "{step:?}");
            }
            if matches!(step, Step::Debit(_) | Step::Force(..)) {
                self.demand_that_a_whole_refund_undoes(entry.id, &before);
            }
        } else {
            assert_eq!(
                self.book.state, before.state,
                "a rejected command: {step:?}"
            );
        }
        self.compare(step);
    }

    /// Refunded at once, a debit leaves lots, holds and debt as they were.
    fn demand_that_a_whole_refund_undoes(&self, debit_id: EntryId, before: &Book) {
        let mut book = self.book.clone();
        book.ok(refund(debit_id, None));
        let seen = |book: &Book| {
            let lots: Vec<Lot> = book.state.lots().cloned().collect();
            let holds: Vec<_> = book.state.holds().cloned().collect();
            (lots, holds, book.state.balances())
        };
        assert_eq!(seen(&book), seen(before), "refunded at once");
    }

    fn compare(&self, step: &Step) {
        let (state, model) = (&self.book.state, &self.model);
        let balances = state.balances();
        let entries = self.book.entries.iter();
        let transactions: i128 = entries.map(|entry| wide(entry.event.amount)).sum();
        let sums = |balance, held, debt, withdrawable, available| {
            [balance, held, debt, withdrawable, available]
        };
        assert_eq!(
            sums(
                wide(balances.balance),
                wide(balances.held),
                wide(balances.debt),
                wide(balances.withdrawable),
                wide(balances.available)
            ),
            sums(
                model.balance(),
                model.held(),
                model.debt(),
                model.withdrawable(),
                model.available()
            ),
            "balance, held, debt, withdrawable, available after {step:?}"
        );
        assert_eq!(transactions, model.balance(), "sum of all transactions");

        let mut by_funding = Vec::new();
        for (funding, name) in FundingType::ALL.into_iter().enumerate() {
            let lots = model.lots.iter().filter(|lot| lot.funding == funding);
            let sum: i128 = lots.map(|lot| lot.remaining).sum();
            if sum > 0 {
                by_funding.push((name, sum));
            }
        }
        let shown = balances.by_funding_type.iter();
        let shown: Vec<_> = shown.map(|(name, sum)| (*name, wide(*sum))).collect();
        assert_eq!(shown, by_funding, "by funding type after {step:?}");

        let lots = model.lots.iter().enumerate();
        let mut expected: Vec<_> = lots
            .filter(|(_, lot)| lot.remaining > 0)
            .map(|(index, lot)| {
                (
                    lot.created,
                    lot.expires,
                    lot.remaining,
                    model.held_of(index),
                )
            })
            .collect();
        let expires = |lot: &Lot| lot.expires_at.map(|end| i128::from(end.micros()));
        let mut found: Vec<_> = state
            .lots()
            .map(|lot| {
                let created = i128::from(lot.created_at.micros());
                (created, expires(lot), wide(lot.remaining), wide(lot.held))
            })
            .collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "open lots after {step:?}");
    }

    /// Closed at last: what may go out goes out, the rest is lost, and nothing is left.
    pub(super) fn close(&mut self) {
        self.model.book_due();
        self.book.book_due();
        let from = self.book.entries.len();
        let way = PayoutWay::ALL[from % 2];
        let closed = self.book.run(close(way));
        let expected = self.model.closing();
        assert_eq!(closed.is_ok(), expected.is_some(), "{closed:?}");
        if let Some(expected) = expected {
            let rows = || self.book.entries[from..].iter().map(|row| &row.event);
            let sum = |kind: EntryKind| {
                let of_kind = rows().filter(|event| event.kind == kind);
                of_kind.map(|event| -wide(event.amount)).sum::<i128>()
            };
            let withdrawn = sum(EntryKind::Withdrawn) + sum(EntryKind::TopUpRefunded);
            let found = (withdrawn, sum(EntryKind::Forfeited));
            assert_eq!(found, expected, "withdrawn and forfeited");
            assert_eq!(self.book.state.balances().by_funding_type, []);
            assert!(self.book.state.balance.is_zero());
        }
    }

    pub(super) fn audit(&self) {
        let mut audit = WalletAudit::new(self.book.state.id);
        for entry in &self.book.entries {
            audit.feed(entry);
        }
        let wallet = super::book::new_wallet(crate::wallet::WalletStatus::Active);
        let audited = audit.finish(wallet);
        assert_eq!(audited.violations, []);
        assert_eq!(audited.state.as_ref(), Some(&self.book.state));
        assert_eq!(audited.lots, self.book.lots);
    }
}

fn grace_days() -> i64 {
    i64::try_from(GRACE_DAYS).expect("few days")
}

fn open_top_up(id: TopUpId, amount: Amount) -> Command {
    Command::OpenTopUp(OpenTopUp {
        id,
        amount,
        reason: Reason::TopUp,
        channel: Channel::Link,
        method: None,
        note: Note::default(),
    })
}

fn settled_top_up(top_up_id: TopUpId, charged: Amount) -> Command {
    Command::SettleTopUp(SettleTopUp {
        top_up_id,
        charged,
        payment_id: "pay".into(),
        record: None,
        note: Note::default(),
    })
}

fn withdraw_micros(amount: i64) -> Command {
    Command::Withdraw(Withdraw {
        amount: micros(amount),
        note: Note::default(),
    })
}

fn spend(amount: i64, force: Option<Force>) -> Command {
    Command::Debit(Debit {
        amount: micros(amount),
        reason: Reason::Usage,
        force,
        note: Note::default(),
    })
}
