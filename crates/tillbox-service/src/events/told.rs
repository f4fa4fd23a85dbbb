//! What an event shows: whole resources as they stood right behind its row (R47).

use super::event::EventData;
use super::table::{Changes, is_bonus, moved_dispute};
use super::types::EventType;
use crate::auto_recharge::RechargeHealth;
use crate::top_ups::{TopUpView, WentBack};
use crate::wallets::WalletView;
use std::sync::Arc;
use tillbox_core::entry::{Entry, EntryKind};
use tillbox_core::id::{LotId, MerchantId};
use tillbox_core::lot::Lot;
use tillbox_core::payback::Payback;
use tillbox_core::policy::Policies;
use tillbox_core::wallet::WalletState;
use tillbox_store::StoreError;
use tillbox_store::sqlite::disputes::DisputeRow;
use tillbox_store::sqlite::holds::{self, StoredHold};
use tillbox_store::sqlite::{Connection, log, top_ups, transactions};

/// A row and what stood behind it.
pub(super) struct Told<'a> {
    pub(super) connection: &'a Connection,
    pub(super) merchant: MerchantId,
    pub(super) policies: &'a Policies,
    pub(super) wallet: Arc<WalletView>,
    pub(super) state: &'a WalletState,
    pub(super) entry: &'a Arc<Entry>,
    pub(super) changes: &'a Changes,
    pub(super) expired: Option<Lot>,
}

