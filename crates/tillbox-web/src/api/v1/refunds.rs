//! Refunds: of debits to the wallet, of top-ups to the card.

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
use tillbox_core::command::{Command, Refund, RefundTopUp};
use tillbox_core::id::{EntryId, TopUpId};
use tillbox_service::Service;
use utoipa::ToSchema;

/// What a refund is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundBody {
    /// All that remains, unless said otherwise.
    amount: Option<Positive>,
    description: Option<Text<500>>,
    dry_run: Option<bool>,
}

/// Gives a debit back, wholly or in part, to the lots that it came from.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/transactions/{transaction_id}/refund", tag = "moving value",
    params(("wallet_id" = String, Path), ("transaction_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = RefundBody, responses((status = 201, body = super::transactions::TransactionView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, transaction)): Path<(String, String)>,
    Json(body): Json<RefundBody>,
) -> Result<Response, Problem> {
    let amount = body.amount.map(Positive::amount);
    let note = note(body.description, None, None);
    let fingerprint = Fingerprint::of("refund")
        .text("transaction", Some(&transaction))
        .amount("amount", amount)
        .note(&note)
        .finish();
    // An id of another form is unknown, but the wallet and its replays are looked at first.
    let debit_id = EntryId::parse(&transaction).unwrap_or(EntryId::from_number(0));
    let grace_days = service.settings(&caller.principal).refund_grace_days;
    let refund = Refund {
        debit_id,
        amount,
        grace_days,
        debit: None,
        note,
    };
    let asked = Asked {
        command: Command::Refund(refund),
        fingerprint,
        dry_run: body.dry_run.unwrap_or(false),
        unpriced: None,
    };
    submit(&service, &caller, &wallet, asked).await
}

/// What a refund to the card is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardRefundBody {
    /// All that may be refunded, unless said otherwise; rounded down to the currency's minor unit.
    amount: Option<Positive>,
    description: Option<Text<500>>,
    dry_run: Option<bool>,
}

/// Refunds a top-up to its card, wholly or in part: at most what is left of its lot. What was given with it is taken back
/// in the same transaction, as far as it is not earned any more. The value is taken first; where the provider then
/// certainly can't pay it back, a reversal returns it.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/top-ups/{top_up_id}/refund", tag = "top-ups",
    params(("wallet_id" = String, Path), ("top_up_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = CardRefundBody, responses((status = 201, body = super::transactions::TransactionView)))]
pub(crate) async fn of_top_up(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, top_up)): Path<(String, String)>,
    Json(body): Json<CardRefundBody>,
) -> Result<Response, Problem> {
    let amount = body.amount.map(Positive::amount);
    let note = note(body.description, None, None);
    let fingerprint = Fingerprint::of("top_up_refund")
        .text("top_up", Some(&top_up))
        .amount("amount", amount)
        .note(&note)
        .finish();
    // An id of another form is unknown, but the wallet and its replays are looked at first.
    let refund = RefundTopUp {
        top_up_id: TopUpId::parse(&top_up).unwrap_or(TopUpId::from_number(0)),
        amount,
        record: None,
        note,
    };
    let asked = Asked {
        command: Command::RefundTopUp(refund),
        fingerprint,
        dry_run: body.dry_run.unwrap_or(false),
        unpriced: None,
    };
    submit(&service, &caller, &wallet, asked).await
}
