//! What goes back of payments: refunds to the card, and what disputes take (R27, R28). All sums are made anew, from
//! the payouts and the chargebacks that there were.

use super::money_in::CENT;
use super::{From, Model, Moved, NOTHING, Refusable, money, narrow, wide};
use std::collections::BTreeMap;
use tillbox_core::command::{EndPayout, LearnDispute, PayoutEnd};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{EntryId, HoldId, TopUpId};
use tillbox_core::payback::{DisputeStatus, PayoutStatus};
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::TopUpStatus;
use tillbox_core::wallet::WalletStatus;

/// A payment that was made.
#[derive(Clone, Debug)]
pub(crate) struct ModelPayment {
    charged: i128,
    given: i128,
    lot: usize,
    pub(super) bonus_lot: Option<usize>,
    payouts: BTreeMap<EntryId, ModelPayout>,
    /// What disputes took by which transaction, and what of it they still have.
    chargebacks: Vec<(EntryId, i128)>,
    pub(crate) disputes: Vec<ModelDispute>,
    /// What its open disputes reserve.
    hold: Option<HoldId>,
}

#[derive(Clone, Debug)]
struct ModelPayout {
    amount: i128,
    clawed: i128,
    status: PayoutStatus,
}

/// A dispute, by what the provider said last.
#[derive(Clone, Debug)]
pub(crate) struct ModelDispute {
    pub(crate) name: Box<str>,
    pub(crate) status: DisputeStatus,
    amount: i128,
}

impl ModelPayment {
    fn standing(&self) -> impl Iterator<Item = &ModelPayout> {
        let all = self.payouts.values();
        all.filter(|payout| payout.status != PayoutStatus::Failed)
    }

    pub(crate) fn refunded(&self) -> i128 {
        self.standing().map(|payout| payout.amount).sum()
    }

    pub(crate) fn clawed(&self) -> i128 {
        self.standing().map(|payout| payout.clawed).sum()
    }

    pub(crate) fn charged_back(&self) -> i128 {
        self.chargebacks.iter().map(|(_, left)| left).sum()
    }

    /// What lost disputes come to of what was charged.
    fn lost(&self) -> i128 {
        let lost = self.disputes.iter();
        let lost = lost.filter(|dispute| dispute.status == DisputeStatus::Lost);
        let lost: i128 = lost.map(|dispute| dispute.amount).sum();
        lost.min(self.charged - self.refunded())
    }

    /// What was given, less what a charge of what is left would have been given.
    fn unearned(&self, more: i128) -> i128 {
        let kept = (self.charged - self.refunded() - self.lost() - more).max(0);
        self.given - self.given * kept / self.charged
    }

    fn credited(&self) -> i128 {
        self.charged + self.given
    }

    fn gone(&self) -> i128 {
        self.refunded() + self.clawed() + self.charged_back()
    }

    /// What of the charge its card may still get.
    fn unreturned(&self) -> i128 {
        let of_charge = self.charged - self.refunded() - self.lost();
        of_charge.min(self.credited() - self.gone()).max(0)
    }

    /// What disputes took of what was given.
    fn bonus_charged_back(&self) -> i128 {
        (self.charged_back() - self.lost()).max(0)
    }

    /// Payouts of which nobody has said how they ended.
    pub(crate) fn pending_payouts(&self) -> impl Iterator<Item = EntryId> {
        let open = self.payouts.iter();
        let open = open.filter(|(_, payout)| payout.status == PayoutStatus::Pending);
        open.map(|(id, _)| *id)
    }
}

impl Model {
    /// A payment of that much was booked; its lot is the last.
    pub(super) fn learn_payment(&mut self, id: TopUpId, charged: i128, given: i128) {
        let lot = self.lots.len() - 1;
        self.lots[lot].payment = Some(id);
        let payment = ModelPayment {
            charged,
            given,
            lot,
            bonus_lot: None,
            payouts: BTreeMap::new(),
            chargebacks: Vec::new(),
            disputes: Vec::new(),
            hold: None,
        };
        let twice = self.payments.insert(id, payment);
        assert!(twice.is_none(), "a payment is credited once");
    }

