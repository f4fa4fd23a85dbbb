//! Health, and the document of the API.

use crate::api::answer::{json, ok};
use crate::api::page::Query;
use crate::api::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use tillbox_service::Service;
use utoipa::ToSchema;

/// Whether it is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
}

/// Whether the process runs.
#[utoipa::path(get, path = "/healthz", tag = "system", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn healthz(query: Query) -> Result<Response, Problem> {
    query.allow(&[])?;
    Ok(ok(&Health { status: "ok" }))
}

/// Whether it can serve: the ledger runs and the store answers.
#[utoipa::path(get, path = "/readyz", tag = "system", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn readyz(
    State(service): State<Arc<Service>>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    service.check_ready().await?;
    Ok(ok(&Health { status: "ready" }))
}

/// The document.
pub(crate) fn document(text: &str) -> Response {
    json(StatusCode::OK, text.as_bytes().to_vec())
}
