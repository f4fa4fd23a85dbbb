//! The server is killed with -9 under load, again and again on the same database: what was answered is there, what was
//! not is there at most once, and the key tells which.
//!
//! Three rounds by default. The long form: `TILLBOX_CRASH_ROUNDS=20 cargo test -p tillbox --test e2e crash::`;
//! `TILLBOX_CRASH_SEED=7` varies what is written.

use crate::answer::Outcome;
use crate::client::Client;
use crate::given::wallet_with;
use crate::load::{Attempt, Kind, Worker, Write};
use crate::random::Random;
use crate::server::Server;
use crate::wait;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

const WALLETS: usize = 6;
const THREADS: usize = 4;
const READY_AGAIN_WITHIN: Duration = Duration::from_secs(2);
/// What each wallet starts with, in cents.
const START: i64 = 5_000;

fn number_from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn killed_under_load_it_keeps_what_it_answered() {
    let rounds = number_from_environment("TILLBOX_CRASH_ROUNDS", 3);
    let seed = number_from_environment("TILLBOX_CRASH_SEED", 1);
    let mut server = Server::start();
    let client = server.client();
    let wallets: Vec<String> = (0..WALLETS)
        .map(|_| wallet_with(&client, "50.00"))
        .collect();
    let mut journal: Vec<Attempt> = Vec::new();
    let mut random = Random::new(seed);
    for round in 0..rounds {
        eprintln!("round {round} of seed {seed}");
        let mut attempts = load_until_killed(&mut server, &wallets, &mut random);
        let ready_after = server.restart();
        assert!(
            ready_after < READY_AGAIN_WITHIN,
            "ready after {ready_after:?}"
        );
        let client = server.client();
        let found = Seen::of(&client, &wallets);
        for attempt in &mut attempts {
            match &attempt.outcomes {
                Some(outcomes) => found.holds_what_was_answered(&attempt.writes, outcomes),
                None => resolve(&client, &found, attempt),
            }
        }
        journal.extend(attempts);
        expect_balances(&client, &wallets, &journal);
        server.verify();
    }
    let client = server.client();
    let before = Seen::of(&client, &wallets);
    for attempt in &journal {
        expect_replay(&client, attempt);
    }
    assert_eq!(Seen::of(&client, &wallets), before);
    server.verify();
}

/// Writes from all threads, and kills the server at a random moment.
pub(crate) fn load_until_killed(
    server: &mut Server,
    wallets: &[String],
    random: &mut Random,
) -> Vec<Attempt> {
    let answered = AtomicUsize::new(0);
    let enough = 100 + random.index(400);
    let workers: Vec<Worker> = (0..THREADS)
        .map(|_| Worker::new(server.client(), random.next(), wallets))
        .collect();
    std::thread::scope(|scope| {
        let answered = &answered;
        let threads: Vec<_> = workers
            .into_iter()
            .map(|worker| scope.spawn(move || worker.run(answered)))
            .collect();
        let reached = || (answered.load(Ordering::Relaxed) >= enough).then_some(());
        let loaded = wait::at_most(Duration::from_mins(1), reached);
        server.kill9();
        let journals = threads.into_iter().map(ScopedJoinHandle::join);
        let attempts = journals
            .flat_map(|journal| journal.expect("a journal"))
            .collect();
        assert!(loaded.is_some(), "no {enough} answers in a minute");
        attempts
    })
}

/// What the server shows after the restart, by the description that each write gave.
#[derive(Debug, PartialEq)]
struct Seen {
    rows: BTreeMap<String, Vec<Value>>,
    statuses: BTreeMap<String, String>,
}

impl Seen {
    fn of(client: &Client, wallets: &[String]) -> Self {
        let mut rows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut statuses = BTreeMap::new();
        for wallet in wallets {
            let holds = client.list(&format!("/v1/wallets/{wallet}/holds"));
            for hold in &holds {
                let text = |name: &str| hold[name].as_str().expect("a text").to_owned();
                statuses.insert(text("id"), text("status"));
            }
            let transactions = client.list(&format!("/v1/wallets/{wallet}/transactions"));
            for row in transactions.into_iter().chain(holds) {
                let description = row["description"].as_str().unwrap_or_default().to_owned();
                rows.entry(description).or_default().push(row);
            }
        }
        Self { rows, statuses }
    }

    /// How often the write's effect is there, and its id.
    fn found(&self, write: &Write) -> Vec<String> {
        if let Kind::Release { hold } = &write.kind {
            let is_released = self
                .statuses
                .get(hold)
                .is_some_and(|status| status == "released");
            return if is_released {
                vec![hold.clone()]
            } else {
                Vec::new()
            };
        }
        let rows = self
            .rows
            .get(&write.key)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let id = |row: &Value| row["id"].as_str().expect("an id").to_owned();
        rows.iter().map(id).collect()
    }

