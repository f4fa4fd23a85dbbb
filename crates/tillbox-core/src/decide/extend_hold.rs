//! Extension: a later end, at most 30 days after the hold was placed (R15).

use super::capture_hold::named_hold;
use super::place_hold::hold_end;
use super::{Context, require_active};
use crate::command::Expiry;
use crate::entry::{EntryKind, Event, HoldChange, Note};
use crate::id::HoldId;
use crate::rejection::Rejection;
use crate::wallet::WalletState;

pub(super) fn decide(
    state: &WalletState,
    id: HoldId,
    expiry: Expiry,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let hold = named_hold(state, id)?;
    require_active(state)?;
    let expires_at = hold_end(expiry, context.now, hold.placed_at)?;
    let change = HoldChange {
        expires_at,
        ..HoldChange::unchanged(hold)
    };
    Ok(Event {
        hold: Some(change),
        ..Event::new(EntryKind::HoldExtended, Note::default())
    })
}
