//! Top-ups: asked for, waited for, looked at, given up.
//!
//! A top-up begins as a command of its wallet, under the caller's key; nothing is asked of the payment provider before
//! that commit. From then on the key is bound to it (R25): whoever asks again is told how it stands. The work with the
//! provider is done by the worker ([`crate::payments`]); callers only wait for it, and no longer than they are told.

mod activation;
mod sync;
mod wait;
mod went_back;

pub use activation::Activation;
pub use sync::Synced;
pub use went_back::WentBack;

use crate::access::Principal;
use crate::error::ServiceError;
use crate::ledger::submission;
use crate::payments::declines::decline_words;
use crate::payments::page::PageRequest;
use crate::service::Service;
use crate::{Mode, Operation};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, OpenTopUp};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, KeyStamp, Note};
use tillbox_core::id::{PaymentMethodId, TopUpId, WalletId};
use tillbox_core::reason::{Language, Reason};
use tillbox_core::rejection::Rejection;
use tillbox_core::top_up::{Channel, TopUp, TopUpStatus};
use tillbox_engine::work::Outcome;
use tillbox_store::sqlite::top_ups::{self, TopUpFilter, TopUpRow};

/// A top-up to make.
#[derive(Clone, Debug)]
pub struct NewTopUp {
    /// Above zero.
    pub amount: Amount,
    /// How it is paid.
    pub payment: NewPayment,
    /// What it is called, for people.
    pub description: Option<String>,
}

/// How a new top-up is paid.
#[derive(Clone, Debug)]
pub enum NewPayment {
    /// From a saved method; none: the customer's default.
    Saved(Option<PaymentMethodId>),
    /// On the provider's hosted page.
    Page(PageRequest),
}

/// A top-up as callers see it.
#[derive(Clone, Debug)]
pub struct TopUpView {
    /// As it is stored.
    pub row: TopUpRow,
    /// Its wallet's currency.
    pub currency: Currency,
    /// The language of its owner.
    pub language: Language,
    /// What has gone back of it, and may.
    pub went_back: WentBack,
}

impl TopUpView {
    /// Why it failed, for the wallet's owner.
    pub fn failure_words(&self) -> &'static str {
        let code = self.row.top_up.failure.as_deref().unwrap_or_default();
        decline_words(code, self.language)
    }
}

/// What asking for a top-up came to.
#[derive(Clone, Debug)]
pub enum Asked {
    /// It was begun, now or before under the same key.
    Begun {
        /// How it stands.
        view: Box<TopUpView>,
        /// Whether the key had begun it before.
        replayed: bool,
    },
    /// A dry run: how it would begin.
    WouldBegin {
        /// The wallet's currency.
        currency: Currency,
        /// The top-up.
        top_up: Box<TopUp>,
    },
}

impl Service {
    /// Begins a top-up, and waits a while for its outcome (R25).
    pub async fn create_top_up(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        new: NewTopUp,
        key: Option<KeyStamp>,
        mode: Mode,
    ) -> Result<Asked, ServiceError> {
        if who.customer().is_some() && !self.settings(who).allow_top_up {
            return Err(ServiceError::Conflict("top-ups are turned off"));
        }
        let (channel, named, terms) = match new.payment {
            NewPayment::Saved(method) => {
                let named = self.named_method(who, wallet_id, method).await?;
                (Channel::Saved, named, None)
            }
            NewPayment::Page(page) => {
                let terms = serde_json::to_string(&page.terms).ok();
                (page.channel, Named::Known(None), terms)
            }
        };
        // The terms of a page go with the commit that opens it: the worker finds both or neither.
        let note = Note {
            description: new.description.map(String::into_boxed_str),
            metadata: terms.map(String::into_boxed_str),
            ..Note::default()
        };
        let open = OpenTopUp {
            id: TopUpId::from_number(self.next_id()),
            amount: new.amount,
            reason: Reason::TopUp,
            channel,
            method: named.method(),
            note,
        };
        let asked = self.open_top_up(who, wallet_id, open, key, mode).await;
        named.judge(asked)
    }

    /// The method that a caller names, or the default of the wallet's owner.
    async fn named_method(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        method: Option<PaymentMethodId>,
    ) -> Result<Named, ServiceError> {
        match method {
            None => Ok(Named::Known(self.default_method_of(who, wallet_id).await?)),
            Some(id) => match self.method_of_wallet(who, wallet_id, id).await {
                Ok(method) => Ok(Named::Known(Some(method))),
                Err(ServiceError::NotFound) => Ok(Named::Unknown),
                Err(error) => Err(error),
            },
        }
    }

