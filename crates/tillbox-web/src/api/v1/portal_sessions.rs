//! Links to the customers' pages.

use crate::api::addresses::WebAddress;
use crate::api::answer::{bytes, json};
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_core::id::CustomerId;
use tillbox_service::Service;
use utoipa::ToSchema;

/// Whose pages a link shall open.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortalSessionBody {
    customer_id: String,
    /// Where the customer came from: the pages link back to it.
    return_url: Option<WebAddress>,
}

/// A link to a customer's pages. It is told this once.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalSession)]
pub(crate) struct PortalSessionView {
    /// Send the customer there. It opens the pages once; anyone who has it is taken for the customer.
    url: String,
    /// From when on it opens nothing.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Makes a link to a customer's pages: it works once, within 15 minutes.
///
/// An `Idempotency-Key` is not honoured here: the link is a secret, and no secret is kept to be told again. Each
/// call makes a new link; one that is not used does no harm.
#[utoipa::path(post, path = "/v1/portal-sessions", tag = "portal", request_body = PortalSessionBody, responses((status = 201, body = PortalSessionView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(body): Json<PortalSessionBody>,
) -> Result<Response, Problem> {
    let customer =
        CustomerId::parse(&body.customer_id).map_err(|_malformed| Problem::not_found())?;
    let return_url = body.return_url.map(|url| url.0);
    let link = service
        .create_portal_link(&caller.principal, customer, return_url)
        .await?;
    let view = PortalSessionView {
        url: link.url,
        expires_at: link.expires_at.to_string(),
    };
    let mut response = json(StatusCode::CREATED, bytes(&view));
    crate::portal::headers::keep_nowhere(&mut response);
    Ok(response)
}
