//! The link by which a customer comes. Looking at it changes nothing, since scanners of mail look at links; pressing
//! its button opens the wallet, once.

use super::notice::{Action, Notice};
use super::page_error::PageError;
use super::{cookie, language, origin};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tillbox_core::reason::Language;
use tillbox_service::{LinkState, Opened, PortalLink, Service};

/// Shows what the link opens, with a button that does.
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    token: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let link = service.portal_link(&text_of(token)).await?;
    // Whoever opened it in this browser and comes again, by the back button or a bookmark, is let in.
    if let Some(link) = &link
        && link.state == LinkState::Used
        && let Some(cookie) = cookie::read(&headers, service.public_url())
        && let Some(session) = service.portal_session(cookie).await?
        && session.customer.id == link.customer_id
        && session.principal.merchant_id == link.merchant_id
    {
        return Ok(to_wallet());
    }
    page(link)
}

/// Opens the wallet: the link is used up, and the browser gets a session. One that it had before ends.
pub(crate) async fn open(
    State(service): State<Arc<Service>>,
    token: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    if !origin::is_ours(&headers, service.public_url()) {
        return Err(PageError::ForeignForm);
    }
    let session = match service.open_portal_link(&text_of(token)).await? {
        Opened::Session { token } => token,
        Opened::Refused(link) => return page(link),
    };
    if let Some(before) = cookie::read(&headers, service.public_url())
        && let Some(before) = service.portal_session(before).await?
    {
        service.end_portal_session(&before).await?;
    }
    let mut response = to_wallet();
    cookie::give(response.headers_mut(), service.public_url(), &session);
    Ok(response)
}

fn to_wallet() -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, "/wallet")]).into_response()
}

/// What stands in the path; what is no text is no token.
fn text_of(token: Result<Path<String>, PathRejection>) -> String {
    token.map(|Path(text)| text).unwrap_or_default()
}

fn page(link: Option<PortalLink>) -> Result<Response, PageError> {
    let Some(link) = link else {
        let (heading, text) = unknown(language::current());
        return Notice::new(heading).says(text).page(StatusCode::NOT_FOUND);
    };
    language::set(language::of_locale(&link.locale));
    let language = language::current();
    match link.state {
        LinkState::Good => {
            let (heading, text, button) = good(language);
            Notice::new(heading)
                .of(&link.brand)
                .says(text)
                .leads(Some(Action::button(button)))
                .page(StatusCode::OK)
        }
        LinkState::Used | LinkState::Expired => {
            let (heading, text) = match link.state {
                LinkState::Used => used(language),
                LinkState::Good | LinkState::Expired => expired(language),
            };
            let back = match language {
                Language::En => "Go back",
                Language::Es => "Volver",
            };
            Notice::new(heading)
                .of(&link.brand)
                .says(text)
                .leads(link.return_url.map(|url| Action::link(back, url)))
                .page(StatusCode::GONE)
        }
    }
}

fn good(language: Language) -> (&'static str, &'static str, &'static str) {
    match language {
        Language::En => (
            "Your wallet",
            "This link opens your wallet in this browser. It works once.",
            "Open my wallet",
        ),
        Language::Es => (
            "Su monedero",
            "Este enlace abre su monedero en este navegador. Funciona una sola vez.",
            "Abrir mi monedero",
        ),
    }
}

fn used(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::En => (
            "This link was used already",
            "Each link opens the wallet once. Open it again from where you came, and you get a new one.",
        ),
        Language::Es => (
            "Este enlace ya se usó",
            "Cada enlace abre el monedero una sola vez. Vuelva a abrirlo desde donde llegó y recibirá uno nuevo.",
        ),
    }
}

fn expired(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::En => (
            "This link has expired",
            "Links are good for 15 minutes. Open the wallet again from where you came, and you get a new one.",
        ),
        Language::Es => (
            "Este enlace ha caducado",
            "Los enlaces valen 15 minutos. Vuelva a abrir el monedero desde donde llegó y recibirá uno nuevo.",
        ),
    }
}

fn unknown(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::En => (
            "This link opens nothing",
            "Perhaps a part of it is missing, or it is too old. Open the wallet again from where you came.",
        ),
        Language::Es => (
            "Este enlace no abre nada",
            "Quizá le falta una parte o es demasiado antiguo. Vuelva a abrir el monedero desde donde llegó.",
        ),
    }
}
