//! What banks do, on request: disputes of the sandbox, and payments that fail after all. For test merchants.

use super::payments::require_test;
use crate::api::answer::{bytes, json, ok};
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::problem::Problem;
use crate::api::values::{Money, Positive, Words};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_core::id::TopUpId;
use tillbox_core::payback::DisputeStatus;
use tillbox_service::Service;
use utoipa::ToSchema;

/// Which payment the bank shall dispute.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisputeBody {
    top_up_id: String,
    /// All that was charged, unless said otherwise.
    amount: Option<Positive>,
}

/// How the bank shall decide.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    Lost,
    Won,
}

/// How the bank shall decide.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionBody {
    status: Decision,
}

/// Why a payment shall fail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FailureBody {
    /// `bank_returned_it` unless said otherwise.
    code: Option<Words<60>>,
}

/// A dispute of the sandbox.
#[derive(Serialize, ToSchema)]
#[schema(as = SandboxDispute)]
pub(crate) struct SandboxDisputeView {
    /// What the provider calls it.
    provider_dispute_id: String,
    status: &'static str,
}

/// A payment of the sandbox that has failed.
#[derive(Serialize, ToSchema)]
#[schema(as = SandboxFailure)]
pub(crate) struct FailureView {
    top_up_id: String,
    status: &'static str,
}

/// Lets the bank dispute a payment; the wallet learns of it by a notice.
#[utoipa::path(post, path = "/v1/sandbox/disputes", tag = "payments", request_body = DisputeBody, responses((status = 201, body = SandboxDisputeView)))]
pub(crate) async fn open(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(body): Json<DisputeBody>,
) -> Result<Response, Problem> {
    require_test(&caller)?;
    let top_up = TopUpId::parse(&body.top_up_id).map_err(|_malformed| Problem::not_found())?;
    let amount = body.amount.map(Positive::amount);
    let merchant = caller.principal.merchant_id;
    let opened = service.sandbox().open_dispute(merchant, top_up, amount);
    let view = SandboxDisputeView {
        provider_dispute_id: opened.await?.ok_or_else(Problem::not_found)?,
        status: DisputeStatus::Open.name(),
    };
    Ok(json(StatusCode::CREATED, bytes(&view)))
}

/// Lets the bank decide a dispute; the wallet learns of it by a notice.
#[utoipa::path(post, path = "/v1/sandbox/disputes/{provider_dispute_id}/decide", tag = "payments",
    params(("provider_dispute_id" = String, Path)), request_body = DecisionBody, responses((status = 200, body = SandboxDisputeView)))]
pub(crate) async fn decide(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<DecisionBody>,
) -> Result<Response, Problem> {
    require_test(&caller)?;
    let status = match body.status {
        Decision::Lost => DisputeStatus::Lost,
        Decision::Won => DisputeStatus::Won,
    };
    let merchant = caller.principal.merchant_id;
    let known = service.sandbox().decide_dispute(merchant, &id, status);
    if !known.await? {
        return Err(Problem::not_found());
    }
    Ok(ok(&SandboxDisputeView {
        provider_dispute_id: id,
        status: status.name(),
    }))
}

/// Lets a payment fail that had succeeded, as bank debits do; the wallet learns of it by a notice.
#[utoipa::path(post, path = "/v1/sandbox/top-ups/{top_up_id}/fail", tag = "payments",
    params(("top_up_id" = String, Path)), request_body = FailureBody, responses((status = 200, body = FailureView)))]
pub(crate) async fn fail(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<FailureBody>,
) -> Result<Response, Problem> {
    require_test(&caller)?;
    let top_up = TopUpId::parse(&id).map_err(|_malformed| Problem::not_found())?;
    let code = body.code.map(|code| code.0);
    let code = code.as_deref().unwrap_or("bank_returned_it");
    let merchant = caller.principal.merchant_id;
    if !service
        .sandbox()
        .fail_payment(merchant, top_up, code)
        .await?
    {
        return Err(Problem::not_found());
    }
    Ok(ok(&FailureView {
        top_up_id: id,
        status: "failed",
    }))
}