    pub(super) fn refund_top_up(
        &mut self,
        id: TopUpId,
        amount: Option<i128>,
        row: EntryId,
    ) -> Refusable<Moved> {
        if !self.top_ups.contains_key(&id) {
            return Err(Rejection::TopUpNotFound);
        }
        self.in_use()?;
        let payment = self.paid(id)?.clone();
        let (own, bonus) = (payment.lot, payment.bonus_lot);
        let bonus_rest = bonus.map_or(0, |lot| self.unheld_of(lot));
        let spent = self.bonus_spent(&payment, bonus_rest);
        let most = (self.unheld_of(own) - spent).clamp(0, payment.unreturned());
        let remaining = most - most % CENT;
        let refused = Rejection::RefundExceedsRemaining {
            remaining: narrow(remaining),
        };
        let amount = match amount {
            Some(amount) if amount < CENT => {
                return Err(Rejection::AmountOutOfRange {
                    minimum: Some(narrow(CENT)),
                    maximum: Some(narrow(remaining)),
                });
            }
            Some(amount) if amount - amount % CENT > remaining => return Err(refused),
            None if remaining == 0 => return Err(refused),
            Some(amount) => amount - amount % CENT,
            None => remaining,
        };
        let unearned = payment.unearned(amount) - payment.clawed() - payment.bonus_charged_back();
        let clawed = unearned
            .max(0)
            .min(bonus_rest + spent)
            .min((payment.credited() - payment.gone() - amount).max(0));
        // What of the bonus was spent is taken of what was charged.
        let mut drawn = Vec::new();
        let from_bonus = clawed.min(bonus_rest);
        if let Some(lot) = bonus {
            self.lots[lot].remaining -= from_bonus;
            drawn.push((From::Lot(lot), from_bonus));
        }
        let from_own = amount + clawed - from_bonus;
        self.lots[own].remaining -= from_own;
        drawn.push((From::Lot(own), from_own));
        let payout = ModelPayout {
            amount,
            clawed,
            status: PayoutStatus::Pending,
        };
        self.payment_mut(id).payouts.insert(row, payout);
        self.pause_for_money_back();
        Ok(self.moved(row, -amount - clawed, false, drawn))
    }

    /// What of these lots a payment's card gets behind the wallet's end: whole cents.
    pub(super) fn for_card(&self, id: TopUpId, lots: &[usize]) -> i128 {
        // Of what was wholly given nothing goes back.
        let unreturned = self.payments.get(&id).map_or(0, ModelPayment::unreturned);
        let most = self.unheld_on(lots).min(unreturned);
        most - most % CENT
    }

    pub(super) fn send_to_card(&mut self, id: TopUpId, lots: &[usize], row: EntryId) -> Moved {
        let payout = ModelPayout {
            amount: self.for_card(id, lots),
            clawed: 0,
            status: PayoutStatus::Pending,
        };
        let moved = self.take_out(row, lots, payout.amount);
        self.payment_mut(id).payouts.insert(row, payout);
        moved
    }

    pub(super) fn end_payout(
        &mut self,
        end: &EndPayout,
        now: Timestamp,
        row: EntryId,
    ) -> Refusable<Moved> {
        use PayoutStatus::{Failed, Manual, Pending, Succeeded};
        let payout = self.paid(end.top_up_id)?.payouts.get(&end.debit_id);
        let payout = payout.ok_or(Rejection::TransactionNotFound)?.clone();
        let is_closed = self.status == WalletStatus::Closed;
        let status = match end.end {
            PayoutEnd::Succeeded => Succeeded,
            PayoutEnd::Failed { .. } if is_closed => Manual,
            PayoutEnd::Failed { .. } => Failed,
        };
        let may = match payout.status {
            Pending => true,
            // Banks return what was reported as paid.
            Succeeded => status != Succeeded,
            Failed | Manual => false,
        };
        if !may {
            return Err(Rejection::PayoutNotOpen(payout.status));
        }
        let payouts = &mut self.payment_mut(end.top_up_id).payouts;
        payouts.get_mut(&end.debit_id).expect("it is known").status = status;
        if status != Failed {
            return Ok(NOTHING);
        }
        let amount = payout.amount + payout.clawed;
        self.give_back(end.debit_id, amount, end.grace_days, now);
        self.follows
            .push_back(super::Follow::Retaken(end.top_up_id));
        Ok(self.moved(row, amount, false, Vec::new()))
    }

