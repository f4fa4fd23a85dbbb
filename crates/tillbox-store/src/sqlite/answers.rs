//! Answers that are stored whole, for plain writes under a key.

use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use tillbox_core::entry::KeyStamp;
use tillbox_engine::port::StoredAnswer;

/// The answer that the key was given.
pub fn find(connection: &Connection, key: [u8; 16]) -> Result<Option<StoredAnswer>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT fingerprint, status, body FROM answers WHERE key = ?1")?;
    let answer = statement.query_row([key], |row| {
        let body: Vec<u8> = row.get(2)?;
        Ok(StoredAnswer {
            key: KeyStamp {
                key,
                fingerprint: row.get(0)?,
            },
            status: row.get(1)?,
            body: body.into(),
        })
    });
    Ok(answer.optional()?)
}

/// Stores an answer with its key; a conflict when the key has one.
pub fn insert(connection: &Connection, answer: &StoredAnswer) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO answers (key, fingerprint, status, body) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let inserted = statement.execute(params![
        answer.key.key,
        answer.key.fingerprint,
        answer.status,
        &*answer.body
    ]);
    inserted
        .map(drop)
        .map_err(|error| match error.sqlite_extended_error_code() {
            Some(rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
                StoreError::Conflict("the key has an answer")
            }
            _ => error.into(),
        })
}
