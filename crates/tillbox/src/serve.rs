//! `tillbox serve`: opens the database, starts the ledger, serves until told to stop.

use crate::config::{self, ConfigArgument};
use anyhow::{Context, Result, bail};
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tillbox_engine::LaneEnd;
use tillbox_engine::clock::SteadyClock;
use tillbox_service::{BootstrapKey, PublicUrl, Restored, Running, Service, ServiceOptions};

/// What `serve` may be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the ledger is: sqlite:PATH. Made if it is missing; sqlite:./tillbox-data/tillbox.db unless told otherwise.
    #[arg(long, env = "TILLBOX_DATABASE", value_name = "URL")]
    database: Option<String>,
    /// Where to listen: HOST:PORT, 127.0.0.1:8420 unless told otherwise. Port 0 takes a free one.
    #[arg(long, env = "TILLBOX_LISTEN", value_name = "ADDR")]
    listen: Option<String>,
    /// Where people reach this server, for links in pages and messages: a scheme and a host. Where it
    /// listens, unless told otherwise.
    #[arg(long, env = "TILLBOX_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// What to log, to stderr: "info" unless told otherwise, or such as "warn" or "debug".
    #[arg(long, env = "TILLBOX_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Memory for wallets, in MiB: 128 unless told otherwise.
    #[arg(long, value_name = "MIB")]
    cache_mib: Option<usize>,
    /// API key of the test merchant that is made when the database holds none: `tb_test_` and at least 24 letters
    /// and digits. Better set in the environment, as other users see the flags of a process.
    #[arg(
        long,
        env = "TILLBOX_BOOTSTRAP_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    bootstrap_key: Option<String>,
    /// Where `/metrics` is: HOST:PORT. Nowhere unless told; anybody who reaches it may read it.
    #[arg(long, env = "TILLBOX_METRICS_LISTEN", value_name = "ADDR")]
    metrics_listen: Option<String>,
    /// Takes a database that has lost its end, or is another one, as its anchor tells: once, behind a copy that was
    /// restored on purpose. It is noted in the database.
    #[arg(long)]
    accept_restored: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Memory for wallets where nobody says otherwise.
pub(crate) const DEFAULT_CACHE_MIB: usize = 128;
/// How long requests may take to finish once the process is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// How long callers are told that the ledger has ended, before the process does.
const TELL_WITHIN: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or Ctrl-C.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    let file = config::read(arguments.config.config.as_deref())?;
    let log = arguments
        .log
        .or(file.log)
        .unwrap_or_else(|| "info".to_owned());
    start_log(&log)?;
    let database = arguments
        .database
        .or(file.database)
        .unwrap_or_else(|| config::DEFAULT_DATABASE.to_owned());
    let listen = arguments
        .listen
        .or(file.listen)
        .unwrap_or_else(|| config::DEFAULT_LISTEN.to_owned());
    let cache_mib = arguments
        .cache_mib
        .or(file.cache_mib)
        .unwrap_or(DEFAULT_CACHE_MIB);

    let public_url = arguments
        .public_url
        .or(file.public_url)
        .map(|url| {
            PublicUrl::parse(&url).with_context(|| format!("the public URL {url:?} is not right"))
        })
        .transpose()?;
    let given = arguments
        .bootstrap_key
        .as_deref()
        .map(BootstrapKey::parse)
        .transpose();
    let given = given.context("TILLBOX_BOOTSTRAP_KEY is not right")?;
    let is_given = given.is_some();
    let bootstrap = match given {
        Some(key) => key,
        None => BootstrapKey::generate(random()?),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime can't be started")?;
    // Before the database is opened: a taken port must not cost the one look at the key.
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(&listen))
        .with_context(|| format!("can't listen on {listen:?}, which must be a free HOST:PORT"))?;
    let public_url = match public_url {
        Some(url) => url,
        None => PublicUrl::of_listener(address_of(&listener)?),
    };
    let metrics = arguments
        .metrics_listen
        .or(file.metrics_listen)
        .map(|address| {
            let bound = runtime.block_on(tokio::net::TcpListener::bind(&address));
            bound.with_context(|| {
                format!("can't listen on {address:?} for metrics: it must be a free HOST:PORT")
            })
        })
        .transpose()?;
    let restored = if arguments.accept_restored {
        Restored::Accept
    } else {
        Restored::Refuse
    };
    let running = start(
        &database,
        cache_mib,
        public_url,
        bootstrap.clone(),
        restored,
        runtime.handle(),
    )?;
    if is_given && running.service.authenticate(bootstrap.reveal()).is_none() {
        tracing::warn!("TILLBOX_BOOTSTRAP_KEY is not used: the database has a merchant already");
    }
    if running.bootstrapped && !is_given {
        println!(
            "A test merchant was made. Its API key, shown only this once:\n\n  {}\n",
            bootstrap.reveal()
        );
    }
    runtime.block_on(serve(running, listener, metrics))
}

