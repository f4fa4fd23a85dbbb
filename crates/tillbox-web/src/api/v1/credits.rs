//! Credits: value in by the merchant.

use super::{Asked, note, respond, wallet_id};
use crate::api::body::Json;
use crate::api::caller::{Caller, Scope};
use crate::api::fingerprint::Fingerprint;
use crate::api::problem::Problem;
use crate::api::values::{Instant, Metadata, Money, Positive, Text};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use tillbox_core::command::{Command, Credit, Expiry};
use tillbox_core::id::WalletId;
use tillbox_core::lot::FundingType;
use tillbox_service::{Operation, Service, Settings};
use utoipa::ToSchema;

/// What a credit is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditBody {
    pub(crate) amount: Positive,
    pub(crate) funding_type: Funding,
    description: Option<Text<500>>,
    reference: Option<Text<200>>,
    /// 0 is drawn first; 50 unless said otherwise.
    #[schema(minimum = 0, maximum = 100)]
    priority: Option<Priority>,
    expires_at: Option<Instant>,
    metadata: Option<Metadata>,
    dry_run: Option<bool>,
}

/// A place in the draw order, 0 to 100.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "u8")]
#[schema(value_type = u8)]
pub(crate) struct Priority(u8);

impl TryFrom<u8> for Priority {
    type Error = &'static str;

    fn try_from(priority: u8) -> Result<Self, Self::Error> {
        if priority <= 100 {
            Ok(Self(priority))
        } else {
            Err("must be a number from 0 to 100")
        }
    }
}

/// Where the value comes from; codes are redeemed elsewhere (R3).
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Funding {
    /// Paid in by the customer.
    Cash,
    /// Given by the merchant.
    Promotional,
    /// Given instead of a refund to a card.
    Refund,
    /// Corrected by an operator.
    ManualAdjustment,
}

impl From<Funding> for FundingType {
    fn from(funding: Funding) -> Self {
        match funding {
            Funding::Cash => Self::Cash,
            Funding::Promotional => Self::Promotional,
            Funding::Refund => Self::Refund,
            Funding::ManualAdjustment => Self::ManualAdjustment,
        }
    }
}

impl CreditBody {
    pub(crate) fn asked(self, settings: &Settings) -> Asked {
        let (amount, funding) = (self.amount.amount(), FundingType::from(self.funding_type));
        let note = note(self.description, self.reference, self.metadata);
        let fingerprint = Fingerprint::of("credit")
            .amount("amount", Some(amount))
            .text("funding_type", Some(funding.name()))
            .note(&note)
            .number(
                "priority",
                self.priority.map(|priority| i64::from(priority.0)),
            )
            .instant("expires_at", self.expires_at.map(|at| at.0))
            .finish();
        let mut credit = within_limits(Credit::new(amount, funding), settings);
        credit.priority = self.priority.map_or(credit.priority, |priority| priority.0);
        credit.expiry = self.expires_at.map(|at| Expiry::At(at.0));
        credit.note = note;
        Asked {
            command: Command::Credit(credit),
            fingerprint,
            dry_run: self.dry_run.unwrap_or(false),
            unpriced: None,
        }
    }
}

/// A credit within the balance that the merchant allows.
pub(crate) fn within_limits(credit: Credit, settings: &Settings) -> Credit {
    Credit {
        maximum_balance: settings.maximum_balance,
        ..credit
    }
}

/// Adds value to a wallet, as one lot.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/credits", tag = "moving value", params(("wallet_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = CreditBody, responses((status = 201, body = super::transactions::TransactionView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<CreditBody>,
) -> Result<Response, Problem> {
    let settings = service
        .settings_for(&caller.principal, WalletId::parse(&wallet).ok())
        .await;
    let asked = body.asked(&settings);
    submit(&service, &caller, &wallet, asked).await
}

/// The way of every command that names its wallet in the path.
pub(crate) async fn submit(
    service: &Service,
    caller: &Caller,
    wallet: &str,
    asked: Asked,
) -> Result<Response, Problem> {
    let parsed = wallet_id(wallet);
    let scope = parsed
        .as_ref()
        .map_or(Scope::Merchant(caller.principal.merchant_id), |id| {
            Scope::Wallet(*id)
        });
    let key = caller.key(scope, asked.fingerprint, asked.dry_run)?;
    let (mode, dry_run, unpriced) = (asked.mode(), asked.dry_run, asked.unpriced);
    let operation = Operation {
        wallet_id: parsed?,
        command: asked.command,
        key,
        mode,
    };
    let outcome = service.submit(&caller.principal, operation).await;
    let outcome = outcome.map_err(|error| Asked::problem(unpriced, error))?;
    respond(&outcome, dry_run)
}
