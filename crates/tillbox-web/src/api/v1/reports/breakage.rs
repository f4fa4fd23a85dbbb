//! Value that expired or was forfeited (R12).

use super::{Line, Report, booked, by_period, plain};
use crate::api::caller::Caller;
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
use tillbox_service::books::reports::{self, Breakage};
use utoipa::ToSchema;

/// Value lost in a period.
#[derive(Serialize, ToSchema)]
pub(crate) struct BreakageView {
    /// `2026-05-31`, or `2026-05`.
    period: String,
    currency: String,
    /// `expiry` or `forfeiture`.
    reason: &'static str,
    transactions: i64,
    /// Of value that was paid for: income.
    breakage: String,
    /// Of value that was given: its promotional expense comes back.
    promotional_reversal: String,
}

impl BreakageView {
    fn of(line: &Breakage) -> Self {
        let print = |total: Total| total.display(line.currency);
        Self {
            period: line.period.clone(),
            currency: line.currency.code().to_owned(),
            reason: line.reason.name(),
            transactions: line.transactions,
            breakage: print(line.breakage),
            promotional_reversal: print(line.promotional_reversal),
        }
    }
}

impl Line for BreakageView {
    const HEADER: &'static str =
        "period,currency,reason,transactions,breakage,promotional_reversal";
    const FILE: &'static str = "breakage.csv";

    fn fields(&self) -> Vec<Cow<'_, str>> {
        vec![
            plain(&self.period),
            plain(&self.currency),
            plain(self.reason),
            Cow::Owned(self.transactions.to_string()),
            plain(&self.breakage),
            plain(&self.promotional_reversal),
        ]
    }
}

/// Value that expired or was forfeited, by day or month: income if it was paid for, otherwise its cost comes back.
#[utoipa::path(get, path = "/v1/reports/breakage", tag = "books",
    params(("from" = Option<String>, Query), ("to" = Option<String>, Query), ("by" = Option<String>, Query, description = "`day` (default) or `month`")),
    responses((status = 200, body = Report<BreakageView>)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let booked = booked(&service, &caller, &query).await?;
    let lines = reports::breakage(&booked.periods);
    let data = lines.iter().map(BreakageView::of).collect();
    by_period(&service, &caller, &headers, booked.span, data)
}
