//! Prices: in memory, as each charge needs one; changed one by one.

use crate::access::Principal;
use crate::audit_log::AuditAction;
use crate::error::ServiceError;
use crate::service::Service;
use crate::wallets::Answered;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::entry::KeyStamp;
use tillbox_core::id::{MerchantId, PriceId, WalletId};
use tillbox_core::rating::{Rate, Rated, Rounding};
use tillbox_store::StoreError;
use tillbox_store::sqlite::Connection;
use tillbox_store::sqlite::prices::{self, PriceRow};

/// A price to make; the same key and currency make its next version (R31).
#[derive(Clone, Debug)]
pub struct NewPrice {
    /// Its key, such as `whatsapp.marketing`.
    pub key: String,
    /// Its currency.
    pub currency: Currency,
    /// What is counted.
    pub unit: String,
    /// The cost of `per` units.
    pub unit_amount: Amount,
    /// For how many units that is.
    pub per: i64,
    /// Billed quantities are multiples of this.
    pub billing_increment: i64,
    /// No use is billed as less.
    pub minimum_units: i64,
    /// The one rounding.
    pub rounding: Rounding,
    /// What its units are counted as; its key unless said otherwise.
    pub meter: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Where the provider's rules win, for people.
    pub billing_note: Option<String>,
}

/// Why usage has no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceError {
    /// No price has this key.
    NoSuchPrice,
    /// None of its currencies is the wallet's.
    CurrencyMismatch,
    /// The cost is beyond the largest amount.
    OutOfRange,
}

const TAKEN: &str = "another version of this price was made at the same time";

/// All current prices.
#[derive(Default)]
pub(crate) struct PriceList(HashMap<(MerchantId, String), Vec<Arc<PriceRow>>>);

impl PriceList {
    pub(crate) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let mut list = Self::default();
        for row in prices::all_current(connection)? {
            list.put(Arc::new(row));
        }
        Ok(list)
    }

    fn put(&mut self, price: Arc<PriceRow>) {
        let versions = self
            .0
            .entry((price.merchant_id, price.key.clone()))
            .or_default();
        versions.retain(|other| other.currency != price.currency);
        versions.push(price);
    }

    fn find(
        &self,
        merchant: MerchantId,
        key: &str,
        currency: Currency,
    ) -> Result<Arc<PriceRow>, PriceError> {
        let versions = self
            .0
            .get(&(merchant, key.to_owned()))
            .ok_or(PriceError::NoSuchPrice)?;
        versions
            .iter()
            .find(|price| price.currency == currency)
            .cloned()
            .ok_or(PriceError::CurrencyMismatch)
    }
}

impl Service {
    /// What a quantity costs on that wallet, by the price that holds now.
    pub async fn rate(
        &self,
        who: &Principal,
        wallet: WalletId,
        key: &str,
        quantity: i64,
    ) -> Result<Result<Rated, PriceError>, ServiceError> {
        let currency = self.wallet_currency(who, wallet).await?;
        let price = {
            let prices = self.prices.read().unwrap_or_else(PoisonError::into_inner);
            prices.find(who.merchant_id, key, currency)
        };
        Ok(price.and_then(|price| rate_of(&price).rate(quantity).ok_or(PriceError::OutOfRange)))
    }

    /// Makes a price, or the next version of one.
    pub async fn create_price(
        &self,
        who: &Principal,
        new: NewPrice,
        key: Option<KeyStamp>,
        answer: impl FnOnce(&PriceRow) -> Vec<u8> + Send + 'static,
    ) -> Result<Answered, ServiceError> {
        who.check_merchant()?;
        let row = PriceRow {
            merchant_id: who.merchant_id,
            id: PriceId::from_number(self.next_id()),
            meter: new.meter.unwrap_or_else(|| new.key.clone()),
            key: new.key,
            currency: new.currency,
            unit: new.unit,
            unit_amount: new.unit_amount,
            per: new.per,
            billing_increment: new.billing_increment,
            minimum_units: new.minimum_units,
            rounding: new.rounding,
            description: new.description,
            billing_note: new.billing_note,
            version: 0,
            created_at: self.clock_now(who),
        };
        let deed = self.deed(who, AuditAction::PriceCreated).on(row.id);
        let write = move |connection: &Connection| {
            let row = prices::insert(connection, row)?;
            deed.note(connection)?;
            Ok((answer(&row), Arc::new(row)))
        };
        let list = Arc::clone(&self.prices);
        let then = move |row| {
            let mut list = list.write().unwrap_or_else(PoisonError::into_inner);
            list.put(row);
        };
        self.write_keyed(key, TAKEN, write, then).await
    }

    /// A price of any version.
    pub async fn price(&self, who: &Principal, id: PriceId) -> Result<PriceRow, ServiceError> {
        let merchant_id = who.merchant_id;
        self.database
            .read(move |connection| prices::get(connection, merchant_id, id))
            .await?
            .ok_or(ServiceError::NotFound)
    }

    /// Current prices of a currency, by key: what a wallet of it pays for.
    pub async fn price_table(
        &self,
        who: &Principal,
        currency: Currency,
        limit: usize,
    ) -> Result<Vec<PriceRow>, ServiceError> {
        let merchant_id = who.merchant_id;
        self.database
            .read(move |connection| prices::in_currency(connection, merchant_id, currency, limit))
            .await
    }

    /// Current prices, newest first, before `before`.
    pub async fn prices(
        &self,
        who: &Principal,
        before: Option<PriceId>,
        limit: usize,
    ) -> Result<Vec<PriceRow>, ServiceError> {
        let merchant_id = who.merchant_id;
        self.database
            .read(move |connection| prices::list(connection, merchant_id, before, limit))
            .await
    }
}

fn rate_of(price: &PriceRow) -> Rate {
    Rate {
        unit_amount: price.unit_amount,
        per: price.per,
        billing_increment: price.billing_increment,
        minimum_units: price.minimum_units,
        rounding: price.rounding,
    }
}
