//! `tillbox bench`: measures this machine and prints a table.
//!
//! Everything is durable (SQLite, WAL, `synchronous=FULL`), keys are random, and a million transactions are
//! stored before anything is measured, unless told otherwise. In process the load runs beside the ledger's thread;
//! over HTTP the server runs as a process of its own, the load generator in this one, on the same cores.

mod chart;
mod fill;
mod http;
mod in_process;
mod report;
mod row_lock;
mod server;

use anyhow::{Context, Result};
use in_process::Ledger;
use indicatif::{ProgressBar, ProgressStyle};
use report::{Figure, Group, Table};
use server::Server;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tillbox_core::id::WalletId;
use tillbox_store::sqlite;

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
    #[arg(long, default_value_t = 200_000)]
    wallets: usize,
    /// Connections of the HTTP load.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Commands that wait at the engine, in process.
    #[arg(long, default_value_t = 1_024)]
    waiting: usize,
    /// Leaves out what goes over HTTP.
    #[arg(long)]
    in_process: bool,
    /// Measures the growth instead: in process, with a hundredth, a tenth and all of `--stored`.
    #[arg(long)]
    growth: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Measures nothing: draws the figures of a run with `--json` that was kept in this file, as SVG.
    #[arg(long)]
    draw: Option<PathBuf>,
}

/// Runs all of it in a temporary folder, which is removed at the end.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(kept) = &arguments.draw {
        let text = std::fs::read_to_string(kept)
            .with_context(|| format!("{} can't be read", kept.display()))?;
        println!("{}", chart::draw(&text)?);
        return Ok(ExitCode::SUCCESS);
    }
    let folder = Folder::new()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime can't be started")?;
    let bench = Bench {
        arguments,
        folder: &folder,
        key: tillbox_service::BootstrapKey::generate(crate::serve::random()?)
            .reveal()
            .to_owned(),
        length: Duration::from_secs(arguments.seconds),
    };
    let table = runtime.block_on(bench.measure())?;
    if arguments.json {
        println!("{}", table.to_json());
    } else {
        println!("{table}");
    }
    Ok(ExitCode::SUCCESS)
}

struct Bench<'a> {
    arguments: &'a Arguments,
    folder: &'a Folder,
    key: String,
    length: Duration,
}

