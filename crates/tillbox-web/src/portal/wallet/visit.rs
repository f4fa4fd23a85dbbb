//! A customer at one of its wallets: who it is, which wallet, and how things are written for it.

use super::super::form::{self, Fields, Form};
use super::super::page_error::PageError;
use super::super::view::{Card, FormFields, Frame, Place, Problem, SignedIn, WalletLink};
use super::super::{language, theme};
use super::cards;
use crate::words::Words;
use crate::words::dates::Dates;
use crate::words::money::MoneyForm;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tillbox_core::id::{PaymentMethodId, WalletId};
use tillbox_core::wallet::WalletStatus;
use tillbox_service::{CurrencySettings, PortalSession, Principal, Service, WalletView};
use tillbox_store::sqlite::payment_methods::PaymentMethodRow;

/// Saved methods that a page shows.
const METHODS: usize = 8;

/// What somebody asked a page for: its query.
pub(crate) struct Asked(Vec<(String, String)>);

impl Asked {
    pub(crate) fn of(query: Option<&str>) -> Self {
        Self(form::read(query.unwrap_or_default().as_bytes()).unwrap_or_default())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(found, _)| found == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// A customer at a wallet.
pub(crate) struct Visit {
    pub(crate) service: Arc<Service>,
    pub(crate) session: PortalSession,
    pub(crate) words: Words,
    pub(crate) dates: Dates,
    pub(crate) money: MoneyForm,
    pub(crate) wallet: WalletView,
    wallets: Vec<WalletView>,
    key: String,
}

/// What was sent and refused: it is shown again, with what is wrong at its place.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) problems: Vec<Problem>,
    pub(crate) funds: Option<SentFunds>,
    pub(crate) recharge: Option<SentRecharge>,
    pub(crate) alerts: Option<SentAlerts>,
}

/// The form of alerts as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct SentAlerts {
    pub(crate) shows_banner: bool,
    /// What was typed, and what is wrong with it.
    pub(crate) fields: Vec<(String, Option<String>)>,
}

/// The form of a top-up as it was sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentFunds {
    /// A preset in the plain form, or "other".
    pub(crate) amount: String,
    pub(crate) other: String,
    pub(crate) method: String,
    pub(crate) saves_card: bool,
    pub(crate) amount_error: Option<String>,
    pub(crate) method_error: Option<String>,
}

/// The form of auto-recharge as it was sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentRecharge {
    pub(crate) is_target: bool,
    pub(crate) amount: String,
    pub(crate) amount_other: String,
    pub(crate) threshold: String,
    pub(crate) threshold_other: String,
    pub(crate) cap: String,
    pub(crate) method: String,
    pub(crate) backups: Vec<String>,
    pub(crate) amount_error: Option<String>,
    pub(crate) threshold_error: Option<String>,
    pub(crate) cap_error: Option<String>,
}

/// What a customer without a wallet is.
pub(crate) enum Arrival {
    Wallet(Box<Visit>),
    NoWallet(Arc<Service>, Box<PortalSession>),
}

impl Visit {
    /// The customer at the wallet that it asks for, or at its first.
    pub(crate) async fn arrive(
        service: Arc<Service>,
        session: PortalSession,
        wallet: Option<&str>,
    ) -> Result<Arrival, PageError> {
        let who = &session.principal;
        let wallets = service.customer_wallets(who, session.customer.id).await?;
        let found = match wallet {
            Some(id) => {
                let id = WalletId::parse(id).map_err(|_malformed| PageError::NotFound)?;
                let found = wallets.iter().find(|view| view.row.id == id);
                Some(found.ok_or(PageError::NotFound)?)
            }
            None => wallets.first(),
        };
        let Some(wallet) = found.cloned() else {
            return Ok(Arrival::NoWallet(service, Box::new(session)));
        };
        let language = language::current();
        let zone = service.time_zone(who);
        let now = service.clock_now(who);
        Ok(Arrival::Wallet(Box::new(Self {
            words: Words::of(language),
            dates: Dates::new(&zone, language, now),
            money: MoneyForm::new(wallet.row.currency, language),
            key: service.form_key(),
            service,
            session,
            wallet,
            wallets,
        })))
    }

