//! Adjustment: an operator's correction. Upwards it makes a lot; downwards it draws like a debit, but never
//! on overdraft or held value (R9).

use super::credit::{new_lot, require_room, value_in};
use super::debit::insufficient;
use super::{Context, require_in_range, require_status};
use crate::command::Adjust;
use crate::draw::draw_unheld;
use crate::entry::{EntryKind, Event};
use crate::lot::FundingType;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(
    state: &WalletState,
    adjust: &Adjust,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    require_status(state, &[WalletStatus::Active, WalletStatus::Frozen])?;
    require_in_range(adjust.amount)?;
    let event = Event {
        reason: Some(Reason::ManualAdjustment),
        ..Event::new(EntryKind::Adjustment, adjust.note.clone())
    };
    if adjust.amount.is_positive() {
        require_room(adjust.amount, state.room_above())?;
        let lot = new_lot(state, adjust.amount, FundingType::ManualAdjustment, context);
        return Ok(value_in(state, event, lot, context));
    }
    let required = adjust.amount.abs();
    let available = (state.balance - state.held).or_zero();
    if required > available {
        return Err(insufficient(state, required, available));
    }
    let (parts, missing) = draw_unheld(state, required);
    assert!(
        missing.is_zero(),
        "balance − held is never more than the unheld value of lots"
    );
    Ok(Event {
        amount: adjust.amount,
        parts,
        ..event
    })
}
