//! Following what disputes reserve of value that is set free (R28), with checked steps.

use super::replay::{Broken, Replay};
use crate::amount::Amount;
use crate::entry::{Entry, EntryKind};
use crate::hold::HoldStatus;
use crate::id::{HoldId, TopUpId};
use crate::payback::{DisputeStatus, Payback};
use crate::reason::Reason;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const AT_ONCE: &str =
    "what is set free of a disputed payment is reserved by the row behind it";
pub(super) const CLAIMED: &str = "a dispute reserves no more of what is set free than it may take";

/// Payments of which a dispute is open, as the state keeps them, and which of them have value to reserve.
#[derive(Clone, Debug, Default)]
pub(super) struct Reserved {
    pub(super) disputed: BTreeMap<TopUpId, Payback>,
    due: BTreeSet<TopUpId>,
}

fn broken<T>(invariant: &'static str, detail: String) -> Result<T, Broken> {
    Err(Broken { invariant, detail })
}

fn wide(amount: Amount) -> i128 {
    i128::from(amount.micros())
}

/// What disputes may take yet: as if all that are open were lost.
fn claim(payback: &Payback) -> i128 {
    let disputes = payback.disputes.iter();
    let counted = disputes.filter(|one| one.status != DisputeStatus::Won);
    let amounts = counted.map(|one| wide(one.amount));
    let amounts = amounts.fold(0, i128::saturating_add);
    let (charged, given) = (wide(payback.charged), wide(payback.given));
    let most = charged.saturating_sub(wide(payback.refunded)).max(0);
    let lost = amounts.min(most);
    if lost == 0 {
        return 0;
    }
    let kept = most.saturating_sub(lost);
    let earned = given.saturating_mul(kept).checked_div(charged);
    let unearned = given.saturating_sub(earned.unwrap_or(0));
    let of_given = unearned.min(given.saturating_sub(wide(payback.lapsed)));
    let of_given = of_given.saturating_sub(wide(payback.clawed)).max(0);
    let all = lost.saturating_add(of_given);
    all.saturating_sub(wide(payback.charged_back)).max(0)
}

/// What its disputes reserve.
fn reserved(payback: &Payback, replay: &Replay) -> i128 {
    let open = payback.open_disputes();
    let ids: BTreeSet<HoldId> = open.filter_map(|one| one.hold_id).collect();
    let holds = ids.iter().filter_map(|id| replay.holds.get(id));
    let parts = holds
        .filter(|hold| hold.status == HoldStatus::Open)
        .flat_map(|hold| &hold.parts);
    parts
        .map(|part| wide(part.amount))
        .fold(0, i128::saturating_add)
}

/// Whether anything of it lies unheld that its disputes may take.
fn is_due(payback: &Payback, replay: &Replay, instant: Timestamp) -> bool {
    let lots = [Some(payback.lot), payback.bonus_lot];
    let lots = lots.into_iter().flatten();
    let mut lots = lots.filter_map(|id| replay.lots.get(&id));
    let is_free = lots.any(|lot| lot.remaining > lot.held && !lot.is_expired(instant));
    is_free && claim(payback) > reserved(payback, replay)
}

impl Reserved {
    /// Takes a row.
    pub(super) fn learn(&mut self, entry: &Entry) {
        let event = &entry.event;
        match (event.top_up_id, event.payback.as_deref()) {
            (Some(id), Some(payback)) if payback.is_disputed() => {
                self.disputed.insert(id, payback.standing());
            }
            (Some(id), Some(_)) => drop(self.disputed.remove(&id)),
            _ if event.reason.is_some_and(Reason::is_lapse) => {
                for payback in self.disputed.values_mut() {
                    let parts = event.parts.iter();
                    let lapsed = parts.filter(|part| Some(part.lot.id) == payback.bonus_lot);
                    let lapsed = lapsed.map(|part| part.amount);
                    payback.lapsed = lapsed.fold(payback.lapsed, Amount::saturating_sub);
                }
            }
            _ => {}
        }
    }

    /// Checks that row; `replay` stands behind it.
    pub(super) fn check(
        &mut self,
        entry: &Entry,
        replay: &Replay,
        is_closed: bool,
    ) -> Result<(), Broken> {
        if self.disputed.is_empty() && self.due.is_empty() {
            return Ok(());
        }
        let event = &entry.event;
        // What follows by itself: what lost disputes take of a refund that failed, and what open ones reserve.
        let may_stand_between = matches!(
            event.kind,
            EntryKind::DisputeChanged | EntryKind::ChargedBack
        ) && !payback_moved(entry);
        let was_due = !self.due.is_empty();
        let instant = event.effective_at.unwrap_or(entry.at);
        let disputed = std::mem::take(&mut self.disputed);
        for (id, payback) in &disputed {
            let mut parts = event.parts.iter();
            let frees = parts.any(|part| payback.owns(part.lot.id) && part.amount > part.held);
            let is_about = event.payback.is_some() && event.top_up_id == Some(*id);
            if (frees || is_about || self.due.contains(id)) && is_due(payback, replay, instant) {
                self.due.insert(*id);
            } else {
                self.due.remove(id);
            }
        }
        self.due
            .retain(|id| disputed.contains_key(id) && !is_closed);
        let of_it = event.top_up_id.and_then(|id| disputed.get(&id));
        let over = of_it.filter(|payback| {
            let mut parts = event.parts.iter();
            let is_told = payback_moved(entry);
            let grows = parts.any(|part| part.held.is_positive());
            grows && !is_told && reserved(payback, replay) > claim(payback)
        });
        let over = over.map(|payback| (reserved(payback, replay), claim(payback)));
        self.disputed = disputed;
        if was_due && !may_stand_between {
            self.due.clear();
            return broken(AT_ONCE, format!("{:?} came between", event.kind));
        }
        match over {
            Some((reserved, claim)) => broken(CLAIMED, format!("{reserved} of {claim}")),
            None => Ok(()),
        }
    }

    /// Whether all was reserved behind the last row.
    pub(super) fn nothing_due(&self) -> Result<(), Broken> {
        match self.due.first() {
            Some(id) => broken(AT_ONCE, format!("{id} is left")),
            None => Ok(()),
        }
    }
}

/// Whether the row tells of a dispute: one that is opened reserves all that is left.
fn payback_moved(entry: &Entry) -> bool {
    let payback = entry.event.payback.as_deref();
    payback.is_some_and(|payback| payback.moved.is_some())
}
