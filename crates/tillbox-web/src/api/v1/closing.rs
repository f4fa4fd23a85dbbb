//! Closing a wallet.

use super::wallets::WalletView;
use super::{mode, wallet_id};
use crate::api::answer::{bytes, print, stored};
use crate::api::body::Json;
use crate::api::caller::{Caller, Scope};
use crate::api::fingerprint::Fingerprint;
use crate::api::problem::Problem;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, EntryKind, PayoutWay};
use tillbox_core::id::TopUpId;
use tillbox_service::{ClosingAnswer, Service};
use utoipa::ToSchema;

/// With what a wallet is closed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseBody {
    refund: RefundWay,
    dry_run: Option<bool>,
}

/// By which way the payments go back.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundWay {
    /// To the cards that were charged: the provider is asked to refund them. What it refuses is a manual payout.
    Original,
    /// By the merchant, outside of all this.
    Manual,
}

impl From<RefundWay> for PayoutWay {
    fn from(way: RefundWay) -> Self {
        match way {
            RefundWay::Original => Self::Original,
            RefundWay::Manual => Self::Manual,
        }
    }
}

/// What closing pays out and gives up.
#[derive(Serialize, ToSchema)]
#[schema(as = ClosePlan)]
pub(crate) struct PlanView {
    /// The newest payment first; what came from none is last.
    payouts: Vec<PayoutView>,
    /// What may not be paid out.
    forfeited: String,
}

/// What is paid out of one payment.
#[derive(Serialize, ToSchema)]
#[schema(as = Payout)]
pub(crate) struct PayoutView {
    /// Null for what came from no payment, or can't go back to its card: less than a minor unit, or what has gone back
    /// already.
    top_up_id: Option<String>,
    payment_intent_id: Option<String>,
    amount: String,
    /// `original`: to the card that was charged. `manual`: by the merchant's own ways.
    way: &'static str,
}

impl PlanView {
    pub(crate) fn of(rows: &[Arc<Entry>], currency: Currency) -> Self {
        let payouts = rows.iter().filter_map(|row| {
            let to = row.event.destination.as_ref()?;
            Some(PayoutView {
                top_up_id: row.event.top_up_id.as_ref().map(TopUpId::to_string),
                payment_intent_id: to.payment_id.as_deref().map(str::to_owned),
                amount: print(row.event.amount.abs(), currency),
                way: to.way.name(),
            })
        });
        let given_up = rows
            .iter()
            .filter(|row| row.event.kind == EntryKind::Forfeited);
        let forfeited: Amount = given_up.map(|row| row.event.amount.abs()).sum();
        Self {
            payouts: payouts.collect(),
            forfeited: print(forfeited, currency),
        }
    }
}

/// Ends a wallet. What may be paid out is withdrawn, the rest forfeited, in one commit; top-ups that wait for the
/// customer are given up, and auto-recharge ends. Refused while holds are open, debt is left or a top-up is processing.
/// A dry run shows the wallet as it would be, and the plan. With `original`, the cards are refunded by the provider behind
/// the answer: `top_up.refunded` tells of each that was, and a withdrawal that it refuses is the merchant's to pay, told by
/// `wallet.updated`. All other withdrawals are the merchant's to pay; each names the payment that it belongs to.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/close", tag = "wallets", params(("wallet_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = CloseBody, responses((status = 200, body = WalletView)))]
pub(crate) async fn close(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<CloseBody>,
) -> Result<Response, Problem> {
    let way = PayoutWay::from(body.refund);
    let fingerprint = Fingerprint::of("close")
        .text("refund", Some(way.name()))
        .finish();
    let dry_run = body.dry_run.unwrap_or(false);
    let wallet_id = wallet_id(&wallet)?;
    let key = caller.key(Scope::Wallet(wallet_id), fingerprint, dry_run)?;
    let answer: ClosingAnswer = Arc::new(move |view, rows| {
        let plan = dry_run.then(|| PlanView::of(rows, view.row.currency));
        bytes(&WalletView::closing(view, plan, dry_run))
    });
    let (who, mode) = (&caller.principal, mode(dry_run));
    stored(
        service
            .close_wallet(who, wallet_id, way, key, mode, answer)
            .await?,
    )
}
