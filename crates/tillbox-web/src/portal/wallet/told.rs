//! What came of a form: said on the page that it leads to. The address says which form it was and names what came of
//! it; what is said of that is looked up, so that it is true whoever wrote the address.

use super::super::page_error::PageError;
use super::super::view::{Told, Tone};
use super::cards;
use super::visit::{Asked, Visit};
use tillbox_core::amount::Amount;
use tillbox_core::id::{PaymentMethodId, TopUpId};
use tillbox_core::reason::Reason;
use tillbox_core::recharge::Standing;
use tillbox_core::top_up::TopUpStatus;
use tillbox_core::wallet::WalletStatus;
use tillbox_service::payments::declines::decline_words;
use tillbox_service::{ServiceError, TopUpView};

/// Seconds for which a card counts as just added.
const JUST_NOW: i64 = 600;
/// Payments of a sync whose sum is told.
const SYNCED: usize = 50;

fn told(tone: Tone, heading: impl Into<String>, text: impl Into<String>) -> Told {
    Told {
        tone,
        heading: heading.into(),
        text: text.into(),
    }
}

impl Visit {
    /// What the page says first.
    pub(super) async fn told(&self, asked: &Asked) -> Result<Option<Told>, PageError> {
        // Who comes back from a payment page brings the payment alone.
        let returned = asked.get("top_up").map(|_| "top-up");
        let Some(what) = asked.get("told").or(returned) else {
            return Ok(None);
        };
        let words = self.words;
        let top_up = match asked.get("top_up") {
            Some(id) => self.named_top_up(id).await?,
            None => None,
        };
        Ok(match what {
            "top-up" => top_up.map(|view| self.of_payment(&view, asked.get("again").is_some())),
            "card" => Some(self.of_new_card().await?),
            "no-card" => Some(told(Tone::Info, words.card_not_added(), "")),
            "default" => match asked.get("method") {
                Some(id) => self.of_default(id).await?,
                None => None,
            },
            "alerts" => Some(told(Tone::Good, words.alerts_saved(), "")),
            "removed" => Some(told(Tone::Good, words.card_removed(), "")),
            "sync" => Some(self.of_sync(asked).await?),
            "recharge-on" | "recharge-resumed" => self.of_recharge(what, top_up).await?,
            "recharge-off" => Some(told(
                Tone::Info,
                words.recharge_saved_off(),
                words.recharge_saved_off_text(),
            )),
            _ => None,
        })
    }

