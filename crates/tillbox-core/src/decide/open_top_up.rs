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
    if !is_activation {
        require_limits(state, open.amount, context)?;
    }
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

fn require_limits(
    state: &WalletState,
    amount: Amount,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let limits = &context.policies.of(state.currency).top_up_limits;
    let most_balance = limits.maximum_balance.map(|most| {
        let left = most.checked_sub(state.balance).unwrap_or(most);
        room(state, left.or_zero())
    });
    let maximum = match (limits.maximum, most_balance) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    if amount < limits.minimum || maximum.is_some_and(|maximum| amount > maximum) {
        return Err(Rejection::AmountOutOfRange {
            minimum: Some(limits.minimum),
            maximum,
        });
    }
    Ok(())
}

/// What is left of `room` once all that is under way has come in.
fn room(state: &WalletState, room: Amount) -> Amount {
    let under_way: Amount = state.top_ups().map(|(_, top_up)| top_up.amount).sum();
    room.saturating_sub(under_way).or_zero()
}

fn is_whole(amount: Amount, state: &WalletState) -> bool {
    let unit = state.currency.minor_unit_micros();
    amount.micros().rem_euclid(unit) == 0
}
