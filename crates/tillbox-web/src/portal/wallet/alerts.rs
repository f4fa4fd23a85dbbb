//! Low-balance alerts, as far as they concern the page: the amounts, and whether a banner is shown. Other ways of being
//! told are the merchant's to set, and stay as they are.

use super::super::form::Form;
use super::super::page_error::PageError;
use super::super::view::{AlertField, AlertsCard, Problem};
use super::page;
use super::visit::{Sent, SentAlerts, Visit, see_other};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_service::{AlertChannel, AlertSettings, NewAlerts, Service, ServiceError};

/// Amounts that the form has at least, and at most.
const FIELDS: usize = 2;
const MOST_FIELDS: usize = 10;
/// The fields' ids: what an error points at.
const IDS: [&str; MOST_FIELDS] = [
    "alert-1", "alert-2", "alert-3", "alert-4", "alert-5", "alert-6", "alert-7", "alert-8",
    "alert-9", "alert-10",
];

impl Visit {
    /// The card, with what was sent where something was refused.
    pub(super) fn alerts(&self, alerts: &AlertSettings, sent: Option<&SentAlerts>) -> AlertsCard {
        let saved = || {
            let thresholds = alerts.thresholds.iter();
            let typed = thresholds
                .filter(|threshold| threshold.is_positive())
                .map(|threshold| (self.money.typed(*threshold), None));
            let mut fields: Vec<_> = typed.collect();
            fields.push((String::new(), None));
            fields.resize(fields.len().max(FIELDS), (String::new(), None));
            fields
        };
        let fields = sent.map_or_else(saved, |sent| sent.fields.clone());
        let fields = fields.into_iter().take(MOST_FIELDS);
        AlertsCard {
            shows_banner: sent.map_or_else(|| shows_banner(alerts), |sent| sent.shows_banner),
            fields: fields
                .map(|(value, error)| AlertField { value, error })
                .collect(),
            affix: self.affix(),
        }
    }
}

/// Whether the page warns by a banner.
pub(super) fn shows_banner(alerts: &AlertSettings) -> bool {
    alerts.is_enabled && alerts.channels.contains(&AlertChannel::Banner)
}

/// Saves the amounts, and whether a banner is shown.
pub(crate) async fn save(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, fields) = Visit::of_form(service, form).await?;
    let shows_banner = fields.get("banner").is_some();
    let mut thresholds = Vec::new();
    let mut sent = SentAlerts {
        shows_banner,
        fields: Vec::new(),
    };
    for typed in fields.all("threshold").take(MOST_FIELDS) {
        let read = match typed {
            "" => Ok(Amount::ZERO),
            typed => visit.read_amount(typed),
        };
        sent.fields.push((typed.to_owned(), read.clone().err()));
        thresholds.extend(read.ok());
    }
    let (who, wallet) = (visit.who(), visit.wallet_id());
    if sent.fields.iter().all(|(_, error)| error.is_none()) {
        let before = visit.service.alerts(who, wallet).await?;
        let mut channels = before.channels;
        channels.retain(|channel| *channel != AlertChannel::Banner);
        if shows_banner {
            channels.push(AlertChannel::Banner);
        }
        let new = NewAlerts {
            is_enabled: before.is_enabled || shows_banner,
            thresholds,
            channels,
            emails: before.emails,
        };
        match visit.service.set_alerts(who, wallet, new).await {
            Ok(()) => return Ok(see_other(&visit.url_telling("alerts"))),
            Err(ServiceError::Rejected { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let wrong = sent.fields.iter().zip(IDS);
    let mut problems: Vec<Problem> = wrong
        .filter_map(|((_, error), id)| {
            let text = error.clone()?;
            Some(Problem {
                field: Some(id),
                text,
            })
        })
        .collect();
    if problems.is_empty() {
        problems.push(Problem {
            field: None,
            text: visit.words.not_possible().to_owned(),
        });
    }
    let sent = Sent {
        problems,
        alerts: Some(sent),
        ..Sent::default()
    };
    page::again(&visit, sent, StatusCode::UNPROCESSABLE_ENTITY).await
}
