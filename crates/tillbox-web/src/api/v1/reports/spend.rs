//! What customers spent, and at which price.

use super::{Line, Report, booked, by_period, plain};
use crate::api::caller::Caller;
use crate::api::csv::guarded;
use crate::api::page::Query;
use crate::api::problem::Problem;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use std::borrow::Cow;
use std::sync::Arc;
use tillbox_core::amount::Total;
use tillbox_service::Service;
use tillbox_service::books::reports::{self, Spend};
use utoipa::ToSchema;

/// What was spent in a period.
#[derive(Serialize, ToSchema)]
pub(crate) struct SpendView {
    /// `2026-05-31`, or `2026-05`.
    period: String,
    currency: String,
    /// On what; `refund` is what was given back of any.
    reason: &'static str,
    /// The key of the price; null where none was used.
    price: Option<String>,
    transactions: i64,
    /// Units used.
    quantity: i128,
    /// Units billed, after increment and minimum.
    billed_quantity: i128,
    /// How much; below zero where it was given back.
    amount: String,
}

impl SpendView {
    fn of(line: &Spend) -> Self {
        let print = |total: Total| total.display(line.currency);
        Self {
            period: line.period.clone(),
            currency: line.currency.code().to_owned(),
            reason: line.reason.name(),
            price: line.price_key.as_deref().map(str::to_owned),
            transactions: line.transactions,
            quantity: line.quantity,
            billed_quantity: line.billed,
            amount: print(line.amount),
        }
    }
}

impl Line for SpendView {
    const HEADER: &'static str =
        "period,currency,reason,price,transactions,quantity,billed_quantity,amount";
    const FILE: &'static str = "spend.csv";

    fn fields(&self) -> Vec<Cow<'_, str>> {
        vec![
            plain(&self.period),
            plain(&self.currency),
            plain(self.reason),
            guarded(self.price.as_deref().unwrap_or_default()),
            Cow::Owned(self.transactions.to_string()),
            Cow::Owned(self.quantity.to_string()),
            Cow::Owned(self.billed_quantity.to_string()),
            plain(&self.amount),
        ]
    }
}

/// What was spent by day or month, on what and at which price.
#[utoipa::path(get, path = "/v1/reports/spend", tag = "books",
    params(("from" = Option<String>, Query), ("to" = Option<String>, Query), ("by" = Option<String>, Query, description = "`day` (default) or `month`")),
    responses((status = 200, body = Report<SpendView>)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let booked = booked(&service, &caller, &query).await?;
    let lines = reports::spend(&booked.periods);
    let data = lines.iter().map(SpendView::of).collect();
    by_period(&service, &caller, &headers, booked.span, data)
}
