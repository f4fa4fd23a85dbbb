//! `tillbox verify`: the self-audit of a ledger.

use crate::config::{self, ConfigArgument};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::process::ExitCode;
use tillbox_store::sqlite;

/// What `verify` may be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the ledger is: sqlite:PATH; sqlite:./tillbox-data/tillbox.db unless told otherwise.
    #[arg(long, env = "TILLBOX_DATABASE", value_name = "URL")]
    database: Option<String>,
    /// Answers as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

/// Exit code 0: whole. 1: the first violation of each kind is printed.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let file = config::read(arguments.config.config.as_deref())?;
    let database = arguments
        .database
        .clone()
        .or(file.database)
        .unwrap_or_else(|| config::DEFAULT_DATABASE.to_owned());
    let path = sqlite::path_of(&database).map_err(config::plainly)?;
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} rows  {per_sec}  {eta}") {
        bar.set_style(style);
    }
    let mut progress = |now: sqlite::verify::Progress| {
        bar.set_length(now.rows_total);
        bar.set_position(now.rows);
    };
    let report = sqlite::verify::verify(&path, &mut progress)
        .map_err(config::plainly)
        .with_context(|| format!("the database {database} can't be verified"))?;
    bar.finish_and_clear();
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        println!("{report}");
    }
    Ok(if report.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
