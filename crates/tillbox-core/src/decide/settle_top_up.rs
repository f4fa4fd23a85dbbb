//! A payment that succeeded: what was charged is a cash lot, the provider's discount a lot of its own behind it
//! (R26). Nothing but a second settlement is refused: the provider has the money.

use super::credit::{NewLot, new_lot, require_room, value_in};
use super::{Context, require_top_up};
use crate::amount::Amount;
use crate::command::SettleTopUp;
use crate::entry::{EntryKind, Event, Note};
use crate::id::TopUpId;
use crate::lot::FundingType;
use crate::reason::Reason;
use crate::recharge::{Recharge, RechargeState};
use crate::rejection::Rejection;
use crate::top_up::{TopUp, TopUpStatus};
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(
    state: &WalletState,
    settle: &SettleTopUp,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let id = settle.top_up_id;
    let top_up = require_top_up(state, id, settle.record.as_deref(), TopUpStatus::Succeeded)?;
    if settle.charged.is_negative() || settle.charged > top_up.amount {
        return Err(Rejection::Conflict(
            "the payment is not of the top-up's amount",
        ));
    }
    require_room(top_up.amount, state.room_above())?;
    let settled = TopUp {
        status: TopUpStatus::Succeeded,
        charged: settle.charged,
        payment_id: Some(settle.payment_id.clone()),
        failure: None,
        ..top_up.clone()
    };
    let activates =
        top_up.reason == Reason::Activation && state.status == WalletStatus::PendingActivation;
    let event = Event {
        reason: Some(top_up.reason),
        top_up_id: Some(id),
        recharge: after_success(state, id, &settled, context).map(Box::new),
        top_up: Some(Box::new(settled)),
        status: activates.then_some(WalletStatus::Active),
        ..Event::new(EntryKind::Credit, settle.note.clone())
    };
    // Where all of it was discounted there is no cash to come first.
    let lot = if settle.charged.is_zero() {
        given(top_up.amount, state, context)
    } else {
        new_lot(state, settle.charged, FundingType::Cash, context)
    };
    Ok(value_in(state, event, lot, context))
}

/// The lot of the discount behind a settled top-up.
pub(super) fn discount(
    state: &WalletState,
    settled: &Event,
    context: &Context<'_>,
) -> Option<Event> {
    let top_up = settled.top_up.as_deref()?;
    if !top_up.has_bonus() {
        return None;
    }
    let amount = top_up.discount();
    let event = Event {
        reason: Some(Reason::Bonus),
        top_up_id: settled.top_up_id,
        ..Event::new(EntryKind::Credit, Note::default())
    };
    Some(value_in(
        state,
        event,
        given(amount, state, context),
        context,
    ))
}

fn given(amount: Amount, state: &WalletState, context: &Context<'_>) -> NewLot {
    new_lot(state, amount, FundingType::Promotional, context)
}

/// Auto-recharge behind a settled top-up, where that changes it: its own charge is over, and any money that came in
/// ends a back-off or a pause, and forgets the failures before it (A5).
fn after_success(
    state: &WalletState,
    id: TopUpId,
    settled: &TopUp,
    context: &Context<'_>,
) -> Option<Recharge> {
    let recharge = state.recharge.as_deref()?;
    let is_own = recharge.charge.is_some_and(|charge| charge.top_up_id == id);
    let is_late = settled.reason == Reason::AutoRecharge && !is_own;
    let has_failed = recharge.failures > 0 || recharge.state != RechargeState::Armed;
    if !is_own && !is_late && !has_failed {
        return None;
    }
    let mut recharge = recharge.clone().rearmed();
    if is_own {
        recharge.charge = None;
    }
    if is_late {
        let month = context.policies.month(settled.opened_at);
        recharge = recharge.charged_late(settled.amount, month);
    }
    Some(recharge)
}
