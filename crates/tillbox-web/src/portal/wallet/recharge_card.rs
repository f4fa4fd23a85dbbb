//! The card of auto-recharge: the sentence that sets it, and what saving it does at once.

use super::super::view::{AmountField, Choice, More, RechargeCard, Tone};
use super::cards;
use super::visit::{SentRecharge, Visit};
use tillbox_core::amount::Amount;
use tillbox_core::recharge::{
    NoCharge, PauseReason, Recharge, RechargeSettings, RechargeState, Refill, Standing,
};
use tillbox_service::{History, RechargeHealth, WouldCharge};
use tillbox_store::sqlite::payment_methods::PaymentMethodRow;

/// Backups that the form offers.
const BACKUPS: usize = 2;
/// What the form says where nothing was ever saved and the merchant names no choices.
const THRESHOLD: Amount = Amount::from_micros(50_000_000);

/// What the page knows of it.
pub(super) struct Facts<'a> {
    pub(super) health: &'a RechargeHealth,
    pub(super) would: Option<&'a WouldCharge>,
    pub(super) settings: RechargeSettings,
    pub(super) methods: &'a [PaymentMethodRow],
    pub(super) history: &'a History,
}

impl Visit {
    /// The settings that the form shows: as saved, otherwise what the merchant proposes.
    pub(super) fn recharge_settings(&self, health: &RechargeHealth) -> RechargeSettings {
        if let Some(recharge) = &health.recharge {
            return recharge.settings;
        }
        let here = self.settings();
        let amount = here.recharge_presets.first().copied();
        let thresholds = &here.threshold_presets;
        let threshold = thresholds.get(thresholds.len() / 2).copied();
        RechargeSettings {
            threshold: threshold.unwrap_or(THRESHOLD),
            refill: Refill::Fixed(amount.unwrap_or(here.top_up_minimum)),
            monthly_cap: None,
        }
    }

    /// The card.
    pub(super) fn recharge(&self, facts: &Facts<'_>, sent: Option<&SentRecharge>) -> RechargeCard {
        let (words, health, here) = (self.words, facts.health, self.settings());
        let recharge = health.recharge.as_ref();
        let is_on = recharge.is_some_and(|recharge| recharge.is_enabled);
        let settings = facts.settings;
        let (is_target, amount) = match settings.refill {
            Refill::Fixed(amount) => (false, amount),
            Refill::UpTo(target) => (true, target),
        };
        let (state, tone) = self.standing(health.standing);
        let amount_sent = sent.map(|sent| {
            let typed = (sent.amount.as_str(), sent.amount_other.as_str());
            (typed, sent.amount_error.clone())
        });
        let threshold_sent = sent.map(|sent| {
            let typed = (sent.threshold.as_str(), sent.threshold_other.as_str());
            (typed, sent.threshold_error.clone())
        });
        let unavailable = if !self.takes_money() {
            Some(words.not_on_this_wallet())
        } else if facts.methods.is_empty() {
            Some(words.needs_card())
        } else {
            None
        };
        let charge = facts.would.and_then(|would| would.charge.ok());
        let charge = charge.filter(|_| sent.is_none() && unavailable.is_none());
        let (charge_heading, charge_text) = self.charge_words(facts, is_on);
        let button = match (is_on, charge) {
            (false, None) => words.turn_on().to_owned(),
            (false, Some(charge)) => words.turn_on_and_charge(self.money.money(charge)),
            (true, None) => words.save_settings().to_owned(),
            (true, Some(charge)) => words.save_and_charge(self.money.money(charge)),
        };
        let is_refused = recharge.is_some_and(|recharge| {
            recharge.state == RechargeState::Paused(PauseReason::HardDecline)
        });
        let cap = settings.monthly_cap.map(|cap| self.money.typed(cap));
        let cap_error = sent.and_then(|sent| sent.cap_error.clone());
        let chosen_method = match sent {
            Some(sent) => sent.method.clone(),
            None => recharge
                .and_then(|recharge| recharge.method)
                .map_or_else(String::new, |id| id.to_string()),
        };
        RechargeCard {
            state,
            tone,
            is_on,
            news: self.news(facts),
            can_resume: is_on && may_resume(health),
            unavailable,
            is_target: sent.map_or(is_target, |sent| sent.is_target),
            amount: self.amount_field(&here.recharge_presets, amount, amount_sent),
            threshold: self.amount_field(
                &here.threshold_presets,
                settings.threshold,
                threshold_sent,
            ),
            affix: self.affix(),
            limits: self.limits(here.top_up_minimum, here.top_up_maximum),
            proposal: self.proposal(facts, &here.threshold_presets),
            charge_heading,
            charge_text,
            agreed: charge
                .map(|charge| charge.display(self.wallet.row.currency))
                .unwrap_or_default(),
            more: More {
                is_open: cap_error.is_some() || is_refused,
                summary: self.more(facts, settings.monthly_cap),
                cap: sent.map_or_else(|| cap.unwrap_or_default(), |sent| sent.cap.clone()),
                cap_error,
                methods: self.method_list(facts.methods, &chosen_method),
                backups: self.backups(facts.methods, recharge, sent),
            },
            button,
            health: recharge.map(|recharge| self.health(facts, recharge)),
        }
    }