/// Starts the service on a database.
pub(crate) fn start(
    database: &str,
    cache_mib: usize,
    public_url: PublicUrl,
    bootstrap: BootstrapKey,
    restored: Restored,
    runtime: &tokio::runtime::Handle,
) -> Result<Running> {
    let options = ServiceOptions {
        database: database.to_owned(),
        clock: Arc::new(SteadyClock::of_machine()),
        random: random()?,
        cache_bytes: cache_mib.saturating_mul(1024 * 1024),
        runtime: Some(runtime.clone()),
        public_url,
        bootstrap,
        restored,
    };
    Service::start(options)
        .map_err(config::plainly)
        .with_context(|| format!("the database {database} can't be opened"))
}

/// Random bytes from the operating system.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks for random bytes: keys and the process's secret"
)]
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|why| anyhow::anyhow!("no random bytes: {why}"))?;
    Ok(bytes)
}

/// Serves until SIGTERM, Ctrl-C or the end of the ledger.
/// `metrics`: where `/metrics` is, if anywhere.
pub(crate) async fn serve(
    running: Running,
    listener: tokio::net::TcpListener,
    metrics: Option<tokio::net::TcpListener>,
) -> Result<ExitCode> {
    let Running {
        service, ledger, ..
    } = running;
    let address = address_of(&listener)?;
    let (ended, ledger_end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || drop(ended.send(ledger.join())));
    let jobs = tokio::spawn(Arc::clone(&service).run_jobs());
    let books = tokio::spawn(Arc::clone(&service).run_books());
    let payments = tokio::spawn(Arc::clone(&service).run_payments());
    let notices = tokio::spawn(service.sandbox().clone().run_notices());
    println!("Tillbox listens on http://{address}");

    let (stop, stopped) = tokio::sync::watch::channel(false);
    let web = tokio::spawn(tillbox_web::serve(
        listener,
        Arc::clone(&service),
        stopped.clone(),
        STOP_WITHIN,
    ));
    if let Some(listener) = metrics {
        println!("Metrics are on http://{}/metrics", address_of(&listener)?);
        tokio::spawn(tillbox_web::serve_metrics(
            listener,
            Arc::clone(&service),
            stopped,
            STOP_WITHIN,
        ));
    }
    let mut ledger_end = ledger_end;
    let end = tokio::select! {
        signal = told_to_stop() => {
            signal?;
            tracing::info!("stopping: finishing what is queued");
            None
        }
        end = &mut ledger_end => Some(end),
    };
    stop.send_replace(true);
    let web = async {
        web.await.context("the server ended unexpectedly")??;
        anyhow::Ok(())
    };
    if end.is_none() {
        web.await?;
    } else if tokio::time::timeout(TELL_WITHIN, web).await.is_err() {
        tracing::warn!("some callers were not told that the ledger has ended");
    }
    jobs.abort();
    books.abort();
    payments.abort();
    notices.abort();
    service.stop();
    let end = match end {
        Some(end) => end,
        None => ledger_end.await,
    };
    match end {
        Ok(Ok(LaneEnd::Stopped)) => Ok(ExitCode::SUCCESS),
        Ok(Ok(LaneEnd::Poisoned(why))) => bail!(
            "the outcome of a commit is unknown ({why}): start again, and the ledger will tell"
        ),
        Ok(Err(_panic)) => {
            bail!("the ledger's thread panicked: start again, and run `tillbox verify`")
        }
        Err(_dropped) => bail!("the ledger's end is not known"),
    }
}

fn address_of(listener: &tokio::net::TcpListener) -> Result<std::net::SocketAddr> {
    listener.local_addr().context("the address is not known")
}

async fn told_to_stop() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be watched")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("Ctrl-C can't be watched"),
    }
}

pub(crate) fn start_log(filter: &str) -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .map_err(|why| anyhow::anyhow!("the log filter {filter:?} is not right: {why}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
