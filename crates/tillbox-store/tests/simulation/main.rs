//! The ledger under every fault: engine and store, driven by a script from a seed, followed by a simple model.
//!
//! Rounds: some requests go into one batch, under at most one fault; all answers are awaited; then
//! the model reads the new durable rows beside the requests in their order, and says for each whether its
//! answer was right. A lane that ended is started anew on what is durable, and clients ask again, under the
//! same keys, whatever they have no answer for. Nothing runs beside anything else, so a seed is a whole run.
//! In the end nothing fails any more: then everybody must be answered, every payment, payout and dispute end, and all
//! that is due be booked.
//!
//! Both stores run the same seeds: the one in memory, which is quick, and SQLite on a file, whose crashes leave
//! the file as a power cut would.
//!
//! - `TILLBOX_SIM_SEED=n` replays one seed on both stores and prints what happened in it.
//! - `TILLBOX_SIM_SEEDS=n` sets how many are run in memory, `TILLBOX_SIM_SQLITE_SEEDS=n` on SQLite.
//! - `TILLBOX_SIM_TABLE=1` prints how often each operation met each fault and each answer.

#[cfg(test)]
mod client;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod faulty;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod model;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod run;
#[cfg(test)]
mod script;
#[cfg(test)]
mod seen;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod world;
