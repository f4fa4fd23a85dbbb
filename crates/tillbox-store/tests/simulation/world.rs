//! Clients, engine, store and model, and the rounds that they go through.

use crate::client::{MERCHANT, START, begin, wait_for_all};
use crate::dice::Dice;
use crate::disk::Disk;
use crate::faulty::{Faulty, GATE};
use crate::model::Model;
use crate::plan::{FAULTS, Plan};
use crate::script::{Asked, Request, Script};
use crate::seen::Seen;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tillbox_core::audit::WalletAudit;
use tillbox_core::entry::Entry;
use tillbox_core::id_source::IdSource;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tillbox_engine::clock::{Clock, ManualClock, MerchantClock};
use tillbox_engine::work::{Answer, OpenSubmission, Submission, SubmitError};
use tillbox_engine::{Engine, LaneEnd, Options};

/// Rounds in which something may go wrong.
const ROUNDS: i64 = 40;
/// Requests of a round at most.
const MOST: i64 = 14;

/// How often the provider must speak in the end, at most, until no payment is open.
const LAST_WORDS: usize = 20;

/// What a key was used for.
pub(crate) enum Done {
    /// A row.
    Row(Arc<Entry>),
    /// An answer that is stored whole.
    Answer(String),
}

/// An engine, and the thread of its lane.
type Running<D> = (Engine<Faulty<<D as Disk>::Store>>, JoinHandle<LaneEnd>);

/// Clients, engine, store and model.
pub(crate) struct World<D: Disk> {
    pub(crate) disk: D,
    clock: Arc<ManualClock>,
    plan: Arc<Mutex<Plan>>,
    /// Holds up the engine while the pieces of a round are queued.
    gate: Arc<Barrier>,
    running: Option<Running<D>>,
    pub(crate) models: BTreeMap<i64, Model>,
    pub(crate) audits: BTreeMap<i64, WalletAudit>,
    /// What became of every key that did something.
    pub(crate) keys: HashMap<[u8; 16], Done>,
    pub(crate) script: Script,
    /// What has no answer yet.
    pub(crate) unanswered: VecDeque<Asked>,
    pub(crate) seen: Seen,
    /// What happened, where somebody wants to know.
    pub(crate) trace: Option<Arc<Mutex<Vec<String>>>>,
}

impl<D: Disk> World<D> {
    pub(crate) fn new(seed: u64, trace: Option<Arc<Mutex<Vec<String>>>>) -> Self {
        let mut world = Self {
            disk: D::new(),
            clock: Arc::new(ManualClock::at(START)),
            plan: Arc::default(),
            gate: Arc::new(Barrier::new(2)),
            running: None,
            models: BTreeMap::new(),
            audits: BTreeMap::new(),
            keys: HashMap::new(),
            script: Script::new(seed),
            unanswered: VecDeque::new(),
            seen: Seen::default(),
            trace,
        };
        world.start();
        world
    }

    /// All rounds, and the end without faults.
    pub(crate) fn run(mut self) -> Self {
        for _ in 0..ROUNDS {
            self.round(true);
        }
        self.heal();
        self
    }

    fn start(&mut self) {
        let store = Faulty::new(self.disk.open(), &self.plan, &self.gate);
        let options = Options {
            clock: Arc::<ManualClock>::clone(&self.clock),
            ids: Arc::new(IdSource::after(self.disk.highest_id())),
            salt_key: [7; 32],
            queue: 1_024,
            batch: 1_024,
            cache_bytes: if self.script.dice.chance(30) {
                1
            } else {
                1 << 20
            },
            runtime: None,
        };
        self.running = Some(Engine::start(store, options).expect("a thread is started"));
    }

