//! Forms of a session: sent by one of our own pages, or refused.

use super::origin;
use super::page_error::PageError;
use super::session::Session;
use crate::api::body::{BODY_BYTES, collect};
use crate::api::page::decode;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use std::sync::Arc;
use tillbox_service::{PortalSession, Service};

/// The field that each form carries: `session.form_token()`.
pub(crate) const TOKEN: &str = "token";

/// A form with the session that sent it. Its token has been checked.
pub(crate) struct Form {
    pub(crate) session: PortalSession,
    fields: Fields,
}

impl Form {
    /// Who sent it, and what.
    pub(crate) fn into_parts(self) -> (PortalSession, Fields) {
        (self.session, self.fields)
    }

    /// What was written into a field: the first of that name, without the space around it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }
}

/// The fields of a form of a page that knows no session: whoever has the page's address may send it.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// What was written into a field: the first of that name, without the space around it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All fields of a name, in their order.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(found, _)| found == name)
            .map(|(_, value)| value.trim())
    }
}

impl FromRequest<Arc<Service>> for Fields {
    type Rejection = PageError;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Self, PageError> {
        if !origin::is_ours(request.headers(), service.public_url()) {
            return Err(PageError::ForeignForm);
        }
        let is_form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|essence| {
                essence
                    .trim()
                    .eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
        if !is_form {
            return Err(PageError::UnreadableForm);
        }
        let bytes = collect(request, BODY_BYTES)
            .await
            .map_err(|_problem| PageError::UnreadableForm)?;
        let fields = read(&bytes).ok_or(PageError::UnreadableForm)?;
        Ok(Self(fields))
    }
}

impl FromRequest<Arc<Service>> for Form {
    type Rejection = PageError;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let Session(session) = Session::from_request_parts(&mut parts, service).await?;
        let request = Request::from_parts(parts, body);
        let fields = Fields::from_request(request, service).await?;
        let form = Self { session, fields };
        let mut tokens = form.fields.all(TOKEN);
        let is_checked = match (tokens.next(), tokens.next()) {
            (Some(token), None) => form.session.is_form_token(token),
            _ => false,
        };
        drop(tokens);
        if is_checked {
            Ok(form)
        } else {
            Err(PageError::ForeignForm)
        }
    }
}

/// The fields of a form or a query, as browsers send them.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            decode(name).zip(decode(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_send_them() {
        let fields = read(b"amount=25%2C50&note=a+b%26c&box=1&box=2&empty=").expect("a form");
        let expected = [
            ("amount", "25,50"),
            ("note", "a b&c"),
            ("box", "1"),
            ("box", "2"),
            ("empty", ""),
        ];
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(fields, expected);
        for wrong in [&b"a=%"[..], b"a=%zz", b"a=%ff", b"\xff=1"] {
            assert_eq!(read(wrong), None);
        }
    }
}
