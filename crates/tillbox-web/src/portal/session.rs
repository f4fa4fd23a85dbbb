//! Sessions: who looks at a page.

use super::form::Form;
use super::notice::{Action, Notice};
use super::page_error::PageError;
use super::{cookie, language};
use crate::api::request_id;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use tillbox_core::reason::Language;
use tillbox_service::{PortalSession, Service};

/// The session of a request. A page without one asks to open the link again.
pub(crate) struct Session(pub(crate) PortalSession);

impl FromRequestParts<Arc<Service>> for Session {
    type Rejection = PageError;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, PageError> {
        let token = cookie::read(&parts.headers, service.public_url());
        let session = match token {
            Some(token) if asks_by_itself(parts) => service.unused_portal_session(token).await?,
            Some(token) => service.portal_session(token).await?,
            None => None,
        };
        let mut session = session.ok_or(PageError::SignedOut)?;
        session.principal.request = request_id::number();
        let own = || language::of_locale(&session.customer.locale);
        language::set(language::chosen(&parts.headers).unwrap_or_else(own));
        Ok(Self(session))
    }
}

/// Whether a script of the page asks, which follows the balance while nobody looks.
fn asks_by_itself(parts: &Parts) -> bool {
    let target = parts.headers.get("sec-fetch-dest");
    parts.method == Method::GET && target.is_some_and(|target| target == "empty")
}

/// Ends the session.
pub(crate) async fn sign_out(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let session = form.session;
    service.end_portal_session(&session).await?;
    let brand = service.brand(&session.principal);
    let (heading, text, back) = match language::current() {
        Language::En => (
            "You are signed out",
            "To see your wallet again, open it from where you came.",
            "Go back",
        ),
        Language::Es => (
            "Ha cerrado la sesión",
            "Para volver a ver su monedero, ábralo desde donde llegó.",
            "Volver",
        ),
    };
    let notice = Notice::new(heading)
        .of(&brand)
        .says(text)
        .leads(session.return_url.map(|url| Action::link(back, url)));
    let mut response = notice.page(StatusCode::OK)?;
    cookie::take_away(response.headers_mut(), service.public_url());
    Ok(response)
}
