//! One step with the provider for one open top-up: charge it, make its page, or ask how it stands.
//!
//! A charge may be sent again as often as needed: its key is the top-up and the place of the method in the plan, so
//! that the provider answers what it answered before. The plan is settled before the first call. A decline goes on to
//! the next method at once, an unknown outcome never does (R22). Once a charge is too old for the provider to remember
//! its key, it is only looked up; where nothing is found long after, it never arrived, and the top-up has failed.

use super::declines::failure_class;
use super::page::PageTerms;
use super::{
    ChargeRequest, CheckoutRequest, Decline, Payment, PaymentState, Presence, ProviderError,
};
use crate::error::ServiceError;
use crate::payments::learn::Learnt;
use crate::service::Service;
use std::time::Duration;
use tillbox_core::id::PaymentMethodId;
use tillbox_core::id_source::made_at;
use tillbox_core::reason::Reason;
use tillbox_core::recharge::FailureClass;
use tillbox_core::seeded_bug;
use tillbox_core::top_up::{Channel, TopUpStatus};
use tillbox_store::sqlite::payment_methods::{self, PaymentMethodRow};
use tillbox_store::sqlite::top_ups::{self, Calls, TopUpFilter, TopUpRow};

/// How long one call may take before its outcome counts as unknown.
const CALL_WITHIN: Duration = Duration::from_secs(20);
/// Seconds until the next look, by how often it was asked before; the last one for ever after.
const POLL_AFTER_SECONDS: [i64; 7] = [5, 5, 10, 30, 60, 300, 900];
/// Seconds for which the provider surely remembers an idempotency key.
const KEY_LIVES_SECONDS: i64 = 20 * 3_600;
/// A charge or a refund that is not found so long after it was asked for here never arrived: the last call that could bring
/// it is hours past, and a provider's search lags by minutes.
const NEVER_ARRIVED_SECONDS: i64 = 24 * 3_600;
/// Told then: the payment system failed, not the card.
const NEVER_ARRIVED: &str = "processing_error";
/// Told where no method is left that could be charged.
const NO_METHOD: &str = "payment_method_unavailable";

impl Service {
    /// Takes the next step for a top-up.
    pub(crate) async fn drive(&self, row: TopUpRow) -> Result<Learnt, ServiceError> {
        let row = self.asked_once_more(row).await?;
        let key_lives = self.key_lives(row.id.number());
        match (row.top_up.channel, row.top_up.status) {
            (Channel::Saved, TopUpStatus::Processing) if key_lives => self.charge(row).await,
            (Channel::Checkout | Channel::Link, TopUpStatus::Pending)
                if row.calls.page_url.is_none() =>
            {
                self.make_page(row).await
            }
            _ => self.look_up(&row).await,
        }
    }

    /// Asks how the payment of a top-up stands, and takes that in.
    pub(crate) async fn look_up(&self, row: &TopUpRow) -> Result<Learnt, ServiceError> {
        let ended = row
            .calls
            .expires_at
            .is_some_and(|at| at <= self.clock.now());
        let is_charge =
            (row.top_up.channel, row.top_up.status) == (Channel::Saved, TopUpStatus::Processing);
        let known = self.sandbox.look_up(row.merchant_id, row.id);
        match within(known).await {
            Ok(Some(payment)) if payment.state == PaymentState::Open && ended => {
                self.cancel_payment(row).await
            }
            Ok(Some(payment)) => self.learn_of(row, &payment).await,
            // Nothing is there: a page that was never made, or a charge that never arrived.
            Ok(None) if ended => self.cancel_payment(row).await,
            Ok(None) if is_charge && self.has_never_arrived(row.id.number()) => {
                self.fail(row, &never_arrived(), None).await
            }
            Ok(None) => Ok(Learnt::Nothing),
            Err(error) => {
                tracing::debug!(top_up = %row.id, %error, "the provider gave no answer");
                Ok(Learnt::Nothing)
            }
        }
    }

