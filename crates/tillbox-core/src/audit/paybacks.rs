//! Following what goes back of payments through a wallet's rows: refunds to cards, and disputes.

use super::replay::Broken;
use crate::amount::Amount;
use crate::entry::{Entry, EntryKind};
use crate::id::{EntryId, TopUpId};
use crate::payback::{Dispute, Payback, Payout, PayoutStatus};
use crate::top_up::TopUp;
use std::collections::BTreeMap;

pub(super) const WITHIN: &str = "what goes back of a payment is never more than was credited";
pub(super) const AS_MOVED: &str = "what goes back of a payment is what its rows moved";
pub(super) const PAYOUTS: &str = "a payout is opened by the debit that pays for it, and ends once";
pub(super) const GIVEN: &str = "what of a row is of what was given is what its sums say";
pub(super) const DISPUTES: &str = "a dispute goes forward";

/// All that ever went back of payments.
#[derive(Clone, Debug, Default)]
pub(super) struct Paybacks {
    pub(super) all: BTreeMap<TopUpId, Payback>,
    pub(super) payouts: BTreeMap<EntryId, (TopUpId, Payout)>,
}

fn broken<T>(invariant: &'static str, detail: impl std::fmt::Display) -> Result<T, Broken> {
    Err(Broken {
        invariant,
        detail: detail.to_string(),
    })
}

fn wide(amount: Amount) -> i128 {
    i128::from(amount.micros())
}

/// By how much the sums of a payment have grown.
struct Grown {
    refunded: i128,
    clawed: i128,
    charged_back: i128,
    given_charged_back: i128,
}

fn grown(before: Option<&Payback>, after: &Payback) -> Grown {
    let was = |sum: fn(&Payback) -> Amount| wide(before.map_or(Amount::ZERO, sum));
    let by = |sum: fn(&Payback) -> Amount| wide(sum(after)).saturating_sub(was(sum));
    Grown {
        refunded: by(|payback| payback.refunded),
        clawed: by(|payback| payback.clawed),
        charged_back: by(|payback| payback.charged_back),
        given_charged_back: by(|payback| payback.given_charged_back),
    }
}

impl Paybacks {
    /// Takes a row; `top_ups` stand behind it.
    pub(super) fn follow(
        &mut self,
        entry: &Entry,
        top_ups: &BTreeMap<TopUpId, (TopUp, Option<EntryId>)>,
    ) -> Result<(), Broken> {
        let event = &entry.event;
        let is_of_payback = matches!(
            event.kind,
            EntryKind::TopUpRefunded
                | EntryKind::PayoutEnded
                | EntryKind::Reversed
                | EntryKind::DisputeChanged
                | EntryKind::ChargedBack
        );
        let (id, payback) = match (event.top_up_id, event.payback.as_deref()) {
            (Some(id), Some(payback)) => (id, payback),
            (None, Some(_)) => return broken(AS_MOVED, "it is of no payment"),
            (_, None) if is_of_payback => return broken(AS_MOVED, "it does not say of which"),
            (_, None) => return Ok(()),
        };
        let before = self.all.insert(id, payback.standing());
        let checked = self.check(entry, id, before.as_ref(), payback, top_ups);
        if let Some(payout) = &payback.payout {
            self.payouts.insert(payout.debit_id, (id, payout.clone()));
        }
        checked
    }

    fn check(
        &self,
        entry: &Entry,
        id: TopUpId,
        before: Option<&Payback>,
        after: &Payback,
        top_ups: &BTreeMap<TopUpId, (TopUp, Option<EntryId>)>,
    ) -> Result<(), Broken> {
        let paid = top_ups.get(&id).is_some_and(|(top_up, credit)| {
            let given = top_up.amount.saturating_sub(top_up.charged);
            credit.map(EntryId::number) == Some(after.lot.number())
                && top_up.charged == after.charged
                && given == after.given
        });
        let sums = [after.refunded, after.clawed, after.charged_back];
        let gone: i128 = sums.into_iter().map(wide).fold(0, i128::saturating_add);
        let credited = wide(after.charged).saturating_add(wide(after.given));
        if !paid || gone > credited || sums.iter().any(|sum| sum.is_negative()) {
            return broken(WITHIN, format!("{gone} of {credited} of {id}"));
        }
        let left = after.chargebacks.iter().map(|one| wide(one.left));
        if left.fold(0, i128::saturating_add) != wide(after.charged_back) {
            return broken(AS_MOVED, format!("the chargebacks of {id}"));
        }
        check_disputes(before, after)?;
        self.check_moved(entry, id, before, after)
    }

    fn check_moved(
        &self,
        entry: &Entry,
        id: TopUpId,
        before: Option<&Payback>,
        after: &Payback,
    ) -> Result<(), Broken> {
        let event = &entry.event;
        let Grown {
            refunded,
            clawed,
            charged_back,
            given_charged_back,
        } = grown(before, after);
        let given = clawed.saturating_add(given_charged_back);
        let most = wide(after.given.min(after.charged_back));
        if !(0..=most).contains(&wide(after.given_charged_back))
            || given.abs() != wide(after.given_moved)
        {
            return broken(GIVEN, format!("{given} of {id}"));
        }
        let amount = wide(event.amount);
        let taken = refunded.saturating_add(clawed).saturating_add(charged_back);
        if taken.saturating_add(amount) != 0 {
            return broken(AS_MOVED, format!("{amount} moved {taken} of {id}"));
        }
        let known = |payout: &Payout| {
            let known = self.payouts.get(&payout.debit_id);
            known.filter(|(of, known)| {
                let same = known.amount == payout.amount && known.clawed == payout.clawed;
                *of == id && same && known.status.may_become(payout.status)
            })
        };
        let is_right = match (event.kind, &after.payout) {
            (EntryKind::TopUpRefunded, Some(payout)) => {
                let as_taken = wide(payout.amount) == refunded && wide(payout.clawed) == clawed;
                let is_new = payout.debit_id == entry.id && payout.status == PayoutStatus::Pending;
                as_taken && is_new && charged_back == 0 && refunded > 0
            }
            (EntryKind::PayoutEnded, Some(payout)) => {
                known(payout).is_some() && payout.status != PayoutStatus::Failed && amount == 0
            }
            (EntryKind::Reversed, Some(payout)) => {
                let as_taken = wide(payout.amount).saturating_add(refunded) == 0
                    && wide(payout.clawed).saturating_add(clawed) == 0;
                known(payout).is_some()
                    && payout.status == PayoutStatus::Failed
                    && event.refund_of == Some(payout.debit_id)
                    && as_taken
            }
            (EntryKind::Reversed, None) => charged_back < 0 && refunded == 0 && clawed == 0,
            (EntryKind::ChargedBack, None) => charged_back > 0 && refunded == 0 && clawed == 0,
            (EntryKind::DisputeChanged, None) => amount == 0 && refunded == 0 && clawed == 0,
            _ => false,
        };
        if is_right {
            Ok(())
        } else {
            broken(PAYOUTS, format!("version {}", entry.version))
        }
    }
}

fn check_disputes(before: Option<&Payback>, after: &Payback) -> Result<(), Broken> {
    let known = before.map_or(&[][..], |before| &before.disputes);
    let goes_on = |(known, now): (&Dispute, &Dispute)| {
        let same = known.id == now.id && known.amount == now.amount;
        same && (known.status == now.status || known.status.may_become(now.status))
    };
    let are_there = known.len() <= after.disputes.len();
    if are_there && known.iter().zip(&after.disputes).all(goes_on) {
        Ok(())
    } else {
        broken(DISPUTES, "one has gone back, or is gone")
    }
}
