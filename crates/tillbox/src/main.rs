//! The `tillbox` binary: reads the command line and calls the rooms behind it.

#![expect(
    clippy::print_stdout,
    reason = "a command line answers on standard output"
)]

mod bench;
mod config;
mod demo;
mod keys;
mod serve;
mod verify;

#[cfg(test)]
mod rooms;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// What one thread makes and another drops, as every command is, costs little with it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A prepaid wallet server: balances, holds and priced usage over HTTP, on an embedded ledger.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the HTTP API, until it is told to stop.
    Serve(serve::Arguments),
    /// Shows it with some customers and 90 days of history, in a temporary folder. Begin here.
    Demo(demo::Arguments),
    /// Proves that a ledger is whole, also while a server writes it: chain, balances, lots, holds, keys.
    Verify(verify::Arguments),
    /// API keys: makes, lists and voids them.
    Keys(keys::Arguments),
    /// Measures this machine, in a temporary folder: durable debits over HTTP and in process.
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Keys(arguments) => keys::run(arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tillbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}
