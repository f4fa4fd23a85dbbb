//! Decisions: `decide(&state, &command, context) -> Result<Event, Rejection>`, pure.
//!
//! Around each command its sender books what is due: [`due`] gives one event at a time (expired holds and
//! lots, in due order), to be sealed and applied before the command is decided, and once more behind it, as
//! value that a command frees may be past its date (R10). What follows from a row (a bonus, a recharge that is
//! due) is a further row behind it: [`Following`].

mod adjust;
mod capture_hold;
mod change_lot;
mod close;
mod credit;
mod debit;
mod dispute;
mod end_top_up;
mod expire;
mod extend_hold;
mod follow;
mod freeze;
mod open_top_up;
mod place_hold;
mod recharge;
mod refund;
mod refund_top_up;
mod release_hold;
mod set_alerts;
mod set_overdraft_limit;
mod settle_top_up;
mod usage;
mod void_lot;
mod withdraw;

#[cfg(test)]
mod tests;

pub use close::goes_on;
pub use dispute::reserve_freed;
pub use expire::due;
pub use follow::{Following, may_follow};
pub use refund_top_up::refundable;

use crate::alerts::{AlertsChange, Source};
use crate::amount::Amount;
use crate::command::Command;
use crate::entry::{Actor, Entry, Event, Stamp, seal};
use crate::id::{EntryId, LotId, TopUpId};
use crate::lot::Lot;
use crate::policy::Policies;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::top_up::{TopUp, TopUpStatus};
use crate::wallet::{WalletState, WalletStatus};

/// Open lots, and open holds, that a wallet may have (R49).
pub const MAX_OPEN: usize = 100_000;
/// Days that a hold may last from when it was placed (R15).
pub const MAX_HOLD_DAYS: i64 = 30;

/// What a decision gets from outside besides state and command.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The instant of the commit.
    pub now: Timestamp,
    /// The id that the row will carry.
    pub entry_id: EntryId,
    /// Gives further ids, each higher than the last.
    pub next_id: &'a dyn Fn() -> i64,
    /// What the merchant's settings say.
    pub policies: &'a Policies,
}

impl Context<'_> {
    fn next_lot_id(&self) -> LotId {
        LotId::from_number((self.next_id)())
    }
}

/// Decides one command. What is due must be booked before.
pub fn decide(
    state: &WalletState,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    let event = decide_undescribed(state, command, context)
        .map_err(|rejection| recharge::explained(state, rejection, context))?;
    Ok(with_thresholds(state, event, context).described(state.language))
}

/// The merchant's thresholds come into the log with the first row that finds them changed.
fn with_thresholds(state: &WalletState, event: Event, context: &Context<'_>) -> Event {
    let thresholds = &context.policies.of(state.currency).low_balance_thresholds;
    let alerts = &state.alerts;
    let is_known =
        alerts.source != Source::Merchant || alerts.amounts().eq(thresholds.iter().copied());
    if is_known || event.alerts.is_some() {
        return event;
    }
    Event {
        alerts: Some(AlertsChange {
            source: Source::Merchant,
            thresholds: thresholds.clone(),
        }),
        ..event
    }
}

fn decide_undescribed(
    state: &WalletState,
    command: &Command,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    match command {
        Command::Credit(credit) => credit::decide(state, credit, context),
        Command::Debit(debit) => debit::decide(state, debit),
        Command::Adjust(adjust) => adjust::decide(state, adjust, context),
        Command::Refund(refund) => refund::decide(state, refund, context),
        Command::ChangeLot(change) => change_lot::decide(state, change, context),
        Command::VoidLot(void) => void_lot::decide(state, void),
        Command::Withdraw(withdraw) => withdraw::decide(state, withdraw),
        Command::Close(close) => close::decide(state, close, context),
        Command::PlaceHold(hold) => place_hold::decide(state, hold, context),
        Command::CaptureHold(capture) => capture_hold::decide(state, capture, context),
        Command::ReleaseHold { hold_id } => release_hold::decide(state, *hold_id, context),
        Command::ExtendHold { hold_id, expiry } => {
            extend_hold::decide(state, *hold_id, *expiry, context)
        }
        Command::Usage(usage) => usage::decide(state, usage, context),
        Command::Freeze { note } => freeze::freeze(state, note),
        Command::Unfreeze => freeze::unfreeze(state),
        Command::Activate => freeze::activate(state),
        Command::SetOverdraftLimit(limit) => set_overdraft_limit::decide(state, *limit),
        Command::OpenTopUp(open) => open_top_up::decide(state, open, context),
        Command::AdvanceTopUp(advance) => end_top_up::advance(state, advance),
        Command::EndTopUp(end) => end_top_up::decide(state, end, context),
        Command::SettleTopUp(settle) => settle_top_up::decide(state, settle, context),
        Command::RefundTopUp(refund) => refund_top_up::decide(state, refund, context),
        Command::EndPayout(end) => refund_top_up::end(state, end, context),
        Command::LearnDispute(learn) => dispute::decide(state, learn, context),
        Command::SetRecharge(set) => recharge::set(state, set, context),
        Command::ResumeRecharge => recharge::resume(state),
        Command::PauseRecharge(reason) => recharge::pause(state, *reason),
        Command::SetAlerts(change) => set_alerts::decide(state, change),
        Command::BookDue => Err(Rejection::Conflict("nothing is left to book")),
    }
}

