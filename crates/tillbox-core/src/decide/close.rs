//! Closing: what may be paid out goes out, the rest is forfeited, and nothing happens behind it (R39).
//!
//! It is several rows of one commit, decided one after the other, each on the state behind the one before:
//!
//! | row | for |
//! |---|---|
//! | `RechargeChanged` | auto-recharge, where it is on: it ends before value leaves |
//! | `TopUpEnded` | each top-up that a page or the bank holds: it is given up |
//! | `TopUpRefunded` | each payment that value is left of, the newest first: it opens the payout to the card |
//! | `Withdrawn` | what a person pays out: the same, where nobody asks the provider; then all that goes to no payment |
//! | `Forfeited` | what may not be paid out |
//! | `Closed` | the end |
//!
//! A card is refunded in whole minor units, and never more than was charged and has not gone back: what is left of a
//! payment besides goes with the manual payout. So what is withdrawn is always all that was withdrawable. What the
//! provider gave is forfeited, not clawed back: it may not be withdrawn anyway.
//!
//! A payment that succeeds all the same, and what a dispute gives back that was won, is booked and goes back at once
//! ([`sent_back`]), and what the provider gave with it is forfeited.

use super::end_top_up;
use super::recharge::changed;
use super::refund_top_up::refunded;
use super::withdraw::all_of;
use super::{Context, require_status};
use crate::amount::Amount;
use crate::command::{Close, Command, EndTopUp, TopUpEnd};
use crate::draw::draw_from;
use crate::entry::{Destination, EntryKind, Event, Note, PayoutWay};
use crate::id::TopUpId;
use crate::lot::Lot;
use crate::payback::Payback;
use crate::reason::Reason;
use crate::recharge::Recharge;
use crate::rejection::Rejection;
use crate::top_up::TopUpStatus;
use crate::wallet::{WalletState, WalletStatus};

/// Whether a command that has just booked `row` has more to book.
pub fn goes_on(command: &Command, row: &Event) -> bool {
    matches!(command, Command::Close(_)) && row.kind != EntryKind::Closed
}

/// The next row of it.
pub(super) fn decide(
    state: &WalletState,
    close: &Close,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    require_status(
        state,
        &[
            WalletStatus::PendingActivation,
            WalletStatus::Active,
            WalletStatus::Frozen,
        ],
    )?;
    if state.holds().len() > 0 {
        return Err(Rejection::Conflict("the wallet has open holds"));
    }
    if !state.debt.total().is_zero() {
        return Err(Rejection::Conflict("the wallet has debt"));
    }
    let is_processing = |status| status == TopUpStatus::Processing;
    if state
        .top_ups()
        .any(|(_, top_up)| is_processing(top_up.status))
    {
        return Err(Rejection::Conflict("a top-up is processing"));
    }
    if let Some(recharge) = state.recharge.as_deref().filter(|one| one.is_enabled) {
        return Ok(changed(Recharge {
            is_enabled: false,
            ..recharge.clone()
        }));
    }
    if let Some((top_up_id, _)) = state.top_ups().next() {
        let end = EndTopUp {
            top_up_id,
            end: TopUpEnd::Canceled,
            payment_id: None,
            record: None,
        };
        return end_top_up::decide(state, &end, context);
    }
    let row = payment_back(state, close, context)
        .or_else(|| paid_out(state))
        .or_else(|| forfeited(state));
    Ok(row.unwrap_or_else(|| Event {
        status: Some(WalletStatus::Closed),
        ..Event::new(EntryKind::Closed, Note::default())
    }))
}

/// What is left of the newest payment that anything can go back to.
fn payment_back(state: &WalletState, close: &Close, context: &Context<'_>) -> Option<Event> {
    let mut newest_first = close.payments.iter().rev();
    newest_first.find_map(|payment| {
        let lots = || {
            let lots = payment.lots.iter().filter_map(|key| state.lot(key));
            lots.filter(|lot| lot.withdrawable)
        };
        match close.way {
            PayoutWay::Manual => {
                let by_hand = Event {
                    top_up_id: Some(payment.top_up_id),
                    ..by_hand(payment.record.top_up.payment_id.clone())
                };
                some(all_of(by_hand, lots()))
            }
            PayoutWay::Original => {
                let payback = payment.record.payback.as_ref()?;
                let payment_id = payment.record.top_up.payment_id.clone();
                let id = payment.top_up_id;
                to_card(state, id, payment_id, payback, lots(), context)
            }
        }
    })
}

