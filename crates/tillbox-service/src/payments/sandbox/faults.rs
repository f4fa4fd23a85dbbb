//! Faults on request: what real providers do on a bad day, for tests and for whoever wants to see it.

use super::Sandbox;
use super::objects::{Object, read, row};
use crate::error::ServiceError;
use serde::{Deserialize, Serialize};
use tillbox_core::id::MerchantId;
use tillbox_store::StoreError;
use tillbox_store::sqlite::{Connection, sandbox};

/// What goes wrong from now on, for one merchant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// So many charges are made whose reply is lost.
    pub lose_replies: u32,
    /// So many notices are never sent.
    pub lose_notices: u32,
    /// Each notice is sent twice.
    pub double_notices: bool,
    /// Each notice waits so long first.
    pub delay_notices_seconds: i64,
    /// Waiting notices are sent the latest first.
    pub reorder_notices: bool,
    /// So many charges are declined.
    pub decline_next: u32,
    /// With this code.
    pub decline_code: Option<String>,
    /// So many refunds come to nothing.
    #[serde(default)]
    pub decline_refunds: u32,
    /// Each refund is pending so long.
    #[serde(default)]
    pub delay_refunds_seconds: i64,
}

impl Object for Faults {
    const KIND: &'static str = "faults";
}

impl Faults {
    pub(super) fn of(connection: &Connection, merchant: MerchantId) -> Result<Self, StoreError> {
        let object = sandbox::get(connection, Self::KIND, &id_of(merchant))?;
        object.map_or_else(|| Ok(Self::default()), |object| read(&object))
    }

    pub(super) fn put(
        &self,
        connection: &Connection,
        merchant: MerchantId,
    ) -> Result<(), StoreError> {
        sandbox::put(
            connection,
            &row(&id_of(merchant), merchant, None, None, self),
        )
    }
}

fn id_of(merchant: MerchantId) -> String {
    format!("faults_{merchant}")
}

impl Sandbox {
    /// What goes wrong for a merchant.
    pub async fn faults(&self, merchant: MerchantId) -> Result<Faults, ServiceError> {
        self.database
            .read(move |connection| Faults::of(connection, merchant))
            .await
    }

    /// Lets that go wrong from now on.
    pub async fn set_faults(
        &self,
        merchant: MerchantId,
        faults: Faults,
    ) -> Result<(), ServiceError> {
        self.database
            .write(move |connection| faults.put(connection, merchant))
            .await
    }
}
