//! Customers: whoever owns wallets.

use crate::api::answer::{bytes, json, ok, raw, stored};
use crate::api::body::Json;
use crate::api::caller::{Caller, Scope};
use crate::api::fingerprint::Fingerprint;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use crate::api::values::{Metadata, Text, Words, merged, patch, present};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use tillbox_core::id::CustomerId;
use tillbox_service::{CustomerChange, NewCustomer, Service};
use tillbox_store::sqlite::customers::CustomerRow;
use utoipa::ToSchema;

/// A customer.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer)]
pub(crate) struct CustomerView<'a> {
    id: String,
    name: &'a str,
    email: Option<&'a str>,
    external_id: Option<&'a str>,
    locale: &'a str,
    #[schema(value_type = Object)]
    metadata: &'a RawValue,
    created_at: String,
    updated_at: String,
}

impl<'a> CustomerView<'a> {
    fn of(row: &'a CustomerRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: &row.name,
            email: row.email.as_deref(),
            external_id: row.external_id.as_deref(),
            locale: &row.locale,
            metadata: raw(Some(&row.metadata)),
            created_at: row.created_at.to_string(),
            updated_at: row.updated_at.to_string(),
        }
    }
}

/// The language that a customer reads, such as `en` or `es-MX`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "Text<5>")]
#[schema(value_type = String, example = "en")]
pub(crate) struct Locale(String);

impl TryFrom<Text<5>> for Locale {
    type Error = &'static str;

    fn try_from(Text(text): Text<5>) -> Result<Self, Self::Error> {
        let (language, region) = text.split_once('-').unwrap_or((&text, "XX"));
        let well_formed = language.len() == 2
            && language.bytes().all(|byte| byte.is_ascii_lowercase())
            && region.len() == 2
            && region.bytes().all(|byte| byte.is_ascii_uppercase());
        if well_formed {
            Ok(Self(text))
        } else {
            Err("must be a language such as \"en\" or \"es-MX\"")
        }
    }
}

/// Where a customer is written to.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "Text<254>")]
#[schema(value_type = String, example = "billing@acme.example")]
pub(crate) struct Email(String);

impl TryFrom<Text<254>> for Email {
    type Error = &'static str;

    fn try_from(Text(text): Text<254>) -> Result<Self, Self::Error> {
        let well_formed = text.split_once('@').is_some_and(|(who, place)| {
            !who.is_empty() && place.contains('.') && !place.contains('@')
        });
        if well_formed && !text.contains(char::is_whitespace) {
            Ok(Self(text))
        } else {
            Err("must be an e-mail address")
        }
    }
}

/// What a customer is made with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomerBody {
    name: Words<200>,
    email: Option<Email>,
    /// Your own id of it, unique.
    external_id: Option<Words<200>>,
    locale: Option<Locale>,
    metadata: Option<Metadata>,
}

/// What changes of a customer: absent stays, null clears.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) struct CustomerPatch {
    #[serde(default, deserialize_with = "present")]
    name: Option<Words<200>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Email>)]
    email: Option<Option<Email>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    external_id: Option<Option<Words<200>>>,
    #[serde(default, deserialize_with = "present")]
    locale: Option<Locale>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Metadata>)]
    metadata: Option<Option<Metadata>>,
}

fn customer_id(text: &str) -> Result<CustomerId, Problem> {
    CustomerId::parse(text).map_err(|_malformed| Problem::not_found())
}

/// Makes a customer.
#[utoipa::path(post, path = "/v1/customers", tag = "customers", params(("Idempotency-Key" = Option<String>, Header)),
    request_body = CustomerBody, responses((status = 201, body = CustomerView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(body): Json<CustomerBody>,
) -> Result<Response, Problem> {
    let fingerprint = Fingerprint::of("customer")
        .text("name", Some(&body.name.0))
        .text("email", body.email.as_ref().map(|email| email.0.as_str()))
        .text(
            "external_id",
            body.external_id.as_ref().map(|id| id.0.as_str()),
        )
        .text(
            "locale",
            body.locale.as_ref().map(|locale| locale.0.as_str()),
        )
        .text(
            "metadata",
            body.metadata.as_ref().map(|metadata| metadata.0.as_str()),
        )
        .finish();
    let key = caller.optional_key(Scope::Merchant(caller.principal.merchant_id), fingerprint)?;
    let new = NewCustomer {
        name: body.name.0,
        email: body.email.map(|email| email.0),
        external_id: body.external_id.map(|id| id.0),
        locale: body
            .locale
            .map_or_else(|| "en".to_owned(), |locale| locale.0),
        metadata: body
            .metadata
            .map_or_else(|| "{}".to_owned(), |metadata| metadata.0),
    };
    stored(
        service
            .create_customer(&caller.principal, new, key, |row| {
                bytes(&CustomerView::of(row))
            })
            .await?,
    )
}

/// Customers, newest first.
#[utoipa::path(get, path = "/v1/customers", tag = "customers",
    params(("external_id" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<CustomerView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["external_id", "limit", "cursor"])?;
    let page = query.page("customers")?;
    let external_id = query.get("external_id").map(str::to_owned);
    let rows = service
        .customers(
            &caller.principal,
            external_id,
            page.before.map(CustomerId::from_number),
            page.rows(),
        )
        .await?;
    let all = rows.clone();
    let listed = page.list(rows, |row| row.id.number(), |row| row.id);
    Ok(ok(&listed.map(&all, CustomerView::of)))
}

/// A customer.
#[utoipa::path(get, path = "/v1/customers/{customer_id}", tag = "customers", params(("customer_id" = String, Path)), responses((status = 200, body = CustomerView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let row = service
        .customer(&caller.principal, customer_id(&id)?)
        .await?;
    Ok(ok(&CustomerView::of(&row)))
}

/// Changes a customer.
#[utoipa::path(patch, path = "/v1/customers/{customer_id}", tag = "customers", params(("customer_id" = String, Path)), request_body = CustomerPatch,
    responses((status = 200, body = CustomerView)))]
pub(crate) async fn change(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<CustomerPatch>,
) -> Result<Response, Problem> {
    let change = CustomerChange {
        name: body.name.map(|name| name.0),
        email: body.email.map(|email| email.map(|email| email.0)),
        external_id: body.external_id.map(|id| id.map(|id| id.0)),
        locale: body.locale.map(|locale| locale.0),
        metadata: body.metadata.map(merged),
    };
    let row = service
        .change_customer(&caller.principal, customer_id(&id)?, change)
        .await?;
    Ok(ok(&CustomerView::of(&row)))
}

/// Deletes a customer and erases its personal data; amounts stay.
#[utoipa::path(delete, path = "/v1/customers/{customer_id}", tag = "customers", params(("customer_id" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    service
        .delete_customer(&caller.principal, customer_id(&id)?)
        .await?;
    Ok(json(StatusCode::NO_CONTENT, Vec::new()))
}
