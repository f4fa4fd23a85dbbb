//! Who calls, for which merchant, and how far that reaches. API keys reach all of their merchant; a customer on a
//! page reaches its own wallets alone, and everything else is as unknown to it as another merchant's.

use crate::api_keys::{KeyScope, Scopes};
use crate::error::ServiceError;
use crate::merchants::Merchant;
use crate::service::Service;
use std::sync::Arc;
use tillbox_core::entry::Actor;
use tillbox_core::id::{CustomerId, MerchantId};

/// Whoever holds a valid API key, or a customer with a session of the portal.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The merchant that it is all about.
    pub merchant_id: MerchantId,
    /// Who it is, as rows of the log name it.
    pub actor: Actor,
    /// Whether the merchant is live; a test merchant may move its clock.
    pub live: bool,
    /// The number of the call that it makes, for the audit log.
    pub request: Option<u64>,
    /// What it may do.
    pub scopes: Scopes,
    pub(crate) merchant: Arc<Merchant>,
}

impl Principal {
    /// The system itself, about all of a merchant.
    pub fn system(merchant: Arc<Merchant>) -> Self {
        Self {
            merchant_id: merchant.id,
            actor: Actor::System,
            live: merchant.live,
            request: None,
            scopes: Scopes::ALL,
            merchant,
        }
    }

    /// The only customer whose things are reached; none: all of the merchant's.
    pub fn customer(&self) -> Option<CustomerId> {
        match self.actor {
            Actor::Customer(id) => Some(id),
            Actor::ApiKey(_) | Actor::System => None,
        }
    }

    /// Passes who may do that.
    pub fn check_scope(&self, scope: KeyScope) -> Result<(), ServiceError> {
        if self.scopes.allow(scope) {
            Ok(())
        } else {
            Err(ServiceError::Forbidden(scope))
        }
    }

    /// Passes who reaches all of the merchant.
    pub(crate) fn check_merchant(&self) -> Result<(), ServiceError> {
        match self.customer() {
            None => Ok(()),
            Some(_) => Err(ServiceError::NotFound),
        }
    }

    /// Passes who reaches that customer's things.
    pub(crate) fn check_customer(&self, id: CustomerId) -> Result<(), ServiceError> {
        match self.customer() {
            Some(own) if own != id => Err(ServiceError::NotFound),
            Some(_) | None => Ok(()),
        }
    }
}

/// The key that the first merchant is made with.
#[derive(Clone)]
pub struct BootstrapKey(String);

/// A bootstrap key of another form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bootstrap key must be tb_test_ followed by at least 24 letters and digits")]
pub struct MalformedKey;

/// What stands before the secret part of a test merchant's key.
pub(crate) const TEST_PREFIX: &str = "tb_test_";

impl BootstrapKey {
    /// Checks the form.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        let secret = text.strip_prefix(TEST_PREFIX).ok_or(MalformedKey)?;
        let well_formed = secret.len() >= 24
            && secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedKey)
        }
    }

    /// A new one, from random bytes.
    pub fn generate(random: [u8; 32]) -> Self {
        const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let letters = random
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        Self(TEST_PREFIX.chars().chain(letters).collect())
    }

    /// The whole key: to be shown once, and to be hashed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// What the store keeps instead of a key.
pub(crate) fn hash_key(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

impl Service {
    /// The holder of this key, if it is a valid one.
    pub fn authenticate(&self, token: &str) -> Option<Principal> {
        let keys = self
            .keys
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        keys.get(&hash_key(token)).cloned()
    }
}
