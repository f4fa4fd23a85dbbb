//! `tillbox demo`: a merchant with some customers and 90 days of history, made by real commands under a moved clock,
//! then served. Everything lies in a temporary folder and goes with the process.

mod api;
mod customers;
mod history;
mod random;

use crate::config;
use crate::serve;
use anyhow::{Context, Result};
use api::Api;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tillbox_service::{BootstrapKey, PublicUrl, Restored};
use tokio::io::AsyncBufReadExt;

/// What `demo` may be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen: HOST:PORT. Port 0 takes a free one.
    #[arg(long, default_value = config::DEFAULT_LISTEN, value_name = "ADDR")]
    listen: String,
    /// Days of history to make.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=365), value_name = "DAYS")]
    days: u16,
    /// Keep the database in this folder, which must not hold one yet, instead of a temporary one.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Don't open the first customer's wallet in a browser.
    #[arg(long)]
    no_open: bool,
    /// Make the history and exit, without serving it.
    #[arg(long, requires = "keep")]
    only_make: bool,
}

/// Makes the history with a progress bar, prints the links, serves until told to stop.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    serve::start_log("warn")?;
    let folder = Folder::new(arguments.keep.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime can't be started")?;
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(&arguments.listen))
        .with_context(|| {
            format!(
                "can't listen on {:?}, which must be a free HOST:PORT; --listen 127.0.0.1:0 takes a free one",
                arguments.listen
            )
        })?;
    let key = BootstrapKey::generate(serve::random()?);
    let address = listener.local_addr().context("the address is not known")?;
    let public_url = PublicUrl::of_listener(address);
    let database = format!("sqlite:{}", folder.path.join("demo.db").display());
    let running = serve::start(
        &database,
        serve::DEFAULT_CACHE_MIB,
        public_url.clone(),
        key.clone(),
        Restored::Refuse,
        runtime.handle(),
    )?;
    let service = Arc::clone(&running.service);
    let outcome = runtime.block_on(async {
        let served = tokio::spawn(serve::serve(running, listener, None));
        let api = Api::new(&service, key.reveal());
        let made = make(&service, &api, arguments.days).await?;
        if arguments.only_make {
            service.stop();
            return served.await.context("the server ended unexpectedly")?;
        }
        greet(
            &api,
            &made,
            public_url.as_str(),
            key.reveal(),
            arguments.no_open,
        )
        .await?;
        let again = tokio::spawn(renew_links(api, made));
        let code = served.await.context("the server ended unexpectedly")?;
        again.abort();
        code
    });
    if arguments.only_make {
        // The ledger has ended; whoever reads the database ends with the runtime, and the last one folds its write-ahead
        // log. What is told to be made is whole in its file.
        drop(runtime);
        drop(service);
        if outcome.is_ok() {
            println!("Made in {}", folder.path.display());
        }
    } else {
        // Standard input may still be waited for: nothing of that is worth waiting for.
        runtime.shutdown_background();
    }
    outcome
}

/// A customer that was made, by name, with the id that links are made for.
struct Made {
    name: &'static str,
    about: &'static str,
    customer: String,
}

async fn make(service: &Arc<tillbox_service::Service>, api: &Api, days: u16) -> Result<Vec<Made>> {
    let bar = ProgressBar::new(u64::from(days));
    bar.set_style(
        ProgressStyle::with_template(
            "Making {len} days of history [{wide_bar}] day {pos}, {eta} left",
        )
        .unwrap_or_else(|_wrong| ProgressStyle::default_bar()),
    );
    if !std::io::stderr().is_terminal() {
        eprintln!("Making {days} days of history …");
    }
    service
        .begin_in_the_past(&api.principal, i64::from(days))
        .await
        .context("the clock can't be set back")?;
    let mut people = customers::make(api).await?;
    history::make(service, api, &mut people, days, &bar).await?;
    bar.finish_and_clear();
    Ok(people
        .into_iter()
        .map(|person| Made {
            name: person.name,
            about: person.about,
            customer: person.customer,
        })
        .collect())
}

async fn greet(api: &Api, made: &[Made], url: &str, key: &str, no_open: bool) -> Result<()> {
    println!("\nTillbox demo on {url}  (test mode: no real money moves)\n");
    let links = print_links(api, made).await?;
    println!("\n  API      {url}/docs");
    println!("  API key  {key}\n");
    println!(
        "Each link opens once, within 15 minutes. Enter makes new ones; Ctrl-C stops and forgets everything."
    );
    if let Some(first) = links
        .first()
        .filter(|_| !no_open && std::io::stdout().is_terminal())
    {
        // Without a browser there are still the links.
        drop(open::that_detached(first));
    }
    Ok(())
}

async fn print_links(api: &Api, made: &[Made]) -> Result<Vec<String>> {
    let mut links = Vec::new();
    for one in made {
        let body = json!({"customer_id": one.customer});
        let session = api.post("/v1/portal-sessions", &body).await?;
        let link = api::text(&session, "url")?;
        println!("  {:<18} {}\n  {:<18} {link}", one.name, one.about, "");
        links.push(link);
    }
    Ok(links)
}

/// New links for each line that is entered.
async fn renew_links(api: Api, made: Vec<Made>) {
    let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(_enter)) = lines.next_line().await {
        if let Err(error) = print_links(&api, &made).await {
            eprintln!("tillbox: {error:#}");
        }
    }
}

/// Where the database lies; a temporary one goes when the demo ends.
struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    fn new(keep: Option<PathBuf>) -> Result<Self> {
        let is_kept = keep.is_some();
        let path = if let Some(path) = keep {
            path
        } else {
            let random: [u8; 8] = serve::random()?;
            let name = random.map(|byte| format!("{byte:02x}")).concat();
            std::env::temp_dir().join(format!("tillbox-demo-{name}"))
        };
        anyhow::ensure!(
            !path.join("demo.db").exists(),
            "{} holds a demo already: name another folder, or serve it with \
             `tillbox serve --database sqlite:{}`",
            path.display(),
            path.join("demo.db").display()
        );
        Ok(Self { path, is_kept })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}
