//! What follows from a row by itself: a further row of the same commit (A2, R26).
//!
//! Each rule is asked once for each row of a command or of what was due, in this order: what a settled payment
//! brings besides, where value goes if the wallet is closed, what a dispute takes of a refund that failed, then
//! auto-recharge, which sees all of it. Rows that follow are asked for nothing themselves, so it ends.

use super::{Context, close, dispute, recharge, settle_top_up, with_thresholds};
use crate::entry::Event;
use crate::wallet::WalletState;

type Rule = fn(&WalletState, &Event, &Context<'_>) -> Option<Event>;

/// The rules, in order.
pub const RULES: [FollowRule; 6] = [
    FollowRule(settle_top_up::discount),
    FollowRule(close::sent_back),
    FollowRule(close::rest_paid_out),
    FollowRule(close::gift_forfeited),
    FollowRule(dispute::retake),
    FollowRule(recharge::evaluate),
];

/// A rule that says what follows from a row.
#[derive(Clone, Copy, Debug)]
pub struct FollowRule(Rule);

/// Whether anything can follow from `row`: asked for each row, answered at once for nearly all.
pub fn may_follow(state: &WalletState, row: &Event) -> bool {
    row.top_up.is_some() || row.payback.is_some() || state.recharge.is_some()
}

/// The row that follows from `row` by `rule`, to be booked before the next rule is asked. `state` stands behind
/// `row` and all that followed it so far.
pub fn follow(
    rule: FollowRule,
    state: &WalletState,
    row: &Event,
    context: &Context<'_>,
) -> Option<Event> {
    let FollowRule(rule) = rule;
    let event = rule(state, row, context)?;
    Some(with_thresholds(state, event, context).described(state.language))
}