impl Bench<'_> {
    async fn measure(&self) -> Result<Table> {
        let mut table = Table::default();
        let database = self.folder.database();
        let ledger = Ledger::start(&database, &self.key)?;
        let count = self.arguments.wallets;
        let wallets = ledger
            .open_wallets(count, &bar("opening wallets", count))
            .await?;
        let stored = self.arguments.stored;
        if self.arguments.growth {
            let mut known = 0;
            for part in [stored / 100, stored / 10, stored] {
                store(&ledger, &wallets, part - known).await?;
                known = part;
                let behind = format!(", {part} stored");
                self.in_process(&ledger, &wallets, &behind, &mut table)
                    .await?;
            }
        } else {
            store(&ledger, &wallets, stored).await?;
            self.in_process(&ledger, &wallets, "", &mut table).await?;
        }
        ledger.close_books().await?;
        ledger.stop()?;
        table.note(verify(&database)?);
        let (server, started) = Server::start(&database, &self.key).await?;
        table.note(format!("start with all of it: {} ms", started.as_millis()));
        if !self.arguments.in_process && !self.arguments.growth {
            let wallets: Vec<String> = wallets.iter().map(WalletId::to_string).collect();
            self.over_http(&server, &wallets, &mut table).await?;
        }
        table.note(format!(
            "server memory: {} MiB with {} wallets known",
            server.memory_mib()?,
            wallets.len()
        ));
        server.stop().await?;
        if !self.arguments.growth {
            self.row_lock(&mut table)?;
        }
        Ok(table)
    }

    async fn in_process(
        &self,
        ledger: &Ledger,
        wallets: &[WalletId],
        behind: &str,
        table: &mut Table,
    ) -> Result<()> {
        let waiting = self.arguments.waiting;
        for wallets in [&wallets[..1], wallets] {
            let name = format!(
                "in process, {}, {waiting} waiting{behind}",
                wallets_of(wallets.len())
            );
            let spinner = spinner(&format!("measuring {name}"));
            let latencies = ledger.run(wallets, waiting, self.length).await?;
            spinner.finish_and_clear();
            table.add(Figure::new(
                Group::InProcess,
                name,
                latencies,
                1,
                self.length,
            ));
        }
        Ok(())
    }

    async fn over_http(
        &self,
        server: &Server,
        wallets: &[String],
        table: &mut Table,
    ) -> Result<()> {
        const BATCH: usize = 100;
        const BATCHES: usize = 8;
        let many = self.arguments.connections;
        let hot = &wallets[..1];
        let debit = http::Kind::Debit;
        let batch = http::Kind::Batch(BATCH);
        let debits = |wallets: &[String], connections: usize| {
            let plural = if connections == 1 { "" } else { "s" };
            format!(
                "HTTP debit, {}, {connections} connection{plural}",
                wallets_of(wallets.len())
            )
        };
        let batches = |wallets: &[String]| {
            format!(
                "HTTP batches of {BATCH} debits, {}, {BATCHES} connections",
                wallets_of(wallets.len())
            )
        };
        // What is measured is a server that runs, not one that has just started.
        let first = spinner("debiting each wallet once");
        let took = http::debit_each(server, wallets, BATCHES, BATCH).await?;
        first.finish_and_clear();
        table.note(format!(
            "first debit of each wallet behind the start, in batches of {BATCH}: {} per second",
            per_second(wallets.len(), took)
        ));
        let (begin, end) = http::life_of(server, &wallets[0]).await?;
        let runs = [
            (debits(hot, 1), hot, 1, debit),
            (debits(hot, many), hot, many, debit),
            (debits(wallets, many), wallets, many, debit),
            (
                format!("HTTP balance, {many} connections"),
                hot,
                many,
                http::Kind::Balance,
            ),
            (
                "HTTP balance as of a past instant, hot wallet, 1 connection".to_owned(),
                hot,
                1,
                http::Kind::Past(begin, end),
            ),
            (batches(hot), hot, BATCHES, batch),
            (batches(wallets), wallets, BATCHES, batch),
        ];
        for (name, wallets, connections, kind) in runs {
            let spinner = spinner(&format!("measuring {name}"));
            let latencies = http::run(server, wallets, connections, kind, self.length).await?;
            spinner.finish_and_clear();
            let group = match kind {
                http::Kind::Balance | http::Kind::Past(..) => Group::Reads,
                http::Kind::Debit | http::Kind::Batch(_) => Group::Http,
            };
            table.add(Figure::new(
                group,
                name,
                latencies,
                kind.operations(),
                self.length,
            ));
        }
        Ok(())
    }

    /// The usual way, in a database of its own.
    fn row_lock(&self, table: &mut Table) -> Result<()> {
        for wallets in [1, self.arguments.wallets] {
            let name = format!("a transaction for each debit, {}", wallets_of(wallets));
            let spinner = spinner(&format!("measuring {name}"));
            let url = self.folder.other(&format!("row-lock-{wallets}"));
            let latencies = row_lock::run(&url, wallets, self.length)?;
            spinner.finish_and_clear();
            table.add(Figure::new(Group::RowLock, name, latencies, 1, self.length));
        }
        Ok(())
    }
}

/// Stores transactions, and has them read for reports, which else goes on while something is measured.
async fn store(ledger: &Ledger, wallets: &[WalletId], count: usize) -> Result<()> {
    let bar = bar("storing transactions", count);
    ledger.store_transactions(wallets, count, &bar).await?;
    let spinner = spinner("reading them for reports");
    ledger.close_books().await?;
    spinner.finish_and_clear();
    Ok(())
}

/// Audits all that was stored.
fn verify(database: &str) -> Result<String> {
    let bar = bar("verifying", 0);
    let report = sqlite::verify::verify(&sqlite::path_of(database)?, &mut |now| {
        bar.set_length(now.rows_total);
        bar.set_position(now.rows);
    })?;
    bar.finish_and_clear();
    anyhow::ensure!(
        report.violations.is_empty(),
        "the ledger is broken: {report}"
    );
    let rows = usize::try_from(report.rows)?;
    let rate = per_second(rows, report.took);
    Ok(format!("verify: {rows} rows, {rate} rows/s"))
}

fn per_second(count: usize, took: Duration) -> u128 {
    let count = u128::try_from(count).unwrap_or(u128::MAX);
    count.saturating_mul(1_000) / took.as_millis().max(1)
}

fn wallets_of(count: usize) -> String {
    match count {
        1 => "hot wallet".to_owned(),
        count => format!("{count} wallets"),
    }
}

fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
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
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let name = format!("tillbox-bench-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)
            .with_context(|| format!("{} can't be made", path.display()))?;
        Ok(Self(path))
    }

    fn database(&self) -> String {
        self.other("bench")
    }

    fn other(&self, name: &str) -> String {
        format!("sqlite:{}", self.0.join(format!("{name}.db")).display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It lies in the system's temporary folder: what can't be removed is removed with that.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
