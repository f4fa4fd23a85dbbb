//! Payments, and what goes back of them (R27, R28): sums over lists of payouts and chargebacks, made anew each time.

use super::{Model, ModelHold, ModelLot, Source};

const CENT: i128 = 10_000;
/// Days that value lives which returns to an expired lot.
pub(in super::super) const GRACE_DAYS: i128 = 30;

#[derive(Clone, Debug)]
pub(super) struct Payment {
    charged: i128,
    given: i128,
    lot: usize,
    bonus: Option<usize>,
    /// Debits by which disputes took value, and what of it they still have.
    taken: Vec<(usize, i128)>,
    disputes: Vec<Dispute>,
    /// What its open disputes reserve.
    hold: Option<usize>,
}

#[derive(Clone, Debug)]
struct Dispute {
    name: usize,
    /// Open, lost, won.
    status: usize,
    amount: i128,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Unknown,
    Paid,
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct Payout {
    payment: usize,
    debit: usize,
    amount: i128,
    clawed: i128,
    end: End,
}

/// What went back of a payment, as its sums stand.
struct Back {
    refunded: i128,
    clawed: i128,
    taken: i128,
    lost: i128,
    lapsed: i128,
}

impl Model {
    pub(in super::super) fn pay_in(&mut self, charged: i128, given: i128) {
        let cash = ModelLot::new(0, charged, self.now);
        self.credit(cash);
        let lot = self.lots.len() - 1;
        if given > 0 {
            self.credit(ModelLot::new(1, given, self.now));
        }
        self.payments.push(Payment {
            charged,
            given,
            lot,
            bonus: (given > 0).then_some(lot + 1),
            taken: Vec::new(),
            disputes: Vec::new(),
            hold: None,
        });
    }

    fn back(&self, payment: usize) -> Back {
        let one = &self.payments[payment];
        let payouts = || {
            let all = self.payouts.iter();
            all.filter(|payout| payout.payment == payment && payout.end != End::Failed)
        };
        let refunded = payouts().map(|payout| payout.amount).sum();
        let lost = one.disputes.iter().filter(|dispute| dispute.status == 1);
        let lost: i128 = lost.map(|dispute| dispute.amount).sum();
        Back {
            refunded,
            clawed: payouts().map(|payout| payout.clawed).sum(),
            taken: one.taken.iter().map(|(_, left)| left).sum(),
            lost: lost.min(one.charged - refunded),
            lapsed: one.bonus.map_or(0, |lot| self.lots[lot].lapsed),
        }
    }

    /// What of the bonus is not earned any more, once so much of the charge stays.
    fn unearned(&self, payment: usize, stays: i128) -> i128 {
        let one = &self.payments[payment];
        one.given - one.given * stays.max(0) / one.charged
    }

    fn due_to_disputes(&self, payment: usize) -> i128 {
        let (one, back) = (&self.payments[payment], self.back(payment));
        if back.lost == 0 {
            return 0;
        }
        let unearned = self.unearned(payment, one.charged - back.refunded - back.lost);
        let bonus = unearned.min(one.given - back.lapsed) - back.clawed;
        back.lost + bonus.max(0)
    }