    pub(super) fn learn_dispute(
        &mut self,
        learn: &LearnDispute,
        now: Timestamp,
        row: EntryId,
    ) -> Refusable<Moved> {
        use DisputeStatus::{Lost, Open, Won};
        let id = learn.top_up_id;
        let before = self.paid(id)?.clone();
        let mut payment = before.clone();
        let known = payment.disputes.iter_mut();
        let known = known.into_iter().find(|one| one.name == learn.provider_id);
        let (mut is_news, mut is_held) = (true, false);
        match known {
            None => payment.disputes.push(ModelDispute {
                name: learn.provider_id.clone(),
                status: learn.status,
                amount: wide(learn.amount),
            }),
            Some(one) if one.status == learn.status => is_news = false,
            Some(one) => {
                let goes_on = match one.status {
                    Open => true,
                    Lost => learn.status == Won,
                    Won => false,
                };
                if !goes_on {
                    return Err(Rejection::DisputeNotOpen(one.status));
                }
                is_held = one.status == Open && before.hold.is_some();
                one.status = learn.status;
            }
        }
        let (due, taken) = (self.due_to_disputes(&payment), payment.charged_back());
        if due > taken && self.status != WalletStatus::Closed {
            self.payments.insert(id, payment);
            return Ok(self.charge_back(id, now, row));
        }
        if !is_held && taken > due {
            let Some((debit, left)) = payment.chargebacks.last_mut() else {
                unreachable!("what was taken was taken by a chargeback");
            };
            let amount = (taken - due).min(*left);
            let debit = *debit;
            *left -= amount;
            payment.chargebacks.retain(|(_, left)| *left > 0);
            self.payments.insert(id, payment);
            self.give_back(debit, amount, learn.grace_days, now);
            self.follow_late_value(id);
            return Ok(self.moved(row, amount, false, Vec::new()));
        }
        if !is_news {
            return Err(Rejection::DisputeNotOpen(learn.status));
        }
        self.payments.insert(id, payment);
        match learn.status {
            Open => {
                let lots = self.own_lots(id).into_iter();
                let parts = lots.map(|lot| (lot, self.unheld_of(lot))).collect();
                self.reserve_for_disputes(id, parts, now, row);
                self.pause_for_money_back();
                if self.freezes && self.status == WalletStatus::Active {
                    self.status = WalletStatus::Frozen;
                }
            }
            Lost | Won => {
                if is_held {
                    self.let_go(id, HoldStatus::Released, now);
                }
                if learn.status == Lost {
                    self.pause_for_money_back();
                }
            }
        }
        Ok(NOTHING)
    }

    fn own_lots(&self, id: TopUpId) -> Vec<usize> {
        let payment = &self.payments[&id];
        let lots = [Some(payment.lot), payment.bonus_lot];
        lots.into_iter().flatten().collect()
    }

    /// What of the payment and of its bonus its disputes reserve more, until the bank has decided. All of them share it.
    fn reserve_for_disputes(
        &mut self,
        id: TopUpId,
        mut parts: Vec<(usize, i128)>,
        at: Timestamp,
        row: EntryId,
    ) {
        parts.retain(|(_, share)| *share > 0);
        if parts.is_empty() {
            return;
        }
        let hold = *self
            .payment_mut(id)
            .hold
            .get_or_insert(HoldId::from_number(row.number()));
        let known = self.holds.entry(hold).or_insert(super::ModelHold {
            remaining: 0,
            captured: 0,
            released: 0,
            status: HoldStatus::Open,
            expires: Timestamp::NEVER,
            placed: at,
            parts: Vec::new(),
        });
        for (lot, share) in parts {
            self.lots[lot].held += share;
            known.remaining += share;
            match known.parts.iter_mut().find(|(of, _)| *of == lot) {
                Some((_, sum)) => *sum += share,
                None => known.parts.push((lot, share)),
            }
        }
    }

    /// What disputes may take yet, if all that the bank has not decided were lost; and what of that was given.
    fn claim(&self, payment: &ModelPayment) -> (i128, i128) {
        let mut worst = payment.clone();
        let open = worst.disputes.iter_mut();
        for one in open.filter(|one| one.status == DisputeStatus::Open) {
            one.status = DisputeStatus::Lost;
        }
        let due = self.due_to_disputes(&worst);
        let given = (due - worst.lost()).max(0) - payment.bonus_charged_back();
        let all = (due - payment.charged_back()).max(0);
        if due == 0 {
            return (0, 0);
        }
        (all, given.clamp(0, all))
    }

    fn has_open_dispute(payment: &ModelPayment) -> bool {
        let mut all = payment.disputes.iter();
        all.any(|one| one.status == DisputeStatus::Open)
    }

