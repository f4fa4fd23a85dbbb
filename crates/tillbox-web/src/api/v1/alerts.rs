//! Low-balance alerts of a wallet: its own thresholds instead of the merchant's.

use super::wallet_id;
use crate::api::answer::{ok, print};
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::page::Query;
use crate::api::problem::Problem;
use crate::api::values::{Money, NotNegative, Words};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_service::{AlertChannel, AlertSettings, NewAlerts, Service};
use utoipa::ToSchema;

/// Low-balance alerts.
#[derive(Serialize, ToSchema)]
#[schema(as = Alerts)]
pub(crate) struct AlertsView {
    enabled: bool,
    /// Balances below which it is told, falling; zero is always one of them.
    thresholds: Vec<String>,
    /// Whether the thresholds are the merchant's.
    inherited: bool,
    channels: Vec<&'static str>,
    /// Where e-mail goes besides the customer's own address.
    emails: Vec<String>,
    currency: String,
}

impl AlertsView {
    fn of(alerts: &AlertSettings) -> Self {
        let thresholds = alerts.thresholds.iter();
        Self {
            enabled: alerts.is_enabled,
            thresholds: thresholds
                .map(|threshold| print(*threshold, alerts.currency))
                .collect(),
            inherited: alerts.is_inherited,
            channels: alerts
                .channels
                .iter()
                .map(|channel| channel.name())
                .collect(),
            emails: alerts.emails.clone(),
            currency: alerts.currency.code().to_owned(),
        }
    }
}

/// Low-balance alerts as they shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertsBody {
    enabled: bool,
    /// At most ten.
    thresholds: Vec<NotNegative>,
    channels: Vec<Channel>,
    /// At most ten.
    emails: Option<Vec<Words<254>>>,
}

/// By which way an alert is told.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Channel {
    /// By e-mail.
    Email,
    /// By webhook. The feed of events tells of it in any case.
    Webhook,
    /// On the customer's page.
    Banner,
}

impl From<Channel> for AlertChannel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Email => Self::Email,
            Channel::Webhook => Self::Webhook,
            Channel::Banner => Self::Banner,
        }
    }
}

/// The alerts that hold.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/alerts", tag = "wallets", params(("wallet_id" = String, Path)), responses((status = 200, body = AlertsView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let alerts = service
        .alerts(&caller.principal, wallet_id(&wallet)?)
        .await?;
    Ok(ok(&AlertsView::of(&alerts)))
}

/// Sets the alerts of a wallet.
#[utoipa::path(put, path = "/v1/wallets/{wallet_id}/alerts", tag = "wallets", params(("wallet_id" = String, Path)), request_body = AlertsBody,
    responses((status = 200, body = AlertsView)))]
pub(crate) async fn put(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<AlertsBody>,
) -> Result<Response, Problem> {
    let thresholds = body.thresholds.into_iter().map(NotNegative::get);
    let new = NewAlerts {
        is_enabled: body.enabled,
        thresholds: thresholds.collect::<Result<_, _>>()?,
        channels: body.channels.into_iter().map(AlertChannel::from).collect(),
        emails: body
            .emails
            .unwrap_or_default()
            .into_iter()
            .map(|email| email.0)
            .collect(),
    };
    let id = wallet_id(&wallet)?;
    service.set_alerts(&caller.principal, id, new).await?;
    let alerts = service.alerts(&caller.principal, id).await?;
    Ok(ok(&AlertsView::of(&alerts)))
}
