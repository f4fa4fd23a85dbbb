//! Notices: what the sandbox tells by itself, signed, over HTTP, to our own endpoint, as a provider would.
//!
//! A notice is queued in the write of what it tells, and delivered until it is taken: at once, then after growing
//! pauses, also behind a restart. Faults on request lose, double or delay them. The signature is HMAC-SHA-256 over
//! `time.body`, as the header `Sandbox-Signature: t=…,v1=…` says.

use super::objects::{Object, row};
use super::{Faults, Sandbox, cards, disputes, objects, payment_of, refunds};
use crate::error::ServiceError;
use crate::payments::{Notice, ProviderMethod};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use tillbox_core::id::{CustomerId, MerchantId};
use tillbox_store::StoreError;
use tillbox_store::sqlite::{Connection, sandbox};

#[expect(
    clippy::disallowed_types,
    reason = "the one client of the sandbox: it calls this server's own endpoint and nothing else"
)]
type Client = reqwest::Client;

/// What carries the signature.
pub const SIGNATURE_HEADER: &str = "sandbox-signature";
/// Seconds that a signed notice may be old.
const TOLERANCE_SECONDS: i64 = 300;
/// Seconds between two attempts, by how many there were; the last one for ever after.
const RETRY_AFTER_SECONDS: [i64; 6] = [1, 2, 5, 30, 120, 600];
/// Attempts after which a notice is given up: the poller finds the payment in any case.
const ATTEMPTS: u32 = 60;
/// Notices that one look takes.
const LOOK: usize = 50;
/// The longest that the deliverer sleeps.
const AT_MOST: Duration = Duration::from_secs(5);

/// What a notice is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredNotice {
    /// A payment, as it stands when it is delivered.
    Payment(String),
    /// A refund, as it stands when it is delivered.
    Refund(String),
    /// A dispute, as it stands when it is delivered.
    Dispute(String),
    /// A card that a customer added.
    MethodAdded { customer: i64, method: String },
}

/// A notice that waits to be taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Queued {
    notice: StoredNotice,
    due_at: i64,
    attempts: u32,
}

impl Object for Queued {
    const KIND: &'static str = "notice";
}

/// What is sent: names of things, to be looked at.
#[derive(Serialize, Deserialize)]
struct Sent {
    id: String,
    merchant: String,
    notice: StoredNotice,
}

/// Why a notice was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// The signature is missing, wrong, or too old.
    #[error("the signature is missing, wrong, or too old")]
    Signature,
    /// It is no notice of ours.
    #[error("it is no notice of this provider")]
    Form,
}

/// Queues a notice in the write of what it tells; a fault may lose it or put it off.
pub(super) fn queue(
    connection: &Connection,
    merchant_id: MerchantId,
    id: &str,
    notice: StoredNotice,
    now: i64,
) -> Result<(), StoreError> {
    let mut faults = Faults::of(connection, merchant_id)?;
    if faults.lose_notices > 0 {
        faults.lose_notices -= 1;
        return faults.put(connection, merchant_id);
    }
    let due_at = now.saturating_add(faults.delay_notices_seconds.saturating_mul(1_000_000));
    let queued = Queued {
        notice,
        due_at,
        attempts: 0,
    };
    sandbox::put(connection, &row(id, merchant_id, None, None, &queued))?;
    if faults.double_notices {
        let twin = format!("{id}_again");
        sandbox::put(connection, &row(&twin, merchant_id, None, None, &queued))?;
    }
    Ok(())
}

impl Sandbox {
    /// Delivers notices, until the service stops.
    pub async fn run_notices(self) {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .no_proxy()
            .build();
        let Ok(client) = client else {
            tracing::error!("the sandbox can't send notices: there is no HTTP client");
            return;
        };
        loop {
            let woken = self.wake.notified();
            match self.deliver(&client).await {
                Ok(()) => {}
                Err(ServiceError::ShuttingDown | ServiceError::OutcomeUnknown) => return,
                Err(error) => tracing::warn!(%error, "notices could not be read"),
            }
            drop(tokio::time::timeout(self.pause().await, woken).await);
        }
    }

