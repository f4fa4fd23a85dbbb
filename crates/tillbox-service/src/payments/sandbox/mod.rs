//! The sandbox: a payment provider of our own, embedded and offline, so that every flow can be tried on a laptop.
//!
//! It behaves as a real provider would: what it did is durable before it answers, the same idempotency key is the same
//! payment, replies get lost, and what happens on its hosted pages is told by notices. It keeps tables of its own and
//! never touches the ledger.

mod cards;
mod disputes;
mod faults;
mod notices;
mod objects;
mod pages;
mod refunds;

pub use cards::{Behaviour, CARDS, TestCard};
pub use faults::Faults;
pub use notices::{NoticeError, SIGNATURE_HEADER};
pub use pages::{CheckoutPage, ConfirmPage, PageEnd, PageState, SetupPage};

use super::{
    ChargeRequest, CheckoutRequest, Decline, Payment, PaymentState, Presence, ProviderError,
    ProviderMethod, SetupRequest,
};
use crate::database::Database;
use crate::error::ServiceError;
use crate::public_url::PublicUrl;
use objects::{Method, Object, Purpose, StoredPayment, StoredSession, StoredState, read, row};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::id::{MerchantId, TopUpId};
use tillbox_core::id_source::IdSource;
use tillbox_engine::clock::Clock;
use tillbox_store::StoreError;
use tillbox_store::sqlite::{Connection, sandbox};
use tokio::sync::Notify;

/// The provider. Clones share it.
#[derive(Clone)]
pub struct Sandbox {
    database: Database,
    clock: Arc<dyn Clock>,
    ids: Arc<IdSource>,
    /// From which unguessable ids are made.
    secret: [u8; 32],
    /// With which notices are signed.
    notice_secret: [u8; 32],
    /// Wakes who delivers notices.
    wake: Arc<Notify>,
    public_url: PublicUrl,
}

impl Sandbox {
    pub(crate) fn new(
        database: Database,
        clock: Arc<dyn Clock>,
        ids: Arc<IdSource>,
        random: [u8; 32],
        public_url: PublicUrl,
    ) -> Self {
        Self {
            database,
            clock,
            ids,
            secret: blake3::derive_key("tillbox sandbox ids", &random),
            notice_secret: blake3::derive_key("tillbox sandbox notices", &random),
            wake: Arc::default(),
            public_url,
        }
    }

    /// Saves the card that a token names.
    pub(crate) async fn attach(
        &self,
        merchant_id: MerchantId,
        token: &str,
    ) -> Result<ProviderMethod, ProviderError> {
        let card = cards::by_token(token)
            .ok_or_else(|| ProviderError::Refused(format!("no such payment method: {token}")))?;
        let id = self.new_id("pm");
        let method = Method {
            token: card.token.to_owned(),
            detached: false,
        };
        let object = row(&id, merchant_id, None, None, &method);
        self.database
            .write(move |connection| sandbox::put(connection, &object))
            .await
            .map_err(unknown)?;
        Ok(provider_method(id, card))
    }

    /// Charges a saved card. The same key is the same payment, as it stands by then.
    pub(crate) async fn charge(&self, request: ChargeRequest) -> Result<Payment, ProviderError> {
        let (id, notice_id) = (self.new_id("pi"), self.new_id("ntc"));
        let url = self.public_url.clone();
        let now = self.clock.now().micros();
        let charged = self
            .database
            .write(move |connection| charge(connection, &id, &request, &notice_id, now))
            .await
            .map_err(unknown)?;
        self.wake.notify_one();
        match charged {
            Charged::Told(row) => payment_of(&row, &url).map_err(unknown),
            Charged::Unheard => Err(ProviderError::Unknown("the reply was lost".to_owned())),
            Charged::Refused(why) => Err(ProviderError::Refused(why)),
        }
    }

    /// The payment of a top-up: of several the one that succeeded, else the newest.
    pub async fn look_up(
        &self,
        merchant_id: MerchantId,
        top_up: TopUpId,
    ) -> Result<Option<Payment>, ProviderError> {
        let found = self
            .database
            .read(move |connection| decisive(connection, merchant_id, top_up))
            .await
            .map_err(unknown)?;
        found
            .map(|row| payment_of(&row, &self.public_url).map_err(unknown))
            .transpose()
    }

