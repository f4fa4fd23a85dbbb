//! Merchants: in memory as long as the process runs, as each call needs one.

use crate::access::Principal;
use crate::audit_log::AuditAction;
use crate::error::ServiceError;
use crate::service::Service;
use crate::settings::Settings;
use std::sync::{Arc, PoisonError, RwLock};
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::policy::Policies;
use tillbox_engine::clock::MerchantClock;

/// A tenant.
#[derive(Debug)]
pub struct Merchant {
    /// Its id.
    pub id: MerchantId,
    /// Its name, where branding has none.
    pub name: String,
    /// Whether real money moves.
    pub live: bool,
    pub(crate) settings: RwLock<Arc<Settings>>,
    pub(crate) policies: RwLock<Arc<Policies>>,
    pub(crate) clock: MerchantClock,
    /// Held while the test clock is moved.
    pub(crate) advancing: tokio::sync::Mutex<()>,
    /// Held while settings are changed, until those in memory are the new ones.
    pub(crate) changing: Arc<tokio::sync::Mutex<()>>,
}

/// Whose pages customers look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// The name that customers know.
    pub name: String,
    /// Of the main action, as `#rrggbb`; none: ours.
    pub color: Option<String>,
    /// Where customers find help.
    pub support_email: Option<String>,
    /// Where customers find help.
    pub support_url: Option<String>,
    /// Whether real money moves: pages of a test merchant say that they are a test.
    pub live: bool,
}

impl Merchant {
    /// What customers see of it.
    pub(crate) fn brand(&self) -> Brand {
        let settings = self.settings();
        Brand {
            name: settings
                .branding
                .name
                .clone()
                .unwrap_or_else(|| self.name.clone()),
            color: settings.branding.color.clone(),
            support_email: settings.support_email.clone(),
            support_url: settings.support_url.clone(),
            live: self.live,
        }
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What its settings mean for decisions.
    pub(crate) fn policies(&self) -> Arc<Policies> {
        Arc::clone(&self.policies.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Service {
    /// A merchant of this server.
    pub(crate) fn merchant(&self, id: MerchantId) -> Option<Arc<Merchant>> {
        let merchants = self
            .merchants
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        merchants.get(&id).cloned()
    }

    /// The merchant's settings.
    pub fn settings(&self, who: &Principal) -> Arc<Settings> {
        who.merchant.settings()
    }

    /// What customers see of the merchant.
    pub fn brand(&self, who: &Principal) -> Brand {
        who.merchant.brand()
    }

    /// The zone in which the merchant's days are counted (R23).
    pub fn time_zone(&self, who: &Principal) -> jiff::tz::TimeZone {
        who.merchant.policies().time_zone.clone()
    }

    /// The settings that hold for a wallet: with what its currency overrides. For a wallet that is not known, those
    /// that hold in general, as the ledger refuses it in its turn.
    pub async fn settings_for(&self, who: &Principal, wallet: Option<WalletId>) -> Arc<Settings> {
        let settings = self.settings(who);
        let Some(wallet) = wallet.filter(|_| !settings.by_currency.is_empty()) else {
            return settings;
        };
        match self.wallet_currency(who, wallet).await {
            Ok(currency) if settings.by_currency.contains_key(&currency) => {
                Arc::new(settings.overridden_for(currency).into_owned())
            }
            Ok(_) | Err(_) => settings,
        }
    }

    /// Changes settings: `change` gets those that hold and gives those that shall. Changes come one by one, so
    /// that two at once lose nothing, and hold from their commit on, also when the caller has gone.
    pub async fn update_settings<E: From<ServiceError>>(
        &self,
        who: &Principal,
        change: impl FnOnce(Settings) -> Result<Settings, E>,
    ) -> Result<Arc<Settings>, E> {
        let one_at_a_time = Arc::clone(&who.merchant.changing).lock_owned().await;
        who.check_merchant()?;
        let before = self.settings(who);
        let settings = Arc::new(change((*before).clone())?);
        settings.check(&before).map_err(ServiceError::from)?;
        let policies = Arc::new(settings.policies());
        let (merchant_id, text) = (who.merchant_id, settings.to_text());
        let changes = changes(&before.to_text(), &text);
        let deed = self.deed(who, AuditAction::SettingsChanged);
        let deed = deed.with_changes(changes);
        let (merchant, committed) = (Arc::clone(&who.merchant), Arc::clone(&settings));
        self.database
            .write_then(
                move |connection| {
                    deed.note(connection)?;
                    tillbox_store::sqlite::merchants::set_settings(connection, merchant_id, &text)
                },
                move |_written| {
                    *merchant
                        .policies
                        .write()
                        .unwrap_or_else(PoisonError::into_inner) = policies;
                    *merchant
                        .settings
                        .write()
                        .unwrap_or_else(PoisonError::into_inner) = committed;
                    drop(one_at_a_time);
                },
            )
            .await?;
        Ok(settings)
    }
}

/// What differs between two stored settings, by name: what it was, and what it is.
fn changes(before: &str, after: &str) -> String {
    let read = |text| serde_json::from_str(text).unwrap_or_default();
    let before: serde_json::Map<String, serde_json::Value> = read(before);
    let after: serde_json::Map<String, serde_json::Value> = read(after);
    let changed = after
        .iter()
        .filter(|(name, to)| before.get(*name) != Some(to));
    let changed: serde_json::Map<_, _> = changed
        .map(|(name, to)| {
            let change = serde_json::json!({"from": before.get(name), "to": to});
            (name.clone(), change)
        })
        .collect();
    serde_json::Value::Object(changed).to_string()
}
