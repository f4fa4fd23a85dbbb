//! Usage: rated and debited in one call.

use super::credits::submit;
use super::debits::force;
use super::transactions::TransactionView;
use super::{Asked, note, wallet_id};
use crate::api::answer::print;
use crate::api::body::Json;
use crate::api::caller::{Caller, Scope};
use crate::api::fingerprint::Fingerprint;
use crate::api::problem::Problem;
use crate::api::values::{BEYOND, Metadata, Text, Words};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_core::command::{Command, Usage};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, UsageFacts};
use tillbox_core::id::{HoldId, WalletId};
use tillbox_core::rating::Rated;
use tillbox_service::{Principal, Service};
use utoipa::ToSchema;

/// What usage came to.
#[derive(Serialize, ToSchema)]
#[schema(as = Usage)]
pub(crate) struct UsageView<'a> {
    /// What it costs.
    amount: String,
    /// Units billed, after increment and minimum.
    billed_quantity: i64,
    /// Units that a plan's allowance covered.
    allowance_used: i64,
    /// Units that are left of it; none without a plan.
    allowance_remaining: Option<i64>,
    /// None when it was rated to zero.
    transaction: Option<TransactionView<'a>>,
    /// The balance after it.
    balance: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

impl<'a> UsageView<'a> {
    pub(crate) fn of(entry: &'a Entry, currency: Currency, dry_run: bool) -> Self {
        let facts = entry.event.usage.as_ref();
        Self {
            amount: print(entry.event.amount.abs(), currency),
            billed_quantity: facts.map_or(0, |facts| facts.billed_quantity),
            allowance_used: 0,
            allowance_remaining: None,
            transaction: entry
                .event
                .moves_money()
                .then(|| TransactionView::of(entry, currency, dry_run)),
            balance: print(entry.balance_after, currency),
            dry_run: dry_run.then_some(true),
        }
    }
}

/// What usage is reported with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageBody {
    /// The key of a price.
    price: Words<100>,
    /// Units used; of calls: seconds.
    #[schema(minimum = 0)]
    quantity: Quantity,
    /// Pay wholly from this hold.
    hold_id: Option<String>,
    description: Option<Text<500>>,
    reference: Option<Text<200>>,
    /// For usage already delivered: may leave debt.
    force: Option<bool>,
    metadata: Option<Metadata>,
    dry_run: Option<bool>,
}

/// A whole number of units, at least zero.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "i64")]
#[schema(value_type = i64)]
pub(crate) struct Quantity(i64);

/// More units than this are taken for a mistake.
const MAX_QUANTITY: i64 = 1_000_000_000_000_000;

impl TryFrom<i64> for Quantity {
    type Error = &'static str;

    fn try_from(quantity: i64) -> Result<Self, Self::Error> {
        if (0..=MAX_QUANTITY).contains(&quantity) {
            Ok(Self(quantity))
        } else {
            Err("must be a whole number from 0 to 1000000000000000")
        }
    }
}

impl UsageBody {
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run.unwrap_or(false)
    }

    /// Rates it by the price that holds now in the wallet's currency.
    pub(crate) async fn asked(
        self,
        service: &Service,
        who: &Principal,
        wallet: WalletId,
    ) -> Result<Asked, Problem> {
        let note = note(self.description, self.reference, self.metadata);
        let fingerprint = Fingerprint::of("usage")
            .text("price", Some(&self.price.0))
            .number("quantity", Some(self.quantity.0))
            .text("hold_id", self.hold_id.as_deref())
            .note(&note)
            .flag("force", self.force)
            .finish();
        let rated = service
            .rate(who, wallet, &self.price.0, self.quantity.0)
            .await?;
        let unpriced = rated.err();
        let rated = rated.unwrap_or(Rated {
            billed_quantity: 0,
            cost: BEYOND,
        });
        let settings = service.settings_for(who, Some(wallet)).await;
        let usage = Usage {
            cost: rated.cost,
            facts: UsageFacts {
                price_key: self.price.0.into_boxed_str(),
                quantity: self.quantity.0,
                billed_quantity: rated.billed_quantity,
            },
            hold_id: self
                .hold_id
                .as_deref()
                .map(|hold| HoldId::parse(hold).unwrap_or(HoldId::from_number(0))),
            force: force(self.force, &settings),
            note,
        };
        Ok(Asked {
            command: Command::Usage(usage),
            fingerprint,
            dry_run: self.dry_run.unwrap_or(false),
            unpriced,
        })
    }
}

/// Rates usage and takes what it costs, or refuses whole.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/usage", tag = "prices and usage", params(("wallet_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = UsageBody, responses((status = 201, body = UsageView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<UsageBody>,
) -> Result<Response, Problem> {
    // A missing key is told before an unknown wallet or price (R42).
    caller.key(
        Scope::Merchant(caller.principal.merchant_id),
        [0; 16],
        body.is_dry_run(),
    )?;
    let asked = body
        .asked(&service, &caller.principal, wallet_id(&wallet)?)
        .await?;
    submit(&service, &caller, &wallet, asked).await
}
