//! What payment providers tell, and what goes wrong with the sandbox.

use crate::api::answer::ok;
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::page::Query;
use crate::api::problem::Problem;
use crate::api::values::Words;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_service::Service;
use tillbox_service::payments::sandbox::{Faults, NoticeError, SIGNATURE_HEADER};
use utoipa::ToSchema;

/// Takes a notice of a payment provider. Its signature stands in for an API key.
#[utoipa::path(post, path = "/v1/payments/{provider}/webhook", tag = "payments", params(("provider" = String, Path)),
    request_body(content = String, content_type = "application/json"), responses((status = 204)), security(()))]
pub(crate) async fn webhook(
    State(service): State<Arc<Service>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    if provider != "sandbox" {
        return Err(Problem::not_found());
    }
    let signature = headers
        .get(SIGNATURE_HEADER)
        .and_then(|value| value.to_str().ok());
    let notice = service.sandbox().parse_notice(signature, &body).await?;
    let (merchant, notice) = notice.map_err(|error| match error {
        NoticeError::Signature => Problem::unsigned(),
        NoticeError::Form => Problem::invalid_field("", error.to_string()),
    })?;
    service.take_notice(merchant, notice).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What goes wrong with the sandbox from now on.
#[derive(Serialize, ToSchema)]
#[schema(as = SandboxFaults)]
pub(crate) struct FaultsView {
    /// So many charges are made whose reply is lost.
    lose_replies: u32,
    /// So many notices are never sent.
    lose_notices: u32,
    /// Each notice is sent twice.
    double_notices: bool,
    /// Each notice waits so long first.
    delay_notices_seconds: i64,
    /// Waiting notices are sent the latest first.
    reorder_notices: bool,
    /// So many charges are declined.
    decline_next: u32,
    /// With this code.
    decline_code: Option<String>,
    /// So many refunds come to nothing.
    decline_refunds: u32,
    /// Each refund is pending so long.
    delay_refunds_seconds: i64,
}

impl From<Faults> for FaultsView {
    fn from(faults: Faults) -> Self {
        Self {
            lose_replies: faults.lose_replies,
            lose_notices: faults.lose_notices,
            double_notices: faults.double_notices,
            delay_notices_seconds: faults.delay_notices_seconds,
            reorder_notices: faults.reorder_notices,
            decline_next: faults.decline_next,
            decline_code: faults.decline_code,
            decline_refunds: faults.decline_refunds,
            delay_refunds_seconds: faults.delay_refunds_seconds,
        }
    }
}

/// What shall go wrong; what is absent goes right.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultsBody {
    #[schema(maximum = 1000)]
    lose_replies: Option<Count>,
    #[schema(maximum = 1000)]
    lose_notices: Option<Count>,
    double_notices: Option<bool>,
    #[schema(maximum = 1000)]
    delay_notices_seconds: Option<Count>,
    reorder_notices: Option<bool>,
    #[schema(maximum = 1000)]
    decline_next: Option<Count>,
    decline_code: Option<Words<60>>,
    #[schema(maximum = 1000)]
    decline_refunds: Option<Count>,
    #[schema(maximum = 1000)]
    delay_refunds_seconds: Option<Count>,
}

/// A number from 0 to 1000.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "u32")]
#[schema(value_type = u32)]
pub(crate) struct Count(u32);

impl TryFrom<u32> for Count {
    type Error = &'static str;

    fn try_from(count: u32) -> Result<Self, Self::Error> {
        if count <= 1_000 {
            Ok(Self(count))
        } else {
            Err("must be a number from 0 to 1000")
        }
    }
}

/// What goes wrong with the sandbox: for test merchants.
#[utoipa::path(get, path = "/v1/sandbox/faults", tag = "payments", responses((status = 200, body = FaultsView)))]
pub(crate) async fn faults(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    require_test(&caller)?;
    let faults = service
        .sandbox()
        .faults(caller.principal.merchant_id)
        .await?;
    Ok(ok(&FaultsView::from(faults)))
}

/// Lets things go wrong with the sandbox, to see how they are mended: for test merchants.
#[utoipa::path(put, path = "/v1/sandbox/faults", tag = "payments", request_body = FaultsBody, responses((status = 200, body = FaultsView)))]
pub(crate) async fn set_faults(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(body): Json<FaultsBody>,
) -> Result<Response, Problem> {
    require_test(&caller)?;
    let count = |count: Option<Count>| count.map_or(0, |count| count.0);
    let faults = Faults {
        lose_replies: count(body.lose_replies),
        lose_notices: count(body.lose_notices),
        double_notices: body.double_notices.unwrap_or(false),
        delay_notices_seconds: i64::from(count(body.delay_notices_seconds)),
        reorder_notices: body.reorder_notices.unwrap_or(false),
        decline_next: count(body.decline_next),
        decline_code: body.decline_code.map(|code| code.0),
        decline_refunds: count(body.decline_refunds),
        delay_refunds_seconds: i64::from(count(body.delay_refunds_seconds)),
    };
    service
        .sandbox()
        .set_faults(caller.principal.merchant_id, faults.clone())
        .await?;
    Ok(ok(&FaultsView::from(faults)))
}

/// What is asked of the sandbox is for test merchants alone.
pub(super) fn require_test(caller: &Caller) -> Result<(), Problem> {
    if caller.principal.live {
        Err(Problem::not_found())
    } else {
        Ok(())
    }
}
