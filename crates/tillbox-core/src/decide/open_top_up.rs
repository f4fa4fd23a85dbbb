//! Opening a top-up: all limits are checked here, as settling refuses nothing (R24).

use super::credit::require_room;
use super::{Context, MAX_OPEN, require_in_range, require_status};
use crate::amount::Amount;
use crate::command::OpenTopUp;
use crate::entry::{EntryKind, Event};
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::top_up::{Channel, TopUp, TopUpStatus};
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(
    state: &WalletState,
    open: &OpenTopUp,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let is_activation = open.reason == Reason::Activation;
    if is_activation {
        require_status(state, &[WalletStatus::PendingActivation])?;
        let under_way = |top_up: &TopUp| top_up.reason == Reason::Activation;
        if state.top_ups().any(|(_, top_up)| under_way(top_up)) {
            return Err(Rejection::Conflict("an activation is under way"));
        }
    } else {
        require_status(state, &[WalletStatus::Active, WalletStatus::Frozen])?;
    }
    if open.channel == Channel::Saved && open.method.is_none() {
        return Err(Rejection::PaymentMethodRequired);
    }
    require_in_range(open.amount)?;
    require_limits(state, open, context)?;
    require_room(open.amount, room(state, state.room_above()))?;
    if !is_whole(open.amount, state) {
        return Err(Rejection::NotWholeMinorUnits);
    }
    if state.lots().len().saturating_add(state.top_ups().len()) >= MAX_OPEN {
        return Err(Rejection::TooMany("lots"));
    }
    Ok(Event {
        top_up_id: Some(open.id),
        top_up: Some(Box::new(TopUp {
            amount: open.amount,
            reason: open.reason,
            channel: open.channel,
            method: open.method,
            backups: Vec::new(),
            status: first_status(open.channel),
            opened_at: context.now,
            charged: Amount::ZERO,
            payment_id: None,
            failure: None,
        })),
        ..Event::new(EntryKind::TopUpOpened, open.note.clone())
    })
}

/// A saved card is charged at once, so that its outcome is unknown from the first moment on.
pub(super) fn first_status(channel: Channel) -> TopUpStatus {
    match channel {
        Channel::Saved => TopUpStatus::Processing,
        Channel::Checkout | Channel::Link => TopUpStatus::Pending,
    }
}

/// The merchant's limits. Towards the highest balance counts what is processing, and no page that may never be paid
/// (R18). An activation is exempt from the smallest and the largest payment (R24).
fn require_limits(
    state: &WalletState,
    open: &OpenTopUp,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let limits = &context.policies.of(state.currency).top_up_limits;
    let up_to_balance = limits.maximum_balance.map(|most| {
        let left = most.checked_sub(state.balance).unwrap_or(most);
        left.saturating_sub(state.pending_top_ups).or_zero()
    });
    let (minimum, maximum) = if open.reason == Reason::Activation {
        (None, up_to_balance)
    } else {
        let maximum = match (limits.maximum, up_to_balance) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        (Some(limits.minimum), maximum)
    };
    let is_below = minimum.is_some_and(|minimum| open.amount < minimum);
    if is_below || maximum.is_some_and(|maximum| open.amount > maximum) {
        return Err(Rejection::AmountOutOfRange { minimum, maximum });
    }
    Ok(())
}

/// What is left of `room` once all that is open has come in: what settles is never refused, so this counts pages too.
fn room(state: &WalletState, room: Amount) -> Amount {
    let under_way: Amount = state.top_ups().map(|(_, top_up)| top_up.amount).sum();
    room.saturating_sub(under_way).or_zero()
}

fn is_whole(amount: Amount, state: &WalletState) -> bool {
    let unit = state.currency.minor_unit_micros();
    amount.micros().rem_euclid(unit) == 0
}
