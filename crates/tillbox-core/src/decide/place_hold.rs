//! A hold reserves lots in draw order, then the overdraft, up to what is available (R13).

use super::debit::{insufficient, require_debt_room};
use super::{Context, MAX_HOLD_DAYS, MAX_OPEN, require_active, require_in_range};
use crate::amount::Amount;
use crate::command::{Expiry, PlaceHold};
use crate::draw::draw_unheld;
use crate::entry::{EntryKind, Event, HoldChange, Part};
use crate::hold::HoldStatus;
use crate::id::HoldId;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::wallet::WalletState;

pub(super) fn decide(
    state: &WalletState,
    hold: &PlaceHold,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    require_active(state)?;
    let expires_at = hold_end(hold.expiry, context.now, context.now)?;
    require_in_range(hold.amount)?;
    require_debt_room(state, hold.amount)?;
    if state.holds().len() >= MAX_OPEN {
        return Err(Rejection::TooMany("holds"));
    }
    let available = state.available();
    if hold.amount > available {
        return Err(insufficient(state, hold.amount, available));
    }
    let (drawn, overdraft) = draw_unheld(state, hold.amount);
    let parts = drawn
        .into_iter()
        .map(|part| Part {
            amount: Amount::ZERO,
            held: -part.amount,
            ..part
        })
        .collect();
    let change = HoldChange {
        id: HoldId::from_number(context.entry_id.number()),
        amount: hold.amount,
        captured: Amount::ZERO,
        released: Amount::ZERO,
        overdraft,
        expires_at,
        placed_at: context.now,
        invoice_id: hold.invoice_id,
        status: HoldStatus::Open,
    };
    Ok(Event {
        parts,
        hold: Some(change),
        ..Event::new(EntryKind::HoldPlaced, hold.note.clone())
    })
}

/// The end of a hold: after now, and at most 30 days after it was placed (R15).
pub(super) fn hold_end(
    expiry: Expiry,
    now: Timestamp,
    placed_at: Timestamp,
) -> Result<Timestamp, Rejection> {
    let (end, latest) = (expiry.at(now), placed_at.plus_days(MAX_HOLD_DAYS));
    if end > now && end <= latest {
        Ok(end)
    } else {
        Err(Rejection::ExpiryOutOfRange {
            earliest: now,
            latest,
        })
    }
}
