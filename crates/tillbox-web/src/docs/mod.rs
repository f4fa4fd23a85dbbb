//! The rendered API: `/docs` shows the document of `/openapi.json`, `/docs/problems` what each problem's `type` points
//! at. Both are written once, from what the server itself serves, and ask nothing of any other server.

mod problems;
mod reference;
mod schema;

use crate::portal::headers;
use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use reference::Reference;
use serde_json::Value;
use std::sync::Arc;
use tillbox_service::Service;

/// The pages' URLs, over the document that they show.
pub(crate) fn routes(service: &Arc<Service>, document: &Value) -> Router<Arc<Service>> {
    let headers = axum::middleware::from_fn_with_state(Arc::clone(service), headers::layer);
    let reference = written(&Reference::new(document));
    let problems = written(&problems::Page::new());
    Router::new()
        .route("/docs", get(async move || answer(&reference)))
        .route("/docs/problems", get(async move || answer(&problems)))
        .layer(headers)
}

fn written(page: &impl Template) -> Arc<str> {
    page.render().expect("plain values can be written").into()
}

fn answer(page: &str) -> Response {
    (StatusCode::OK, Html(page.to_owned())).into_response()
}

/// A text as its paragraphs, each in runs of words and of code: what stands between backticks is code.
struct Prose(Vec<Vec<Run>>);

enum Run {
    Words(String),
    Code(String),
}

impl Prose {
    fn new(text: &str) -> Self {
        let paragraphs = text.split("\n\n").filter(|text| !text.trim().is_empty());
        Self(paragraphs.map(runs).collect())
    }

    /// What stands in the place that the JSON names, or nothing.
    fn of(value: Option<&Value>) -> Self {
        Self::new(value.and_then(Value::as_str).unwrap_or_default())
    }
}

fn runs(text: &str) -> Vec<Run> {
    let parts = text.split('`').enumerate();
    let runs = parts.map(|(place, part)| {
        if place % 2 == 1 {
            Run::Code(part.to_owned())
        } else {
            Run::Words(part.replace('\n', " "))
        }
    });
    runs.collect()
}

/// A name as a part of an address within the page.
fn anchor(text: &str) -> String {
    let kept = text.chars().map(|letter| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '-'
        }
    });
    kept.collect()
}
