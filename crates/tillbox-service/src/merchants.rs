//! Merchants: in memory as long as the process runs, as each call needs one.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use crate::settings::Settings;
use std::sync::{Arc, PoisonError, RwLock};
use tillbox_core::id::MerchantId;
use tillbox_engine::clock::MerchantClock;

/// A tenant.
#[derive(Debug)]
pub struct Merchant {
    /// Its id.
    pub id: MerchantId,
    /// Whether real money moves.
    pub live: bool,
    pub(crate) settings: RwLock<Arc<Settings>>,
    pub(crate) clock: MerchantClock,
    /// Held while the test clock is moved.
    pub(crate) advancing: tokio::sync::Mutex<()>,
    /// Held while settings are changed, until those in memory are the new ones.
    pub(crate) changing: Arc<tokio::sync::Mutex<()>>,
}

impl Service {
    /// The merchant's settings.
    pub fn settings(&self, who: &Principal) -> Arc<Settings> {
        Arc::clone(
            &who.merchant
                .settings
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Changes settings: `change` gets those that hold and gives those that shall. Changes come one by one, so
    /// that two at once lose nothing, and hold from their commit on, also when the caller has gone.
    pub async fn update_settings(
        &self,
        who: &Principal,
        change: impl FnOnce(Settings) -> Result<Settings, ServiceError>,
    ) -> Result<Arc<Settings>, ServiceError> {
        let one_at_a_time = Arc::clone(&who.merchant.changing).lock_owned().await;
        let settings = Arc::new(change((*self.settings(who)).clone())?);
        let (merchant_id, text) = (who.merchant_id, settings.to_text());
        let (merchant, committed) = (Arc::clone(&who.merchant), Arc::clone(&settings));
        self.database
            .write_then(
                move |connection| {
                    tillbox_store::sqlite::merchants::set_settings(connection, merchant_id, &text)
                },
                move |_written| {
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
