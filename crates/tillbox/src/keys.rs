//! `tillbox keys`: API keys of a database that no server has open. Beside a running server, `/v1/api-keys` does it.

use crate::config::{self, ConfigArgument};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;
use std::process::ExitCode;
use tillbox_core::entry::Actor;
use tillbox_core::id::{ApiKeyId, AuditId, MerchantId};
use tillbox_core::id_source::IdSource;
use tillbox_engine::clock::{Clock, SystemClock};
use tillbox_service::{AuditAction, KeyScope, Scopes, make_key};
use tillbox_store::sqlite::api_keys::{self, ApiKeyRow};
use tillbox_store::sqlite::audit_log::{self, AuditRow};
use tillbox_store::sqlite::merchants::{self, MerchantRow};
use tillbox_store::sqlite::{Connection, SqliteStore, in_transaction};

/// What `keys` may be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Where the ledger is: sqlite:PATH; sqlite:./tillbox-data/tillbox.db unless told otherwise.
    #[arg(long, global = true, env = "TILLBOX_DATABASE", value_name = "URL")]
    database: Option<String>,
    /// Whose keys; needed where the database holds several merchants.
    #[arg(long, global = true, value_name = "ID")]
    merchant: Option<String>,
    /// Answers as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgument,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Makes a key and shows it, this once.
    Create {
        /// Its name, for people.
        #[arg(long)]
        name: String,
        /// What it may do, a comma between: read, write, force, admin. Everything unless told otherwise.
        #[arg(long, value_delimiter = ',', value_name = "SCOPES")]
        scopes: Option<Vec<String>>,
    },
    /// Shows all keys: names, scopes and last characters.
    List,
    /// Makes a key void.
    Revoke {
        /// The key's id: key_…
        id: String,
    },
}

/// Exit code 0: done. 1: refused, with the reason on stderr.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    let file = config::read(arguments.config.config.as_deref())?;
    let database = arguments
        .database
        .or(file.database)
        .unwrap_or_else(|| config::DEFAULT_DATABASE.to_owned());
    let path = tillbox_store::sqlite::path_of(&database).map_err(config::plainly)?;
    if !path.exists() {
        bail!("there is no database at {}", path.display());
    }
    let opened = SqliteStore::open(&database).map_err(config::plainly);
    let (store, mut writer) = opened
        .context("the keys can't be changed here: of a running server, use POST /v1/api-keys")?;
    let merchant = merchant(&writer, arguments.merchant.as_deref())?;
    let clock = SystemClock;
    let now = clock.now();
    let ids = IdSource::after(store.highest_id()?);
    let deed = |action: AuditAction, id: ApiKeyId| AuditRow {
        id: AuditId::from_number(ids.next(now)),
        merchant_id: merchant.id,
        wallet_id: None,
        actor: Actor::System,
        action: action.name().to_owned(),
        targets: vec![id.to_string()],
        at: now,
        request: None,
        changes: None,
    };
    match arguments.action {
        Action::Create { name, scopes } => {
            let id = ApiKeyId::from_number(ids.next(now));
            let scopes = parse_scopes(scopes)?;
            let random = crate::serve::random()?;
            let new = make_key(id, merchant.id, merchant.live, name, scopes, random, now);
            let deed = deed(AuditAction::ApiKeyCreated, id);
            in_transaction(&mut writer, |connection| {
                api_keys::insert(connection, &new.row)?;
                Ok(audit_log::insert(connection, &deed)?)
            })?;
            if arguments.json {
                println!("{}", told(&new.row, Some(&new.token)));
            } else {
                println!(
                    "{}  {}\n\n  {}\n\nIt is shown this once.",
                    new.row.id, new.row.name, new.token
                );
            }
        }
        Action::List => {
            let rows = api_keys::list(&writer, merchant.id, None, usize::MAX)?;
            if arguments.json {
                let rows: Vec<_> = rows.iter().map(|row| told(row, None)).collect();
                println!("{}", json!(rows));
            } else {
                for row in rows {
                    let void = row.revoked_at.map(|at| format!("  void since {at}"));
                    println!(
                        "{}  …{}  {}  {}{}",
                        row.id,
                        row.hint,
                        row.scopes,
                        row.name,
                        void.unwrap_or_default()
                    );
                }
            }
        }
        Action::Revoke { id } => {
            let id =
                ApiKeyId::parse(&id).map_err(|_malformed| anyhow!("{id} is no id of a key"))?;
            let deed = deed(AuditAction::ApiKeyRevoked, id);
            let revoked = in_transaction(&mut writer, |connection| {
                let revoked = api_keys::revoke(connection, merchant.id, id, now)?;
                if revoked {
                    audit_log::insert(connection, &deed)?;
                }
                Ok(revoked)
            })?;
            if !revoked {
                bail!("{} has no valid key {id}", merchant.id);
            }
            if arguments.json {
                println!(
                    "{}",
                    json!({"id": id.to_string(), "revoked_at": now.to_string()})
                );
            } else {
                println!("{id} is void");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn merchant(connection: &Connection, wanted: Option<&str>) -> Result<MerchantRow> {
    let all = merchants::list(connection)?;
    let id = wanted.map(MerchantId::parse).transpose();
    let id = id.map_err(|_malformed| anyhow!("--merchant is no id of a merchant"))?;
    let mut fitting = all
        .into_iter()
        .filter(|row| id.is_none_or(|id| row.id == id));
    match (fitting.next(), fitting.next()) {
        (Some(row), None) => Ok(row),
        (None, _) => bail!("the database holds no such merchant"),
        (Some(_), Some(_)) => bail!("the database holds several merchants: name one by --merchant"),
    }
}

fn parse_scopes(names: Option<Vec<String>>) -> Result<Scopes> {
    let Some(names) = names else {
        return Ok(Scopes::ALL);
    };
    let scope = |name: &String| {
        let unknown = || anyhow!("{name:?} is no scope: read, write, force, admin are");
        KeyScope::parse(name).ok_or_else(unknown)
    };
    let scopes: Vec<KeyScope> = names.iter().map(scope).collect::<Result<_>>()?;
    Ok(Scopes::of(&scopes))
}

fn told(row: &ApiKeyRow, token: Option<&str>) -> serde_json::Value {
    json!({
        "id": row.id.to_string(),
        "name": row.name,
        "scopes": row.scopes,
        "hint": row.hint,
        "created_at": row.created_at.to_string(),
        "revoked_at": row.revoked_at.map(|at| at.to_string()),
        "key": token,
    })
}
