//! The rules of money, pure: no clock, no randomness, no I/O, no floats.
//!
//! - [`amount`], [`currency`], [`id`], [`time`], [`reason`]: the words.
//! - [`lot`], [`hold`], [`debt`], [`wallet`]: what a wallet is made of, with its invariants.
//! - [`command`] → [`decide()`] → [`entry::Event`] → [`entry::seal`] → [`entry::Entry`] →
//!   [`wallet::WalletState::apply`]: the way of every change. [`rejection`] names what is refused.
//! - [`rating`]: what usage costs. [`top_up`], [`recharge`]: money in, and when a wallet is topped up by itself.
//!   [`payback`]: what goes back of it. [`alerts`]: when a balance is low. [`policy`]: what a merchant's settings say.
//! - [`journal`]: the log as double entry, over a fixed chart of accounts.
//! - [`audit`]: whether the rows of a wallet, as stored, keep all of these rules.
#![warn(
    missing_docs,
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm
)]
#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        reason = "a test may overflow: it fails then"
    )
)]

pub mod alerts;
pub mod amount;
mod apply;
pub mod audit;
pub mod bugs;
pub mod command;
pub mod currency;
pub mod debt;
pub mod decide;
mod draw;
pub mod entry;
pub mod hold;
pub mod id;
pub mod id_source;
pub mod journal;
pub mod lot;
pub mod payback;
pub mod policy;
pub mod rating;
pub mod reason;
pub mod recharge;
pub mod rejection;
pub mod time;
pub mod top_up;
pub mod wallet;

pub use decide::decide;
