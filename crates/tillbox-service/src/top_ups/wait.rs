//! Waiting for a top-up: no longer than a caller is kept (R25).

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use std::time::Duration;
use tillbox_core::id::{MerchantId, TopUpId, WalletId};
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::{Channel, TopUpStatus};
use tillbox_core::wallet::WalletState;
use tillbox_store::sqlite::top_ups::{self, TopUpRow};

/// How long a caller is kept waiting for the payment provider.
const WAIT_AT_MOST: Duration = Duration::from_secs(8);

impl Service {
    /// The top-up once there is something to tell, or as it stands when the wait is over.
    pub(crate) async fn wait_for_top_up(
        &self,
        who: &Principal,
        id: TopUpId,
    ) -> Result<TopUpRow, ServiceError> {
        let deadline = tokio::time::sleep(WAIT_AT_MOST);
        tokio::pin!(deadline);
        let mut moved = self.engine.top_ups_moved();
        loop {
            moved.mark_unchanged();
            // Before the look, so that nothing that happens behind it is missed.
            let driven = self.driven.notified();
            tokio::pin!(driven);
            driven.as_mut().enable();
            let row = self.top_up_row(who.merchant_id, id).await?;
            if is_told(&row) {
                return Ok(row);
            }
            tokio::select! {
                () = driven => {}
                changed = moved.changed() => if changed.is_err() {
                    return Err(ServiceError::ShuttingDown);
                },
                () = &mut deadline => return self.top_up_row(who.merchant_id, id).await,
            }
        }
    }

    /// Waits until the provider has answered, or surely will not now, about each charge of a wallet: on the way of a
    /// test clock all that something due has triggered is done before the next (R46).
    pub async fn wait_for_charges(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<(), ServiceError> {
        let clock = who.merchant.clock.clone();
        let processing = |state: &WalletState, _now: Timestamp| {
            let open = state.top_ups();
            let open = open.filter(|(_, top_up)| top_up.status == TopUpStatus::Processing);
            open.map(|(id, _)| id).collect::<Vec<TopUpId>>()
        };
        let read = self
            .engine
            .read(who.merchant_id, wallet_id, clock, processing);
        for id in read.await? {
            self.wait_for_top_up(who, id).await?;
        }
        Ok(())
    }

    /// Waits a while for the charge that auto-recharge has under way, and tells which it is; none where there is none.
    pub async fn wait_for_recharge(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<Option<TopUpId>, ServiceError> {
        self.wallet_facts(who, wallet_id).await?;
        let clock = who.merchant.clock.clone();
        let charging = |state: &WalletState, _now: Timestamp| {
            let charge = state.recharge.as_deref().and_then(|one| one.charge);
            charge.map(|charge| charge.top_up_id)
        };
        let read = self
            .engine
            .read(who.merchant_id, wallet_id, clock, charging);
        let Some(id) = read.await? else {
            return Ok(None);
        };
        self.wait_for_top_up(who, id).await?;
        Ok(Some(id))
    }

    /// A top-up of that merchant.
    pub(crate) async fn top_up_row(
        &self,
        merchant_id: MerchantId,
        id: TopUpId,
    ) -> Result<TopUpRow, ServiceError> {
        self.database
            .read(move |connection| top_ups::get(connection, merchant_id, id))
            .await?
            .ok_or(ServiceError::NotFound)
    }
}

/// Whether a caller learns anything from the top-up as it stands.
fn is_told(row: &TopUpRow) -> bool {
    match row.top_up.status {
        TopUpStatus::Succeeded | TopUpStatus::Failed | TopUpStatus::Canceled => true,
        TopUpStatus::RequiresAction => row.calls.next_action.is_some(),
        // The provider gave no answer to the first call: there may be none for long.
        TopUpStatus::Processing => row.calls.is_unanswered,
        TopUpStatus::Pending => {
            row.top_up.channel == Channel::Saved || row.calls.page_url.is_some()
        }
    }
}
