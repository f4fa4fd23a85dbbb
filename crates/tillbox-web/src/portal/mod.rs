//! The customers' pages. [`routes`] is their whole map; every answer of theirs passes [`headers::layer`], and every
//! error leaves as a page, through [`page_error::PageError`].
//!
//! A customer comes by a link ([`link`]), is known by a cookie ([`session::Session`]), and acts by forms
//! ([`form::Form`]), which work without a script. All of it calls the service functions that the API calls, as a
//! principal that reaches this customer alone.

mod come_back;
pub(crate) mod cookie;
pub(crate) mod form;
pub(crate) mod headers;
pub(crate) mod language;
mod link;
pub(crate) mod notice;
pub(crate) mod origin;
pub(crate) mod page_error;
mod pay;
pub(crate) mod session;
pub(crate) mod theme;
pub(crate) mod view;
mod wallet;

use crate::api::problem::Problem;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use page_error::PageError;
use std::sync::Arc;
use tillbox_service::Service;
use tower_http::catch_panic::CatchPanicLayer;

/// The pages' URLs.
pub(crate) fn routes(service: &Arc<Service>) -> Router<Arc<Service>> {
    let headers = axum::middleware::from_fn_with_state(Arc::clone(service), headers::layer);
    Router::new()
        .route("/portal/{token}", get(link::show).post(link::open))
        .route("/pay/{token}", get(pay::show).post(pay::pay))
        .route("/wallet/return/{top_up}", get(come_back::show))
        .route("/wallet/sign-out", post(session::sign_out))
        .merge(wallet::routes())
        .layer(CatchPanicLayer::custom(|_panic| {
            PageError::Fault.into_response()
        }))
        .layer(headers)
}

/// Whether a path is that of a page, so that people get a page when something is wrong with it.
fn is_page(uri: &Uri) -> bool {
    let first = uri.path().split('/').nth(1);
    matches!(first, Some("pay" | "portal" | "sandbox" | "wallet"))
}

/// The answer where no route is.
pub(crate) async fn not_found(State(service): State<Arc<Service>>, request: Request) -> Response {
    if is_page(request.uri()) {
        headers::error(&service, request.headers(), PageError::NotFound).await
    } else {
        Problem::not_found().into_response()
    }
}

/// The answer where a route takes another method.
pub(crate) async fn method_not_allowed(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Response {
    if is_page(request.uri()) {
        headers::error(&service, request.headers(), PageError::MethodNotAllowed).await
    } else {
        Problem::method_not_allowed().into_response()
    }
}
