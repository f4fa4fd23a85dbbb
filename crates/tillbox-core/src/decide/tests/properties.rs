//! Random commands over random time, on a book and on the model, which must agree after each.

use super::pair::Pair;
use super::steps::steps;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// The invariants and the replay hold after each row ([`Book`] demands them), and the model agrees.
    #[test]
    fn random_commands_agree_with_the_model(steps in steps()) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.step(step);
        }
        pair.close();
        pair.audit();
    }

    #[test]
    fn the_same_commands_make_the_same_rows(steps in steps()) {
        let rows = || {
            let mut pair = Pair::new();
            for step in &steps {
                pair.step(step);
            }
            pair.book.entries
        };
        prop_assert_eq!(rows(), rows());
    }
}

/// Random commands are worth what they reach: each of these corners, in some runs, often.
#[test]
fn random_commands_reach_the_corners() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..2_500 {
        let steps = steps().new_tree(&mut runner).expect("steps").current();
        let mut pair = Pair::new();
        for step in &steps {
            pair.step(step);
        }
        let mut placed = std::collections::BTreeSet::new();
        for entry in &pair.book.entries {
            let event = &entry.event;
            let kind = event.kind;
            let pays = event.parts.iter().any(|part| part.pays_debt_from.is_some());
            let successor = event.lots.iter().any(|lot| lot.succeeds.is_some());
            let reopened = event.lots.iter().any(|lot| lot.source != entry.id);
            let overdraft = event.hold.is_some_and(|hold| !hold.overdraft.is_zero());
            let held = event.lot_change.is_some_and(|change| {
                let mut holds = pair.book.holds_on.iter();
                holds.any(|(id, lot)| *id == entry.id && *lot == change.lot.id)
            });
            let drawn = event.own_parts().count() > 1;
            let late = event
                .effective_at
                .is_some_and(|effective| effective < entry.at);
            let told = event.payback.as_deref().and_then(|payback| payback.moved);
            let reserves = event.parts.iter().any(|part| part.held.is_positive());
            let grows = event
                .hold
                .is_some_and(|hold| hold.id.number() != entry.id.number());
            let gives_up = event.parts.iter().any(|part| part.held.is_negative());
            let stays = event
                .hold
                .is_some_and(|hold| hold.status == crate::hold::HoldStatus::Open);
            let shares = event.payback.as_deref().is_some_and(|payback| {
                let held = payback.open_disputes().filter_map(|one| one.hold_id);
                held.count() > 1
            });
            let first_of_debit = event.refund_of.is_some_and(|debit| placed.insert(debit));
            for (corner, there) in [
                ("any", true),
                ("pays debt", pays),
                ("makes debt", event.debt_made.is_some()),
                ("cancels debt", !event.debt_canceled.is_empty()),
                ("cancels and pays", !event.debt_canceled.is_empty() && pays),
                ("makes a successor", successor),
                ("opens a spent lot again", reopened),
                ("overdraft of a hold", overdraft),
                ("several lots", drawn),
                ("late", late),
                ("under a hold", held),
                ("reserves what was freed", reserves && told.is_none()),
                ("reserves more", reserves && grows && told.is_none()),
                ("shares a hold", shares),
                (
                    "reserves late",
                    reserves && late && kind == crate::entry::EntryKind::DisputeChanged,
                ),
                ("leaves the rest to others", gives_up && stays),
                (
                    "a further refund",
                    event.refund_of.is_some() && !first_of_debit,
                ),
            ] {
                if there {
                    *counts.entry((format!("{kind:?}"), corner)).or_insert(0) += 1;
                }
            }
        }
    }
    for (kind, corner) in [
        ("Credit", "pays debt"),
        ("Debit", "makes debt"),
        ("Debit", "several lots"),
        ("Adjustment", "several lots"),
        ("Refund", "cancels debt"),
        ("Refund", "cancels and pays"),
        ("Refund", "makes a successor"),
        ("Refund", "opens a spent lot again"),
        ("Refund", "pays debt"),
        ("Refund", "a further refund"),
        ("Withdrawn", "several lots"),
        ("LotVoided", "any"),
        ("LotChanged", "any"),
        ("LotChanged", "under a hold"),
        ("Usage", "any"),
        ("HoldPlaced", "overdraft of a hold"),
        ("HoldCaptured", "makes debt"),
        ("HoldCaptured", "pays debt"),
        ("HoldCaptured", "overdraft of a hold"),
        ("HoldReleased", "pays debt"),
        ("HoldExtended", "any"),
        ("HoldExpired", "pays debt"),
        ("HoldExpired", "late"),
        ("LotExpired", "late"),
        ("TopUpRefunded", "several lots"),
        ("PayoutEnded", "any"),
        ("DisputeChanged", "any"),
        ("DisputeChanged", "reserves what was freed"),
        ("DisputeChanged", "reserves more"),
        ("DisputeChanged", "reserves late"),
        ("DisputeChanged", "shares a hold"),
        ("ChargedBack", "leaves the rest to others"),
        ("ChargedBack", "several lots"),
        ("ChargedBack", "makes debt"),
        ("Reversed", "any"),
        ("Reversed", "opens a spent lot again"),
        ("Reversed", "pays debt"),
    ] {
        let count = counts.get(&(kind.to_owned(), corner)).copied();
        assert!(count.unwrap_or(0) >= 5, "{kind} {corner}: {counts:#?}");
    }
}
