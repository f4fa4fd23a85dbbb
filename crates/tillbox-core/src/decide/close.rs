//! Closing: what may be paid out goes out, the rest is forfeited, and nothing happens behind it (R39).
//!
//! It is several rows of one commit, decided one after the other, each on the state behind the one before:
//!
//! | row | for |
//! |---|---|
//! | `RechargeChanged` | auto-recharge, where it is on: it ends before value leaves |
//! | `TopUpEnded` | each top-up that a page or the bank holds: it is given up |
//! | `Withdrawn` | each payment that value is left of, the newest first; then all that came from none |
//! | `Forfeited` | what may not be paid out |
//! | `Closed` | the end |
//!
//! A card is refunded in whole minor units: what is left of a payment below one goes with the manual payout. So what
//! is withdrawn is always all that was withdrawable.
//!
//! A payment that succeeds all the same is credited and goes back at once ([`sent_back`]), and what the provider gave
//! with it is forfeited.

use super::end_top_up;
use super::recharge::changed;
use super::withdraw::all_of;
use super::{Context, require_status};
use crate::amount::Amount;
use crate::command::{Close, Command, EndTopUp, SourcePayment, TopUpEnd};
use crate::draw::draw_from;
use crate::entry::{EntryKind, Event, Note, Payout, PayoutWay};
use crate::lot::Lot;
use crate::reason::Reason;
use crate::recharge::Recharge;
use crate::rejection::Rejection;
use crate::top_up::TopUpStatus;
use crate::wallet::{WalletState, WalletStatus};
use std::collections::BTreeMap;

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
    let row = payment_back(state, close)
        .or_else(|| paid_out(state))
        .or_else(|| forfeited(state));
    Ok(row.unwrap_or_else(|| Event {
        status: Some(WalletStatus::Closed),
        ..Event::new(EntryKind::Closed, Note::default())
    }))
}

/// What is left of the newest payment that anything can go back to.
fn payment_back(state: &WalletState, close: &Close) -> Option<Event> {
    let mut by_payment: BTreeMap<_, (&SourcePayment, Vec<&Lot>)> = BTreeMap::new();
    let payments: BTreeMap<_, _> = close
        .payments
        .iter()
        .map(|(lot, payment)| (*lot, payment))
        .collect();
    for lot in state.lots().filter(|lot| lot.withdrawable) {
        if let Some(payment) = payments.get(&lot.id) {
            let known = by_payment.entry(payment.top_up_id);
            known.or_insert((payment, Vec::new())).1.push(lot);
        }
    }
    let mut newest_first = by_payment.into_values().rev();
    newest_first.find_map(|(payment, lots)| {
        let left: Amount = lots.iter().map(|lot| lot.unheld()).sum();
        let amount = match close.way {
            PayoutWay::Manual => left,
            PayoutWay::Original => left.whole_minor_units(state.currency),
        };
        let (parts, _) = draw_from(lots.into_iter(), amount);
        amount.is_positive().then(|| Event {
            amount: -amount,
            parts,
            ..to_payment(payment.clone(), close.way)
        })
    })
}

fn to_payment(payment: SourcePayment, way: PayoutWay) -> Event {
    Event {
        reason: Some(Reason::Withdrawal),
        top_up_id: Some(payment.top_up_id),
        payout: Some(Payout {
            way,
            payment_id: payment.payment_id,
        }),
        ..Event::new(EntryKind::Withdrawn, Note::default())
    }
}

/// All that may be paid out.
fn paid_out(state: &WalletState) -> Option<Event> {
    let event = Event {
        reason: Some(Reason::Withdrawal),
        payout: Some(Payout {
            way: PayoutWay::Manual,
            payment_id: None,
        }),
        ..Event::new(EntryKind::Withdrawn, Note::default())
    };
    some(all_of(event, state.lots().filter(|lot| lot.withdrawable)))
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

/// A payment that succeeded behind the end: it goes back to where it came from.
pub(super) fn sent_back(
    state: &WalletState,
    settled: &Event,
    _context: &Context<'_>,
) -> Option<Event> {
    let top_up = settled
        .top_up
        .as_deref()
        .filter(|_| is_late(state, settled))?;
    let payment = SourcePayment {
        top_up_id: settled.top_up_id?,
        payment_id: top_up.payment_id.clone(),
    };
    let made = settled
        .lots
        .iter()
        .find_map(|lot| state.lot(&lot.draw_key()));
    let lots = made.into_iter().filter(|lot| lot.withdrawable);
    some(all_of(to_payment(payment, PayoutWay::Original), lots))
}

/// What the provider gave with it.
pub(super) fn gift_forfeited(
    state: &WalletState,
    settled: &Event,
    _context: &Context<'_>,
) -> Option<Event> {
    is_late(state, settled).then(|| forfeited(state)).flatten()
}

fn is_late(state: &WalletState, settled: &Event) -> bool {
    state.status == WalletStatus::Closed
        && settled.kind == EntryKind::Credit
        && settled.top_up.is_some()
}