    async fn deliver(&self, client: &Client) -> Result<(), ServiceError> {
        let now = self.clock.now().micros();
        let mut waiting = self.waiting().await?;
        waiting.retain(|(_, queued)| queued.due_at <= now);
        let mut reordered = Vec::new();
        for merchant_id in merchants_of(&waiting) {
            if self.faults(merchant_id).await?.reorder_notices {
                reordered.push(merchant_id);
            }
        }
        let waiting = latest_first(waiting, &reordered);
        for (object, queued) in waiting {
            let body = serde_json::to_string(&Sent {
                id: object.id.clone(),
                merchant: object.merchant_id.to_string(),
                notice: queued.notice.clone(),
            })
            .expect("plain values");
            let url = format!("{}/v1/payments/sandbox/webhook", self.public_url.as_str());
            let sent = client
                .post(url)
                .header("content-type", "application/json")
                .header(SIGNATURE_HEADER, self.sign(&body))
                .body(body)
                .send()
                .await;
            let is_taken = sent.is_ok_and(|answer| answer.status().is_success());
            self.settle_notice(object, queued, is_taken).await?;
        }
        Ok(())
    }

    async fn settle_notice(
        &self,
        object: sandbox::SandboxObject,
        mut queued: Queued,
        is_taken: bool,
    ) -> Result<(), ServiceError> {
        let now = self.clock.now();
        queued.attempts += 1;
        let is_over = is_taken || queued.attempts >= ATTEMPTS;
        let place = usize::try_from(queued.attempts).unwrap_or(usize::MAX);
        let last = RETRY_AFTER_SECONDS.len();
        let seconds = RETRY_AFTER_SECONDS[place.min(last) - 1];
        queued.due_at = now.plus_seconds(seconds).micros();
        self.database
            .write(move |connection| {
                if is_over {
                    sandbox::remove(connection, &object.id)
                } else {
                    let object = row(&object.id, object.merchant_id, None, None, &queued);
                    sandbox::put(connection, &object)
                }
            })
            .await
    }

    async fn waiting(&self) -> Result<Vec<(sandbox::SandboxObject, Queued)>, ServiceError> {
        self.database
            .read(|connection| {
                let objects = sandbox::notices(connection, LOOK)?;
                objects
                    .into_iter()
                    .map(|object| objects::read(&object).map(|queued| (object, queued)))
                    .collect()
            })
            .await
    }

    /// How long until the next notice is due.
    async fn pause(&self) -> Duration {
        let now = self.clock.now().micros();
        let waiting = self.waiting().await.unwrap_or_default();
        let next = waiting.iter().map(|(_, queued)| queued.due_at).min();
        next.map_or(AT_MOST, |due| {
            let micros = u64::try_from(due.saturating_sub(now)).unwrap_or(0);
            Duration::from_micros(micros).clamp(Duration::from_millis(20), AT_MOST)
        })
    }

    fn sign(&self, body: &str) -> String {
        let seconds = self.clock.now().micros().div_euclid(1_000_000);
        let mac = self.mac(seconds, body.as_bytes()).finalize().into_bytes();
        format!("t={seconds},v1={}", hex(&mac))
    }

    fn mac(&self, seconds: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.notice_secret)
            .expect("a key of any length is taken");
        mac.update(seconds.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }

