//! What the sandbox keeps, as it is written down.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tillbox_core::id::MerchantId;
use tillbox_store::StoreError;
use tillbox_store::sqlite::sandbox::SandboxObject;

/// A thing that is kept.
pub(super) trait Object: Serialize + DeserializeOwned {
    /// What it is called in the table.
    const KIND: &'static str;
}

/// A saved card.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Method {
    pub(super) token: String,
    pub(super) detached: bool,
}

impl Object for Method {
    const KIND: &'static str = "method";
}

/// A payment. Amounts are micro-units.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredPayment {
    pub(super) top_up: i64,
    pub(super) customer: Option<i64>,
    pub(super) subtotal: i64,
    pub(super) charged: i64,
    pub(super) currency: String,
    pub(super) state: StoredState,
    /// Where the customer goes after confirming.
    pub(super) return_url: String,
}

impl Object for StoredPayment {
    const KIND: &'static str = "payment";
}

/// How a payment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredState {
    Open,
    RequiresAction,
    Succeeded,
    Failed(String),
    Canceled,
}

/// Money on its way back to a card, or there. The amount is in micro-units.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredRefund {
    pub(super) payment: String,
    /// The payout that it was asked for by.
    pub(super) payout: i64,
    pub(super) amount: i64,
    pub(super) currency: String,
    /// Why it comes to nothing.
    pub(super) failure: Option<String>,
    /// Until then it is pending, in microseconds, by the system's clock.
    pub(super) ends_at: i64,
}

impl Object for StoredRefund {
    const KIND: &'static str = "refund";
}

/// A payment that a bank takes back, or may. The amount is in micro-units.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredDispute {
    pub(super) top_up: i64,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) reason: String,
    pub(super) status: String,
}

impl Object for StoredDispute {
    const KIND: &'static str = "dispute";
}

/// A hosted page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredSession {
    pub(super) purpose: Purpose,
    pub(super) customer: i64,
    pub(super) locale: String,
    pub(super) success_url: String,
    pub(super) cancel_url: String,
    /// In microseconds, by the system's clock.
    pub(super) expires_at: i64,
    pub(super) done: bool,
}

impl Object for StoredSession {
    const KIND: &'static str = "session";
}

/// What a hosted page is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    /// Adding a card.
    Setup,
    /// Paying.
    Checkout {
        payment: String,
        description: String,
        save_payment_method: bool,
        allow_promotion_codes: bool,
    },
}

/// The object as a row.
pub(super) fn row<T: Object>(
    id: &str,
    merchant_id: MerchantId,
    key: Option<&str>,
    about: Option<i64>,
    body: &T,
) -> SandboxObject {
    SandboxObject {
        id: id.to_owned(),
        merchant_id,
        kind: T::KIND.to_owned(),
        key: key.map(str::to_owned),
        about,
        body: serde_json::to_string(body).expect("plain values"),
    }
}

/// The object in a row.
pub(super) fn read<T: Object>(row: &SandboxObject) -> Result<T, StoreError> {
    serde_json::from_str(&row.body).map_err(|why| StoreError::Corrupt {
        what: format!("{} of the sandbox: {why}", row.id),
    })
}
