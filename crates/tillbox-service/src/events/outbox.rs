//! Writing events of what is no row of the log.

use super::EventType;
use std::sync::Arc;
use tillbox_core::id::{MerchantId, OutboxId, WalletId};
use tillbox_core::id_source::IdSource;
use tillbox_core::time::Timestamp;
use tillbox_engine::clock::Clock;
use tillbox_store::StoreError;
use tillbox_store::sqlite::Connection;
use tillbox_store::sqlite::outbox::{self, OutboxRow};

/// Something that happens in a plain write.
pub(crate) struct NewEvent {
    /// Whose it is.
    pub(crate) merchant_id: MerchantId,
    /// The wallet that it is about, if it is about one.
    pub(crate) wallet_id: Option<WalletId>,
    /// What it tells.
    pub(crate) event_type: EventType,
    /// When it happens, by the merchant's clock.
    pub(crate) at: Timestamp,
    /// What it is printed from: a JSON object.
    pub(crate) data: String,
}

/// Adds events to the outbox. Clones share it; a write that emits takes one along.
#[derive(Clone)]
pub(crate) struct Outbox {
    ids: Arc<IdSource>,
    clock: Arc<dyn Clock>,
}

impl Outbox {
    pub(crate) fn new(ids: Arc<IdSource>, clock: Arc<dyn Clock>) -> Self {
        Self { ids, clock }
    }

    /// Adds an event to what a plain write commits. Only there: the id is drawn on the ledger's thread, so that ids
    /// rise in the order of the commits, and whoever has read up to one has read all before it.
    pub(crate) fn emit(&self, connection: &Connection, event: NewEvent) -> Result<(), StoreError> {
        let row = OutboxRow {
            id: OutboxId::from_number(self.ids.next(self.clock.now())),
            merchant_id: event.merchant_id,
            wallet_id: event.wallet_id,
            event_type: event.event_type.name().to_owned(),
            at: event.at,
            data: event.data,
        };
        outbox::insert(connection, &row)
    }
}
