//! Problem details (RFC 9457): the one way in which an error leaves.

use super::request_id;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::rejection::Rejection;
use tillbox_service::{KeyScope, PriceError, ServiceError, TopUpView, print_amount};
use utoipa::ToSchema;

/// An error: what happened, and what a program needs to act on it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    code: &'static str,
    detail: String,
    more: Map<String, Value>,
}

/// The form of every error.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemForm {
    /// Names the kind of problem; the same as `code`.
    r#type: String,
    /// The kind of problem, for people.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The kind of problem, for programs.
    code: String,
    /// What happened, for people.
    detail: String,
    /// The id of the request.
    request_id: String,
    /// What is wrong with the request, where.
    errors: Option<Vec<FieldError>>,
}

/// What is wrong, and where.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// JSON pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    /// Name of a query parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameter: Option<String>,
    /// What to send instead.
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            more: Map::new(),
        }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The request has a shape that is not understood.
    pub(crate) fn invalid(error: &FieldError) -> Self {
        let place = error
            .pointer
            .as_deref()
            .filter(|pointer| !pointer.is_empty())
            .or(error.parameter.as_deref());
        let detail = place.map_or_else(
            || error.message.clone(),
            |place| format!("{place}: {}", error.message),
        );
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail).with("errors", json!([error]))
    }

    pub(crate) fn invalid_field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(&FieldError {
            pointer: Some(pointer.into()),
            parameter: None,
            message: message.into(),
        })
    }

    pub(crate) fn invalid_parameter(
        parameter: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::invalid(&FieldError {
            pointer: None,
            parameter: Some(parameter.into()),
            message: message.into(),
        })
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such thing, or it belongs to another merchant",
        )
    }

    pub(crate) fn unauthenticated() -> Self {
        let detail = "send a valid API key: Authorization: Bearer tb_test_…";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// The API key lacks a scope.
    pub(crate) fn forbidden(scope: KeyScope) -> Self {
        let detail = format!("the API key lacks the scope {}", scope.name());
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail).with("scope", scope.name())
    }

    /// A notice that no provider has signed.
    pub(crate) fn unsigned() -> Self {
        let detail = "the signature is missing, wrong, or older than five minutes";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    pub(crate) fn key_required() -> Self {
        let detail = "send an Idempotency-Key header, so that a retry can't happen twice";
        Self::new(StatusCode::BAD_REQUEST, "idempotency_key_required", detail).with(
            "errors",
            json!([{"parameter": "Idempotency-Key", "message": "is missing"}]),
        )
    }

    pub(crate) fn key_reused() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "this key was used for another request: use a new one",
        )
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            format!("the body may have {limit} bytes"),
        )
    }

    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send Content-Type: application/json",
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this path does not take this method",
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "a fault of ours; the log has it under the request id",
        )
    }

    pub(crate) fn timeout() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            "the body did not arrive in time",
        )
    }

    /// What stands in for an answer of the HTTP library, which gives only a status.
    pub(crate) fn unreadable_head(status: StatusCode) -> Self {
        let message = match status {
            StatusCode::URI_TOO_LONG => "send a shorter address",
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "send fewer or shorter headers",
            _ => "this is no HTTP/1.1 request",
        };
        Self {
            status,
            ..Self::invalid_field("", message)
        }
    }

    pub(crate) fn overloaded(detail: &str) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "overloaded",
            format!("nothing was done, try again: {detail}"),
        )
    }

    pub(crate) fn out_of_range(
        minimum: Option<Amount>,
        maximum: Option<Amount>,
        currency: Option<Currency>,
    ) -> Self {
        let print = |amount: Amount| {
            currency.map_or_else(|| print_amount(amount), |currency| amount.display(currency))
        };
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "amount_out_of_range",
            "the amount is out of range",
        )
        .with("minimum", minimum.map(print))
        .with("maximum", maximum.map(print))
    }

    /// A payment that was not made, for a person and for a program.
    pub(crate) fn declined(view: &TopUpView) -> Self {
        let words = view.failure_words();
        let code = view
            .row
            .top_up
            .failure
            .as_deref()
            .unwrap_or("generic_decline");
        Self::new(StatusCode::PAYMENT_REQUIRED, "payment_declined", words)
            .with("decline_code", code)
            .with("message", words)
            .with("top_up_id", view.row.id.to_string())
    }

    /// The payment provider gave no answer to build on.
    pub(crate) fn provider_unavailable() -> Self {
        Self::overloaded("the payment provider can't be reached now")
    }

    fn conflict(reason: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", reason).with("reason", reason)
    }

    /// The body, with the id of the request.
    pub(crate) fn to_json(&self) -> Value {
        let title = self.code.replace('_', " ");
        let mut body = json!({
            "type": format!("/docs/problems#{}", self.code),
            "title": title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
            "request_id": request_id::current(),
        });
        if let Some(fields) = body.as_object_mut() {
            fields.extend(self.more.clone());
        }
        body
    }

    fn rejection(rejection: &Rejection, currency: Option<Currency>) -> Self {
        let print = |amount: Amount| {
            currency.map_or_else(|| print_amount(amount), |currency| amount.display(currency))
        };
        let detail = rejection.to_string();
        match *rejection {
            Rejection::WalletNotFound
            | Rejection::HoldNotFound
            | Rejection::HoldUnknown(_)
            | Rejection::LotNotFound
            | Rejection::LotUnknown(_)
            | Rejection::TransactionNotFound
            | Rejection::TopUpNotFound => Self::not_found(),
            Rejection::PaymentMethodRequired => {
                Self::new(StatusCode::CONFLICT, "payment_method_required", detail)
            }
            Rejection::NotWholeMinorUnits | Rejection::TargetBelowThreshold => Self {
                detail,
                ..Self::out_of_range(None, None, currency)
            },
            Rejection::KeyReused => Self::key_reused(),
            Rejection::WalletNotActive(status) => {
                Self::new(StatusCode::CONFLICT, "wallet_not_active", detail)
                    .with("wallet_status", status.name())
            }
            Rejection::HoldNotOpen(status) => {
                Self::new(StatusCode::CONFLICT, "hold_not_open", detail)
                    .with("hold_status", status.name())
            }
            Rejection::NotRefundable => {
                Self::conflict("transactions of this reason are not refundable")
            }
            Rejection::Conflict(reason) => Self::conflict(reason),
            Rejection::TooMany(_)
            | Rejection::TopUpNotOpen(_)
            | Rejection::PayoutNotOpen(_)
            | Rejection::DisputeNotOpen(_) => Self::conflict(&detail),
            Rejection::ExpiryOutOfRange { .. } => Self::invalid_field("/expires_at", detail),
            Rejection::AmountOutOfRange { minimum, maximum } => {
                Self::out_of_range(minimum, maximum, currency)
            }
            Rejection::CaptureExceedsHold { remaining } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "capture_exceeds_hold",
                detail,
            )
            .with("remaining", print(remaining)),
            Rejection::RefundExceedsRemaining { remaining } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "refund_exceeds_remaining",
                detail,
            )
            .with("remaining", print(remaining)),
            Rejection::NotWithdrawable { withdrawable } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not_withdrawable", detail)
                    .with("withdrawable", print(withdrawable))
            }
            Rejection::InsufficientFunds {
                required,
                available,
                next_release_at,
                recharge,
            } => Self::new(StatusCode::PAYMENT_REQUIRED, "insufficient_funds", detail)
                .with("required", print(required))
                .with("available", print(available))
                .with("shortfall", print(required - available))
                .with(
                    "currency",
                    currency.map(|currency| currency.code().to_owned()),
                )
                .with("top_up_url", Value::Null)
                .with(
                    "auto_recharge",
                    json!({
                        "enabled": recharge.is_enabled,
                        "state": recharge.standing.name(),
                        "reason": recharge.reason,
                    }),
                )
                .with("next_release_at", next_release_at.map(|at| at.to_string())),
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Rejected {
                rejection,
                currency,
                top_up_url,
            } => {
                let problem = Self::rejection(&rejection, currency);
                match top_up_url {
                    Some(url) => problem.with("top_up_url", url),
                    None => problem,
                }
            }
            ServiceError::NotFound => Self::not_found(),
            ServiceError::Forbidden(scope) => Self::forbidden(scope),
            ServiceError::Conflict(reason) => Self::conflict(reason),
            ServiceError::Invalid { pointer, message } if pointer.starts_with('/') => {
                Self::invalid_field(pointer, message)
            }
            ServiceError::Invalid { pointer, message } => Self::invalid_parameter(pointer, message),
            ServiceError::Settings(error) => Self::invalid_field(error.pointer, error.message),
            ServiceError::KeyReused => Self::key_reused(),
            ServiceError::Overloaded(why) => {
                tracing::warn!(%why, "a request was refused");
                Self::overloaded("the server has too much to do")
            }
            ServiceError::ShuttingDown => Self::overloaded("the server is stopping"),
            ServiceError::OutcomeUnknown => {
                let detail = "it may be done or not: try again with the same Idempotency-Key, which will tell";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", detail)
            }
            ServiceError::Store(error) => {
                tracing::error!(%error, request_id = request_id::current(), "the store failed");
                Self::overloaded("the store can't be read now")
            }
        }
    }
}

impl From<PriceError> for Problem {
    fn from(error: PriceError) -> Self {
        match error {
            PriceError::NoSuchPrice => Self::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "there is no price of this key",
            ),
            PriceError::CurrencyMismatch => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "currency_mismatch",
                "the price has no version in the wallet's currency",
            ),
            PriceError::OutOfRange => Self::out_of_range(None, Some(Amount::MAX_SINGLE), None),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.to_json().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
