//! What follows from a row by itself: a further row of the same commit (A2, R26).
//!
//! Each rule is asked once for each row of a command or of what was due, in this order: what a settled payment
//! brings besides, where value goes if the wallet is closed, what a dispute takes of a refund that failed, what open
//! disputes reserve of value that was set free, then auto-recharge, which sees all of it. Rows that follow are asked for
//! nothing themselves, so it ends.

use super::{Context, close, dispute, recharge, settle_top_up, with_thresholds};
use crate::entry::Event;
use crate::wallet::WalletState;

/// A rule that says what follows from a row.
type Rule = fn(&WalletState, &Event, &Context<'_>) -> Option<Event>;

/// The rules, in order.
pub const RULES: [FollowRule; 7] = [
    FollowRule::once(settle_top_up::discount),
    FollowRule::once(close::sent_back),
    FollowRule::once(close::rest_paid_out),
    FollowRule::once(close::gift_forfeited),
    FollowRule::once(dispute::retake),
    RESERVE,
    FollowRule::once(recharge::evaluate),
];

/// A row may set free value of several payments.
const RESERVE: FollowRule = FollowRule {
    rule: dispute::reserve_freed,
    goes_on: true,
};

/// What is asked for the row that follows from another.
#[derive(Clone, Copy, Debug)]
pub struct FollowRule {
    rule: Rule,
    goes_on: bool,
}

impl FollowRule {
    const fn once(rule: Rule) -> Self {
        Self {
            rule,
            goes_on: false,
        }
    }

    /// Whether it is to be asked again behind each row that it gave, until it gives none.
    pub const fn goes_on(self) -> bool {
        self.goes_on
    }
}

/// Whether anything can follow from `row`: asked for each row, answered at once for nearly all.
pub fn may_follow(state: &WalletState, row: &Event) -> bool {
    row.top_up.is_some()
        || row.payback.is_some()
        || state.recharge.is_some()
        || !state.disputed.is_empty()
}

/// The row that follows from `row` by `rule`, to be booked before the next rule is asked. `state` stands behind
/// `row` and all that followed it so far.
pub fn follow(
    rule: FollowRule,
    state: &WalletState,
    row: &Event,
    context: &Context<'_>,
) -> Option<Event> {
    let event = (rule.rule)(state, row, context)?;
    Some(with_thresholds(state, event, context).described(state.language))
}
