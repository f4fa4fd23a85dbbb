//! Activation: the first payment, which opens the wallet.

use super::super::form::Form;
use super::super::page_error::PageError;
use super::super::view::Problem;
use super::page;
use super::top_ups::{key_of, lead_on};
use super::visit::{Sent, Visit, see_other};
use crate::api::fingerprint::Fingerprint;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use tillbox_core::rejection::Rejection;
use tillbox_core::wallet::WalletStatus;
use tillbox_service::{Mode, Service, ServiceError};

/// Charges what activates the wallet.
pub(crate) async fn activate(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, fields) = Visit::of_form(service, form).await?;
    let fingerprint = Fingerprint::of("portal")
        .text("action", Some("activate"))
        .finish();
    let key = key_of(&visit, &fields, "activate", fingerprint)?;
    let (who, wallet) = (visit.who(), visit.wallet_id());
    let activation = visit
        .service
        .activate_wallet(who, wallet, None, Some(key), Mode::Commit)
        .await;
    let problem = match activation {
        Ok(activation) => {
            return Ok(match activation.payment {
                Some(view) => lead_on(&visit, &view, activation.replayed),
                None => match activated_by(&visit).await? {
                    Some(id) => see_other(&visit.url_telling(&format!("top-up&top_up={id}"))),
                    None => see_other(&visit.url()),
                },
            });
        }
        Err(ServiceError::Rejected { rejection, .. }) => match rejection {
            Rejection::PaymentMethodRequired => visit.words.activate_needs_card(),
            Rejection::WalletNotActive(WalletStatus::Active) => {
                return Ok(see_other(&visit.url()));
            }
            _ => visit.words.not_possible(),
        },
        Err(ServiceError::KeyReused) => visit.words.form_used(),
        Err(error) => return Err(error.into()),
    };
    let sent = Sent {
        problems: vec![Problem {
            field: None,
            text: problem.to_owned(),
        }],
        ..Sent::default()
    };
    page::again(&visit, sent, StatusCode::CONFLICT).await
}

/// The payment that has activated the wallet.
async fn activated_by(visit: &Visit) -> Result<Option<String>, PageError> {
    let filter = tillbox_store::sqlite::top_ups::TopUpFilter {
        reason: Some(tillbox_core::reason::Reason::Activation),
        ..Default::default()
    };
    let (who, wallet) = (visit.who(), visit.wallet_id());
    let views = visit.service.top_ups(who, wallet, filter, None, 1).await?;
    Ok(views.first().map(|view| view.row.id.to_string()))
}
