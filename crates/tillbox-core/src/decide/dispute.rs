//! Disputes: what the bank takes back, or may (R28).
//!
//! An open dispute reserves what is left of the payment's lots, by a hold that neither the clock nor a caller ends. A
//! payment has one such hold, which all its open disputes share: it grows where value is set free on those lots
//! ([`reserve_freed`]), shrinks to what the others claim when one of them is decided, and ends with the last.
//!
//! What lost disputes are to have taken follows from all that is known of the payment ([`Payback::due_to_disputes`]);
//! each row brings what they have taken nearer to it, by one step: a chargeback, or the reversal of one. So the same
//! numbers come out in whatever order notices, refunds and their failures come.

use super::Context;
use super::recharge::paused;
use super::refund::given_back;
use super::refund_top_up::{lot_of, require_paid};
use super::release_hold::give_back;
use crate::amount::Amount;
use crate::command::{LearnDispute, PaymentRecord};
use crate::entry::{EntryKind, Event, HoldChange, Note, Part};
use crate::hold::{Hold, HoldPart, HoldStatus};
use crate::id::{DisputeId, EntryId, HoldId, LotId, TopUpId};
use crate::lot::Lot;
use crate::payback::{Chargeback, Dispute, DisputeStatus, Left, Payback};
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::wallet::{WalletState, WalletStatus};
use std::collections::BTreeSet;

pub(super) fn decide(
    state: &WalletState,
    learn: &LearnDispute,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let record = learn.record.as_deref().ok_or(Rejection::TopUpNotFound)?;
    let before = require_paid(record)?;
    let mut payback = before.clone();
    payback.reserves_freed = true;
    let known = payback
        .disputes
        .iter_mut()
        .find(|dispute| dispute.provider_id == learn.provider_id);
    // Of the dispute that is decided now.
    let hold_id = match known {
        None => {
            let dispute = opened(learn, context);
            payback.moved = Some(dispute.id);
            payback.disputes.push(dispute);
            None
        }
        Some(dispute) if dispute.status.may_become(learn.status) => {
            let was_open = dispute.status == DisputeStatus::Open;
            dispute.status = learn.status;
            payback.moved = Some(dispute.id);
            dispute.hold_id.filter(|_| was_open)
        }
        // Told again: there may be more to give back.
        Some(dispute) if dispute.status == learn.status => None,
        Some(dispute) => return Err(Rejection::DisputeNotOpen(dispute.status)),
    };
    let hold = hold_id.and_then(|id| state.hold(id));
    let due = payback.due_to_disputes();
    let may_take = state.status != WalletStatus::Closed;
    if may_take && due > payback.charged_back {
        let hold = hold.or_else(|| reservation(state, before));
        return Ok(charged_back(state, learn.top_up_id, payback, hold, context));
    }
    if hold.is_none() && payback.charged_back > due {
        return reversed(state, learn, payback, record, context);
    }
    if payback.moved.is_none() {
        return Err(Rejection::DisputeNotOpen(learn.status));
    }
    Ok(changed(state, learn, payback, hold, context))
}

fn opened(learn: &LearnDispute, context: &Context<'_>) -> Dispute {
    Dispute {
        id: DisputeId::from_number(context.entry_id.number()),
        provider_id: learn.provider_id.clone(),
        status: learn.status,
        amount: learn.amount,
        reason: learn.reason.clone(),
        hold_id: None,
        opened_at: context.now,
    }
}

/// A row that takes nothing: it reserves what is left of the payment, or sets free what was reserved.
fn changed(
    state: &WalletState,
    learn: &LearnDispute,
    mut payback: Payback,
    hold: Option<&Hold>,
    context: &Context<'_>,
) -> Event {
    let event = about(state, learn.top_up_id, EntryKind::DisputeChanged);
    if learn.status != DisputeStatus::Open {
        let (parts, change) = hold.map_or((Vec::new(), None), |hold| {
            decided(state, &payback, hold, &[], context.now)
        });
        return Event {
            parts,
            hold: change,
            payback: Some(Box::new(payback)),
            // Money that stays is no reason to pause.
            recharge: event
                .recharge
                .filter(|_| learn.status == DisputeStatus::Lost),
            ..event
        };
    }
    let left = own_lots(state, &payback).map(|lot| (lot, lot.unheld()));
    let (parts, hold) = reserve(
        state,
        &mut payback,
        left.collect(),
        context.entry_id,
        context.now,
    );
    let freezes = context.policies.of(state.currency).freeze_on_dispute;
    let freezes = freezes && state.status == WalletStatus::Active;
    Event {
        parts,
        hold,
        status: freezes.then_some(WalletStatus::Frozen),
        payback: Some(Box::new(payback)),
        ..event
    }
}

