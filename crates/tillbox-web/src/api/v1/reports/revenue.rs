//! Income: what was spent, and what is still to be spent.

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
use tillbox_service::books::reports::{self, Revenue};
use utoipa::ToSchema;

/// Income of a period.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevenueView {
    /// `2026-05-31`, or `2026-05`.
    period: String,
    currency: String,
    /// All of it: paid, given and on credit.
    recognized: String,
    /// Spent of value that was paid for, less what of it was given back.
    paid: String,
    /// The same of value that was given.
    given: String,
    /// The same of what is owed.
    on_credit: String,
    /// What of paid value is still to be spent, at the end of the period.
    deferred_revenue: String,
}

impl RevenueView {
    fn of(line: &Revenue) -> Self {
        let print = |total: Total| total.display(line.currency);
        Self {
            period: line.period.clone(),
            currency: line.currency.code().to_owned(),
            recognized: print(line.paid + line.given + line.on_credit),
            paid: print(line.paid),
            given: print(line.given),
            on_credit: print(line.on_credit),
            deferred_revenue: print(line.deferred),
        }
    }
}

impl Line for RevenueView {
    const HEADER: &'static str = "period,currency,recognized,paid,given,on_credit,deferred_revenue";
    const FILE: &'static str = "revenue.csv";

    fn fields(&self) -> Vec<Cow<'_, str>> {
        let fields = [
            &self.period,
            &self.currency,
            &self.recognized,
            &self.paid,
            &self.given,
            &self.on_credit,
            &self.deferred_revenue,
        ];
        fields.map(|field| plain(field)).into()
    }
}

/// Income by day or month, and the deferred revenue at the end of each.
#[utoipa::path(get, path = "/v1/reports/revenue", tag = "books",
    params(("from" = Option<String>, Query), ("to" = Option<String>, Query), ("by" = Option<String>, Query, description = "`day` (default) or `month`")),
    responses((status = 200, body = Report<RevenueView>)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let booked = booked(&service, &caller, &query).await?;
    let lines = reports::revenue(&booked.before, &booked.periods);
    let data = lines.iter().map(RevenueView::of).collect();
    by_period(&service, &caller, &headers, booked.span, data)
}
