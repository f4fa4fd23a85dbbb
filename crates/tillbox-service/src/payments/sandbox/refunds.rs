//! Refunds of the sandbox: paid back at once, later, or not at all.

use super::notices::{self, StoredNotice};
use super::objects::{Object, StoredPayment, StoredRefund, StoredState, read, row};
use super::{Faults, Sandbox, decisive, disputes, unknown};
use crate::error::ServiceError;
use crate::payments::{Decline, ProviderError, Refund, RefundRequest, RefundState};
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::id::{EntryId, MerchantId};
use tillbox_store::StoreError;
use tillbox_store::sqlite::sandbox::SandboxObject;
use tillbox_store::sqlite::{Connection, sandbox};

/// What a request for a refund came to.
enum Made {
    Told(SandboxObject),
    Unheard,
    Refused(String),
}

impl Sandbox {
    /// Pays back what was charged, wholly or in part. The same payout is the same refund, as it stands by then.
    pub(crate) async fn refund(&self, request: RefundRequest) -> Result<Refund, ProviderError> {
        let (id, notice_id) = (self.new_id("re"), self.new_id("ntc"));
        let now = self.clock.now().micros();
        let made = self
            .database
            .write(move |connection| make(connection, &id, &request, &notice_id, now))
            .await
            .map_err(unknown)?;
        self.wake.notify_one();
        match made {
            Made::Told(object) => refund_of(&object, now).map_err(unknown),
            Made::Unheard => Err(ProviderError::Unknown("the reply was lost".to_owned())),
            Made::Refused(why) => Err(ProviderError::Refused(why)),
        }
    }

    /// The refund of a payout; none where it was never asked for.
    pub async fn look_up_refund(
        &self,
        merchant_id: MerchantId,
        payout: EntryId,
    ) -> Result<Option<Refund>, ProviderError> {
        let now = self.clock.now().micros();
        let key = payout.to_string();
        let found = self
            .database
            .read(move |connection| {
                sandbox::by_key(connection, merchant_id, StoredRefund::KIND, &key)
            })
            .await
            .map_err(unknown)?;
        found
            .map(|object| refund_of(&object, now).map_err(unknown))
            .transpose()
    }
}

fn make(
    connection: &Connection,
    id: &str,
    request: &RefundRequest,
    notice_id: &str,
    now: i64,
) -> Result<Made, StoreError> {
    let merchant_id = request.merchant_id;
    let key = request.payout.to_string();
    let kind = StoredRefund::KIND;
    if let Some(known) = sandbox::by_key(connection, merchant_id, kind, &key)? {
        return Ok(Made::Told(known));
    }
    let Some(object) = decisive(connection, merchant_id, request.top_up_id)? else {
        return Ok(Made::Refused("no such payment".to_owned()));
    };
    let payment: StoredPayment = read(&object)?;
    if payment.state != StoredState::Succeeded || object.id != request.payment_id {
        return Ok(Made::Refused("payment_not_refundable".to_owned()));
    }
    if disputes::is_disputed(connection, merchant_id, payment.top_up)? {
        return Ok(Made::Refused("charge_disputed".to_owned()));
    }
    let before = sandbox::about(connection, merchant_id, kind, payment.top_up)?;
    let mut refunded = request.amount.micros();
    for object in before {
        let refund: StoredRefund = read(&object)?;
        if refund.failure.is_none() {
            refunded = refunded.saturating_add(refund.amount);
        }
    }
    if refunded > payment.charged {
        return Ok(Made::Refused("amount_too_large".to_owned()));
    }
    let mut faults = Faults::of(connection, merchant_id)?;
    let (declines, loses) = (faults.decline_refunds > 0, faults.lose_replies > 0);
    faults.decline_refunds = faults.decline_refunds.saturating_sub(1);
    faults.lose_replies = faults.lose_replies.saturating_sub(1);
    if declines || loses {
        faults.put(connection, merchant_id)?;
    }
    let delay = faults.delay_refunds_seconds.saturating_mul(1_000_000);
    let refund = StoredRefund {
        payment: request.payment_id.clone(),
        payout: request.payout.number(),
        amount: request.amount.micros(),
        currency: request.currency.code().to_owned(),
        failure: declines.then(|| "expired_or_canceled_card".to_owned()),
        ends_at: now.saturating_add(delay),
    };
    let object = row(id, merchant_id, Some(&key), Some(payment.top_up), &refund);
    sandbox::put(connection, &object)?;
    let notice = StoredNotice::Refund(id.to_owned());
    notices::queue(connection, merchant_id, notice_id, notice, refund.ends_at)?;
    Ok(if loses {
        Made::Unheard
    } else {
        Made::Told(object)
    })
}

/// A refund in the words of all providers, as it stands at that instant.
pub(super) fn refund_of(object: &SandboxObject, now: i64) -> Result<Refund, ServiceError> {
    let refund: StoredRefund = read(object)?;
    let corrupt = |what: &str| {
        ServiceError::Store(StoreError::Corrupt {
            what: format!("{} has an unknown {what}", object.id),
        })
    };
    let state = match refund.failure {
        _ if now < refund.ends_at => RefundState::Pending,
        None => RefundState::Succeeded,
        Some(code) => RefundState::Failed(Decline { code }),
    };
    Ok(Refund {
        id: object.id.clone(),
        payout: EntryId::from_number(refund.payout),
        amount: Amount::from_micros(refund.amount),
        currency: Currency::parse(&refund.currency).map_err(|_unknown| corrupt("currency"))?,
        state,
    })
}
