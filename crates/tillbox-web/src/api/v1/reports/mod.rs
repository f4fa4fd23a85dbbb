//! Reports on the merchant's books: JSON, or CSV with `Accept: text/csv`.

pub(crate) mod breakage;
pub(crate) mod liability;
pub(crate) mod revenue;
pub(crate) mod spend;
pub(crate) mod top_ups;
pub(crate) mod trial_balance;

use super::journal::span;
use crate::api::answer::ok;
use crate::api::caller::Caller;
use crate::api::csv;
use crate::api::page::Query;
use crate::api::problem::Problem;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use std::borrow::Cow;
use tillbox_core::time::Timestamp;
use tillbox_service::Service;
use tillbox_service::books::{Every, Period};
use tillbox_store::sqlite::books::Span;
use tillbox_store::sqlite::books::sums::Sums;
use utoipa::ToSchema;

/// Lines that a report may have: more are asked for in parts.
const MOST_LINES: usize = 100_000;

/// A report by days or months.
#[derive(Serialize, ToSchema)]
pub(crate) struct Report<T> {
    /// The first instant; null: from the beginning.
    from: Option<String>,
    /// The first instant behind it; null: up to now.
    to: Option<String>,
    /// In which days and months are counted.
    time_zone: String,
    /// Oldest first; periods without anything are left out.
    data: Vec<T>,
}

/// A line as CSV.
trait Line {
    /// The names of the fields.
    const HEADER: &'static str;
    /// As what file it is kept.
    const FILE: &'static str;

    fn fields(&self) -> Vec<Cow<'_, str>>;
}

/// What was booked before the span that is asked for, and in each period of it.
struct Booked {
    span: Span,
    before: Sums,
    periods: Vec<(Period, Sums)>,
}

async fn booked(service: &Service, caller: &Caller, query: &Query) -> Result<Booked, Problem> {
    query.allow(&["from", "to", "by"])?;
    let span = span(query, service, &caller.principal)?;
    let every = query.one_of("by", &Every::ALL, Every::name)?;
    let (before, periods) = service
        .booked_by(&caller.principal, span, every.unwrap_or(Every::Day))
        .await?;
    Ok(Booked {
        span,
        before,
        periods,
    })
}

fn by_period<T: Line + Serialize>(
    service: &Service,
    caller: &Caller,
    headers: &HeaderMap,
    span: Span,
    data: Vec<T>,
) -> Result<Response, Problem> {
    if data.len() > MOST_LINES {
        return Err(Problem::invalid_parameter(
            "from",
            format!("makes more than {MOST_LINES} lines: ask for less at once, or by month"),
        ));
    }
    if csv::is_accepted(headers) {
        return as_csv(&data);
    }
    Ok(ok(&Report {
        from: span.from.as_ref().map(Timestamp::to_string),
        to: span.to.as_ref().map(Timestamp::to_string),
        time_zone: service.settings(&caller.principal).time_zone.clone(),
        data,
    }))
}

fn as_csv<T: Line>(data: &[T]) -> Result<Response, Problem> {
    let lines = csv::lines(data.iter().map(Line::fields)).map_err(|_never| Problem::internal())?;
    let mut bytes = format!("{}\r\n", T::HEADER).into_bytes();
    bytes.extend_from_slice(&lines);
    Ok(csv::kept_as(T::FILE, bytes))
}

/// A field that is no text of a caller's.
fn plain(field: &str) -> Cow<'_, str> {
    Cow::Borrowed(field)
}
