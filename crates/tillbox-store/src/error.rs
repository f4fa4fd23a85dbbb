//! What can go wrong with a store.

/// A fault of the store, or a uniqueness that it holds.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be read or written now; nothing was written.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// Something unique is taken, or something else is in the way. Nothing was written.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// The key was used for a row of the log: nothing else is written under it.
    #[error("the key has a row")]
    KeyHasRow,
    /// It may be written or not.
    #[error("the outcome of a write is unknown")]
    OutcomeUnknown,
    /// What is stored can't be right.
    #[error("the store is corrupt: {what}")]
    Corrupt {
        /// What was found.
        what: String,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{Error, ErrorCode};
        let corrupt = match &error {
            Error::InvalidColumnType(..)
            | Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..) => true,
            other => matches!(
                other.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            ),
        };
        if corrupt {
            Self::Corrupt {
                what: error.to_string(),
            }
        } else {
            Self::Unavailable(error.to_string())
        }
    }
}
