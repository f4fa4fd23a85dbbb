//! Value that comes in, goes out, is given back and pays debt.

use super::{From, Model, ModelLot, Moved, Refusable, narrow, nothing_of};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{EntryId, HoldId};
use tillbox_core::lot::FundingType;
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;

impl Model {
    pub(super) fn refund(
        &mut self,
        debit: EntryId,
        amount: Option<i128>,
        grace_days: i64,
        now: Timestamp,
        id: EntryId,
    ) -> Refusable<Moved> {
        let Some(record) = self.moves.get(&debit) else {
            return Err(Rejection::TransactionNotFound);
        };
        let left = -record.amount - record.refunded;
        let is_refundable = record.refundable;
        self.in_use()?;
        if !is_refundable {
            return Err(Rejection::NotRefundable);
        }
        if amount.is_some_and(|amount| amount <= 0) {
            return Err(nothing_of(left));
        }
        let amount = amount.unwrap_or(left);
        if amount > left || left == 0 {
            return Err(Rejection::RefundExceedsRemaining {
                remaining: narrow(left),
            });
        }
        self.give_back(debit, amount, grace_days, now);
        Ok(self.moved(id, amount, false, Vec::new()))
    }

    /// Gives back the next `amount` of a debit, of which so much must be left: to its lots or what comes after them,
    /// and against what it still owes.
    pub(super) fn give_back(
        &mut self,
        debit: EntryId,
        amount: i128,
        grace_days: i64,
        now: Timestamp,
    ) {
        let record = self.moves.get_mut(&debit).expect("it was found before");
        assert!(
            record.refunded + amount <= -record.amount,
            "no more comes back than went out"
        );
        cut(&mut record.stretches, record.refunded);
        cut(&mut record.stretches, record.refunded + amount);
        let (from, to) = (record.refunded, record.refunded + amount);
        record.refunded = to;
        let (mut at, mut returned) = (0, Vec::<(usize, i128)>::new());
        for (source, length) in &mut record.stretches {
            if at >= from && at < to {
                match source {
                    From::Lot(lot) => match returned.iter_mut().find(|(known, _)| known == lot) {
                        Some((_, sum)) => *sum += *length,
                        None => returned.push((*lot, *length)),
                    },
                    From::Owed | From::Canceled => *source = From::Canceled,
                }
            }
            at += *length;
        }
        let mut freed = Vec::new();
        for (lot, share) in returned {
            let old = self.lots[lot].clone();
            if old.expires.is_some_and(|expires| expires <= now) {
                freed.push((self.lots.len(), share));
                self.lots.push(ModelLot {
                    id: None,
                    expires: Some(now.plus_days(grace_days)),
                    created: now,
                    amount: share,
                    remaining: share,
                    held: 0,
                    lapsed: 0,
                    ..old
                });
            } else {
                self.lots[lot].remaining += share;
                freed.push((lot, share));
            }
        }
        self.pay_debt(freed, now);
    }

    pub(super) fn value_in(
        &mut self,
        amount: i128,
        funding: FundingType,
        priority: u8,
        expires: Option<Timestamp>,
        now: Timestamp,
    ) {
        use FundingType::{Cash, ManualAdjustment, Refund};
        self.lots.push(ModelLot {
            id: None,
            payment: None,
            priority,
            expires,
            withdrawable: [Cash, Refund, ManualAdjustment].contains(&funding),
            created: now,
            amount,
            remaining: amount,
            held: 0,
            lapsed: 0,
        });
        self.pay_debt(vec![(self.lots.len() - 1, amount)], now);
    }

    /// Ends a hold: its value is free again, and pays debt if it is not past its date.
    pub(super) fn end(&mut self, id: HoldId, status: HoldStatus, at: Timestamp) {
        let hold = self.hold_mut(id);
        hold.status = status;
        hold.released += hold.remaining;
        hold.remaining = 0;
        let parts = std::mem::take(&mut hold.parts);
        for (lot, share) in &parts {
            self.lots[*lot].held -= share;
        }
        self.pay_debt(parts, at);
    }

    /// Freed value pays the oldest debt, in draw order.
    pub(super) fn pay_debt(&mut self, mut freed: Vec<(usize, i128)>, at: Timestamp) {
        freed.retain(|(lot, _)| self.lots[*lot].expires.is_none_or(|expires| expires > at));
        freed.sort_by_key(|(lot, _)| self.order(*lot));
        for (lot, mut share) in freed {
            for debit in self.moves.values_mut() {
                let mut paid = Vec::new();
                for (from, length) in std::mem::take(&mut debit.stretches) {
                    let part = if from == From::Owed {
                        length.min(share)
                    } else {
                        0
                    };
                    paid.push((From::Lot(lot), part));
                    paid.push((from, length - part));
                    self.lots[lot].remaining -= part;
                    share -= part;
                }
                paid.retain(|(_, length)| *length > 0);
                debit.stretches = paid;
            }
        }
    }

    /// Takes from unheld lots in draw order, and owes the rest.
    pub(super) fn draw(&mut self, amount: i128) -> Vec<(From, i128)> {
        let plan = self.plan(amount);
        let mut owed = amount;
        for (lot, share) in &plan {
            self.lots[*lot].remaining -= share;
            owed -= share;
        }
        let drawn = plan.into_iter().map(|(lot, share)| (From::Lot(lot), share));
        drawn.chain([(From::Owed, owed)]).collect()
    }

    pub(super) fn plan(&self, amount: i128) -> Vec<(usize, i128)> {
        let mut lots: Vec<usize> = (0..self.lots.len()).collect();
        lots.sort_by_key(|lot| self.order(*lot));
        let mut left = amount;
        let mut plan = Vec::new();
        for lot in lots {
            let share = left.min(self.lots[lot].remaining - self.lots[lot].held);
            if share > 0 {
                plan.push((lot, share));
                left -= share;
            }
        }
        plan
    }

    /// What is drawn first: low priority numbers, then what expires sooner, what can't be paid out, what is older.
    pub(crate) fn order(
        &self,
        lot: usize,
    ) -> (u8, bool, Option<Timestamp>, bool, Timestamp, usize) {
        let one = &self.lots[lot];
        let never = one.expires.is_none();
        (
            one.priority,
            never,
            one.expires,
            one.withdrawable,
            one.created,
            lot,
        )
    }
}

/// Makes the stretches end at `place`, so that none lies across it.
fn cut(stretches: &mut Vec<(From, i128)>, place: i128) {
    let mut at = 0;
    for index in 0..stretches.len() {
        let (from, length) = stretches[index];
        if at < place && place < at + length {
            stretches[index] = (from, place - at);
            stretches.insert(index + 1, (from, at + length - place));
            return;
        }
        at += length;
    }
}
