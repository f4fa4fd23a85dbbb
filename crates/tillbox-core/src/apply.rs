//! Applying a row to the state. Every decision was made before: here nothing is refused, and what would
//! corrupt money stops the process.

use crate::amount::Amount;
use crate::entry::{Entry, Event, HoldChange, LotChange, Part};
use crate::hold::{Hold, HoldPart, HoldStatus};
use crate::id::{HoldId, TopUpId};
use crate::lot::Lot;
use crate::recharge::Recharge;
use crate::top_up::{TopUp, TopUpStatus};
use crate::wallet::{Due, WalletState};

impl WalletState {
    /// Moves the state behind `entry`, which must be the next row of this wallet.
    pub fn apply(&mut self, entry: &Entry) {
        if self.apply_keeping_spent(entry) {
            for part in &entry.event.parts {
                if let Ok(index) = self.lot_index(&part.lot)
                    && self
                        .lots
                        .get(index)
                        .is_some_and(|lot| lot.remaining.is_zero())
                {
                    self.lots.remove(index);
                }
            }
        }
    }

    /// The same, but keeps lots of which nothing remains, and says whether it spent one: for many rows one after the
    /// other, with [`Self::drop_spent`] behind them, as taking single lots out of many costs a move of the others.
    pub fn apply_keeping_spent(&mut self, entry: &Entry) -> bool {
        assert_eq!(
            entry.version,
            self.version.saturating_add(1),
            "a row is missing or applied twice"
        );
        let event = &entry.event;
        for lot in &event.lots {
            self.insert_lot(lot.clone());
        }
        if let Some(span) = event.debt_made {
            self.debt.incur(span);
        }
        for span in &event.debt_canceled {
            self.debt.cancel(*span);
        }
        let mut has_spent = false;
        for part in &event.parts {
            has_spent |= self.apply_part(part, event.hold.as_ref());
        }
        if let Some(change) = &event.lot_change {
            self.apply_lot_change(change);
        }
        if let Some(change) = &event.hold {
            self.apply_hold(change);
        }
        if let Some(status) = event.status {
            self.status = status;
        }
        if let Some(limit) = event.overdraft_limit {
            self.overdraft_limit = limit;
        }
        if let (Some(id), Some(top_up)) = (event.top_up_id, &event.top_up) {
            self.apply_top_up(id, top_up);
        }
        self.apply_payback(event);
        if let Some(recharge) = &event.recharge {
            self.apply_recharge(recharge);
        }
        if let Some(change) = &event.alerts {
            self.alerts.change(change);
        }
        self.balance += event.amount;
        self.alerts.follow(self.balance - self.held);
        self.version = entry.version;
        self.seq = entry.seq.unwrap_or(self.seq);
        self.head = entry.hash;
        self.last_at = entry.at;
        self.last_effective_at = event.effective_at.unwrap_or(entry.at);
        assert_eq!(
            self.balance, entry.balance_after,
            "the row carries the balance after it"
        );
        has_spent
    }

    /// Takes out the lots of which nothing remains.
    pub fn drop_spent(&mut self) {
        self.lots.retain(|lot| lot.remaining.is_positive());
    }

    /// Whether nothing remains of the lot.
    fn apply_part(&mut self, part: &Part, hold: Option<&HoldChange>) -> bool {
        if let Some(span) = part.debt_paid() {
            self.debt.pay(span);
        }
        if part.held.is_negative() {
            let id = hold
                .map(|change| change.id)
                .expect("held value is freed by a hold");
            self.hold_mut(id).unreserve(part.lot.id, -part.held);
        } else if part.held.is_positive() {
            let change = hold.expect("held value is reserved by a hold");
            let reserved = HoldPart {
                lot: part.lot,
                amount: part.held,
            };
            self.holds
                .entry(change.id)
                .or_insert_with(|| change.placed())
                .reserve(reserved);
        }
        let index = self
            .lot_index(&part.lot)
            .expect("a row names a lot that is not open");
        let lot = self.lots.get_mut(index).expect("the index was just found");
        lot.remaining += part.amount;
        lot.held += part.held;
        assert!(
            !lot.held.is_negative() && lot.held <= lot.remaining && lot.remaining <= lot.amount,
            "a lot left its bounds"
        );
        let (unheld, expires_at, closed) = (lot.unheld(), lot.expires_at, lot.remaining.is_zero());
        if let Some(expires_at) = expires_at {
            let due = (expires_at, Due::Lot(part.lot));
            if unheld.is_positive() {
                self.due.insert(due)
            } else {
                self.due.remove(&due)
            };
        }
        closed
    }

