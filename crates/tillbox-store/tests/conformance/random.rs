//! Random commands, cut into random batches: after each, the store gives back what the core holds.

use crate::books::{Books, units};
use crate::commands::{advance, alerts, close, declined, expire_at, recharge, settle, top_up};
use crate::commands::{capture, credit, debit, expiring_credit, forced_debit, hold, refund};
use crate::commands::{void, withdraw};
use crate::stores::{Memory, Sqlite, TestStore};
use proptest::prelude::*;
use tillbox_core::amount::Amount;
use tillbox_core::command::{AfterCapture, Command};
use tillbox_core::entry::{EntryKind, PayoutWay};
use tillbox_core::id::{EntryId, HoldId, LotId, TopUpId};
use tillbox_core::lot::FundingType;
use tillbox_core::recharge::FailureClass;
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::{Channel, TopUpStatus};
use tillbox_store::sqlite::verify::verify;

/// A step; places name one of the holds or debits made so far.
#[derive(Clone, Debug)]
enum Step {
    Credit(i64, usize),
    ExpiringCredit(i64, i64),
    Debit(i64),
    Forced(i64),
    Withdraw(i64),
    Void(usize),
    Expire(usize, Option<i64>),
    Close(bool),
    Hold(i64, i64),
    Capture(usize, i64, bool),
    Release(usize),
    Refund(usize, i64),
    Wait(i64),
    Overdraft(i64),
    TopUp(i64, usize),
    Advance(usize, bool),
    Settle(usize, i64),
    Decline(usize, usize),
    Recharge(i64, i64),
    Alerts(i64),
    Commit,
    Reopen,
    Compare,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..40_i64, 0..5_usize).prop_map(|(amount, funding)| Step::Credit(amount, funding)),
        2 => (1..40_i64, 1..200_i64).prop_map(|(amount, life)| Step::ExpiringCredit(amount, life)),
        12 => (1..9_i64).prop_map(Step::Debit),
        2 => (1..60_i64).prop_map(Step::Forced),
        2 => (1..20_i64).prop_map(Step::Withdraw),
        1 => (0..6_usize).prop_map(Step::Void),
        3 => (0..6_usize, proptest::option::of(1..200_i64)).prop_map(|(at, life)| Step::Expire(at, life)),
        4 => (1..30_i64, 1..200_i64).prop_map(|(amount, life)| Step::Hold(amount, life)),
        3 => (0..8_usize, 1..20_i64, any::<bool>()).prop_map(|(at, amount, end)| Step::Capture(at, amount, end)),
        2 => (0..8_usize).prop_map(Step::Release),
        4 => (0..8_usize, 0..20_i64).prop_map(|(at, amount)| Step::Refund(at, amount)),
        3 => (1..120_i64).prop_map(Step::Wait),
        1 => (0..40_i64).prop_map(Step::Overdraft),
        3 => (1..40_i64, 0..3_usize).prop_map(|(amount, channel)| Step::TopUp(amount, channel)),
        1 => (0..4_usize, any::<bool>()).prop_map(|(at, asks)| Step::Advance(at, asks)),
        3 => (0..4_usize, 0..10_i64).prop_map(|(at, charged)| Step::Settle(at, charged)),
        2 => (0..4_usize, 0..4_usize).prop_map(|(at, class)| Step::Decline(at, class)),
        2 => (1..60_i64, 1..20_i64).prop_map(|(threshold, amount)| Step::Recharge(threshold, amount)),
        1 => (1..40_i64).prop_map(Step::Alerts),
        5 => Just(Step::Commit),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compare),
    ]
}

/// A run of steps; closing comes late, so that there is something to close.
fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let close = (1..=2_i64, any::<bool>()).prop_map(|(wallet, back)| (wallet, Step::Close(back)));
    let step = || (1..=2_i64, step());
    let end = prop::collection::vec(prop_oneof![1 => close, 2 => step()], 0..20);
    (prop::collection::vec(step(), 1..110), end).prop_map(|(mut steps, end)| {
        steps.extend(end);
        steps
    })
}