/// The state as it is once all that is due at `now` is booked. Nothing of it is kept: for reads and dry runs.
pub fn as_of(state: &WalletState, now: Timestamp) -> WalletState {
    as_of_following(state, now, |_before, _row| ())
}

/// The same; shows each row, with the state before it, to `follow`.
pub fn as_of_following(
    state: &WalletState,
    now: Timestamp,
    mut follow: impl FnMut(&WalletState, &Entry),
) -> WalletState {
    let mut state = state.clone();
    // Nothing of it is kept: its rows are numbered below all that there are.
    let mut number: i64 = 0;
    let mut book = |state: &mut WalletState, event: Event| {
        let stamp = Stamp {
            id: EntryId::from_number(number),
            at: now,
            actor: Actor::System,
            key: None,
            salt: [0; 16],
        };
        number = number.saturating_sub(1);
        let entry = seal(state, event, stamp);
        follow(state, &entry);
        state.apply_keeping_spent(&entry);
        (entry.event, EntryId::from_number(number))
    };
    while let Some(event) = due(&state, now) {
        let (row, mut next) = book(&mut state, event);
        while let Some(event) = reserve_freed(&state, &row, next, now) {
            next = book(&mut state, event).1;
        }
    }
    state.drop_spent();
    state
}

/// An amount of a caller's is at most 10¹² (R4): a limit, checked after the state.
fn require_in_range(amount: Amount) -> Result<(), Rejection> {
    if (-Amount::MAX_SINGLE..=Amount::MAX_SINGLE).contains(&amount) {
        return Ok(());
    }
    Err(Rejection::AmountOutOfRange {
        minimum: None,
        maximum: Some(Amount::MAX_SINGLE),
    })
}

/// Guards a command that spends: only an active wallet does (W2, R40).
fn require_active(state: &WalletState) -> Result<(), Rejection> {
    require_status(state, &[WalletStatus::Active])
}

/// The top-up, in the state or as the store remembers it, if it may become `next`.
fn require_top_up<'a>(
    state: &'a WalletState,
    id: TopUpId,
    record: Option<&'a TopUp>,
    next: TopUpStatus,
) -> Result<&'a TopUp, Rejection> {
    let top_up = state
        .top_up(id)
        .or(record)
        .ok_or(Rejection::TopUpNotFound)?;
    crate::seeded_bug!(SettledTwice: if next == TopUpStatus::Succeeded { return Ok(top_up); });
    crate::seeded_bug!(FailedAfterSettled: if next == TopUpStatus::Failed { return Ok(top_up); });
    if top_up.status.may_become(next) {
        Ok(top_up)
    } else {
        Err(Rejection::TopUpNotOpen(top_up.status))
    }
}

/// The open lot of that id.
fn require_lot(state: &WalletState, id: LotId) -> Result<&Lot, Rejection> {
    state.lot_of(id).ok_or(Rejection::LotUnknown(id))
}

fn require_status(state: &WalletState, allowed: &[WalletStatus]) -> Result<(), Rejection> {
    if allowed.contains(&state.status) {
        Ok(())
    } else {
        Err(Rejection::WalletNotActive(state.status))
    }
}
