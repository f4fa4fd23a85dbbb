//! API keys of the merchant: made, listed, made void.

use crate::api::answer::{bytes, json, ok};
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use crate::api::values::Words;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_core::id::ApiKeyId;
use tillbox_service::{KeyScope, Scopes, Service};
use tillbox_store::sqlite::api_keys::ApiKeyRow;
use utoipa::ToSchema;

/// A key.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct ApiKeyView<'a> {
    id: String,
    name: &'a str,
    /// `read`, `write`, `force`, `admin`.
    scopes: Vec<&'static str>,
    /// Its last characters, to tell it from others.
    hint: &'a str,
    created_at: String,
    /// From when on it is void.
    revoked_at: Option<String>,
    /// The whole key; told this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

impl<'a> ApiKeyView<'a> {
    fn of(row: &'a ApiKeyRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: &row.name,
            scopes: Scopes::parse(&row.scopes)
                .list()
                .map(KeyScope::name)
                .collect(),
            hint: &row.hint,
            created_at: row.created_at.to_string(),
            revoked_at: row.revoked_at.map(|at| at.to_string()),
            key: None,
        }
    }
}

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyBody {
    /// For people.
    name: Words<100>,
    /// What it may do; everything unless said otherwise.
    scopes: Option<Vec<ScopeName>>,
}

/// Something that a key may do.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScopeName {
    /// Look at everything of the merchant.
    Read,
    /// Change everything but settings and keys, and move value.
    Write,
    /// Take value with `force`.
    Force,
    /// Change settings, and make and void keys.
    Admin,
}

impl From<ScopeName> for KeyScope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Read => Self::Read,
            ScopeName::Write => Self::Write,
            ScopeName::Force => Self::Force,
            ScopeName::Admin => Self::Admin,
        }
    }
}

/// Makes a key. It is told this once: an `Idempotency-Key` is not honoured, as no secret is kept to be told again.
#[utoipa::path(post, path = "/v1/api-keys", tag = "operations", request_body = ApiKeyBody, responses((status = 201, body = ApiKeyView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(body): Json<ApiKeyBody>,
) -> Result<Response, Problem> {
    let scopes = body.scopes.map_or(Scopes::ALL, |names| {
        let scopes: Vec<KeyScope> = names.into_iter().map(KeyScope::from).collect();
        Scopes::of(&scopes)
    });
    let new = service
        .create_api_key(&caller.principal, body.name.0, scopes)
        .await?;
    let view = ApiKeyView {
        key: Some(&new.token),
        ..ApiKeyView::of(&new.row)
    };
    let mut response = json(StatusCode::CREATED, bytes(&view));
    crate::portal::headers::keep_nowhere(&mut response);
    Ok(response)
}

/// Keys, newest first, void ones too.
#[utoipa::path(get, path = "/v1/api-keys", tag = "operations",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<ApiKeyView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["limit", "cursor"])?;
    let page = query.page("API keys")?;
    let before = page.before.map(ApiKeyId::from_number);
    let rows = service
        .api_keys(&caller.principal, before, page.rows())
        .await?;
    let listed = page.list(rows.iter().collect(), |row| row.id.number(), |_| ());
    Ok(ok(&listed.map(&rows, ApiKeyView::of)))
}

/// Makes a key void, at once.
#[utoipa::path(delete, path = "/v1/api-keys/{api_key_id}", tag = "operations", params(("api_key_id" = String, Path)), responses((status = 204)))]
pub(crate) async fn revoke(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = ApiKeyId::parse(&id).map_err(|_malformed| Problem::not_found())?;
    service.revoke_api_key(&caller.principal, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