impl Told<'_> {
    /// The resources that an event of that type shows.
    pub(super) fn data(&self, event_type: EventType) -> Result<EventData, StoreError> {
        let event = &self.entry.event;
        let mut data = EventData {
            wallet: Some(Arc::clone(&self.wallet)),
            ..EventData::default()
        };
        match event_type {
            EventType::TransactionCreated | EventType::WalletPaymentMade => {
                data.transaction = Some(Arc::clone(self.entry));
            }
            EventType::WalletToppedUp if is_bonus(event) => {
                data.transaction = self.row_before()?;
                data.bonus = Some(Arc::clone(self.entry));
            }
            EventType::WalletToppedUp => data.transaction = Some(Arc::clone(self.entry)),
            EventType::WalletActivated => {
                data.transaction = event.moves_money().then(|| Arc::clone(self.entry));
                data.top_up = self.top_up()?;
            }
            EventType::HoldCaptured => {
                data.hold = self.hold()?;
                data.transaction = Some(Arc::clone(self.entry));
            }
            EventType::HoldCreated | EventType::HoldReleased | EventType::HoldExpired => {
                data.hold = self.hold()?;
            }
            EventType::LotExpired => {
                data.lot.clone_from(&self.expired);
                data.transaction = Some(Arc::clone(self.entry));
            }
            EventType::TopUpSucceeded => {
                data.top_up = self.top_up()?;
                data.transaction = Some(Arc::clone(self.entry));
            }
            EventType::TopUpPending
            | EventType::TopUpRequiresAction
            | EventType::TopUpFailed
            | EventType::TopUpCanceled => data.top_up = self.top_up()?,
            EventType::TopUpRefunded => {
                data.top_up = self.top_up()?;
                data.transaction = self.payout()?;
            }
            EventType::DisputeOpened | EventType::DisputeLost | EventType::DisputeWon => {
                data.dispute = self.dispute()?;
                data.transaction = event.moves_money().then(|| Arc::clone(self.entry));
            }
            EventType::WalletAutoTopUpFailed | EventType::AutoRechargeTriggered => {
                data.top_up = self.top_up()?;
                data.auto_recharge = Some(self.auto_recharge());
            }
            EventType::WalletFrozen => data.reason.clone_from(&event.note.description),
            EventType::WalletUpdated => {
                data.hold = self.hold()?;
                data.transaction = self.payout()?;
                if data.transaction.is_some() {
                    data.top_up = self.top_up()?;
                }
                data.auto_recharge = event.recharge.as_ref().map(|_| self.auto_recharge());
                let lot = event.lot_change.as_ref();
                data.lot = lot
                    .and_then(|change| self.state.lot(&change.key()))
                    .cloned();
            }
            EventType::WalletBalanceLow => data.thresholds = Some(self.changes.low.clone()),
            EventType::WalletBalanceRecovered => {
                data.thresholds = Some(self.changes.recovered.clone());
            }
            EventType::AutoRechargeCapReached => {
                data.percent = self.changes.cap_percent;
                data.auto_recharge = Some(self.auto_recharge());
            }
            EventType::AutoRechargeSkipped
            | EventType::AutoRechargePaused
            | EventType::AutoRechargeResumed => data.auto_recharge = Some(self.auto_recharge()),
            EventType::LotExpiring
            | EventType::WalletCreated
            | EventType::WalletUnfrozen
            | EventType::WalletClosed
            | EventType::PaymentMethodAttached
            | EventType::PaymentMethodDetached => {}
        }
        Ok(data)
    }

    /// The hold behind the row, with the words that it was placed with.
    fn hold(&self) -> Result<Option<Arc<StoredHold>>, StoreError> {
        let Some(change) = &self.entry.event.hold else {
            return Ok(None);
        };
        let wallet = self.entry.wallet_id;
        let stored = holds::get(self.connection, self.merchant, wallet, change.id)?;
        Ok(stored.map(|stored| {
            Arc::new(StoredHold {
                hold: change.to_hold(),
                ..stored
            })
        }))
    }

    /// The top-up behind the row. Where the customer goes on stands beside the log.
    fn top_up(&self) -> Result<Option<Arc<TopUpView>>, StoreError> {
        let event = &self.entry.event;
        let Some(id) = event.top_up_id else {
            return Ok(None);
        };
        let Some(mut row) = top_ups::get(self.connection, self.merchant, id)? else {
            return Ok(None);
        };
        if let Some(top_up) = event.top_up.as_deref() {
            row.top_up = top_up.clone();
            row.updated_at = self.entry.at;
            row.credited_by = event.moves_money().then_some(self.entry.id);
        }
        let payback = match event.payback.as_deref() {
            Some(payback) => Some(payback.clone()),
            // What was given is credited behind this row: nothing of it is spent.
            None => row.credited_by.and_then(|credit| {
                let lot = LotId::from_number(credit.number());
                let payback = Payback::none_yet(&row.top_up, lot, None)?;
                Some(Payback {
                    lapsed: payback.given,
                    ..payback
                })
            }),
        };
        Ok(Some(Arc::new(TopUpView {
            row,
            currency: self.state.currency,
            language: self.state.language,
            went_back: WentBack::of(self.state, payback.as_ref()),
        })))
    }

    /// The transaction that took what was paid back.
    fn payout(&self) -> Result<Option<Arc<Entry>>, StoreError> {
        let payback = self.entry.event.payback.as_deref();
        let Some(payout) = payback.and_then(|payback| payback.payout.as_ref()) else {
            return Ok(None);
        };
        let wallet = self.entry.wallet_id;
        let debit = transactions::get(self.connection, self.merchant, wallet, payout.debit_id)?;
        Ok(debit.map(Arc::new))
    }

    /// The dispute that the row has moved.
    fn dispute(&self) -> Result<Option<DisputeRow>, StoreError> {
        let event = &self.entry.event;
        let moved = event.payback.as_deref().and_then(moved_dispute);
        let Some((id, dispute)) = event.top_up_id.zip(moved) else {
            return Ok(None);
        };
        let top_up = top_ups::get(self.connection, self.merchant, id)?;
        let payment_id = top_up.and_then(|row| row.top_up.payment_id);
        Ok(Some(DisputeRow {
            wallet_id: self.entry.wallet_id,
            top_up_id: id,
            currency: self.state.currency.code().to_owned(),
            payment_id: payment_id.map(String::from),
            dispute: dispute.clone(),
            updated_at: self.entry.at,
        }))
    }

    fn auto_recharge(&self) -> Arc<RechargeHealth> {
        let at = self.entry.at;
        Arc::new(RechargeHealth::as_was(self.state, at, self.policies))
    }

    /// The row before it: of a bonus, what it came with.
    fn row_before(&self) -> Result<Option<Arc<Entry>>, StoreError> {
        let behind = self.entry.version.saturating_sub(2);
        let mut rows = log::read(self.connection, self.entry.wallet_id, behind, 1)?;
        Ok(rows.pop().map(Arc::new))
    }
}

/// The lot of an expiry, as it stands after it.
pub(super) fn expired_lot(before: &WalletState, entry: &Entry) -> Option<Lot> {
    let is_expiry = entry.event.kind == EntryKind::LotExpired;
    let part = entry.event.parts.first().filter(|_| is_expiry)?;
    let lot = before.lot(&part.lot)?;
    Some(Lot {
        remaining: lot.remaining + part.amount,
        ..lot.clone()
    })
}
