//! Cards: added on the provider's page, made the default, taken away.

use super::super::form::Form;
use super::super::page_error::PageError;
use super::visit::{Visit, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use std::sync::Arc;
use tillbox_core::id::PaymentMethodId;
use tillbox_service::{Service, ServiceError};

/// Leads to the provider's page on which a card is added.
pub(crate) async fn add(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, _fields) = Visit::of_form(service, form).await?;
    let back = |what| {
        let public_url = visit.service.public_url();
        format!("{}{}", public_url.as_str(), visit.url_telling(what))
    };
    let (who, customer) = (visit.who(), visit.session.customer.id);
    let (added, not_added) = (back("card"), back("no-card"));
    let page = visit
        .service
        .payment_method_page(who, customer, added, not_added);
    Ok(see_other(&page.await?))
}

/// Makes a card the default.
pub(crate) async fn make_default(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, _fields) = Visit::of_form(service, form).await?;
    let id = PaymentMethodId::parse(&id).map_err(|_malformed| PageError::NotFound)?;
    let (who, customer) = (visit.who(), visit.session.customer.id);
    let made = visit
        .service
        .make_default_payment_method(who, customer, id)
        .await?;
    Ok(see_other(
        &visit.url_telling(&format!("default&method={}", made.id)),
    ))
}

/// Takes a card away. One that is gone already is as good as taken away.
pub(crate) async fn remove(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, _fields) = Visit::of_form(service, form).await?;
    let id = PaymentMethodId::parse(&id).map_err(|_malformed| PageError::NotFound)?;
    let (who, customer) = (visit.who(), visit.session.customer.id);
    let removed = visit.service.remove_payment_method(who, customer, id).await;
    match removed {
        Ok(()) | Err(ServiceError::NotFound) => Ok(see_other(&visit.url_telling("removed"))),
        Err(error) => Err(error.into()),
    }
}
