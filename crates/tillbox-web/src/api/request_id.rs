//! Every request gets an id of ours, on the answer and in every problem.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::atomic::{AtomicU64, Ordering};

static LAST: AtomicU64 = AtomicU64::new(0);

tokio::task_local! {
    static CURRENT: u64;
}

/// The id of the request that is being answered.
pub(crate) fn current() -> String {
    CURRENT
        .try_with(|number| print(*number))
        .unwrap_or_default()
}

/// The number of the request that is being answered.
pub(crate) fn number() -> Option<u64> {
    CURRENT.try_with(|number| *number).ok()
}

/// An id from its number.
pub(crate) fn print(number: u64) -> String {
    format!("req_{number:016x}")
}

/// Ids begin at a random number, so that those of two runs differ.
pub(crate) fn begin_at(number: u64) {
    LAST.store(number, Ordering::Relaxed);
}

/// Does work under an id of its own, where no request could be read.
pub(crate) fn without_request<T>(work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(LAST.fetch_add(1, Ordering::Relaxed), work)
}

/// Gives the request its id.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let mut response = CURRENT.scope(number, next.run(request)).await;
    if let Ok(value) = HeaderValue::try_from(print(number)) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}
