//! Adding funds: by a saved card at once, or on the provider's page. An amount that was typed is shown once more before
//! it is charged, unless the page showed it already.

use super::super::form::{Fields, Form};
use super::super::notice::render;
use super::super::page_error::PageError;
use super::super::view::{Fact, Place, Problem, ReviewPage};
use super::cards;
use super::page;
use super::visit::{Sent, SentFunds, Visit, method, see_other, text};
use crate::api::caller::{Scope, is_key, stamp};
use crate::api::fingerprint::Fingerprint;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::entry::KeyStamp;
use tillbox_core::id::PaymentMethodId;
use tillbox_core::rejection::Rejection;
use tillbox_core::top_up::{Channel, TopUpStatus};
use tillbox_service::payments::page::{PageRequest, PageTerms};
use tillbox_service::{Asked, Mode, NewPayment, NewTopUp, Service, ServiceError, TopUpView};

/// Seconds that a payment page lives.
const PAGE_LIVES: i64 = 24 * 3_600;

/// How it is paid.
#[derive(Clone, Copy)]
enum Way {
    Saved(PaymentMethodId),
    Page { saves_card: bool },
}

/// Adds funds.
pub(crate) async fn add(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, fields) = Visit::of_form(service, form).await?;
    let mut sent = SentFunds {
        amount: text(&fields, "amount"),
        other: text(&fields, "other"),
        method: text(&fields, "method"),
        saves_card: fields.get("save_card").is_some(),
        ..SentFunds::default()
    };
    let is_typed = sent.amount == "other";
    let amount = if is_typed {
        visit.read_amount(&sent.other)
    } else {
        Amount::parse(&sent.amount).map_err(|_malformed| visit.words.amount_missing().to_owned())
    };
    let amount = amount.and_then(|amount| visit.check_charge(amount).map(|()| amount));
    let way = way(&visit, &fields, &sent).await?;
    let (amount, way) = match (amount, way) {
        (Ok(amount), Ok(way)) => (amount, way),
        (amount, way) => {
            sent.amount_error = amount.err();
            sent.method_error = way.err();
            return refused(&visit, sent, Vec::new()).await;
        }
    };
    let was_shown = fields
        .get("reviewed")
        .and_then(|text| Amount::parse(text).ok())
        == Some(amount);
    if is_typed && !was_shown {
        return review(&visit, &fields, amount, way).await;
    }
    let new = NewTopUp {
        amount,
        payment: payment(way),
        description: None,
    };
    let key = form_key(&visit, &fields, "top_up", amount, way)?;
    let (who, wallet) = (visit.who(), visit.wallet_id());
    let asked = visit
        .service
        .create_top_up(who, wallet, new, Some(key), Mode::Commit)
        .await;
    match asked {
        Ok(Asked::Begun { view, replayed }) => Ok(lead_on(&visit, &view, replayed)),
        Ok(Asked::WouldBegin { .. }) => Err(PageError::Fault),
        Err(error) => {
            let problems = explain(&visit, error, &mut sent)?;
            refused(&visit, sent, problems).await
        }
    }
}

/// How the form wants to pay, or what is wrong with that.
async fn way(
    visit: &Visit,
    fields: &Fields,
    sent: &SentFunds,
) -> Result<Result<Way, String>, PageError> {
    if sent.method == "new" {
        let saves_card = sent.saves_card;
        return Ok(Ok(Way::Page { saves_card }));
    }
    let asked = method(fields, "method")?;
    let methods = visit.methods().await?;
    let found = methods.iter().find(|row| match asked {
        Some(id) => row.id == id,
        None => row.is_default,
    });
    Ok(match (found, asked) {
        (Some(row), _) => Ok(Way::Saved(row.id)),
        (None, Some(_)) => Err(visit.words.method_gone().to_owned()),
        (None, None) => Err(visit.words.method_missing().to_owned()),
    })
}

fn payment(way: Way) -> NewPayment {
    match way {
        Way::Saved(id) => NewPayment::Saved(Some(id)),
        Way::Page { saves_card } => NewPayment::Page(PageRequest {
            channel: Channel::Checkout,
            terms: PageTerms {
                success_url: None,
                cancel_url: None,
                save_payment_method: saves_card,
                allow_promotion_codes: true,
                lives_seconds: PAGE_LIVES,
            },
        }),
    }
}

/// The key that the form carries: a second press of its button finds the first.
fn form_key(
    visit: &Visit,
    fields: &Fields,
    action: &str,
    amount: Amount,
    way: Way,
) -> Result<KeyStamp, PageError> {
    let (method, saves_card) = match way {
        Way::Saved(id) => (Some(id.to_string()), None),
        Way::Page { saves_card } => (None, Some(saves_card)),
    };
    let fingerprint = Fingerprint::of("portal")
        .text("action", Some(action))
        .amount("amount", Some(amount))
        .text("method", method.as_deref())
        .flag("saves_card", saves_card)
        .finish();
    key_of(visit, fields, action, fingerprint)
}

