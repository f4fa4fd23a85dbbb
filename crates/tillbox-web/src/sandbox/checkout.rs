//! The page on which a customer pays by a test card.

use super::words::Words;
use super::{Choice, choices, go_to};
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
use tillbox_service::payments::sandbox::{CheckoutPage as Stored, PageEnd, PageState};

#[derive(Template)]
#[template(path = "sandbox/checkout.html")]
struct CheckoutPage {
    words: Words,
    title: &'static str,
    description: String,
    amount: Money,
    choices: Vec<Choice>,
    promotion: String,
    takes_codes: bool,
    saves_card: bool,
    problem: Option<&'static str>,
    is_open: bool,
    over: &'static str,
    cancel_url: String,
}

/// What a customer has tried.
#[derive(Default)]
struct Tried<'a> {
    card: Option<&'a str>,
    promotion: &'a str,
    end: Option<PageEnd>,
}

/// Shows what is paid, and the test cards.
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    page(&service, &id, Tried::default()).await
}

/// Pays by the chosen card, and sends the customer on; a declined card leaves the page open for another.
pub(super) async fn pay(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let card = fields.get("card").unwrap_or_default();
    let promotion = fields.get("promotion").unwrap_or_default();
    let saves = fields.get("save").is_some();
    let end = service
        .sandbox()
        .pay(&id, card, Some(promotion), saves)
        .await?;
    if let PageEnd::GoTo(url) = end {
        return go_to(&url);
    }
    let tried = Tried {
        card: Some(card),
        promotion,
        end: Some(end),
    };
    page(&service, &id, tried).await
}

async fn page(service: &Service, id: &str, tried: Tried<'_>) -> Result<Response, PageError> {
    let stored: Stored = service
        .sandbox()
        .checkout_page(id)
        .await?
        .ok_or(PageError::NotFound)?;
    let words = Words::of(&stored.locale);
    let problem = match tried.end {
        Some(PageEnd::Declined(code)) => Some(words.declines(code)),
        Some(PageEnd::UnknownCode) => Some(words.unknown_code()),
        Some(PageEnd::GoTo(_) | PageEnd::Over) | None => None,
    };
    let status = match (stored.state, problem) {
        (PageState::Open, None) => StatusCode::OK,
        (PageState::Open, Some(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        (PageState::Done | PageState::Expired, _) => StatusCode::GONE,
    };
    let page = CheckoutPage {
        words,
        title: words.pay_title(),
        description: stored.description,
        amount: MoneyForm::new(stored.currency, words.language()).money(stored.amount),
        choices: choices(words, tried.card),
        promotion: tried.promotion.to_owned(),
        takes_codes: stored.takes_codes,
        saves_card: stored.saves_card,
        problem,
        is_open: stored.state == PageState::Open,
        over: words.over(stored.state),
        cancel_url: stored.cancel_url,
    };
    render(&page, status)
}