fn command(
    step: &Step,
    holds: &[HoldId],
    debits: &[EntryId],
    top_ups: &[(TopUpId, Amount)],
    lots: &[LotId],
    now: Timestamp,
    next: i64,
) -> Option<Command> {
    let newest = |at: usize, length: usize| length.checked_sub(1 + at);
    let amount = |amount: i64| (amount > 0).then(|| units(amount));
    Some(match step {
        Step::Credit(amount, funding) => credit(*amount, FundingType::ALL[*funding]),
        Step::ExpiringCredit(amount, life) => expiring_credit(*amount, *life),
        Step::Debit(amount) => debit(*amount),
        Step::Forced(amount) => forced_debit(*amount),
        Step::Withdraw(amount) => withdraw(*amount),
        Step::Void(at) => void(lots[newest(*at, lots.len())?]),
        Step::Expire(at, life) => {
            let lot = lots[newest(*at, lots.len())?];
            expire_at(lot, life.map(|life| now.plus_seconds(life)))
        }
        Step::Close(true) => close(PayoutWay::Original),
        Step::Close(false) => close(PayoutWay::Manual),
        Step::Hold(amount, life) => hold(*amount, *life),
        Step::Capture(at, units, end) => {
            let after = if *end {
                AfterCapture::End
            } else {
                AfterCapture::StayOpen
            };
            capture(holds[newest(*at, holds.len())?], amount(*units), after)
        }
        Step::Release(at) => Command::ReleaseHold {
            hold_id: holds[newest(*at, holds.len())?],
        },
        Step::Refund(at, units) => refund(debits[newest(*at, debits.len())?], amount(*units)),
        Step::Overdraft(limit) => Command::SetOverdraftLimit(units(*limit)),
        Step::TopUp(amount, channel) => top_up(next, *amount, Channel::ALL[*channel]),
        Step::Advance(at, asks) => {
            let to = if *asks {
                TopUpStatus::RequiresAction
            } else {
                TopUpStatus::Processing
            };
            advance(top_ups[newest(*at, top_ups.len())?].0, to)
        }
        Step::Settle(at, tenths) => {
            let (id, amount) = top_ups[newest(*at, top_ups.len())?];
            settle(id, Amount::from_micros(amount.micros() / 9 * tenths))
        }
        Step::Decline(at, class) => {
            let classes = [
                FailureClass::Soft,
                FailureClass::Hard,
                FailureClass::AuthenticationRequired,
                FailureClass::ProviderOutage,
            ];
            declined(top_ups[newest(*at, top_ups.len())?].0, classes[*class])
        }
        Step::Recharge(threshold, amount) => recharge(*threshold, *amount, Some(200)),
        Step::Alerts(threshold) => alerts(&[*threshold, threshold * 2]),
        Step::Wait(_) | Step::Commit | Step::Reopen | Step::Compare => return None,
    })
}

/// All top-ups of the wallet, those that auto-recharge opened too.
fn top_ups<T: TestStore>(books: &Books<T>, wallet: i64) -> Vec<(TopUpId, Amount)> {
    let rows = books.rows(wallet);
    let opened = rows.filter(|row| row.event.kind == EntryKind::TopUpOpened);
    let named = opened.filter_map(|row| {
        let top_up = row.event.top_up.as_deref()?;
        Some((row.event.top_up_id?, top_up.amount))
    });
    named.collect()
}

/// Lots that rows of the wallet made.
fn lots<T: TestStore>(books: &Books<T>, wallet: i64) -> Vec<LotId> {
    let made = books.rows(wallet).flat_map(|row| &row.event.lots);
    let mut ids: Vec<LotId> = made.map(|lot| lot.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn play<T: TestStore>(store: T, steps: &[(i64, Step)]) -> T {
    let mut books = play_on(store, steps);
    books.compare();
    books.store
}

/// Plays all steps, and leaves what trails as it is.
fn play_on<T: TestStore>(store: T, steps: &[(i64, Step)]) -> Books<T> {
    let mut books = Books::with_wallets(store, 2);
    let (mut holds, mut debits) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let mut next = 0;
    for (wallet, step) in steps {
        next += 1;
        let place = usize::from(*wallet == 2);
        match step {
            Step::Wait(seconds) => books.now = books.now.plus_seconds(*seconds),
            // Wallets go on trailing their rows.
            Step::Commit => {
                books.commit().expect("a commit");
                books.compare_loaded();
            }
            Step::Reopen => {
                books.commit().expect("a commit");
                books.store.reopen();
                books.compare_loaded();
            }
            Step::Compare => books.commit_and_compare(),
            _ => {
                let Some(command) = command(
                    step,
                    &holds[place],
                    &debits[place],
                    &top_ups(&books, *wallet),
                    &lots(&books, *wallet),
                    books.now,
                    next,
                ) else {
                    continue;
                };
                let Ok(entry) = books.run(*wallet, &command) else {
                    continue;
                };
                if matches!(step, Step::Hold(..)) {
                    holds[place].extend(entry.event.hold.map(|change| change.id));
                }
                if entry.event.amount < Amount::ZERO {
                    debits[place].push(entry.id);
                }
            }
        }
    }
    books.commit().expect("a commit");
    books.compare_loaded();
    books
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_sequence_comes_back_from_memory(steps in steps()) {
        play(Memory::new(), &steps);
    }

    #[test]
    fn any_sequence_comes_back_from_sqlite(steps in steps()) {
        let store = play(Sqlite::new("random"), &steps);
        let report = verify(store.path(), &mut |_progress| {}).expect("the audit runs");
        prop_assert!(report.violations.is_empty(), "{}", report);
    }

    /// The audit reads beside a writer: whatever trails the log is compared as of where it stands.
    #[test]
    fn what_trails_is_no_violation(steps in prop::collection::vec((1..=2_i64, step()), 1..120)) {
        let store = play_on(Sqlite::new("trailing"), &steps).store;
        let report = verify(store.path(), &mut |_progress| {}).expect("the audit runs");
        prop_assert!(report.violations.is_empty(), "{}", report);
    }
}
