//! What payments need of other tables: whose wallet it is, in which currency, and what there is to charge.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use tillbox_core::currency::Currency;
use tillbox_core::id::{CustomerId, MerchantId, PaymentMethodId, WalletId};
use tillbox_store::sqlite::customers::{self, CustomerRow};
use tillbox_store::sqlite::payment_methods::{self, PaymentMethodRow};
use tillbox_store::sqlite::top_ups::TopUpRow;
use tillbox_store::sqlite::wallets;

impl Service {
    /// The currency of a top-up's wallet.
    pub(crate) async fn currency_of(&self, row: &TopUpRow) -> Result<Currency, ServiceError> {
        self.currency_of_wallet(row.merchant_id, row.wallet_id)
            .await
    }

    /// The currency of a wallet of that merchant.
    pub(crate) async fn currency_of_wallet(
        &self,
        merchant_id: MerchantId,
        wallet_id: WalletId,
    ) -> Result<Currency, ServiceError> {
        let wallet = self
            .database
            .read(move |connection| wallets::get(connection, merchant_id, wallet_id))
            .await?;
        Ok(wallet.ok_or(ServiceError::NotFound)?.currency)
    }

    /// Who owns the wallet of a top-up.
    pub(crate) async fn customer_of(&self, row: &TopUpRow) -> Result<CustomerId, ServiceError> {
        let (merchant_id, wallet_id) = (row.merchant_id, row.wallet_id);
        let wallet = self
            .database
            .read(move |connection| wallets::get(connection, merchant_id, wallet_id))
            .await?;
        Ok(wallet.ok_or(ServiceError::NotFound)?.customer_id)
    }

    /// The owner of the wallet of a top-up, deleted or not.
    pub(crate) async fn customer_row_of(
        &self,
        row: &TopUpRow,
    ) -> Result<CustomerRow, ServiceError> {
        let merchant_id = row.merchant_id;
        let customer = self.customer_of(row).await?;
        self.database
            .read(move |connection| customers::get(connection, merchant_id, customer))
            .await?
            .ok_or(ServiceError::NotFound)
    }

    /// A method of any customer of a merchant, detached ones too.
    pub(crate) async fn find_method(
        &self,
        merchant_id: MerchantId,
        id: PaymentMethodId,
    ) -> Result<Option<PaymentMethodRow>, ServiceError> {
        self.database
            .read(move |connection| payment_methods::find(connection, merchant_id, id))
            .await
    }

    /// What a customer is charged by unless something else is said.
    pub(crate) async fn default_method(
        &self,
        merchant_id: MerchantId,
        customer: CustomerId,
    ) -> Result<Option<PaymentMethodId>, ServiceError> {
        let default = self
            .database
            .read(move |connection| payment_methods::default_of(connection, merchant_id, customer))
            .await?;
        Ok(default.map(|method| method.id))
    }

    /// The default method of a wallet's owner.
    pub(crate) async fn default_method_of(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<Option<PaymentMethodId>, ServiceError> {
        match self.wallet_facts(who, wallet_id).await {
            Ok(facts) => {
                self.default_method(who.merchant_id, facts.customer_id)
                    .await
            }
            // The ledger refuses the wallet in its turn.
            Err(ServiceError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A method that the owner of a wallet may be charged by.
    pub(crate) async fn method_of_wallet(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        id: PaymentMethodId,
    ) -> Result<PaymentMethodId, ServiceError> {
        let customer = self.wallet_facts(who, wallet_id).await?.customer_id;
        self.find_method(who.merchant_id, id)
            .await?
            .filter(|method| method.customer_id == customer && method.detached_at.is_none())
            .map(|method| method.id)
            .ok_or(ServiceError::NotFound)
    }

    /// Remembers that a card says never again: it is never charged automatically any more (R22).
    pub(crate) async fn mark_hard_declined(
        &self,
        merchant_id: MerchantId,
        id: PaymentMethodId,
    ) -> Result<(), ServiceError> {
        let now = self.clock.now();
        self.database
            .write(move |connection| {
                payment_methods::mark_hard_declined(connection, merchant_id, id, now)
            })
            .await
    }
}
