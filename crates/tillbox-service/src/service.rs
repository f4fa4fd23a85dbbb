//! The service: what is shared by all callers, and how it starts and stops.

use crate::access::{BootstrapKey, Principal, hash_key};
use crate::api_keys::Scopes;
use crate::database::Database;
use crate::error::ServiceError;
use crate::events::{Outbox, past_states};
use crate::merchants::Merchant;
use crate::payments::sandbox::Sandbox;
use crate::payments::worker::Driving;
use crate::prices::PriceList;
use crate::public_url::PublicUrl;
use crate::secrets::Secrets;
use crate::settings::Settings;
use crate::wallets::WalletFacts;
use lru::LruCache;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use tillbox_core::entry::{Actor, LogHead};
use tillbox_core::id::{ApiKeyId, MerchantId, WalletId};
use tillbox_core::id_source::IdSource;
use tillbox_engine::clock::{Clock, MerchantClock};
use tillbox_engine::{Engine, LaneEnd, Options};
use tillbox_store::StoreError;
use tillbox_store::sqlite::{
    Connection, PastStates, SharedLogHead, SqliteLedger, SqliteStore, api_keys, merchants,
};

/// What a service is started with.
pub struct ServiceOptions {
    /// The database, as a URL.
    pub database: String,
    /// The system's clock.
    pub clock: Arc<dyn Clock>,
    /// Random bytes of this process.
    pub random: [u8; 32],
    /// Bytes that cached wallets may take.
    pub cache_bytes: usize,
    /// The runtime that callers wait in, if it lives as long as they do: waking them from within it costs less.
    pub runtime: Option<tokio::runtime::Handle>,
    /// Where people reach the server.
    pub public_url: PublicUrl,
    /// The key of the merchant that is made when there is none yet.
    pub bootstrap: BootstrapKey,
    /// What to do with a database that does not reach its anchor.
    pub restored: Restored,
}

/// What to do with a database that does not reach its anchor: its end is missing, or it is another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restored {
    /// It is not written.
    #[default]
    Refuse,
    /// It is taken, and that is noted: a copy was restored on purpose.
    Accept,
}

/// What the service does and where its log stands, for whoever watches it.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// What the ledger's writer has done.
    pub engine: tillbox_engine::Figures,
    /// Where the log stands.
    pub head: LogHead,
}

/// What the API calls. Shared as an [`Arc`].
pub struct Service {
    pub(crate) database: Database,
    pub(crate) engine: Engine<SqliteLedger>,
    pub(crate) outbox: Outbox,
    pub(crate) past_states: Arc<PastStates>,
    /// Held by whoever folds the log into the books.
    pub(crate) folding: tokio::sync::Mutex<()>,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sandbox: Sandbox,
    public_url: PublicUrl,
    pub(crate) merchants: RwLock<HashMap<MerchantId, Arc<Merchant>>>,
    pub(crate) keys: Arc<RwLock<HashMap<[u8; 32], Principal>>>,
    pub(crate) prices: Arc<RwLock<PriceList>>,
    pub(crate) wallet_facts: Mutex<LruCache<WalletId, WalletFacts>>,
    pub(crate) secrets: Secrets,
    /// Top-ups that the provider is being asked about.
    pub(crate) driving: Arc<Driving>,
    /// Wakes who waits for a top-up, whenever the provider was asked about one.
    pub(crate) driven: tokio::sync::Notify,
    head: SharedLogHead,
    /// Held by the one audit that runs.
    pub(crate) auditing: Arc<tokio::sync::Mutex<()>>,
    random_number: u64,
}

/// A service that runs, and the thread of its ledger.
pub struct Running {
    /// The service.
    pub service: Arc<Service>,
    /// Ends with how the ledger ended.
    pub ledger: JoinHandle<LaneEnd>,
    /// Whether the first merchant was made just now.
    pub bootstrapped: bool,
}

/// Pieces of work that may wait for the ledger; one more is answered 503.
const QUEUE: usize = 8_192;
/// Commands that one commit takes.
const BATCH: usize = 1_024;
/// Wallets whose owner and currency are remembered.
const WALLET_FACTS: usize = 500_000;

