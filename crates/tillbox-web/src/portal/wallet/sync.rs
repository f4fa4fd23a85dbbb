//! Sync: fetches completed payments that the balance does not show yet.

use super::super::form::Form;
use super::super::page_error::PageError;
use super::visit::{Visit, see_other};
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use tillbox_service::Service;

/// Credited payments that the address names: more are not told one by one.
const NAMED: usize = 50;

/// Asks the provider about every open payment of the wallet.
pub(crate) async fn sync(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, _fields) = Visit::of_form(service, form).await?;
    let synced = visit
        .service
        .sync_wallet(visit.who(), visit.wallet_id())
        .await?;
    let credited = synced.credited.iter().take(NAMED);
    let credited: Vec<String> = credited.map(ToString::to_string).collect();
    let told = format!(
        "sync&checked={}&credited={}&failed={}",
        synced.checked,
        credited.join(","),
        synced.failed.len()
    );
    Ok(see_other(&visit.url_telling(&told)))
}
