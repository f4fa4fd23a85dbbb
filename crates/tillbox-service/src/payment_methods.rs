//! Payment methods of customers: added by token or on a hosted page, the default, taken away.

use crate::Mode;
use crate::access::Principal;
use crate::audit_log::{AuditAction, Deed};
use crate::error::ServiceError;
use crate::events::payment_method::named;
use crate::events::{EventType, NewEvent};
use crate::payments::{ProviderError, ProviderMethod, SetupRequest};
use crate::service::Service;
use crate::wallets::Answered;
use std::time::Duration;
use tillbox_core::entry::KeyStamp;
use tillbox_core::id::{CustomerId, MerchantId, PaymentMethodId};
use tillbox_core::time::Timestamp;
use tillbox_store::StoreError;
use tillbox_store::sqlite::Connection;
use tillbox_store::sqlite::payment_methods::{self, PaymentMethodRow};

/// The provider that all methods are of so far.
const PROVIDER: &str = "sandbox";
/// How long a customer who comes back waits for the provider's notice.
const WAIT_FOR_NOTICE: Duration = Duration::from_secs(4);

impl Service {
    /// Saves the card that a provider's token names. Under a key the answer is given again.
    pub async fn add_payment_method(
        &self,
        who: &Principal,
        customer: CustomerId,
        token: &str,
        key: Option<KeyStamp>,
        answer: impl FnOnce(&PaymentMethodRow) -> Vec<u8> + Send + 'static,
    ) -> Result<Answered, ServiceError> {
        if key.is_some() {
            match self.answer_again(key, Mode::Commit).await {
                Err(ServiceError::NotFound) => {}
                answered => return answered,
            }
        }
        self.customer(who, customer).await?;
        let method = match self.sandbox.attach(who.merchant_id, token).await {
            Ok(method) => method,
            Err(ProviderError::Refused(_)) => {
                return Err(ServiceError::Invalid {
                    pointer: "/token",
                    message: "the payment provider knows no such token",
                });
            }
            Err(ProviderError::Unknown(why)) => return Err(ServiceError::Overloaded(why)),
        };
        let row = self.method_row(who.merchant_id, customer, method);
        let save = self.saving(who, row);
        let write = move |connection: &Connection| Ok((answer(&save(connection)?), ()));
        let answered = self.write_keyed(key, "", write, |()| ()).await?;
        self.resume_for_new_card(who, customer).await?;
        Ok(answered)
    }

    /// Saves a card that the customer added on a hosted page; told again, it is the same.
    pub async fn take_method(
        &self,
        merchant_id: MerchantId,
        customer: CustomerId,
        method: ProviderMethod,
    ) -> Result<PaymentMethodRow, ServiceError> {
        let row = self.method_row(merchant_id, customer, method);
        let merchant = self.merchant(merchant_id).ok_or(ServiceError::NotFound)?;
        let who = Principal::system(merchant);
        let row = self.database.write(self.saving(&who, row)).await?;
        self.resume_for_new_card(&who, customer).await?;
        Ok(row)
    }

    /// The write that saves a method, and tells of it unless it was there.
    fn saving(
        &self,
        who: &Principal,
        row: PaymentMethodRow,
    ) -> impl FnOnce(&Connection) -> Result<PaymentMethodRow, StoreError> + Send + use<> {
        let (outbox, now) = (self.outbox.clone(), self.clock_now(who));
        let deed = self.method_deed(who, AuditAction::PaymentMethodAttached, &row);
        move |connection| {
            let saved = payment_methods::insert(connection, &row)?;
            if saved.id == row.id {
                let attached = told(EventType::PaymentMethodAttached, &saved, now);
                outbox.emit(connection, attached)?;
                deed.note(connection)?;
            }
            Ok(saved)
        }
    }

    fn method_deed(&self, who: &Principal, action: AuditAction, row: &PaymentMethodRow) -> Deed {
        self.deed(who, action).on(row.id).on(row.customer_id)
    }

    fn method_row(
        &self,
        merchant_id: MerchantId,
        customer_id: CustomerId,
        method: ProviderMethod,
    ) -> PaymentMethodRow {
        PaymentMethodRow {
            merchant_id,
            id: PaymentMethodId::from_number(self.next_id()),
            customer_id,
            provider: PROVIDER.to_owned(),
            provider_id: method.provider_id,
            brand: method.brand,
            last4: method.last4,
            expires: method.expires,
            is_default: false,
            hard_declined_at: None,
            created_at: self.clock.now(),
            detached_at: None,
        }
    }