/// What a card is refunded of a payment: as much as lies on those lots, and has not gone back.
fn to_card<'a>(
    state: &WalletState,
    top_up_id: TopUpId,
    payment_id: Option<Box<str>>,
    payback: &Payback,
    lots: impl Iterator<Item = &'a Lot>,
    context: &Context<'_>,
) -> Option<Event> {
    let lots: Vec<&Lot> = lots.collect();
    let left: Amount = lots.iter().map(|lot| lot.unheld()).sum();
    let most = left.min(payback.unreturned());
    let amount = most.whole_minor_units(state.currency);
    amount.is_positive().then(|| {
        let (parts, _) = draw_from(lots.into_iter(), amount);
        refunded(
            state,
            top_up_id,
            payment_id,
            payback,
            (amount, Amount::ZERO),
            parts,
            context,
        )
    })
}

/// A withdrawal that a person pays out.
fn by_hand(payment_id: Option<Box<str>>) -> Event {
    Event {
        reason: Some(Reason::Withdrawal),
        destination: Some(Destination {
            way: PayoutWay::Manual,
            payment_id,
        }),
        ..Event::new(EntryKind::Withdrawn, Note::default())
    }
}

/// All that may be paid out.
fn paid_out(state: &WalletState) -> Option<Event> {
    some(all_of(
        by_hand(None),
        state.lots().filter(|lot| lot.withdrawable),
    ))
}

/// All that there is.
fn forfeited(state: &WalletState) -> Option<Event> {
    let event = Event {
        reason: Some(Reason::Forfeiture),
        ..Event::new(EntryKind::Forfeited, Note::default())
    };
    some(all_of(event, state.lots()))
}

fn some(event: Event) -> Option<Event> {
    Some(event).filter(|event| !event.amount.is_zero())
}

/// Value that comes behind the end, by a payment that succeeded or a dispute that was won: it goes back to where it came
/// from.
pub(super) fn sent_back(state: &WalletState, came: &Event, context: &Context<'_>) -> Option<Event> {
    let top_up_id = came.top_up_id.filter(|_| is_late(state, came))?;
    // A closed wallet has no lots but those that have just come.
    let lots = || state.lots().filter(|lot| lot.withdrawable);
    let (payment_id, payback) = match (came.top_up.as_deref(), came.payback.as_deref()) {
        (Some(top_up), _) => {
            let lot = lots().next()?.id;
            let given = state.lots().map(|lot| lot.id).find(|id| *id != lot);
            let payback = Payback::none_yet(top_up, lot, given)?;
            (top_up.payment_id.clone(), payback)
        }
        (None, Some(payback)) => (None, payback.standing()),
        (None, None) => return None,
    };
    to_card(state, top_up_id, payment_id, &payback, lots(), context)
}

/// What of it can't go back there, and may be paid out.
pub(super) fn rest_paid_out(
    state: &WalletState,
    came: &Event,
    _context: &Context<'_>,
) -> Option<Event> {
    let row = paid_out(state).filter(|_| is_late(state, came))?;
    Some(Event {
        top_up_id: came.top_up_id,
        ..row
    })
}

/// What the provider gave with it.
pub(super) fn gift_forfeited(
    state: &WalletState,
    came: &Event,
    _context: &Context<'_>,
) -> Option<Event> {
    is_late(state, came).then(|| forfeited(state)).flatten()
}

fn is_late(state: &WalletState, came: &Event) -> bool {
    let is_paid = came.kind == EntryKind::Credit && came.top_up.is_some();
    let is_won = came.kind == EntryKind::Reversed && came.payback.is_some();
    (is_paid || is_won) && state.status == WalletStatus::Closed
}
