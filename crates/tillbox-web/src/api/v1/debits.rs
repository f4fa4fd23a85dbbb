//! Debits: value out.

use super::credits::submit;
use super::{Asked, note};
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::fingerprint::Fingerprint;
use crate::api::problem::Problem;
use crate::api::values::{Metadata, Money, Positive, Text};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use tillbox_core::command::{Command, Debit, Force};
use tillbox_core::id::WalletId;
use tillbox_core::reason::Reason;
use tillbox_service::{Service, Settings};
use utoipa::ToSchema;

/// What a debit is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DebitBody {
    amount: Positive,
    description: Option<Text<500>>,
    reference: Option<Text<200>>,
    /// `usage` unless said otherwise.
    reason: Option<DebitReason>,
    /// For usage already delivered: may leave debt.
    force: Option<bool>,
    metadata: Option<Metadata>,
    dry_run: Option<bool>,
}

/// Why a merchant takes value.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DebitReason {
    /// Metered use.
    Usage,
    /// Something bought once.
    Purchase,
    /// The fee of a plan.
    Subscription,
}

impl From<DebitReason> for Reason {
    fn from(reason: DebitReason) -> Self {
        match reason {
            DebitReason::Usage => Self::Usage,
            DebitReason::Purchase => Self::Purchase,
            DebitReason::Subscription => Self::Subscription,
        }
    }
}

impl DebitBody {
    pub(crate) fn asked(self, settings: &Settings) -> Asked {
        let amount = self.amount.amount();
        let reason = self.reason.map(Reason::from);
        let note = note(self.description, self.reference, self.metadata);
        let fingerprint = Fingerprint::of("debit")
            .amount("amount", Some(amount))
            .note(&note)
            .text("reason", reason.map(Reason::name))
            .flag("force", self.force)
            .finish();
        let debit = Debit {
            amount,
            reason: reason.unwrap_or(Reason::Usage),
            force: force(self.force, settings),
            note,
        };
        Asked {
            command: Command::Debit(debit),
            fingerprint,
            dry_run: self.dry_run.unwrap_or(false),
            unpriced: None,
        }
    }
}

/// Leave to go below zero, down to the merchant's floor (R7).
pub(crate) fn force(asked: Option<bool>, settings: &Settings) -> Option<Force> {
    asked.filter(|force| *force).map(|_| Force {
        floor: settings.force_floor,
    })
}

/// Takes value from a wallet, or refuses whole.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/debits", tag = "moving value", params(("wallet_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = DebitBody, responses((status = 201, body = super::transactions::TransactionView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<DebitBody>,
) -> Result<Response, Problem> {
    let settings = service
        .settings_for(&caller.principal, WalletId::parse(&wallet).ok())
        .await;
    let asked = body.asked(&settings);
    submit(&service, &caller, &wallet, asked).await
}
