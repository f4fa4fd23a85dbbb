//! Void of a lot: an operator takes back what no hold reserves of it. What is held stays, and may be captured.

use super::{require_lot, require_status};
use crate::amount::Amount;
use crate::command::VoidLot;
use crate::entry::{EntryKind, Event, Part};
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(state: &WalletState, void: &VoidLot) -> Result<Event, Rejection> {
    let lot = require_lot(state, void.lot_id)?;
    require_status(state, &[WalletStatus::Active, WalletStatus::Frozen])?;
    let amount = -lot.unheld();
    if amount.is_zero() {
        return Err(Rejection::Conflict("holds reserve all of the lot"));
    }
    Ok(Event {
        reason: Some(Reason::Reversal),
        amount,
        parts: vec![Part {
            lot: lot.draw_key(),
            funding: lot.funding,
            amount,
            held: Amount::ZERO,
            pays_debt_from: None,
        }],
        ..Event::new(EntryKind::LotVoided, void.note.clone())
    })
}
