//! The API in process, over a real store: its forms and conventions. What it does to money is shown by the
//! tests of the binary.

mod api_keys;
mod app;
mod audit_log;
mod bodies;
mod books;
mod connections;
mod dice;
mod documents;
mod dry_runs;
mod erasure;
mod events;
mod expiry;
mod explain;
mod fuzz;
mod golden;
mod history;
mod lists;
mod notices;
mod orders;
mod paybacks;
mod payment_links;
mod payment_methods;
mod portal;
mod recharge_races;
mod replays;
mod sandbox_faults;
mod signed_notices;
mod storm;
mod verify;
mod ways_out;
