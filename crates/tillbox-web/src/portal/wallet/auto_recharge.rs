//! The form of auto-recharge: saved, resumed, turned off.
//!
//! Nothing is charged that was not agreed to: the form says what saving it would charge. Where what was typed comes to
//! another charge than the form said, a page asks before anything is saved.

use super::super::form::{Fields, Form};
use super::super::notice::render;
use super::super::page_error::PageError;
use super::super::view::{Fact, Place, Problem, ReviewPage};
use super::page;
use super::visit::{Sent, SentRecharge, Visit, method, see_other, text};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::recharge::{RechargeSettings, Refill};
use tillbox_core::rejection::Rejection;
use tillbox_service::{NewRecharge, Service, ServiceError};

/// What the form asks for.
struct Wanted {
    settings: RechargeSettings,
    new: NewRecharge,
}

/// Saves the form, turns auto-recharge off, or asks whether it may charge now.
pub(crate) async fn save(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, fields) = Visit::of_form(service, form).await?;
    if fields.get("enabled") == Some("no") {
        return turn_off(&visit).await;
    }
    let mut sent = SentRecharge {
        is_target: fields.get("how") == Some("target"),
        amount: text(&fields, "amount"),
        amount_other: text(&fields, "amount_other"),
        threshold: text(&fields, "threshold"),
        threshold_other: text(&fields, "threshold_other"),
        cap: text(&fields, "monthly_cap"),
        method: text(&fields, "method"),
        backups: fields.all("backup").map(str::to_owned).collect(),
        ..SentRecharge::default()
    };
    let Some(wanted) = read(&visit, &fields, &mut sent)? else {
        return refused(&visit, sent, Vec::new()).await;
    };
    let (who, wallet) = (visit.who(), visit.wallet_id());
    let would = visit.service.would_recharge(who, wallet, wanted.settings);
    if let Ok(charge) = would.await?.charge {
        let plain = charge.display(visit.wallet.row.currency);
        if fields.get("agreed") != Some(plain.as_str()) {
            return ask(&visit, &fields, &wanted, charge);
        }
    }
    let saved = visit
        .service
        .set_auto_recharge(who, wallet, wanted.new)
        .await;
    match saved {
        Ok(()) => {}
        Err(error) => {
            let problems = explain(&visit, error, &mut sent)?;
            return refused(&visit, sent, problems).await;
        }
    }
    let charged = visit.service.wait_for_recharge(who, wallet).await?;
    let told = match charged {
        Some(id) => format!("recharge-on&top_up={id}"),
        None => "recharge-on".to_owned(),
    };
    Ok(see_other(&visit.url_telling(&told)))
}

