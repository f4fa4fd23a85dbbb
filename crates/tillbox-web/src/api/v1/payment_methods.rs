//! Payment methods of a customer.

use crate::api::answer::{bytes, json, ok, stored};
use crate::api::body::Json;
use crate::api::caller::{Caller, Scope};
use crate::api::fingerprint::Fingerprint;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use crate::api::v1::top_ups::WebAddress;
use crate::api::values::Words;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_core::id::{CustomerId, PaymentMethodId};
use tillbox_service::Service;
use tillbox_store::sqlite::payment_methods::PaymentMethodRow;
use utoipa::ToSchema;

/// A saved way to pay. Card numbers stay with the payment provider.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentMethod)]
pub(crate) struct PaymentMethodView {
    id: String,
    customer_id: String,
    brand: String,
    last4: String,
    /// The last month in which it is good, such as `2030-12`.
    expires: String,
    /// Whether it is charged where nothing else is said.
    default: bool,
    created_at: String,
}

impl PaymentMethodView {
    pub(crate) fn of(row: &PaymentMethodRow) -> Self {
        Self {
            id: row.id.to_string(),
            customer_id: row.customer_id.to_string(),
            brand: row.brand.clone(),
            last4: row.last4.clone(),
            expires: row.expires.clone(),
            default: row.is_default,
            created_at: row.created_at.to_string(),
        }
    }
}

/// What names a method: the provider's token, or where the customer comes back to from a hosted page.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaymentMethodBody {
    /// The provider's token.
    token: Option<Words<200>>,
    /// Asks for a hosted page instead.
    return_url: Option<WebAddress>,
}

/// The hosted page on which the customer adds a card.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentMethodPage)]
pub(crate) struct PageView {
    url: String,
}

/// A method, or the page on which the customer adds one.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AddedPaymentMethod)]
#[expect(dead_code, reason = "describes both answers")]
pub(crate) enum Added {
    Method(PaymentMethodView),
    Page(PageView),
}

fn customer_id(text: &str) -> Result<CustomerId, Problem> {
    CustomerId::parse(text).map_err(|_malformed| Problem::not_found())
}

fn method_id(text: &str) -> Result<PaymentMethodId, Problem> {
    PaymentMethodId::parse(text).map_err(|_malformed| Problem::not_found())
}

/// Saves a card by the provider's token, or answers with a hosted page on which the customer adds one. The first one
/// is the default.
#[utoipa::path(post, path = "/v1/customers/{customer_id}/payment-methods", tag = "payment methods",
    params(("customer_id" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = PaymentMethodBody,
    responses((status = 201, body = Added)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(customer): Path<String>,
    Json(body): Json<PaymentMethodBody>,
) -> Result<Response, Problem> {
    let customer = customer_id(&customer)?;
    match (body.token, body.return_url) {
        (Some(token), None) => {
            let fingerprint = Fingerprint::of("payment_method")
                .text("customer_id", Some(&customer.to_string()))
                .text("token", Some(&token.0))
                .finish();
            let scope = Scope::Merchant(caller.principal.merchant_id);
            let key = caller.optional_key(scope, fingerprint)?;
            let added =
                service.add_payment_method(&caller.principal, customer, &token.0, key, |row| {
                    bytes(&PaymentMethodView::of(row))
                });
            stored(added.await?)
        }
        (None, Some(WebAddress(back))) => {
            let page = service.payment_method_page(&caller.principal, customer, back.clone(), back);
            let url = page.await?;
            Ok(json(StatusCode::CREATED, bytes(&PageView { url })))
        }
        (Some(_), Some(_)) => Err(Problem::invalid_field(
            "/return_url",
            "goes without token: it is one or the other",
        )),
        (None, None) => Err(Problem::invalid_field(
            "/token",
            "is missing: send token, or return_url",
        )),
    }
}

/// The methods of a customer, newest first.
#[utoipa::path(get, path = "/v1/customers/{customer_id}/payment-methods", tag = "payment methods",
    params(("customer_id" = String, Path), ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<PaymentMethodView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(customer): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["limit", "cursor"])?;
    let page = query.page(&format!("payment methods of {customer}"))?;
    let rows = service
        .payment_methods(
            &caller.principal,
            customer_id(&customer)?,
            page.before.map(PaymentMethodId::from_number),
            page.rows(),
        )
        .await?;
    Ok(ok(&page.list(
        rows,
        |row| row.id.number(),
        PaymentMethodView::of,
    )))
}

/// A method of a customer.
#[utoipa::path(get, path = "/v1/customers/{customer_id}/payment-methods/{payment_method_id}", tag = "payment methods",
    params(("customer_id" = String, Path), ("payment_method_id" = String, Path)), responses((status = 200, body = PaymentMethodView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((customer, id)): Path<(String, String)>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let (customer, id) = (customer_id(&customer)?, method_id(&id)?);
    let row = service
        .payment_method(&caller.principal, customer, id)
        .await?;
    Ok(ok(&PaymentMethodView::of(&row)))
}

/// Takes a method away. The newest of the rest becomes the default where it was that.
#[utoipa::path(delete, path = "/v1/customers/{customer_id}/payment-methods/{payment_method_id}", tag = "payment methods",
    params(("customer_id" = String, Path), ("payment_method_id" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((customer, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (customer, id) = (customer_id(&customer)?, method_id(&id)?);
    service
        .remove_payment_method(&caller.principal, customer, id)
        .await?;
    Ok(json(StatusCode::NO_CONTENT, Vec::new()))
}

/// Nothing is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefaultBody {}

/// Makes a method the default.
#[utoipa::path(post, path = "/v1/customers/{customer_id}/payment-methods/{payment_method_id}/default", tag = "payment methods",
    params(("customer_id" = String, Path), ("payment_method_id" = String, Path)), request_body = DefaultBody,
    responses((status = 200, body = PaymentMethodView)))]
pub(crate) async fn make_default(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((customer, id)): Path<(String, String)>,
    Json(_body): Json<DefaultBody>,
) -> Result<Response, Problem> {
    let (customer, id) = (customer_id(&customer)?, method_id(&id)?);
    let row = service
        .make_default_payment_method(&caller.principal, customer, id)
        .await?;
    Ok(ok(&PaymentMethodView::of(&row)))
}
