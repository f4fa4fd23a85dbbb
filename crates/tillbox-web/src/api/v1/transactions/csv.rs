//! The list of transactions as CSV: all of it, written as it is read.

use super::TransactionView;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tillbox_core::id::WalletId;
use tillbox_service::{Principal, Service};
use tillbox_store::sqlite::listing::{ListFilter, Listed};

const HEADER: &str = "date,type,reason,description,amount,currency,balance_before,balance_after,status,reference,payment_intent_id,id\r\n";
/// Rows that one read takes: short reads, so that a slow client holds nothing.
const ROWS: usize = 500;

/// Where it stands.
struct Lines {
    service: Arc<Service>,
    principal: Principal,
    wallet: WalletId,
    filter: Arc<ListFilter>,
    next: Option<Next>,
}

enum Next {
    Header,
    Before(Option<u64>),
}

/// Answers with all rows that the filter lets through.
pub(crate) fn response(
    service: Arc<Service>,
    principal: Principal,
    wallet: WalletId,
    filter: ListFilter,
) -> Response {
    let lines = Lines {
        service,
        principal,
        wallet,
        filter: Arc::new(filter),
        next: Some(Next::Header),
    };
    let body = Body::from_stream(futures_util::stream::try_unfold(lines, next_chunk));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"transactions.csv\""),
    );
    response
}

async fn next_chunk(mut lines: Lines) -> Result<Option<(Vec<u8>, Lines)>, std::io::Error> {
    match lines.next.take() {
        None => Ok(None),
        Some(Next::Header) => {
            lines.next = Some(Next::Before(None));
            Ok(Some((HEADER.as_bytes().to_vec(), lines)))
        }
        Some(Next::Before(before)) => {
            let filter = Arc::clone(&lines.filter);
            let read =
                lines
                    .service
                    .transactions(&lines.principal, lines.wallet, filter, before, ROWS);
            let rows = read.await.map_err(std::io::Error::other)?;
            let is_full = rows.len() == ROWS;
            lines.next = rows
                .last()
                .filter(|_| is_full)
                .map(|last| Next::Before(Some(last.version)));
            Ok(Some((printed(&rows)?, lines)))
        }
    }
}

fn printed(rows: &[Listed]) -> Result<Vec<u8>, std::io::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::with_capacity(rows.len() * 160));
    for row in rows {
        let view = TransactionView::listed(row);
        writer.write_record(view.csv_fields().iter().map(|field| field.as_bytes()))?;
    }
    writer
        .into_inner()
        .map_err(|error| std::io::Error::other(error.to_string()))
}
