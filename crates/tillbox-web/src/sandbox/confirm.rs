//! The page on which the test bank asks the customer to confirm (3-D Secure).

use super::go_to;
use super::words::Words;
use crate::portal::form::Fields;
use crate::portal::notice::render;
use crate::portal::page_error::PageError;
use crate::words::money::{Money, MoneyForm};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use tillbox_service::Service;
use tillbox_service::payments::sandbox::{PageEnd, PageState};

#[derive(Template)]
#[template(path = "sandbox/confirm.html")]
struct ConfirmPage {
    words: Words,
    title: &'static str,
    amount: Money,
    is_open: bool,
    over: &'static str,
    cancel_url: String,
}

/// Shows what is to be confirmed.
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let page = service.sandbox().confirm_page(&id).await?;
    let page = page.ok_or(PageError::NotFound)?;
    let words = Words::current();
    let status = match page.state {
        PageState::Open => StatusCode::OK,
        PageState::Done | PageState::Expired => StatusCode::GONE,
    };
    let page = ConfirmPage {
        words,
        title: words.confirm_title(),
        amount: MoneyForm::new(page.currency, words.language()).money(page.amount),
        is_open: page.state == PageState::Open,
        over: words.over(page.state),
        cancel_url: page.return_url,
    };
    render(&page, status)
}

/// The customer confirms, or does not.
pub(super) async fn answer(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let is_confirmed = match fields.get("answer") {
        Some("confirm") => true,
        Some("refuse") => false,
        _ => return Err(PageError::UnreadableForm),
    };
    match service.sandbox().confirm(&id, is_confirmed).await? {
        PageEnd::GoTo(url) => go_to(&url),
        PageEnd::Declined(_) | PageEnd::UnknownCode | PageEnd::Over => {
            show(State(service), Path(id)).await
        }
    }
}
