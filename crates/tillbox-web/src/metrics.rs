//! `/metrics`: what the process does, in the text format of `OpenMetrics`.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tillbox_service::{Figures, Service};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The one path of the listener.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(service)
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    match print(&service.figures()) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics can't be printed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The figures are counted elsewhere: here they only get their names.
fn print(figures: &Figures) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("tillbox");
    let mut counter = |name: &str, help: &str, count: u64| {
        let counter = <Counter>::default();
        counter.inc_by(count);
        registry.register(name, help, counter);
    };
    let Figures { engine, head } = figures;
    counter(
        "commits",
        "Commits of the ledger's writer, of batches and of plain writes",
        engine.commits,
    );
    counter(
        "refused_commands",
        "Commands that a rule refused",
        engine.refused,
    );
    counter(
        "overloaded_commands",
        "Commands that found the queue full",
        engine.turned_away,
    );
    let mut gauge = |name: &str, help: &str, value: u64| {
        let gauge = <Gauge>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    let waiting = u64::try_from(engine.waiting).unwrap_or(u64::MAX);
    gauge("queued_commands", "Commands that wait", waiting);
    gauge("log_height", "Rows of the log", head.height);
    gauge(
        "log_hash",
        "First 48 bits of the hash over all rows of the log, as a number: an anchor outside of the machine",
        first_48_bits(&head.hash),
    );
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// As many as a floating-point number holds exactly: that is what a scraper keeps.
fn first_48_bits(hash: &[u8; 32]) -> u64 {
    let bytes = hash.iter().take(6);
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tillbox_core::entry::LogHead;

    #[test]
    fn figures_are_printed_under_their_names() {
        let mut head = LogHead::EMPTY;
        head.height = 7;
        head.hash[5] = 2;
        head.hash[6] = 255;
        let engine = tillbox_engine::Figures {
            commits: 3,
            refused: 4,
            turned_away: 5,
            waiting: 6,
        };
        let text = print(&Figures { engine, head }).expect("a text");
        for line in [
            "tillbox_commits_total 3",
            "tillbox_refused_commands_total 4",
            "tillbox_overloaded_commands_total 5",
            "tillbox_queued_commands 6",
            "tillbox_log_height 7",
            "tillbox_log_hash 2",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} in {text}");
        }
    }
}
