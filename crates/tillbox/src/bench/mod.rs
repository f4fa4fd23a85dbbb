//! `tillbox bench`: measures this machine and prints a table.
//!
//! Everything is durable (SQLite, WAL, `synchronous=FULL`), keys are random, and a million transactions are
//! stored before anything is measured, unless told otherwise. The server runs as a process of its own, the
//! load generator in this one, on the same cores.

mod http;
mod in_process;
mod report;
mod server;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use report::{Figure, Table};
use server::Server;
use std::process::ExitCode;
use std::time::Duration;

/// What `bench` may be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Seconds that each figure is measured for.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Transactions stored before measuring.
    #[arg(long, default_value_t = 1_000_000)]
    stored: usize,
    /// Wallets known to the ledger.
    #[arg(long, default_value_t = 100_000)]
    wallets: usize,
    /// Connections of the HTTP load.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Commands that wait at the engine, in process.
    #[arg(long, default_value_t = 1_024)]
    waiting: usize,
    /// Answers as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs all of it in a temporary folder, which is removed at the end.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = Folder::new()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime can't be started")?;
    let table = runtime.block_on(measure(arguments, &folder))?;
    if arguments.json {
        println!("{}", table.to_json());
    } else {
        println!("{table}");
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(arguments: &Arguments, folder: &Folder) -> Result<Table> {
    let mut table = Table::default();
    let length = Duration::from_secs(arguments.seconds);
    let server = Server::start(folder.database()).await?;
    let wallets = http::open_wallets(
        &server,
        arguments.wallets,
        &bar("opening wallets", arguments.wallets),
    )
    .await?;
    http::store_transactions(
        &server,
        &wallets,
        arguments.stored,
        &bar("storing transactions", arguments.stored),
    )
    .await?;

    let many = arguments.connections;
    let hot = &wallets[..1];
    let spinner = |what: &str| {
        let bar = ProgressBar::new_spinner().with_message(format!("measuring {what}"));
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    };
    let runs: [(String, &[String], usize, http::Kind); 6] = [
        (
            "HTTP debit, hot wallet, 1 connection".to_owned(),
            hot,
            1,
            http::Kind::Debit,
        ),
        (
            format!("HTTP debit, hot wallet, {many} connections"),
            hot,
            many,
            http::Kind::Debit,
        ),
        (
            format!("HTTP debit, {} wallets, {many} connections", wallets.len()),
            &wallets,
            many,
            http::Kind::Debit,
        ),
        (
            format!("HTTP balance, {many} connections"),
            hot,
            many,
            http::Kind::Balance,
        ),
        (
            "HTTP batches of 100 debits, hot wallet, 8 connections".to_owned(),
            hot,
            8,
            http::Kind::Batch(100),
        ),
        (
            format!(
                "HTTP batches of 100 debits, {} wallets, 8 connections",
                wallets.len()
            ),
            &wallets,
            8,
            http::Kind::Batch(100),
        ),
    ];
    for (name, wallets, connections, kind) in runs {
        let spinner = spinner(&name);
        let latencies = http::run(&server, wallets, connections, kind, length).await?;
        spinner.finish_and_clear();
        table.add(Figure::new(name, latencies, kind.operations(), length));
    }
    table.note(format!(
        "server memory: {} MiB with {} wallets known",
        server.memory_mib()?,
        wallets.len()
    ));
    let key = server.key().to_owned();
    server.stop().await?;

    let engine = in_process::Ledger::start(&folder.database(), &key)?;
    let hot = engine.ids(&wallets[..1])?;
    let all = engine.ids(&wallets)?;
    for (name, wallets) in [
        ("in process, hot wallet".to_owned(), hot),
        (format!("in process, {} wallets", all.len()), all),
    ] {
        let name = format!("{name}, {} waiting", arguments.waiting);
        let spinner = spinner(&name);
        let latencies = engine.run(&wallets, arguments.waiting, length).await?;
        spinner.finish_and_clear();
        table.add(Figure::new(name, latencies, 1, length));
    }
    engine.stop()?;
    Ok(table)
}

fn bar(what: &str, length: usize) -> ProgressBar {
    let bar =
        ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX)).with_message(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{msg:22} {bar:40} {pos}/{len}  {per_sec}") {
        bar.set_style(style);
    }
    bar
}

/// What a stopwatch shows: measuring is what this command is for.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads a stopwatch"
)]
fn stopwatch() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// A folder that is removed when the run ends, however it ends.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let name = format!("tillbox-bench-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)
            .with_context(|| format!("{} can't be made", path.display()))?;
        Ok(Self(path))
    }

    fn database(&self) -> String {
        format!("sqlite:{}", self.0.join("bench.db").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It lies in the system's temporary folder: what can't be removed is removed with that.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