    /// Opens a top-up of any reason, and waits a while for its outcome.
    async fn open_top_up(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        open: OpenTopUp,
        key: Option<KeyStamp>,
        mode: Mode,
    ) -> Result<Asked, ServiceError> {
        self.check_wallet(who, wallet_id).await?;
        let operation = Operation {
            wallet_id,
            command: Command::OpenTopUp(open),
            key,
            mode,
        };
        let (entry, currency, replayed) =
            match self.engine.submit(submission(who, operation)).await? {
                Outcome::Row {
                    entry,
                    currency,
                    replayed,
                } => (entry, currency, replayed),
                // Top-ups answer with their row; the key was used for something else.
                Outcome::Answer { .. } | Outcome::NothingDue => {
                    return Err(ServiceError::KeyReused);
                }
            };
        let Some((id, top_up)) = opened_by(&entry) else {
            return Err(ServiceError::KeyReused);
        };
        if mode == Mode::DryRun {
            let top_up = Box::new(top_up.clone());
            return Ok(Asked::WouldBegin { currency, top_up });
        }
        let row = self.wait_for_top_up(who, id).await?;
        let view = Box::new(self.view(who, wallet_id, row).await?);
        Ok(Asked::Begun { view, replayed })
    }

    /// A top-up of a wallet.
    pub async fn top_up(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        id: TopUpId,
    ) -> Result<TopUpView, ServiceError> {
        self.wallet_facts(who, wallet_id).await?;
        let merchant_id = who.merchant_id;
        let row = self
            .database
            .read(move |connection| top_ups::get(connection, merchant_id, id))
            .await?
            .filter(|row| row.wallet_id == wallet_id)
            .ok_or(ServiceError::NotFound)?;
        self.view(who, wallet_id, row).await
    }

    /// Top-ups of a wallet, newest first, before `before`.
    pub async fn top_ups(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        filter: TopUpFilter,
        before: Option<TopUpId>,
        limit: usize,
    ) -> Result<Vec<TopUpView>, ServiceError> {
        self.wallet_facts(who, wallet_id).await?;
        let merchant_id = who.merchant_id;
        let read = move |connection: &tillbox_store::sqlite::Connection| {
            top_ups::list(connection, merchant_id, wallet_id, filter, before, limit)
        };
        let rows = self.database.read(read).await?;
        self.views(who, wallet_id, rows).await
    }

    /// Gives a top-up up, unless it is paid by then: the provider is asked first, and what it says holds. A dry run
    /// takes it that nobody pays.
    pub async fn cancel_top_up(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        id: TopUpId,
        mode: Mode,
    ) -> Result<TopUpView, ServiceError> {
        let mut view = self.top_up(who, wallet_id, id).await?;
        let status = view.row.top_up.status;
        match mode {
            Mode::Commit if status.is_open() => {
                self.cancel_payment(&view.row).await?;
                view = self.top_up(who, wallet_id, id).await?;
            }
            Mode::DryRun if status.is_open() && status != TopUpStatus::Processing => {
                view.row.top_up.status = TopUpStatus::Canceled;
            }
            Mode::Commit | Mode::DryRun => {}
        }
        match view.row.top_up.status {
            TopUpStatus::Canceled => Ok(view),
            status => Err(ServiceError::Conflict(match status.name() {
                "succeeded" => "the top-up has succeeded",
                "failed" => "the top-up has failed",
                _ => "the payment is under way: its outcome is not known yet",
            })),
        }
    }
}

/// A method as a caller named it. One that is not there is told in its turn: a key that has begun a top-up is answered
/// though its card is gone by now (R42).
#[derive(Clone, Copy)]
enum Named {
    Known(Option<PaymentMethodId>),
    Unknown,
}

impl Named {
    fn method(self) -> Option<PaymentMethodId> {
        match self {
            Self::Known(method) => method,
            Self::Unknown => None,
        }
    }

    /// The ledger lacks a method; the caller had named one.
    fn judge<T>(self, asked: Result<T, ServiceError>) -> Result<T, ServiceError> {
        match (self, asked) {
            (
                Self::Unknown,
                Err(ServiceError::Rejected {
                    rejection: Rejection::PaymentMethodRequired,
                    ..
                }),
            ) => Err(ServiceError::NotFound),
            (_, asked) => asked,
        }
    }
}

/// The top-up that a row has opened.
fn opened_by(entry: &Arc<Entry>) -> Option<(TopUpId, &TopUp)> {
    let event = &entry.event;
    event.top_up_id.zip(event.top_up.as_deref())
}
