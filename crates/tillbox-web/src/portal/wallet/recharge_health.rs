//! How auto-recharge goes: what happened lately, why it does not charge, its last charges.

use super::super::view::{Attempt, Health, Meter, Note, Tone};
use super::recharge_card::Facts;
use super::visit::Visit;
use tillbox_core::recharge::{PauseReason, Recharge, RechargeState, Skip, Standing};
use tillbox_core::top_up::TopUpStatus;
use tillbox_service::payments::declines::decline_words;
use tillbox_service::{RechargeHealth, TopUpView};

impl Visit {
    /// What happened lately.
    pub(super) fn news(&self, facts: &Facts<'_>) -> Vec<Note> {
        let (words, health) = (self.words, facts.health);
        let Some(recharge) = health.recharge.as_ref().filter(|one| one.is_enabled) else {
            return Vec::new();
        };
        let mut news = Vec::new();
        let mut say = |tone, text: String| news.push(Note { tone, text });
        match (health.standing, recharge.state) {
            (Standing::Charging, _) => {
                if let Some(charge) = recharge.charge {
                    say(
                        Tone::Info,
                        words.charge_under_way(self.money.money(charge.amount)),
                    );
                }
            }
            // What was declined is said by a banner.
            (Standing::Paused, RechargeState::Paused(PauseReason::MoneyWentBack)) => {
                say(Tone::Warn, words.paused_money_back().to_owned());
            }
            (Standing::Paused, RechargeState::Paused(PauseReason::ByHand)) => {
                say(Tone::Warn, words.paused_by_hand().to_owned());
            }
            _ => {
                if let Some(last) = health.last_attempts.first()
                    && last.row.top_up.status == TopUpStatus::Succeeded
                {
                    let amount = self.money.money(last.row.top_up.amount);
                    let when = self.dates.lately(last.row.updated_at);
                    say(Tone::Good, words.last_charge_worked(amount, when));
                }
            }
        }
        match (recharge.skipped, recharge.settings.monthly_cap) {
            (Some(Skip::CapReached), Some(cap)) => {
                say(Tone::Warn, words.cap_reached_note(self.money.money(cap)));
            }
            (Some(Skip::MaximumBalance), _) => {
                say(Tone::Warn, words.maximum_balance_note().to_owned());
            }
            (Some(Skip::OutsideLimits), _) => {
                say(Tone::Warn, words.outside_limits_note().to_owned());
            }
            (Some(Skip::CapReached), None) | (None, _) => {}
        }
        news
    }

    pub(super) fn health(&self, facts: &Facts<'_>, recharge: &Recharge) -> Health {
        let (words, health) = (self.words, facts.health);
        let money = |amount| self.money.money(amount).to_string();
        let mut rows = Vec::new();
        if recharge.is_enabled {
            rows.push((words.now(), self.why(health, recharge)));
        }
        if let Some(at) = health.next_eligible_at {
            rows.push((words.next_try(), self.dates.lately(at)));
        }
        rows.push((words.compared(), money(health.effective)));
        let first = recharge.method;
        let charged = facts.methods.iter().find(|row| match first {
            Some(id) => row.id == id,
            None => row.is_default,
        });
        if let Some(row) = charged {
            let card = self.card(row);
            rows.push((
                words.card_charged(),
                format!("{}. {}", card.name, card.remark),
            ));
        }
        let cap = recharge
            .settings
            .monthly_cap
            .filter(|cap| cap.is_positive());
        let meter = cap.map(|cap| Meter {
            text: words.cap_used(money(health.month_charged), money(cap)),
            percent: i64::try_from(
                i128::from(health.month_charged.micros()) * 100 / i128::from(cap.micros()),
            )
            .unwrap_or(100)
            .clamp(0, 100),
        });
        if meter.is_none() {
            rows.push((words.charged_this_month(), money(health.month_charged)));
        }
        let attempts = health.last_attempts.iter().take(5);
        Health {
            is_open: matches!(health.standing, Standing::Paused | Standing::CoolingDown),
            facts: rows,
            meter,
            attempts: attempts.map(|view| self.attempt(view)).collect(),
        }
    }

    /// Why it does not charge now, or that it is about to.
    fn why(&self, health: &RechargeHealth, recharge: &Recharge) -> String {
        let words = self.words;
        match health.reason {
            None => words.about_to_charge(),
            Some("balance_not_below_threshold") => {
                let money = |amount| self.money.money(amount);
                let threshold = money(recharge.settings.threshold);
                return words.why_enough(money(health.effective), threshold);
            }
            Some("charge_in_flight") => words.why_in_flight(),
            Some("cooling_down") => words.why_cooling_down(),
            Some("monthly_cap_reached") => words.why_cap(),
            Some("maximum_balance") => words.why_maximum(),
            Some("outside_limits") => words.why_limits(),
            Some("wallet_not_active") => words.why_not_active(),
            Some(_) => words.why_paused(),
        }
        .to_owned()
    }

    fn attempt(&self, view: &TopUpView) -> Attempt {
        let (words, top_up) = (self.words, &view.row.top_up);
        let outcome = match top_up.status {
            TopUpStatus::Succeeded => words.status_completed().to_owned(),
            TopUpStatus::Pending | TopUpStatus::Processing => words.status_pending().to_owned(),
            TopUpStatus::RequiresAction => words.status_confirm().to_owned(),
            TopUpStatus::Canceled => words.status_canceled().to_owned(),
            TopUpStatus::Failed => decline_words(
                top_up.failure.as_deref().unwrap_or_default(),
                words.language(),
            )
            .to_owned(),
        };
        Attempt {
            when: self.dates.day_time(top_up.opened_at),
            outcome,
            amount: self.money.money(top_up.amount).html(),
        }
    }
}