    pub(in super::super) fn refund_card(&mut self, payment: usize, amount: Option<i128>) -> bool {
        let Some(one) = self.payments.get(payment).cloned() else {
            return false;
        };
        let back = self.back(payment);
        let gone = back.refunded + back.clawed + back.taken;
        let bonus_rest = one.bonus.map_or(0, |lot| self.unheld(lot));
        let bonus_taken = (back.taken - back.lost).max(0);
        let known = back.clawed + bonus_taken + back.lapsed + bonus_rest;
        let spent = (one.given - known).max(0);
        let most = (self.unheld(one.lot) - spent)
            .min(one.charged - back.refunded - back.lost)
            .min(one.charged + one.given - gone)
            .max(0);
        let most = most / CENT * CENT;
        let amount = amount.map_or(most, |amount| amount / CENT * CENT);
        if amount == 0 || amount > most {
            return false;
        }
        let stays = one.charged - back.refunded - back.lost - amount;
        let clawed = (self.unearned(payment, stays) - back.clawed - bonus_taken)
            .min(bonus_rest + spent)
            .min(one.charged + one.given - gone - amount)
            .max(0);
        let from_bonus = clawed.min(bonus_rest);
        let own = (one.lot, amount + clawed - from_bonus);
        let parts = one.bonus.map(|lot| (lot, from_bonus)).into_iter();
        self.take_exactly(parts.chain([own]).collect());
        self.payouts.push(Payout {
            payment,
            debit: self.debits.len() - 1,
            amount,
            clawed,
            end: End::Unknown,
        });
        true
    }

    /// A debit of just these parts, which nobody may have refunded to the wallet.
    fn take_exactly(&mut self, parts: Vec<(usize, i128)>) {
        for (lot, share) in &parts {
            self.lots[*lot].remaining -= share;
        }
        let pieces = parts.into_iter().filter(|(_, share)| *share > 0);
        let pieces = pieces.map(|(lot, share)| (Source::Lot(lot), share));
        self.debits.push(pieces.collect());
        self.refundable.push(false);
    }

    pub(in super::super) fn end_payout(&mut self, payout: usize, paid: bool) -> bool {
        let Some(one) = self.payouts.get(payout).cloned() else {
            return false;
        };
        match (one.end, paid) {
            (End::Failed, _) | (End::Paid, true) => return false,
            (End::Unknown, true) => {
                self.payouts[payout].end = End::Paid;
                return true;
            }
            // Banks return what was told as paid.
            (End::Unknown | End::Paid, false) => self.payouts[payout].end = End::Failed,
        }
        self.give_back(one.debit, one.amount + one.clawed, GRACE_DAYS);
        if self.due_to_disputes(one.payment) > self.back(one.payment).taken {
            self.charge_back(one.payment);
        }
        true
    }

    pub(in super::super) fn dispute(
        &mut self,
        payment: usize,
        name: usize,
        status: usize,
        amount: i128,
    ) -> bool {
        let Some(before) = self.payments.get(payment).cloned() else {
            return false;
        };
        let disputes = &mut self.payments[payment].disputes;
        let (mut is_news, mut was_open) = (true, false);
        match disputes.iter_mut().find(|dispute| dispute.name == name) {
            None => disputes.push(Dispute {
                name,
                status,
                amount,
            }),
            Some(known) if known.status == status => is_news = false,
            Some(known) if known.status < status => {
                was_open = known.status == 0;
                known.status = status;
            }
            Some(_) => return false,
        }
        let (due, taken) = (self.due_to_disputes(payment), self.back(payment).taken);
        let is_held = was_open && before.hold.is_some();
        if due > taken {
            self.charge_back(payment);
        } else if taken > due && !is_held {
            let last = self.payments[payment].taken.last_mut();
            let (debit, left) = last.expect("what was taken was taken by a debit");
            let (debit, amount) = (*debit, (taken - due).min(*left));
            *left -= amount;
            self.payments[payment].taken.retain(|(_, left)| *left > 0);
            self.give_back(debit, amount, GRACE_DAYS);
        } else if !is_news {
            self.payments[payment] = before;
            return false;
        } else if status == 0 {
            let lots = self.own_lots(payment).into_iter();
            let parts = lots.map(|lot| (lot, self.unheld(lot))).collect();
            self.reserve(payment, parts);
        } else if is_held {
            self.let_go(payment);
        }
        true
    }

    fn own_lots(&self, payment: usize) -> Vec<usize> {
        let one = &self.payments[payment];
        [Some(one.lot), one.bonus].into_iter().flatten().collect()
    }

