//! Capture: spends what a hold reserves, in the order in which it was reserved; its overdraft part draws
//! then-unheld lots first and books only what is missing as debt (R13, R14).

use super::release_hold::give_back;
use super::{Context, require_status};
use crate::amount::Amount;
use crate::command::{AfterCapture, CaptureHold};
use crate::draw::draw_unheld;
use crate::entry::{EntryKind, Event, HoldChange, Part};
use crate::hold::{Hold, HoldPart, HoldStatus};
use crate::id::HoldId;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(
    state: &WalletState,
    capture: &CaptureHold,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let hold = open_hold(state, capture.hold_id)?;
    let amount = capture.amount.unwrap_or_else(|| hold.remaining());
    let event = Event {
        reason: Some(Reason::Usage),
        ..Event::new(EntryKind::HoldCaptured, capture.note.clone())
    };
    spend_hold(state, event, hold, amount, capture.after, context)
}

/// The open hold of that id, on a wallet whose holds may be ended: also on a frozen one (R40).
pub(super) fn open_hold(state: &WalletState, id: HoldId) -> Result<&Hold, Rejection> {
    let hold = named_hold(state, id)?;
    require_status(state, &[WalletStatus::Active, WalletStatus::Frozen])?;
    Ok(hold)
}

/// The open hold of that id, whatever the wallet's status. That of a dispute is no caller's.
pub(super) fn named_hold(state: &WalletState, id: HoldId) -> Result<&Hold, Rejection> {
    let hold = state.hold(id).ok_or(Rejection::HoldUnknown(id))?;
    if hold.is_of_dispute() {
        Err(Rejection::HoldNotFound)
    } else {
        Ok(hold)
    }
}

/// Completes `event` with what `amount` takes from the hold.
pub(super) fn spend_hold(
    state: &WalletState,
    event: Event,
    hold: &Hold,
    amount: Amount,
    after: AfterCapture,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let is_too_little = !amount.is_positive();
    if crate::seeded_bug!(NegativeCapture: false; else is_too_little) {
        return Err(Rejection::AmountOutOfRange {
            minimum: Some(Amount::from_micros(1)),
            maximum: Some(hold.remaining()),
        });
    }
    let remaining = hold.remaining();
    if amount > crate::seeded_bug!(CaptureSeesWholeHold: hold.amount; else remaining) {
        return Err(Rejection::CaptureExceedsHold {
            remaining: hold.remaining(),
        });
    }
    let (mut parts, rest) = take_reserved(state, hold, amount);
    let from_lots: Amount = parts.iter().map(|part| -part.amount).sum();
    let from_overdraft = amount - from_lots;
    let (drawn, missing) = draw_unheld(state, from_overdraft);
    parts.extend(drawn);

    let captured = hold.captured + amount;
    let open = HoldChange {
        captured,
        overdraft: -from_overdraft,
        ..HoldChange::unchanged(hold)
    };
    let change = match after {
        AfterCapture::StayOpen if open.remaining().is_positive() => open,
        AfterCapture::StayOpen => HoldChange {
            status: HoldStatus::Captured,
            ..open
        },
        AfterCapture::End => {
            parts.extend(give_back(state, &rest, context.now));
            let released = hold.released + open.remaining();
            HoldChange {
                released,
                overdraft: -hold.overdraft,
                status: HoldStatus::Captured,
                ..open
            }
        }
    };
    Ok(Event {
        amount: -amount,
        parts,
        debt_made: state.debt.next_span(missing),
        hold: Some(change),
        ..event
    })
}

/// Takes up to `amount` from what the hold reserves on lots; the second of the pair is what stays reserved.
fn take_reserved(state: &WalletState, hold: &Hold, amount: Amount) -> (Vec<Part>, Vec<HoldPart>) {
    let mut missing = amount;
    let mut parts = Vec::with_capacity(hold.parts.len());
    let mut rest = Vec::new();
    for reserved in &hold.parts {
        let share = reserved.amount.min(missing);
        missing -= share;
        if share.is_positive() {
            let lot = state.lot(&reserved.lot).expect("a hold reserves open lots");
            parts.push(Part {
                lot: reserved.lot,
                funding: lot.funding,
                amount: -share,
                held: -share,
                pays_debt_from: None,
            });
        }
        if share < reserved.amount {
            rest.push(HoldPart {
                lot: reserved.lot,
                amount: reserved.amount - share,
            });
        }
    }
    (parts, rest)
}

impl HoldChange {
    /// The hold as it stands, nothing changed.
    pub fn unchanged(hold: &Hold) -> Self {
        Self {
            id: hold.id,
            amount: hold.amount,
            captured: hold.captured,
            released: hold.released,
            overdraft: Amount::ZERO,
            expires_at: hold.expires_at,
            placed_at: hold.placed_at,
            invoice_id: hold.invoice_id,
            status: hold.status,
        }
    }
}