    /// A top-up of this wallet; one of another is none.
    async fn named_top_up(&self, id: &str) -> Result<Option<TopUpView>, PageError> {
        let Ok(id) = TopUpId::parse(id) else {
            return Ok(None);
        };
        match self.service.top_up(self.who(), self.wallet_id(), id).await {
            Ok(view) => Ok(Some(view)),
            Err(ServiceError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn balance_now(&self) -> String {
        let available = self.money.money(self.wallet.balances.available);
        self.words.balance_is_now(available)
    }

    fn of_payment(&self, view: &TopUpView, is_again: bool) -> Told {
        let (words, top_up) = (self.words, &view.row.top_up);
        let amount = self.money.money(top_up.amount);
        match top_up.status {
            TopUpStatus::Succeeded if is_again => {
                let available = self.money.money(self.wallet.balances.available);
                told(
                    Tone::Info,
                    words.done_before(),
                    words.done_before_text(available),
                )
            }
            TopUpStatus::Succeeded if top_up.reason == Reason::Activation => {
                told(Tone::Good, words.activated(amount), words.activated_text())
            }
            TopUpStatus::Succeeded => told(Tone::Good, words.added(amount), self.balance_now()),
            TopUpStatus::Failed => {
                let code = top_up.failure.as_deref().unwrap_or_default();
                let reason = decline_words(code, words.language());
                let heading = if top_up.reason == Reason::Activation {
                    words.activation_declined()
                } else {
                    words.payment_declined()
                };
                told(Tone::Bad, heading, words.nothing_charged(reason))
            }
            TopUpStatus::Canceled => told(
                Tone::Info,
                words.payment_canceled(),
                words.payment_canceled_text(),
            ),
            TopUpStatus::Processing => told(
                Tone::Info,
                words.payment_under_way(),
                words.payment_under_way_text(),
            ),
            TopUpStatus::Pending | TopUpStatus::RequiresAction => told(
                Tone::Warn,
                words.payment_waits(),
                words.payment_waits_text(),
            ),
        }
    }

    /// The card that was added just now, once the provider has told of it.
    async fn of_new_card(&self) -> Result<Told, PageError> {
        let words = self.words;
        let since = self.service.now().plus_seconds(-JUST_NOW);
        let (who, customer) = (self.who(), self.session.customer.id);
        let added = self.service.wait_for_new_method(who, customer, since);
        if added.await?.is_none() {
            return Ok(told(
                Tone::Info,
                words.card_under_way(),
                words.card_under_way_text(),
            ));
        }
        let next = if self.wallet.status == WalletStatus::PendingActivation {
            words.card_saved_next()
        } else {
            ""
        };
        Ok(told(Tone::Good, words.card_saved(), next))
    }

    async fn of_default(&self, id: &str) -> Result<Option<Told>, PageError> {
        let Ok(id) = PaymentMethodId::parse(id) else {
            return Ok(None);
        };
        let methods = self.methods().await?;
        let found = methods.iter().find(|row| row.id == id && row.is_default);
        Ok(found.map(|row| {
            let card = cards::name(self.words, row);
            told(Tone::Good, self.words.card_is_default(card), "")
        }))
    }

    /// What a sync found: how much was asked about, and the sum of what was credited.
    async fn of_sync(&self, asked: &Asked) -> Result<Told, PageError> {
        let words = self.words;
        let number = |name| {
            let text: &str = asked.get(name).unwrap_or_default();
            text.parse::<usize>().unwrap_or(0)
        };
        let (checked, failed) = (number("checked"), number("failed"));
        let ids = asked.get("credited").unwrap_or_default().split(',');
        let (mut count, mut sum) = (0_usize, Amount::ZERO);
        for id in ids.filter(|id| !id.is_empty()).take(SYNCED) {
            if let Some(view) = self.named_top_up(id).await?
                && view.row.top_up.status == TopUpStatus::Succeeded
            {
                count += 1;
                sum = sum.checked_add(view.row.top_up.amount).unwrap_or(sum);
            }
        }
        let sum = self.money.money(sum);
        Ok(match (count, failed, checked) {
            (1, _, _) => told(
                Tone::Good,
                words.synced_credited_one(sum),
                self.balance_now(),
            ),
            (2.., _, _) => told(
                Tone::Good,
                words.synced_credited(count, sum),
                self.balance_now(),
            ),
            (0, 1.., _) => told(
                Tone::Warn,
                words.synced_failed(),
                words.synced_failed_text(),
            ),
            (0, 0, 0) => {
                let available = self.money.money(self.wallet.balances.available);
                told(
                    Tone::Good,
                    words.synced_nothing_open(),
                    words.synced_nothing_open_text(available),
                )
            }
            (0, 0, 1) => told(
                Tone::Info,
                words.synced_still_open(),
                words.synced_checked_one(),
            ),
            (0, 0, _) => told(
                Tone::Info,
                words.synced_still_open(),
                words.synced_checked(checked),
            ),
        })
    }

    /// Auto-recharge was saved or resumed, and perhaps charged at once.
    async fn of_recharge(
        &self,
        what: &str,
        charged: Option<TopUpView>,
    ) -> Result<Option<Told>, PageError> {
        let (words, who, wallet) = (self.words, self.who(), self.wallet_id());
        let health = self.service.auto_recharge(who, wallet).await?;
        if health.standing == Standing::Off {
            return Ok(None);
        }
        let heading = if what == "recharge-on" {
            words.recharge_saved_on()
        } else {
            words.recharge_resumed()
        };
        let Some(view) = charged else {
            return Ok(Some(told(Tone::Good, heading, self.balance_now())));
        };
        let amount = self.money.money(view.row.top_up.amount);
        Ok(Some(match view.row.top_up.status {
            TopUpStatus::Succeeded => {
                let available = self.money.money(self.wallet.balances.available);
                told(
                    Tone::Good,
                    heading,
                    words.recharge_charged(amount, available),
                )
            }
            TopUpStatus::Failed | TopUpStatus::Canceled => {
                let code = view.row.top_up.failure.as_deref().unwrap_or_default();
                let reason = decline_words(code, words.language());
                told(Tone::Bad, words.recharge_declined(), reason)
            }
            TopUpStatus::Pending | TopUpStatus::RequiresAction | TopUpStatus::Processing => {
                told(Tone::Info, heading, words.recharge_charging(amount))
            }
        }))
    }
}
