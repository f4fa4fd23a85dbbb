//! A payment refunded to the card: the debit comes first, then the provider is asked (R27). What a payout could not pay
//! back is reversed into the lots that it came from.

use super::recharge::paused;
use super::refund::given_back;
use super::{Context, require_status};
use crate::amount::Amount;
use crate::command::{EndPayout, PaymentRecord, PayoutEnd, RefundTopUp};
use crate::draw::draw_from;
use crate::entry::{Destination, EntryKind, Event, Note, Part, PayoutWay};
use crate::id::{LotId, TopUpId};
use crate::lot::Lot;
use crate::payback::{Payback, Payout, PayoutStatus, round_down};
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(
    state: &WalletState,
    refund: &RefundTopUp,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let record = refund.record.as_deref().ok_or(Rejection::TopUpNotFound)?;
    require_status(state, &[WalletStatus::Active, WalletStatus::Frozen])?;
    let payback = require_paid(record)?;
    let remaining = refundable(state, payback);
    let unit = state.currency.minor_unit_micros();
    let amount = match refund.amount {
        None => remaining,
        Some(asked) if asked < Amount::from_micros(unit) => {
            return Err(Rejection::AmountOutOfRange {
                minimum: Some(Amount::from_micros(unit)),
                maximum: Some(remaining),
            });
        }
        Some(asked) => round_down(asked, unit),
    };
    if amount > remaining || remaining.is_zero() {
        return Err(Rejection::RefundExceedsRemaining { remaining });
    }
    let (clawed, parts) = taken_back(state, payback, amount);
    let payment_id = record.top_up.payment_id.clone();
    Ok(Event {
        note: refund.note.clone(),
        ..refunded(
            state,
            refund.top_up_id,
            payment_id,
            payback,
            (amount, clawed),
            parts,
            context,
        )
    })
}

/// What is clawed back for a refund of `amount`, which must be refundable, and what both draw.
fn taken_back(state: &WalletState, payback: &Payback, amount: Amount) -> (Amount, Vec<Part>) {
    let bonus_lot = lot_of(state, payback.bonus_lot);
    let clawed = payback.to_claw(amount, unheld(bonus_lot));
    let (mut parts, spent) = draw_from(bonus_lot.into_iter(), clawed);
    let (own, missing) = draw_from(lot_of(state, Some(payback.lot)).into_iter(), amount + spent);
    assert!(
        missing.is_zero(),
        "what is refundable lies unheld on the lot of the payment"
    );
    parts.extend(own);
    (clawed, parts)
}

/// The row that takes what is refunded of a payment, and what is clawed back for that, and opens the payout.
pub(super) fn refunded(
    state: &WalletState,
    top_up_id: TopUpId,
    payment_id: Option<Box<str>>,
    payback: &Payback,
    (amount, clawed): (Amount, Amount),
    parts: Vec<Part>,
    context: &Context<'_>,
) -> Event {
    let payout = Payout {
        debit_id: context.entry_id,
        amount,
        clawed,
        status: PayoutStatus::Pending,
        failure: None,
    };
    Event {
        reason: Some(Reason::Withdrawal),
        amount: -(amount + clawed),
        parts,
        top_up_id: Some(top_up_id),
        payback: Some(Box::new(Payback {
            refunded: payback.refunded + amount,
            clawed: payback.clawed + clawed,
            payout: Some(payout),
            given_moved: clawed,
            ..payback.clone()
        })),
        recharge: paused(state).map(Box::new),
        destination: Some(Destination {
            way: PayoutWay::Original,
            payment_id,
        }),
        ..Event::new(EntryKind::TopUpRefunded, Note::default())
    }
}

/// What the provider says of a payout.
pub(super) fn end(
    state: &WalletState,
    end: &EndPayout,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let record = end.record.as_deref().ok_or(Rejection::TopUpNotFound)?;
    let payback = require_paid(record)?;
    let payout = record
        .payout
        .as_ref()
        .ok_or(Rejection::TransactionNotFound)?;
    let (status, failure) = match &end.end {
        PayoutEnd::Succeeded => (PayoutStatus::Succeeded, None),
        PayoutEnd::Failed { code } if state.status == WalletStatus::Closed => {
            (PayoutStatus::Manual, Some(code.clone()))
        }
        PayoutEnd::Failed { code } => (PayoutStatus::Failed, Some(code.clone())),
    };
    if !payout.status.may_become(status) {
        return Err(Rejection::PayoutNotOpen(payout.status));
    }
    let ended = Payout {
        status,
        failure,
        ..payout.clone()
    };
    let event = Event {
        top_up_id: Some(end.top_up_id),
        ..Event::new(EntryKind::PayoutEnded, Note::default())
    };
    if status != PayoutStatus::Failed {
        let payback = Payback {
            payout: Some(ended),
            ..payback.clone()
        };
        return Ok(Event {
            payback: Some(Box::new(payback)),
            ..event
        });
    }
    let debit = record
        .debit
        .as_ref()
        .ok_or(Rejection::TransactionNotFound)?;
    let payback = Payback {
        refunded: payback.refunded - payout.amount,
        clawed: payback.clawed - payout.clawed,
        payout: Some(ended),
        given_moved: payout.clawed,
        ..payback.clone()
    };
    let event = Event {
        kind: EntryKind::Reversed,
        reason: Some(Reason::Reversal),
        amount: payout.amount + payout.clawed,
        refund_of: Some(end.debit_id),
        payback: Some(Box::new(payback)),
        ..event
    };
    Ok(given_back(state, event, debit, end.grace_days, context))
}

/// What may be refunded to the card of a payment, as the wallet stands.
pub fn refundable(state: &WalletState, payback: &Payback) -> Amount {
    payback.refundable(
        unheld(lot_of(state, Some(payback.lot))),
        unheld(lot_of(state, payback.bonus_lot)),
        state.currency.minor_unit_micros(),
    )
}

/// Only what was credited and charged can go back.
pub(super) fn require_paid(record: &PaymentRecord) -> Result<&Payback, Rejection> {
    let top_up = &record.top_up;
    if top_up.status != crate::top_up::TopUpStatus::Succeeded {
        return Err(Rejection::TopUpNotOpen(top_up.status));
    }
    record
        .payback
        .as_ref()
        .ok_or(Rejection::RefundExceedsRemaining {
            remaining: Amount::ZERO,
        })
}

/// The open lot of that id.
pub(super) fn lot_of(state: &WalletState, id: Option<LotId>) -> Option<&Lot> {
    let id = id?;
    state.lots().find(|lot| lot.id == id)
}

fn unheld(lot: Option<&Lot>) -> Amount {
    lot.map_or(Amount::ZERO, Lot::unheld)
}
