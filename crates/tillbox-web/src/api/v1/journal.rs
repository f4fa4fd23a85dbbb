//! The journal: every posting of the merchant's log, as double entry.

use crate::api::answer::{ok, print};
use crate::api::caller::Caller;
use crate::api::csv;
use crate::api::page::{Listed, Query, read_cursor, write_cursor, wrong_cursor};
use crate::api::problem::Problem;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use tillbox_core::id::{EntryId, LotId};
use tillbox_core::reason::Reason;
use tillbox_service::books::{JournalLine, JournalPlace};
use tillbox_service::{Principal, Service};
use tillbox_store::sqlite::books::Span;
use utoipa::ToSchema;

const HEADER: &str =
    "date,transaction_id,wallet_id,account,debit,credit,currency,reason,lot_id\r\n";

/// One side of a posting. The sides of a transaction are balanced.
#[derive(Serialize, ToSchema)]
#[schema(as = JournalLine)]
pub(crate) struct JournalLineView {
    /// When it was booked.
    date: String,
    /// Null where value that a hold freed paid debt.
    transaction_id: Option<String>,
    wallet_id: String,
    account: &'static str,
    debit: String,
    credit: String,
    currency: String,
    reason: Option<&'static str>,
    lot_id: Option<String>,
}

impl JournalLineView {
    fn of(line: &JournalLine) -> Self {
        Self {
            date: line.at.to_string(),
            transaction_id: line.transaction.as_ref().map(EntryId::to_string),
            wallet_id: line.wallet_id.to_string(),
            account: line.account.name(),
            debit: print(line.debit, line.currency),
            credit: print(line.credit, line.currency),
            currency: line.currency.code().to_owned(),
            reason: line.reason.map(Reason::name),
            lot_id: line.lot.as_ref().map(LotId::to_string),
        }
    }

    fn fields(&self) -> [&str; 9] {
        [
            &self.date,
            self.transaction_id.as_deref().unwrap_or_default(),
            &self.wallet_id,
            self.account,
            &self.debit,
            &self.credit,
            &self.currency,
            self.reason.unwrap_or_default(),
            self.lot_id.as_deref().unwrap_or_default(),
        ]
    }
}

/// The span that `from` and `to` ask for (R23).
pub(super) fn span(query: &Query, service: &Service, who: &Principal) -> Result<Span, Problem> {
    let zone = &service.settings(who).time_zone;
    Ok(Span {
        from: query.instant("from", zone, false)?,
        to: query.instant("to", zone, true)?,
    })
}

/// The journal, newest transaction first; with `Accept: text/csv` all of it as CSV, oldest first.
#[utoipa::path(get, path = "/v1/journal", tag = "books",
    params(("from" = Option<String>, Query), ("to" = Option<String>, Query),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<JournalLineView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if csv::is_accepted(&headers) {
        return csv_response(service, caller, &query).await;
    }
    query.allow(&["from", "to", "limit", "cursor"])?;
    let span = span(&query, &service, &caller.principal)?;
    let (limit, binding) = (query.limit()?, query.binding("journal"));
    let place = query
        .get("cursor")
        .map(|cursor| read_place(cursor, binding).ok_or_else(|| wrong_cursor("cursor")));
    let place = place.transpose()?;
    let journal = service.journal(&caller.principal, span).await?;
    let mut lines = service
        .journal_page(&caller.principal, journal, place, limit + 1)
        .await?;
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    let last = lines.last().filter(|_| has_more);
    let next = last.map(|last| {
        let shown = lines.iter().filter(|line| line.row == last.row).count();
        let row = last.row.number();
        let before = place.filter(|place| place.row == row);
        write_place(
            JournalPlace {
                row,
                line: shown + before.map_or(0, |place| place.line),
            },
            binding,
        )
    });
    let data = lines.iter().map(JournalLineView::of).collect();
    Ok(ok(&Listed::found(data, next)))
}

/// All of the journal as CSV, oldest first.
#[utoipa::path(get, path = "/v1/journal.csv", tag = "books",
    params(("from" = Option<String>, Query), ("to" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub(crate) async fn as_csv(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    csv_response(service, caller, &query).await
}

async fn csv_response(
    service: Arc<Service>,
    caller: Caller,
    query: &Query,
) -> Result<Response, Problem> {
    csv::check_whole(query)?;
    query.allow(&["from", "to"])?;
    let span = span(query, &service, &caller.principal)?;
    let journal = service.journal(&caller.principal, span).await?;
    let principal = caller.principal;
    Ok(csv::response("journal.csv", HEADER, move |behind| {
        let (service, principal) = (Arc::clone(&service), principal.clone());
        async move {
            let read = service.journal_stretch(&principal, journal, behind.unwrap_or(0));
            let (lines, next) = read.await.map_err(std::io::Error::other)?;
            let views: Vec<JournalLineView> = lines.iter().map(JournalLineView::of).collect();
            let bytes = csv::lines(views.iter().map(JournalLineView::fields))?;
            Ok((bytes, next))
        }
    }))
}

/// A cursor of the row, and the line within it in hexadecimal.
fn write_place(place: JournalPlace, binding: [u8; 8]) -> String {
    format!("{}{:08x}", write_cursor(place.row, binding), place.line)
}

fn read_place(cursor: &str, binding: [u8; 8]) -> Option<JournalPlace> {
    let (row, line) = cursor.split_at_checked(32)?;
    let is_hex = line.len() == 8
        && line
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let line = usize::from_str_radix(line, 16).ok().filter(|_| is_hex)?;
    Some(JournalPlace {
        row: read_cursor(row, binding)?,
        line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_keep_the_line_and_are_bound() {
        let place = JournalPlace {
            row: 1 << 50,
            line: 200_001,
        };
        let cursor = write_place(place, [3; 8]);
        assert_eq!(read_place(&cursor, [3; 8]), Some(place));
        assert_eq!(read_place(&cursor, [4; 8]), None);
        for other in [
            format!("{cursor}0"),
            cursor[..39].to_owned(),
            format!("{}+0000000", &cursor[..32]),
        ] {
            assert_eq!(read_place(&other, [3; 8]), None, "{other}");
        }
    }
}
