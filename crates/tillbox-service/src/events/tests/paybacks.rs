//! Random refunds to cards and disputes, with what a store would remember of payments.

use super::Book;
use std::collections::BTreeMap;
use tillbox_core::amount::Amount;
use tillbox_core::command::{
    Command, DebitRecord, DebtPayment, EndPayout, LearnDispute, PaymentRecord, PayoutEnd,
    RefundTopUp,
};
use tillbox_core::entry::{Entry, EntryKind, Note};
use tillbox_core::id::{EntryId, LotId, TopUpId};
use tillbox_core::lot::Lot;
use tillbox_core::payback::{DisputeStatus, Payback};
use tillbox_core::reason::Reason;

impl Book {
    /// What goes back of one of the payments; none where there is none.
    pub(super) fn payback(&self, which: u8, amount: Amount, pick: usize) -> Option<Command> {
        let paid =
            |entry: &&Entry| entry.event.kind == EntryKind::Credit && entry.event.top_up.is_some();
        let paid: Vec<TopUpId> = self.rows().filter(paid).filter_map(top_up_of).collect();
        let top_up_id = *paid.get(pick % paid.len().max(1))?;
        let opened = |entry: &&Entry| entry.event.kind == EntryKind::TopUpRefunded;
        let of_it = |entry: &&Entry| top_up_of(entry) == Some(top_up_id);
        let payout = self.rows().filter(opened).rfind(of_it).map(|row| row.id);
        Some(match which {
            30 => Command::RefundTopUp(RefundTopUp {
                top_up_id,
                amount: (!pick.is_multiple_of(3)).then_some(amount),
                record: self.payment(top_up_id, None),
                note: Note::default(),
            }),
            31 => Command::EndPayout(EndPayout {
                top_up_id,
                debit_id: payout?,
                end: if pick.is_multiple_of(2) {
                    PayoutEnd::Succeeded
                } else {
                    let code = "refused".into();
                    PayoutEnd::Failed { code }
                },
                grace_days: 30,
                record: self.payment(top_up_id, payout),
            }),
            _ => Command::LearnDispute(LearnDispute {
                top_up_id,
                provider_id: "dp_1".into(),
                status: DisputeStatus::ALL[pick % 3],
                amount,
                reason: None,
                grace_days: 30,
                record: self.payment(top_up_id, None),
            }),
        })
    }

    fn rows(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.told.iter().map(|told| &told.entry)
    }

    fn payment(&self, id: TopUpId, payout: Option<EntryId>) -> Option<Box<PaymentRecord>> {
        let rows = || self.rows().filter(move |row| top_up_of(row) == Some(id));
        let top_up = rows().rev().find_map(|row| row.event.top_up.clone())?;
        let credit = rows().find(|row| row.event.kind == EntryKind::Credit)?;
        let bonus = rows().find(|row| row.event.reason == Some(Reason::Bonus));
        let paybacks = || rows().rev().filter_map(|row| row.event.payback.as_deref());
        let fresh = || {
            let bonus = bonus.and_then(Entry::made_lot);
            Payback::none_yet(&top_up, credit.made_lot()?, bonus)
        };
        let payback = paybacks().next().map(Payback::standing).or_else(fresh);
        let known = paybacks().filter_map(|payback| payback.payout.as_ref());
        let known = known.filter(|known| Some(known.debit_id) == payout);
        let last = payback.as_ref().and_then(|one| one.chargebacks.last());
        let debit = payout.or(last.map(|last| last.entry_id));
        Some(Box::new(PaymentRecord {
            payout: { known }.next().cloned(),
            debit: debit.and_then(|debit| self.debit(debit)),
            top_up: *top_up,
            payback,
        }))
    }

    fn debit(&self, id: EntryId) -> Option<DebitRecord> {
        let debit = self.rows().find(|row| row.id == id)?;
        let mut lots: BTreeMap<LotId, Lot> = BTreeMap::new();
        let mut debt_payments = Vec::new();
        for row in self.rows() {
            for lot in &row.event.lots {
                lots.insert(lot.id, lot.clone());
            }
            for part in &row.event.parts {
                let lot = lots.get_mut(&part.lot.id).expect("a lot of the log");
                lot.remaining += part.amount;
                lot.held += part.held;
                let span = part.debt_paid().zip(debit.event.debt_made);
                if let Some((span, made)) = span
                    && span.overlap(&made).is_some()
                {
                    let lot_id = part.lot.id;
                    debt_payments.push(DebtPayment { span, lot_id });
                }
            }
        }
        let refunds = self.rows().filter(|row| row.event.refund_of == Some(id));
        Some(DebitRecord {
            event: debit.event.clone(),
            refunded: refunds.map(|row| row.event.amount).sum(),
            debt_payments,
            lots: lots.into_values().collect(),
        })
    }
}

fn top_up_of(row: &Entry) -> Option<TopUpId> {
    row.event.top_up_id
}
