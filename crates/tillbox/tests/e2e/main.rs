//! The real binary over HTTP, held to its contract from the outside.
//!
//! Each test starts a server of its own on an empty database. `scenarios` runs the cases that are data (`tests/data`),
//! the other modules what needs threads, kills or bytes. No crate of the project is used here.
//!
//! `cargo test -p tillbox --test e2e` runs all of it; `TILLBOX_E2E_BINARY=$PWD/target/release/tillbox` before it runs the
//! same against another binary, and `TILLBOX_CRASH_ROUNDS=20` makes the crashes many (`crash`).

mod anchor;
mod answer;
mod bad_ids;
mod bad_input;
mod bad_requests;
mod client;
mod clock;
mod corruption;
mod crash;
mod credentials;
mod demo;
mod events;
mod given;
mod hang_ups;
mod keys;
mod lists;
mod load;
mod matching;
mod portal;
mod process;
mod races;
mod random;
mod raw;
mod real_input;
mod recomputation;
mod replays;
mod scenario;
mod scenarios;
mod server;
mod shipped_bugs;
mod syscalls;
mod usage_month;
mod usage_rows;
mod wait;
