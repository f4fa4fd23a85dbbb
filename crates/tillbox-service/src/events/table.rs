//! Which events a row of the log is: one table, pure, without a default.
//!
//! What depends on the row alone is said by its kind ([`of_kind`]); what it changed of the wallet is seen by comparing
//! with how that stood before: its status, auto-recharge, alerts. A row has each type at most once.

use super::EventType;
use tillbox_core::alerts::Alerts;
use tillbox_core::amount::Amount;
use tillbox_core::entry::{Entry, EntryKind, Event};
use tillbox_core::payback::{Dispute, DisputeStatus, Payback, PayoutStatus};
use tillbox_core::reason::Reason;
use tillbox_core::recharge::{Recharge, RechargeState};
use tillbox_core::top_up::{TopUp, TopUpStatus};
use tillbox_core::wallet::{WalletState, WalletStatus};

/// What a row changed of what was there before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Thresholds below which the balance fell, rising; zero where it fell to zero or below.
    pub(super) low: Vec<Amount>,
    /// Thresholds that the balance passed upwards, rising.
    pub(super) recovered: Vec<Amount>,
    /// The share of the month's cap that auto-recharge has used and was not told of before.
    pub(super) cap_percent: Option<u8>,
}

/// The events of a row, in their order, and what they tell besides the row.
pub(super) fn of_row(before: &WalletState, row: &Entry) -> (Vec<EventType>, Changes) {
    let event = &row.event;
    let mut types = Vec::with_capacity(4);
    if event.moves_money() {
        types.push(EventType::TransactionCreated);
    }
    types.extend(of_kind(event));
    types.extend(
        event
            .reason
            .and_then(of_reason)
            .filter(|_| !is_told_later(event)),
    );
    types.extend(of_status(before.status, event.status));
    let changes = Changes {
        cap_percent: cap_percent(before.recharge.as_deref(), event.recharge.as_deref()),
        ..crossed(before, event)
    };
    if let Some(recharge) = event.recharge.as_deref() {
        types.extend(of_recharge(before.recharge.as_deref(), recharge));
    }
    types.extend(failed_charge(event));
    if event.kind == EntryKind::RechargeChanged && types.is_empty() {
        // Saved as it was.
        types.push(EventType::WalletUpdated);
    }
    let told = [
        (!changes.low.is_empty(), EventType::WalletBalanceLow),
        (
            !changes.recovered.is_empty(),
            EventType::WalletBalanceRecovered,
        ),
        (
            changes.cap_percent.is_some(),
            EventType::AutoRechargeCapReached,
        ),
    ];
    types.extend(
        told.into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, event_type)| event_type),
    );
    types.sort_unstable_by_key(|event_type| event_type.place());
    types.dedup();
    (types, changes)
}

/// The kinds of rows that may have an event of that type; empty for what is no row of the log.
pub(super) fn kinds_of(event_type: EventType) -> Vec<EntryKind> {
    let all = EntryKind::ALL.iter().copied();
    all.filter(|kind| may_tell(event_type, *kind)).collect()
}

/// What the kind alone says.
fn of_kind(event: &Event) -> Option<EventType> {
    match event.kind {
        EntryKind::HoldPlaced => Some(EventType::HoldCreated),
        EntryKind::HoldCaptured => Some(EventType::HoldCaptured),
        // From a hold: the status of the hold tells whether it ends it (R14, R16).
        EntryKind::Usage => event.hold.map(|_| EventType::HoldCaptured),
        EntryKind::HoldReleased => Some(EventType::HoldReleased),
        EntryKind::HoldExpired => Some(EventType::HoldExpired),
        EntryKind::LotExpired => Some(EventType::LotExpired),
        EntryKind::Credit
        | EntryKind::TopUpOpened
        | EntryKind::TopUpAdvanced
        | EntryKind::TopUpEnded => event
            .top_up
            .as_deref()
            .map(|top_up| of_top_up(top_up.status)),
        EntryKind::PayoutEnded => event
            .payback
            .as_deref()
            .and_then(|payback| of_payout(payback.payout.as_ref()?.status)),
        EntryKind::DisputeChanged => {
            // One that no dispute has moved reserves more for those that are open.
            let moved = event.payback.as_deref().and_then(of_dispute);
            Some(moved.unwrap_or(EventType::WalletUpdated))
        }
        EntryKind::ChargedBack | EntryKind::Reversed => {
            event.payback.as_deref().and_then(of_dispute)
        }
        // What has no type of its own: another end of a hold or a lot, another limit, other thresholds.
        EntryKind::HoldExtended
        | EntryKind::LotChanged
        | EntryKind::PolicyChanged
        | EntryKind::AlertsChanged => Some(EventType::WalletUpdated),
        EntryKind::Debit
        | EntryKind::Adjustment
        | EntryKind::Refund
        | EntryKind::TopUpRefunded
        | EntryKind::Frozen
        | EntryKind::Unfrozen
        | EntryKind::Activated
        | EntryKind::LotVoided
        | EntryKind::Withdrawn
        | EntryKind::Forfeited
        | EntryKind::Closed
        | EntryKind::RechargeChanged => None,
    }
}

