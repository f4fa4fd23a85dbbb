//! Another expiry for a lot: later, earlier, or never; never for a lot that is past it.

use super::credit::in_the_future;
use super::{Context, require_lot, require_status};
use crate::command::ChangeLot;
use crate::entry::{EntryKind, Event, LotChange, Note};
use crate::rejection::Rejection;
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(
    state: &WalletState,
    change: &ChangeLot,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let lot = require_lot(state, change.lot_id)?;
    require_status(
        state,
        &[
            WalletStatus::PendingActivation,
            WalletStatus::Active,
            WalletStatus::Frozen,
        ],
    )?;
    if lot.is_expired(context.now) {
        return Err(Rejection::Conflict("the lot has expired"));
    }
    let end = change.expires_at;
    end.map(|end| in_the_future(end, context.now)).transpose()?;
    Ok(Event {
        lot_change: Some(LotChange {
            lot: lot.draw_key(),
            expires_at: end,
        }),
        ..Event::new(EntryKind::LotChanged, Note::default())
    })
}
