//! Random steps: small amounts and short times, so that debt, expiry and holds often meet. Amounts are in halves of a
//! cent, so that what goes back to cards, in whole cents, comes out even and odd.

use super::DAY;
use crate::command::AfterCapture;
use proptest::prelude::*;
use proptest::sample::Index;

/// A step; holds and debits are picked among the last few that there were, ended ones too.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Credit {
        funding: usize,
        amount: i64,
        priority: u8,
        expires_in: Option<i64>,
    },
    Debit(i64),
    Force(i64, Option<i64>),
    Limit(i64),
    Adjust(i64),
    Refund {
        debit: Index,
        amount: Option<i64>,
        grace_days: i64,
    },
    Withdraw(i64),
    VoidLot(Index),
    ChangeLot(Index, Option<i64>),
    Hold(i64, i64),
    Capture {
        hold: Index,
        amount: Option<i64>,
        after: AfterCapture,
    },
    UseHold(Index, i64),
    Release(Index),
    Extend(Index, i64),
    TopUp {
        charged: i64,
        given: i64,
    },
    RefundCard(Index, Option<i64>),
    EndPayout(Index, bool),
    Dispute {
        payment: Index,
        name: usize,
        status: usize,
        amount: i64,
    },
    Freeze,
    Unfreeze,
    Wait(i64),
}

/// Lots, holds and waits live in tens of seconds, so that each often falls within another.
fn seconds() -> impl Strategy<Value = i64> {
    prop_oneof![20 => (1..6_i64).prop_map(|tens| tens * 10), 1 => Just(DAY), 1 => Just(31 * DAY)]
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let halves = |halves: i64| halves * 5_000;
    let amount = || (1..40_i64).prop_map(halves);
    let part = || proptest::option::weighted(0.7, (1..25_i64).prop_map(halves));
    let credit = (
        0..5_usize,
        amount(),
        prop_oneof![Just(50), Just(50), 0..=100_u8],
        proptest::option::of(seconds()),
    );
    let credit = credit.prop_map(|(funding, amount, priority, expires_in)| Step::Credit {
        funding,
        amount,
        priority,
        expires_in,
    });
    let refund =
        (any::<Index>(), part(), 0..2_i64).prop_map(|(debit, amount, grace_days)| Step::Refund {
            debit,
            amount,
            grace_days,
        });
    let after = prop_oneof![Just(AfterCapture::End), Just(AfterCapture::StayOpen)];
    let capture = (
        any::<Index>(),
        proptest::option::weighted(0.7, (1..10_i64).prop_map(halves)),
        after,
    )
        .prop_map(|(hold, amount, after)| Step::Capture {
            hold,
            amount,
            after,
        });
    // Whole cents; the discount is none, or so many parts of the charge.
    let top_up = (1..20_i64, 0..5_i64).prop_map(move |(cents, given)| Step::TopUp {
        charged: halves(cents * 2),
        given: halves(cents * 2 * given / 4 / 2 * 2),
    });
    let dispute = (any::<Index>(), 0..2_usize, 0..3_usize, amount()).prop_map(
        |(payment, name, status, amount)| Step::Dispute {
            payment,
            name,
            status,
            amount,
        },
    );
    let step = prop_oneof![
        7 => credit,
        5 => amount().prop_map(Step::Debit),
        3 => ((1..90_i64).prop_map(halves), proptest::option::of((0..60_i64).prop_map(halves))).prop_map(|(amount, floor)| Step::Force(amount, floor)),
        2 => (0..80_i64).prop_map(halves).prop_map(Step::Limit),
        2 => prop_oneof![-20..0_i64, 1..20_i64].prop_map(halves).prop_map(Step::Adjust),
        6 => refund,
        3 => amount().prop_map(Step::Withdraw),
        1 => any::<Index>().prop_map(Step::VoidLot),
        2 => (any::<Index>(), proptest::option::of(seconds())).prop_map(|(lot, end)| Step::ChangeLot(lot, end)),
        5 => (amount(), seconds()).prop_map(|(amount, seconds)| Step::Hold(amount, seconds)),
        6 => capture,
        3 => (any::<Index>(), (1..15_i64).prop_map(halves)).prop_map(|(hold, amount)| Step::UseHold(hold, amount)),
        3 => any::<Index>().prop_map(Step::Release),
        1 => (any::<Index>(), seconds()).prop_map(|(hold, seconds)| Step::Extend(hold, seconds)),
        4 => top_up,
        5 => (any::<Index>(), part()).prop_map(|(payment, amount)| Step::RefundCard(payment, amount)),
        6 => (any::<Index>(), any::<bool>()).prop_map(|(payout, paid)| Step::EndPayout(payout, paid)),
        6 => dispute,
        1 => Just(Step::Freeze),
        3 => Just(Step::Unfreeze),
        4 => seconds().prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..80)
}
