//! Auto-recharge of a wallet: settings, health, resume.

use super::top_ups::TopUpView;
use super::wallet_id;
use crate::api::answer::{ok, print};
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::page::Query;
use crate::api::problem::Problem;
use crate::api::values::{Money, NotNegative, Positive};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::id::PaymentMethodId;
use tillbox_core::recharge::{Recharge, RechargeSettings, Refill};
use tillbox_service::{NewRecharge, RechargeHealth, Service, TriedRecharge};
use utoipa::ToSchema;

/// Auto-recharge of a wallet, and how it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = AutoRecharge)]
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) struct RechargeView {
    enabled: bool,
    /// It charges strictly below this; null where it was never set.
    threshold: Option<String>,
    /// How much it charges, or a multiple of it; null where it fills up to a target.
    amount: Option<String>,
    /// The balance that it fills up to; null where it charges an amount.
    target: Option<String>,
    /// What it may charge in a calendar month.
    monthly_cap: Option<String>,
    /// The saved method that it charges; null: the customer's default.
    payment_method_id: Option<String>,
    /// Tried in this order when that is declined.
    backup_payment_method_ids: Vec<String>,
    currency: String,
    /// `off`, `armed`, `charging`, `cooling_down` or `paused`.
    state: &'static str,
    /// Why it does not charge now.
    reason: Option<&'static str>,
    /// What it compares with the threshold: balance less what is held, and top-ups under way.
    effective_balance: String,
    /// When it tries again by itself.
    next_eligible_at: Option<String>,
    /// Charged in this month, succeeded and under way.
    month_charged: String,
    /// Its last charges, newest first; absent in events.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempts: Option<Vec<TopUpView>>,
    /// In a dry run: what would be charged at once; null where nothing would.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    would_charge: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

impl RechargeView {
    fn of(health: &RechargeHealth) -> Self {
        let currency = health.currency;
        let money = |amount: Amount| print(amount, currency);
        let recharge = health.recharge.as_ref();
        let settings = recharge.map(|recharge| recharge.settings);
        let (amount, target) = match settings.map(|settings| settings.refill) {
            Some(Refill::Fixed(amount)) => (Some(amount), None),
            Some(Refill::UpTo(target)) => (None, Some(target)),
            None => (None, None),
        };
        Self {
            enabled: recharge.is_some_and(|recharge| recharge.is_enabled),
            threshold: settings.map(|settings| money(settings.threshold)),
            amount: amount.map(money),
            target: target.map(money),
            monthly_cap: settings
                .and_then(|settings| settings.monthly_cap)
                .map(money),
            payment_method_id: recharge
                .and_then(|recharge| recharge.method)
                .map(|id| id.to_string()),
            backup_payment_method_ids: recharge
                .map_or(&[][..], |recharge: &Recharge| &recharge.backups)
                .iter()
                .map(PaymentMethodId::to_string)
                .collect(),
            currency: currency.code().to_owned(),
            state: health.standing.name(),
            reason: health.reason,
            effective_balance: money(health.effective),
            next_eligible_at: health.next_eligible_at.map(|at| at.to_string()),
            month_charged: money(health.month_charged),
            last_attempts: Some(health.last_attempts.iter().map(TopUpView::of).collect()),
            would_charge: None,
            dry_run: None,
        }
    }

    fn tried(tried: &TriedRecharge) -> Self {
        let charge = tried
            .charge
            .map(|amount| print(amount, tried.health.currency));
        Self {
            would_charge: Some(charge),
            dry_run: Some(true),
            ..Self::of(&tried.health)
        }
    }

    /// As an event tells it: what was charged has events of its own.
    pub(crate) fn without_attempts(health: &RechargeHealth) -> Self {
        Self {
            last_attempts: None,
            ..Self::of(health)
        }
    }
}

/// Auto-recharge as it shall be: an amount or a target.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RechargeBody {
    enabled: bool,
    /// It charges strictly below this.
    threshold: NotNegative,
    /// How much it charges; the least multiple that closes the gap.
    amount: Option<Positive>,
    /// The balance that it fills up to.
    target: Option<Positive>,
    /// What it may charge in a calendar month.
    monthly_cap: Option<Positive>,
    payment_method_id: Option<String>,
    /// At most five.
    backup_payment_method_ids: Option<Vec<String>>,
    dry_run: Option<bool>,
}

fn method(id: &str) -> Result<PaymentMethodId, Problem> {
    PaymentMethodId::parse(id).map_err(|_malformed| Problem::not_found())
}

/// Auto-recharge as it stands.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/auto-recharge", tag = "auto-recharge", params(("wallet_id" = String, Path)),
    responses((status = 200, body = RechargeView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let health = service
        .auto_recharge(&caller.principal, wallet_id(&wallet)?)
        .await?;
    Ok(ok(&RechargeView::of(&health)))
}

/// Saves auto-recharge. Where the balance is below the threshold already, it charges at once.
#[utoipa::path(put, path = "/v1/wallets/{wallet_id}/auto-recharge", tag = "auto-recharge", params(("wallet_id" = String, Path)),
    request_body = RechargeBody, responses((status = 200, body = RechargeView)))]
pub(crate) async fn put(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<RechargeBody>,
) -> Result<Response, Problem> {
    let refill = match (body.amount, body.target) {
        (Some(amount), None) => Refill::Fixed(amount.amount()),
        (None, Some(target)) => Refill::UpTo(target.amount()),
        (Some(_), Some(_)) => {
            let message = "goes without amount: it is one or the other";
            return Err(Problem::invalid_field("/target", message));
        }
        (None, None) => {
            let message = "is missing: send amount, or target";
            return Err(Problem::invalid_field("/amount", message));
        }
    };
    let backups = body.backup_payment_method_ids.unwrap_or_default();
    let new = NewRecharge {
        is_enabled: body.enabled,
        settings: RechargeSettings {
            threshold: body.threshold.amount(),
            refill,
            monthly_cap: body.monthly_cap.map(Positive::get).transpose()?,
        },
        method: body.payment_method_id.as_deref().map(method).transpose()?,
        backups: backups
            .iter()
            .map(|id| method(id))
            .collect::<Result<_, _>>()?,
    };
    let id = wallet_id(&wallet)?;
    let who = &caller.principal;
    if body.dry_run.unwrap_or(false) {
        let tried = service.try_auto_recharge(who, id, new).await?;
        return Ok(ok(&RechargeView::tried(&tried)));
    }
    service.set_auto_recharge(who, id, new).await?;
    let health = service.auto_recharge(&caller.principal, id).await?;
    Ok(ok(&RechargeView::of(&health)))
}

/// Nothing is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResumeBody {
    dry_run: Option<bool>,
}

/// Lets a paused or cooling auto-recharge try again.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/auto-recharge/resume", tag = "auto-recharge", params(("wallet_id" = String, Path)),
    request_body = ResumeBody, responses((status = 200, body = RechargeView)))]
pub(crate) async fn resume(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<ResumeBody>,
) -> Result<Response, Problem> {
    let id = wallet_id(&wallet)?;
    if body.dry_run.unwrap_or(false) {
        let tried = service.try_resume_auto_recharge(&caller.principal, id);
        return Ok(ok(&RechargeView::tried(&tried.await?)));
    }
    service.resume_auto_recharge(&caller.principal, id).await?;
    let health = service.auto_recharge(&caller.principal, id).await?;
    Ok(ok(&RechargeView::of(&health)))
}
