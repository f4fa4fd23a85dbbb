//! Why the service could not do what was asked.

use crate::api_keys::KeyScope;
use crate::settings::SettingsError;
use tillbox_core::currency::Currency;
use tillbox_core::rejection::Rejection;
use tillbox_engine::work::SubmitError;
use tillbox_store::StoreError;

/// A refusal, or a fault of ours; never the one dressed as the other.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A rule of the ledger says no.
    #[error("{rejection}")]
    Rejected {
        /// Which.
        rejection: Rejection,
        /// The wallet's currency, if there is a wallet.
        currency: Option<Currency>,
        /// Where the customer adds funds, where that would help.
        top_up_url: Option<String>,
    },
    /// There is no such thing, or it is another merchant's.
    #[error("not found")]
    NotFound,
    /// The API key lacks a scope.
    #[error("the API key lacks the scope {}", .0.name())]
    Forbidden(KeyScope),
    /// The state does not allow it.
    #[error("{0}")]
    Conflict(&'static str),
    /// A value that only the service can judge.
    #[error("{message}")]
    Invalid {
        /// JSON pointer to the value.
        pointer: &'static str,
        /// What to write instead.
        message: &'static str,
    },
    /// Settings that can't hold together.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Too much is waiting, or the store refused the write. Nothing was stored.
    #[error("overloaded: {0}")]
    Overloaded(String),
    /// It may be done or not; the same key will tell.
    #[error("the outcome is unknown")]
    OutcomeUnknown,
    /// The process is stopping. Nothing was stored.
    #[error("shutting down")]
    ShuttingDown,
    /// The store can't be read, or what it says can't be.
    #[error(transparent)]
    Store(StoreError),
}

impl From<SubmitError> for ServiceError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Rejected {
                rejection: Rejection::KeyReused,
                ..
            } => Self::KeyReused,
            SubmitError::Rejected {
                rejection,
                currency,
            } => Self::Rejected {
                rejection,
                currency,
                top_up_url: None,
            },
            SubmitError::Overloaded(why) => Self::Overloaded(why),
            SubmitError::OutcomeUnknown => Self::OutcomeUnknown,
            SubmitError::ShuttingDown => Self::ShuttingDown,
        }
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::OutcomeUnknown => Self::OutcomeUnknown,
            StoreError::KeyHasRow => Self::KeyReused,
            other @ (StoreError::Unavailable(_)
            | StoreError::Conflict(_)
            | StoreError::Corrupt { .. }) => Self::Store(other),
        }
    }
}
