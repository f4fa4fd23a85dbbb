//! Warnings before value expires (L5), by the merchant's clock: taken from the store and told in one commit.

use crate::error::ServiceError;
use crate::events::{EventType, NewEvent};
use crate::service::Service;
use tillbox_core::id::MerchantId;
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::Connection;
use tillbox_store::sqlite::lot_warnings;

/// Warnings that one commit tells.
const AT_ONCE: usize = 500;

impl Service {
    /// When the next warning of a merchant's lots is due.
    pub(crate) async fn next_lot_warning(
        &self,
        merchant: MerchantId,
    ) -> Result<Option<Timestamp>, ServiceError> {
        self.database
            .read(move |connection| lot_warnings::next_at(connection, merchant))
            .await
    }

    /// Tells all warnings that are due at `now`.
    pub(crate) async fn warn_of_expiry(
        &self,
        merchant_id: MerchantId,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        loop {
            let due = move |connection: &Connection| {
                lot_warnings::due_wallets(connection, merchant_id, now, AT_ONCE)
            };
            self.engine.show(self.database.read(due).await?).await?;
            let outbox = self.outbox.clone();
            let write = move |connection: &Connection| {
                let (taken, expiring) =
                    lot_warnings::take_due(connection, merchant_id, now, AT_ONCE)?;
                for one in expiring {
                    let data =
                        serde_json::json!({"lot_id": one.lot.id.number(), "days_left": one.days});
                    let event = NewEvent {
                        merchant_id,
                        wallet_id: Some(one.wallet_id),
                        event_type: EventType::LotExpiring,
                        at: now,
                        data: data.to_string(),
                    };
                    outbox.emit(connection, event)?;
                }
                Ok(taken)
            };
            if self.database.write(write).await? < AT_ONCE {
                return Ok(());
            }
        }
    }
}
