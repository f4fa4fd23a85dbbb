//! Runs of seeds, on all cores.

use crate::disk::Disk;
use crate::memory::MemoryDisk;
use crate::seen::Seen;
use crate::sqlite::SqliteDisk;
use crate::world::World;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tillbox_engine::clock::{Clock, SystemClock};

/// Seeds on the store in memory, and on SQLite.
const SEEDS: u64 = 5_000;
const SQLITE_SEEDS: u64 = 300;
/// Lines of the trace that a failure prints.
const LAST_LINES: usize = 60;

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// A seed again, with a trace of what happened in it.
fn replay<D: Disk>(seed: u64, lines: usize) {
    let trace = Arc::new(Mutex::new(Vec::new()));
    let end = catch_unwind(AssertUnwindSafe(|| {
        World::<D>::new(seed, Some(Arc::clone(&trace))).run().seen
    }));
    let told = trace.lock().unwrap_or_else(PoisonError::into_inner);
    for line in told.iter().skip(told.len().saturating_sub(lines)) {
        println!("{line}");
    }
    if let Err(why) = end {
        resume_unwind(why);
    }
}

/// Runs seeds 1 to `count`; stops at the first that fails, which is run again to tell what happened.
fn run_all<D: Disk>(count: u64) -> Seen {
    let (next, failed) = (AtomicU64::new(1), AtomicU64::new(0));
    let work = || {
        let mut of_thread = Seen::default();
        while failed.load(Ordering::Relaxed) == 0 {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > count {
                break;
            }
            match catch_unwind(|| World::<D>::new(seed, None).run().seen) {
                Ok(met) => of_thread.add(&met),
                Err(_) => failed.store(seed, Ordering::Relaxed),
            }
        }
        of_thread
    };
    let started = SystemClock.now();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let seen = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut all = Seen::default();
        for thread in threads {
            all.add(&thread.join().expect("it catches what fails"));
        }
        all
    });
    let failed = failed.into_inner();
    if failed > 0 {
        println!("to replay it: TILLBOX_SIM_SEED={failed}");
        replay::<D>(failed, LAST_LINES);
        panic!("seed {failed} failed, and not when it was replayed");
    }
    let took = SystemClock.now().micros() - started.micros();
    let (took, requests) = (took.unsigned_abs() / 1_000, seen.requests());
    let rate = requests * 1_000 / took.max(1);
    println!("{count} seeds, {requests} commands in {took} ms on {cores} cores: {rate}/s");
    if from_environment("TILLBOX_SIM_TABLE").is_some() {
        println!("{seen}");
    }
    seen
}

/// Runs what the environment asks for. Fewer seeds than usual are for a look, and need not meet everything.
fn all_seeds<D: Disk>(variable: &str, standard: u64, demand: impl Fn(&Seen, u64)) {
    if let Some(seed) = from_environment("TILLBOX_SIM_SEED") {
        replay::<D>(seed, usize::MAX);
        return;
    }
    let count = from_environment(variable).unwrap_or(standard);
    let seen = run_all::<D>(count);
    if count >= standard {
        demand(&seen, count);
    }
}

#[test]
fn a_seed_replays_a_run_exactly() {
    let rows = |world: &World<MemoryDisk>| {
        let wallets = world
            .models
            .keys()
            .map(|number| crate::client::wallet(*number));
        let rows = wallets.flat_map(|wallet| world.disk.rows_behind(wallet, 0));
        rows.collect::<Vec<_>>()
    };
    let mut compared = 0;
    for seed in [7, 8, 9] {
        let first = World::<MemoryDisk>::new(seed, None).run();
        let again = World::<MemoryDisk>::new(seed, None).run();
        assert_eq!(first.seen, again.seen);
        compared += rows(&first).len();
        assert_eq!(rows(&first), rows(&again));
    }
    assert!(compared > 100, "{compared} rows were compared");
}

#[test]
fn engine_and_model_agree_under_every_fault() {
    all_seeds::<MemoryDisk>("TILLBOX_SIM_SEEDS", SEEDS, |seen, count| {
        seen.demand_pairs(count / 1_000);
    });
}

#[test]
fn engine_on_sqlite_and_model_agree_under_every_fault() {
    all_seeds::<SqliteDisk>("TILLBOX_SIM_SQLITE_SEEDS", SQLITE_SEEDS, |seen, count| {
        seen.demand_each(count);
    });
}
