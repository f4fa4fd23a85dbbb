//! The rules told a second time, in the plainest way: lists of numbers, nothing kept that can be summed.
//! It shares no code with what it checks. Debt is no queue of offsets here: each debit keeps the pieces that
//! it was made of, and a piece is either a lot's or still owed.

mod money_back;

pub(super) use money_back::GRACE_DAYS;

use money_back::{Payment, Payout};

#[derive(Clone, Debug)]
pub(super) struct ModelLot {
    pub(super) funding: usize,
    pub(super) priority: u8,
    pub(super) expires: Option<i128>,
    pub(super) withdrawable: bool,
    pub(super) created: i128,
    pub(super) remaining: i128,
    /// Lost unused.
    pub(super) lapsed: i128,
}

impl ModelLot {
    /// One without an end, of that kind.
    pub(super) fn new(funding: usize, amount: i128, now: i128) -> Self {
        Self {
            funding,
            priority: 50,
            expires: None,
            withdrawable: WITHDRAWABLE[funding],
            created: now,
            remaining: amount,
            lapsed: 0,
        }
    }
}

#[derive(Clone, Debug)]
struct ModelHold {
    parts: Vec<(usize, i128)>,
    overdraft: i128,
    expires: i128,
    placed: i128,
    open: bool,
    /// Nobody ends it but the bank.
    of_dispute: bool,
}

/// Where a piece of a debit came from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Source {
    Lot(usize),
    Owed,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) now: i128,
    pub(super) limit: i128,
    pub(super) frozen: bool,
    /// In the order made; spent ones too.
    pub(super) lots: Vec<ModelLot>,
    /// In the order placed; ended ones too.
    holds: Vec<ModelHold>,
    /// What was not given back of each debit, in the order taken.
    debits: Vec<Vec<(Source, i128)>>,
    /// Which of them may be refunded to the wallet.
    refundable: Vec<bool>,
    payments: Vec<Payment>,
    payouts: Vec<Payout>,
}

/// Cash, promotional, code, refund, adjustment: may it be paid out?
pub(super) const WITHDRAWABLE: [bool; 5] = [true, false, false, true, true];
const DAY: i128 = 86_400_000_000;

impl Model {
    pub(super) fn new(now: i128) -> Self {
        Self {
            now,
            limit: 0,
            frozen: false,
            lots: Vec::new(),
            holds: Vec::new(),
            debits: Vec::new(),
            refundable: Vec::new(),
            payments: Vec::new(),
            payouts: Vec::new(),
        }
    }

    pub(super) fn debt(&self) -> i128 {
        let pieces = self.debits.iter().flatten();
        let owed = pieces.filter(|(source, _)| *source == Source::Owed);
        owed.map(|(_, amount)| amount).sum()
    }

    pub(super) fn balance(&self) -> i128 {
        self.lots.iter().map(|lot| lot.remaining).sum::<i128>() - self.debt()
    }

    pub(super) fn held_of(&self, lot: usize) -> i128 {
        let parts = self.holds.iter().flat_map(|hold| &hold.parts);
        parts
            .filter(|(of, _)| *of == lot)
            .map(|(_, amount)| amount)
            .sum()
    }

    pub(super) fn held(&self) -> i128 {
        self.holds.iter().map(Self::remaining).sum()
    }

    pub(super) fn available(&self) -> i128 {
        self.balance() - self.held() + self.limit
    }

    pub(super) fn withdrawable(&self) -> i128 {
        let lots = (0..self.lots.len()).filter(|lot| self.lots[*lot].withdrawable);
        let unheld: i128 = lots.map(|lot| self.unheld(lot)).sum();
        unheld.min((self.balance() - self.held()).max(0))
    }

    fn remaining(hold: &ModelHold) -> i128 {
        hold.parts.iter().map(|(_, amount)| amount).sum::<i128>() + hold.overdraft
    }

    fn unheld(&self, lot: usize) -> i128 {
        self.lots[lot].remaining - self.held_of(lot)
    }

    fn expired(&self, lot: usize, at: i128) -> bool {
        self.lots[lot].expires.is_some_and(|expires| expires <= at)
    }

    /// All lots as they are drawn.
    fn in_draw_order(&self) -> Vec<usize> {
        let mut lots: Vec<usize> = (0..self.lots.len()).collect();
        lots.sort_by_key(|index| {
            let lot = &self.lots[*index];
            let expires = lot.expires.unwrap_or(i128::MAX);
            (lot.priority, expires, lot.withdrawable, lot.created, *index)
        });
        lots
    }

