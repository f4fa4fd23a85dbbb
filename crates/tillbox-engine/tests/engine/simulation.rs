//! A seeded run of clients, engine and a faulty store, followed by a simple model.
//!
//! Rounds: some requests go in as one piece of work, under at most one fault; all answers are awaited; then
//! the model reads the new durable rows beside the requests in their order, and says for each whether its
//! answer was right. A lane that ended is started anew on what is durable, and clients ask again, under the
//! same keys, whatever they have no answer for. Nothing runs beside anything else, so a seed is a whole run.
//!
//! `TILLBOX_SIM_SEED=n` replays one seed, `TILLBOX_SIM_SEEDS=n` sets how many are run.

use crate::client::{Running, START, opening, options, units, wait};
use crate::faulty::{Durable, FaultyStore};
use crate::model::Model;
use crate::plan::{FAULTS, Plan};
use crate::script::{Asked, OPERATIONS, Script, WALLETS};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tillbox_core::entry::Entry;
use tillbox_core::time::Timestamp;
use tillbox_engine::LaneEnd;
use tillbox_engine::clock::ManualClock;

const SEEDS: u64 = 250;
const ROUNDS: i64 = 40;

/// How often each operation met each fault and each answer.
type Seen = BTreeMap<(&'static str, &'static str), u64>;

/// Clients, engine, store and model.
pub(crate) struct World {
    pub(crate) durable: Durable,
    clock: Arc<ManualClock>,
    plan: Arc<Mutex<Plan>>,
    running: Option<Running>,
    pub(crate) models: BTreeMap<i64, Model>,
    /// Every key that has a row.
    pub(crate) keys: HashMap<[u8; 16], Arc<Entry>>,
    pub(crate) script: Script,
    /// What has no answer yet.
    pub(crate) unanswered: VecDeque<Asked>,
    seen: Seen,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            durable: Durable::new(),
            clock: Arc::new(ManualClock::at(START)),
            plan: Arc::default(),
            running: None,
            models: BTreeMap::new(),
            keys: HashMap::new(),
            script: Script::new(seed),
            unanswered: VecDeque::new(),
            seen: BTreeMap::new(),
        };
        world.start();
        for number in 1..=WALLETS {
            let overdraft = if number == 1 { 0 } else { 10 };
            let open = opening(number, units(overdraft));
            let engine = world.engine();
            wait(engine.open_wallet(open)).expect("a wallet is opened");
            let model = Model::new(i128::from(overdraft) * 1_000_000);
            world.models.insert(number, model);
        }
        world
    }

    fn start(&mut self) {
        let (commits, loads) = (Arc::clone(&self.plan), Arc::clone(&self.plan));
        let store = FaultyStore::new(
            &self.durable,
            move |batch| {
                let keys = batch.entries.iter().filter_map(|entry| entry.key);
                commits
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .fate(keys)
            },
            move |_| {
                loads
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .fails_load()
            },
        );
        let mut options = options(&self.clock, &self.durable);
        if self.script.dice.chance(30) {
            options.cache_bytes = 1;
        }
        self.running = Some(Running::start(store, options));
    }

    pub(crate) fn engine(&self) -> tillbox_engine::Engine<FaultyStore> {
        self.running.as_ref().expect("it runs").engine.clone()
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&mut self, operation: &'static str, what: &'static str) {
        *self.seen.entry((operation, what)).or_default() += 1;
    }

    /// One round; `faulty` says whether something may go wrong.
    fn round(&mut self, faulty: bool) {
        self.move_clock();
        let now = self.now();
        let mut round: Vec<Asked> = self.unanswered.drain(..).collect();
        for _ in 0..self.script.dice.roll(1, 14) {
            if faulty || round.is_empty() {
                round.push(self.script.ask(now));
            }
            if self.script.dice.chance(8)
                && let Some(twice) = round.last().cloned()
            {
                round.push(twice);
            }
        }
        *self.plan() = Plan::default();
        if faulty && self.script.dice.chance(50) {
            let fault = *self.script.dice.pick(&FAULTS).expect("some");
            let bad = self
                .script
                .dice
                .pick(&round)
                .and_then(|one| one.submission.key);
            *self.plan() = Plan {
                fault,
                after: self.script.dice.roll(0, 5),
                bad: bad.filter(|_| fault == "bad row"),
                struck: false,
            };
        }
        let submissions = round.iter().map(|one| one.submission.clone()).collect();
        let answers = wait(self.engine().submit_many(submissions));
        assert_eq!(answers.len(), round.len(), "each request has an answer");
        let plan = self.plan().clone();
        *self.plan() = Plan::default();
        self.judge(&round, &answers, &plan, now);
        self.settle(&plan);
        self.compare(now);
    }

    /// Time goes on, mostly; at times the machine's clock jumps back.
    fn move_clock(&mut self) {
        let dice = &mut self.script.dice;
        let seconds = match dice.roll(0, 9) {
            0..=3 => 0,
            4..=6 => dice.roll(1, 600),
            7 => dice.roll(600, 10_000),
            8 => dice.roll(1, 9) * 86_400,
            _ => -dice.roll(1, 5_000),
        };
        self.clock.set(self.now().plus_seconds(seconds));
    }

    fn now(&self) -> Timestamp {
        tillbox_engine::clock::Clock::now(&*self.clock)
    }

    /// A lane that ended is replaced; at times a sound one is, too.
    fn settle(&mut self, plan: &Plan) {
        let ended = plan.struck;
        if ended {
            let running = self.running.take().expect("it ran");
            let end = running.thread.join();
            match plan.fault {
                "crash before" | "crash after" => assert!(end.is_err(), "it crashed"),
                _ => assert!(matches!(end, Ok(LaneEnd::Poisoned(_))), "it ends poisoned"),
            }
            self.start();
        } else if self.script.dice.chance(5) {
            let running = self.running.take().expect("it runs");
            assert_eq!(running.stop(), LaneEnd::Stopped);
            self.start();
        }
    }
}