    /// Whether the provider still knows the key of what has that id here, so that it may be asked for once more.
    pub(super) fn key_lives(&self, id: i64) -> bool {
        self.clock.now() < made_at(id).plus_seconds(KEY_LIVES_SECONDS)
    }

    /// Whether what has that id here, and is not found at the provider, can't come to be any more.
    pub(super) fn has_never_arrived(&self, id: i64) -> bool {
        made_at(id).plus_seconds(NEVER_ARRIVED_SECONDS) <= self.clock.now()
    }

    /// Asks the provider to give a payment up, and takes in what it says.
    pub(crate) async fn cancel_payment(&self, row: &TopUpRow) -> Result<Learnt, ServiceError> {
        match within(self.sandbox.cancel(row.merchant_id, row.id)).await {
            Ok(Some(payment)) => self.learn_of(row, &payment).await,
            Ok(None) if row.top_up.channel != Channel::Saved => {
                let never_paid = Payment {
                    id: String::new(),
                    top_up_id: row.id,
                    state: PaymentState::Canceled,
                };
                self.learn_of(row, &never_paid).await
            }
            Ok(None) => Ok(Learnt::Nothing),
            Err(error) => {
                tracing::debug!(top_up = %row.id, %error, "the provider gave no answer");
                Ok(Learnt::Nothing)
            }
        }
    }

    /// Has the provider give up what was given up here, until it says that nobody can pay it any more. A payment that it
    /// reports all the same is credited.
    pub(crate) async fn give_up(&self, row: TopUpRow) -> Result<Learnt, ServiceError> {
        let row = self.asked_once_more(row).await?;
        let told = within(self.sandbox.cancel(row.merchant_id, row.id)).await;
        let (learnt, is_over) = match told {
            Ok(Some(payment)) => (
                self.learn_of(&row, &payment).await?,
                payment.state.is_over(),
            ),
            // A page whose making was under way may still come to be.
            Ok(None) => (Learnt::Nothing, !self.key_lives(row.id.number())),
            Err(error) => {
                tracing::debug!(top_up = %row.id, %error, "the provider gave no answer");
                (Learnt::Nothing, false)
            }
        };
        if is_over {
            let id = row.id;
            self.database
                .write(move |connection| top_ups::note_given_up(connection, id))
                .await?;
        }
        Ok(learnt)
    }

    /// Charges the methods of the plan, one after the other, until one is not declined.
    async fn charge(&self, row: TopUpRow) -> Result<Learnt, ServiceError> {
        let (row, plan) = self.planned(row).await?;
        let mut declines: Vec<Decline> = Vec::new();
        let mut last_payment = None;
        for (place, id) in plan.iter().enumerate() {
            let Some(method) = self.chargeable(&row, *id).await? else {
                continue;
            };
            let request = self.charge_request(&row, place, &method).await?;
            match within(self.sandbox.charge(request)).await {
                Ok(Payment {
                    id: payment,
                    state: PaymentState::Failed(decline),
                    ..
                }) => {
                    if failure_class(&decline.code) == FailureClass::Hard {
                        self.mark_hard_declined(row.merchant_id, *id).await?;
                    }
                    last_payment = Some(payment.into_boxed_str());
                    declines.push(decline);
                }
                Ok(payment) => {
                    self.note_method(&row, *id).await?;
                    seeded_bug!(CreditWaitsForNotice: return Ok(Learnt::Nothing));
                    return self.learn_of(&row, &payment).await;
                }
                Err(ProviderError::Unknown(why)) => {
                    tracing::info!(top_up = %row.id, %why, "the outcome of a charge is not known yet");
                    let calls = Calls {
                        is_unanswered: true,
                        ..row.calls.clone()
                    };
                    self.note_calls(&row, calls).await?;
                    return Ok(Learnt::Nothing);
                }
                Err(ProviderError::Refused(why)) => {
                    tracing::warn!(top_up = %row.id, %why, "a payment method can't be charged");
                    declines.push(no_method());
                }
            }
        }
        let decline = declines.last().cloned().unwrap_or_else(no_method);
        let class = worst_to_wait_for(&declines);
        self.fail_as(&row, &decline, class, last_payment).await
    }