/// The hold that open disputes of a payment share.
fn reservation<'a>(state: &'a WalletState, payback: &Payback) -> Option<&'a Hold> {
    let holds = payback.open_disputes().filter_map(|one| one.hold_id);
    holds.into_iter().find_map(|id| state.hold(id))
}

/// So much of these lots, reserved without an end: by the hold that the payment has, or by a new one for all its open
/// disputes.
fn reserve(
    state: &WalletState,
    payback: &mut Payback,
    lots: Vec<(&Lot, Amount)>,
    entry_id: EntryId,
    now: Timestamp,
) -> (Vec<Part>, Option<HoldChange>) {
    let lots = lots.into_iter().filter(|(_, share)| share.is_positive());
    let parts: Vec<Part> = lots
        .map(|(lot, share)| Part {
            lot: lot.draw_key(),
            funding: lot.funding,
            amount: Amount::ZERO,
            held: share,
            pays_debt_from: None,
        })
        .collect();
    let amount: Amount = parts.iter().map(|part| part.held).sum();
    let known = reservation(state, payback);
    let nothing_yet = HoldChange {
        id: HoldId::from_number(entry_id.number()),
        amount: Amount::ZERO,
        captured: Amount::ZERO,
        released: Amount::ZERO,
        overdraft: Amount::ZERO,
        expires_at: Timestamp::NEVER,
        placed_at: now,
        invoice_id: None,
        status: HoldStatus::Open,
    };
    let hold = known.map_or(nothing_yet, HoldChange::unchanged);
    if known.is_none() && amount.is_zero() {
        return (parts, None);
    }
    for dispute in &mut payback.disputes {
        let is_held = dispute.hold_id.is_some_and(|id| state.hold(id).is_some());
        if dispute.status == DisputeStatus::Open && !is_held {
            dispute.hold_id = Some(hold.id);
        }
    }
    let grown = HoldChange {
        amount: hold.amount + amount,
        ..hold
    };
    (parts, amount.is_positive().then_some(grown))
}

/// [`reserve_freed`], as a rule of what follows.
pub(super) fn freed_is_reserved(
    state: &WalletState,
    row: &Event,
    context: &Context<'_>,
) -> Option<Event> {
    reserve_freed(state, row, context.entry_id, context.now)
}

/// What a row has set free of a disputed payment, or what its disputes claim more behind it, is reserved at once, by a row
/// behind it with this id: never more than disputes may take yet, nor what is past its date. Asked until it says that
/// there is no more, as a row may free value of several payments. Reads and dry runs, which book nothing else that
/// follows, ask it too.
pub fn reserve_freed(
    state: &WalletState,
    row: &Event,
    entry_id: EntryId,
    now: Timestamp,
) -> Option<Event> {
    if state.status == WalletStatus::Closed {
        return None;
    }
    // What is booked late comes out as if it had been booked on time (R10).
    let instant = row.effective_at.unwrap_or(now);
    let mut disputed = state.disputed().iter();
    disputed.find_map(|(top_up_id, payback)| {
        // A row that is about the payment may have changed what is claimed of it.
        let frees = |part: &Part| payback.owns(part.lot.id) && part.amount > part.held;
        let is_about = row.payback.is_some() && row.top_up_id == Some(*top_up_id);
        if !is_about && !row.parts.iter().any(frees) {
            return None;
        }
        let lots = claimed(state, payback, instant);
        let mut payback = payback.clone();
        let (parts, hold) = reserve(state, &mut payback, lots, entry_id, instant);
        hold.is_some().then(|| Event {
            top_up_id: Some(*top_up_id),
            parts,
            hold,
            payback: Some(Box::new(payback)),
            effective_at: row.effective_at,
            ..Event::new(EntryKind::DisputeChanged, Note::default())
        })
    })
}

/// What disputes are still to take: what was reserved, the rest of the payment's lots, other value that could be
/// withdrawn, whatever else lies unheld, as there is no debt beside that (R6), then debt. Never what holds of customers
/// reserve.
fn charged_back(
    state: &WalletState,
    top_up_id: TopUpId,
    mut payback: Payback,
    hold: Option<&Hold>,
    context: &Context<'_>,
) -> Event {
    let due = payback.due_to_disputes() - payback.charged_back;
    let (taken, missing) = take(state, &payback, hold, due);
    let debt_made = state.debt.next_span(missing.min(state.room_below()));
    let debt = debt_made.map_or(Amount::ZERO, |span| span.amount);
    let amount = due - missing + debt;
    payback.charge_back(amount);
    let (mut parts, change) = hold.map_or((Vec::new(), None), |hold| {
        decided(state, &payback, hold, &taken, context.now)
    });
    parts.extend(taken.iter().filter_map(Taken::unheld_part));
    if amount.is_positive() {
        payback.chargebacks.push(Chargeback {
            entry_id: context.entry_id,
            left: amount,
        });
    }
    let (kind, reason) = if amount.is_positive() {
        (EntryKind::ChargedBack, Some(Reason::Chargeback))
    } else {
        (EntryKind::DisputeChanged, None)
    };
    Event {
        reason,
        amount: -amount,
        parts,
        debt_made,
        hold: change,
        payback: Some(Box::new(payback)),
        ..about(state, top_up_id, kind)
    }
}

