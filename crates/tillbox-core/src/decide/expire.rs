//! What falls due by the clock: a hold's end gives its value back, a lot's end takes its unheld remainder, the end
//! of a back-off arms auto-recharge again.
//!
//! Events come in the order of their instants, a hold before a lot of the same instant, so that what is booked
//! late comes out as if it had been booked on time (R10): value that a hold freed before its lot's date paid
//! debt; value freed after it expires, effective when it was freed.

use super::recharge;
use super::release_hold::ended;
use crate::amount::Amount;
use crate::entry::{EntryKind, Event, Note, Part};
use crate::hold::HoldStatus;
use crate::lot::DrawKey;
use crate::reason::Reason;
use crate::time::Timestamp;
use crate::wallet::{Due, WalletState};

/// The next event that is due at `now`; none when all is booked.
pub fn due(state: &WalletState, now: Timestamp) -> Option<Event> {
    crate::seeded_bug!(EndedHoldIsOpen: if let Some((_, Due::Hold(_))) = state.due.first() {
        return None;
    });
    let (at, due) = state.due.first().filter(|(at, _)| *at <= now)?;
    Some(match due {
        Due::Hold(id) => {
            let hold = state.hold(*id).expect("a due hold is open");
            let event = ended(
                state,
                hold,
                EntryKind::HoldExpired,
                HoldStatus::Expired,
                *at,
            );
            Event {
                effective_at: Some(*at),
                ..event
            }
        }
        Due::Lot(key) => lot_expired(state, key, *at),
        Due::Recharge => recharge::cooled_down(state, *at),
    })
}

fn lot_expired(state: &WalletState, key: &DrawKey, at: Timestamp) -> Event {
    let lot = state.lot(key).expect("a due lot is open");
    let amount = -crate::seeded_bug!(ExpiryOfStaleAmount: lot.remaining; else lot.unheld());
    let event = Event {
        reason: Some(Reason::Expiry),
        amount,
        parts: vec![Part {
            lot: *key,
            funding: lot.funding,
            amount,
            held: Amount::ZERO,
            pays_debt_from: None,
        }],
        effective_at: Some(at.max(state.last_effective_at)),
        ..Event::new(EntryKind::LotExpired, Note::default())
    };
    event.described(state.language)
}
