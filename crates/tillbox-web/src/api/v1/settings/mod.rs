//! The merchant's settings.

mod overrides;
mod patch;
mod view;

pub(crate) use patch::SettingsPatch;
pub(crate) use view::SettingsView;

use crate::api::answer::ok;
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::page::Query;
use crate::api::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use tillbox_service::Service;

/// The settings that hold.
#[utoipa::path(get, path = "/v1/settings", tag = "settings", responses((status = 200, body = SettingsView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    Ok(ok(&SettingsView::of(&service.settings(&caller.principal))))
}

/// Changes settings.
#[utoipa::path(patch, path = "/v1/settings", tag = "settings", request_body = SettingsPatch, responses((status = 200, body = SettingsView)))]
pub(crate) async fn change(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(patch): Json<SettingsPatch>,
) -> Result<Response, Problem> {
    let change = |settings| patch.apply(settings);
    let settings = service.update_settings(&caller.principal, change).await?;
    Ok(ok(&SettingsView::of(&settings)))
}
