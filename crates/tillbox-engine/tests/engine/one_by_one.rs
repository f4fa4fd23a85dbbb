//! As if one by one: a batch gives the answers and the state that its commands give each alone.

use crate::client::{ask, credit, debit, forced, keyed, wait};
use crate::dice::Dice;
use crate::ledger::{Ledger, hold};
use std::sync::Arc;
use tillbox_core::entry::Entry;
use tillbox_engine::work::{Answer, Mode, Outcome, Submission, SubmitError};

/// Commands by seed: some repeat a key, some use it for another request, some are dry runs.
fn commands(seed: u64) -> Vec<Submission> {
    let mut dice = Dice::new(seed);
    (0..40)
        .map(|number| {
            let command = match dice.roll(0, 5) {
                0 => credit(dice.roll(1, 5)),
                1 => forced(dice.roll(1, 9)),
                2 => hold(dice.roll(1, 6), 60),
                _ => debit(dice.roll(1, 6)),
            };
            let key = if dice.chance(25) { 1 } else { number + 2 };
            match dice.roll(0, 9) {
                0 => Submission {
                    mode: Mode::DryRun,
                    ..ask(command)
                },
                1 => ask(command),
                _ => keyed(command, key),
            }
        })
        .collect()
}

fn told(answer: Answer) -> Result<(Arc<Entry>, bool), String> {
    match answer {
        Ok(Outcome::Row {
            entry, replayed, ..
        }) => Ok((entry, replayed)),
        Ok(other) => Err(format!("{other:?}")),
        Err(SubmitError::Rejected { rejection, .. }) => Err(format!("{rejection:?}")),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_batch_equals_its_commands_one_by_one() {
    let (mut done, mut refused, mut replayed) = (0, 0, 0);
    for seed in 0..60 {
        let (together, apart) = (Ledger::with_balance(20), Ledger::with_balance(20));
        let commands = commands(seed);
        let batch = wait(together.engine().submit_many(commands.clone()));
        let batch: Vec<_> = batch.into_iter().map(told).collect();
        let alone: Vec<_> = commands
            .into_iter()
            .map(|command| told(wait(apart.engine().submit(command))))
            .collect();
        assert_eq!(batch, alone, "seed {seed}");
        assert_eq!(together.state(), apart.state(), "seed {seed}");
        done += batch.iter().filter(|answer| answer.is_ok()).count();
        refused += batch.iter().filter(|answer| answer.is_err()).count();
        replayed += batch
            .iter()
            .filter(|answer| matches!(answer, Ok((_, true))))
            .count();
        together.end();
        apart.end();
    }
    assert!(
        done > 100 && refused > 100 && replayed > 10,
        "{done} {refused} {replayed}"
    );
}
