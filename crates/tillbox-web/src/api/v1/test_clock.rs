//! The test clock: a test merchant's time.

use crate::api::answer::ok;
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::page::Query;
use crate::api::problem::Problem;
use crate::api::values::Instant;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_service::{Advance, Service};
use utoipa::ToSchema;

/// The merchant's time.
#[derive(Serialize, ToSchema)]
pub(crate) struct Clock {
    now: String,
}

/// How far to move it: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdvanceBody {
    to: Option<Instant>,
    #[schema(minimum = 0)]
    by_seconds: Option<i64>,
}

/// The merchant's time.
#[utoipa::path(get, path = "/v1/test-clock", tag = "test clock", responses((status = 200, body = Clock)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    if caller.principal.live {
        return Err(Problem::not_found());
    }
    Ok(ok(&Clock {
        now: service.clock_now(&caller.principal).to_string(),
    }))
}

/// Moves the merchant's time forward; answers once all that falls due has run.
#[utoipa::path(post, path = "/v1/test-clock/advance", tag = "test clock", request_body = AdvanceBody, responses((status = 200, body = Clock)))]
pub(crate) async fn advance(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(body): Json<AdvanceBody>,
) -> Result<Response, Problem> {
    let advance = match (body.to, body.by_seconds) {
        (Some(to), None) => Advance::To(to.0),
        (None, Some(seconds)) if seconds >= 0 => Advance::BySeconds(seconds),
        (None, Some(_)) => {
            return Err(Problem::invalid_field(
                "/by_seconds",
                "the test clock never goes back",
            ));
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::invalid_field("/to", "send to or by_seconds"));
        }
    };
    let now = service.advance_clock(&caller.principal, advance).await?;
    Ok(ok(&Clock {
        now: now.to_string(),
    }))
}
