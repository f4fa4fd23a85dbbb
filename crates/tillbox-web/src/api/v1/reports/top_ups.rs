//! Money in.

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
use tillbox_service::books::reports::{self, TopUps};
use utoipa::ToSchema;

/// Money in, in a period.
#[derive(Serialize, ToSchema)]
pub(crate) struct TopUpsView {
    /// `2026-05-31`, or `2026-05`.
    period: String,
    currency: String,
    /// `top_up`, `auto_recharge`, `activation`, or the `bonus` that came with one.
    reason: &'static str,
    transactions: i64,
    /// What was credited.
    amount: String,
    /// The part that was paid.
    paid: String,
    /// The part that was given.
    given: String,
}

impl TopUpsView {
    fn of(line: &TopUps) -> Self {
        let print = |total: Total| total.display(line.currency);
        Self {
            period: line.period.clone(),
            currency: line.currency.code().to_owned(),
            reason: line.reason.name(),
            transactions: line.transactions,
            amount: print(line.paid + line.given),
            paid: print(line.paid),
            given: print(line.given),
        }
    }
}

impl Line for TopUpsView {
    const HEADER: &'static str = "period,currency,reason,transactions,amount,paid,given";
    const FILE: &'static str = "top-ups.csv";

    fn fields(&self) -> Vec<Cow<'_, str>> {
        vec![
            plain(&self.period),
            plain(&self.currency),
            plain(self.reason),
            Cow::Owned(self.transactions.to_string()),
            plain(&self.amount),
            plain(&self.paid),
            plain(&self.given),
        ]
    }
}

/// Top-ups that succeeded, by day or month, gross of refunds.
#[utoipa::path(get, path = "/v1/reports/top-ups", tag = "books",
    params(("from" = Option<String>, Query), ("to" = Option<String>, Query), ("by" = Option<String>, Query, description = "`day` (default) or `month`")),
    responses((status = 200, body = Report<TopUpsView>)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let booked = booked(&service, &caller, &query).await?;
    let lines = reports::top_ups(&booked.periods);
    let data = lines.iter().map(TopUpsView::of).collect();
    by_period(&service, &caller, &headers, booked.span, data)
}