    /// What disputes may take yet if all that are open were lost, and what of it is of the bonus.
    fn claim(&self, payment: usize) -> (i128, i128) {
        let (one, back) = (&self.payments[payment], self.back(payment));
        let told = one.disputes.iter().filter(|dispute| dispute.status < 2);
        let told: i128 = told.map(|dispute| dispute.amount).sum();
        let lost = told.min(one.charged - back.refunded);
        if lost <= 0 {
            return (0, 0);
        }
        let unearned = self.unearned(payment, one.charged - back.refunded - lost);
        let bonus = (unearned.min(one.given - back.lapsed) - back.clawed).max(0);
        let all = (lost + bonus - back.taken).max(0);
        let bonus_taken = (back.taken - back.lost).max(0);
        (all, (bonus - bonus_taken).clamp(0, all))
    }

    /// Of the bonus what is of it, then of the charge, then more of the bonus: so much where so much is there.
    fn within(claim: (i128, i128), bonus: i128, own: i128) -> (i128, i128) {
        let first = bonus.min(claim.1);
        let charged = own.min(claim.0 - first);
        let more = (bonus - first).min(claim.0 - first - charged);
        (first + more, charged)
    }

    /// Whatever lies free of payments that are disputed is reserved as far as it is claimed.
    pub(in super::super) fn reserve_freed(&mut self, at: i128) {
        for payment in 0..self.payments.len() {
            let one = &self.payments[payment];
            if one.disputes.iter().all(|dispute| dispute.status > 0) {
                continue;
            }
            let (lot, bonus) = (one.lot, one.bonus);
            let reserved = |lot: usize| -> i128 {
                let parts = one
                    .hold
                    .into_iter()
                    .flat_map(|hold| &self.holds[hold].parts);
                parts
                    .filter(|(of, _)| *of == lot)
                    .map(|(_, share)| share)
                    .sum()
            };
            let of_bonus = bonus.map_or(0, reserved);
            let (all, given) = self.claim(payment);
            let left = (all - of_bonus - reserved(lot)).max(0);
            let claim = (left, (given - of_bonus).clamp(0, left));
            let free = |lot: usize| {
                if self.expired(lot, at) {
                    0
                } else {
                    self.unheld(lot)
                }
            };
            let (given, charged) = Self::within(claim, bonus.map_or(0, free), free(lot));
            let parts = [(lot, charged)].into_iter();
            let parts = parts.chain(bonus.map(|bonus| (bonus, given))).collect();
            self.reserve(payment, parts);
        }
    }

    /// A dispute is decided: what the others claim stays reserved, the rest is free.
    fn let_go(&mut self, payment: usize) {
        let one = self.payments[payment].clone();
        let Some(hold) = one.hold else { return };
        let parts = self.holds[hold].parts.clone();
        let of = |lot: usize| -> i128 {
            let parts = parts.iter().filter(|(of, _)| *of == lot);
            parts.map(|(_, share)| share).sum()
        };
        let claim = if one.disputes.iter().any(|dispute| dispute.status == 0) {
            self.claim(payment)
        } else {
            (0, 0)
        };
        let (given, charged) = Self::within(claim, one.bonus.map_or(0, of), of(one.lot));
        let kept = [(one.lot, charged)].into_iter();
        let kept = kept.chain(one.bonus.map(|bonus| (bonus, given)));
        let kept: Vec<(usize, i128)> = kept.filter(|(_, share)| *share > 0).collect();
        let freed = parts.iter().map(|(lot, share)| {
            let stays = kept.iter().filter(|(of, _)| of == lot);
            (*lot, share - stays.map(|(_, share)| share).sum::<i128>())
        });
        let freed: Vec<(usize, i128)> = freed.collect();
        if kept.is_empty() {
            self.holds[hold].open = false;
            self.payments[payment].hold = None;
        }
        self.holds[hold].parts = kept;
        self.pay(&freed, self.now);
    }

