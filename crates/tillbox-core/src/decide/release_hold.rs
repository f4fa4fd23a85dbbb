//! Release: reserved value returns to the lots that it came from, and pays debt at once (R6).

use super::Context;
use super::capture_hold::open_hold;
use crate::amount::Amount;
use crate::draw::{Freed, pay_debt};
use crate::entry::{EntryKind, Event, HoldChange, Note, Part};
use crate::hold::{Hold, HoldPart, HoldStatus};
use crate::id::HoldId;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::wallet::WalletState;

pub(super) fn decide(
    state: &WalletState,
    id: HoldId,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let hold = open_hold(state, id)?;
    Ok(ended(
        state,
        hold,
        EntryKind::HoldReleased,
        HoldStatus::Released,
        context.now,
    ))
}

/// The event that gives back all that remains of a hold, as of `instant`.
pub(super) fn ended(
    state: &WalletState,
    hold: &Hold,
    kind: EntryKind,
    status: HoldStatus,
    instant: Timestamp,
) -> Event {
    let released = hold.released + hold.remaining();
    let change = HoldChange {
        released,
        overdraft: -hold.overdraft,
        status,
        ..HoldChange::unchanged(hold)
    };
    let parts = give_back(state, &hold.parts, instant);
    Event {
        parts,
        hold: Some(change),
        ..Event::new(kind, Note::default())
    }
}

/// Frees reserved value; what is not past its date at `instant` pays debt.
pub(super) fn give_back(
    state: &WalletState,
    reserved: &[HoldPart],
    instant: Timestamp,
) -> Vec<Part> {
    let mut parts = Vec::with_capacity(reserved.len());
    let mut freed = Vec::with_capacity(reserved.len());
    for part in reserved {
        let lot = state.lot(&part.lot).expect("a hold reserves open lots");
        parts.push(Part {
            lot: part.lot,
            funding: lot.funding,
            amount: Amount::ZERO,
            held: -part.amount,
            pays_debt_from: None,
        });
        freed.push(Freed {
            lot: lot.clone(),
            amount: part.amount,
        });
    }
    parts.extend(pay_debt(&state.debt, freed, instant));
    parts
}
