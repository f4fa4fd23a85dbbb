//! The page of a payment link without an amount: it asks for one, and leads on to the provider's page. Whoever has the
//! link may pay; nothing of the wallet is shown.

use super::form::Fields;
use super::language;
use super::notice::{Notice, render};
use super::page_error::PageError;
use super::theme;
use super::view::{Frame, Place, Theme};
use crate::api::caller::{Scope, is_key, stamp};
use crate::api::fingerprint::Fingerprint;
use crate::words::Words;
use crate::words::currencies;
use crate::words::money::MoneyForm;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tillbox_core::rejection::Rejection;
use tillbox_service::payments::page::PageRequest;
use tillbox_service::{Asked, Mode, NewPayment, NewTopUp, OpenPaymentLink, Service, ServiceError};

/// Seconds that the provider's page lives: as for any page of a customer.
const PAGE_LIVES: i64 = 24 * 3_600;

#[derive(Template)]
#[template(path = "portal/pay.html")]
struct PayPage {
    words: Words,
    frame: Frame,
    description: String,
    key: String,
    /// What each choice sends, and what it says.
    presets: Vec<(String, String)>,
    amount: String,
    label: String,
    limits: String,
    error: Option<String>,
}

/// Asks for an amount.
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    match service.open_payment_link(&token).await? {
        Some(link) if link.is_open => page(&service, &link, "", None),
        link => over(&service, link.as_ref()),
    }
}

/// Opens the payment, and leads to the provider's page.
pub(crate) async fn pay(
    State(service): State<Arc<Service>>,
    Path(token): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let link = match service.open_payment_link(&token).await? {
        Some(link) if link.is_open => link,
        link => return over(&service, link.as_ref()),
    };
    let typed = fields.get("preset").or(fields.get("amount"));
    let typed = typed.unwrap_or_default();
    let (words, money) = form(&link);
    let amount = match money.read_or_say(typed, words) {
        Ok(amount) => amount,
        Err(why) => return page(&service, &link, typed, Some(why)),
    };
    let key = fields.get("key").filter(|key| is_key(key));
    let key = key.ok_or(PageError::UnreadableForm)?;
    let fingerprint = Fingerprint::of("pay")
        .amount("amount", Some(amount))
        .finish();
    let key = stamp(
        Scope::Wallet(link.wallet_id),
        &format!("pay:{key}"),
        fingerprint,
    );
    let new = NewTopUp {
        amount,
        payment: NewPayment::Page(PageRequest::link(PAGE_LIVES)),
        description: link.description.clone(),
    };
    let asked = service.create_top_up(
        &link.principal,
        link.wallet_id,
        new,
        Some(key),
        Mode::Commit,
    );
    match asked.await {
        Ok(Asked::Begun { view, .. }) => {
            let url = view.row.calls.page_url.clone().ok_or(PageError::Busy)?;
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response())
        }
        Ok(Asked::WouldBegin { .. }) => Err(PageError::Fault),
        Err(ServiceError::Rejected { rejection, .. }) => {
            let why = refused(&link, &rejection).ok_or(PageError::Refused)?;
            page(&service, &link, typed, Some(why))
        }
        Err(error) => Err(error.into()),
    }
}

fn form(link: &OpenPaymentLink) -> (Words, MoneyForm) {
    let language = language::current();
    (Words::of(language), MoneyForm::new(link.currency, language))
}

/// What is wrong with the amount; none where something else is.
fn refused(link: &OpenPaymentLink, rejection: &Rejection) -> Option<String> {
    let (words, money) = form(link);
    match *rejection {
        Rejection::AmountOutOfRange { minimum, maximum } => Some(match (minimum, maximum) {
            (Some(least), Some(most)) => words.between(money.money(least), money.money(most)),
            (Some(least), None) => words.at_least(money.money(least)),
            (None, Some(most)) => words.amount_too_large(money.money(most)),
            (None, None) => words.amount_missing().to_owned(),
        }),
        Rejection::NotWholeMinorUnits => Some(words.amount_too_fine(money.example())),
        _ => None,
    }
}

fn page(
    service: &Service,
    link: &OpenPaymentLink,
    typed: &str,
    error: Option<String>,
) -> Result<Response, PageError> {
    let (words, money) = form(link);
    let settings = service.settings(&link.principal).in_currency(link.currency);
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let presets = settings.top_up_presets.iter();
    let least = money.money(settings.top_up_minimum);
    let page = PayPage {
        words,
        frame: Frame::new(words.pay_in(), theme::current()).of(&service.brand(&link.principal)),
        description: link.description.clone().unwrap_or_default(),
        key: service.form_key(),
        presets: presets
            .map(|amount| (money.typed(*amount), money.short(*amount).to_string()))
            .collect(),
        amount: typed.to_owned(),
        label: words.amount_in(currencies::name(link.currency, words.language())),
        limits: match settings.top_up_maximum {
            Some(most) => words.between(least, money.money(most)),
            None => words.at_least(least),
        },
        error,
    };
    render(&page, status)
}

/// A link that has ended, or that there never was.
fn over(service: &Service, link: Option<&OpenPaymentLink>) -> Result<Response, PageError> {
    let words = Words::of(language::current());
    let Some(link) = link else {
        return Err(PageError::NotFound);
    };
    Notice::new(words.link_ended())
        .of(&service.brand(&link.principal))
        .says(words.link_ended_text())
        .page(StatusCode::GONE)
}