/// The same for any form that moves money.
pub(super) fn key_of(
    visit: &Visit,
    fields: &Fields,
    action: &str,
    fingerprint: [u8; 16],
) -> Result<KeyStamp, PageError> {
    let key = fields.get("key").filter(|key| is_key(key));
    let key = key.ok_or(PageError::UnreadableForm)?;
    let scope = Scope::Wallet(visit.wallet_id());
    Ok(stamp(scope, &format!("portal {action} {key}"), fingerprint))
}

/// Where a payment leads: to the bank, to the payment page, or back to see what came of it.
pub(super) fn lead_on(visit: &Visit, view: &TopUpView, is_again: bool) -> Response {
    let row = &view.row;
    let elsewhere = match row.top_up.status {
        TopUpStatus::RequiresAction => row.calls.next_action.as_deref(),
        TopUpStatus::Pending => row.calls.page_url.as_deref(),
        TopUpStatus::Processing
        | TopUpStatus::Succeeded
        | TopUpStatus::Failed
        | TopUpStatus::Canceled => None,
    };
    let again = if is_again { "&again=yes" } else { "" };
    match elsewhere {
        Some(url) => see_other(url),
        None => see_other(&visit.url_telling(&format!("top-up&top_up={}{again}", row.id))),
    }
}

/// Shows what would be charged.
async fn review(
    visit: &Visit,
    fields: &Fields,
    amount: Amount,
    way: Way,
) -> Result<Response, PageError> {
    let (words, money) = (visit.words, visit.money.money(amount));
    let plain = amount.display(visit.wallet.row.currency);
    let mut hidden = vec![("amount", plain)];
    let charged = match way {
        Way::Saved(id) => {
            hidden.push(("method", id.to_string()));
            let methods = visit.methods().await?;
            let row = methods.iter().find(|row| row.id == id);
            let row = row.ok_or(PageError::NotFound)?;
            words.charged_to(cards::name(words, row))
        }
        Way::Page { saves_card } => {
            hidden.push(("method", "new".to_owned()));
            if saves_card {
                hidden.push(("save_card", "yes".to_owned()));
            }
            words.paid_on_page().to_owned()
        }
    };
    let afterwards = visit.wallet.balances.available + amount;
    let page = ReviewPage {
        words,
        frame: visit.frame(words.add_funds(), Place::Wallet, visit.url()),
        form: visit.form(),
        key: text(fields, "key"),
        path: "/wallet/top-ups",
        heading: words.review_heading(&money),
        text: words.review_text().to_owned(),
        fields: hidden,
        facts: vec![
            Fact::new(charged, money.html()),
            Fact::sum(
                words.available_afterwards(),
                visit.money.money(afterwards).html(),
            ),
        ],
        button: words.add_amount(&money),
        back_url: visit.url(),
    };
    render(&page, StatusCode::OK)
}

/// A refusal of the ledger at the field that it is about; faults are no refusals.
fn explain(
    visit: &Visit,
    error: ServiceError,
    sent: &mut SentFunds,
) -> Result<Vec<Problem>, PageError> {
    let words = visit.words;
    let problem = |text: &str| {
        vec![Problem {
            field: None,
            text: text.to_owned(),
        }]
    };
    match error {
        ServiceError::KeyReused => Ok(problem(words.form_used())),
        ServiceError::Conflict(_) => Ok(problem(words.not_possible())),
        ServiceError::NotFound => {
            sent.method_error = Some(words.method_gone().to_owned());
            Ok(Vec::new())
        }
        ServiceError::Rejected { rejection, .. } => match rejection {
            Rejection::AmountOutOfRange { minimum, maximum } => {
                let money = |amount| visit.money.money(amount);
                sent.amount_error = Some(match (minimum, maximum) {
                    (Some(least), most) => visit.limits(least, most),
                    (None, Some(most)) => words.amount_too_large(money(most)),
                    (None, None) => words.amount_missing().to_owned(),
                });
                Ok(Vec::new())
            }
            Rejection::PaymentMethodRequired => {
                sent.method_error = Some(words.method_missing().to_owned());
                Ok(Vec::new())
            }
            Rejection::TooMany(_) => Ok(problem(words.too_many_lots())),
            _ => Ok(problem(words.not_possible())),
        },
        other => Err(other.into()),
    }
}

async fn refused(
    visit: &Visit,
    sent: SentFunds,
    mut problems: Vec<Problem>,
) -> Result<Response, PageError> {
    let errors = [("other", &sent.amount_error), ("add", &sent.method_error)];
    problems.extend(errors.into_iter().filter_map(|(field, error)| {
        let text = error.clone()?;
        Some(Problem {
            field: Some(field),
            text,
        })
    }));
    let sent = Sent {
        problems,
        funds: Some(sent),
        ..Sent::default()
    };
    page::again(visit, sent, StatusCode::UNPROCESSABLE_ENTITY).await
}
