//! Disputes: payments that banks take back, or may.

use super::wallet_id;
use crate::api::answer::{ok, print};
use crate::api::caller::Caller;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use tillbox_core::currency::Currency;
use tillbox_core::id::DisputeId;
use tillbox_core::payback::DisputeStatus;
use tillbox_service::Service;
use tillbox_store::sqlite::disputes::{DisputeFilter, DisputeRow};
use utoipa::ToSchema;

/// A dispute of a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = Dispute)]
pub(crate) struct DisputeView {
    id: String,
    wallet_id: String,
    /// The payment that is disputed.
    top_up_id: String,
    /// The provider's id of that payment.
    payment_intent_id: Option<String>,
    /// The provider's id of the dispute; of a payment that failed after it was credited, that of the payment.
    provider_dispute_id: String,
    /// `open`, `lost` or `won`.
    status: &'static str,
    /// What the bank takes.
    amount: String,
    currency: String,
    /// Why, by what the provider says.
    reason: Option<String>,
    created_at: String,
    updated_at: String,
}

impl DisputeView {
    pub(crate) fn of(row: &DisputeRow) -> Self {
        let dispute = &row.dispute;
        let currency = Currency::parse(&row.currency).ok();
        Self {
            id: dispute.id.to_string(),
            wallet_id: row.wallet_id.to_string(),
            top_up_id: row.top_up_id.to_string(),
            payment_intent_id: row.payment_id.clone(),
            provider_dispute_id: dispute.provider_id.to_string(),
            status: dispute.status.name(),
            amount: currency.map_or_else(String::new, |currency| print(dispute.amount, currency)),
            currency: row.currency.clone(),
            reason: dispute.reason.as_deref().map(str::to_owned),
            created_at: dispute.opened_at.to_string(),
            updated_at: row.updated_at.to_string(),
        }
    }
}

/// Disputes of all wallets, newest first.
#[utoipa::path(get, path = "/v1/disputes", tag = "top-ups",
    params(("wallet_id" = Option<String>, Query), ("status" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<DisputeView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["wallet_id", "status", "limit", "cursor"])?;
    let filter = DisputeFilter {
        wallet: query.get("wallet_id").map(wallet_id).transpose()?,
        status: query.one_of("status", &DisputeStatus::ALL, DisputeStatus::name)?,
    };
    let page = query.page("disputes")?;
    let before = page.before.map(DisputeId::from_number);
    let rows = service
        .disputes(&caller.principal, filter, before, page.rows())
        .await?;
    Ok(ok(&page.list(
        rows,
        |row| row.dispute.id.number(),
        DisputeView::of,
    )))
}