/// A whole run; also gives what is durable in the end.
fn run(seed: u64) -> (Seen, Durable) {
    let mut world = World::new(seed);
    for _ in 0..ROUNDS {
        world.round(true);
    }
    world.round(false);
    world.round(false);
    assert!(
        world.unanswered.is_empty(),
        "without faults everybody is answered"
    );
    let running = world.running.take().expect("it runs");
    assert_eq!(running.stop(), LaneEnd::Stopped);
    (world.seen, world.durable)
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

#[test]
fn a_seed_replays_a_run_exactly() {
    let rows = |durable: &Durable| durable.look().entries().cloned().collect::<Vec<_>>();
    let ((seen, durable), (again, durable_again)) = (run(7), run(7));
    assert_eq!(seen, again);
    assert!(rows(&durable).len() > 100);
    assert_eq!(rows(&durable), rows(&durable_again));
}

#[test]
fn engine_and_model_agree_under_every_fault() {
    if let Some(seed) = from_environment("TILLBOX_SIM_SEED") {
        println!("{:#?}", run(seed).0);
        return;
    }
    let count = from_environment("TILLBOX_SIM_SEEDS").unwrap_or(SEEDS);
    let mut seen = Seen::new();
    for seed in 1..=count {
        let result = std::panic::catch_unwind(|| run(seed));
        let (of_seed, _) = result.unwrap_or_else(|why| {
            println!("replay it with TILLBOX_SIM_SEED={seed}");
            std::panic::resume_unwind(why)
        });
        for (pair, times) in of_seed {
            *seen.entry(pair).or_insert(0) += times;
        }
    }
    if count < SEEDS {
        return;
    }
    let answers = ["done", "rejected", "replayed", "done unheard"];
    for operation in OPERATIONS {
        for what in FAULTS.iter().chain(&answers) {
            // A dry run writes nothing, so that nothing of it is refused, kept or replayed.
            let written = ["replayed", "done unheard", "bad row", "refused"].contains(what);
            let possible = operation != "dry run" || !written;
            let times = seen.get(&(operation, *what)).copied().unwrap_or(0);
            assert_eq!(
                times > 0,
                possible,
                "{operation} under {what}: {times} times"
            );
        }
    }
}