    /// Which unheld lots give how much; what is missing comes last.
    fn plan(&self, amount: i128) -> (Vec<(usize, i128)>, i128) {
        let mut missing = amount;
        let mut plan = Vec::new();
        for lot in self.in_draw_order() {
            let share = self.unheld(lot).min(missing);
            if share > 0 {
                plan.push((lot, share));
                missing -= share;
            }
        }
        (plan, missing)
    }

    /// Freed value pays the oldest pieces that are owed.
    fn pay(&mut self, freed: &[(usize, i128)], at: i128) {
        for lot in self.in_draw_order() {
            let of_lot = freed.iter().filter(|(of, _)| *of == lot);
            let mut left: i128 = of_lot.map(|(_, amount)| amount).sum();
            if self.expired(lot, at) {
                continue;
            }
            for debit in &mut self.debits {
                let mut pieces = Vec::new();
                for (source, amount) in debit.drain(..) {
                    let share = if source == Source::Owed {
                        amount.min(left)
                    } else {
                        0
                    };
                    if share > 0 {
                        pieces.push((Source::Lot(lot), share));
                        left -= share;
                        self.lots[lot].remaining -= share;
                    }
                    if amount > share {
                        pieces.push((source, amount - share));
                    }
                }
                *debit = pieces;
            }
        }
    }

    fn end_hold(&mut self, hold: usize, at: i128) {
        let hold = &mut self.holds[hold];
        hold.open = false;
        hold.overdraft = 0;
        let freed = std::mem::take(&mut hold.parts);
        self.pay(&freed, at);
    }

    /// Books what is due, behind what was done now.
    pub(super) fn book_due(&mut self) {
        loop {
            let holds = self.holds.iter().enumerate();
            let holds = holds
                .filter(|(_, hold)| hold.open)
                .map(|(index, hold)| (hold.expires, 0, index));
            let lots = (0..self.lots.len()).filter(|lot| self.unheld(*lot) > 0);
            let lots = lots.filter_map(|lot| Some((self.lots[lot].expires?, 1, lot)));
            match holds.chain(lots).min() {
                Some((at, 0, hold)) if at <= self.now => {
                    self.end_hold(hold, at);
                    self.reserve_freed(at);
                }
                Some((at, _, lot)) if at <= self.now => {
                    self.lots[lot].lapsed += self.unheld(lot);
                    self.lots[lot].remaining = self.held_of(lot);
                }
                _ => return,
            }
        }
    }

    pub(super) fn credit(&mut self, lot: ModelLot) {
        let amount = lot.remaining;
        self.lots.push(lot);
        self.pay(&[(self.lots.len() - 1, amount)], self.now);
    }

    fn take(&mut self, mut pieces: Vec<(Source, i128)>, amount: i128) {
        let (plan, missing) = self.plan(amount);
        for (lot, share) in plan {
            self.lots[lot].remaining -= share;
            pieces.push((Source::Lot(lot), share));
        }
        if missing > 0 {
            pieces.push((Source::Owed, missing));
        }
        self.debits.push(pieces);
        self.refundable.push(true);
    }

    pub(super) fn debit(&mut self, amount: i128) -> bool {
        let accepted = !self.frozen && amount <= self.available();
        if accepted {
            self.take(Vec::new(), amount);
        }
        accepted
    }

    pub(super) fn force(&mut self, amount: i128, floor: Option<i128>) -> bool {
        let unheld: i128 = (0..self.lots.len()).map(|lot| self.unheld(lot)).sum();
        let most = floor.map(|floor| self.available().max(unheld - self.debt() + floor));
        let accepted = most.is_none_or(|most| amount <= most);
        if accepted {
            self.take(Vec::new(), amount);
        }
        accepted
    }

    pub(super) fn take_back(&mut self, amount: i128) -> bool {
        let accepted = amount <= self.balance() - self.held();
        if accepted {
            let (plan, _) = self.plan(amount);
            for (lot, share) in plan {
                self.lots[lot].remaining -= share;
            }
        }
        accepted
    }

    /// The newest lots that may be paid out give first.
    pub(super) fn withdraw(&mut self, amount: i128) -> bool {
        let accepted = !self.frozen && amount <= self.withdrawable();
        let mut missing = if accepted { amount } else { 0 };
        let mut newest_first: Vec<usize> = (0..self.lots.len()).rev().collect();
        newest_first.sort_by_key(|lot| std::cmp::Reverse(self.lots[*lot].created));
        for lot in newest_first {
            if self.lots[lot].withdrawable {
                let share = self.unheld(lot).min(missing);
                self.lots[lot].remaining -= share;
                missing -= share;
            }
        }
        accepted
    }

    pub(super) fn void_lot(&mut self, lot: usize) -> bool {
        let accepted = lot < self.lots.len() && self.unheld(lot) > 0;
        if accepted {
            self.lots[lot].remaining = self.held_of(lot);
        }
        accepted
    }

