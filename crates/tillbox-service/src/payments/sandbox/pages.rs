//! What happens on the sandbox's hosted pages: adding a card, paying, confirming. A page is done once; what a customer
//! does on it is durable, and told by a notice, before the customer is sent on.

use super::cards::{Behaviour, CARDS, TestCard, by_token};
use super::notices::{self, StoredNotice};
use super::objects::{Object, Purpose, StoredPayment, StoredSession, StoredState, read, row};
use super::{Method, Sandbox, disputes};
use crate::error::ServiceError;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::id::MerchantId;
use tillbox_store::StoreError;
use tillbox_store::sqlite::{Connection, sandbox};

/// How a hosted page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// It waits for the customer.
    Open,
    /// The customer has been here.
    Done,
    /// It has ended.
    Expired,
}

/// A hosted page for adding a card.
#[derive(Clone, Debug)]
pub struct SetupPage {
    /// Whose customer it is for.
    pub merchant_id: MerchantId,
    /// In which language.
    pub locale: String,
    /// How it stands.
    pub state: PageState,
    /// Where a customer goes who turns back.
    pub cancel_url: String,
}

/// A hosted page for paying.
#[derive(Clone, Debug)]
pub struct CheckoutPage {
    /// Whose customer it is for.
    pub merchant_id: MerchantId,
    /// In which language.
    pub locale: String,
    /// How it stands.
    pub state: PageState,
    /// Where a customer goes who turns back.
    pub cancel_url: String,
    /// What is paid, before discounts.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// What is paid for.
    pub description: String,
    /// Whether it offers to save the card.
    pub saves_card: bool,
    /// Whether it takes promotion codes.
    pub takes_codes: bool,
}

/// A page on which the bank asks the customer to confirm.
#[derive(Clone, Debug)]
pub struct ConfirmPage {
    /// Whose customer it is for.
    pub merchant_id: MerchantId,
    /// How it stands.
    pub state: PageState,
    /// What is paid.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// Where the customer goes where there is nothing to confirm.
    pub return_url: String,
}

/// What came of what the customer did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageEnd {
    /// The customer goes on to that address.
    GoTo(String),
    /// The card was declined; another may be tried.
    Declined(&'static str),
    /// There is no such promotion code.
    UnknownCode,
    /// The page waits for nobody any more.
    Over,
}

/// A promotion code of the sandbox.
struct Promotion {
    code: &'static str,
    discount: Discount,
}

enum Discount {
    Percent(i64),
    Units(i64),
}

const PROMOTIONS: &[Promotion] = &[
    Promotion {
        code: "SAVE10",
        discount: Discount::Percent(10),
    },
    Promotion {
        code: "FIVEOFF",
        discount: Discount::Units(5),
    },
    Promotion {
        code: "FREE100",
        discount: Discount::Percent(100),
    },
];

