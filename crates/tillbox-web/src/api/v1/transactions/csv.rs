//! The list of transactions as CSV.

use super::TransactionView;
use crate::api::csv::{self, ROWS};
use axum::response::Response;
use std::io::Error;
use std::sync::Arc;
use tillbox_core::id::WalletId;
use tillbox_service::{Principal, Service};
use tillbox_store::sqlite::listing::ListFilter;

const HEADER: &str = "date,type,reason,description,amount,currency,balance_before,balance_after,status,reference,payment_intent_id,id\r\n";

/// Answers with all rows that the filter lets through.
pub(crate) fn response(
    service: Arc<Service>,
    principal: Principal,
    wallet: WalletId,
    filter: ListFilter,
) -> Response {
    let filter = Arc::new(filter);
    csv::response("transactions.csv", HEADER, move |before| {
        let (service, principal) = (Arc::clone(&service), principal.clone());
        let filter = Arc::clone(&filter);
        async move {
            let read = service.transactions(&principal, wallet, filter, before, ROWS);
            let rows = read.await.map_err(Error::other)?;
            let last = rows.last().filter(|_| rows.len() == ROWS);
            let views: Vec<_> = rows.iter().map(TransactionView::listed).collect();
            let lines = csv::lines(views.iter().map(TransactionView::csv_fields))?;
            Ok((lines, last.map(|row| row.version)))
        }
    })
}
