//! Auto-recharge: set, resumed, paused, and fired by what another command did (R18–R23).

use super::open_top_up::first_status;
use super::{Context, require_in_range, require_status};
use crate::amount::Amount;
use crate::command::SetRecharge;
use crate::entry::{EntryKind, Event, Note};
use crate::id::TopUpId;
use crate::reason::Reason;
use crate::recharge::{
    Charge, NoCharge, PauseReason, Recharge, RechargeState, Refill, SettingsError, Skip, Standing,
};
use crate::rejection::{RechargeBrief, Rejection};
use crate::time::Timestamp;
use crate::top_up::{Channel, TopUp};
use crate::wallet::{WalletState, WalletStatus};

const NOT_CLOSED: [WalletStatus; 3] = [
    WalletStatus::PendingActivation,
    WalletStatus::Active,
    WalletStatus::Frozen,
];

pub(super) fn set(
    state: &WalletState,
    set: &SetRecharge,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    require_status(state, &NOT_CLOSED)?;
    if set.is_enabled && !set.has_method {
        return Err(Rejection::PaymentMethodRequired);
    }
    let limits = &context.policies.of(state.currency).top_up_limits;
    require_in_range(set.settings.threshold)?;
    match set.settings.refill {
        Refill::Fixed(amount) => require_in_range(amount)?,
        Refill::UpTo(target) => require_in_range(target)?,
    }
    let checked = set.settings.check(limits, state.currency);
    checked.map_err(|error| match error {
        SettingsError::AmountOutOfRange => Rejection::AmountOutOfRange {
            minimum: Some(limits.minimum),
            maximum: limits.maximum,
        },
        SettingsError::NotWholeMinorUnits => Rejection::NotWholeMinorUnits,
        SettingsError::TargetBelowThreshold => Rejection::TargetBelowThreshold,
    })?;
    let known = state.recharge.as_deref().cloned();
    let before = known.unwrap_or_else(|| Recharge::new(set.is_enabled, set.settings));
    let same_cap = before.settings.monthly_cap == set.settings.monthly_cap;
    Ok(changed(Recharge {
        is_enabled: set.is_enabled,
        settings: set.settings,
        method: set.method,
        backups: set.backups.clone(),
        warned_percent: if same_cap { before.warned_percent } else { 0 },
        ..before.rearmed()
    }))
}

pub(super) fn resume(state: &WalletState) -> Result<Event, Rejection> {
    let recharge = require_enabled(state)?;
    if recharge.state == RechargeState::Armed {
        return Err(Rejection::Conflict("auto-recharge is not paused"));
    }
    Ok(changed(recharge.clone().rearmed()))
}

pub(super) fn pause(state: &WalletState, reason: PauseReason) -> Result<Event, Rejection> {
    let recharge = require_enabled(state)?;
    if matches!(recharge.state, RechargeState::Paused(_)) {
        return Err(Rejection::Conflict("auto-recharge is paused already"));
    }
    Ok(changed(Recharge {
        state: RechargeState::Paused(reason),
        ..recharge.clone()
    }))
}

/// Auto-recharge behind money that went back (R21); none where it is off or paused already.
pub(super) fn paused(state: &WalletState) -> Option<Recharge> {
    let recharge = state.recharge.as_deref()?;
    let is_on = recharge.is_enabled && !matches!(recharge.state, RechargeState::Paused(_));
    is_on.then(|| Recharge {
        state: RechargeState::Paused(PauseReason::MoneyWentBack),
        ..recharge.clone()
    })
}

/// The back-off is over: armed again, with its failures remembered.
pub(super) fn cooled_down(state: &WalletState, at: Timestamp) -> Event {
    let recharge = state
        .recharge
        .as_deref()
        .expect("a back-off that ends is of a recharge");
    Event {
        effective_at: Some(at.max(state.last_effective_at)),
        ..changed(Recharge {
            state: RechargeState::Armed,
            ..recharge.clone()
        })
    }
}

/// The charge that is due behind a row, or the limit that holds it back, told once.
pub(super) fn evaluate(state: &WalletState, row: &Event, context: &Context<'_>) -> Option<Event> {
    if !may_fire(row) {
        return None;
    }
    let policy = context.policies.of(state.currency);
    let month = context.policies.month(context.now);
    match state.recharge_due(&policy.top_up_limits, month, context.now)? {
        Ok(amount) => Some(fire(state, amount, context)),
        Err(reason) => {
            let skip = Skip::of(reason)?;
            let recharge = state.recharge.as_deref()?;
            (recharge.skipped != Some(skip)).then(|| {
                changed(Recharge {
                    skipped: Some(skip),
                    ..recharge.clone()
                })
            })
        }
    }
}

/// Says with a want of funds why auto-recharge has not helped.
pub(super) fn explained(
    state: &WalletState,
    rejection: Rejection,
    context: &Context<'_>,
) -> Rejection {
    let Rejection::InsufficientFunds {
        required,
        available,
        next_release_at,
        recharge: _,
    } = rejection
    else {
        return rejection;
    };
    let limits = &context.policies.of(state.currency).top_up_limits;
    let month = context.policies.month(context.now);
    let due = state.recharge_due(limits, month, context.now);
    Rejection::InsufficientFunds {
        required,
        available,
        next_release_at,
        recharge: RechargeBrief {
            is_enabled: due.is_some(),
            standing: Standing::of(state.recharge.as_deref()),
            reason: due.and_then(Result::err).map(NoCharge::name),
        },
    }
}

/// Rows that lower what is there, and those that change whether it may fire (R21).
fn may_fire(row: &Event) -> bool {
    let spent = row.amount - row.held_change();
    spent.is_negative()
        || row.recharge.is_some()
        || matches!(
            row.kind,
            EntryKind::Unfrozen | EntryKind::TopUpEnded | EntryKind::TopUpAdvanced
        )
        || (row.kind == EntryKind::Credit && row.top_up.is_some())
}

fn fire(state: &WalletState, amount: Amount, context: &Context<'_>) -> Event {
    let recharge = state.recharge.as_deref().expect("what fires was set");
    let id = TopUpId::from_number((context.next_id)());
    let charge = Charge {
        top_up_id: id,
        amount,
        month: context.policies.month(context.now),
    };
    let top_up = TopUp {
        amount,
        reason: Reason::AutoRecharge,
        channel: Channel::Saved,
        method: recharge.method,
        backups: recharge.backups.clone(),
        status: first_status(Channel::Saved),
        opened_at: context.now,
        charged: Amount::ZERO,
        payment_id: None,
        failure: None,
    };
    Event {
        top_up_id: Some(id),
        top_up: Some(Box::new(top_up)),
        recharge: Some(Box::new(recharge.clone().charging(charge))),
        ..Event::new(EntryKind::TopUpOpened, Note::default())
    }
}

fn require_enabled(state: &WalletState) -> Result<&Recharge, Rejection> {
    require_status(state, &NOT_CLOSED)?;
    state
        .recharge
        .as_deref()
        .filter(|recharge| recharge.is_enabled)
        .ok_or(Rejection::Conflict("auto-recharge is off"))
}

pub(super) fn changed(recharge: Recharge) -> Event {
    Event {
        recharge: Some(Box::new(recharge)),
        ..Event::new(EntryKind::RechargeChanged, Note::default())
    }
}