    /// Gives up the payment of a top-up, unless it is over.
    pub(crate) async fn cancel(
        &self,
        merchant_id: MerchantId,
        top_up: TopUpId,
    ) -> Result<Option<Payment>, ProviderError> {
        let canceled = self
            .database
            .write(move |connection| {
                let Some(object) = decisive(connection, merchant_id, top_up)? else {
                    return Ok(None);
                };
                let mut payment: StoredPayment = read(&object)?;
                if matches!(
                    payment.state,
                    StoredState::Open | StoredState::RequiresAction
                ) {
                    payment.state = StoredState::Canceled;
                }
                let object = row(&object.id, merchant_id, None, object.about, &payment);
                sandbox::put(connection, &object)?;
                Ok(Some(object))
            })
            .await
            .map_err(unknown)?;
        canceled
            .map(|row| payment_of(&row, &self.public_url).map_err(unknown))
            .transpose()
    }

    /// Makes a hosted page for a payment, and gives its address. The same top-up has the same page.
    pub(crate) async fn checkout(&self, request: CheckoutRequest) -> Result<String, ProviderError> {
        let (session_id, payment_id) = (self.new_id("cs"), self.new_id("pi"));
        let merchant_id = request.merchant_id;
        let key = request.top_up_id.to_string();
        let payment = StoredPayment {
            top_up: request.top_up_id.number(),
            customer: Some(request.customer_id.number()),
            subtotal: request.amount.micros(),
            charged: request.amount.micros(),
            currency: request.currency.code().to_owned(),
            state: StoredState::Open,
            return_url: request.success_url.clone(),
        };
        let session = StoredSession {
            purpose: Purpose::Checkout {
                payment: payment_id.clone(),
                description: request.description,
                save_payment_method: request.save_payment_method,
                allow_promotion_codes: request.allow_promotion_codes,
            },
            customer: request.customer_id.number(),
            locale: request.locale,
            success_url: request.success_url,
            cancel_url: request.cancel_url,
            expires_at: request.expires_at.micros(),
            done: false,
        };
        let id = self
            .database
            .write(move |connection| {
                let kind = StoredSession::KIND;
                if let Some(known) = sandbox::by_key(connection, merchant_id, kind, &key)? {
                    return Ok(known.id);
                }
                let about = Some(payment.top_up);
                let object = row(&payment_id, merchant_id, None, about, &payment);
                sandbox::put(connection, &object)?;
                let object = row(&session_id, merchant_id, Some(&key), None, &session);
                sandbox::put(connection, &object)?;
                Ok(session_id)
            })
            .await
            .map_err(unknown)?;
        Ok(format!(
            "{}/sandbox/checkout/{id}",
            self.public_url.as_str()
        ))
    }

    /// Makes a hosted page on which the customer adds a card, and gives its address.
    pub(crate) async fn setup(&self, request: SetupRequest) -> Result<String, ProviderError> {
        let id = self.new_id("cs");
        let session = StoredSession {
            purpose: Purpose::Setup,
            customer: request.customer_id.number(),
            locale: request.locale,
            success_url: request.success_url,
            cancel_url: request.cancel_url,
            expires_at: self.clock.now().plus_days(1).micros(),
            done: false,
        };
        let object = row(&id, request.merchant_id, None, None, &session);
        self.database
            .write(move |connection| sandbox::put(connection, &object))
            .await
            .map_err(unknown)?;
        Ok(format!("{}/sandbox/setup/{id}", self.public_url.as_str()))
    }

    /// An id that sorts by time and can't be guessed.
    fn new_id(&self, prefix: &str) -> String {
        let number = self.ids.next(self.clock.now());
        let hash = blake3::keyed_hash(&self.secret, &number.to_be_bytes());
        let hidden = hash.to_hex();
        format!("{prefix}_{number:016x}{}", &hidden.as_str()[..24])
    }
}

/// What a charge came to.
enum Charged {
    Told(sandbox::SandboxObject),
    Unheard,
    Refused(String),
}

