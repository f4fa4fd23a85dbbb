//! Withdrawal: value that may be paid out, paid out by the merchant. It draws withdrawable lots only, the newest payment
//! first, and never on overdraft or held value (R8). Auto-recharge would bring back what was just taken out: it is
//! paused (R21).

use super::{require_active, require_in_range};
use crate::amount::Amount;
use crate::command::Withdraw;
use crate::draw::draw_from;
use crate::entry::{Destination, EntryKind, Event, PayoutWay};
use crate::lot::Lot;
use crate::reason::Reason;
use crate::recharge::{PauseReason, Recharge, RechargeState};
use crate::rejection::Rejection;
use crate::wallet::WalletState;

pub(super) fn decide(state: &WalletState, withdraw: &Withdraw) -> Result<Event, Rejection> {
    require_active(state)?;
    require_in_range(withdraw.amount)?;
    let withdrawable = state.withdrawable();
    if withdraw.amount > withdrawable {
        return Err(Rejection::NotWithdrawable { withdrawable });
    }
    let mut lots: Vec<&Lot> = state.lots().filter(|lot| lot.withdrawable).collect();
    lots.sort_unstable_by_key(|lot| std::cmp::Reverse((lot.created_at, lot.id)));
    let (parts, missing) = draw_from(lots.into_iter(), withdraw.amount);
    assert!(
        missing.is_zero(),
        "what may be paid out is never more than the unheld value of such lots"
    );
    Ok(Event {
        reason: Some(Reason::Withdrawal),
        amount: -withdraw.amount,
        parts,
        recharge: paused(state).map(Box::new),
        destination: Some(Destination {
            way: PayoutWay::Manual,
            payment_id: None,
        }),
        ..Event::new(EntryKind::Withdrawn, withdraw.note.clone())
    })
}

/// Auto-recharge behind money that went back, where that changes it.
pub(super) fn paused(state: &WalletState) -> Option<Recharge> {
    let recharge = state.recharge.as_deref()?;
    let is_watching = recharge.is_enabled && !matches!(recharge.state, RechargeState::Paused(_));
    is_watching.then(|| Recharge {
        state: RechargeState::Paused(PauseReason::MoneyWentBack),
        ..recharge.clone()
    })
}

/// All that `lots` have unheld, taken by one row.
pub(super) fn all_of<'a>(event: Event, lots: impl Iterator<Item = &'a Lot>) -> Event {
    let (parts, _) = draw_from(lots, Amount::MAX_BALANCE);
    Event {
        amount: parts.iter().map(|part| part.amount).sum(),
        parts,
        ..event
    }
}