    /// A lot's place follows its expiry, and so do those who name it.
    fn apply_lot_change(&mut self, change: &LotChange) {
        let index = self
            .lot_index(&change.lot)
            .expect("a row names a lot that is not open");
        let mut lot = self.lots.remove(index).expect("the index was just found");
        if let Some(expires_at) = lot.expires_at {
            self.due.remove(&(expires_at, Due::Lot(change.lot)));
        }
        lot.expires_at = change.expires_at;
        let key = change.key();
        if let Some(expires_at) = lot.expires_at.filter(|_| lot.unheld().is_positive()) {
            self.due.insert((expires_at, Due::Lot(key)));
        }
        self.insert_lot(lot);
        for hold in self.holds.values_mut() {
            hold.rename_lot(key);
        }
    }

    fn apply_hold(&mut self, change: &HoldChange) {
        let hold = self
            .holds
            .entry(change.id)
            .or_insert_with(|| change.placed());
        let before = hold.remaining();
        let expires_before = hold.expires_at;
        hold.amount = change.amount;
        hold.captured = change.captured;
        hold.released = change.released;
        hold.overdraft += change.overdraft;
        hold.expires_at = change.expires_at;
        hold.status = change.status;
        let remaining = hold.remaining();
        let parts: Amount = hold.parts.iter().map(|part| part.amount).sum();
        assert!(
            !hold.overdraft.is_negative(),
            "a hold gave up more overdraft than it reserves"
        );
        assert_eq!(
            parts + hold.overdraft,
            remaining,
            "a hold reserves what remains of it"
        );
        let is_new = !self.due.remove(&(expires_before, Due::Hold(change.id)));
        self.held = self.held - if is_new { Amount::ZERO } else { before } + remaining;
        self.held_overdraft += change.overdraft;
        if change.status == HoldStatus::Open {
            self.due.insert((change.expires_at, Due::Hold(change.id)));
        } else {
            assert!(remaining.is_zero(), "a hold that ended reserves nothing");
            self.holds.remove(&change.id);
        }
    }

    fn apply_top_up(&mut self, id: TopUpId, top_up: &TopUp) {
        let after = pending(Some(top_up));
        let before = if top_up.status.is_open() {
            self.top_ups.insert(id, top_up.clone())
        } else {
            self.top_ups.remove(&id)
        };
        self.pending_top_ups = self.pending_top_ups - pending(before.as_ref()) + after;
    }

    /// Keeps what has gone back of a payment as long as a dispute of it is open.
    fn apply_payback(&mut self, event: &Event) {
        match (event.top_up_id, event.payback.as_deref()) {
            (Some(id), Some(payback)) if payback.is_disputed() => {
                self.disputed.insert(id, payback.standing());
            }
            (Some(id), Some(_)) => drop(self.disputed.remove(&id)),
            _ => {
                for payback in self.disputed.values_mut() {
                    payback.follow(event);
                }
            }
        }
    }

    fn apply_recharge(&mut self, recharge: &Recharge) {
        if let Some(at) = self.recharge.as_deref().and_then(Recharge::due_at) {
            self.due.remove(&(at, Due::Recharge));
        }
        self.due
            .extend(recharge.due_at().map(|at| (at, Due::Recharge)));
        self.recharge = Some(Box::new(recharge.clone()));
    }

    fn insert_lot(&mut self, lot: Lot) {
        let place = self
            .lot_index(&lot.draw_key())
            .expect_err("a lot is opened once");
        self.lots.insert(place, lot);
    }

    fn hold_mut(&mut self, id: HoldId) -> &mut Hold {
        self.holds
            .get_mut(&id)
            .expect("a row names a hold that is not open")
    }
}

/// What a top-up counts in the pending ones.
fn pending(top_up: Option<&TopUp>) -> Amount {
    top_up
        .filter(|top_up| top_up.status == TopUpStatus::Processing)
        .map_or(Amount::ZERO, |top_up| top_up.amount)
}