impl Service {
    /// Opens the database, makes the first merchant if there is none, and starts the ledger.
    pub fn start(options: ServiceOptions) -> Result<Running, StoreError> {
        let (store, mut writer) = match options.restored {
            Restored::Refuse => SqliteStore::open(&options.database)?,
            Restored::Accept => SqliteStore::open_restored(&options.database)?,
        };
        let ids = Arc::new(IdSource::after(store.highest_id()?));
        let bootstrapped = bootstrap(&mut writer, &ids, &options)?;
        let merchants = load_merchants(&writer)?;
        let keys = load_keys(&writer, &merchants)?;
        let prices = PriceList::load(&writer)?;
        let engine_options = Options {
            clock: Arc::clone(&options.clock),
            ids: Arc::clone(&ids),
            salt_key: options.random,
            queue: QUEUE,
            batch: BATCH,
            cache_bytes: options.cache_bytes,
            runtime: options.runtime.clone(),
        };
        let ledger = SqliteLedger::new(writer)?;
        let head = ledger.head();
        let (engine, ledger) = Engine::start(ledger, engine_options).map_err(|why| {
            StoreError::Unavailable(format!("the ledger's thread can't be started: {why}"))
        })?;
        let facts =
            std::num::NonZeroUsize::new(WALLET_FACTS).unwrap_or(std::num::NonZeroUsize::MIN);
        let secrets = Secrets::of(&options.random);
        let database = Database::new(store, engine.clone());
        let sandbox = Sandbox::new(
            database.clone(),
            Arc::clone(&options.clock),
            Arc::clone(&ids),
            options.random,
            options.public_url.clone(),
        );
        let service = Self {
            database,
            engine,
            outbox: Outbox::new(Arc::clone(&ids), Arc::clone(&options.clock)),
            past_states: past_states(),
            folding: tokio::sync::Mutex::default(),
            ids,
            clock: options.clock,
            sandbox,
            public_url: options.public_url,
            merchants: RwLock::new(merchants),
            keys: Arc::new(RwLock::new(keys)),
            prices: Arc::new(RwLock::new(prices)),
            driving: Arc::default(),
            driven: tokio::sync::Notify::new(),
            wallet_facts: Mutex::new(LruCache::new(facts)),
            head,
            auditing: Arc::default(),
            random_number: secrets.next().number(),
            secrets,
        };
        Ok(Running {
            service: Arc::new(service),
            ledger,
            bootstrapped,
        })
    }

    /// Lets the ledger finish what is queued, and end.
    pub fn stop(&self) {
        self.engine.stop();
    }

    /// Succeeds if the ledger runs and the store answers.
    pub async fn check_ready(&self) -> Result<(), ServiceError> {
        self.database.write(|_connection| Ok(())).await?;
        self.database.read(|_connection| Ok(())).await
    }

    /// What it does and where its log stands.
    pub fn figures(&self) -> Figures {
        Figures {
            engine: self.engine.figures(),
            head: self.head.get(),
        }
    }

    /// Where people reach the server: what links begin with.
    pub fn public_url(&self) -> &PublicUrl {
        &self.public_url
    }

    /// The sandbox provider, for its hosted pages and its notices.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Now, in real time.
    pub fn now(&self) -> tillbox_core::time::Timestamp {
        self.clock.now()
    }

    /// A number that differs from run to run.
    pub fn random_number(&self) -> u64 {
        self.random_number
    }

    /// A new number for an id.
    pub(crate) fn next_id(&self) -> i64 {
        self.ids.next(self.clock.now())
    }
}

fn bootstrap(
    writer: &mut Connection,
    ids: &IdSource,
    options: &ServiceOptions,
) -> Result<bool, StoreError> {
    if !merchants::list(writer)?.is_empty() {
        return Ok(false);
    }
    let now = options.clock.now();
    let token = options.bootstrap.reveal();
    let merchant = merchants::MerchantRow {
        id: MerchantId::from_number(ids.next(now)),
        name: "Test merchant".to_owned(),
        live: false,
        settings: Settings::default().to_text(),
        clock_offset_us: 0,
        created_at: now,
    };
    let key = api_keys::ApiKeyRow {
        id: ApiKeyId::from_number(ids.next(now)),
        merchant_id: merchant.id,
        name: "Bootstrap key".to_owned(),
        hash: hash_key(token),
        hint: token.chars().skip(token.len().saturating_sub(4)).collect(),
        scopes: "all".to_owned(),
        created_at: now,
        revoked_at: None,
    };
    tillbox_store::sqlite::in_transaction(writer, |connection| {
        merchants::insert(connection, &merchant)?;
        api_keys::insert(connection, &key)
    })?;
    Ok(true)
}

fn load_merchants(
    connection: &Connection,
) -> Result<HashMap<MerchantId, Arc<Merchant>>, StoreError> {
    let rows = merchants::list(connection)?;
    rows.into_iter()
        .map(|row| {
            let settings =
                Settings::from_text(&row.settings).map_err(|why| StoreError::Corrupt {
                    what: why.to_string(),
                })?;
            let merchant = Merchant {
                id: row.id,
                name: row.name,
                live: row.live,
                policies: RwLock::new(Arc::new(settings.policies())),
                settings: RwLock::new(Arc::new(settings)),
                clock: MerchantClock::ahead_by(row.clock_offset_us),
                advancing: tokio::sync::Mutex::new(()),
                changing: Arc::new(tokio::sync::Mutex::new(())),
            };
            Ok((row.id, Arc::new(merchant)))
        })
        .collect()
}

fn load_keys(
    connection: &Connection,
    merchants: &HashMap<MerchantId, Arc<Merchant>>,
) -> Result<HashMap<[u8; 32], Principal>, StoreError> {
    let rows = api_keys::active(connection)?.into_iter();
    Ok(rows
        .filter_map(|row| {
            let merchant = merchants.get(&row.merchant_id)?;
            let principal = Principal {
                merchant_id: row.merchant_id,
                actor: Actor::ApiKey(row.id),
                live: merchant.live,
                request: None,
                scopes: Scopes::parse(&row.scopes),
                merchant: Arc::clone(merchant),
            };
            Some((row.hash, principal))
        })
        .collect())
}
