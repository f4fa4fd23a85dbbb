//! Sessions of customers on the pages (U1): a merchant makes a link, the customer opens it once, and is then known by
//! a cookie. Tokens are 256 random bits; the store has their hashes alone. All of it is by real time, also for a
//! merchant whose test clock was moved (R46).
//!
//! Looking at a link changes nothing, as scanners of mail look at every link; only the customer's own press of a
//! button opens it. Two presses at once are two writes on the one thread of the ledger, so one of them wins.

use crate::access::Principal;
use crate::api_keys::Scopes;
use crate::audit_log::AuditAction;
use crate::error::ServiceError;
use crate::merchants::Brand;
use crate::secrets::Secret;
use crate::service::Service;
use tillbox_core::entry::Actor;
use tillbox_core::id::{CustomerId, MerchantId};
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::Connection;
use tillbox_store::sqlite::customers::{self, CustomerRow};
use tillbox_store::sqlite::portal_sessions::{self as store, LinkRow, SessionRow};

/// Minutes that a link waits to be opened.
const LINK_MINUTES: i64 = 15;
/// Days that it is remembered that a link was used, or has expired, to tell it so.
const REMEMBERED_DAYS: i64 = 7;
/// Hours after which a session ends in any case.
pub const SESSION_HOURS: i64 = 8;
/// Minutes after which a session ends that nobody uses.
const IDLE_MINUTES: i64 = 60;
/// A session is prolonged at most so often, so that not each look at a page is a write.
const PROLONG_EVERY_SECONDS: i64 = 60;

/// A link that was just made: the only time that its address is known.
pub struct NewPortalLink {
    /// The address that opens the customer's pages, once.
    pub url: String,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}

/// How a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It opens the pages.
    Good,
    /// It did so before.
    Used,
    /// It was not opened in time.
    Expired,
}

/// A link as it is looked at.
#[derive(Clone, Debug)]
pub struct PortalLink {
    /// How it stands.
    pub state: LinkState,
    /// The merchant that made it.
    pub merchant_id: MerchantId,
    /// Whose pages it opens.
    pub customer_id: CustomerId,
    /// Whose pages they are.
    pub brand: Brand,
    /// The language that the customer reads.
    pub locale: String,
    /// Where the customer came from.
    pub return_url: Option<String>,
}

/// What came of opening a link.
pub enum Opened {
    /// A session begins.
    Session {
        /// The token for the customer's cookie.
        token: String,
    },
    /// The link opens nothing, or there is none.
    Refused(Option<PortalLink>),
}

/// A customer that is known by its cookie.
pub struct PortalSession {
    /// Who acts: this customer, and nobody else's wallets are reached.
    pub principal: Principal,
    /// The customer.
    pub customer: CustomerRow,
    /// Where the customer came from.
    pub return_url: Option<String>,
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
    hash: [u8; 32],
    form_token: Secret,
}

impl PortalSession {
    /// What each form of this session carries, so that no other page can send one.
    pub fn form_token(&self) -> String {
        self.form_token.text()
    }

    /// Whether a form is of this session.
    pub fn is_form_token(&self, text: &str) -> bool {
        self.form_token.is(text)
    }
}

impl Service {
    /// A key for the forms of a page: two presses of a button are one request.
    pub fn form_key(&self) -> String {
        self.secrets.next().text()
    }

    /// Makes a link to a customer's pages, good once.
    pub async fn create_portal_link(
        &self,
        who: &Principal,
        customer_id: CustomerId,
        return_url: Option<String>,
    ) -> Result<NewPortalLink, ServiceError> {
        who.check_merchant()?;
        let (secret, now) = (self.secrets.next(), self.clock.now());
        let expires_at = now.plus_seconds(LINK_MINUTES * 60);
        let row = LinkRow {
            hash: secret.hash(),
            merchant_id: who.merchant_id,
            customer_id,
            return_url,
            created_at: now,
            expires_at,
            used_at: None,
        };
        let deed = self.deed(who, AuditAction::PortalSessionCreated);
        let deed = deed.on(customer_id);
        let write = move |connection: &Connection| {
            let customer = customers::get(connection, row.merchant_id, customer_id)?;
            if customer.is_none_or(|customer| customer.deleted_at.is_some()) {
                return Ok(false);
            }
            store::add_link(connection, &row, now.plus_days(-REMEMBERED_DAYS))?;
            deed.note(connection)?;
            Ok(true)
        };
        if !self.database.write(write).await? {
            return Err(ServiceError::NotFound);
        }
        let url = format!("{}/portal/{}", self.public_url().as_str(), secret.text());
        Ok(NewPortalLink { url, expires_at })
    }

