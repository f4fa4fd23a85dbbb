//! Lots of a wallet.

use super::wallet_id;
use crate::api::answer::{ok, print};
use crate::api::caller::Caller;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use tillbox_core::currency::Currency;
use tillbox_core::id::LotId;
use tillbox_core::lot::Lot;
use tillbox_core::time::Timestamp;
use tillbox_service::Service;
use utoipa::ToSchema;

/// Value of one origin.
#[derive(Serialize, ToSchema)]
#[schema(as = Lot)]
pub(crate) struct LotView {
    id: String,
    funding_type: &'static str,
    withdrawable: bool,
    /// 0 is drawn first.
    priority: u8,
    amount: String,
    remaining: String,
    /// The part of `remaining` that open holds reserve.
    held: String,
    /// What was paid for it.
    cost_basis: String,
    expires_at: Option<String>,
    /// The transaction that made it.
    transaction_id: String,
    created_at: String,
}

impl LotView {
    pub(crate) fn of(lot: &Lot, currency: Currency) -> Self {
        Self {
            id: lot.id.to_string(),
            funding_type: lot.funding.name(),
            withdrawable: lot.withdrawable,
            priority: lot.priority,
            amount: print(lot.amount, currency),
            remaining: print(lot.remaining, currency),
            held: print(lot.held, currency),
            cost_basis: print(lot.cost_basis, currency),
            expires_at: lot.expires_at.as_ref().map(Timestamp::to_string),
            transaction_id: lot.source.to_string(),
            created_at: lot.created_at.to_string(),
        }
    }
}

/// Lots of a wallet, newest first, spent ones too.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/lots", tag = "wallets",
    params(("wallet_id" = String, Path), ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<LotView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["limit", "cursor"])?;
    let page = query.page(&format!("lots of {wallet}"))?;
    let wallet = wallet_id(&wallet)?;
    let currency = service.wallet_currency(&caller.principal, wallet).await?;
    let rows = service
        .lots(
            &caller.principal,
            wallet,
            page.before.map(LotId::from_number),
            page.rows(),
        )
        .await?;
    Ok(ok(&page.list(
        rows,
        |lot| lot.id.number(),
        |lot| LotView::of(lot, currency),
    )))
}