fn charge(
    connection: &Connection,
    id: &str,
    request: &ChargeRequest,
    notice_id: &str,
    now: i64,
) -> Result<Charged, StoreError> {
    let merchant_id = request.merchant_id;
    let kind = StoredPayment::KIND;
    if let Some(known) = sandbox::by_key(connection, merchant_id, kind, &request.key)? {
        return Ok(Charged::Told(known));
    }
    let object = sandbox::get(connection, Method::KIND, &request.method)?;
    let object = object.filter(|object| object.merchant_id == merchant_id);
    let method = object.as_ref().map(read::<Method>).transpose()?;
    let card = method
        .filter(|method| !method.detached)
        .and_then(|method| cards::by_token(&method.token));
    let Some(card) = card else {
        return Ok(Charged::Refused("no such payment method".to_owned()));
    };
    let mut faults = Faults::of(connection, merchant_id)?;
    let declined = faults.decline_next > 0;
    let is_unheard = card.behaviour == Behaviour::SucceedsUnheard || faults.lose_replies > 0;
    if declined || faults.lose_replies > 0 {
        faults.decline_next = faults.decline_next.saturating_sub(1);
        faults.lose_replies = faults.lose_replies.saturating_sub(1);
        faults.put(connection, merchant_id)?;
    }
    let state = match (card.behaviour, request.presence) {
        _ if declined => {
            let code = faults.decline_code.clone();
            StoredState::Failed(code.unwrap_or_else(|| "generic_decline".to_owned()))
        }
        (Behaviour::Succeeds | Behaviour::SucceedsDisputed | Behaviour::SucceedsUnheard, _) => {
            StoredState::Succeeded
        }
        (Behaviour::Declines(code), _) => StoredState::Failed(code.to_owned()),
        (Behaviour::Asks, Presence::OnSession) => StoredState::RequiresAction,
        (Behaviour::Asks, Presence::OffSession) => {
            StoredState::Failed("authentication_required".to_owned())
        }
    };
    let payment = StoredPayment {
        top_up: request.top_up_id.number(),
        customer: None,
        subtotal: request.amount.micros(),
        charged: request.amount.micros(),
        currency: request.currency.code().to_owned(),
        state,
        return_url: request.return_url.clone(),
    };
    let object = row(
        id,
        merchant_id,
        Some(&request.key),
        Some(payment.top_up),
        &payment,
    );
    sandbox::put(connection, &object)?;
    if card.behaviour != Behaviour::SucceedsUnheard {
        let notice = notices::StoredNotice::Payment(id.to_owned());
        notices::queue(connection, merchant_id, notice_id, notice, now)?;
    }
    if card.behaviour == Behaviour::SucceedsDisputed && payment.state == StoredState::Succeeded {
        // As the payment's own ids, so that they sort behind them and can be guessed as little.
        let (dispute, told) = (id.replacen("pi", "dp", 1), format!("{notice_id}_dispute"));
        let amount = payment.charged;
        disputes::open(
            connection,
            merchant_id,
            (&dispute, &told),
            &payment,
            amount,
            now,
        )?;
    }
    Ok(if is_unheard {
        Charged::Unheard
    } else {
        Charged::Told(object)
    })
}

/// The payment that decides about a top-up.
fn decisive(
    connection: &Connection,
    merchant_id: MerchantId,
    top_up: TopUpId,
) -> Result<Option<sandbox::SandboxObject>, StoreError> {
    let kind = StoredPayment::KIND;
    let mut found = None;
    for object in sandbox::about(connection, merchant_id, kind, top_up.number())? {
        let payment: StoredPayment = read(&object)?;
        let is_paid = payment.state == StoredState::Succeeded;
        found = Some(object);
        if is_paid {
            break;
        }
    }
    Ok(found)
}

/// A payment in the words of all providers.
fn payment_of(
    object: &sandbox::SandboxObject,
    public_url: &PublicUrl,
) -> Result<Payment, ServiceError> {
    let payment: StoredPayment = read(object)?;
    let state = match payment.state {
        StoredState::Open => PaymentState::Open,
        StoredState::RequiresAction => PaymentState::RequiresAction {
            url: format!("{}/sandbox/authenticate/{}", public_url.as_str(), object.id),
        },
        StoredState::Succeeded => PaymentState::Succeeded {
            subtotal: Amount::from_micros(payment.subtotal),
            charged: Amount::from_micros(payment.charged),
            currency: Currency::parse(&payment.currency).map_err(|_unknown| {
                ServiceError::Store(StoreError::Corrupt {
                    what: format!("{} has an unknown currency", object.id),
                })
            })?,
        },
        StoredState::Failed(code) => PaymentState::Failed(Decline { code }),
        StoredState::Canceled => PaymentState::Canceled,
    };
    Ok(Payment {
        id: object.id.clone(),
        top_up_id: TopUpId::from_number(payment.top_up),
        state,
    })
}

fn provider_method(provider_id: String, card: &TestCard) -> ProviderMethod {
    ProviderMethod {
        provider_id,
        brand: card.brand.to_owned(),
        last4: card.last4.to_owned(),
        expires: card.expires.to_owned(),
    }
}

/// What goes wrong within the sandbox may have happened or not, as with any provider.
fn unknown(error: impl std::fmt::Display) -> ProviderError {
    ProviderError::Unknown(error.to_string())
}
