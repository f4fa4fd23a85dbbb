//! What is asked to go back of payments, and what the provider says of it: in any order, once, twice or never.

use super::{Asked, Script};
use crate::model::Model;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, EndPayout, LearnDispute, PayoutEnd, RefundTopUp};
use tillbox_core::entry::{Entry, EntryKind, Note};
use tillbox_core::id::{EntryId, TopUpId};
use tillbox_core::payback::DisputeStatus;

/// Days that value lives which returns to an expired lot.
const GRACE_DAYS: i64 = 30;

/// What can be named.
#[derive(Default)]
pub(super) struct MoneyBackScript {
    /// Payments that were credited.
    paid: Vec<TopUpId>,
    payouts: Vec<(TopUpId, EntryId)>,
}

impl Script {
    pub(super) fn notice_money_back(&mut self, row: &Entry) {
        let Some(top_up) = row.event.top_up_id else {
            return;
        };
        match row.event.kind {
            EntryKind::Credit if row.event.top_up.is_some() => self.back.paid.push(top_up),
            EntryKind::TopUpRefunded => self.back.payouts.push((top_up, row.id)),
            _ => {}
        }
    }

    pub(super) fn money_back(&mut self) -> (&'static str, Command) {
        match self.dice.roll(0, 99) {
            0..=29 => {
                let odd = Amount::from_micros(self.dice.roll(0, 20_000));
                let refund = RefundTopUp {
                    top_up_id: self.paid(),
                    amount: self.dice.chance(60).then(|| match self.dice.roll(0, 9) {
                        0 => odd,
                        1 => self.amount(15) + odd,
                        _ => self.amount(15),
                    }),
                    record: None,
                    note: Note::default(),
                };
                ("card refund", Command::RefundTopUp(refund))
            }
            30..=54 => {
                let end = if self.dice.chance(50) {
                    PayoutEnd::Succeeded
                } else {
                    refused()
                };
                ("payout end", Command::EndPayout(self.payout_end(end)))
            }
            _ => {
                let top_up_id = self.paid();
                let name = *self.dice.pick(&["dp_1", "dp_2"]).expect("some");
                let statuses = [
                    DisputeStatus::Open,
                    DisputeStatus::Open,
                    DisputeStatus::Lost,
                    DisputeStatus::Lost,
                    DisputeStatus::Won,
                ];
                let status = *self.dice.pick(&statuses).expect("some");
                let amount = self.amount(45);
                let dispute = dispute(top_up_id, name, status, amount);
                ("dispute", Command::LearnDispute(dispute))
            }
        }
    }

    /// Mostly one of a payment that it is of.
    fn payout_end(&mut self, end: PayoutEnd) -> EndPayout {
        let newest = self.back.payouts.len().saturating_sub(4);
        let found = self.dice.pick(&self.back.payouts[newest..]).copied();
        let (top_up_id, debit_id) = match found {
            Some((top_up, debit)) if self.dice.chance(90) => (top_up, debit),
            _ => (self.paid(), self.debit()),
        };
        EndPayout {
            top_up_id,
            debit_id,
            end,
            grace_days: GRACE_DAYS,
            record: None,
        }
    }

    /// Mostly one of the newest that were paid; at times one that may not be.
    fn paid(&mut self) -> TopUpId {
        let newest = self.back.paid.len().saturating_sub(4);
        let found = self.dice.pick(&self.back.paid[newest..]).copied();
        match found {
            Some(paid) if self.dice.chance(90) => paid,
            _ => self.top_up(),
        }
    }

    /// Every payout ends, and every dispute is decided.
    pub(super) fn last_word_on_money_back(
        &mut self,
        number: i64,
        model: &Model,
        words: &mut Vec<Asked>,
    ) {
        for (top_up_id, payment) in &model.payments {
            for debit_id in payment.pending_payouts() {
                let end = if self.dice.chance(70) {
                    PayoutEnd::Succeeded
                } else {
                    refused()
                };
                let end = EndPayout {
                    top_up_id: *top_up_id,
                    debit_id,
                    end,
                    grace_days: GRACE_DAYS,
                    record: None,
                };
                let asked = self.submission(number, Command::EndPayout(end));
                words.push(Asked::command("payout end", asked));
            }
            let open = payment.disputes.iter();
            let open = open.filter(|dispute| dispute.status == DisputeStatus::Open);
            for one in open {
                let status = if self.dice.chance(50) {
                    DisputeStatus::Lost
                } else {
                    DisputeStatus::Won
                };
                let told = dispute(*top_up_id, &one.name, status, Amount::ZERO);
                let asked = self.submission(number, Command::LearnDispute(told));
                words.push(Asked::command("dispute", asked));
            }
        }
    }
}

fn refused() -> PayoutEnd {
    PayoutEnd::Failed {
        code: "card_closed".into(),
    }
}

fn dispute(top_up_id: TopUpId, name: &str, status: DisputeStatus, amount: Amount) -> LearnDispute {
    LearnDispute {
        top_up_id,
        provider_id: name.into(),
        status,
        amount,
        reason: None,
        grace_days: GRACE_DAYS,
        record: None,
    }
}
