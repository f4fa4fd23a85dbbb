//! A seeded run of clients, engine and a faulty store, followed by a simple model.
//!
//! Rounds: some requests go in as one piece of work, under at most one fault; all answers are awaited; then
//! the model reads the new durable rows beside the requests in their order, and says for each whether its
//! answer was right. A lane that ended is started anew on what is durable, and clients ask again, under the
//! same keys, whatever they have no answer for. Nothing runs beside anything else, so a seed is a whole run.
//!
//! `TILLBOX_SIM_SEED=n` replays one seed, `TILLBOX_SIM_SEEDS=n` sets how many are run.

use crate::client::{MERCHANT, Running, START, opening, options, units, wait, wallet};
use crate::faulty::{Durable, Fate, FaultyStore};
use crate::model::{Model, wide};
use crate::script::{Asked, OPERATIONS, Script, WALLETS};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tillbox_core::audit::WalletAudit;
use tillbox_core::entry::{Entry, EntryKind, KeyStamp};
use tillbox_core::id::EntryId;
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_engine::LaneEnd;
use tillbox_engine::clock::{ManualClock, MerchantClock};
use tillbox_engine::work::{Answer, Mode, Outcome, SubmitError};

const SEEDS: u64 = 150;
const ROUNDS: i64 = 40;
/// What may go wrong in a round.
const FAULTS: [&str; 7] = [
    "bad row",
    "refused",
    "answer lost",
    "write lost",
    "crash before",
    "crash after",
    "load failed",
];

/// The fault of the present round.
#[derive(Clone, Debug, Default)]
struct Plan {
    fault: &'static str,
    /// Commits that still go well before it strikes, or loads.
    after: i64,
    /// The row that can't be written.
    bad: Option<KeyStamp>,
    struck: bool,
}

impl Plan {
    fn fate(&mut self, keys: impl Iterator<Item = KeyStamp>) -> Fate {
        if let Some(bad) = self.bad {
            let mut keys = keys;
            return if keys.any(|key| key == bad) {
                Fate::Refused
            } else {
                Fate::Written
            };
        }
        let fate = match self.fault {
            "refused" => Fate::Refused,
            "answer lost" => Fate::AnswerLost,
            "write lost" => Fate::WriteLost,
            "crash before" => Fate::CrashBefore,
            "crash after" => Fate::CrashAfter,
            _ => return Fate::Written,
        };
        if self.fault == "refused" {
            // So many attempts fail: the batch, its halves, and so on.
            self.after -= 1;
            return if self.after >= 0 { fate } else { Fate::Written };
        }
        self.struck = true;
        fate
    }

    fn fails_load(&mut self) -> bool {
        if self.fault != "load failed" {
            return false;
        }
        self.after -= 1;
        self.after == -1
    }
}

struct World {
    durable: Durable,
    clock: Arc<ManualClock>,
    plan: Arc<Mutex<Plan>>,
    running: Option<Running>,
    models: BTreeMap<i64, Model>,
    /// Every key that has a row.
    keys: HashMap<[u8; 16], Arc<Entry>>,
    script: Script,
    /// What has no answer yet.
    unanswered: VecDeque<Asked>,
    seen: BTreeMap<(&'static str, &'static str), u64>,
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

