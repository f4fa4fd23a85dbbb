//! Adjustments: an operator's corrections.

use super::credits::submit;
use super::{Asked, note};
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::fingerprint::Fingerprint;
use crate::api::problem::Problem;
use crate::api::values::{Metadata, Money, NotZero, Words};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use tillbox_core::command::{Adjust, Command};
use tillbox_service::Service;
use utoipa::ToSchema;

/// What an adjustment is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdjustmentBody {
    /// Signed.
    amount: NotZero,
    /// Why; becomes the description.
    reason_text: Words<500>,
    metadata: Option<Metadata>,
    dry_run: Option<bool>,
}

/// Corrects a wallet, upwards or downwards.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/adjustments", tag = "moving value", params(("wallet_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = AdjustmentBody, responses((status = 201, body = super::transactions::TransactionView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<AdjustmentBody>,
) -> Result<Response, Problem> {
    let amount = body.amount.amount();
    let note = note(Some(body.reason_text.into()), None, body.metadata);
    let fingerprint = Fingerprint::of("adjustment")
        .amount("amount", Some(amount))
        .note(&note)
        .finish();
    let asked = Asked {
        command: Command::Adjust(Adjust { amount, note }),
        fingerprint,
        dry_run: body.dry_run.unwrap_or(false),
        unpriced: None,
    };
    submit(&service, &caller, &wallet, asked).await
}