/// Gives back what is too much of the last chargeback; a further one takes another command.
fn reversed(
    state: &WalletState,
    learn: &LearnDispute,
    mut payback: Payback,
    record: &PaymentRecord,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let too_much = payback.charged_back - payback.due_to_disputes();
    let (Some(last), Some(debit)) = (payback.chargebacks.last_mut(), &record.debit) else {
        return Err(Rejection::DisputeNotOpen(learn.status));
    };
    let amount = too_much.min(last.left);
    let entry_id = last.entry_id;
    last.left -= amount;
    payback.give_back(amount);
    payback.chargebacks.retain(|one| one.left.is_positive());
    let event = Event {
        reason: Some(Reason::Reversal),
        amount,
        refund_of: Some(entry_id),
        payback: Some(Box::new(payback)),
        recharge: None,
        ..about(state, learn.top_up_id, EntryKind::Reversed)
    };
    Ok(given_back(state, event, debit, learn.grace_days, context))
}

/// What lost disputes take once a refund has failed that had lessened it: the reversal gives it back, and this row
/// behind it takes it.
pub(super) fn retake(state: &WalletState, row: &Event, context: &Context<'_>) -> Option<Event> {
    let payback = row.payback.as_deref()?;
    let is_failed_payout = row.kind == EntryKind::Reversed && payback.payout.is_some();
    let due = payback.due_to_disputes() > payback.charged_back;
    (is_failed_payout && due).then(|| {
        let standing = payback.standing();
        let top_up_id = row.top_up_id.expect("what goes back is of a top-up");
        let hold = reservation(state, &standing);
        charged_back(state, top_up_id, standing, hold, context)
    })
}

fn about(state: &WalletState, top_up_id: TopUpId, kind: EntryKind) -> Event {
    Event {
        top_up_id: Some(top_up_id),
        recharge: paused(state).map(Box::new),
        ..Event::new(kind, Note::default())
    }
}

/// What is taken of a lot.
struct Taken<'a> {
    lot: &'a Lot,
    /// Of what the dispute had reserved.
    reserved: Amount,
    /// Of what lay unheld.
    unheld: Amount,
}

impl Taken<'_> {
    fn part(&self, amount: Amount, held: Amount) -> Option<Part> {
        amount.is_positive().then(|| Part {
            lot: self.lot.draw_key(),
            funding: self.lot.funding,
            amount: -amount,
            held: -held,
            pays_debt_from: None,
        })
    }

    fn reserved_part(&self) -> Option<Part> {
        self.part(self.reserved, self.reserved)
    }

    fn unheld_part(&self) -> Option<Part> {
        self.part(self.unheld, Amount::ZERO)
    }
}

/// Takes `due` of open lots, in their order; what is missing is the second of the pair. Of the bonus lot it takes what
/// was given for the disputed charge, and more only where that does not do.
fn take<'a>(
    state: &'a WalletState,
    payback: &Payback,
    hold: Option<&Hold>,
    due: Amount,
) -> (Vec<Taken<'a>>, Amount) {
    let bonus = lot_of(state, payback.bonus_lot);
    let own = lot_of(state, Some(payback.lot));
    let is_own = |lot: &&Lot| {
        [bonus, own]
            .into_iter()
            .flatten()
            .any(|one| one.id == lot.id)
    };
    let others = || state.lots().filter(|lot| !is_own(lot));
    let withdrawable = others().filter(|lot| lot.withdrawable);
    let given = others().filter(|lot| !lot.withdrawable);
    let bonus_due = payback.bonus_due_to_disputes().min(due);
    let in_order = [(bonus, bonus_due), (own, due), (bonus, due)];
    let in_order = in_order
        .into_iter()
        .filter_map(|(lot, most)| Some((lot?, most)));
    let in_order = in_order.chain(withdrawable.chain(given).map(|lot| (lot, due)));

    let mut missing = due;
    let mut all: Vec<Taken<'a>> = Vec::new();
    for (lot, most) in in_order {
        let place = all.iter().position(|taken| taken.lot.id == lot.id);
        let place = place.unwrap_or_else(|| {
            all.push(Taken {
                lot,
                reserved: Amount::ZERO,
                unheld: Amount::ZERO,
            });
            all.len().saturating_sub(1)
        });
        let Some(taken) = all.get_mut(place) else {
            continue;
        };
        let reserved = hold.map_or(Amount::ZERO, |hold| hold.reserved_on(lot.id));
        let from_reserved = (reserved - taken.reserved).min(missing).min(most);
        taken.reserved += from_reserved;
        missing -= from_reserved;
        let left = lot.unheld() - taken.unheld;
        let from_unheld = left.min(missing).min(most - from_reserved);
        taken.unheld += from_unheld;
        missing -= from_unheld;
    }
    (all, missing)
}

