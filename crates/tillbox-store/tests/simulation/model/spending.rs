//! Value that comes in by the merchant's word, is reserved and is spent.

use super::money_in::BONUS_DAYS;
use super::{
    From, Model, ModelHold, Moved, NOTHING, Refusable, hold_end, instant, narrow, nothing_of,
    out_of_time, wide,
};
use tillbox_core::amount::Amount;
use tillbox_core::command::{AfterCapture, Credit, Force, PlaceHold, Usage};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{EntryId, HoldId};
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;

impl Model {
    pub(super) fn credit(
        &mut self,
        credit: &Credit,
        now: Timestamp,
        id: EntryId,
    ) -> Refusable<Moved> {
        self.not_closed()?;
        let named = credit.expiry.map(|expiry| instant(expiry, now));
        let is_gift = credit.funding == FundingType::Promotional;
        let standard = is_gift.then(|| now.plus_days(BONUS_DAYS));
        let expires = named.or(standard);
        if expires.is_some_and(|expires| expires <= now) {
            return Err(out_of_time(now, Timestamp::NEVER));
        }
        let amount = wide(credit.amount);
        if let Some(maximum) = credit.maximum_balance {
            let room = (wide(maximum) - self.balance()).max(0);
            if amount > room {
                return Err(Rejection::AmountOutOfRange {
                    minimum: None,
                    maximum: Some(narrow(room)),
                });
            }
        }
        self.value_in(amount, credit.funding, credit.priority, expires, now);
        Ok(self.moved(id, amount, false, Vec::new()))
    }

    pub(super) fn usage(&mut self, usage: &Usage, now: Timestamp, id: EntryId) -> Refusable<Moved> {
        match usage.hold_id {
            Some(hold) => {
                self.open_hold(hold)?;
                self.only_active()?;
                if usage.cost.is_zero() {
                    return Ok(NOTHING);
                }
                self.capture(hold, wide(usage.cost), AfterCapture::StayOpen, now, id)
            }
            None if usage.cost.is_zero() => {
                match usage.force {
                    None => self.only_active()?,
                    Some(_) => self.in_use()?,
                }
                Ok(NOTHING)
            }
            None => self.spend(wide(usage.cost), usage.force, Reason::Usage, id),
        }
    }

    pub(super) fn adjust(&mut self, amount: i128, now: Timestamp, id: EntryId) -> Refusable<Moved> {
        self.in_use()?;
        if amount > 0 {
            self.value_in(amount, FundingType::ManualAdjustment, 50, None, now);
            return Ok(self.moved(id, amount, false, Vec::new()));
        }
        let most = (self.balance() - self.held()).max(0);
        if -amount > most {
            return Err(self.short_of(-amount, most));
        }
        let drawn = self.draw(-amount);
        Ok(self.moved(id, amount, false, drawn))
    }

    pub(super) fn place_hold(
        &mut self,
        hold: &PlaceHold,
        now: Timestamp,
        id: EntryId,
    ) -> Refusable<Moved> {
        self.only_active()?;
        let expires = hold_end(hold.expiry, now, now)?;
        let amount = wide(hold.amount);
        if amount > self.available() {
            return Err(self.short_of(amount, self.available()));
        }
        let parts = self.plan(amount);
        for (lot, share) in &parts {
            self.lots[*lot].held += share;
        }
        let placed = ModelHold {
            remaining: amount,
            captured: 0,
            released: 0,
            status: HoldStatus::Open,
            expires,
            placed: now,
            parts,
        };
        self.holds.insert(HoldId::from_number(id.number()), placed);
        Ok(NOTHING)
    }

    pub(super) fn spend(
        &mut self,
        amount: i128,
        force: Option<Force>,
        why: Reason,
        id: EntryId,
    ) -> Refusable<Moved> {
        let most = match force {
            None => {
                self.only_active()?;
                self.available()
            }
            Some(Force { floor: None }) => {
                self.in_use()?;
                wide(Amount::MAX_SINGLE)
            }
            Some(Force { floor: Some(floor) }) => {
                self.in_use()?;
                let by_force = self.unheld() - self.debt() + wide(floor);
                by_force.max(self.available())
            }
        };
        if amount > most {
            return Err(self.short_of(amount, most));
        }
        let drawn = self.draw(amount);
        Ok(self.moved(id, -amount, why.is_refundable(), drawn))
    }

    pub(super) fn capture(
        &mut self,
        hold_id: HoldId,
        amount: i128,
        after: AfterCapture,
        now: Timestamp,
        id: EntryId,
    ) -> Refusable<Moved> {
        let remaining = self.holds[&hold_id].remaining;
        if amount <= 0 {
            return Err(nothing_of(remaining));
        }
        if amount > remaining {
            return Err(Rejection::CaptureExceedsHold {
                remaining: narrow(remaining),
            });
        }
        let hold = self.hold_mut(hold_id);
        (hold.captured, hold.remaining) = (hold.captured + amount, remaining - amount);
        let (mut left, mut taken) = (amount, Vec::new());
        for (lot, reserved) in &mut hold.parts {
            let share = left.min(*reserved);
            taken.push((From::Lot(*lot), share));
            (*reserved, left) = (*reserved - share, left - share);
        }
        for (from, share) in &taken {
            let From::Lot(lot) = from else { continue };
            self.lots[*lot].remaining -= share;
            self.lots[*lot].held -= share;
        }
        if after == AfterCapture::End || amount == remaining {
            self.end(hold_id, HoldStatus::Captured, now);
        }
        taken.extend(self.draw(left));
        Ok(self.moved(id, -amount, true, taken))
    }

    pub(super) fn open_hold(&self, id: HoldId) -> Refusable<i128> {
        match self.holds.get(&id) {
            None => Err(Rejection::HoldNotFound),
            // What a dispute reserves is no caller's.
            Some(hold) if hold.status == HoldStatus::Open && hold.expires == Timestamp::NEVER => {
                Err(Rejection::HoldNotFound)
            }
            Some(hold) if hold.status == HoldStatus::Open => Ok(hold.remaining),
            Some(hold) => Err(Rejection::HoldNotOpen(hold.status)),
        }
    }

    pub(super) fn hold_mut(&mut self, id: HoldId) -> &mut ModelHold {
        self.holds.get_mut(&id).expect("it was found before")
    }

    fn short_of(&self, required: i128, available: i128) -> Rejection {
        let ends = self.open_holds().map(|(_, hold)| hold.expires);
        let ends = ends.filter(|end| *end < Timestamp::NEVER);
        Rejection::InsufficientFunds {
            recharge: tillbox_core::rejection::RechargeBrief::default(),
            required: narrow(required),
            available: narrow(available),
            next_release_at: ends.min(),
        }
    }
}
