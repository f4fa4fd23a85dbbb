//! Answers: JSON, as bytes that a replay gives again.

use super::problem::Problem;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_service::Answered;

/// The bytes of an answer.
pub(crate) fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1_024);
    serde_json::to_writer(&mut bytes, value).expect("answers are plain values");
    bytes
}

/// An answer of that status.
pub(crate) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = (status, body.into()).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// 200 with a value.
pub(crate) fn ok<T: Serialize>(value: &T) -> Response {
    json(StatusCode::OK, bytes(value))
}

/// Says that this answer was given before.
pub(crate) fn replayed(mut response: Response, replayed: bool) -> Response {
    if replayed {
        response.headers_mut().insert(
            HeaderName::from_static("idempotent-replayed"),
            HeaderValue::from_static("true"),
        );
    }
    response
}

/// An answer that is stored whole.
pub(crate) fn stored(answered: Answered) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(answered.status).map_err(|_corrupt| Problem::internal())?;
    Ok(replayed(
        json(status, Bytes::from_owner(answered.body)),
        answered.replayed,
    ))
}

/// An amount as the contract prints it.
pub(crate) fn print(amount: Amount, currency: Currency) -> String {
    amount.display(currency)
}

/// Stored JSON, passed on as it is.
pub(crate) fn raw(text: Option<&str>) -> &RawValue {
    let text = text.unwrap_or("{}");
    serde_json::from_str(text).unwrap_or(RawValue::NULL)
}