/// Tries again, as if nothing had failed.
pub(crate) async fn resume(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, _fields) = Visit::of_form(service, form).await?;
    let (who, wallet) = (visit.who(), visit.wallet_id());
    match visit.service.resume_auto_recharge(who, wallet).await {
        // It goes on already: pressed twice, or resumed by a payment.
        Ok(()) | Err(ServiceError::Rejected { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let charged = visit.service.wait_for_recharge(who, wallet).await?;
    let told = match charged {
        Some(id) => format!("recharge-resumed&top_up={id}"),
        None => "recharge-resumed".to_owned(),
    };
    Ok(see_other(&visit.url_telling(&told)))
}

async fn turn_off(visit: &Visit) -> Result<Response, PageError> {
    let (who, wallet) = (visit.who(), visit.wallet_id());
    let health = visit.service.auto_recharge(who, wallet).await?;
    if let Some(recharge) = health.recharge {
        let new = NewRecharge {
            is_enabled: false,
            settings: recharge.settings,
            method: recharge.method,
            backups: recharge.backups,
        };
        visit.service.set_auto_recharge(who, wallet, new).await?;
    }
    Ok(see_other(&visit.url_telling("recharge-off")))
}

/// What was typed; none where something is wrong, which then stands in `sent`.
fn read(
    visit: &Visit,
    fields: &Fields,
    sent: &mut SentRecharge,
) -> Result<Option<Wanted>, PageError> {
    let choice = |chosen: &str, other: &str| match chosen {
        "other" => visit.read_amount(other),
        chosen => {
            Amount::parse(chosen).map_err(|_malformed| visit.words.amount_missing().to_owned())
        }
    };
    let amount = choice(&sent.amount, &sent.amount_other);
    let threshold = choice(&sent.threshold, &sent.threshold_other);
    let cap = match sent.cap.as_str() {
        "" => Ok(None),
        typed => visit.read_amount(typed).map(Some),
    };
    let amount = match amount {
        Ok(amount) if !sent.is_target => visit.check_charge_alone(amount).map(|()| amount),
        read => read,
    };
    sent.amount_error = amount.as_ref().err().cloned();
    sent.threshold_error = threshold.as_ref().err().cloned();
    sent.cap_error = cap.as_ref().err().cloned();
    let (Ok(amount), Ok(threshold), Ok(monthly_cap)) = (amount, threshold, cap) else {
        return Ok(None);
    };
    if sent.is_target && amount < threshold {
        sent.amount_error = Some(visit.words.target_below_threshold().to_owned());
        return Ok(None);
    }
    let settings = RechargeSettings {
        threshold,
        refill: if sent.is_target {
            Refill::UpTo(amount)
        } else {
            Refill::Fixed(amount)
        },
        monthly_cap: monthly_cap.filter(|cap| cap.is_positive()),
    };
    let method = method(fields, "method")?;
    let mut backups = Vec::new();
    for id in fields.all("backup").filter(|id| !id.is_empty()) {
        let id = tillbox_core::id::PaymentMethodId::parse(id)
            .map_err(|_malformed| PageError::UnreadableForm)?;
        if Some(id) != method && !backups.contains(&id) {
            backups.push(id);
        }
    }
    Ok(Some(Wanted {
        settings,
        new: NewRecharge {
            is_enabled: true,
            settings,
            method,
            backups,
        },
    }))
}

/// A refusal of the ledger at the field that it is about; faults are no refusals.
fn explain(
    visit: &Visit,
    error: ServiceError,
    sent: &mut SentRecharge,
) -> Result<Vec<Problem>, PageError> {
    let (words, money) = (visit.words, |amount| visit.money.money(amount));
    let rejection = match error {
        ServiceError::Rejected { rejection, .. } => rejection,
        ServiceError::NotFound => {
            return Ok(vec![Problem {
                field: Some("ar-pm"),
                text: words.method_gone().to_owned(),
            }]);
        }
        other => return Err(other.into()),
    };
    match rejection {
        Rejection::AmountOutOfRange { minimum, maximum } => {
            sent.amount_error = Some(match (minimum, maximum) {
                (Some(least), most) => visit.limits(least, most),
                (None, Some(most)) => words.amount_too_large(money(most)),
                (None, None) => words.amount_missing().to_owned(),
            });
            Ok(Vec::new())
        }
        Rejection::TargetBelowThreshold => {
            sent.amount_error = Some(words.target_below_threshold().to_owned());
            Ok(Vec::new())
        }
        Rejection::PaymentMethodRequired => Ok(vec![Problem {
            field: Some("methods"),
            text: words.needs_card().to_owned(),
        }]),
        _ => Ok(vec![Problem {
            field: None,
            text: words.not_possible().to_owned(),
        }]),
    }
}

async fn refused(
    visit: &Visit,
    sent: SentRecharge,
    mut problems: Vec<Problem>,
) -> Result<Response, PageError> {
    let errors = [
        ("ar-amount", &sent.amount_error),
        ("ar-below", &sent.threshold_error),
        ("ar-cap", &sent.cap_error),
    ];
    problems.extend(errors.into_iter().filter_map(|(field, error)| {
        let text = error.clone()?;
        Some(Problem {
            field: Some(field),
            text,
        })
    }));
    let sent = Sent {
        problems,
        recharge: Some(sent),
        ..Sent::default()
    };
    page::again(visit, sent, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// Asks whether saving may charge so much now.
fn ask(
    visit: &Visit,
    fields: &Fields,
    wanted: &Wanted,
    charge: Amount,
) -> Result<Response, PageError> {
    let (words, money) = (visit.words, |amount| visit.money.money(amount));
    let before = visit.wallet.balances.balance - visit.wallet.balances.held
        + visit.wallet.balances.pending_top_ups;
    let plain = |amount: Amount| amount.display(visit.wallet.row.currency);
    let (how, amount) = match wanted.settings.refill {
        Refill::Fixed(amount) => ("fixed", amount),
        Refill::UpTo(target) => ("target", target),
    };
    let mut hidden = vec![
        ("enabled", "yes".to_owned()),
        ("how", how.to_owned()),
        ("amount", plain(amount)),
        ("threshold", plain(wanted.settings.threshold)),
        ("method", text(fields, "method")),
        ("agreed", plain(charge)),
    ];
    if let Some(cap) = wanted.settings.monthly_cap {
        hidden.push(("monthly_cap", visit.money.typed(cap)));
    }
    hidden.extend(fields.all("backup").map(|id| ("backup", id.to_owned())));
    let page = ReviewPage {
        words,
        frame: visit.frame(words.auto_recharge(), Place::Wallet, visit.url()),
        form: visit.form(),
        key: visit.form().key,
        path: "/wallet/auto-recharge",
        heading: words.recharge_review_heading(money(charge)),
        text: words.recharge_review_text(money(before), money(wanted.settings.threshold)),
        fields: hidden,
        facts: vec![
            Fact::new(words.charged(), money(charge).html()),
            Fact::sum(
                words.available_afterwards(),
                money(visit.wallet.balances.available + charge).html(),
            ),
        ],
        button: words.save_and_charge(money(charge)),
        back_url: visit.url(),
    };
    render(&page, StatusCode::OK)
}
