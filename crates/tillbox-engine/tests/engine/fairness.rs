//! A wallet that sends more than all others takes at most half of a batch while they wait, and all of it otherwise.

use crate::client::{Running, ask, credit, debit, opening, options, row, wait, wallet};
use crate::faulty::{Durable, Fate, FaultyStore};
use crate::gate::queued;
use crate::ledger::clock;
use std::sync::mpsc::{Receiver, Sender, channel};
use tillbox_core::amount::Amount;
use tillbox_engine::work::{Submission, SubmitError};
use tillbox_engine::{LaneEnd, Options};

/// Commits tell of which wallets their rows are; the first that is told of waits until it may go on.
struct Watched {
    batches: Receiver<Vec<i64>>,
    go_on: Sender<()>,
    running: Running,
}

fn watched(batch: usize, queue: usize) -> Watched {
    let durable = Durable::new();
    let clock = clock();
    let sound = Running::start(FaultyStore::sound(&durable), options(&clock, &durable));
    for number in 1..=4 {
        wait(sound.engine.open_wallet(opening(number, Amount::ZERO))).expect("opened");
        let mut fill = ask(credit(1_000));
        fill.wallet_id = wallet(number);
        wait(sound.engine.submit(fill)).expect("filled");
    }
    assert_eq!(sound.stop(), LaneEnd::Stopped);
    let (tell, batches) = channel();
    let (go_on, wait_for) = channel::<()>();
    let store = FaultyStore::new(
        &durable,
        move |batch| {
            let wallets = batch.entries.iter().map(|row| row.wallet_id.number());
            tell.send(wallets.collect()).expect("the test lives");
            wait_for.recv().unwrap_or_default();
            Fate::Written
        },
        |_| false,
    );
    let options = Options {
        batch,
        queue,
        ..options(&clock, &durable)
    };
    Watched {
        batches,
        go_on,
        running: Running::start(store, options),
    }
}

fn spend(number: i64) -> Submission {
    Submission {
        wallet_id: wallet(number),
        ..ask(debit(1))
    }
}

impl Watched {
    /// Lets the commit go on that waits, and gives the rows of the next.
    fn next(&self) -> Vec<i64> {
        self.go_on.send(()).expect("the lane lives");
        self.batches.recv().expect("the lane lives")
    }
}

#[test]
fn a_hot_wallet_takes_at_most_half_of_a_batch_while_others_wait() {
    let watched = watched(8, 64);
    let engine = watched.running.engine.clone();
    let first = queued(engine.submit(spend(1)));
    assert_eq!(watched.batches.recv().expect("a commit"), [1]);
    let hot: Vec<_> = (0..20).map(|_| queued(engine.submit(spend(1)))).collect();
    let many = queued(engine.submit_many(vec![spend(1), spend(2), spend(1), spend(3)]));
    let last = queued(engine.submit(spend(4)));

    assert_eq!(watched.next(), [1, 1, 1, 1, 2, 3, 4, 1]);
    let later = queued(engine.submit(spend(2)));
    assert_eq!(watched.next(), [1, 1, 1, 1, 2, 1, 1, 1]);
    assert_eq!(watched.next(), [1; 8], "nobody else waits");
    assert_eq!(watched.next(), [1; 2]);
    watched.go_on.send(()).expect("the lane lives");

    let seqs = |answers: Vec<_>| -> Vec<u64> {
        let rows = answers.iter().map(|answer| row(answer).0.version);
        rows.collect()
    };
    let answers = hot.into_iter().map(|one| wait(one.into_inner())).collect();
    assert!(seqs(answers).is_sorted(), "in the order in which they came");
    assert!(wait(first.into_inner()).is_ok() && wait(last.into_inner()).is_ok());
    assert!(wait(many.into_inner()).iter().all(Result::is_ok));
    assert!(wait(later.into_inner()).is_ok());
    drop(watched.go_on);
    assert_eq!(watched.running.stop(), LaneEnd::Stopped);
}

#[test]
fn what_stays_behind_still_counts_as_waiting_and_is_done_before_a_stop() {
    let watched = watched(8, 16);
    let engine = watched.running.engine.clone();
    let first = queued(engine.submit(spend(1)));
    assert_eq!(watched.batches.recv().expect("a commit"), [1]);
    let hot: Vec<_> = (0..12).map(|_| queued(engine.submit(spend(1)))).collect();
    let others: Vec<_> = (2..=4)
        .map(|one| queued(engine.submit(spend(one))))
        .collect();
    assert_eq!(watched.next(), [1, 1, 1, 1, 2, 3, 4, 1]);
    // Seven are behind: nine more have room.
    let more: Vec<_> = (0..9).map(|_| queued(engine.submit(spend(1)))).collect();
    let refused = wait(engine.submit(spend(2)));
    assert!(
        matches!(refused, Err(SubmitError::Overloaded(_))),
        "{refused:?}"
    );
    engine.stop();
    drop(watched.go_on);
    let all = hot.into_iter().chain(others).chain(more);
    assert!(all.map(|one| wait(one.into_inner())).all(|one| one.is_ok()));
    assert!(wait(first.into_inner()).is_ok());
    assert_eq!(watched.running.stop(), LaneEnd::Stopped);
}
