//! What people are told when a page can't be shown. The one way in which an error leaves the pages.

use super::language;
use super::notice::Notice;
use crate::api::request_id;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tillbox_core::reason::Language;
use tillbox_service::ServiceError;

/// Why there is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageError {
    /// There is no session, or it has ended.
    SignedOut,
    /// There is no such page, wallet or transaction, or it is somebody else's.
    NotFound,
    /// The page takes no such request.
    MethodNotAllowed,
    /// The form was not sent by one of our pages, or by one of an earlier session.
    ForeignForm,
    /// The form is no form, too large, or did not arrive whole.
    UnreadableForm,
    /// The state does not allow it, and the page did not say so beforehand.
    Refused,
    /// Try again: nothing was done, or the same form will tell.
    Busy,
    /// A fault of ours.
    Fault,
}

impl PageError {
    fn status(self) -> StatusCode {
        match self {
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::UnreadableForm => StatusCode::BAD_REQUEST,
            Self::Refused => StatusCode::CONFLICT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What it is, and what to do.
    fn words(self, language: Language) -> (&'static str, &'static str) {
        match (self, language) {
            (Self::SignedOut, Language::En) => (
                "Please open your wallet again",
                "You are not signed in, or your session has ended: after an hour without use, and after eight hours in any case. Open the wallet from where you came.",
            ),
            (Self::SignedOut, Language::Es) => (
                "Vuelva a abrir su monedero",
                "No ha iniciado sesión o su sesión ha terminado: tras una hora sin uso y, en todo caso, tras ocho horas. Abra el monedero desde donde llegó.",
            ),
            (Self::NotFound, Language::En) => (
                "There is no such page",
                "Perhaps a part of its address is missing.",
            ),
            (Self::NotFound, Language::Es) => (
                "Esta página no existe",
                "Quizá falta una parte de su dirección.",
            ),
            (Self::MethodNotAllowed, Language::En) => (
                "This page can't be opened like that",
                "Go back and use the button on the page before.",
            ),
            (Self::MethodNotAllowed, Language::Es) => (
                "Esta página no se puede abrir así",
                "Vuelva atrás y use el botón de la página anterior.",
            ),
            (Self::ForeignForm, Language::En) => (
                "This form could not be checked",
                "Nothing was done. Go back, load the page again, and send the form from there.",
            ),
            (Self::ForeignForm, Language::Es) => (
                "No se pudo comprobar este formulario",
                "No se hizo nada. Vuelva atrás, recargue la página y envíe el formulario desde allí.",
            ),
            (Self::UnreadableForm, Language::En) => (
                "This form could not be read",
                "Nothing was done. Go back and send it again.",
            ),
            (Self::UnreadableForm, Language::Es) => (
                "No se pudo leer este formulario",
                "No se hizo nada. Vuelva atrás y envíelo de nuevo.",
            ),
            (Self::Refused, Language::En) => (
                "That is not possible now",
                "Nothing was done. Go back and load the page again to see how things stand.",
            ),
            (Self::Refused, Language::Es) => (
                "Eso no es posible ahora",
                "No se hizo nada. Vuelva atrás y recargue la página para ver cómo está todo.",
            ),
            (Self::Busy, Language::En) => (
                "One moment, please",
                "The server has too much to do. Load the page again: what you sent is never done twice.",
            ),
            (Self::Busy, Language::Es) => (
                "Un momento, por favor",
                "El servidor está muy ocupado. Recargue la página: lo que envió nunca se hace dos veces.",
            ),
            (Self::Fault, Language::En) => (
                "Something went wrong",
                "The fault is ours. Try again, or ask for help and name the reference.",
            ),
            (Self::Fault, Language::Es) => (
                "Algo salió mal",
                "El fallo es nuestro. Inténtelo de nuevo o pida ayuda e indique la referencia.",
            ),
        }
    }
}

impl From<ServiceError> for PageError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound => Self::NotFound,
            ServiceError::Rejected { .. }
            | ServiceError::Forbidden(_)
            | ServiceError::Conflict(_)
            | ServiceError::Invalid { .. }
            | ServiceError::Settings(_)
            | ServiceError::KeyReused => Self::Refused,
            ServiceError::Overloaded(_)
            | ServiceError::OutcomeUnknown
            | ServiceError::ShuttingDown => Self::Busy,
            ServiceError::Store(error) => {
                tracing::error!(%error, request_id = request_id::current(), "the store failed");
                Self::Busy
            }
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (heading, text) = self.words(language::current());
        let notice = Notice::new(heading).says(text);
        let notice = match self {
            Self::Fault | Self::Busy => notice.with_reference(request_id::current()),
            _ => notice,
        };
        let mut response = notice
            .page(self.status())
            .unwrap_or_else(|_unwritten| self.status().into_response());
        if self == Self::Busy {
            let seconds = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}