    /// Every answered write is found once, every refused one is not.
    #[track_caller]
    fn holds_what_was_answered(&self, writes: &[Write], outcomes: &[Outcome]) {
        for (write, outcome) in writes.iter().zip(outcomes) {
            let found = self.found(write);
            if outcome.is_done() {
                assert_eq!(
                    found,
                    [outcome.json()["id"].as_str().expect("an id")],
                    "{write:?}"
                );
            } else if !matches!(write.kind, Kind::Release { .. }) {
                assert!(
                    found.is_empty(),
                    "refused, and yet there: {write:?} {}",
                    outcome.body
                );
            }
        }
    }
}

/// Asks an unanswered attempt again: what is there is replayed, what is not is done or refused now.
#[track_caller]
fn resolve(client: &Client, seen: &Seen, attempt: &mut Attempt) {
    let outcomes = attempt.send(client).expect("the server answers again");
    for (write, outcome) in attempt.writes.iter().zip(&outcomes) {
        let found = seen.found(write);
        assert!(found.len() <= 1, "there {} times: {write:?}", found.len());
        if let [id] = &found[..] {
            // A released hold may have been released under another key of the same thread.
            if matches!(write.kind, Kind::Release { .. }) && !outcome.is_done() {
                continue;
            }
            assert!(
                outcome.is_done() && outcome.replayed,
                "{write:?} {outcome:?}"
            );
            assert_eq!(outcome.json()["id"], id.as_str());
        } else {
            assert!(!outcome.replayed, "replayed, but not there: {write:?}");
        }
    }
    attempt.outcomes = Some(outcomes);
}

/// What was done is answered again to the byte. Batches with refusals are asked write by write, so that a refused
/// write is not tried anew.
#[track_caller]
fn expect_replay(client: &Client, attempt: &Attempt) {
    let outcomes = attempt.outcomes.as_ref().expect("all are resolved");
    for (write, first) in attempt.writes.iter().zip(outcomes) {
        if !first.is_done() {
            continue;
        }
        let again = write.alone().send(client).expect("the server answers");
        assert!(again[0].replayed, "{write:?} {again:?}");
        assert_eq!(
            (again[0].status, &again[0].body),
            (first.status, &first.body),
            "{write:?}"
        );
    }
}

/// A hold as the journal tells it, in cents.
struct Held<'a> {
    wallet: &'a str,
    placed: i64,
    captured: i64,
    ended: bool,
}

/// Balance and held of each wallet, added up from the journal in whole cents.
#[track_caller]
fn expect_balances(client: &Client, wallets: &[String], journal: &[Attempt]) {
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let mut holds: BTreeMap<String, Held> = BTreeMap::new();
    let done = journal.iter().flat_map(|attempt| {
        let outcomes = attempt.outcomes.as_ref().expect("all are resolved");
        let pairs = attempt.writes.iter().zip(outcomes);
        pairs.filter(|(_, outcome)| outcome.is_done())
    });
    for wallet in wallets {
        sums.insert(wallet, (START, 0));
    }
    for (write, outcome) in done {
        let cents = i64::try_from(write.cents).expect("cents");
        let sum = sums.get_mut(write.wallet.as_str()).expect("a known wallet");
        match &write.kind {
            Kind::Credit => sum.0 += cents,
            Kind::Debit => sum.0 -= cents,
            Kind::Hold => {
                let id = outcome.json()["id"].as_str().expect("an id").to_owned();
                let wallet = &write.wallet;
                holds.insert(
                    id,
                    Held {
                        wallet,
                        placed: cents,
                        captured: 0,
                        ended: false,
                    },
                );
            }
            Kind::Capture { hold, is_final } => {
                sum.0 -= cents;
                let hold = holds.get_mut(hold).expect("a hold placed before");
                hold.captured += cents;
                hold.ended |= is_final;
            }
            Kind::Release { hold } => {
                holds.get_mut(hold).expect("a hold placed before").ended = true;
            }
        }
    }
    for hold in holds.values() {
        assert!(hold.captured <= hold.placed, "more captured than held");
        if !hold.ended {
            let sum = sums.get_mut(hold.wallet).expect("a known wallet");
            sum.1 += hold.placed - hold.captured;
        }
    }
    for (wallet, (balance, held)) in sums {
        let shown = client.get(&format!("/v1/wallets/{wallet}")).is(200);
        let text = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
        let expected = (text(balance), text(held), text(balance - held));
        let found = (
            shown.string("balance"),
            shown.string("held"),
            shown.string("available_balance"),
        );
        assert_eq!(found, expected);
        assert!(
            balance >= held && held >= 0,
            "spent more than there was: {expected:?}"
        );
    }
}
