//! A payment that waits, failed or was given up. What was begun by auto-recharge sets its back-off (R22).

use super::{Context, require_top_up};
use crate::command::{AdvanceTopUp, EndTopUp, TopUpEnd};
use crate::entry::{EntryKind, Event, Note};
use crate::id::TopUpId;
use crate::recharge::{FailureClass, Recharge, RechargeState, after_failure};
use crate::rejection::Rejection;
use crate::top_up::{TopUp, TopUpStatus};
use crate::wallet::WalletState;

pub(super) fn advance(state: &WalletState, advance: &AdvanceTopUp) -> Result<Event, Rejection> {
    let id = advance.top_up_id;
    let top_up = require_top_up(state, id, advance.record.as_deref(), advance.to)?;
    if !advance.to.is_open() {
        return Err(Rejection::TopUpNotOpen(top_up.status));
    }
    let top_up = TopUp {
        status: advance.to,
        payment_id: advance
            .payment_id
            .clone()
            .or_else(|| top_up.payment_id.clone()),
        ..top_up.clone()
    };
    Ok(Event {
        top_up_id: Some(id),
        top_up: Some(Box::new(top_up)),
        ..Event::new(EntryKind::TopUpAdvanced, Note::default())
    })
}

pub(super) fn decide(
    state: &WalletState,
    end: &EndTopUp,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let id = end.top_up_id;
    let (status, failure, class) = match &end.end {
        TopUpEnd::Failed { code, class } => (TopUpStatus::Failed, Some(code.clone()), *class),
        TopUpEnd::Canceled => (TopUpStatus::Canceled, None, FailureClass::Soft),
    };
    let top_up = require_top_up(state, id, end.record.as_deref(), status)?;
    let top_up = TopUp {
        status,
        failure,
        payment_id: end.payment_id.clone().or_else(|| top_up.payment_id.clone()),
        ..top_up.clone()
    };
    Ok(Event {
        top_up_id: Some(id),
        top_up: Some(Box::new(top_up)),
        recharge: failed_charge(state, id, class, context).map(Box::new),
        ..Event::new(EntryKind::TopUpEnded, Note::default())
    })
}

/// Auto-recharge behind its own failed charge; none where the charge was not its own.
fn failed_charge(
    state: &WalletState,
    id: TopUpId,
    class: FailureClass,
    context: &Context<'_>,
) -> Option<Recharge> {
    let recharge = state.recharge.as_deref()?;
    recharge.charge.filter(|charge| charge.top_up_id == id)?;
    let (standing, failures) = after_failure(recharge.failures, class, context.now);
    // Who paused it while the charge was under way did not mean to be asked again in an hour.
    let state = match recharge.state {
        paused @ RechargeState::Paused(_) => paused,
        RechargeState::Armed | RechargeState::CoolingDown { until: _ } => standing,
    };
    Some(Recharge {
        state,
        failures,
        ..recharge.clone().uncharged()
    })
}