    /// Looks at a link, and changes nothing; none where there is no such link.
    pub async fn portal_link(&self, token: &str) -> Result<Option<PortalLink>, ServiceError> {
        let Some(secret) = Secret::parse(token) else {
            return Ok(None);
        };
        let (hash, now) = (secret.hash(), self.clock.now());
        let found = self
            .database
            .read(move |connection| {
                let Some(row) = store::link(connection, hash)? else {
                    return Ok(None);
                };
                let customer = customers::get(connection, row.merchant_id, row.customer_id)?;
                Ok(customer
                    .filter(|customer| customer.deleted_at.is_none())
                    .map(|customer| (row, customer)))
            })
            .await?;
        Ok(found.and_then(|(row, customer)| {
            let merchant = self.merchant(row.merchant_id)?;
            let state = match row.used_at {
                Some(_) => LinkState::Used,
                None if row.expires_at <= now => LinkState::Expired,
                None => LinkState::Good,
            };
            Some(PortalLink {
                state,
                merchant_id: row.merchant_id,
                customer_id: row.customer_id,
                brand: merchant.brand(),
                locale: customer.locale,
                return_url: row.return_url,
            })
        }))
    }

    /// Opens a link: it is used up, and a session begins.
    pub async fn open_portal_link(&self, token: &str) -> Result<Opened, ServiceError> {
        let Some(link) = Secret::parse(token) else {
            return Ok(Opened::Refused(None));
        };
        let (session, now) = (self.secrets.next(), self.clock.now());
        let hash = session.hash();
        let write = move |connection: &Connection| {
            if !store::use_link(connection, link.hash(), now)? {
                return Ok(false);
            }
            let Some(link) = store::link(connection, link.hash())? else {
                return Ok(false);
            };
            let row = SessionRow {
                hash,
                merchant_id: link.merchant_id,
                customer_id: link.customer_id,
                return_url: link.return_url,
                created_at: now,
                expires_at: now.plus_seconds(IDLE_MINUTES * 60),
                ends_at: now.plus_seconds(SESSION_HOURS * 3_600),
            };
            store::begin(connection, &row)?;
            Ok(true)
        };
        if self.database.write(write).await? {
            return Ok(Opened::Session {
                token: session.text(),
            });
        }
        Ok(Opened::Refused(self.portal_link(token).await?))
    }

    /// The session of a cookie, if it has not ended; using it prolongs it.
    pub async fn portal_session(&self, token: &str) -> Result<Option<PortalSession>, ServiceError> {
        let Some((mut session, row)) = self.find_session(token).await? else {
            return Ok(None);
        };
        session.expires_at = self.prolong(&row, self.clock.now()).await;
        Ok(Some(session))
    }

    /// The same for what a page asks by itself while nobody uses it: that prolongs nothing.
    pub async fn unused_portal_session(
        &self,
        token: &str,
    ) -> Result<Option<PortalSession>, ServiceError> {
        let found = self.find_session(token).await?;
        Ok(found.map(|(session, _)| session))
    }

    async fn find_session(
        &self,
        token: &str,
    ) -> Result<Option<(PortalSession, SessionRow)>, ServiceError> {
        let Some(secret) = Secret::parse(token) else {
            return Ok(None);
        };
        let (hash, now) = (secret.hash(), self.clock.now());
        let found = self
            .database
            .read(move |connection| {
                let Some(row) = store::find(connection, hash, now)? else {
                    return Ok(None);
                };
                let customer = customers::get(connection, row.merchant_id, row.customer_id)?;
                Ok(customer.map(|customer| (row, customer)))
            })
            .await?;
        let Some((row, customer)) = found else {
            return Ok(None);
        };
        let Some(merchant) = self.merchant(row.merchant_id) else {
            return Ok(None);
        };
        let session = PortalSession {
            principal: Principal {
                merchant_id: row.merchant_id,
                actor: Actor::Customer(row.customer_id),
                live: merchant.live,
                request: None,
                scopes: Scopes::ALL,
                merchant,
            },
            customer,
            return_url: row.return_url.clone(),
            expires_at: row.expires_at,
            hash,
            form_token: secret.derive("tillbox forms of the portal v1"),
        };
        Ok(Some((session, row)))
    }

    /// Ends a session.
    pub async fn end_portal_session(&self, session: &PortalSession) -> Result<(), ServiceError> {
        let hash = session.hash;
        self.database
            .write(move |connection| store::end(connection, hash))
            .await
    }

    /// Lets a session that is used live on. Where that can't be written, the page is shown all the same.
    async fn prolong(&self, row: &SessionRow, now: Timestamp) -> Timestamp {
        let expires_at = now.plus_seconds(IDLE_MINUTES * 60).min(row.ends_at);
        if expires_at
            < row
                .expires_at
                .plus_seconds(PROLONG_EVERY_SECONDS)
                .min(row.ends_at)
        {
            return row.expires_at;
        }
        let hash = row.hash;
        let written = self
            .database
            .write(move |connection| store::prolong(connection, hash, expires_at))
            .await;
        match written {
            Ok(()) => expires_at,
            Err(error) => {
                tracing::warn!(%error, "a session could not be prolonged");
                row.expires_at
            }
        }
    }
}
