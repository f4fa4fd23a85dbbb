//! Links without an amount (R30): whoever has one says how much, and pays it in, until the link ends. A link with an
//! amount is a top-up of its own: see `top_ups`.

use crate::access::Principal;
use crate::audit_log::AuditAction;
use crate::error::ServiceError;
use crate::service::Service;
use crate::wallets::Answered;
use tillbox_core::currency::Currency;
use tillbox_core::entry::KeyStamp;
use tillbox_core::id::WalletId;
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::payment_links::{self, PaymentLinkRow};

/// Days that a link lives.
const LIVES_DAYS: i64 = 30;

/// A link as its page shows it.
#[derive(Clone, Debug)]
pub struct OpenPaymentLink {
    /// Acts for the link's merchant.
    pub principal: Principal,
    /// The wallet that it pays into.
    pub wallet_id: WalletId,
    /// The wallet's currency.
    pub currency: Currency,
    /// What each payment by it is called, for people.
    pub description: Option<String>,
    /// Whether it still takes payments.
    pub is_open: bool,
}

impl Service {
    /// Makes a link to a page that asks for an amount. Under a key the answer is given again.
    pub async fn create_open_payment_link(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        description: Option<String>,
        key: KeyStamp,
        answer: impl FnOnce(&str, Timestamp) -> Vec<u8> + Send + 'static,
    ) -> Result<Answered, ServiceError> {
        who.check_merchant()?;
        self.wallet_facts(who, wallet_id).await?;
        let now = self.clock.now();
        let row = PaymentLinkRow {
            token: self.secrets.next().text(),
            merchant_id: who.merchant_id,
            wallet_id,
            description,
            created_at: now,
            expires_at: now.plus_days(LIVES_DAYS),
        };
        let url = format!("{}/pay/{}", self.public_url().as_str(), row.token);
        let deed = self.deed(who, AuditAction::PaymentLinkCreated);
        let deed = deed.on_wallet(wallet_id);
        let write = move |connection: &_| {
            payment_links::add(connection, &row)?;
            deed.note(connection)?;
            Ok((answer(&url, row.expires_at), ()))
        };
        self.write_keyed(Some(key), "", write, |()| ()).await
    }

    /// The link of that token; none where there is no such link.
    pub async fn open_payment_link(
        &self,
        token: &str,
    ) -> Result<Option<OpenPaymentLink>, ServiceError> {
        let token = token.to_owned();
        let found = self
            .database
            .read(move |connection| payment_links::find(connection, &token));
        let Some(row) = found.await? else {
            return Ok(None);
        };
        let Some(merchant) = self.merchant(row.merchant_id) else {
            return Ok(None);
        };
        let principal = Principal::system(merchant);
        let currency = self.wallet_currency(&principal, row.wallet_id).await?;
        Ok(Some(OpenPaymentLink {
            principal,
            wallet_id: row.wallet_id,
            currency,
            description: row.description,
            is_open: self.clock.now() < row.expires_at,
        }))
    }
}
