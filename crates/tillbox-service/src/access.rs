//! API keys: who calls, and for which merchant.

use crate::merchants::Merchant;
use crate::service::Service;
use std::sync::Arc;
use tillbox_core::id::{ApiKeyId, MerchantId};

/// Whoever holds a valid API key.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The merchant that the key belongs to.
    pub merchant_id: MerchantId,
    /// The key.
    pub key_id: ApiKeyId,
    /// Whether the merchant is live; a test merchant may move its clock.
    pub live: bool,
    pub(crate) merchant: Arc<Merchant>,
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
