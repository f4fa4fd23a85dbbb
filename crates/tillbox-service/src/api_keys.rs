//! API keys: made, listed, made void; and what a key may do. A key is shown once; the store has its hash.

use crate::access::{Principal, hash_key};
use crate::audit_log::AuditAction;
use crate::error::ServiceError;
use crate::service::Service;
use std::fmt;
use std::sync::{Arc, PoisonError};
use tillbox_core::entry::Actor;
use tillbox_core::id::{ApiKeyId, MerchantId};
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::Connection;
use tillbox_store::sqlite::api_keys::{self, ApiKeyRow};

/// Something that a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// Look at everything of the merchant.
    Read,
    /// Change everything but settings and keys, and move value.
    Write,
    /// Take value with `force` (R7).
    Force,
    /// Change settings, and make and void keys.
    Admin,
}

impl KeyScope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Force, Self::Admin];

    /// The name in the HTTP contract and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Force => "force",
            Self::Admin => "admin",
        }
    }

    /// Back from the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// What a key may do, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes([bool; 4]);

impl Scopes {
    /// Everything.
    pub const ALL: Self = Self([true; 4]);

    /// These alone.
    pub fn of(scopes: &[KeyScope]) -> Self {
        Self(KeyScope::ALL.map(|scope| scopes.contains(&scope)))
    }

    /// Whether that is among them.
    pub fn allow(self, scope: KeyScope) -> bool {
        self.list().any(|known| known == scope)
    }

    /// Them, in their order.
    pub fn list(self) -> impl Iterator<Item = KeyScope> {
        let all = KeyScope::ALL.into_iter().zip(self.0);
        all.filter_map(|(scope, has)| has.then_some(scope))
    }

    /// Back from the store: names with a space between, or `all`. What is not known gives nothing.
    pub fn parse(text: &str) -> Self {
        if text == "all" {
            return Self::ALL;
        }
        let scopes: Vec<KeyScope> = text.split(' ').filter_map(KeyScope::parse).collect();
        Self::of(&scopes)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return formatter.write_str("all");
        }
        let names: Vec<&str> = self.list().map(KeyScope::name).collect();
        formatter.write_str(&names.join(" "))
    }
}

/// A key that was just made: the only time that it is known.
pub struct NewApiKey {
    /// What is kept of it.
    pub row: ApiKeyRow,
    /// The whole key.
    pub token: String,
}

/// A key from random bytes, and what is kept of it.
pub fn make_key(
    id: ApiKeyId,
    merchant: MerchantId,
    is_live: bool,
    name: String,
    scopes: Scopes,
    random: [u8; 32],
    now: Timestamp,
) -> NewApiKey {
    let mode = if is_live { "live" } else { "test" };
    let secret = blake3::Hash::from_bytes(random).to_hex();
    let token = format!("tb_{mode}_{secret}");
    NewApiKey {
        row: ApiKeyRow {
            id,
            merchant_id: merchant,
            name,
            hash: hash_key(&token),
            hint: token.chars().skip(token.len().saturating_sub(4)).collect(),
            scopes: scopes.to_string(),
            created_at: now,
            revoked_at: None,
        },
        token,
    }
}

impl Service {
    /// Makes a key of the merchant's.
    pub async fn create_api_key(
        &self,
        who: &Principal,
        name: String,
        scopes: Scopes,
    ) -> Result<NewApiKey, ServiceError> {
        who.check_merchant()?;
        let id = ApiKeyId::from_number(self.next_id());
        let random = self.secrets.next().hash();
        let now = self.clock.now();
        let new = make_key(id, who.merchant_id, who.live, name, scopes, random, now);
        let holder = Principal {
            actor: Actor::ApiKey(id),
            request: None,
            scopes,
            ..who.clone()
        };
        let deed = self.deed(who, AuditAction::ApiKeyCreated).on(id);
        let (row, keys) = (new.row.clone(), Arc::clone(&self.keys));
        let hash = row.hash;
        let write = move |connection: &Connection| {
            api_keys::insert(connection, &row)?;
            deed.note(connection)
        };
        let settled = move |(): &()| {
            let mut keys = keys.write().unwrap_or_else(PoisonError::into_inner);
            keys.insert(hash, holder);
        };
        self.database.write_then(write, settled).await?;
        Ok(new)
    }

    /// The merchant's keys, void ones too, newest first, before `before`.
    pub async fn api_keys(
        &self,
        who: &Principal,
        before: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKeyRow>, ServiceError> {
        who.check_merchant()?;
        let merchant = who.merchant_id;
        self.database
            .read(move |connection| api_keys::list(connection, merchant, before, limit))
            .await
    }

    /// Makes a key of the merchant's void, at once. Nobody voids the key that it uses.
    pub async fn revoke_api_key(&self, who: &Principal, id: ApiKeyId) -> Result<(), ServiceError> {
        who.check_merchant()?;
        if who.actor == Actor::ApiKey(id) {
            return Err(ServiceError::Conflict("a key does not void itself"));
        }
        let (merchant, now) = (who.merchant_id, self.clock.now());
        let deed = self.deed(who, AuditAction::ApiKeyRevoked).on(id);
        let keys = Arc::clone(&self.keys);
        let write = move |connection: &Connection| {
            let revoked = api_keys::revoke(connection, merchant, id, now)?;
            if revoked {
                deed.note(connection)?;
            }
            Ok(revoked)
        };
        let settled = move |revoked: &bool| {
            let mut keys = keys.write().unwrap_or_else(PoisonError::into_inner);
            keys.retain(|_, holder| !*revoked || holder.actor != Actor::ApiKey(id));
        };
        if self.database.write_then(write, settled).await? {
            Ok(())
        } else {
            Err(ServiceError::NotFound)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_and_what_is_not_known_gives_nothing() {
        for scopes in [
            Scopes::ALL,
            Scopes::of(&[]),
            Scopes::of(&[KeyScope::Force, KeyScope::Read]),
        ] {
            assert_eq!(Scopes::parse(&scopes.to_string()), scopes);
        }
        assert_eq!(Scopes::parse("reads all"), Scopes::of(&[]));
    }
}