    /// What is yet to be reserved of the payment, at that instant.
    fn to_reserve(&self, id: TopUpId, at: Timestamp) -> Vec<(usize, i128)> {
        let payment = &self.payments[&id];
        if self.status == WalletStatus::Closed || !Self::has_open_dispute(payment) {
            return Vec::new();
        }
        let nothing = Vec::new();
        let parts = payment
            .hold
            .map_or(&nothing, |hold| &self.holds[&hold].parts);
        let of = |lot: usize| reserved_of(parts, lot);
        let of_bonus = payment.bonus_lot.map_or(0, of);
        let (all, given) = self.claim(payment);
        let all = (all - of_bonus - of(payment.lot)).max(0);
        let free = |lot: usize| {
            let is_over = self.lots[lot].expires.is_some_and(|end| end <= at);
            if is_over { 0 } else { self.unheld_of(lot) }
        };
        let found = within(
            (all, (given - of_bonus).clamp(0, all)),
            payment.bonus_lot.map_or(0, free),
            free(payment.lot),
        );
        let parts = [(payment.lot, found.1)].into_iter();
        let parts = parts.chain(payment.bonus_lot.map(|lot| (lot, found.0)));
        parts.filter(|(_, share)| *share > 0).collect()
    }

    /// A payment that is disputed, and of which there is something to reserve.
    pub(super) fn has_freed(&self, at: Timestamp) -> Option<TopUpId> {
        let mut ids = self.payments.keys();
        ids.find(|id| !self.to_reserve(**id, at).is_empty())
            .copied()
    }

    pub(super) fn reserve_freed(&mut self, id: TopUpId, at: Timestamp, row: EntryId) -> Moved {
        let parts = self.to_reserve(id, at);
        self.reserve_for_disputes(id, parts, at, row);
        NOTHING
    }

    /// The bank has decided: what other disputes claim stays reserved, the rest is free.
    fn let_go(&mut self, id: TopUpId, status: HoldStatus, now: Timestamp) {
        let payment = self.payments[&id].clone();
        let Some(hold) = payment.hold else { return };
        let parts = self.holds[&hold].parts.clone();
        let claim = if Self::has_open_dispute(&payment) {
            self.claim(&payment)
        } else {
            (0, 0)
        };
        let of = |lot: usize| reserved_of(&parts, lot);
        let (given, charged) = within(claim, payment.bonus_lot.map_or(0, of), of(payment.lot));
        if given + charged == 0 {
            self.payment_mut(id).hold = None;
            self.end(hold, status, now);
            return;
        }
        let stays = |lot: usize| if lot == payment.lot { charged } else { given };
        let freed = parts.iter().map(|(lot, share)| (*lot, share - stays(*lot)));
        let freed: Vec<(usize, i128)> = freed.filter(|(_, share)| *share > 0).collect();
        for (lot, share) in &freed {
            self.lots[*lot].held -= share;
            let hold = self.hold_mut(hold);
            hold.released += share;
            hold.remaining -= share;
            for (of, left) in &mut hold.parts {
                *left -= if of == lot { *share } else { 0 };
            }
        }
        self.pay_debt(freed, now);
    }

    /// Lost disputes take what they have not taken yet: of the bonus what was given for the charge, then the charge, then
    /// more of the bonus, other value that may be paid out, any other, then debt. Never what customers reserved.
    pub(super) fn charge_back(&mut self, id: TopUpId, now: Timestamp, row: EntryId) -> Moved {
        let payment = self.payment_mut(id).clone();
        let hold = payment.hold;
        let due = self.due_to_disputes(&payment) - payment.charged_back();
        let for_bonus = self.due_to_disputes(&payment) - payment.lost();
        let (own, bonus) = (payment.lot, payment.bonus_lot);
        let mut order: Vec<(usize, i128)> = bonus.map(|lot| (lot, for_bonus)).into_iter().collect();
        order.push((own, due));
        order.extend(bonus.map(|lot| (lot, due)));
        for withdrawable in [true, false] {
            let lots = self.open_lots(|lot| lot.withdrawable == withdrawable);
            let others = lots
                .into_iter()
                .filter(|lot| *lot != own && Some(*lot) != bonus);
            order.extend(others.map(|lot| (lot, due)));
        }
        // What disputes had reserved of a lot goes first.
        let (mut left, mut reserved, mut free) = (due, Vec::new(), Vec::new());
        for (lot, most) in order {
            let mut most = most.min(left);
            let of_hold = hold.map_or(0, |hold| reserved_of(&self.holds[&hold].parts, lot));
            for (taken, room) in [(&mut reserved, of_hold), (&mut free, self.unheld_of(lot))] {
                let share = most.min(room - reserved_of(taken, lot));
                match taken.iter_mut().find(|(known, _)| *known == lot) {
                    Some((_, sum)) => *sum += share,
                    None => taken.push((lot, share)),
                }
                (most, left) = (most - share, left - share);
            }
        }
        let mut status = HoldStatus::Released;
        if let Some(hold) = hold
            && self.capture_for_dispute(hold, &reserved) > 0
        {
            status = HoldStatus::Captured;
        }
        for (lot, share) in &free {
            self.lots[*lot].remaining -= share;
        }
        let stretches = reserved.into_iter().chain(free);
        let stretches = stretches.map(|(lot, share)| (From::Lot(lot), share));
        let stretches = stretches.chain([(From::Owed, left)]).collect();
        self.payment_mut(id).chargebacks.push((row, due));
        self.let_go(id, status, now);
        self.pause_for_money_back();
        self.moved(row, -due, false, stretches);
        self.check_payment(id);
        money(-due)
    }