/// A top-up whose outcome is not known is pending, whether a page or the provider has it; its status tells which.
fn of_top_up(status: TopUpStatus) -> EventType {
    match status {
        TopUpStatus::Pending | TopUpStatus::Processing => EventType::TopUpPending,
        TopUpStatus::RequiresAction => EventType::TopUpRequiresAction,
        TopUpStatus::Succeeded => EventType::TopUpSucceeded,
        TopUpStatus::Failed => EventType::TopUpFailed,
        TopUpStatus::Canceled => EventType::TopUpCanceled,
    }
}

/// A payout that failed is told by the transaction that gives its value back; one that a person has to pay has no type of
/// its own.
fn of_payout(status: PayoutStatus) -> Option<EventType> {
    match status {
        PayoutStatus::Succeeded => Some(EventType::TopUpRefunded),
        PayoutStatus::Manual => Some(EventType::WalletUpdated),
        PayoutStatus::Pending | PayoutStatus::Failed => None,
    }
}

/// The dispute that the row has moved.
pub(super) fn moved_dispute(payback: &Payback) -> Option<&Dispute> {
    let moved = payback.moved?;
    payback.disputes.iter().find(|dispute| dispute.id == moved)
}

fn of_dispute(payback: &Payback) -> Option<EventType> {
    Some(match moved_dispute(payback)?.status {
        DisputeStatus::Open => EventType::DisputeOpened,
        DisputeStatus::Lost => EventType::DisputeLost,
        DisputeStatus::Won => EventType::DisputeWon,
    })
}

/// What the reason says of the wallet (R47).
fn of_reason(reason: Reason) -> Option<EventType> {
    match reason {
        Reason::Usage
        | Reason::Overage
        | Reason::Purchase
        | Reason::Subscription
        | Reason::RecurringCharge
        | Reason::InvoicePayment => Some(EventType::WalletPaymentMade),
        Reason::TopUp
        | Reason::AutoRecharge
        | Reason::Activation
        | Reason::Promotional
        | Reason::Bonus
        | Reason::CodeRedemption => Some(EventType::WalletToppedUp),
        Reason::Refund
        | Reason::ManualAdjustment
        | Reason::Withdrawal
        | Reason::Expiry
        | Reason::Forfeiture
        | Reason::Chargeback
        | Reason::Reversal => None,
    }
}

/// Whether the bonus behind a top-up tells of both, in one event (R47).
fn is_told_later(event: &Event) -> bool {
    event.top_up.as_deref().is_some_and(TopUp::has_bonus)
}

/// Whether a row is the bonus of the row before it.
pub(super) fn is_bonus(event: &Event) -> bool {
    event.reason == Some(Reason::Bonus) && event.top_up_id.is_some()
}

fn of_status(before: WalletStatus, after: Option<WalletStatus>) -> Option<EventType> {
    match after? {
        after if after == before => None,
        WalletStatus::Active if before == WalletStatus::PendingActivation => {
            Some(EventType::WalletActivated)
        }
        WalletStatus::Active => Some(EventType::WalletUnfrozen),
        WalletStatus::Frozen => Some(EventType::WalletFrozen),
        WalletStatus::Closed => Some(EventType::WalletClosed),
        WalletStatus::PendingActivation => Some(EventType::WalletUpdated),
    }
}

/// What became of auto-recharge. Settings have no type of their own.
fn of_recharge(before: Option<&Recharge>, after: &Recharge) -> Vec<EventType> {
    let was_on = before.is_some_and(|before| before.is_enabled);
    let is_paused = |recharge: &Recharge| matches!(recharge.state, RechargeState::Paused(_));
    let is_armed = |recharge: &Recharge| recharge.state == RechargeState::Armed;
    let is_new = |charge| before.is_none_or(|before| before.charge != Some(charge));
    let skipped_before = before.and_then(|before| before.skipped);
    let is_saved = before.is_none_or(|before| {
        (
            before.is_enabled,
            before.settings,
            before.method,
            &before.backups,
        ) != (
            after.is_enabled,
            after.settings,
            after.method,
            &after.backups,
        )
    });
    let told = [
        (is_saved, EventType::WalletUpdated),
        (
            after.charge.is_some_and(is_new),
            EventType::AutoRechargeTriggered,
        ),
        (
            after.skipped.is_some() && after.skipped != skipped_before,
            EventType::AutoRechargeSkipped,
        ),
        (
            is_paused(after) && before.is_none_or(|before| !is_paused(before)),
            EventType::AutoRechargePaused,
        ),
        (
            was_on
                && after.is_enabled
                && is_armed(after)
                && before.is_some_and(|before| !is_armed(before)),
            EventType::AutoRechargeResumed,
        ),
    ];
    told.into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, event_type)| event_type)
        .collect()
}

