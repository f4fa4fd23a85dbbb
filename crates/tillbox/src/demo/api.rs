//! Calls of the HTTP API without a network: what the demo does is what any client could have done.

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tillbox_service::{Principal, Service};
use tower::ServiceExt;

/// The API as the holder of the demo's key.
pub(crate) struct Api {
    router: Router,
    key: String,
    pub(crate) principal: Principal,
    calls: AtomicU64,
}

/// The largest answer that is read.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;

impl Api {
    pub(crate) fn new(service: &Arc<Service>, key: &str) -> Self {
        Self {
            router: tillbox_web::router(Arc::clone(service)),
            key: key.to_owned(),
            principal: service
                .authenticate(key)
                .expect("the demo's merchant was made with this key"),
            calls: AtomicU64::new(0),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, &Value::Null).await
    }

    /// A key that no other call has.
    pub(crate) fn next_key(&self) -> String {
        format!("demo-{}", self.calls.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("PUT", path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("PATCH", path, body).await
    }

    /// A call that may be declined: none then.
    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Result<Option<Value>> {
        let (status, answer) = self.call("POST", path, body).await?;
        match status {
            200..300 => Ok(Some(answer)),
            402 | 409 => Ok(None),
            _ => bail!("POST {path} was answered {status}: {answer}"),
        }
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let (status, answer) = self.call(method, path, body).await?;
        if !(200..300).contains(&status) {
            bail!("{method} {path} was answered {status}: {answer}");
        }
        Ok(answer)
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Result<(u16, Value)> {
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .header("idempotency-key", self.next_key())
            .body(body)
            .context("a request can't be made")?;
        let answer = self.router.clone().oneshot(request).await?;
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), ANSWER_BYTES).await?;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).context("an answer is no JSON")?
        };
        Ok((status, body))
    }
}

/// A text of an answer.
pub(crate) fn text(answer: &Value, field: &str) -> Result<String> {
    let text = answer[field].as_str();
    Ok(text
        .with_context(|| format!("an answer has no {field}: {answer}"))?
        .to_owned())
}
