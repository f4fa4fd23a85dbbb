//! The sandbox provider's hosted pages: adding a card, paying, confirming to the bank. They stand in for a real
//! provider's pages, on test cards alone: no number is typed anywhere. Plain forms, each page done once.

mod checkout;
mod confirm;
mod setup;
mod words;

use crate::portal::headers;
use crate::portal::page_error::PageError;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use tillbox_service::Service;
use tillbox_service::payments::sandbox::{Behaviour, Sandbox};
use tower_http::catch_panic::CatchPanicLayer;
use words::Words;

/// The pages' URLs.
pub(crate) fn routes(service: &Arc<Service>) -> Router<Arc<Service>> {
    let headers = axum::middleware::from_fn_with_state(Arc::clone(service), headers::layer);
    Router::new()
        .route(
            "/sandbox/setup/{session}",
            get(setup::show).post(setup::add),
        )
        .route(
            "/sandbox/checkout/{session}",
            get(checkout::show).post(checkout::pay),
        )
        .route(
            "/sandbox/authenticate/{payment}",
            get(confirm::show).post(confirm::answer),
        )
        .layer(CatchPanicLayer::custom(|_panic| {
            PageError::Fault.into_response()
        }))
        .layer(headers)
}

/// A test card to choose.
struct Choice {
    token: &'static str,
    brand: &'static str,
    last4: &'static str,
    what: &'static str,
    is_chosen: bool,
}

fn choices(words: Words, chosen: Option<&str>) -> Vec<Choice> {
    let cards = Sandbox::cards().iter().enumerate();
    cards
        .map(|(place, card)| Choice {
            token: card.token,
            brand: card.brand,
            last4: card.last4,
            what: match card.behaviour {
                Behaviour::Succeeds => words.succeeds(),
                Behaviour::Asks => words.asks(),
                Behaviour::SucceedsDisputed => words.disputed(),
                Behaviour::SucceedsUnheard => words.unheard(),
                Behaviour::Declines(code) => words.declines(code),
            },
            is_chosen: chosen.map_or(place == 0, |chosen| chosen == card.token),
        })
        .collect()
}

/// On to another address, of ours or of the merchant's.
fn go_to(url: &str) -> Result<Response, PageError> {
    let url = axum::http::HeaderValue::from_str(url).map_err(|_no_address| PageError::Fault)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response())
}
