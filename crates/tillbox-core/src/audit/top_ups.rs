//! Following top-ups, auto-recharge and alerts through a wallet's rows.

use super::replay::Broken;
use crate::alerts::Alerts;
use crate::amount::Amount;
use crate::entry::{Entry, EntryKind};
use crate::id::{EntryId, TopUpId};
use crate::reason::Reason;
use crate::recharge::Recharge;
use crate::top_up::{TopUp, TopUpStatus};
use std::collections::BTreeMap;

pub(super) const ONE_CREDIT: &str = "at most one credit per payment";
pub(super) const AS_PAID: &str = "a top-up is credited with what was paid and given";
pub(super) const MOVES: &str = "a top-up goes forward";
pub(super) const WENT_BACK: &str = "a payment that goes back came in";
pub(super) const ONE_CHARGE: &str = "at most one recharge in flight, within its cap";

/// All top-ups that there ever were, and what stands of recharge and alerts.
#[derive(Clone, Debug, Default)]
pub(super) struct TopUps {
    pub(super) all: BTreeMap<TopUpId, (TopUp, Option<EntryId>)>,
    pub(super) recharge: Option<Recharge>,
    pub(super) alerts: Alerts,
    /// Discounts that wait for their lot.
    discounts: BTreeMap<TopUpId, Amount>,
}

fn broken<T>(invariant: &'static str, detail: impl std::fmt::Display) -> Result<T, Broken> {
    Err(Broken {
        invariant,
        detail: detail.to_string(),
    })
}

impl TopUps {
    pub(super) fn follow(&mut self, entry: &Entry) -> Result<(), Broken> {
        let event = &entry.event;
        if let Some(change) = &event.alerts {
            self.alerts.change(change);
        }
        let moved = match (event.top_up_id, event.top_up.as_deref()) {
            (Some(id), Some(top_up)) => self.move_on(entry, id, top_up),
            (Some(id), None) if event.kind == EntryKind::Withdrawn => self.goes_back(id),
            (Some(_), None) if event.payback.is_some() => Ok(()),
            (Some(id), None) => self.take_discount(entry, id),
            (None, Some(_)) => broken(MOVES, "a top-up without an id"),
            (None, None) => Ok(()),
        };
        let charged = self.check_charge(entry);
        self.recharge = event.recharge.as_deref().cloned().or(self.recharge.take());
        moved.and(charged)
    }

    fn move_on(&mut self, entry: &Entry, id: TopUpId, top_up: &TopUp) -> Result<(), Broken> {
        let before = self.all.get(&id).cloned();
        let is_credit = entry.event.kind == EntryKind::Credit;
        let credit = is_credit.then_some(entry.id);
        let known = before.as_ref().and_then(|(_, credit)| *credit);
        self.all.insert(id, (top_up.clone(), credit.or(known)));
        match &before {
            None if top_up.status.is_open() && entry.event.kind == EntryKind::TopUpOpened => {}
            None => return broken(MOVES, format!("{id} was never opened")),
            Some((_, Some(_))) if is_credit => return broken(ONE_CREDIT, id),
            Some((before, _)) => {
                let same = before.amount == top_up.amount
                    && before.reason == top_up.reason
                    && before.opened_at == top_up.opened_at;
                if !same || !before.status.may_become(top_up.status) {
                    return broken(MOVES, id);
                }
            }
        }
        if is_credit != (top_up.status == TopUpStatus::Succeeded) {
            return broken(AS_PAID, id);
        }
        if is_credit {
            self.check_credit(entry, id, top_up)?;
        }
        Ok(())
    }

    fn check_credit(&mut self, entry: &Entry, id: TopUpId, top_up: &TopUp) -> Result<(), Broken> {
        let given = top_up.amount.saturating_sub(top_up.charged);
        let own = if top_up.charged.is_zero() {
            top_up.amount
        } else {
            top_up.charged
        };
        if given.is_negative()
            || entry.event.amount != own
            || entry.event.reason != Some(top_up.reason)
        {
            return broken(AS_PAID, id);
        }
        if given.is_positive() && top_up.charged.is_positive() {
            self.discounts.insert(id, given);
        }
        Ok(())
    }

    fn take_discount(&mut self, entry: &Entry, id: TopUpId) -> Result<(), Broken> {
        let due = self.discounts.remove(&id);
        let is_bonus = entry.event.reason == Some(Reason::Bonus);
        if is_bonus && due == Some(entry.event.amount) {
            Ok(())
        } else {
            broken(AS_PAID, id)
        }
    }

    /// A payment goes back only where it came in.
    fn goes_back(&self, id: TopUpId) -> Result<(), Broken> {
        let credit = self.all.get(&id).and_then(|(_, credit)| *credit);
        credit.map_or_else(|| broken(WENT_BACK, id), |_| Ok(()))
    }

    /// Discounts whose lot never came.
    pub(super) fn left_over(&self) -> Vec<Broken> {
        let waiting = self.discounts.keys().map(|id| Broken {
            invariant: AS_PAID,
            detail: id.to_string(),
        });
        waiting.collect()
    }

    fn check_charge(&self, entry: &Entry) -> Result<(), Broken> {
        let event = &entry.event;
        let begun = event.kind == EntryKind::TopUpOpened
            && event
                .top_up
                .as_ref()
                .is_some_and(|top_up| top_up.reason == Reason::AutoRecharge);
        if !begun {
            return Ok(());
        }
        let is_free = self
            .recharge
            .as_ref()
            .is_some_and(|before| before.charge.is_none());
        let within = event.recharge.as_deref().is_some_and(|after| {
            let is_this = after.charge.map(|charge| charge.top_up_id) == event.top_up_id;
            let cap = after.settings.monthly_cap;
            is_this && cap.is_none_or(|cap| after.month_charged <= cap)
        });
        if is_free && within {
            Ok(())
        } else {
            broken(ONE_CHARGE, format!("version {}", entry.version))
        }
    }
}
