//! Sync: asks the provider about all payments of a wallet that might not be reflected yet (T5), and their disputes.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::payments::learn::Learnt;
use crate::service::Service;
use futures_util::StreamExt;
use tillbox_core::id::{TopUpId, WalletId};
use tillbox_core::top_up::TopUpStatus;
use tillbox_store::sqlite::top_ups::TopUpFilter;
use tillbox_store::sqlite::{paybacks, top_ups};

/// Days for which a top-up that was given up is asked about again.
const LOOK_BACK_DAYS: i64 = 30;
/// Payments, the newest ones, whose disputes are asked about.
const DISPUTABLE: usize = 50;
/// Calls to the provider at the same time.
const CALLS: usize = 8;

/// What a sync found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// How many top-ups the provider was asked about.
    pub checked: usize,
    /// Those that were credited now.
    pub credited: Vec<TopUpId>,
    /// Those that have failed or were given up.
    pub failed: Vec<TopUpId>,
}

impl Service {
    /// Fetches completed payments of a wallet that its balance does not show yet.
    pub async fn sync_wallet(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<Synced, ServiceError> {
        // Whose wallet it is decides who may ask.
        self.wallet_currency(who, wallet_id).await?;
        let merchant_id = who.merchant_id;
        let since = self.clock_now(who).plus_days(-LOOK_BACK_DAYS);
        let rows = self
            .database
            .read(move |connection| top_ups::unsettled(connection, merchant_id, wallet_id, since))
            .await?;
        let paid = TopUpFilter {
            status: Some(TopUpStatus::Succeeded),
            ..TopUpFilter::default()
        };
        let paid = self
            .database
            .read(move |connection| {
                top_ups::list(connection, merchant_id, wallet_id, paid, None, DISPUTABLE)
            })
            .await?;
        for row in &paid {
            self.reconcile_credited(row).await?;
        }
        let pending = self
            .database
            .read(move |connection| paybacks::pending(connection, merchant_id, wallet_id))
            .await?;
        for payout in pending {
            self.drive_payout(payout).await?;
        }
        let mut synced = Synced {
            checked: rows.len(),
            ..Synced::default()
        };
        let mut learnt = futures_util::stream::iter(rows)
            .map(|row| async move {
                let was_open = row.top_up.status.is_open();
                let id = row.id;
                let learnt = match row.top_up.status {
                    // An activation or a charge may not have reached the provider at all.
                    TopUpStatus::Processing => self.drive(row).await,
                    _ => self.look_up(&row).await,
                };
                (id, was_open, learnt)
            })
            .buffered(CALLS);
        while let Some((id, was_open, learnt)) = learnt.next().await {
            match learnt? {
                Learnt::Credited => synced.credited.push(id),
                Learnt::Ended if was_open => synced.failed.push(id),
                Learnt::Ended | Learnt::Moved | Learnt::Nothing | Learnt::Quarantined => {}
            }
        }
        Ok(synced)
    }
}
