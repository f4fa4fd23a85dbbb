//! All movements as CSV, as the page filters them.

use super::super::page_error::PageError;
use super::super::session::Session;
use super::movements::Wish;
use super::visit::{Arrival, Asked, Visit};
use crate::api::v1::transactions::csv;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use std::sync::Arc;
use tillbox_service::Service;
use tillbox_store::sqlite::listing::ListFilter;

/// The file.
pub(crate) async fn download(
    State(service): State<Arc<Service>>,
    Session(session): Session,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let asked = Asked::of(query.as_deref());
    let arrival = Visit::arrive(service, session, asked.get("wallet")).await?;
    let Arrival::Wallet(visit) = arrival else {
        return Err(PageError::NotFound);
    };
    let filter = ListFilter {
        transactions: visit.transaction_filter(&Wish::of(&asked)),
        status: None,
    };
    let who = visit.session.principal.clone();
    let service = Arc::clone(&visit.service);
    Ok(csv::response(service, who, visit.wallet_id(), filter))
}
