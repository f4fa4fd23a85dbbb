//! Small pages that say one thing: a link, an end, an error.

use super::page_error::PageError;
use super::view::{Frame, Place, SignedIn, Theme};
use super::{language, theme};
use crate::words::Words;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use tillbox_service::Brand;

/// A page that says one thing and leads on.
#[derive(Template)]
#[template(path = "portal/notice.html")]
pub(crate) struct Notice<'a> {
    words: Words,
    frame: Frame,
    text: &'a str,
    action: Option<Action>,
    /// The id of the request, for whoever helps.
    reference: Option<String>,
}

/// Where a notice leads.
pub(crate) enum Action {
    /// To another page.
    Link {
        /// What it says.
        label: &'static str,
        /// Where it leads.
        url: String,
    },
    /// Sends the page's own address as a form.
    Button {
        /// What it says.
        label: &'static str,
    },
}

impl Action {
    pub(crate) fn link(label: &'static str, url: String) -> Self {
        Self::Link { label, url }
    }

    pub(crate) fn button(label: &'static str) -> Self {
        Self::Button { label }
    }
}

impl<'a> Notice<'a> {
    pub(crate) fn new(heading: &str) -> Self {
        Self {
            words: Words::of(language::current()),
            frame: Frame::new(heading, theme::current()),
            text: "",
            action: None,
            reference: None,
        }
    }

    /// Whose page it is.
    pub(crate) fn of(mut self, brand: &Brand) -> Self {
        self.frame = self.frame.of(brand);
        self
    }

    /// Whose session it is.
    pub(crate) fn signed_in(mut self, session: SignedIn) -> Self {
        self.frame = self.frame.signed_in(session, Place::Wallet);
        self
    }

    pub(crate) fn says(mut self, text: &'a str) -> Self {
        self.text = text;
        self
    }

    pub(crate) fn leads(mut self, action: Option<Action>) -> Self {
        self.action = action;
        self
    }

    pub(crate) fn with_reference(mut self, reference: String) -> Self {
        self.reference = Some(reference);
        self
    }

    pub(crate) fn page(&self, status: StatusCode) -> Result<Response, PageError> {
        render(self, status)
    }
}

/// A template as an answer.
pub(crate) fn render(page: &impl Template, status: StatusCode) -> Result<Response, PageError> {
    match page.render() {
        Ok(html) => Ok((status, Html(html)).into_response()),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            Err(PageError::Fault)
        }
    }
}