    /// The row with the methods that will be tried, settled before the first of them is.
    async fn planned(
        &self,
        mut row: TopUpRow,
    ) -> Result<(TopUpRow, Vec<PaymentMethodId>), ServiceError> {
        if let Some(plan) = row.calls.plan.clone() {
            return Ok((row, plan));
        }
        let first = if row.top_up.method.is_some() {
            row.top_up.method
        } else {
            let customer = self.customer_of(&row).await?;
            self.default_method(row.merchant_id, customer).await?
        };
        let added = self.added_since_failure(&row).await?;
        let mut plan: Vec<PaymentMethodId> = Vec::new();
        let backups = row.top_up.backups.iter().copied();
        for method in added.into_iter().chain(first).chain(backups) {
            if !plan.contains(&method) {
                plan.push(method);
            }
        }
        row.calls.plan = Some(plan.clone());
        self.note_calls(&row, row.calls.clone()).await?;
        Ok((row, plan))
    }

    /// The method that the customer has added since the last auto-recharge failed: it comes before the one that did (A5).
    async fn added_since_failure(
        &self,
        row: &TopUpRow,
    ) -> Result<Option<PaymentMethodId>, ServiceError> {
        if row.top_up.reason != Reason::AutoRecharge {
            return Ok(None);
        }
        let customer = self.customer_of(row).await?;
        let (merchant, wallet, id) = (row.merchant_id, row.wallet_id, row.id);
        let read = move |connection: &_| {
            let recharges = TopUpFilter {
                reason: Some(Reason::AutoRecharge),
                ..TopUpFilter::default()
            };
            let last = top_ups::list(connection, merchant, wallet, recharges, Some(id), 1)?;
            let newest = payment_methods::list(connection, merchant, customer, None, 1)?;
            Ok((last.into_iter().next(), newest.into_iter().next()))
        };
        let (last, newest) = self.database.read(read).await?;
        let failed = last.filter(|last| last.top_up.status == TopUpStatus::Failed);
        Ok(newest
            .filter(|newest| {
                failed.is_some_and(|last| newest.created_at > made_at(last.id.number()))
            })
            .map(|newest| newest.id))
    }

    /// A method that may be charged: there, and where nobody asked for it by hand never declined for good.
    async fn chargeable(
        &self,
        row: &TopUpRow,
        id: PaymentMethodId,
    ) -> Result<Option<PaymentMethodRow>, ServiceError> {
        let method = self.find_method(row.merchant_id, id).await?;
        let is_automatic = row.top_up.reason == Reason::AutoRecharge;
        Ok(method.filter(|method| {
            method.detached_at.is_none() && !(is_automatic && method.hard_declined_at.is_some())
        }))
    }

    async fn charge_request(
        &self,
        row: &TopUpRow,
        place: usize,
        method: &PaymentMethodRow,
    ) -> Result<ChargeRequest, ServiceError> {
        Ok(ChargeRequest {
            merchant_id: row.merchant_id,
            key: format!("{}:{place}", row.id),
            top_up_id: row.id,
            amount: row.top_up.amount,
            currency: self.currency_of(row).await?,
            method: method.provider_id.clone(),
            presence: if row.top_up.reason == Reason::AutoRecharge {
                Presence::OffSession
            } else {
                Presence::OnSession
            },
            return_url: self.return_url(row),
        })
    }

