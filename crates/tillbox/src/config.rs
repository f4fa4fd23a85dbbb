//! Where settings of the process come from: flags win over environment over file.

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use tillbox_store::StoreError;

/// What a configuration file may say. Unknown names are refused, so that a slip of the pen is seen.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) database: Option<String>,
    pub(crate) listen: Option<String>,
    pub(crate) metrics_listen: Option<String>,
    pub(crate) public_url: Option<String>,
    pub(crate) log: Option<String>,
    pub(crate) cache_mib: Option<usize>,
}

/// The database that is used when nobody says otherwise.
pub(crate) const DEFAULT_DATABASE: &str = "sqlite:./tillbox-data/tillbox.db";
/// The address that is used when nobody says otherwise.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:8420";

/// Reads the file, if there is one to read.
pub(crate) fn read(path: Option<&Path>) -> Result<File> {
    let Some(path) = path else {
        return Ok(File::default());
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the configuration file {} can't be read", path.display()))?;
    toml::from_str(&text)
        .with_context(|| format!("the configuration file {} is not right", path.display()))
}

/// What is wrong with a database, for whoever typed its URL.
pub(crate) fn plainly(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Unavailable(why) => anyhow!(why),
        other => other.into(),
    }
}

/// Where the configuration file is named.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgument {
    /// Configuration file (TOML). Flags win over the environment, which wins over the file.
    #[arg(long, env = "TILLBOX_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
