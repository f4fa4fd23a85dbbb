//! Low-balance alerts of a wallet (N1): thresholds are the ledger's, as their latches are; by which way they are told
//! is a plain matter beside them.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use crate::{Mode, Operation};
use serde::{Deserialize, Serialize};
use tillbox_core::alerts::{AlertsChange, Source};
use tillbox_core::amount::Amount;
use tillbox_core::command::Command;
use tillbox_core::currency::Currency;
use tillbox_core::id::WalletId;
use tillbox_store::sqlite::wallets;

/// By which way an alert is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertChannel {
    /// By e-mail.
    Email,
    /// By webhook. The feed of events tells of it in any case.
    Webhook,
    /// On the customer's page.
    Banner,
}

impl AlertChannel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Email, Self::Webhook, Self::Banner];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Banner => "banner",
        }
    }
}

/// Alerts to set.
#[derive(Clone, Debug)]
pub struct NewAlerts {
    /// On or off.
    pub is_enabled: bool,
    /// At least zero; zero is always watched while alerts are on.
    pub thresholds: Vec<Amount>,
    /// By which ways.
    pub channels: Vec<AlertChannel>,
    /// Further addresses for e-mail.
    pub emails: Vec<String>,
}

/// Alerts as they hold.
#[derive(Clone, Debug)]
pub struct AlertSettings {
    /// Whether anything is told.
    pub is_enabled: bool,
    /// Highest first; the last one is zero.
    pub thresholds: Vec<Amount>,
    /// Whether they are the merchant's.
    pub is_inherited: bool,
    /// By which ways.
    pub channels: Vec<AlertChannel>,
    /// Further addresses for e-mail.
    pub emails: Vec<String>,
    /// The wallet's currency.
    pub currency: Currency,
}

/// By which ways alerts are told, as stored.
#[derive(Default, Serialize, Deserialize)]
struct Ways {
    channels: Option<Vec<AlertChannel>>,
    #[serde(default)]
    emails: Vec<String>,
}

/// Addresses that a wallet may name.
const MAX_EMAILS: usize = 10;

impl Service {
    /// The alerts of a wallet.
    pub async fn alerts(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<AlertSettings, ServiceError> {
        let currency = self.wallet_currency(who, wallet_id).await?;
        let merchant_id = who.merchant_id;
        let ways = self
            .database
            .read(move |connection| wallets::alert_ways(connection, merchant_id, wallet_id))
            .await?;
        let ways: Ways = ways
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let policies = who.merchant.policies();
        let clock = who.merchant.clock.clone();
        let (source, mut thresholds) = self
            .engine
            .read(merchant_id, wallet_id, clock, move |state, _now| {
                let alerts = &state.alerts;
                let thresholds: Vec<Amount> = match alerts.source {
                    Source::Merchant => policies.of(currency).low_balance_thresholds.clone(),
                    Source::Wallet | Source::Off => alerts.amounts().collect(),
                };
                (alerts.source, thresholds)
            })
            .await?;
        thresholds.insert(0, Amount::ZERO);
        thresholds.reverse();
        Ok(AlertSettings {
            is_enabled: source != Source::Off,
            is_inherited: source == Source::Merchant,
            thresholds,
            channels: ways.channels.unwrap_or_else(|| AlertChannel::ALL.to_vec()),
            emails: ways.emails,
            currency,
        })
    }

    /// Sets the alerts of a wallet.
    pub async fn set_alerts(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        new: NewAlerts,
    ) -> Result<(), ServiceError> {
        self.wallet_currency(who, wallet_id).await?;
        if new.emails.len() > MAX_EMAILS {
            return Err(ServiceError::Invalid {
                pointer: "/emails",
                message: "at most ten addresses",
            });
        }
        if let Some(place) = new.emails.iter().position(|email| !is_address(email)) {
            tracing::debug!(place, "an address of an alert is no address");
            return Err(ServiceError::Invalid {
                pointer: "/emails",
                message: "each must be an e-mail address such as \"billing@example.com\"",
            });
        }
        let mut thresholds = new.thresholds;
        thresholds.retain(|threshold| threshold.is_positive());
        let operation = Operation {
            wallet_id,
            command: Command::SetAlerts(AlertsChange {
                source: if new.is_enabled {
                    Source::Wallet
                } else {
                    Source::Off
                },
                thresholds,
            }),
            key: None,
            mode: Mode::Commit,
        };
        self.submit(who, operation).await?;
        let mut channels = new.channels;
        channels.sort_by_key(|channel| AlertChannel::ALL.iter().position(|known| known == channel));
        channels.dedup();
        let ways = Ways {
            channels: Some(channels),
            emails: new.emails,
        };
        let text = serde_json::to_string(&ways).expect("plain values");
        let merchant_id = who.merchant_id;
        self.database
            .write(move |connection| {
                wallets::set_alert_ways(connection, merchant_id, wallet_id, &text)
            })
            .await
    }
}

/// Whether a text has the form of an address: one at sign between two parts without white space.
fn is_address(text: &str) -> bool {
    let mut parts = text.split('@');
    let is_part = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && !part.contains(char::is_whitespace))
    };
    is_part(parts.next()) && is_part(parts.next()) && parts.next().is_none()
}