impl Sandbox {
    /// The cards that a page offers.
    pub fn cards() -> &'static [TestCard] {
        CARDS
    }

    /// A page for adding a card.
    pub async fn setup_page(&self, id: &str) -> Result<Option<SetupPage>, ServiceError> {
        let Some((merchant_id, session)) = self.session(id).await? else {
            return Ok(None);
        };
        let state = self.state_of(&session);
        Ok(match session.purpose {
            Purpose::Setup => Some(SetupPage {
                merchant_id,
                locale: session.locale,
                state,
                cancel_url: session.cancel_url,
            }),
            Purpose::Checkout { .. } => None,
        })
    }

    /// A page for paying.
    pub async fn checkout_page(&self, id: &str) -> Result<Option<CheckoutPage>, ServiceError> {
        let Some((merchant_id, session)) = self.session(id).await? else {
            return Ok(None);
        };
        let state = self.state_of(&session);
        let Purpose::Checkout {
            payment,
            description,
            save_payment_method,
            allow_promotion_codes,
        } = session.purpose
        else {
            return Ok(None);
        };
        let found = self
            .database
            .read(move |connection| payment_in(connection, &payment))
            .await?;
        let Some((_, payment)) = found else {
            return Ok(None);
        };
        let over =
            payment.state != StoredState::Open && payment.state != StoredState::RequiresAction;
        Ok(Some(CheckoutPage {
            merchant_id,
            locale: session.locale,
            state: if over && state == PageState::Open {
                PageState::Done
            } else {
                state
            },
            cancel_url: session.cancel_url,
            amount: Amount::from_micros(payment.subtotal),
            currency: currency(&payment.currency)?,
            description,
            saves_card: save_payment_method,
            takes_codes: allow_promotion_codes,
        }))
    }

    /// A page on which the bank asks.
    pub async fn confirm_page(&self, id: &str) -> Result<Option<ConfirmPage>, ServiceError> {
        let payment = id.to_owned();
        let found = self
            .database
            .read(move |connection| payment_in(connection, &payment))
            .await?;
        let Some((merchant_id, payment)) = found else {
            return Ok(None);
        };
        Ok(Some(ConfirmPage {
            merchant_id,
            state: if payment.state == StoredState::RequiresAction {
                PageState::Open
            } else {
                PageState::Done
            },
            amount: Amount::from_micros(payment.charged),
            currency: currency(&payment.currency)?,
            return_url: payment.return_url,
        }))
    }

    /// The customer adds a card.
    pub async fn add_card(&self, id: &str, token: &str) -> Result<PageEnd, ServiceError> {
        let (id, now) = (id.to_owned(), self.clock.now().micros());
        let (method_id, notice_id) = (self.new_id("pm"), self.new_id("ntc"));
        let Some(card) = by_token(token) else {
            return Ok(PageEnd::Over);
        };
        let end = self
            .database
            .write(move |connection| {
                let Some((merchant_id, mut session)) = open_session(connection, &id, now)? else {
                    return Ok(PageEnd::Over);
                };
                let customer = session.customer;
                save_card(
                    connection,
                    merchant_id,
                    customer,
                    &method_id,
                    card,
                    &notice_id,
                    now,
                )?;
                session.done = true;
                sandbox::put(connection, &row(&id, merchant_id, None, None, &session))?;
                Ok(PageEnd::GoTo(session.success_url))
            })
            .await?;
        self.wake.notify_one();
        Ok(end)
    }

    /// The customer pays by a card, perhaps with a promotion code, perhaps saving the card.
    pub async fn pay(
        &self,
        id: &str,
        token: &str,
        promotion: Option<&str>,
        saves_card: bool,
    ) -> Result<PageEnd, ServiceError> {
        let Some(card) = by_token(token) else {
            return Ok(PageEnd::Over);
        };
        let promotion = match promotion.map(str::trim).filter(|code| !code.is_empty()) {
            None => None,
            Some(code) => match PROMOTIONS
                .iter()
                .find(|known| known.code.eq_ignore_ascii_case(code))
            {
                Some(known) => Some(known),
                None => return Ok(PageEnd::UnknownCode),
            },
        };
        let (id, now) = (id.to_owned(), self.clock.now().micros());
        let ids = ["pm", "ntc", "ntc", "dp", "ntc"].map(|prefix| self.new_id(prefix));
        let base = self.public_url.as_str().to_owned();
        let end = self
            .database
            .write(move |connection| {
                let Some((merchant_id, mut session)) = open_session(connection, &id, now)? else {
                    return Ok(PageEnd::Over);
                };
                let Purpose::Checkout {
                    payment: payment_id,
                    save_payment_method,
                    allow_promotion_codes,
                    ..
                } = &session.purpose
                else {
                    return Ok(PageEnd::Over);
                };
                let (payment_id, saves) = (payment_id.clone(), *save_payment_method && saves_card);
                let promotion = promotion.filter(|_| *allow_promotion_codes);
                let Some((_, mut payment)) = payment_in(connection, &payment_id)? else {
                    return Ok(PageEnd::Over);
                };
                if !matches!(
                    payment.state,
                    StoredState::Open | StoredState::RequiresAction
                ) {
                    return Ok(PageEnd::Over);
                }
                payment.charged = discounted(payment.subtotal, &payment.currency, promotion);
                payment.state = match card.behaviour {
                    Behaviour::Declines(code) => return Ok(PageEnd::Declined(code)),
                    Behaviour::Asks => StoredState::RequiresAction,
                    Behaviour::Succeeds
                    | Behaviour::SucceedsDisputed
                    | Behaviour::SucceedsUnheard => StoredState::Succeeded,
                };
                let about = Some(payment.top_up);
                sandbox::put(
                    connection,
                    &row(&payment_id, merchant_id, None, about, &payment),
                )?;
                if saves {
                    let customer = session.customer;
                    save_card(
                        connection,
                        merchant_id,
                        customer,
                        &ids[0],
                        card,
                        &ids[1],
                        now,
                    )?;
                }
                let end = if payment.state == StoredState::RequiresAction {
                    PageEnd::GoTo(format!("{base}/sandbox/authenticate/{payment_id}"))
                } else {
                    session.done = true;
                    sandbox::put(connection, &row(&id, merchant_id, None, None, &session))?;
                    PageEnd::GoTo(session.success_url.clone())
                };
                if card.behaviour != Behaviour::SucceedsUnheard {
                    notices::queue(
                        connection,
                        merchant_id,
                        &ids[2],
                        StoredNotice::Payment(payment_id),
                        now,
                    )?;
                }
                if card.behaviour == Behaviour::SucceedsDisputed {
                    let (dispute, told) = (&ids[3], &ids[4]);
                    let amount = payment.charged;
                    disputes::open(
                        connection,
                        merchant_id,
                        (dispute, told),
                        &payment,
                        amount,
                        now,
                    )?;
                }
                Ok(end)
            })
            .await?;
        self.wake.notify_one();
        Ok(end)
    }

    /// The customer confirms to the bank, or does not.
    pub async fn confirm(&self, id: &str, is_confirmed: bool) -> Result<PageEnd, ServiceError> {
        let (id, now) = (id.to_owned(), self.clock.now().micros());
        let notice_id = self.new_id("ntc");
        let end = self
            .database
            .write(move |connection| {
                let Some((merchant_id, mut payment)) = payment_in(connection, &id)? else {
                    return Ok(PageEnd::Over);
                };
                if payment.state != StoredState::RequiresAction {
                    return Ok(PageEnd::Over);
                }
                payment.state = if is_confirmed {
                    StoredState::Succeeded
                } else {
                    StoredState::Failed("authentication_failed".to_owned())
                };
                let about = Some(payment.top_up);
                sandbox::put(connection, &row(&id, merchant_id, None, about, &payment))?;
                notices::queue(
                    connection,
                    merchant_id,
                    &notice_id,
                    StoredNotice::Payment(id),
                    now,
                )?;
                Ok(PageEnd::GoTo(payment.return_url))
            })
            .await?;
        self.wake.notify_one();
        Ok(end)
    }

    async fn session(&self, id: &str) -> Result<Option<(MerchantId, StoredSession)>, ServiceError> {
        let id = id.to_owned();
        self.database
            .read(move |connection| session_in(connection, &id))
            .await
    }

    fn state_of(&self, session: &StoredSession) -> PageState {
        if session.done {
            PageState::Done
        } else if session.expires_at <= self.clock.now().micros() {
            PageState::Expired
        } else {
            PageState::Open
        }
    }
}

