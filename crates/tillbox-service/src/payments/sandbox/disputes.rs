//! Disputes of the sandbox: opened by a test card or on request, and decided on request.

use super::notices::{self, StoredNotice};
use super::objects::{Object, StoredDispute, StoredPayment, StoredState, read, row};
use super::{Sandbox, decisive};
use crate::error::ServiceError;
use crate::payments::DisputeNotice;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::id::{MerchantId, TopUpId};
use tillbox_core::id_source::IdSource;
use tillbox_core::payback::DisputeStatus;
use tillbox_core::time::Timestamp;
use tillbox_store::StoreError;
use tillbox_store::sqlite::sandbox::SandboxObject;
use tillbox_store::sqlite::{Connection, sandbox};

/// What banks say most.
const REASON: &str = "fraudulent";

impl Sandbox {
    /// Lets the bank dispute the payment of a top-up: of that much, or of all that was charged. Gives the provider's
    /// id of the dispute; none where nothing was paid.
    pub async fn open_dispute(
        &self,
        merchant_id: MerchantId,
        top_up: TopUpId,
        amount: Option<Amount>,
    ) -> Result<Option<String>, ServiceError> {
        let (id, notice_id) = (self.new_id("dp"), self.new_id("ntc"));
        let now = self.clock.now().micros();
        let opened = self
            .database
            .write(move |connection| {
                let Some(object) = decisive(connection, merchant_id, top_up)? else {
                    return Ok(None);
                };
                let payment: StoredPayment = read(&object)?;
                if payment.state != StoredState::Succeeded {
                    return Ok(None);
                }
                let amount = amount.map_or(payment.charged, Amount::micros);
                let amount = amount.min(payment.charged);
                open(
                    connection,
                    merchant_id,
                    (&id, &notice_id),
                    &payment,
                    amount,
                    now,
                )?;
                Ok(Some(id))
            })
            .await?;
        self.wake.notify_one();
        Ok(opened)
    }

    /// Lets the bank decide a dispute; false where there is none.
    pub async fn decide_dispute(
        &self,
        merchant_id: MerchantId,
        id: &str,
        status: DisputeStatus,
    ) -> Result<bool, ServiceError> {
        let (id, notice_id) = (id.to_owned(), self.new_id("ntc"));
        let now = self.clock.now().micros();
        let known = self
            .database
            .write(move |connection| {
                let object = sandbox::get(connection, StoredDispute::KIND, &id)?;
                let object = object.filter(|object| object.merchant_id == merchant_id);
                let Some(object) = object else {
                    return Ok(false);
                };
                let dispute = StoredDispute {
                    status: status.name().to_owned(),
                    ..read(&object)?
                };
                let about = object.about;
                sandbox::put(connection, &row(&id, merchant_id, None, about, &dispute))?;
                let notice = StoredNotice::Dispute(id);
                notices::queue(connection, merchant_id, &notice_id, notice, now)?;
                Ok(true)
            })
            .await?;
        self.wake.notify_one();
        Ok(known)
    }

    /// How a dispute stands; none where there is none.
    pub async fn look_up_dispute(
        &self,
        merchant_id: MerchantId,
        id: &str,
    ) -> Result<Option<DisputeNotice>, ServiceError> {
        let id = id.to_owned();
        let found = self
            .database
            .read(move |connection| sandbox::get(connection, StoredDispute::KIND, &id))
            .await?
            .filter(|object| object.merchant_id == merchant_id);
        found.as_ref().map(notice_of).transpose()
    }

    /// All disputes of the payment of a top-up, oldest first.
    pub async fn disputes_of(
        &self,
        merchant_id: MerchantId,
        top_up: TopUpId,
    ) -> Result<Vec<DisputeNotice>, ServiceError> {
        let found = self
            .database
            .read(move |connection| {
                sandbox::about(
                    connection,
                    merchant_id,
                    StoredDispute::KIND,
                    top_up.number(),
                )
            })
            .await?;
        found.iter().map(notice_of).collect()
    }

