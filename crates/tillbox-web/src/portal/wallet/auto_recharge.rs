//! Auto-recharge: the sentence that sets it, what saving it does at once, how it goes.
//!
//! Nothing is charged that was not agreed to: the form says what saving it would charge. Where what was typed comes to
//! another charge than the form said, a page asks before anything is saved.

use super::super::form::{Fields, Form};
use super::super::notice::render;
use super::super::page_error::PageError;
use super::super::view::{
    AmountField, Attempt, Choice, Fact, Health, Meter, More, Note, Place, Problem, RechargeCard,
    ReviewPage, Tone,
};
use super::cards;
use super::page;
use super::visit::{Sent, SentRecharge, Visit, method, see_other, text};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::recharge::{
    NoCharge, PauseReason, Recharge, RechargeSettings, RechargeState, Refill, Skip, Standing,
};
use tillbox_core::rejection::Rejection;
use tillbox_core::top_up::TopUpStatus;
use tillbox_service::payments::declines::decline_words;
use tillbox_service::{
    History, Mode, NewRecharge, RechargeHealth, Service, ServiceError, TopUpView, WouldCharge,
};
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

    /// What happened lately.
    fn news(&self, facts: &Facts<'_>) -> Vec<Note> {
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

    fn health(&self, facts: &Facts<'_>, recharge: &Recharge) -> Health {
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

/// Whether trying again as it is may help: a card that was refused for good is not charged again.
fn may_resume(health: &RechargeHealth) -> bool {
    let state = health.recharge.as_ref().map(|recharge| recharge.state);
    matches!(health.standing, Standing::Paused | Standing::CoolingDown)
        && state != Some(RechargeState::Paused(PauseReason::HardDecline))
}

/// What the form asks for.
struct Wanted {
    settings: RechargeSettings,
    new: NewRecharge,
}

/// Saves the form, turns auto-recharge off, or asks whether it may charge now.
pub(crate) async fn save(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, fields) = Visit::of_form(service, form).await?;
    if fields.get("enabled") == Some("no") {
        return turn_off(&visit).await;
    }
    let mut sent = SentRecharge {
        is_target: fields.get("how") == Some("target"),
        amount: text(&fields, "amount"),
        amount_other: text(&fields, "amount_other"),
        threshold: text(&fields, "threshold"),
        threshold_other: text(&fields, "threshold_other"),
        cap: text(&fields, "monthly_cap"),
        method: text(&fields, "method"),
        backups: fields.all("backup").map(str::to_owned).collect(),
        ..SentRecharge::default()
    };
    let Some(wanted) = read(&visit, &fields, &mut sent)? else {
        return refused(&visit, sent, Vec::new()).await;
    };
    let (who, wallet) = (visit.who(), visit.wallet_id());
    let would = visit.service.would_recharge(who, wallet, wanted.settings);
    if let Ok(charge) = would.await?.charge {
        let plain = charge.display(visit.wallet.row.currency);
        if fields.get("agreed") != Some(plain.as_str()) {
            return ask(&visit, &fields, &wanted, charge);
        }
    }
    let saved = visit
        .service
        .set_auto_recharge(who, wallet, wanted.new, Mode::Commit)
        .await;
    match saved {
        Ok(()) => {}
        Err(error) => {
            let problems = explain(&visit, error, &mut sent)?;
            return refused(&visit, sent, problems).await;
        }
    }
    let charged = visit.service.wait_for_recharge(who, wallet).await?;
    let told = match charged {
        Some(id) => format!("recharge-on&top_up={id}"),
        None => "recharge-on".to_owned(),
    };
    Ok(see_other(&visit.url_telling(&told)))
}

/// Tries again, as if nothing had failed.
pub(crate) async fn resume(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let (visit, _fields) = Visit::of_form(service, form).await?;
    let (who, wallet) = (visit.who(), visit.wallet_id());
    match visit.service.resume_auto_recharge(who, wallet).await {
        // It goes on already: pressed twice, or resumed by a payment.
        Ok(()) | Err(ServiceError::Rejected { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let charged = visit.service.wait_for_recharge(who, wallet).await?;
    let told = match charged {
        Some(id) => format!("recharge-resumed&top_up={id}"),
        None => "recharge-resumed".to_owned(),
    };
    Ok(see_other(&visit.url_telling(&told)))
}

async fn turn_off(visit: &Visit) -> Result<Response, PageError> {
    let (who, wallet) = (visit.who(), visit.wallet_id());
    let health = visit.service.auto_recharge(who, wallet).await?;
    if let Some(recharge) = health.recharge {
        let new = NewRecharge {
            is_enabled: false,
            settings: recharge.settings,
            method: recharge.method,
            backups: recharge.backups,
        };
        let saved = visit
            .service
            .set_auto_recharge(who, wallet, new, Mode::Commit);
        saved.await?;
    }
    Ok(see_other(&visit.url_telling("recharge-off")))
}

/// What was typed; none where something is wrong, which then stands in `sent`.
fn read(
    visit: &Visit,
    fields: &Fields,
    sent: &mut SentRecharge,
) -> Result<Option<Wanted>, PageError> {
    let choice = |chosen: &str, other: &str| match chosen {
        "other" => visit.read_amount(other),
        chosen => {
            Amount::parse(chosen).map_err(|_malformed| visit.words.amount_missing().to_owned())
        }
    };
    let amount = choice(&sent.amount, &sent.amount_other);
    let threshold = choice(&sent.threshold, &sent.threshold_other);
    let cap = match sent.cap.as_str() {
        "" => Ok(None),
        typed => visit.read_amount(typed).map(Some),
    };
    let amount = match amount {
        Ok(amount) if !sent.is_target => visit.check_charge_alone(amount).map(|()| amount),
        read => read,
    };
    sent.amount_error = amount.as_ref().err().cloned();
    sent.threshold_error = threshold.as_ref().err().cloned();
    sent.cap_error = cap.as_ref().err().cloned();
    let (Ok(amount), Ok(threshold), Ok(monthly_cap)) = (amount, threshold, cap) else {
        return Ok(None);
    };
    if sent.is_target && amount < threshold {
        sent.amount_error = Some(visit.words.target_below_threshold().to_owned());
        return Ok(None);
    }
    let settings = RechargeSettings {
        threshold,
        refill: if sent.is_target {
            Refill::UpTo(amount)
        } else {
            Refill::Fixed(amount)
        },
        monthly_cap: monthly_cap.filter(|cap| cap.is_positive()),
    };
    let method = method(fields, "method")?;
    let mut backups = Vec::new();
    for id in fields.all("backup").filter(|id| !id.is_empty()) {
        let id = tillbox_core::id::PaymentMethodId::parse(id)
            .map_err(|_malformed| PageError::UnreadableForm)?;
        if Some(id) != method && !backups.contains(&id) {
            backups.push(id);
        }
    }
    Ok(Some(Wanted {
        settings,
        new: NewRecharge {
            is_enabled: true,
            settings,
            method,
            backups,
        },
    }))
}

/// A refusal of the ledger at the field that it is about; faults are no refusals.
fn explain(
    visit: &Visit,
    error: ServiceError,
    sent: &mut SentRecharge,
) -> Result<Vec<Problem>, PageError> {
    let (words, money) = (visit.words, |amount| visit.money.money(amount));
    let rejection = match error {
        ServiceError::Rejected { rejection, .. } => rejection,
        ServiceError::NotFound => {
            return Ok(vec![Problem {
                field: Some("ar-pm"),
                text: words.method_gone().to_owned(),
            }]);
        }
        other => return Err(other.into()),
    };
    match rejection {
        Rejection::AmountOutOfRange { minimum, maximum } => {
            sent.amount_error = Some(match (minimum, maximum) {
                (Some(least), most) => visit.limits(least, most),
                (None, Some(most)) => words.amount_too_large(money(most)),
                (None, None) => words.amount_missing().to_owned(),
            });
            Ok(Vec::new())
        }
        Rejection::TargetBelowThreshold => {
            sent.amount_error = Some(words.target_below_threshold().to_owned());
            Ok(Vec::new())
        }
        Rejection::PaymentMethodRequired => Ok(vec![Problem {
            field: Some("methods"),
            text: words.needs_card().to_owned(),
        }]),
        _ => Ok(vec![Problem {
            field: None,
            text: words.not_possible().to_owned(),
        }]),
    }
}

async fn refused(
    visit: &Visit,
    sent: SentRecharge,
    mut problems: Vec<Problem>,
) -> Result<Response, PageError> {
    let errors = [
        ("ar-amount", &sent.amount_error),
        ("ar-below", &sent.threshold_error),
        ("ar-cap", &sent.cap_error),
    ];
    problems.extend(errors.into_iter().filter_map(|(field, error)| {
        let text = error.clone()?;
        Some(Problem {
            field: Some(field),
            text,
        })
    }));
    let sent = Sent {
        problems,
        recharge: Some(sent),
        ..Sent::default()
    };
    page::again(visit, sent, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// Asks whether saving may charge so much now.
fn ask(
    visit: &Visit,
    fields: &Fields,
    wanted: &Wanted,
    charge: Amount,
) -> Result<Response, PageError> {
    let (words, money) = (visit.words, |amount| visit.money.money(amount));
    let before = visit.wallet.balances.balance - visit.wallet.balances.held
        + visit.wallet.balances.pending_top_ups;
    let plain = |amount: Amount| amount.display(visit.wallet.row.currency);
    let (how, amount) = match wanted.settings.refill {
        Refill::Fixed(amount) => ("fixed", amount),
        Refill::UpTo(target) => ("target", target),
    };
    let mut hidden = vec![
        ("enabled", "yes".to_owned()),
        ("how", how.to_owned()),
        ("amount", plain(amount)),
        ("threshold", plain(wanted.settings.threshold)),
        ("method", text(fields, "method")),
        ("agreed", plain(charge)),
    ];
    if let Some(cap) = wanted.settings.monthly_cap {
        hidden.push(("monthly_cap", visit.money.typed(cap)));
    }
    hidden.extend(fields.all("backup").map(|id| ("backup", id.to_owned())));
    let page = ReviewPage {
        words,
        frame: visit.frame(words.auto_recharge(), Place::Wallet, visit.url()),
        form: visit.form(),
        key: visit.form().key,
        path: "/wallet/auto-recharge",
        heading: words.recharge_review_heading(money(charge)),
        text: words.recharge_review_text(money(before), money(wanted.settings.threshold)),
        fields: hidden,
        facts: vec![
            Fact::new(words.charged(), money(charge).html()),
            Fact::sum(
                words.available_afterwards(),
                money(visit.wallet.balances.available + charge).html(),
            ),
        ],
        button: words.save_and_charge(money(charge)),
        back_url: visit.url(),
    };
    render(&page, StatusCode::OK)
}