fn session_in(
    connection: &Connection,
    id: &str,
) -> Result<Option<(MerchantId, StoredSession)>, StoreError> {
    let object = sandbox::get(connection, StoredSession::KIND, id)?;
    object
        .map(|object| Ok((object.merchant_id, read(&object)?)))
        .transpose()
}

fn open_session(
    connection: &Connection,
    id: &str,
    now: i64,
) -> Result<Option<(MerchantId, StoredSession)>, StoreError> {
    let session = session_in(connection, id)?;
    Ok(session.filter(|(_, session)| !session.done && session.expires_at > now))
}

fn payment_in(
    connection: &Connection,
    id: &str,
) -> Result<Option<(MerchantId, StoredPayment)>, StoreError> {
    let object = sandbox::get(connection, StoredPayment::KIND, id)?;
    object
        .map(|object| Ok((object.merchant_id, read(&object)?)))
        .transpose()
}

fn save_card(
    connection: &Connection,
    merchant_id: MerchantId,
    customer: i64,
    id: &str,
    card: &TestCard,
    notice_id: &str,
    now: i64,
) -> Result<(), StoreError> {
    let method = Method {
        token: card.token.to_owned(),
        detached: false,
    };
    sandbox::put(connection, &row(id, merchant_id, None, None, &method))?;
    let notice = StoredNotice::MethodAdded {
        customer,
        method: id.to_owned(),
    };
    notices::queue(connection, merchant_id, notice_id, notice, now)
}

/// What is left to charge, in whole minor units, never less than nothing.
fn discounted(subtotal: i64, code: &str, promotion: Option<&Promotion>) -> i64 {
    let unit = Currency::parse(code).map_or(1, Currency::minor_unit_micros);
    let off = match promotion.map(|promotion| &promotion.discount) {
        None => 0,
        Some(Discount::Percent(percent)) => subtotal.saturating_mul(*percent) / 100,
        Some(Discount::Units(units)) => units.saturating_mul(1_000_000),
    };
    let off = off - off.rem_euclid(unit);
    subtotal.saturating_sub(off).max(0)
}

fn currency(code: &str) -> Result<Currency, ServiceError> {
    Currency::parse(code).map_err(|_unknown| {
        ServiceError::Store(StoreError::Corrupt {
            what: format!("{code} is no currency"),
        })
    })
}
