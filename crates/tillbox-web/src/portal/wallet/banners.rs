//! Banners: only where there is something to do, the most urgent one first.

use super::super::view::{Banner, BannerAction, Tone};
use super::alerts::shows_banner;
use super::visit::Visit;
use tillbox_core::recharge::{PauseReason, RechargeState, Standing};
use tillbox_core::top_up::TopUpStatus;
use tillbox_core::wallet::WalletStatus;
use tillbox_service::{AlertSettings, History, RechargeHealth, TopUpView};

impl Visit {
    /// What there is to do.
    pub(super) fn banners(
        &self,
        history: &History,
        alerts: &AlertSettings,
        health: &RechargeHealth,
        waiting: &[TopUpView],
    ) -> Vec<Banner> {
        let mut banners = Vec::new();
        banners.extend(self.standing_banner());
        banners.extend(self.to_confirm(waiting));
        banners.extend(self.recharge_banner(health));
        if shows_banner(alerts) {
            banners.extend(self.low_banner(history));
        }
        banners
    }

    fn standing_banner(&self) -> Option<Banner> {
        let words = self.words;
        let (heading, text) = match self.wallet.status {
            WalletStatus::Frozen => (words.frozen(), words.frozen_text()),
            WalletStatus::Closed => (words.closed(), words.closed_text()),
            WalletStatus::Active | WalletStatus::PendingActivation => return None,
        };
        Some(Banner {
            id: "standing",
            tone: Tone::Warn,
            heading: heading.to_owned(),
            text: text.to_owned(),
            actions: Vec::new(),
        })
    }

    /// Payments that wait for their customer at the bank.
    pub(super) fn to_confirm(&self, waiting: &[TopUpView]) -> Option<Banner> {
        let view = waiting
            .iter()
            .find(|view| view.row.top_up.status == TopUpStatus::RequiresAction)?;
        let url = view.row.calls.next_action.clone()?;
        Some(Banner {
            id: "to-confirm",
            tone: Tone::Warn,
            heading: self.words.waits_for_bank_text().to_owned(),
            text: self.words.payment_waits_text().to_owned(),
            actions: vec![BannerAction::Link {
                label: self.words.confirm_payment().to_owned(),
                url,
            }],
        })
    }

    /// A declined charge, with its reason and its remedy.
    fn recharge_banner(&self, health: &RechargeHealth) -> Option<Banner> {
        let words = self.words;
        let recharge = health.recharge.as_ref().filter(|one| one.is_enabled)?;
        let last = health.last_attempts.first()?;
        let is_declined = last.row.top_up.status == TopUpStatus::Failed
            && matches!(health.standing, Standing::Paused | Standing::CoolingDown);
        if !is_declined {
            return None;
        }
        let add_funds = BannerAction::Link {
            label: words.add_funds().to_owned(),
            url: "#add".to_owned(),
        };
        if recharge.state == RechargeState::Paused(PauseReason::AuthenticationRequired) {
            let method = last.row.calls.charged_method.or(last.row.top_up.method);
            let amount = last.row.top_up.amount;
            let mut fields = vec![("amount", amount.display(self.wallet.row.currency))];
            fields.extend(method.map(|id| ("method", id.to_string())));
            return Some(Banner {
                id: "recharge-waits",
                tone: Tone::Bad,
                heading: words.paused_authentication().to_owned(),
                text: words.paused_authentication_text().to_owned(),
                actions: vec![BannerAction::Post {
                    label: words.confirm_and_pay(self.money.money(amount)),
                    path: "/wallet/top-ups",
                    fields,
                }],
            });
        }
        let what_next = match recharge.state {
            RechargeState::CoolingDown { until } => words.tries_again_at(self.dates.lately(until)),
            RechargeState::Paused(PauseReason::HardDecline) => words.paused_hard().to_owned(),
            RechargeState::Paused(_) | RechargeState::Armed => words.paused_failures().to_owned(),
        };
        let reason = tillbox_service::payments::declines::decline_words(
            last.row.top_up.failure.as_deref().unwrap_or_default(),
            words.language(),
        );
        Some(Banner {
            id: "recharge-declined",
            tone: Tone::Bad,
            heading: words.recharge_declined().to_owned(),
            text: format!("{reason} {what_next}"),
            actions: vec![
                add_funds,
                BannerAction::Post {
                    label: words.add_card().to_owned(),
                    path: "/wallet/payment-methods",
                    fields: Vec::new(),
                },
                self.help_on("declined"),
            ],
        })
    }

    fn low_banner(&self, history: &History) -> Option<Banner> {
        let (words, available) = (self.words, self.wallet.balances.available);
        let is_used_up = !available.is_positive();
        // A wallet that nothing ever came into is new, not low.
        let is_new = history.balances.iter().all(|day| day.balance.is_zero());
        if !self.wallet.is_low && !is_used_up
            || is_new
            || self.wallet.status != WalletStatus::Active
        {
            return None;
        }
        let text = match self.last_day(history) {
            _ if is_used_up => words.balance_empty_text().to_owned(),
            Some((_, day)) => words.low_balance_lasts(self.dates.long_day(day)),
            None => words.low_balance_stops().to_owned(),
        };
        let heading = if is_used_up {
            words.balance_empty().to_owned()
        } else {
            words.low_balance_left(self.money.money(available))
        };
        Some(Banner {
            id: "low",
            tone: Tone::Bad,
            heading,
            text,
            actions: vec![
                BannerAction::Link {
                    label: words.add_funds().to_owned(),
                    url: "#add".to_owned(),
                },
                self.help_on(if is_used_up { "stopped" } else { "low" }),
            ],
        })
    }

    fn help_on(&self, topic: &str) -> BannerAction {
        BannerAction::Link {
            label: self.words.help().to_owned(),
            url: format!("{}#{topic}", self.help_url()),
        }
    }
}