/// A charge that auto-recharge had begun and that failed.
fn failed_charge(event: &Event) -> Option<EventType> {
    let top_up = event.top_up.as_deref()?;
    (top_up.status == TopUpStatus::Failed && top_up.reason == Reason::AutoRecharge)
        .then_some(EventType::WalletAutoTopUpFailed)
}

fn cap_percent(before: Option<&Recharge>, after: Option<&Recharge>) -> Option<u8> {
    let after = after?;
    let warned = before.filter(|before| before.month == after.month);
    let warned = warned.map_or(0, |before| before.warned_percent);
    (after.warned_percent > warned).then_some(after.warned_percent)
}

/// The thresholds that the balance without what is held has crossed. A new wallet that gets its first money has
/// recovered from nothing.
fn crossed(before: &WalletState, event: &Event) -> Changes {
    let alerts: &Alerts = &before.alerts.changed(event.alerts.as_ref());
    let value = before.balance - before.held;
    let after = value + event.amount - event.held_change();
    let recovered = if before.seq > 0 {
        alerts.recovered(value, after)
    } else {
        Vec::new()
    };
    Changes {
        low: alerts.fired(value, after),
        recovered,
        cap_percent: None,
    }
}

fn may_tell(event_type: EventType, kind: EntryKind) -> bool {
    use EntryKind::{
        Adjustment, AlertsChanged, ChargedBack, Closed, Credit, Debit, DisputeChanged, Forfeited,
        Frozen, HoldCaptured, HoldExpired, HoldExtended, HoldPlaced, HoldReleased, LotChanged,
        LotExpired, LotVoided, PayoutEnded, PolicyChanged, RechargeChanged, Refund, Reversed,
        TopUpAdvanced, TopUpEnded, TopUpOpened, TopUpRefunded, Unfrozen, Usage, Withdrawn,
    };
    let moves_money = matches!(
        kind,
        Credit
            | Debit
            | Adjustment
            | Refund
            | Usage
            | HoldCaptured
            | LotExpired
            | LotVoided
            | Withdrawn
            | Forfeited
            | TopUpRefunded
            | ChargedBack
            | Reversed
    );
    match event_type {
        EventType::TransactionCreated => moves_money,
        EventType::HoldCreated => kind == HoldPlaced,
        EventType::HoldCaptured => matches!(kind, HoldCaptured | Usage),
        EventType::HoldReleased => kind == HoldReleased,
        EventType::HoldExpired => kind == HoldExpired,
        EventType::LotExpired => kind == LotExpired,
        EventType::TopUpPending | EventType::TopUpRequiresAction => {
            matches!(kind, TopUpOpened | TopUpAdvanced)
        }
        EventType::TopUpSucceeded | EventType::WalletToppedUp | EventType::WalletActivated => {
            kind == Credit
        }
        EventType::TopUpFailed | EventType::TopUpCanceled | EventType::WalletAutoTopUpFailed => {
            kind == TopUpEnded
        }
        EventType::TopUpRefunded => kind == PayoutEnded,
        EventType::DisputeOpened => kind == DisputeChanged,
        EventType::DisputeLost => matches!(kind, DisputeChanged | ChargedBack),
        EventType::DisputeWon => matches!(kind, DisputeChanged | Reversed),
        EventType::WalletPaymentMade => matches!(kind, Debit | Usage | HoldCaptured),
        EventType::WalletFrozen => matches!(kind, Frozen | DisputeChanged),
        EventType::WalletUnfrozen => kind == Unfrozen,
        EventType::WalletUpdated => {
            matches!(
                kind,
                HoldExtended
                    | DisputeChanged
                    | LotChanged
                    | PolicyChanged
                    | PayoutEnded
                    | AlertsChanged
                    | RechargeChanged
            )
        }
        EventType::WalletBalanceLow | EventType::WalletBalanceRecovered => {
            let reserves = [HoldPlaced, HoldReleased, HoldExpired, DisputeChanged];
            moves_money || reserves.contains(&kind)
        }
        EventType::AutoRechargeTriggered | EventType::AutoRechargeCapReached => kind == TopUpOpened,
        EventType::AutoRechargeSkipped => kind == RechargeChanged,
        EventType::AutoRechargePaused => matches!(
            kind,
            RechargeChanged | TopUpEnded | TopUpRefunded | Withdrawn | DisputeChanged | ChargedBack
        ),
        EventType::AutoRechargeResumed => matches!(kind, RechargeChanged | Credit),
        EventType::WalletClosed => kind == Closed,
        EventType::LotExpiring
        | EventType::WalletCreated
        | EventType::PaymentMethodAttached
        | EventType::PaymentMethodDetached => false,
    }
}