    /// The same behind a form, which names its wallet.
    pub(crate) async fn of_form(
        service: Arc<Service>,
        form: Form,
    ) -> Result<(Box<Self>, Fields), PageError> {
        let (session, fields) = form.into_parts();
        let wallet = fields.get("wallet").ok_or(PageError::UnreadableForm)?;
        match Self::arrive(service, session, Some(wallet)).await? {
            Arrival::Wallet(visit) => Ok((visit, fields)),
            Arrival::NoWallet(..) => Err(PageError::NotFound),
        }
    }

    pub(crate) fn who(&self) -> &Principal {
        &self.session.principal
    }

    pub(crate) fn wallet_id(&self) -> WalletId {
        self.wallet.row.id
    }

    /// The amounts that the merchant allows.
    pub(crate) fn settings(&self) -> CurrencySettings {
        let settings = self.service.settings(self.who());
        settings.in_currency(self.wallet.row.currency)
    }

    /// Whether money can be paid in.
    pub(crate) fn takes_money(&self) -> bool {
        matches!(
            self.wallet.status,
            WalletStatus::Active | WalletStatus::Frozen
        )
    }

    /// The wallet's page.
    pub(crate) fn url(&self) -> String {
        format!("/wallet?wallet={}", self.wallet_id())
    }

    /// The help page, from which one comes back to this wallet.
    pub(crate) fn help_url(&self) -> String {
        format!("/wallet/help?wallet={}", self.wallet_id())
    }

    /// The wallet's page, saying what came of a form.
    pub(crate) fn url_telling(&self, told: &str) -> String {
        format!("{}&told={told}", self.url())
    }

    pub(crate) fn frame(&self, title: &str, place: Place, here: String) -> Frame {
        frame_of(&self.service, &self.session, title).signed_in(
            SignedIn {
                wallet_url: self.url(),
                help_url: self.help_url(),
                ..signed_in(&self.session, here)
            },
            place,
        )
    }

    pub(crate) fn form(&self) -> FormFields {
        FormFields {
            token: self.session.form_token(),
            wallet: self.wallet_id().to_string(),
            key: self.key.clone(),
        }
    }

    /// All wallets of the customer, to choose from.
    pub(crate) fn wallet_links(&self) -> Vec<WalletLink> {
        let link = |view: &WalletView| {
            let money = MoneyForm::new(view.row.currency, self.words.language());
            let code = view.row.currency.code();
            WalletLink {
                name: view.row.name.clone().unwrap_or_else(|| code.to_owned()),
                balance: money.money(view.balances.available).to_string(),
                url: format!("/wallet?wallet={}", view.row.id),
                is_current: view.row.id == self.wallet_id(),
            }
        };
        self.wallets.iter().map(link).collect()
    }

    /// The customer's saved methods, newest first.
    pub(crate) async fn methods(&self) -> Result<Vec<PaymentMethodRow>, PageError> {
        let (who, customer) = (self.who(), self.session.customer.id);
        let methods = self.service.payment_methods(who, customer, None, METHODS);
        Ok(methods.await?)
    }

    /// How a card is named and how it stands.
    pub(crate) fn card(&self, row: &PaymentMethodRow) -> Card {
        cards::card(self.words, self.dates.today(), row)
    }
}

/// What every page of a session shows of it.
pub(crate) fn signed_in(session: &PortalSession, here: String) -> SignedIn {
    SignedIn {
        customer: session.customer.name.clone(),
        form_token: session.form_token(),
        here,
        wallet_url: "/wallet".to_owned(),
        help_url: "/wallet/help".to_owned(),
        return_url: session.return_url.clone(),
    }
}

/// The frame of a merchant's page.
pub(crate) fn frame_of(service: &Service, session: &PortalSession, title: &str) -> Frame {
    Frame::new(title, theme::current()).of(&service.brand(&session.principal))
}

/// A saved method that a field names; the service looks at whose it is.
pub(crate) fn method(fields: &Fields, name: &str) -> Result<Option<PaymentMethodId>, PageError> {
    let named = fields.get(name).filter(|id| !id.is_empty());
    let parse = |id| PaymentMethodId::parse(id).map_err(|_malformed| PageError::UnreadableForm);
    named.map(parse).transpose()
}

/// What was typed into a field, also where that is nothing.
pub(crate) fn text(fields: &Fields, name: &str) -> String {
    fields.get(name).unwrap_or_default().to_owned()
}

/// Leads on after a form, so that loading the page again sends nothing.
pub(crate) fn see_other(url: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    match HeaderValue::try_from(url) {
        Ok(value) => {
            response.headers_mut().insert(header::LOCATION, value);
            response
        }
        Err(_no_header) => PageError::Fault.into_response(),
    }
}
