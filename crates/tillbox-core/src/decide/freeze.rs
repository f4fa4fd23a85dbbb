//! Freezing stops spending and leaves credits, refunds and ends of holds (W2, R40).

use super::{require_active, require_status};
use crate::entry::{EntryKind, Event, Note};
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn freeze(state: &WalletState, note: &Note) -> Result<Event, Rejection> {
    require_active(state)?;
    Ok(Event {
        status: Some(WalletStatus::Frozen),
        ..Event::new(EntryKind::Frozen, note.clone())
    })
}

pub(super) fn unfreeze(state: &WalletState) -> Result<Event, Rejection> {
    if state.status == WalletStatus::Active {
        return Err(Rejection::Conflict("the wallet is not frozen"));
    }
    require_status(state, &[WalletStatus::Frozen])?;
    Ok(Event {
        status: Some(WalletStatus::Active),
        ..Event::new(EntryKind::Unfrozen, Note::default())
    })
}

/// A wallet that waited for a first payment which is not asked for any more.
pub(super) fn activate(state: &WalletState) -> Result<Event, Rejection> {
    require_status(state, &[WalletStatus::PendingActivation])?;
    let mut open = state.top_ups();
    if open.any(|(_, top_up)| top_up.reason == Reason::Activation) {
        return Err(Rejection::Conflict("an activation is under way"));
    }
    Ok(Event {
        status: Some(WalletStatus::Active),
        ..Event::new(EntryKind::Activated, Note::default())
    })
}
