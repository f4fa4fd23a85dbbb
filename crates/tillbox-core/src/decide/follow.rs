//! What follows from a row by itself: a further row of the same commit (A2, R26).
//!
//! Each rule is asked once for each row of a command or of what was due, in this order: what a settled payment
//! brings besides, where value goes if the wallet is closed, what a dispute takes of a refund that failed, what open
//! disputes reserve of value that was set free, then auto-recharge, which sees all of it. Rows that follow are asked for
//! nothing themselves, so it ends.

use super::{Context, close, dispute, recharge, settle_top_up, with_thresholds};
use crate::entry::Event;
use crate::wallet::WalletState;

/// Says what follows from a row.
type Rule = fn(&WalletState, &Event, &Context<'_>) -> Option<Event>;

/// The rules, in order, and whether each is asked again behind each row that it gave, until it gives none.
const RULES: [(Rule, bool); 7] = [
    (settle_top_up::discount, false),
    (close::sent_back, false),
    (close::rest_paid_out, false),
    (close::gift_forfeited, false),
    (dispute::retake, false),
    // A row may set free value of several payments.
    (dispute::freed_is_reserved, true),
    (recharge::evaluate, false),
];

/// Whether anything can follow from `row`: asked for each row, answered at once for nearly all.
pub fn may_follow(state: &WalletState, row: &Event) -> bool {
    row.top_up.is_some()
        || row.payback.is_some()
        || state.recharge.is_some()
        || !state.disputed.is_empty()
}

/// The rows that follow from a row, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Following {
    /// The rule that is asked next.
    place: usize,
}

impl Following {
    /// The next of them, to be booked before it is asked again; none where nothing follows any more. `state` stands
    /// behind all that was booked, the rows of before included.
    pub fn next(
        &mut self,
        state: &WalletState,
        row: &Event,
        context: &Context<'_>,
    ) -> Option<Event> {
        while let Some((rule, goes_on)) = RULES.get(self.place) {
            let event = rule(state, row, context);
            if event.is_none() || !goes_on {
                self.place = self.place.saturating_add(1);
            }
            if let Some(event) = event {
                return Some(with_thresholds(state, event, context).described(state.language));
            }
        }
        None
    }
}
