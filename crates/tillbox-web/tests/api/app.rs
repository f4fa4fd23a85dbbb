//! An API over a database of its own, without a network.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use tillbox_core::time::Timestamp;
use tillbox_engine::LaneEnd;
use tillbox_engine::clock::{Clock, ManualClock};
use tillbox_service::{BootstrapKey, PublicUrl, Restored, Running, Service, ServiceOptions};
use tillbox_store::StoreError;
use tower::ServiceExt;

pub(crate) const KEY: &str = "tb_test_0123456789abcdef01234567";

/// Stops the ledger when it is dropped; the database goes with the last that uses it.
pub(crate) struct TestApp {
    pub(crate) service: Arc<Service>,
    router: Router,
    setting: Setting,
    ledger: Option<JoinHandle<LaneEnd>>,
    payments: Option<tokio::task::JoinHandle<()>>,
}

/// What outlives a restart.
#[derive(Clone)]
struct Setting {
    folder: Arc<Folder>,
    clock: Arc<ManualClock>,
    public_url: PublicUrl,
    random: u8,
    has_worker: bool,
}

/// Goes when the last that uses it goes.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("text"))
    }

    /// The problem's body, after the form of every problem is checked.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let body = self.json();
        assert_eq!(
            (self.status, &body["code"]),
            (status, &json!(code)),
            "{body}"
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["status"], status);
        assert_eq!(body["request_id"], self.header("x-request-id"));
        assert!(
            body["type"].is_string() && body["title"].is_string() && body["detail"].is_string()
        );
        if code == "invalid_request" {
            assert!(!body["errors"].as_array().expect("errors").is_empty());
        }
        body
    }
}

impl TestApp {
    pub(crate) fn start() -> Self {
        Self::start_at("http://127.0.0.1:8420")
    }

    /// One that people reach at that address.
    pub(crate) fn start_at(public_url: &str) -> Self {
        Self::open(Self::setting(public_url))
    }

    /// One in which nobody asks the payment provider but the test.
    pub(crate) fn start_without_worker() -> Self {
        Self::open(Setting {
            has_worker: false,
            ..Self::setting("http://127.0.0.1:8420")
        })
    }

    /// One on the database that `make` makes.
    pub(crate) fn start_on(make: impl FnOnce(&std::path::Path)) -> Self {
        let setting = Self::setting("http://127.0.0.1:8420");
        std::fs::create_dir_all(&setting.folder.0).expect("a folder");
        make(&setting.folder.0.join("ledger.db"));
        Self::open(setting)
    }

    fn setting(public_url: &str) -> Setting {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("api-{}-{number}", std::process::id()));
        let now = Timestamp::parse("2026-05-31T12:00:00Z").expect("an instant");
        Setting {
            folder: Arc::new(Folder(folder)),
            clock: Arc::new(ManualClock::at(now)),
            public_url: PublicUrl::parse(public_url).expect("an address"),
            random: 7,
            has_worker: true,
        }
    }

    /// Stops, and starts again on the same database, with other random bytes, as each process has its own.
    pub(crate) async fn restart(mut self) -> Self {
        let mut setting = self.setting.clone();
        let payments = self.payments.take();
        drop(self);
        // It ends with the ledger; until then it keeps the database open.
        if let Some(payments) = payments {
            payments.await.expect("the worker ends in good order");
        }
        setting.random += 1;
        // What a request had begun behind its answer may keep the database a moment longer.
        for _ in 0..500 {
            match Self::try_open(setting.clone()) {
                Err(StoreError::Unavailable(why)) if why.contains("another process") => {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                opened => return opened.expect("a service"),
            }
        }
        panic!("the database was never let go");
    }

    fn open(setting: Setting) -> Self {
        Self::try_open(setting).expect("a service")
    }

    fn try_open(setting: Setting) -> Result<Self, StoreError> {
        let options = ServiceOptions {
            runtime: None,
            database: format!("sqlite:{}", setting.folder.0.join("ledger.db").display()),
            clock: Arc::<ManualClock>::clone(&setting.clock),
            random: [setting.random; 32],
            cache_bytes: 8 << 20,
            public_url: setting.public_url.clone(),
            bootstrap: BootstrapKey::parse(KEY).expect("a key"),
            restored: Restored::Refuse,
        };
        let Running {
            service, ledger, ..
        } = Service::start(options)?;
        let payments = setting
            .has_worker
            .then(|| tokio::spawn(Arc::clone(&service).run_payments()));
        Ok(Self {
            router: tillbox_web::router(Arc::clone(&service)),
            service,
            setting,
            ledger: Some(ledger),
            payments,
        })
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: i64) {
        let clock = &self.setting.clock;
        clock.set(clock.now().plus_seconds(seconds));
    }

    /// All URLs, for an answer that is read as it comes.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        };
        assert!(!answer.header("x-request-id").is_empty());
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path).body(Body::empty()).expect("a request"))
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        let request = request("DELETE", path).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &str) -> Answer {
        let request = request("POST", path).header("content-type", "application/json");
        let request = if key.is_empty() {
            request
        } else {
            request.header("idempotency-key", key)
        };
        self.send(
            request
                .body(Body::from(body.to_owned()))
                .expect("a request"),
        )
        .await
    }

    pub(crate) async fn put(&self, path: &str, body: &str) -> Answer {
        let request = request("PUT", path).header("content-type", "application/json");
        self.send(
            request
                .body(Body::from(body.to_owned()))
                .expect("a request"),
        )
        .await
    }

    /// The file of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.setting.folder.0.join("ledger.db")
    }

    /// The self-audit, beside the server: nothing is found.
    #[track_caller]
    pub(crate) fn verify(&self) {
        let path = self.database();
        let report = tillbox_store::sqlite::verify::verify(&path, &mut |_progress| ());
        let report = report.expect("the ledger can be read");
        assert_eq!(report.violations, [], "{report}");
    }

    pub(crate) async fn patch(&self, path: &str, body: &str) -> Answer {
        let request = request("PATCH", path).header("content-type", "application/json");
        self.send(
            request
                .body(Body::from(body.to_owned()))
                .expect("a request"),
        )
        .await
    }

    /// The id of a new wallet in dollars with that much cash.
    pub(crate) async fn wallet_with(&self, amount: &str) -> String {
        let customer = self
            .post("/v1/customers", "", r#"{"name":"Acme"}"#)
            .await
            .json();
        let body = json!({
            "customer_id": customer["id"], "currency": "USD",
            "initial_credit": {"amount": amount, "funding_type": "cash"},
        });
        let key = customer["id"].as_str().expect("an id");
        let wallet = self.post("/v1/wallets", key, &body.to_string()).await;
        assert_eq!(wallet.status, 201, "{}", wallet.json());
        wallet.json()["id"].as_str().expect("an id").to_owned()
    }
}

pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {KEY}"))
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.service.stop();
        let end = self.ledger.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(
                matches!(end, Some(Ok(LaneEnd::Stopped))),
                "the ledger stopped in good order"
            );
        }
    }
}
