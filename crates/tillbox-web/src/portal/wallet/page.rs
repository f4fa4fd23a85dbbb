//! Shows the wallet page, or what stands in its place: setting up, or that there is no wallet.

use super::super::language;
use super::super::notice::{Notice, render};
use super::super::page_error::PageError;
use super::super::session::Session;
use super::super::view::{Place, Told, WalletPage};
use super::balance::HOLDS;
use super::movements::Wish;
use super::visit::{Arrival, Asked, Sent, Visit, signed_in};
use crate::words::Words;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use tillbox_core::hold::HoldStatus;
use tillbox_core::top_up::TopUpStatus;
use tillbox_core::wallet::WalletStatus;
use tillbox_service::{PortalSession, Service};
use tillbox_store::sqlite::holds::HoldFilter;
use tillbox_store::sqlite::top_ups::TopUpFilter;

/// Days that the picture of the balance shows.
const DAYS: i64 = 30;
/// Payments that are looked at for whether they wait for the customer.
const WAITING: usize = 3;

/// The page.
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    Session(session): Session,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let asked = Asked::of(query.as_deref());
    match Visit::arrive(service, session, asked.get("wallet")).await? {
        Arrival::Wallet(visit) => {
            let told = visit.told(&asked).await?;
            draw(&visit, &asked, told, Sent::default(), StatusCode::OK).await
        }
        Arrival::NoWallet(service, session) => no_wallet(&service, &session),
    }
}

/// The page again, after a form was refused: with what was typed, and what is wrong with it.
pub(super) async fn again(
    visit: &Visit,
    sent: Sent,
    status: StatusCode,
) -> Result<Response, PageError> {
    draw(visit, &Asked::of(None), None, sent, status).await
}

async fn draw(
    visit: &Visit,
    asked: &Asked,
    told: Option<Told>,
    sent: Sent,
    status: StatusCode,
) -> Result<Response, PageError> {
    if visit.wallet.status == WalletStatus::PendingActivation {
        return visit.setup_page(told, sent.problems, status).await;
    }
    let (service, who, wallet) = (&visit.service, visit.who(), visit.wallet_id());
    let history = service.history(who, wallet, DAYS).await?;
    let open = HoldFilter {
        status: Some(HoldStatus::Open),
    };
    let holds = service.holds(who, wallet, open, None, HOLDS + 1).await?;
    let health = service.auto_recharge(who, wallet).await?;
    let alerts = service.alerts(who, wallet).await?;
    let to_confirm = TopUpFilter {
        status: Some(TopUpStatus::RequiresAction),
        ..TopUpFilter::default()
    };
    let waiting = service.top_ups(who, wallet, to_confirm, None, WAITING);
    let waiting = waiting.await?;
    let methods = visit.methods().await?;
    let settings = visit.recharge_settings(&health);
    let would = service.would_recharge(who, wallet, settings).await?;
    let recharge = super::recharge_card::Facts {
        health: &health,
        would: Some(&would),
        settings,
        methods: &methods,
        history: &history,
    };
    let is_recharged = health
        .recharge
        .as_ref()
        .is_some_and(|recharge| recharge.is_enabled);
    let low_below = alerts.thresholds.first().copied();
    let low_below = low_below.filter(|below| alerts.is_enabled && below.is_positive());
    let page = WalletPage {
        words: visit.words,
        frame: visit
            .frame(visit.words.wallet(), Place::Wallet, visit.url())
            .wide(),
        form: visit.form(),
        wallet_name: visit.wallet.row.name.clone(),
        live_url: format!("/wallet/live?wallet={wallet}"),
        version: visit.wallet.version,
        help_url: visit.help_url(),
        wallets: visit.wallet_links(),
        problems: sent.problems,
        told,
        banners: visit.banners(&history, &alerts, &health, &waiting),
        balance: visit.balance(&history, &holds, low_below, is_recharged),
        add_funds: visit.add_funds(&history, &methods, sent.funds.as_ref()),
        methods: visit.cards(&methods, health.recharge.as_ref()),
        recharge: visit.recharge(&recharge, sent.recharge.as_ref()),
        alerts: visit.alerts(&alerts, sent.alerts.as_ref()),
        prices: visit.prices().await?,
        movements: visit.movements(&Wish::of(asked), &methods).await?,
    };
    render(&page, status)
}

fn no_wallet(service: &Service, session: &PortalSession) -> Result<Response, PageError> {
    let words = Words::of(language::current());
    let brand = service.brand(&session.principal);
    Notice::new(words.no_wallet())
        .of(&brand)
        .signed_in(signed_in(session, "/wallet".to_owned()))
        .says(&words.no_wallet_text(&brand.name))
        .page(StatusCode::OK)
}
