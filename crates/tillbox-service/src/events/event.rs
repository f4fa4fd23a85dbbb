//! An event as callers see it: what happened, and the whole resources behind it.

use super::EventType;
use crate::auto_recharge::RechargeHealth;
use crate::top_ups::TopUpView;
use crate::wallets::WalletView;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::entry::Entry;
use tillbox_core::id::{EventId, MerchantId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::disputes::DisputeRow;
use tillbox_store::sqlite::holds::StoredHold;
use tillbox_store::sqlite::payment_methods::PaymentMethodRow;

/// Something that has happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id; ids sort as the events do.
    pub id: EventId,
    /// What it tells.
    pub event_type: EventType,
    /// When it happened, by the merchant's clock.
    pub created_at: Timestamp,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// The wallet that it is about, if it is about one.
    pub wallet_id: Option<WalletId>,
    /// Rises over the events of a wallet, and may skip; none for what is no row of its log.
    pub sequence: Option<u64>,
    /// What it is about.
    pub data: EventData,
}

/// What an event is about: whole resources as they stood right after it. What it does not tell of is none.
#[derive(Clone, Debug, Default)]
pub struct EventData {
    /// The wallet.
    pub wallet: Option<Arc<WalletView>>,
    /// The transaction.
    pub transaction: Option<Arc<Entry>>,
    /// The transaction of what was given with a top-up.
    pub bonus: Option<Arc<Entry>>,
    /// The hold.
    pub hold: Option<Arc<StoredHold>>,
    /// The lot.
    pub lot: Option<Lot>,
    /// The top-up.
    pub top_up: Option<Arc<TopUpView>>,
    /// The dispute.
    pub dispute: Option<DisputeRow>,
    /// Auto-recharge.
    pub auto_recharge: Option<Arc<RechargeHealth>>,
    /// The payment method.
    pub payment_method: Option<PaymentMethodRow>,
    /// The thresholds that the balance has crossed, rising.
    pub thresholds: Option<Vec<Amount>>,
    /// The share of the month's cap.
    pub percent: Option<u8>,
    /// The days that are left.
    pub days_left: Option<u8>,
    /// Why, where it is not said by the resources.
    pub reason: Option<Box<str>>,
}

/// The number of an event among those of its wallet: by version, then by place.
pub(super) fn sequence(version: u64, event_type: EventType) -> u64 {
    let places = u64::from(EventId::PLACES);
    version
        .saturating_mul(places)
        .saturating_add(u64::from(event_type.place()))
}