    /// What was captured.
    fn capture_for_dispute(&mut self, id: HoldId, taken: &[(usize, i128)]) -> i128 {
        let captured: i128 = taken.iter().map(|(_, share)| share).sum();
        for (lot, share) in taken {
            self.lots[*lot].remaining -= share;
            self.lots[*lot].held -= share;
        }
        let hold = self.hold_mut(id);
        for (lot, reserved) in &mut hold.parts {
            *reserved -= reserved_of(taken, *lot);
        }
        hold.captured += captured;
        hold.remaining -= captured;
        captured
    }

    /// What disputes are to have, as they stand: the charge, and what was given for it and has not lapsed.
    fn due_to_disputes(&self, payment: &ModelPayment) -> i128 {
        let lost = payment.lost();
        if lost == 0 {
            return 0;
        }
        let unearned = payment
            .unearned(0)
            .min(payment.given - self.lapsed_bonus(payment));
        lost + (unearned - payment.clawed()).max(0)
    }

    /// Whether disputes are to have more of a payment than they took.
    pub(super) fn is_owed_to_disputes(&self, id: TopUpId) -> bool {
        let payment = &self.payments[&id];
        self.due_to_disputes(payment) > payment.charged_back()
    }

    pub(crate) fn lapsed_bonus(&self, payment: &ModelPayment) -> i128 {
        payment.bonus_lot.map_or(0, |lot| self.lots[lot].lapsed)
    }

    /// What of the bonus is neither on its lot nor taken back nor lapsed.
    fn bonus_spent(&self, payment: &ModelPayment, rest: i128) -> i128 {
        let back = payment.clawed() + payment.bonus_charged_back() + self.lapsed_bonus(payment);
        (payment.given - back - rest).max(0)
    }

    /// Only what was charged and credited can go back.
    fn paid(&self, id: TopUpId) -> Refusable<&ModelPayment> {
        let top_up = self.top_ups.get(&id).ok_or(Rejection::TopUpNotFound)?;
        if top_up.status != TopUpStatus::Succeeded {
            return Err(Rejection::TopUpNotOpen(top_up.status));
        }
        let remaining = narrow(0);
        let none = Rejection::RefundExceedsRemaining { remaining };
        self.payments.get(&id).ok_or(none)
    }

    fn payment_mut(&mut self, id: TopUpId) -> &mut ModelPayment {
        self.payments.get_mut(&id).expect("it was found before")
    }

    /// Whatever was told in whatever order: no more went back than came in.
    fn check_payment(&self, id: TopUpId) {
        let payment = &self.payments[&id];
        assert!(payment.gone() <= payment.credited(), "{payment:?}");
        assert!(payment.refunded() <= payment.charged, "{payment:?}");
        assert!(payment.clawed() <= payment.given, "{payment:?}");
    }
}

/// Of what was given what is claimed of it, then of the charge, then more of what was given: where so much is there.
fn within((all, of_given): (i128, i128), given: i128, charged: i128) -> (i128, i128) {
    let first = given.min(of_given);
    let charge = charged.min(all - first);
    let more = (given - first).min(all - first - charge);
    (first + more, charge)
}

fn reserved_of(parts: &[(usize, i128)], lot: usize) -> i128 {
    let of_it = parts.iter().filter(|(known, _)| *known == lot);
    of_it.map(|(_, share)| share).sum()
}