    pub(crate) fn engine(&self) -> Engine<Faulty<D::Store>> {
        let (engine, _) = self.running.as_ref().expect("it runs");
        engine.clone()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            let mut lines = trace.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(what());
        }
    }

    /// One round; `faulty` says whether something may go wrong.
    fn round(&mut self, faulty: bool) {
        self.move_clock();
        let now = self.now();
        if faulty && self.script.dice.chance(25) {
            self.play_unheard(now);
        }
        let mut round: Vec<Asked> = self.unanswered.drain(..).collect();
        for _ in 0..self.script.dice.roll(1, MOST) {
            if faulty || round.is_empty() {
                round.push(self.script.ask(now));
            }
            if self.script.dice.chance(8)
                && let Some(twice) = round.last().cloned()
            {
                round.push(twice);
            }
        }
        let plan = if faulty && self.script.dice.chance(50) {
            draw_plan(&mut self.script.dice, &round)
        } else {
            Plan::default()
        };
        self.play(&round, plan);
    }

    /// A caller that asks, and is gone before it is answered.
    fn play_unheard(&mut self, now: Timestamp) {
        let asked = Asked {
            hangs_up: true,
            ..self.script.ask(now)
        };
        self.tell(|| format!("a caller hangs up at {now}"));
        let engine = self.engine();
        match &asked.request {
            Request::Command(one) => begin(engine.submit(one.as_ref().clone())),
            Request::Open(one) => begin(engine.open_wallet(one.as_ref().clone())),
        }
        // The queue is in order: what is read behind it is read when it is done.
        self.come_by();
        let unheard = [Err(SubmitError::OutcomeUnknown)];
        self.judge(&[asked], &unheard, &Plan::default(), now);
        self.compare(now);
    }

    /// Sends requests, judges what comes of them, and looks at everything.
    fn play(&mut self, round: &[Asked], plan: Plan) {
        let now = self.now();
        self.tell(|| {
            let fault = if plan.fault.is_empty() {
                "nothing"
            } else {
                plan.fault
            };
            format!("round at {now}, fault: {fault}")
        });
        let answers = self.answers(round, plan);
        assert_eq!(answers.len(), round.len(), "each request has an answer");
        let plan = std::mem::take(&mut *self.plan());
        self.settle(&plan);
        self.judge(round, &answers, &plan, now);
        self.compare(now);
    }

    /// What the engine answers to a round, of which the plan comes true. It takes all of it into one batch.
    fn answers(&self, round: &[Asked], plan: Plan) -> Vec<Answer> {
        let pieces = pieces(round);
        let engine = self.engine();
        let is_held_up = pieces.len() > 1;
        if is_held_up {
            begin(engine.read(MERCHANT, GATE, MerchantClock::default(), |_, _| ()));
            self.gate.wait();
        }
        *self.plan() = plan;
        let answers = pieces.into_iter().map(|piece| {
            let engine = engine.clone();
            async move {
                match piece {
                    Piece::Commands(many) => engine.submit_many(many).await,
                    Piece::Open(one) => vec![engine.open_wallet(*one).await],
                }
            }
        });
        let answers = wait_for_all(answers, || {
            if is_held_up {
                self.gate.wait();
            }
        });
        answers.into_iter().flatten().collect()
    }

    /// Waits until all that is queued is done.
    fn come_by(&self) {
        let engine = self.engine();
        let read = engine.read(MERCHANT, GATE, MerchantClock::default(), |_, _| ());
        wait_for_all(std::iter::once(read), || {
            self.gate.wait();
            self.gate.wait();
        });
    }

    /// Time goes on, mostly; at times the machine's clock jumps back.
    fn move_clock(&mut self) {
        let dice = &mut self.script.dice;
        let seconds = match dice.roll(0, 19) {
            0..=7 => 0,
            8..=13 => dice.roll(1, 600),
            14..=15 => dice.roll(600, 10_000),
            16..=17 => dice.roll(1, 9) * 86_400,
            18 => -dice.roll(1, 5_000),
            _ => dice.roll(-40, 40) * 86_400,
        };
        self.clock.set(self.now().plus_seconds(seconds));
    }

    /// A lane that ended is replaced; at times a sound one is, too.
    fn settle(&mut self, plan: &Plan) {
        if plan.struck {
            let (_, thread) = self.running.take().expect("it ran");
            let end = thread.join();
            if plan.fault.starts_with("crash") {
                assert!(end.is_err(), "it crashed");
            } else {
                assert!(matches!(end, Ok(LaneEnd::Poisoned(_))), "it ends poisoned");
            }
            self.start();
        } else if self.script.dice.chance(5) {
            self.restart();
        }
    }

    fn restart(&mut self) {
        self.stop();
        self.start();
    }

    fn stop(&mut self) {
        let (engine, thread) = self.running.take().expect("it runs");
        engine.stop();
        let end = thread.join().expect("the lane does not panic");
        assert_eq!(end, LaneEnd::Stopped);
    }

    /// Nothing fails any more: everybody is answered, every payment ends, and all that is due is booked.
    fn heal(&mut self) {
        self.round(false);
        self.round(false);
        assert!(
            self.unanswered.is_empty(),
            "without faults everybody is answered"
        );
        let last = self.models.values().map(|model| model.last_at).max();
        self.clock
            .set(self.now().max(last.unwrap_or(START)).plus_days(100));
        let sweeps = self.models.keys();
        let sweeps = sweeps.map(|number| self.script.sweep_of(*number));
        let sweeps: Vec<Asked> = sweeps.collect();
        self.play(&sweeps, Plan::default());
        for _ in 0..LAST_WORDS {
            // What is paid may make room for the next charge.
            let payments = self.script.last_word_of_provider(&self.models);
            if !payments.is_empty() {
                self.play(&payments, Plan::default());
            }
        }
        for (number, model) in &self.models {
            model.expect_peace(*number);
        }
        self.restart();
        let shown = self.compare(self.now());
        self.stop();
        let audits = std::mem::take(&mut self.audits).into_values();
        self.disk.audit(audits.zip(shown).collect());
    }
}

/// What goes into the queue as one.
enum Piece {
    Commands(Vec<Submission>),
    Open(Box<OpenSubmission>),
}

/// Commands beside each other are one piece.
fn pieces(round: &[Asked]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for asked in round {
        match (&asked.request, pieces.last_mut()) {
            (Request::Command(one), Some(Piece::Commands(many))) => many.push(one.as_ref().clone()),
            (Request::Command(one), _) => pieces.push(Piece::Commands(vec![one.as_ref().clone()])),
            (Request::Open(one), _) => pieces.push(Piece::Open(one.clone())),
        }
    }
    pieces
}

fn draw_plan(dice: &mut Dice, round: &[Asked]) -> Plan {
    let fault = *dice.pick(&FAULTS).expect("some");
    let bad = dice.pick(round).and_then(Asked::key);
    Plan {
        fault,
        after: dice.roll(0, 5),
        chance: dice.roll(0, 1 << 40).unsigned_abs(),
        bad: bad.filter(|_| fault == "bad row"),
        struck: false,
    }
}

/// Looks at all wallets through the engine.
pub(crate) fn look<D: Disk>(world: &World<D>) -> Vec<WalletState> {
    let engine = world.engine();
    let reads = world.models.keys().map(|number| {
        let (engine, clock) = (engine.clone(), crate::script::clock_of(*number));
        let id = crate::client::wallet(*number);
        async move {
            engine
                .read(MERCHANT, id, clock, |state, _| state.clone())
                .await
        }
    });
    let seen = wait_for_all(reads, || ()).into_iter();
    seen.map(|one| one.expect("a wallet is read")).collect()
}