    /// Disputes that were opened since then, as they stand, oldest first: so many, behind the dispute of that id.
    pub(crate) async fn disputes_since(
        &self,
        merchant_id: MerchantId,
        since: Timestamp,
        after: Option<String>,
        rows: usize,
    ) -> Result<Vec<DisputeNotice>, ServiceError> {
        // Ids begin with when they were made.
        let first = IdSource::after(0).next(since);
        let after = after.unwrap_or_else(|| format!("dp_{first:016x}"));
        let found = self
            .database
            .read(move |connection| {
                sandbox::about_behind(connection, merchant_id, StoredDispute::KIND, &after, rows)
            })
            .await?;
        found.iter().map(notice_of).collect()
    }

    /// Lets a payment fail that had succeeded, as bank debits do; false where it had not.
    pub async fn fail_payment(
        &self,
        merchant_id: MerchantId,
        top_up: TopUpId,
        code: &str,
    ) -> Result<bool, ServiceError> {
        let (code, notice_id) = (code.to_owned(), self.new_id("ntc"));
        let now = self.clock.now().micros();
        let failed = self
            .database
            .write(move |connection| {
                let Some(object) = decisive(connection, merchant_id, top_up)? else {
                    return Ok(false);
                };
                let payment: StoredPayment = read(&object)?;
                if payment.state != StoredState::Succeeded {
                    return Ok(false);
                }
                let payment = StoredPayment {
                    state: StoredState::Failed(code),
                    ..payment
                };
                let about = object.about;
                let changed = row(&object.id, merchant_id, None, about, &payment);
                sandbox::put(connection, &changed)?;
                let notice = StoredNotice::Payment(object.id);
                notices::queue(connection, merchant_id, &notice_id, notice, now)?;
                Ok(true)
            })
            .await?;
        self.wake.notify_one();
        Ok(failed)
    }
}

/// Opens a dispute in the write of what it follows from, and tells of it.
pub(super) fn open(
    connection: &Connection,
    merchant_id: MerchantId,
    (id, notice_id): (&str, &str),
    payment: &StoredPayment,
    amount: i64,
    now: i64,
) -> Result<(), StoreError> {
    let dispute = StoredDispute {
        top_up: payment.top_up,
        amount,
        currency: payment.currency.clone(),
        reason: REASON.to_owned(),
        status: DisputeStatus::Open.name().to_owned(),
    };
    let object = row(id, merchant_id, None, Some(payment.top_up), &dispute);
    sandbox::put(connection, &object)?;
    let notice = StoredNotice::Dispute(id.to_owned());
    notices::queue(connection, merchant_id, notice_id, notice, now)
}

/// Whether the bank has the money of a payment, or may take it.
pub(super) fn is_disputed(
    connection: &Connection,
    merchant_id: MerchantId,
    top_up: i64,
) -> Result<bool, StoreError> {
    for object in sandbox::about(connection, merchant_id, StoredDispute::KIND, top_up)? {
        let dispute: StoredDispute = read(&object)?;
        if dispute.status != DisputeStatus::Won.name() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A dispute in the words of all providers.
pub(super) fn notice_of(object: &SandboxObject) -> Result<DisputeNotice, ServiceError> {
    let dispute: StoredDispute = read(object)?;
    let corrupt = |what: &str| {
        ServiceError::Store(StoreError::Corrupt {
            what: format!("{} has an unknown {what}", object.id),
        })
    };
    let mut statuses = DisputeStatus::ALL.into_iter();
    let status = statuses.find(|status| status.name() == dispute.status);
    Ok(DisputeNotice {
        top_up_id: TopUpId::from_number(dispute.top_up),
        provider_id: object.id.clone(),
        status: status.ok_or_else(|| corrupt("status"))?,
        amount: Amount::from_micros(dispute.amount),
        currency: Currency::parse(&dispute.currency).map_err(|_unknown| corrupt("currency"))?,
        reason: Some(dispute.reason),
    })
}
