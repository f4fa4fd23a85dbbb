//! A small HTTP client that holds every answer to the conventions of the contract.

use crate::answer::Answer;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use ureq::http::HeaderValue;

/// Longer than any answer may take, so that a server that hangs is a failure and not a standstill.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);
/// Connections kept open: more than the threads of any race.
const CONNECTIONS: usize = 72;

/// Speaks to one server with one API key; clones share their connections.
#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    bearer: String,
}

/// A request to be sent; the bearer of the client is added unless an `authorization` is set.
#[derive(Clone)]
pub(crate) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    anonymous: bool,
}

/// A key that was not used before in this run.
pub(crate) fn fresh_key() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // An odd multiplier spreads the keys over the whole key space, and keeps them apart.
    format!("k-{:016x}", count.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

impl Client {
    pub(crate) fn new(address: SocketAddr, bearer: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(ANSWER_WITHIN))
            .max_idle_connections(CONNECTIONS)
            .max_idle_connections_per_host(CONNECTIONS)
            .build()
            .new_agent();
        Self {
            agent,
            base: format!("http://{address}"),
            bearer: bearer.to_owned(),
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        let request = Request::new("GET", "/readyz").without_bearer();
        self.try_send(&request)
            .is_ok_and(|answer| answer.status == 200)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(&Request::new("GET", path))
    }

    /// Posts with a fresh idempotency key.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with_key(path, &fresh_key(), body)
    }

    #[track_caller]
    pub(crate) fn post_with_key(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.send(&Request::new("POST", path).json(body).key(key))
    }

    #[track_caller]
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(&Request::new("PATCH", path).json(body))
    }

    /// All pages of a list, newest first.
    #[track_caller]
    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{sign}limit=100{cursor}")).is(200);
            let page = page.json();
            rows.extend(page["data"].as_array().expect("a list has data").clone());
            match (&page["has_more"], &page["next_cursor"]) {
                (Value::Bool(false), Value::Null) => return rows,
                (Value::Bool(true), Value::String(next)) => cursor = format!("&cursor={next}"),
                (more, next) => panic!("has_more {more} with next_cursor {next}"),
            }
        }
    }

    /// Sends, and holds the answer to the conventions; a broken connection is a failure.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Answer {
        match self.try_send(request) {
            Ok(answer) => {
                answer.check_conventions();
                answer
            }
            Err(error) => panic!("{} {}: {error}", request.method, request.path),
        }
    }

    /// Sends; the connection may break, as it does when the server is killed.
    pub(crate) fn try_send(&self, request: &Request) -> Result<Answer, ureq::Error> {
        let mut builder = ureq::http::Request::builder()
            .method(request.method.as_str())
            .uri(format!("{}{}", self.base, request.path));
        for (name, value) in &request.headers {
            let value = HeaderValue::from_bytes(value).expect("a header value");
            builder = builder.header(name, value);
        }
        if !request.anonymous {
            builder = builder.header("authorization", format!("Bearer {}", self.bearer));
        }
        let mut response = match &request.body {
            Some(body) => self.agent.run(builder.body(body).expect("a request"))?,
            None => self.agent.run(builder.body(()).expect("a request"))?,
        };
        let body = response
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_to_vec()?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
            request: format!("{} {}", request.method, request.path),
        })
    }
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            anonymous: false,
        }
    }

    /// A body of JSON, with its content type.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.json_text(&body.to_string())
    }

    /// A body that says it is JSON, whatever it is.
    pub(crate) fn json_text(self, body: &str) -> Self {
        self.header("content-type", "application/json")
            .bytes(body.as_bytes())
    }

    pub(crate) fn bytes(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Adds a header; the same name may be added several times.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.header_bytes(name, value.as_bytes())
    }

    pub(crate) fn header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    pub(crate) fn without_bearer(mut self) -> Self {
        self.anonymous = true;
        self
    }
}
