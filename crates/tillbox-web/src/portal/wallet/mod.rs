//! The wallet page. [`page`] shows it; each form of it has a file of its own, which reads what was typed, calls the
//! service function that the API calls, and leads back to the page, where [`told`] says what came of it.
//!
//! What was refused is said at its field, and what was typed stays ([`visit::Sent`]). Every form carries a key, so that
//! two presses of its button are one charge.

mod activate;
mod add_funds;
mod alerts;
mod auto_recharge;
mod balance;
mod banners;
mod cards;
mod csv;
mod help;
mod live;
mod movement;
mod movements;
mod page;
mod payment_methods;
mod preferences;
mod prices;
mod recharge_card;
mod recharge_health;
mod setup;
mod sync;
mod told;
mod top_ups;
mod visit;

use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;
use tillbox_service::Service;

/// The page's URLs.
pub(crate) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/wallet", get(page::show))
        .route("/wallet/activate", post(activate::activate))
        .route("/wallet/alerts", post(alerts::save))
        .route("/wallet/auto-recharge", post(auto_recharge::save))
        .route("/wallet/auto-recharge/resume", post(auto_recharge::resume))
        .route("/wallet/help", get(help::show))
        .route("/wallet/language", post(preferences::language))
        .route("/wallet/live", get(live::stream))
        .route("/wallet/payment-methods", post(payment_methods::add))
        .route(
            "/wallet/payment-methods/{id}/default",
            post(payment_methods::make_default),
        )
        .route(
            "/wallet/payment-methods/{id}/remove",
            post(payment_methods::remove),
        )
        .route("/wallet/sync", post(sync::sync))
        .route("/wallet/theme", post(preferences::theme))
        .route("/wallet/top-ups", post(top_ups::add))
        .route("/wallet/transactions.csv", get(csv::download))
}
