//! Lots of a wallet.

use super::credits::submit;
use super::{Asked, lot_id, mode, note, wallet_id};
use crate::api::answer::{bytes, ok, print, stored};
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::fingerprint::Fingerprint;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use crate::api::values::{Instant, Text, patch};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_core::command::{ChangeLot, Command, VoidLot};
use tillbox_core::currency::Currency;
use tillbox_core::id::LotId;
use tillbox_core::lot::Lot;
use tillbox_core::time::Timestamp;
use tillbox_service::{LotAnswer, Service};
use utoipa::ToSchema;

/// Value of one origin.
#[derive(Serialize, ToSchema)]
#[schema(as = Lot)]
pub(crate) struct LotView {
    id: String,
    funding_type: &'static str,
    withdrawable: bool,
    /// 0 is drawn first.
    priority: u8,
    amount: String,
    remaining: String,
    /// The part of `remaining` that open holds reserve.
    held: String,
    /// What was paid for it.
    cost_basis: String,
    expires_at: Option<String>,
    /// The transaction that made it.
    transaction_id: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

impl LotView {
    pub(crate) fn of(lot: &Lot, currency: Currency) -> Self {
        Self {
            id: lot.id.to_string(),
            funding_type: lot.funding.name(),
            withdrawable: lot.withdrawable,
            priority: lot.priority,
            amount: print(lot.amount, currency),
            remaining: print(lot.remaining, currency),
            held: print(lot.held, currency),
            cost_basis: print(lot.cost_basis, currency),
            expires_at: lot.expires_at.as_ref().map(Timestamp::to_string),
            transaction_id: lot.source.to_string(),
            created_at: lot.created_at.to_string(),
            dry_run: None,
        }
    }
}

/// What changes of a lot: absent stays, null never expires.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) struct LotPatch {
    /// In the future.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Instant>)]
    expires_at: Option<Option<Instant>>,
    dry_run: Option<bool>,
}

/// With what a lot is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VoidBody {
    description: Option<Text<500>>,
    dry_run: Option<bool>,
}

/// Lots of a wallet, newest first, spent ones too; as of now or of a past instant.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/lots", tag = "wallets",
    params(("wallet_id" = String, Path), ("at" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<LotView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["at", "limit", "cursor"])?;
    let at = query.past_instant("at")?;
    let page = query.page(&format!("lots of {wallet}"))?;
    let wallet = wallet_id(&wallet)?;
    let currency = service.wallet_currency(&caller.principal, wallet).await?;
    let rows = service
        .lots(
            &caller.principal,
            wallet,
            at,
            page.before.map(LotId::from_number),
            page.rows(),
        )
        .await?;
    Ok(ok(&page.list(
        rows,
        |lot| lot.id.number(),
        |lot| LotView::of(lot, currency),
    )))
}

/// A lot, spent ones too.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/lots/{lot_id}", tag = "wallets", params(("wallet_id" = String, Path), ("lot_id" = String, Path)),
    responses((status = 200, body = LotView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, lot)): Path<(String, String)>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let (wallet, id) = (wallet_id(&wallet)?, lot_id(&lot));
    let currency = service.wallet_currency(&caller.principal, wallet).await?;
    let lot = service.lot(&caller.principal, wallet, id).await?;
    Ok(ok(&LotView::of(&lot, currency)))
}

/// Gives a lot another expiry, later or earlier. Refused where nothing is left of it, or it is past its date.
#[utoipa::path(patch, path = "/v1/wallets/{wallet_id}/lots/{lot_id}", tag = "wallets", params(("wallet_id" = String, Path), ("lot_id" = String, Path)),
    request_body = LotPatch, responses((status = 200, body = LotView)))]
pub(crate) async fn change(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, lot)): Path<(String, String)>,
    Json(body): Json<LotPatch>,
) -> Result<Response, Problem> {
    let (wallet, lot_id) = (wallet_id(&wallet)?, lot_id(&lot));
    let dry_run = body.dry_run.unwrap_or(false);
    let view = move |lot: &Lot, currency| LotView {
        dry_run: dry_run.then_some(true),
        ..LotView::of(lot, currency)
    };
    let Some(expires_at) = body.expires_at else {
        let currency = service.wallet_currency(&caller.principal, wallet).await?;
        let lot = service.lot(&caller.principal, wallet, lot_id).await?;
        return Ok(ok(&view(&lot, currency)));
    };
    let change = ChangeLot {
        lot_id,
        expires_at: expires_at.map(|at| at.0),
    };
    let answer: LotAnswer = Arc::new(move |lot, currency| bytes(&view(lot, currency)));
    let (who, mode) = (&caller.principal, mode(dry_run));
    stored(
        service
            .change_lot(who, wallet, change, mode, answer)
            .await?,
    )
}

/// Takes back what no hold reserves of a lot.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/lots/{lot_id}/void", tag = "moving value",
    params(("wallet_id" = String, Path), ("lot_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = VoidBody, responses((status = 201, body = super::transactions::TransactionView)))]
pub(crate) async fn void(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, lot)): Path<(String, String)>,
    Json(body): Json<VoidBody>,
) -> Result<Response, Problem> {
    let note = note(body.description, None, None);
    let fingerprint = Fingerprint::of("void_lot")
        .text("lot", Some(&lot))
        .note(&note)
        .finish();
    let void = VoidLot {
        lot_id: lot_id(&lot),
        note,
    };
    let asked = Asked {
        command: Command::VoidLot(void),
        fingerprint,
        dry_run: body.dry_run.unwrap_or(false),
        unpriced: None,
    };
    submit(&service, &caller, &wallet, asked).await
}