    fn standing(&self, standing: Standing) -> (&'static str, Tone) {
        let words = self.words;
        match standing {
            Standing::Off => (words.is_off(), Tone::Plain),
            Standing::Armed => (words.is_on(), Tone::Good),
            Standing::Charging => (words.is_charging(), Tone::Info),
            Standing::CoolingDown => (words.is_cooling_down(), Tone::Warn),
            Standing::Paused => (words.is_paused(), Tone::Bad),
        }
    }

    /// Presets to choose from, and a field for another amount.
    fn amount_field(
        &self,
        presets: &[Amount],
        value: Amount,
        sent: Option<((&str, &str), Option<String>)>,
    ) -> AmountField {
        let plain = |amount: Amount| amount.display(self.wallet.row.currency);
        let (typed, error) = match sent {
            Some((typed, error)) => (Some(typed), error),
            None => (None, None),
        };
        let chosen = typed.map_or_else(|| plain(value), |(chosen, _)| chosen.to_owned());
        let choice = |preset: &Amount| Choice {
            value: plain(*preset),
            label: self.money.short(*preset).to_string(),
            is_chosen: plain(*preset) == chosen,
        };
        let choices: Vec<Choice> = presets.iter().map(choice).collect();
        let is_other = !choices.iter().any(|choice| choice.is_chosen);
        AmountField {
            other: match typed {
                Some((_, typed)) => typed.to_owned(),
                None if is_other => self.money.typed(value),
                None => String::new(),
            },
            choices,
            is_other,
            error,
        }
    }

    fn method_list(&self, methods: &[PaymentMethodRow], chosen: &str) -> Vec<Choice> {
        let choice = |row: &PaymentMethodRow| Choice {
            value: row.id.to_string(),
            label: cards::name(self.words, row),
            is_chosen: row.id.to_string() == chosen,
        };
        methods.iter().map(choice).collect()
    }

    fn backups(
        &self,
        methods: &[PaymentMethodRow],
        recharge: Option<&Recharge>,
        sent: Option<&SentRecharge>,
    ) -> Vec<Vec<Choice>> {
        let saved = recharge.map_or(&[][..], |recharge| &recharge.backups);
        let places = methods.len().saturating_sub(1).min(BACKUPS);
        let chosen = |place: usize| match sent {
            Some(sent) => sent.backups.get(place).cloned(),
            None => saved.get(place).map(ToString::to_string),
        };
        (0..places)
            .map(|place| self.method_list(methods, &chosen(place).unwrap_or_default()))
            .collect()
    }

    /// What 30 days cost, and the threshold that covers them.
    fn proposal(&self, facts: &Facts<'_>, choices: &[Amount]) -> Option<String> {
        let spending = &facts.history.spending;
        let cost = spending
            .per_days(30)
            .filter(|cost| cost.is_positive())
            .map(|cost| self.money.money(super::balance::to_cents(cost, self)))?;
        Some(match spending.threshold(choices) {
            Some(threshold) => self
                .words
                .cycle_cost_covered(cost, self.money.short(threshold)),
            None => self.words.cycle_cost(cost),
        })
    }

    /// What saving does at once.
    fn charge_words(&self, facts: &Facts<'_>, is_on: bool) -> (Option<String>, String) {
        let (words, money) = (self.words, |amount| self.money.money(amount));
        let nothing = |why: String| (Some(words.nothing_charged_now().to_owned()), why);
        let Some(would) = facts.would else {
            return nothing(String::new());
        };
        let charge = match would.charge {
            Ok(charge) => charge,
            Err(NoCharge::EnoughLeft) => {
                return nothing(words.fires_below(money(facts.settings.threshold)));
            }
            Err(NoCharge::InFlight) => {
                return nothing(words.a_charge_is_under_way().to_owned());
            }
            Err(NoCharge::CapReached) => return nothing(words.cap_would_hold().to_owned()),
            Err(
                NoCharge::MaximumBalance
                | NoCharge::OutsideLimits
                | NoCharge::NotActive(_)
                | NoCharge::Paused(_)
                | NoCharge::CoolingDown(_),
            ) => return nothing(words.limits_would_hold().to_owned()),
        };
        let heading = if is_on {
            words.saving_charges(money(charge))
        } else {
            words.turning_on_charges(money(charge))
        };
        let (before, after) = (money(would.effective), money(would.effective + charge));
        let count = match facts.settings.refill {
            Refill::Fixed(amount) if amount.is_positive() => charge.micros() / amount.micros(),
            Refill::Fixed(_) | Refill::UpTo(_) => 1,
        };
        let text = if count > 1 {
            words.charge_in_multiples(before, after, count)
        } else {
            words.charge_from_to(before, after)
        };
        (Some(heading), text)
    }

    fn more(&self, facts: &Facts<'_>, cap: Option<Amount>) -> String {
        let recharge = facts.health.recharge.as_ref();
        let first = recharge.and_then(|recharge| recharge.method);
        let first = facts.methods.iter().find(|row| Some(row.id) == first);
        let card = first.map_or_else(
            || self.words.the_default_card().to_owned(),
            |row| cards::name(self.words, row),
        );
        match cap {
            Some(cap) => self
                .words
                .more_settings_with_cap(card, self.money.short(cap)),
            None => self.words.more_settings(card),
        }
    }
}

/// Whether trying again as it is may help: a card that was refused for good is not charged again.
fn may_resume(health: &RechargeHealth) -> bool {
    let state = health.recharge.as_ref().map(|recharge| recharge.state);
    matches!(health.standing, Standing::Paused | Standing::CoolingDown)
        && state != Some(RechargeState::Paused(PauseReason::HardDecline))
}
