//! Refund of a debit: value returns to the lots that it came from, in the recorded order (L8).
//!
//! The debit drew lots and then perhaps made debt. A part of that debt which lots paid later returns to those
//! lots (R6); what is still unpaid is canceled. A lot past its date gets a successor of the same kind that
//! lives for the grace period (R11). What returns while debt is left pays it at once.

use super::credit::require_room;
use super::{Context, require_status};
use crate::amount::Amount;
use crate::command::{DebitRecord, Refund};
use crate::debt::DebtSpan;
use crate::draw::{Freed, pay_debt};
use crate::entry::{EntryKind, Event, Part};
use crate::id::LotId;
use crate::lot::Lot;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(
    state: &WalletState,
    refund: &Refund,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let record = refund
        .debit
        .as_deref()
        .ok_or(Rejection::TransactionNotFound)?;
    require_status(state, &[WalletStatus::Active, WalletStatus::Frozen])?;
    if !record.event.reason.is_some_and(Reason::is_refundable) {
        return Err(Rejection::NotRefundable);
    }
    let remaining = -record.event.amount - record.refunded;
    let remaining = crate::seeded_bug!(RefundedTwice: -record.event.amount; else remaining);
    if refund.amount.is_some_and(|amount| !amount.is_positive()) {
        return Err(Rejection::AmountOutOfRange {
            minimum: Some(Amount::from_micros(1)),
            maximum: Some(remaining),
        });
    }
    let amount = refund.amount.unwrap_or(remaining);
    require_room(amount, state.room_above())?;
    if amount > remaining || remaining.is_zero() {
        return Err(Rejection::RefundExceedsRemaining { remaining });
    }
    let event = Event {
        reason: Some(Reason::Refund),
        amount,
        refund_of: Some(refund.debit_id),
        ..Event::new(EntryKind::Refund, refund.note.clone())
    };
    Ok(given_back(state, event, record, refund.grace_days, context))
}

/// Completes `event` with where its amount goes: back to what the debit drew on, and what that pays of the debt. So
/// much must be left of the debit.
pub(super) fn given_back(
    state: &WalletState,
    mut event: Event,
    record: &DebitRecord,
    grace_days: i64,
    context: &Context<'_>,
) -> Event {
    let shares = Shares::of(state, record, event.amount);
    let mut freed = Vec::with_capacity(shares.returned.len());
    for (lot_id, share) in shares.returned {
        let lot = returned_lot(state, record, lot_id, share, grace_days, context);
        event.parts.push(Part {
            lot: lot.draw_key(),
            funding: lot.funding,
            amount: share,
            held: Amount::ZERO,
            pays_debt_from: None,
        });
        if state.lot(&lot.draw_key()).is_none() {
            event.lots.push(lot.clone());
        }
        freed.push(Freed { lot, amount: share });
    }
    let mut debt = state.debt.clone();
    for span in &shares.canceled {
        debt.cancel(*span);
    }
    event.debt_canceled = shares.canceled;
    event.parts.extend(pay_debt(&debt, freed, context.now));
    event
}

/// Where a refund goes: to lots, and against debt that is still unpaid.
struct Shares {
    returned: Vec<(LotId, Amount)>,
    canceled: Vec<DebtSpan>,
}

impl Shares {
    /// Skips what was refunded before and takes `amount` of what follows: lots in the order drawn, then debt.
    fn of(state: &WalletState, record: &DebitRecord, amount: Amount) -> Self {
        let mut shares = Self {
            returned: Vec::new(),
            canceled: Vec::new(),
        };
        let (mut skip, mut take) = (record.refunded, amount);
        for part in record.event.own_parts() {
            let drawn = -part.amount;
            let skipped = drawn.min(skip);
            let share = (drawn - skipped).min(take);
            skip -= skipped;
            take -= share;
            shares.add(part.lot.id, share);
        }
        if let Some(made) = record.event.debt_made.filter(|_| take.is_positive()) {
            let span = DebtSpan {
                from: made.from + skip,
                amount: take,
            };
            shares.canceled = state.debt.unpaid_within(span);
            let mut paid = Amount::ZERO;
            for payment in &record.debt_payments {
                if let Some(overlap) = payment.span.overlap(&span) {
                    shares.add(payment.lot_id, overlap.amount);
                    paid += overlap.amount;
                }
            }
            let canceled: Amount = shares.canceled.iter().map(|span| span.amount).sum();
            assert_eq!(paid + canceled, take, "debt is paid by lots, or unpaid");
        }
        shares
    }

    fn add(&mut self, lot_id: LotId, share: Amount) {
        if share.is_zero() {
            return;
        }
        match self.returned.iter_mut().find(|(id, _)| *id == lot_id) {
            Some((_, sum)) => *sum += share,
            None => self.returned.push((lot_id, share)),
        }
    }
}

/// The lot that takes the share: the one it came from, or its successor when that one is past its date.
fn returned_lot(
    state: &WalletState,
    record: &DebitRecord,
    id: LotId,
    share: Amount,
    grace_days: i64,
    context: &Context<'_>,
) -> Lot {
    let stored = record
        .lots
        .iter()
        .find(|lot| lot.id == id)
        .expect("the record names every lot of the debit");
    let lot = state.lot(&stored.draw_key()).unwrap_or(stored).clone();
    if !lot.is_expired(context.now) {
        return lot;
    }
    Lot {
        id: context.next_lot_id(),
        expires_at: Some(context.now.plus_days(grace_days)).filter(|end| *end < Timestamp::NEVER),
        created_at: context.now,
        amount: share,
        cost_basis: if lot.cost_basis.is_zero() {
            Amount::ZERO
        } else {
            share
        },
        source: context.entry_id,
        succeeds: Some(lot.id),
        remaining: Amount::ZERO,
        held: Amount::ZERO,
        ..lot
    }
}
