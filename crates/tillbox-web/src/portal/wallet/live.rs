//! The balance as it changes, for a page that is open: an event for each change, with the texts of the page's language.
//! It ends when the session would.

use super::super::language;
use super::super::page_error::PageError;
use super::super::session::Session;
use super::visit::{Arrival, Asked, Visit};
use crate::live::{self, News, Streams};
use crate::words::dates::Dates;
use crate::words::money::MoneyForm;
use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use tillbox_core::id::WalletId;
use tillbox_core::reason::Language;
use tillbox_core::time::Timestamp;
use tillbox_service::{BalanceView, Principal, Service};

/// What is told of a balance.
#[derive(Serialize)]
struct Told {
    version: u64,
    /// In the plain form.
    value: String,
    /// In pieces, each with its style.
    available: Vec<(&'static str, String)>,
    updated: String,
    updated_at: String,
}

/// Where a stream stands.
struct Following {
    service: Arc<Service>,
    who: Principal,
    wallet: WalletId,
    language: Language,
    ends_at: Timestamp,
    told: Option<u64>,
    has_ended: bool,
}

/// The stream.
pub(crate) async fn stream(
    State(service): State<Arc<Service>>,
    streams: Option<Extension<Streams>>,
    Session(session): Session,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let asked = Asked::of(query.as_deref());
    let ends_at = session.expires_at;
    let arrival = Visit::arrive(service, session, asked.get("wallet")).await?;
    let Arrival::Wallet(visit) = arrival else {
        return Err(PageError::NotFound);
    };
    let committed = visit.service.committed();
    let following = Following {
        wallet: visit.wallet_id(),
        who: visit.session.principal.clone(),
        service: Arc::clone(&visit.service),
        language: language::current(),
        ends_at,
        told: None,
        has_ended: false,
    };
    live::stream(streams, committed, following, look).map_err(|_full| PageError::Busy)
}

async fn look(mut following: Following) -> Option<(Following, News)> {
    if following.has_ended {
        return None;
    }
    if following.service.now() >= following.ends_at {
        following.has_ended = true;
        let bytes = live::message(0, "end", b"{}");
        let has_more = true;
        return Some((following, News { bytes, has_more }));
    }
    let read = following
        .service
        .balance(&following.who, following.wallet, None);
    let balance = match read.await {
        Ok(balance) => balance,
        Err(error) => {
            tracing::debug!(%error, "a balance can't be followed");
            return None;
        }
    };
    let version = balance.version;
    let bytes = if following.told == Some(version) {
        Vec::new()
    } else {
        following.told = Some(version);
        let told = following.tell(&balance);
        let data = serde_json::to_vec(&told).expect("plain values");
        live::message(version, "balance", &data)
    };
    let has_more = false;
    Some((following, News { bytes, has_more }))
}

impl Following {
    fn tell(&self, balance: &BalanceView) -> Told {
        let money = MoneyForm::new(balance.currency, self.language);
        let zone = self.service.time_zone(&self.who);
        let dates = Dates::new(&zone, self.language, balance.as_of);
        let available = balance.balances.available;
        Told {
            version: balance.version,
            value: available.display(balance.currency),
            available: money.money(available).pieces(),
            updated: dates.lately(balance.updated_at),
            updated_at: balance.updated_at.to_string(),
        }
    }
}