    /// Checks the signature of a notice and reads it; what it names is looked at, so that an old notice tells how
    /// things stand now.
    pub async fn parse_notice(
        &self,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<Result<(MerchantId, Notice), NoticeError>, ServiceError> {
        if !self.is_signed(signature, body) {
            return Ok(Err(NoticeError::Signature));
        }
        let Ok(sent) = serde_json::from_slice::<Sent>(body) else {
            return Ok(Err(NoticeError::Form));
        };
        let Ok(merchant_id) = MerchantId::parse(&sent.merchant) else {
            return Ok(Err(NoticeError::Form));
        };
        let (kind, id) = match &sent.notice {
            StoredNotice::Payment(id) => (objects::StoredPayment::KIND, id),
            StoredNotice::Refund(id) => (objects::StoredRefund::KIND, id),
            StoredNotice::Dispute(id) => (objects::StoredDispute::KIND, id),
            StoredNotice::MethodAdded { method, .. } => (objects::Method::KIND, method),
        };
        let id = id.clone();
        let object = self
            .database
            .read(move |connection| sandbox::get(connection, kind, &id))
            .await?
            .filter(|object| object.merchant_id == merchant_id);
        let Some(object) = object else {
            return Ok(Err(NoticeError::Form));
        };
        let notice = match sent.notice {
            StoredNotice::Payment(_) => Notice::Payment(payment_of(&object, &self.public_url)?),
            StoredNotice::Refund(_) => {
                Notice::Refund(refunds::refund_of(&object, self.clock.now().micros())?)
            }
            StoredNotice::Dispute(_) => Notice::Dispute(disputes::notice_of(&object)?),
            StoredNotice::MethodAdded { customer, method } => {
                let stored: objects::Method = objects::read(&object)?;
                let Some(card) = cards::by_token(&stored.token) else {
                    return Ok(Err(NoticeError::Form));
                };
                Notice::MethodAdded {
                    customer_id: CustomerId::from_number(customer),
                    method: ProviderMethod {
                        provider_id: method,
                        brand: card.brand.to_owned(),
                        last4: card.last4.to_owned(),
                        expires: card.expires.to_owned(),
                    },
                }
            }
        };
        Ok(Ok((merchant_id, notice)))
    }

    fn is_signed(&self, signature: Option<&str>, body: &[u8]) -> bool {
        let parts = signature.and_then(|text| text.split_once(','));
        let Some((Some(seconds), Some(mac))) =
            parts.map(|(time, mac)| (time.strip_prefix("t="), mac.strip_prefix("v1=")))
        else {
            return false;
        };
        let (Ok(seconds), Some(mac)) = (seconds.parse::<i64>(), unhex(mac)) else {
            return false;
        };
        let now = self.clock.now().micros().div_euclid(1_000_000);
        let is_fresh = seconds.abs_diff(now) <= TOLERANCE_SECONDS.unsigned_abs();
        // Compared in constant time.
        is_fresh && self.mac(seconds, body).verify_slice(&mac).is_ok()
    }
}

type Waiting = (sandbox::SandboxObject, Queued);

fn merchants_of(waiting: &[Waiting]) -> BTreeSet<MerchantId> {
    waiting
        .iter()
        .map(|(object, _)| object.merchant_id)
        .collect()
}

/// Puts the notices of some merchants in another order than that of what happened: the latest first, each in a place
/// that one of that merchant had. Those of others stay where they are.
fn latest_first(waiting: Vec<Waiting>, reordered: &[MerchantId]) -> Vec<Waiting> {
    let owners: Vec<MerchantId> = waiting
        .iter()
        .map(|(object, _)| object.merchant_id)
        .collect();
    let mut of_merchant: BTreeMap<MerchantId, VecDeque<Waiting>> = BTreeMap::new();
    for one in waiting {
        let owner = one.0.merchant_id;
        of_merchant.entry(owner).or_default().push_back(one);
    }
    let next = |owner: MerchantId| {
        let left = of_merchant.get_mut(&owner)?;
        if reordered.contains(&owner) {
            left.pop_back()
        } else {
            left.pop_front()
        }
    };
    owners.into_iter().filter_map(next).collect()
}

fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves
        .filter_map(|half| char::from_digit(u32::from(half), 16))
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
