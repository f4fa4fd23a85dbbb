//! Where a customer comes back to from a hosted payment page: how the payment stands is asked before anything is said.
//! Its owner is sent on to the wallet, with or without JavaScript; whoever paid by a link and has no session is told here.

use super::cookie;
use super::language;
use super::notice::Notice;
use super::page_error::PageError;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tillbox_core::id::TopUpId;
use tillbox_core::reason::Language;
use tillbox_core::top_up::TopUpStatus;
use tillbox_service::Service;

/// Asks, and sends on or tells.
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let id = TopUpId::parse(&id).map_err(|_malformed| PageError::NotFound)?;
    let row = service.come_back(id).await?;
    if let Some(cookie) = cookie::read(&headers, service.public_url())
        && let Some(session) = service.portal_session(cookie).await?
        && service
            .wallet_currency(&session.principal, row.wallet_id)
            .await
            .is_ok()
    {
        let url = format!("/wallet?wallet={}&top_up={id}", row.wallet_id);
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response());
    }
    let (heading, text) = words(row.top_up.status, language::current());
    Notice::new(heading).says(text).page(StatusCode::OK)
}

fn words(status: TopUpStatus, language: Language) -> (&'static str, &'static str) {
    match (status, language) {
        (TopUpStatus::Succeeded, Language::En) => (
            "Thank you, it is paid",
            "The money is on the wallet. You can close this page.",
        ),
        (TopUpStatus::Succeeded, Language::Es) => (
            "Gracias, está pagado",
            "El dinero ya está en el monedero. Puede cerrar esta página.",
        ),
        (TopUpStatus::Failed | TopUpStatus::Canceled, Language::En) => (
            "It was not paid",
            "Nothing was charged. Ask for a new link to try again.",
        ),
        (TopUpStatus::Failed | TopUpStatus::Canceled, Language::Es) => (
            "No se ha pagado",
            "No se ha cobrado nada. Pida un enlace nuevo para intentarlo otra vez.",
        ),
        (
            TopUpStatus::Pending | TopUpStatus::RequiresAction | TopUpStatus::Processing,
            Language::En,
        ) => (
            "The payment is under way",
            "It shows on the wallet as soon as the bank confirms it. You can close this page.",
        ),
        (
            TopUpStatus::Pending | TopUpStatus::RequiresAction | TopUpStatus::Processing,
            Language::Es,
        ) => (
            "El pago está en curso",
            "Aparecerá en el monedero en cuanto el banco lo confirme. Puede cerrar esta página.",
        ),
    }
}
