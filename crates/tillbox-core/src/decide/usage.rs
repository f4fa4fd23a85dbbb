//! Usage: a rated debit, from the wallet or wholly from a hold (P2, R16). Rated to zero it moves nothing,
//! but its row keeps the key (R4).

use super::capture_hold::{open_hold, spend_hold};
use super::debit::{require_spending, value_out};
use super::{Context, require_active};
use crate::command::{AfterCapture, Usage};
use crate::entry::{EntryKind, Event};
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::wallet::WalletState;

pub(super) fn decide(
    state: &WalletState,
    usage: &Usage,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let event = Event {
        usage: Some(usage.facts.clone()),
        ..Event::new(EntryKind::Usage, usage.note.clone())
    };
    let moving = |event: Event| Event {
        reason: Some(Reason::Usage),
        ..event
    };
    match usage.hold_id {
        Some(id) => {
            let hold = open_hold(state, id)?;
            require_active(state)?;
            if usage.force.is_some() {
                return Err(Rejection::Conflict("usage from a hold can't be forced"));
            }
            if usage.cost.is_zero() {
                return Ok(event);
            }
            spend_hold(
                state,
                moving(event),
                hold,
                usage.cost,
                AfterCapture::StayOpen,
                context,
            )
        }
        None if usage.cost.is_zero() => require_spending(state, usage.force).map(|()| event),
        None => value_out(state, moving(event), usage.cost, usage.force),
    }
}