    fn reserve(&mut self, payment: usize, mut parts: Vec<(usize, i128)>) {
        parts.retain(|(_, share)| *share > 0);
        if parts.is_empty() {
            return;
        }
        let hold = self.payments[payment].hold.unwrap_or(self.holds.len());
        if hold == self.holds.len() {
            self.holds.push(ModelHold {
                parts: Vec::new(),
                overdraft: 0,
                expires: i128::MAX,
                placed: self.now,
                open: true,
                of_dispute: true,
            });
            self.payments[payment].hold = Some(hold);
        }
        let known = &mut self.holds[hold].parts;
        for (lot, share) in parts {
            match known.iter_mut().find(|(of, _)| *of == lot) {
                Some((_, sum)) => *sum += share,
                None => known.push((lot, share)),
            }
        }
    }

    fn charge_back(&mut self, payment: usize) {
        let one = self.payments[payment].clone();
        let hold = one.hold;
        let back = self.back(payment);
        let all_due = self.due_to_disputes(payment);
        let due = all_due - back.taken;
        let mut order: Vec<(usize, i128)> = Vec::new();
        order.extend(one.bonus.map(|lot| (lot, all_due - back.lost)));
        order.push((one.lot, due));
        order.extend(one.bonus.map(|lot| (lot, due)));
        let is_own = |lot: usize| lot == one.lot || Some(lot) == one.bonus;
        for withdrawable in [true, false] {
            let lots = self.in_draw_order().into_iter();
            let others = lots.filter(|lot| !is_own(*lot));
            let others = others.filter(|lot| self.lots[*lot].withdrawable == withdrawable);
            order.extend(others.map(|lot| (lot, due)));
        }
        let reserved_of = |lot: usize| {
            let parts = hold.into_iter().flat_map(|hold| &self.holds[hold].parts);
            let parts = parts.filter(|(of, _)| *of == lot);
            parts.map(|(_, share)| share).sum::<i128>()
        };
        let of_lot = |taken: &[(usize, i128)], lot: usize| -> i128 {
            let of_it = taken.iter().filter(|(of, _)| *of == lot);
            of_it.map(|(_, share)| share).sum()
        };
        let (mut missing, mut reserved, mut free) = (due, Vec::new(), Vec::new());
        for (lot, most) in order {
            let first = (reserved_of(lot) - of_lot(&reserved, lot))
                .min(missing)
                .min(most);
            reserved.push((lot, first));
            missing -= first;
            let then = self.unheld(lot) - of_lot(&free, lot);
            let then = then.min(missing).min(most - first);
            free.push((lot, then));
            missing -= then;
        }
        if let Some(hold) = hold {
            for (lot, share) in &reserved {
                let parts = &mut self.holds[hold].parts;
                if let Some((_, left)) = parts.iter_mut().find(|(of, _)| of == lot) {
                    *left -= share;
                }
            }
        }
        // Parts of one lot are one part, where it was first asked.
        let mut parts: Vec<(usize, i128)> = Vec::new();
        for kind in [reserved, free] {
            let from = parts.len();
            for (lot, share) in kind {
                match parts[from..].iter_mut().find(|(of, _)| *of == lot) {
                    Some((_, sum)) => *sum += share,
                    None => parts.push((lot, share)),
                }
            }
        }
        for (lot, share) in &parts {
            self.lots[*lot].remaining -= share;
        }
        let pieces = parts.into_iter().filter(|(_, share)| *share > 0);
        let mut pieces: Vec<_> = pieces
            .map(|(lot, share)| (Source::Lot(lot), share))
            .collect();
        if missing > 0 {
            pieces.push((Source::Owed, missing));
        }
        self.debits.push(pieces);
        self.refundable.push(false);
        let debit = self.debits.len() - 1;
        self.payments[payment].taken.push((debit, due));
        self.let_go(payment);
        let back = self.back(payment);
        let gone = back.refunded + back.clawed + back.taken;
        assert!(gone <= one.charged + one.given, "no more than came in");
    }
}
