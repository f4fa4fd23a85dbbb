//! Who calls, and under which idempotency key.

use super::page::decode;
use super::problem::Problem;
use super::request_id;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, header};
use std::sync::Arc;
use tillbox_core::entry::KeyStamp;
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_service::{KeyScope, Principal, Service};

/// A caller whose API key is valid.
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    key: Header,
}

/// The `Idempotency-Key` header as it came.
enum Header {
    None,
    Key(String),
    Malformed(&'static str),
}

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Problem> {
        let authorization = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = authorization.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let mut principal = token
            .and_then(|token| service.authenticate(token))
            .ok_or_else(Problem::unauthenticated)?;
        principal.request = request_id::number();
        principal.check_scope(scope_of(parts))?;
        // What is no text is no id.
        let path = parts.uri.path();
        if path.contains('%') && decode(path).is_none() {
            return Err(Problem::not_found());
        }
        if let Some(query) = parts
            .uri
            .query()
            .filter(|query| parts.method != Method::GET && !query.is_empty())
        {
            let name = query.split(['=', '&']).next().unwrap_or_default();
            return Err(Problem::invalid_parameter(
                name,
                "is unknown: this call takes no parameters",
            ));
        }
        let mut keys = parts.headers.get_all("idempotency-key").iter();
        let key = match (keys.next(), keys.next()) {
            (None, _) => Header::None,
            (Some(_), Some(_)) => Header::Malformed("must be sent once"),
            (Some(value), None) => value.to_str().map_or(Header::Malformed(FORM), check_key),
        };
        Ok(Self { principal, key })
    }
}

/// What a call needs: looking, changing, or what is the administrator's.
fn scope_of(parts: &Parts) -> KeyScope {
    let path = parts.uri.path();
    if path.starts_with("/v1/api-keys") {
        KeyScope::Admin
    } else if parts.method == Method::GET {
        KeyScope::Read
    } else if path.starts_with("/v1/settings") {
        KeyScope::Admin
    } else {
        KeyScope::Write
    }
}

const FORM: &str = "must have 1 to 255 printable ASCII characters";

fn check_key(key: &str) -> Header {
    if is_key(key) {
        Header::Key(key.to_owned())
    } else {
        Header::Malformed(FORM)
    }
}

/// Whether a text may be an idempotency key.
pub(crate) fn is_key(key: &str) -> bool {
    (1..=255).contains(&key.len()) && key.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

/// Within what a key is unique (R43).
#[derive(Clone, Copy)]
pub(crate) enum Scope {
    Wallet(WalletId),
    Merchant(MerchantId),
}

impl Caller {
    /// The stamp of a call that moves value: a key is required, unless it is a dry run, which keeps none.
    pub(crate) fn key(
        &self,
        scope: Scope,
        fingerprint: [u8; 16],
        dry_run: bool,
    ) -> Result<Option<KeyStamp>, Problem> {
        match self.optional_key(scope, fingerprint)? {
            _ if dry_run => Ok(None),
            None => Err(Problem::key_required()),
            stamp => Ok(stamp),
        }
    }

    /// The stamp of any other POST: honoured where it is sent.
    pub(crate) fn optional_key(
        &self,
        scope: Scope,
        fingerprint: [u8; 16],
    ) -> Result<Option<KeyStamp>, Problem> {
        match &self.key {
            Header::None => Ok(None),
            Header::Key(key) => Ok(Some(stamp(scope, key, fingerprint))),
            Header::Malformed(why) => Err(Problem::invalid_parameter("Idempotency-Key", *why)),
        }
    }
}

/// The key as the ledger keeps it.
pub(crate) fn stamp(scope: Scope, key: &str, fingerprint: [u8; 16]) -> KeyStamp {
    let (kind, id) = match scope {
        Scope::Wallet(id) => (b'w', id.number()),
        Scope::Merchant(id) => (b'm', id.number()),
    };
    let mut bytes = Vec::with_capacity(9 + key.len());
    bytes.push(kind);
    bytes.extend_from_slice(&id.to_be_bytes());
    bytes.extend_from_slice(key.as_bytes());
    let mut hashed = [0; 16];
    hashed.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..16]);
    KeyStamp {
        key: hashed,
        fingerprint,
    }
}