    /// The address of a hosted page on which the customer adds a card, and comes back to one of the two addresses.
    pub async fn payment_method_page(
        &self,
        who: &Principal,
        customer: CustomerId,
        success_url: String,
        cancel_url: String,
    ) -> Result<String, ServiceError> {
        let customer = self.customer(who, customer).await?;
        let request = SetupRequest {
            merchant_id: who.merchant_id,
            customer_id: customer.id,
            success_url,
            cancel_url,
            locale: customer.locale,
        };
        let page = self.sandbox.setup(request).await;
        page.map_err(|error| ServiceError::Overloaded(error.to_string()))
    }

    /// The method that a customer added since then; waits a while for it, as who comes back from the provider's page may
    /// be quicker than the provider's notice.
    pub async fn wait_for_new_method(
        &self,
        who: &Principal,
        customer: CustomerId,
        since: Timestamp,
    ) -> Result<Option<PaymentMethodRow>, ServiceError> {
        let deadline = tokio::time::sleep(WAIT_FOR_NOTICE);
        tokio::pin!(deadline);
        let mut committed = self.committed();
        loop {
            committed.mark_unchanged();
            let newest = self.payment_methods(who, customer, None, 1).await?;
            let added = newest.into_iter().find(|row| row.created_at > since);
            if added.is_some() {
                return Ok(added);
            }
            tokio::select! {
                changed = committed.changed() => if changed.is_err() {
                    return Err(ServiceError::ShuttingDown);
                },
                () = &mut deadline => return Ok(None),
            }
        }
    }

    /// The methods of a customer, newest first, before `before`.
    pub async fn payment_methods(
        &self,
        who: &Principal,
        customer: CustomerId,
        before: Option<PaymentMethodId>,
        limit: usize,
    ) -> Result<Vec<PaymentMethodRow>, ServiceError> {
        self.customer(who, customer).await?;
        let merchant_id = who.merchant_id;
        self.database
            .read(move |connection| {
                payment_methods::list(connection, merchant_id, customer, before, limit)
            })
            .await
    }

    /// A method of a customer.
    pub async fn payment_method(
        &self,
        who: &Principal,
        customer: CustomerId,
        id: PaymentMethodId,
    ) -> Result<PaymentMethodRow, ServiceError> {
        self.customer(who, customer).await?;
        self.find_method(who.merchant_id, id)
            .await?
            .filter(|row| row.customer_id == customer && row.detached_at.is_none())
            .ok_or(ServiceError::NotFound)
    }

    /// Makes a method the default.
    pub async fn make_default_payment_method(
        &self,
        who: &Principal,
        customer: CustomerId,
        id: PaymentMethodId,
    ) -> Result<PaymentMethodRow, ServiceError> {
        let row = self.payment_method(who, customer, id).await?;
        let merchant_id = who.merchant_id;
        let deed = self.method_deed(who, AuditAction::PaymentMethodDefault, &row);
        self.database
            .write(move |connection| {
                deed.note(connection)?;
                payment_methods::make_default(connection, merchant_id, customer, id)
            })
            .await?;
        self.payment_method(who, customer, id).await
    }

    /// Takes a method away. A charge that is under way with it goes on.
    pub async fn remove_payment_method(
        &self,
        who: &Principal,
        customer: CustomerId,
        id: PaymentMethodId,
    ) -> Result<(), ServiceError> {
        let row = self.payment_method(who, customer, id).await?;
        let (now, at) = (self.clock.now(), self.clock_now(who));
        let outbox = self.outbox.clone();
        let deed = self.method_deed(who, AuditAction::PaymentMethodDetached, &row);
        self.database
            .write(move |connection| {
                if !payment_methods::detach(connection, &row, now)? {
                    return Ok(());
                }
                deed.note(connection)?;
                let detached = PaymentMethodRow {
                    is_default: false,
                    ..row
                };
                let detached = told(EventType::PaymentMethodDetached, &detached, at);
                outbox.emit(connection, detached)
            })
            .await
    }
}

fn told(event_type: EventType, row: &PaymentMethodRow, at: Timestamp) -> NewEvent {
    NewEvent {
        merchant_id: row.merchant_id,
        wallet_id: None,
        event_type,
        at,
        data: named(row),
    }
}
