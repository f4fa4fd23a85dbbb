//! Withdrawals: value paid out by the merchant.

use super::credits::submit;
use super::{Asked, note};
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::fingerprint::Fingerprint;
use crate::api::problem::Problem;
use crate::api::values::{Money, Positive, Text};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use tillbox_core::command::{Command, Withdraw};
use tillbox_service::Service;
use utoipa::ToSchema;

/// What a withdrawal is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawalBody {
    amount: Positive,
    description: Option<Text<500>>,
    dry_run: Option<bool>,
}

/// Takes value out that may be paid out, the newest payment first. The merchant pays it out: by bank, not to a card.
/// Auto-recharge is paused.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/withdrawals", tag = "moving value", params(("wallet_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = WithdrawalBody, responses((status = 201, body = super::transactions::TransactionView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<WithdrawalBody>,
) -> Result<Response, Problem> {
    let amount = body.amount.amount();
    let note = note(body.description, None, None);
    let fingerprint = Fingerprint::of("withdrawal")
        .amount("amount", Some(amount))
        .note(&note)
        .finish();
    let asked = Asked {
        command: Command::Withdraw(Withdraw { amount, note }),
        fingerprint,
        dry_run: body.dry_run.unwrap_or(false),
        unpriced: None,
    };
    submit(&service, &caller, &wallet, asked).await
}
