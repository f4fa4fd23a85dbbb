//! Headers of every page: kept nowhere, framed nowhere, and with nothing but what this server sends.

use super::page_error::PageError;
use super::{language, theme};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tillbox_service::Service;

/// No script, style, image or connection of another origin, and none written into the page. Forms lead here.
const CONTENT: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
/// A year.
const TLS_ONLY: &str = "max-age=31536000";

/// Puts the headers on, and serves the page in the language that the request asks for.
pub(crate) async fn layer(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let asked = language::accepted(request.headers());
    let theme = theme::chosen(request.headers());
    let page = theme::scope(theme, next.run(request));
    let mut response = language::scope(asked, page).await;
    protect(&mut response, service.public_url().is_https());
    response
}

/// An error where there is no page to pass the layer.
pub(crate) async fn error(service: &Service, sent: &HeaderMap, error: PageError) -> Response {
    let asked = language::accepted(sent);
    let page = theme::scope(theme::chosen(sent), async { error.into_response() });
    let mut response = language::scope(asked, page).await;
    protect(&mut response, service.public_url().is_https());
    response
}

/// The headers of a page. One that has a content policy of its own keeps it.
fn protect(response: &mut Response, is_https: bool) {
    keep_nowhere(response);
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(CONTENT);
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(policy);
    for (name, value) in [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(TLS_ONLY),
        );
    }
}

/// Neither browsers nor what stands between shall keep this answer.
pub(crate) fn keep_nowhere(response: &mut Response) {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
