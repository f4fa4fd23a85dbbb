//! What is owed to customers, by origin and age.

use super::{Line, as_csv, plain};
use crate::api::answer::ok;
use crate::api::caller::Caller;
use crate::api::csv;
use crate::api::page::Query;
use crate::api::problem::Problem;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use tillbox_core::amount::Total;
use tillbox_core::currency::Currency;
use tillbox_core::lot::FundingType;
use tillbox_service::Service;
use tillbox_service::books::Liability;
use tillbox_store::sqlite::books::tally::day_of;
use utoipa::ToSchema;

/// The last day of each bucket but the last, in days (UTC) since the lot was made.
const BUCKETS: [i64; 5] = [30, 60, 90, 180, 365];

/// What remains of lots at an instant.
#[derive(Serialize, ToSchema)]
pub(crate) struct LiabilityReport {
    as_of: String,
    data: Vec<LiabilityView>,
    totals: Vec<LiabilityTotals>,
}

/// Lots of a funding type, by the days since they were made.
#[derive(Serialize, ToSchema)]
pub(crate) struct LiabilityView {
    currency: String,
    funding_type: &'static str,
    days_0_to_30: String,
    days_31_to_60: String,
    days_61_to_90: String,
    days_91_to_180: String,
    days_181_to_365: String,
    days_over_365: String,
    total: String,
}

/// A currency as a whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct LiabilityTotals {
    currency: String,
    /// Owed to customers.
    liability: String,
    /// The part of it that was paid for: revenue that is deferred until it is spent.
    deferred_revenue: String,
    /// Owed by customers.
    receivable: String,
}

impl Line for LiabilityView {
    const HEADER: &'static str = "currency,funding_type,days_0_to_30,days_31_to_60,days_61_to_90,days_91_to_180,days_181_to_365,days_over_365,total";
    const FILE: &'static str = "liability.csv";

    fn fields(&self) -> Vec<Cow<'_, str>> {
        let fields = [
            &self.currency,
            self.funding_type,
            &self.days_0_to_30,
            &self.days_31_to_60,
            &self.days_61_to_90,
            &self.days_91_to_180,
            &self.days_181_to_365,
            &self.days_over_365,
            &self.total,
        ];
        fields.map(plain).into()
    }
}

/// What is owed to customers by funding type and age, as of now or of a past instant.
#[utoipa::path(get, path = "/v1/reports/liability", tag = "books", params(("at" = Option<String>, Query)),
    responses((status = 200, body = LiabilityReport)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    query.allow(&["at"])?;
    let at = query.past_instant("at")?;
    let liability = service.liability(&caller.principal, at).await?;
    let data = lines(&liability);
    if csv::is_accepted(&headers) {
        return as_csv(&data);
    }
    Ok(ok(&LiabilityReport {
        as_of: liability.as_of.to_string(),
        data,
        totals: totals(&liability),
    }))
}

fn lines(liability: &Liability) -> Vec<LiabilityView> {
    let today = day_of(liability.as_of);
    let mut by_age: BTreeMap<(Currency, FundingType), [Total; 6]> = BTreeMap::new();
    for (key, total) in &liability.lots {
        let age = today - key.made_on;
        let bucket = BUCKETS.iter().filter(|last| age > **last).count();
        let ages = by_age.entry((key.currency, key.funding)).or_default();
        ages[bucket] += *total;
    }
    let line = |((currency, funding), ages): ((Currency, FundingType), [Total; 6])| {
        let [first, second, third, fourth, fifth, last] = ages.map(|total| total.display(currency));
        LiabilityView {
            currency: currency.code().to_owned(),
            funding_type: funding.name(),
            days_0_to_30: first,
            days_31_to_60: second,
            days_61_to_90: third,
            days_91_to_180: fourth,
            days_181_to_365: fifth,
            days_over_365: last,
            total: ages.into_iter().sum::<Total>().display(currency),
        }
    };
    by_age.into_iter().map(line).collect()
}

fn totals(liability: &Liability) -> Vec<LiabilityTotals> {
    let mut sums: BTreeMap<Currency, [Total; 3]> = BTreeMap::new();
    for (key, total) in &liability.lots {
        let [all, deferred, _] = sums.entry(key.currency).or_default();
        *all += *total;
        if key.funding.is_paid_for() {
            *deferred += *total;
        }
    }
    for (currency, owed) in &liability.receivable {
        let [_, _, receivable] = sums.entry(*currency).or_default();
        *receivable += *owed;
    }
    let line = |(currency, sums): (Currency, [Total; 3])| {
        let [liability, deferred_revenue, receivable] = sums.map(|total| total.display(currency));
        LiabilityTotals {
            currency: currency.code().to_owned(),
            liability,
            deferred_revenue,
            receivable,
        }
    };
    sums.into_iter().map(line).collect()
}
