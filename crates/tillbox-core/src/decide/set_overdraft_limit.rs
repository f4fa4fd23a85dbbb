//! The overdraft limit may be lowered below the debt: nothing new is spent until available ≥ 0 (R9).

use super::credit::require_room;
use super::{require_in_range, require_status};
use crate::amount::Amount;
use crate::entry::{EntryKind, Event, Note};
use crate::rejection::Rejection;
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(state: &WalletState, limit: Amount) -> Result<Event, Rejection> {
    require_status(
        state,
        &[
            WalletStatus::PendingActivation,
            WalletStatus::Active,
            WalletStatus::Frozen,
        ],
    )?;
    require_in_range(limit)?;
    let room = Amount::MAX_BALANCE
        .checked_sub(state.balance)
        .unwrap_or(Amount::MAX_BALANCE);
    require_room(limit, room)?;
    Ok(Event {
        overdraft_limit: Some(limit),
        ..Event::new(EntryKind::PolicyChanged, Note::default())
    })
}