    /// Makes the hosted page that a top-up waits for.
    async fn make_page(&self, row: TopUpRow) -> Result<Learnt, ServiceError> {
        let terms = row.terms.as_deref().unwrap_or_default();
        let terms: PageTerms = match serde_json::from_str(terms) {
            Ok(terms) => terms,
            Err(why) => {
                tracing::error!(top_up = %row.id, %why, "the terms of a hosted page are not readable");
                return Ok(Learnt::Nothing);
            }
        };
        let customer = self.customer_row_of(&row).await?;
        let expires_at = made_at(row.id.number()).plus_seconds(terms.lives_seconds);
        let request = CheckoutRequest {
            merchant_id: row.merchant_id,
            customer_id: customer.id,
            top_up_id: row.id,
            amount: row.top_up.amount,
            currency: self.currency_of(&row).await?,
            description: row.description.clone().unwrap_or_else(|| {
                let language = crate::wallets::language_of(&customer.locale);
                row.top_up.reason.default_description(language).to_owned()
            }),
            success_url: terms.success_url.unwrap_or_else(|| self.return_url(&row)),
            cancel_url: terms.cancel_url.unwrap_or_else(|| self.return_url(&row)),
            save_payment_method: terms.save_payment_method,
            allow_promotion_codes: terms.allow_promotion_codes,
            locale: customer.locale,
            expires_at,
        };
        match within(self.sandbox.checkout(request)).await {
            Ok(url) => {
                let calls = Calls {
                    page_url: Some(url),
                    expires_at: Some(expires_at),
                    ..row.calls.clone()
                };
                self.note_calls(&row, calls).await?;
                Ok(Learnt::Moved)
            }
            Err(ProviderError::Unknown(_)) => Ok(Learnt::Nothing),
            Err(ProviderError::Refused(why)) => {
                tracing::warn!(top_up = %row.id, %why, "a hosted page can't be made");
                self.fail(&row, &no_method(), None).await
            }
        }
    }

    /// Where a customer comes back to; the page there asks how the payment stands.
    fn return_url(&self, row: &TopUpRow) -> String {
        format!("{}/wallet/return/{}", self.public_url().as_str(), row.id)
    }

    async fn note_method(&self, row: &TopUpRow, id: PaymentMethodId) -> Result<(), ServiceError> {
        if row.calls.charged_method == Some(id) {
            return Ok(());
        }
        let calls = Calls {
            charged_method: Some(id),
            ..row.calls.clone()
        };
        self.note_calls(row, calls).await
    }

    /// Puts off the next look before this one begins, so that a crash within it is no reason to ask in a loop.
    async fn asked_once_more(&self, mut row: TopUpRow) -> Result<TopUpRow, ServiceError> {
        row.calls.poll_at = self.clock.now().plus_seconds(poll_after(row.calls.polls));
        row.calls.polls = row.calls.polls.saturating_add(1);
        self.note_calls(&row, row.calls.clone()).await?;
        Ok(row)
    }
}

/// Seconds until the next look behind one that had so many before it.
pub(super) fn poll_after(polls: i64) -> i64 {
    let place = usize::try_from(polls).unwrap_or(usize::MAX);
    let last = POLL_AFTER_SECONDS.len().saturating_sub(1);
    POLL_AFTER_SECONDS
        .get(place.min(last))
        .copied()
        .unwrap_or(60)
}

/// When a top-up was made, by the system's clock: its id says so.
/// What is told of what never arrived.
pub(super) fn never_arrived() -> Decline {
    Decline {
        code: NEVER_ARRIVED.to_owned(),
    }
}

fn no_method() -> Decline {
    Decline {
        code: NO_METHOD.to_owned(),
    }
}

/// What several declines mean together: what may pass by waiting is waited for, then what a person can mend.
fn worst_to_wait_for(declines: &[Decline]) -> FailureClass {
    let classes: Vec<FailureClass> = declines
        .iter()
        .map(|decline| failure_class(&decline.code))
        .collect();
    [
        FailureClass::Soft,
        FailureClass::ProviderOutage,
        FailureClass::AuthenticationRequired,
    ]
    .into_iter()
    .find(|class| classes.contains(class))
    .unwrap_or(FailureClass::Hard)
}

/// A call whose answer does not come in time has an unknown outcome.
pub(super) async fn within<T>(
    call: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    match tokio::time::timeout(CALL_WITHIN, call).await {
        Ok(answer) => answer,
        Err(_late) => Err(ProviderError::Unknown("no answer in time".to_owned())),
    }
}
