//! Setting a wallet up: a card first, then the first charge.

use super::super::notice::render;
use super::super::page_error::PageError;
use super::super::view::{Banner, Place, Problem, SetupPage, Told, Tone};
use super::visit::Visit;
use axum::http::StatusCode;
use axum::response::Response;
use tillbox_core::amount::Amount;
use tillbox_core::top_up::TopUpStatus;

impl Visit {
    /// The page of a wallet that waits to be activated.
    pub(super) async fn setup_page(
        &self,
        told: Option<Told>,
        problems: Vec<Problem>,
        status: StatusCode,
    ) -> Result<Response, PageError> {
        let (who, wallet) = (self.who(), self.wallet_id());
        let charge = self.service.activation_charge(who, wallet).await?;
        let charge = self.money.money(charge.unwrap_or(Amount::ZERO));
        let methods = self.methods().await?;
        let card = methods.iter().find(|row| row.is_default);
        let afterwards = self.money.money(
            self.wallet.balances.available
                + self.settings().activation_charge.unwrap_or(Amount::ZERO),
        );
        let page = SetupPage {
            words: self.words,
            frame: self.frame(self.words.set_up(), Place::Wallet, self.url()),
            form: self.form(),
            wallets: self.wallet_links(),
            problems,
            told,
            banners: self.activation_banner().await?,
            card: card.map(|row| self.card(row)),
            charge: charge.html(),
            charge_plain: charge.to_string(),
            afterwards: afterwards.html(),
            prices: self.prices().await?,
        };
        render(&page, status)
    }

    /// A first payment that is not over.
    async fn activation_banner(&self) -> Result<Vec<Banner>, PageError> {
        let (who, wallet) = (self.who(), self.wallet_id());
        let Some(payment) = self.service.open_activation(who, wallet).await? else {
            return Ok(Vec::new());
        };
        if payment.row.top_up.status == TopUpStatus::RequiresAction {
            return Ok(self.to_confirm(&[payment]).into_iter().collect());
        }
        Ok(vec![Banner {
            id: "under-way",
            tone: Tone::Info,
            heading: self.words.activation_under_way().to_owned(),
            text: self.words.payment_under_way_text().to_owned(),
            actions: Vec::new(),
        }])
    }
}