    pub(super) fn change_lot(&mut self, lot: usize, expires: Option<i128>) -> bool {
        let accepted = self.lots.get(lot).is_some_and(|lot| lot.remaining > 0)
            && !self.expired(lot, self.now)
            && expires.is_none_or(|end| end > self.now);
        if accepted {
            self.lots[lot].expires = expires;
        }
        accepted
    }

    /// Whether the wallet may be closed, and what goes out then and what is lost.
    pub(super) fn closing(&self) -> Option<(i128, i128)> {
        let may = self.holds.iter().all(|hold| !hold.open) && self.debt() == 0;
        may.then(|| (self.withdrawable(), self.balance() - self.withdrawable()))
    }

    pub(super) fn place(&mut self, amount: i128, expires: i128) -> bool {
        let accepted = !self.frozen
            && expires > self.now
            && expires <= self.now + 30 * DAY
            && amount <= self.available();
        if accepted {
            let (parts, overdraft) = self.plan(amount);
            self.holds.push(ModelHold {
                parts,
                overdraft,
                expires,
                placed: self.now,
                open: true,
                of_dispute: false,
            });
        }
        accepted
    }

    fn is_open(&self, hold: usize) -> bool {
        let hold = self.holds.get(hold);
        hold.is_some_and(|hold| hold.open && !hold.of_dispute)
    }

    pub(super) fn capture(&mut self, hold: usize, amount: Option<i128>, ends: bool) -> bool {
        if !self.is_open(hold) {
            return false;
        }
        let remaining = Self::remaining(&self.holds[hold]);
        let mut missing = amount.unwrap_or(remaining);
        if missing > remaining {
            return false;
        }
        let mut pieces = Vec::new();
        for (lot, reserved) in &mut self.holds[hold].parts {
            let share = missing.min(*reserved);
            *reserved -= share;
            missing -= share;
            self.lots[*lot].remaining -= share;
            if share > 0 {
                pieces.push((Source::Lot(*lot), share));
            }
        }
        self.holds[hold].overdraft -= missing;
        self.take(pieces, missing);
        if ends || Self::remaining(&self.holds[hold]) == 0 {
            self.end_hold(hold, self.now);
        }
        true
    }

    pub(super) fn use_hold(&mut self, hold: usize, amount: i128) -> bool {
        !self.frozen && self.capture(hold, Some(amount), false)
    }

    pub(super) fn release(&mut self, hold: usize) -> bool {
        let open = self.is_open(hold);
        if open {
            self.end_hold(hold, self.now);
        }
        open
    }

    pub(super) fn extend(&mut self, hold: usize, expires: i128) -> bool {
        let accepted = !self.frozen
            && self.is_open(hold)
            && expires > self.now
            && expires <= self.holds[hold].placed + 30 * DAY;
        if accepted {
            self.holds[hold].expires = expires;
        }
        accepted
    }

    pub(super) fn refund(&mut self, debit: usize, amount: Option<i128>, grace_days: i128) -> bool {
        let left: i128 = self
            .debits
            .get(debit)
            .map_or(0, |pieces| pieces.iter().map(|(_, amount)| amount).sum());
        let wanted = amount.unwrap_or(left);
        let may = self.refundable.get(debit) == Some(&true);
        if !may || wanted > left || left == 0 {
            return false;
        }
        self.give_back(debit, wanted, grace_days);
        true
    }

    /// Gives back the next part of what is left of a debit.
    fn give_back(&mut self, debit: usize, amount: i128, grace_days: i128) {
        let mut wanted = amount;
        let mut back: Vec<(usize, i128)> = Vec::new();
        let mut kept = Vec::new();
        for (source, amount) in std::mem::take(&mut self.debits[debit]) {
            let share = amount.min(wanted);
            wanted -= share;
            if amount > share {
                kept.push((source, amount - share));
            }
            if let (Source::Lot(lot), true) = (source, share > 0) {
                match back.iter_mut().find(|(of, _)| *of == lot) {
                    Some((_, sum)) => *sum += share,
                    None => back.push((lot, share)),
                }
            }
        }
        self.debits[debit] = kept;
        let mut freed = Vec::new();
        for (lot, amount) in back {
            if self.expired(lot, self.now) {
                let successor = ModelLot {
                    expires: Some(self.now + grace_days * DAY),
                    created: self.now,
                    remaining: amount,
                    lapsed: 0,
                    ..self.lots[lot].clone()
                };
                self.lots.push(successor);
                freed.push((self.lots.len() - 1, amount));
            } else {
                self.lots[lot].remaining += amount;
                freed.push((lot, amount));
            }
        }
        self.pay(&freed, self.now);
    }
}
