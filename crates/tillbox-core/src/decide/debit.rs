//! Debit: unheld lots in draw order, then debt within the overdraft limit, or beyond it by force (R7, L9).

use super::credit::require_room;
use super::{require_active, require_in_range, require_status};
use crate::amount::Amount;
use crate::command::{Debit, Force};
use crate::draw::draw_unheld;
use crate::entry::{EntryKind, Event};
use crate::rejection::{RechargeBrief, Rejection};
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(state: &WalletState, debit: &Debit) -> Result<Event, Rejection> {
    let event = Event {
        reason: Some(debit.reason),
        ..Event::new(EntryKind::Debit, debit.note.clone())
    };
    value_out(state, event, debit.amount, debit.force)
}

/// Completes `event` with what the amount draws on.
pub(super) fn value_out(
    state: &WalletState,
    event: Event,
    amount: Amount,
    force: Option<Force>,
) -> Result<Event, Rejection> {
    require_spending(state, force)?;
    require_in_range(amount)?;
    let available = match force {
        None => state.available(),
        Some(Force { floor: None }) => Amount::MAX_SINGLE,
        Some(Force { floor: Some(floor) }) => state.available().max(down_to(state, floor)),
    };
    require_debt_room(state, amount)?;
    if amount > available {
        return Err(insufficient(state, amount, available));
    }
    let (parts, missing) = draw_unheld(state, amount);
    Ok(Event {
        amount: -amount,
        parts,
        debt_made: state.debt.next_span(missing),
        ..event
    })
}

/// What is to be had when the debt may grow to `floor`: never held value.
fn down_to(state: &WalletState, floor: Amount) -> Amount {
    (state.unheld() - state.debt.total())
        .checked_add(floor)
        .unwrap_or(Amount::MAX_BALANCE)
}

/// Who may spend: an active wallet, and by force a frozen one too.
pub(super) fn require_spending(state: &WalletState, force: Option<Force>) -> Result<(), Rejection> {
    match force {
        None => require_active(state),
        Some(_) => require_status(state, &[WalletStatus::Active, WalletStatus::Frozen]),
    }
}

/// Keeps the debt that `amount` makes beyond what is unheld in range (R4).
pub(super) fn require_debt_room(state: &WalletState, amount: Amount) -> Result<(), Rejection> {
    let most = state.unheld().checked_add(state.room_below());
    require_room(amount, most.unwrap_or(Amount::MAX_BALANCE))
}

pub(super) fn insufficient(state: &WalletState, required: Amount, available: Amount) -> Rejection {
    let holds = state.holds().filter(|hold| !hold.is_of_dispute());
    let next_release_at = holds.map(|hold| hold.expires_at).min();
    Rejection::InsufficientFunds {
        required,
        available,
        next_release_at,
        recharge: RechargeBrief::default(),
    }
}