    fn engine(&self) -> tillbox_engine::Engine<FaultyStore> {
        self.running.as_ref().expect("it runs").engine.clone()
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&mut self, operation: &'static str, what: &'static str) {
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

    /// Follows the round beside its durable rows.
    fn judge(&mut self, round: &[Asked], answers: &[Answer], plan: &Plan, now: Timestamp) {
        let mut rows: BTreeMap<i64, VecDeque<Arc<Entry>>> = BTreeMap::new();
        for (number, model) in &self.models {
            let store = self.durable.look();
            let fresh = store.entries_of(wallet(*number));
            let fresh = fresh.filter(|row| row.version > model.version);
            rows.insert(*number, fresh.cloned().collect());
        }
        for (asked, answer) in round.iter().zip(answers) {
            let number = asked.submission.wallet_id.number();
            let rows = rows.get_mut(&number).expect("one of the wallets");
            self.book_due(number, rows, now);
            self.judge_one(asked, answer, rows, plan, now);
            self.book_due(number, rows, now);
        }
        for (number, rows) in rows {
            assert!(
                rows.is_empty(),
                "wallet {number} has rows that nobody asked for: {rows:?}"
            );
        }
    }

    /// Follows rows of what was due.
    fn book_due(&mut self, number: i64, rows: &mut VecDeque<Arc<Entry>>, now: Timestamp) {
        let model = self.models.get_mut(&number).expect("a model");
        let is_due = |row: &Entry| {
            matches!(
                row.event.kind,
                EntryKind::HoldExpired | EntryKind::LotExpired
            )
        };
        while let Some(row) = rows.pop_front_if(|row| is_due(row)) {
            let at = now.max(model.last_at);
            let moved = model.book_one_due(at).expect("the row was due");
            follow(model, &row, at, moved.amount, moved.moves_money);
        }
    }

    fn judge_one(
        &mut self,
        asked: &Asked,
        answer: &Answer,
        rows: &mut VecDeque<Arc<Entry>>,
        plan: &Plan,
        now: Timestamp,
    ) {
        let submission = &asked.submission;
        let key = submission.key.expect("clients use keys");
        let number = submission.wallet_id.number();
        let model = &self.models[&number];
        let at = now.max(model.last_at);
        let mine = |row: &Arc<Entry>| row.key == Some(key);
        match answer {
            Ok(Outcome::Row {
                entry,
                replayed: true,
                ..
            }) => {
                let first = self
                    .keys
                    .get(&key.key)
                    .expect("only what was done is replayed");
                assert_eq!(first, entry, "a replay is the first answer");
                assert_eq!(first.key, Some(key), "for the same request");
                self.count(asked.operation, "replayed");
            }
            Ok(Outcome::Row { entry, .. }) if submission.mode == Mode::DryRun => {
                let mut model = model.clone();
                while model.book_one_due(at).is_some() {}
                let moved = model.run(&submission.command, at, EntryId::from_number(i64::MAX));
                let moved = moved.expect("the dry run was right to accept it");
                assert_eq!(wide(entry.event.amount), moved.amount, "what it would move");
                assert_eq!(
                    wide(entry.balance_after),
                    model.balance(),
                    "what it would leave"
                );
                self.count(asked.operation, "done");
            }
            Ok(Outcome::Row { entry, .. }) => {
                let row = rows.pop_front_if(|row| mine(row));
                assert_eq!(row.as_ref(), Some(entry), "what is answered is durable");
                self.carry_out(asked, entry, at);
                self.count(asked.operation, "done");
            }
            Ok(other) => panic!("no row but {other:?}"),
            Err(SubmitError::Rejected { rejection, .. }) => {
                self.judge_refusal(asked, rejection, at);
                self.count(asked.operation, "rejected");
            }
            Err(SubmitError::Overloaded(why)) => {
                // A row of it would be left over in the end.
                if let Some(bad) = plan.bad {
                    assert_eq!(key.key, bad.key, "a bad row fails alone");
                }
                assert!(
                    ["bad row", "refused", "load failed"].contains(&plan.fault),
                    "{why}"
                );
                self.unanswered(asked, plan);
            }
            Err(SubmitError::OutcomeUnknown) => {
                if let Some(row) = rows.pop_front_if(|row| mine(row)) {
                    self.carry_out(asked, &row, at);
                    self.count(asked.operation, "done unheard");
                }
                assert!(plan.struck, "nothing happened that makes it unknown");
                self.unanswered(asked, plan);
            }
            Err(SubmitError::ShuttingDown) => panic!("nobody stopped it"),
        }
    }

    fn unanswered(&mut self, asked: &Asked, plan: &Plan) {
        self.count(asked.operation, plan.fault);
        self.unanswered.push_back(asked.clone());
    }

    /// The row is there: the model must come to the same.
    fn carry_out(&mut self, asked: &Asked, row: &Arc<Entry>, at: Timestamp) {
        let submission = &asked.submission;
        let key = submission.key.expect("clients use keys");
        assert_eq!(
            submission.merchant_id, MERCHANT,
            "a stranger's request did something"
        );
        let twice = self.keys.insert(key.key, Arc::clone(row));
        assert!(twice.is_none(), "a key did something twice");
        let model = self
            .models
            .get_mut(&submission.wallet_id.number())
            .expect("a model");
        assert!(
            model.clone().book_one_due(at).is_none(),
            "what is due is booked before"
        );
        let moved = model.run(&submission.command, at, row.id);
        let moved = moved.unwrap_or_else(|why| panic!("it should be refused: {why:?}"));
        follow(model, row, at, moved.amount, moved.moves_money);
        self.script.learn(asked, row);
    }

    fn judge_refusal(&mut self, asked: &Asked, rejection: &Rejection, at: Timestamp) {
        let submission = &asked.submission;
        let commits = submission.mode == Mode::Commit;
        let key = submission.key.expect("clients use keys");
        let known = self.keys.get(&key.key).filter(|_| commits);
        let mut model = self.models[&submission.wallet_id.number()].clone();
        let expected = if submission.merchant_id != MERCHANT {
            Rejection::WalletNotFound
        } else if let Some(row) = known {
            assert_ne!(row.key, Some(key), "the same request is replayed");
            Rejection::KeyReused
        } else {
            while model.book_one_due(at).is_some() {
                assert!(!commits, "what is due is booked beside a refusal");
            }
            let id = EntryId::from_number(i64::MAX);
            let outcome = model.run(&submission.command, at, id);
            outcome.expect_err("it should not be refused")
        };
        assert_eq!(*rejection, expected, "{:?}", submission.command);
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

    /// The durable content, and what the engine shows, are what the model holds.
    fn compare(&self, now: Timestamp) {
        for (number, model) in &self.models {
            let id = wallet(*number);
            let state = self.durable.state(id);
            assert_eq!(state.check(), Ok(()));
            assert_eq!((state.version, state.seq), (model.version, model.seq));
            assert_eq!(wide(state.balance), model.balance(), "balance");
            assert_eq!(wide(state.held), model.held(), "held");
            assert_eq!(wide(state.debt.total()), model.debt(), "debt");
            assert_eq!(wide(state.available()), model.available(), "available");
            let store = self.durable.look();
            let mut lots: Vec<_> = store.lots_of(id).collect();
            lots.sort_by_key(|lot| lot.draw_key());
            let lots = lots.iter().map(|lot| {
                let sums = (wide(lot.amount), wide(lot.remaining), wide(lot.held));
                (lot.priority, lot.expires_at, lot.withdrawable, sums)
            });
            let mut order: Vec<usize> = (0..model.lots.len()).collect();
            order.sort_by_key(|lot| model.order(*lot));
            let expected = order.iter().map(|at| &model.lots[*at]).map(|lot| {
                let sums = (lot.amount, lot.remaining, lot.held);
                (lot.priority, lot.expires, lot.withdrawable, sums)
            });
            assert_eq!(
                lots.collect::<Vec<_>>(),
                expected.collect::<Vec<_>>(),
                "lots"
            );
            let holds = store.holds_of(id).map(|hold| {
                let sums = [hold.remaining(), hold.captured, hold.released].map(wide);
                (hold.id, hold.status, hold.expires_at, sums)
            });
            let expected = model.holds.iter().map(|(id, hold)| {
                let sums = [hold.remaining, hold.captured, hold.released];
                (*id, hold.status, hold.expires, sums)
            });
            assert_eq!(
                holds.collect::<Vec<_>>(),
                expected.collect::<Vec<_>>(),
                "holds"
            );
            let mut audit = WalletAudit::new(id);
            store.entries_of(id).for_each(|row| audit.feed(row));
            let opened = store.opened().find(|opened| opened.wallet.id == id);
            let audited = audit.finish(opened.expect("it was opened").wallet);
            assert_eq!(audited.violations, vec![]);
            assert_eq!(audited.state, Some(state));
            drop(store);
            let mut due = model.clone();
            while due.book_one_due(now.max(model.last_at)).is_some() {}
            let clock = MerchantClock::default();
            let look = |state: &tillbox_core::wallet::WalletState, _| {
                (state.balance, state.held, state.debt.total())
            };
            let seen = wait(self.engine().read(MERCHANT, id, clock, look));
            let (balance, held, debt) = seen.expect("a read");
            let expected = (due.balance(), due.held(), due.debt());
            assert_eq!((wide(balance), wide(held), wide(debt)), expected, "a read");
        }
    }
}

/// The row says what the model says, in its place.
fn follow(model: &mut Model, row: &Entry, at: Timestamp, amount: i128, moves_money: bool) {
    model.version += 1;
    model.seq += u64::from(moves_money);
    model.last_at = at;
    assert_eq!(row.version, model.version, "versions have no gaps");
    assert_eq!(
        row.seq,
        moves_money.then_some(model.seq),
        "numbers have no gaps"
    );
    assert_eq!(row.at, at, "time is that of the lane");
    assert_eq!(wide(row.event.amount), amount, "what it moves: {row:?}");
    assert_eq!(wide(row.balance_after), model.balance(), "what it leaves");
}

fn run(seed: u64) -> BTreeMap<(&'static str, &'static str), u64> {
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
    world.seen
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

#[test]
fn engine_and_model_agree_under_every_fault() {
    if let Some(seed) = from_environment("TILLBOX_SIM_SEED") {
        println!("{:#?}", run(seed));
        return;
    }
    let count = from_environment("TILLBOX_SIM_SEEDS").unwrap_or(SEEDS);
    let mut seen = BTreeMap::new();
    for seed in 1..=count {
        let result = std::panic::catch_unwind(|| run(seed));
        let of_seed = result.unwrap_or_else(|why| {
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
            let possible = match operation {
                "dry run" => !["replayed", "done unheard", "bad row"].contains(what),
                // Nothing refuses it but another merchant's name and a used key.
                _ => true,
            };
            let times = seen.get(&(operation, *what)).copied().unwrap_or(0);
            assert_eq!(
                times > 0,
                possible,
                "{operation} under {what}: {times} times"
            );
        }
    }
}
