//! Events of payment methods: the outbox names the method, the rest stands in its own table.

use serde::{Deserialize, Serialize};
use tillbox_core::id::{MerchantId, PaymentMethodId};
use tillbox_store::StoreError;
use tillbox_store::sqlite::Connection;
use tillbox_store::sqlite::payment_methods::{self, PaymentMethodRow};

#[derive(Serialize, Deserialize)]
struct Named {
    payment_method_id: String,
    default: bool,
}

/// What the outbox keeps of a method.
pub(crate) fn named(row: &PaymentMethodRow) -> String {
    let named = Named {
        payment_method_id: row.id.to_string(),
        default: row.is_default,
    };
    serde_json::to_string(&named).unwrap_or_default()
}

/// The method as it was then.
pub(super) fn read(
    connection: &Connection,
    merchant: MerchantId,
    data: &str,
) -> Result<Option<PaymentMethodRow>, StoreError> {
    let corrupt = || StoreError::Corrupt {
        what: "the outbox tells of an unreadable payment method".to_owned(),
    };
    let named: Named = serde_json::from_str(data).map_err(|_wrong_form| corrupt())?;
    let id = PaymentMethodId::parse(&named.payment_method_id).map_err(|_malformed| corrupt())?;
    let row = payment_methods::find(connection, merchant, id)?;
    Ok(row.map(|row| PaymentMethodRow {
        is_default: named.default,
        ..row
    }))
}
