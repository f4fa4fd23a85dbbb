//! The page on which a customer adds a test card.

use super::words::Words;
use super::{Choice, choices, go_to};
use crate::portal::form::Fields;
use crate::portal::notice::render;
use crate::portal::page_error::PageError;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use tillbox_service::Service;
use tillbox_service::payments::sandbox::{PageEnd, PageState};

#[derive(Template)]
#[template(path = "sandbox/setup.html")]
struct SetupPage {
    words: Words,
    title: &'static str,
    choices: Vec<Choice>,
    is_open: bool,
    over: &'static str,
    cancel_url: String,
}

/// Shows the test cards.
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let page = service.sandbox().setup_page(&id).await?;
    let page = page.ok_or(PageError::NotFound)?;
    let words = Words::of(&page.locale);
    let status = match page.state {
        PageState::Open => StatusCode::OK,
        PageState::Done | PageState::Expired => StatusCode::GONE,
    };
    let page = SetupPage {
        words,
        title: words.add_title(),
        choices: choices(words, None),
        is_open: page.state == PageState::Open,
        over: words.over(page.state),
        cancel_url: page.cancel_url,
    };
    render(&page, status)
}

/// Adds the chosen card, and sends the customer back.
pub(super) async fn add(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let card = fields.get("card").unwrap_or_default();
    match service.sandbox().add_card(&id, card).await? {
        PageEnd::GoTo(url) => go_to(&url),
        PageEnd::Declined(_) | PageEnd::UnknownCode | PageEnd::Over => {
            show(State(service), Path(id)).await
        }
    }
}