/// What a dispute that is decided leaves of the hold: what is taken goes, what other open disputes claim stays reserved,
/// and the rest is free, and pays debt at once.
fn decided(
    state: &WalletState,
    payback: &Payback,
    hold: &Hold,
    taken: &[Taken<'_>],
    now: Timestamp,
) -> (Vec<Part>, Option<HoldChange>) {
    let mut parts: Vec<Part> = taken.iter().filter_map(Taken::reserved_part).collect();
    let captured: Amount = taken.iter().map(|taken| taken.reserved).sum();
    let rest = |lot: LotId| {
        let of_it = taken.iter().filter(|taken| taken.lot.id == lot);
        hold.reserved_on(lot) - of_it.map(|taken| taken.reserved).sum()
    };
    let mut others = payback.open_disputes();
    let is_shared = others.any(|one| one.hold_id == Some(hold.id));
    let (bonus, own) = if is_shared {
        let left = |lot: Option<LotId>| Left {
            reserved: Amount::ZERO,
            free: lot.map_or(Amount::ZERO, rest),
        };
        payback
            .claimed()
            .on(left(payback.bonus_lot), left(Some(payback.lot)))
    } else {
        (Amount::ZERO, Amount::ZERO)
    };
    let kept = |lot: LotId| if lot == payback.lot { own } else { bonus };
    let freed = hold.parts.iter().filter_map(|reserved| {
        let amount = rest(reserved.lot.id) - kept(reserved.lot.id);
        amount.is_positive().then_some(HoldPart {
            lot: reserved.lot,
            amount,
        })
    });
    let freed: Vec<HoldPart> = freed.collect();
    let released: Amount = freed.iter().map(|part| part.amount).sum();
    parts.extend(give_back(state, &freed, now));
    let change = HoldChange {
        captured: hold.captured + captured,
        released: hold.released + released,
        ..HoldChange::unchanged(hold)
    };
    let status = match (change.remaining().is_positive(), captured.is_positive()) {
        (true, _) => HoldStatus::Open,
        (false, true) => HoldStatus::Captured,
        (false, false) => HoldStatus::Released,
    };
    let is_changed = !parts.is_empty();
    (parts, is_changed.then_some(HoldChange { status, ..change }))
}

/// How much of each of the payment's lots its disputes are to reserve yet; nothing of what is past its date.
fn claimed<'a>(
    state: &'a WalletState,
    payback: &Payback,
    instant: Timestamp,
) -> Vec<(&'a Lot, Amount)> {
    let bonus = lot_of(state, payback.bonus_lot);
    let own = lot_of(state, Some(payback.lot));
    let holds = payback.open_disputes().filter_map(|one| one.hold_id);
    let holds: BTreeSet<HoldId> = holds.collect();
    let left = |lot: Option<&Lot>| {
        lot.map_or_else(Left::default, |lot| {
            let holds = holds.iter().filter_map(|id| state.hold(*id));
            Left {
                reserved: holds.map(|hold| hold.reserved_on(lot.id)).sum(),
                free: if lot.is_expired(instant) {
                    Amount::ZERO
                } else {
                    lot.unheld()
                },
            }
        })
    };
    let (of_bonus, of_own) = payback.claimed().on(left(bonus), left(own));
    let lots = [
        own.map(|lot| (lot, of_own)),
        bonus.map(|lot| (lot, of_bonus)),
    ];
    lots.into_iter().flatten().collect()
}

/// The lots of the payment that are open: what was charged, then what was given.
fn own_lots<'a>(
    state: &'a WalletState,
    payback: &Payback,
) -> impl Iterator<Item = &'a Lot> + use<'a> {
    let ids: [Option<LotId>; 2] = [Some(payback.lot), payback.bonus_lot];
    ids.into_iter().filter_map(|id| lot_of(state, id))
}
