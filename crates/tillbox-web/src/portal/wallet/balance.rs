//! The balance card, made of the wallet's sums, its open holds and its last 30 days.

use super::super::view::{Balance, ChartView, Fact, Runway};
use super::visit::Visit;
use crate::charts::sparkline::Sparkline;
use crate::words::currencies;
use crate::words::money::Markup;
use jiff::ToSpan;
use tillbox_core::amount::Amount;
use tillbox_core::lot::FundingType;
use tillbox_service::History;
use tillbox_store::sqlite::holds::StoredHold;

/// Open holds that the card names one by one.
pub(super) const HOLDS: usize = 5;
/// Beyond this a number of days says nothing that can be relied on.
const FAR_DAYS: i64 = 365;
/// A picture shows what lies ahead where it is within this.
const AHEAD_DAYS: i64 = 7;

impl Visit {
    /// The card.
    pub(super) fn balance(
        &self,
        history: &History,
        holds: &[StoredHold],
        low_below: Option<Amount>,
        is_recharged: bool,
    ) -> Balance {
        let available = self.wallet.balances.available;
        let available = self.money.money(available);
        Balance {
            currency_name: currencies::name(self.wallet.row.currency, self.words.language()),
            available: available.large(),
            available_plain: available.html(),
            updated: self.dates.lately(self.wallet.updated_at),
            updated_machine: self.wallet.updated_at.to_string(),
            runway: self.runway(history, is_recharged),
            sentence: self.sentence(holds),
            facts: self.facts(holds),
            chart: self.chart(history, low_below),
        }
    }

    fn html(&self, amount: Amount) -> Markup {
        self.money.money(amount).html()
    }

    /// "$58.42 in total, $40.00 held for 1 order, $10.00 expires 31 Dec".
    fn sentence(&self, holds: &[StoredHold]) -> String {
        let (words, sums) = (self.words, &self.wallet.balances);
        let money = |amount| self.money.money(amount);
        let mut parts = Vec::new();
        if sums.held.is_positive() {
            parts.push(match holds.len() {
                0 | 1 => words.held_for_one(money(sums.held)),
                count => words.held_for_many(money(sums.held), count),
            });
        }
        if let Some((amount, at)) = sums.expiring_next {
            parts.push(words.expires_on(money(amount), self.dates.day_of(at)));
        }
        if sums.pending_top_ups.is_positive() {
            parts.push(words.under_way(money(sums.pending_top_ups)));
        }
        if sums.debt.is_positive() {
            parts.push(words.owed(money(sums.debt)));
        }
        if parts.is_empty() && sums.available == sums.balance {
            return words.all_available(money(sums.balance));
        }
        parts.insert(0, words.in_total(money(sums.balance)));
        parts.join(", ")
    }

    /// What makes it up: they come to what is available.
    fn facts(&self, holds: &[StoredHold]) -> Vec<Fact> {
        let (words, sums) = (self.words, &self.wallet.balances);
        let mut facts = Vec::new();
        for (funding, amount) in &sums.by_funding_type {
            let label = match funding {
                FundingType::Cash => words.paid_in(),
                FundingType::Promotional => words.given(),
                FundingType::CodeRedemption => words.redeemed(),
                FundingType::Refund => words.refunded(),
                FundingType::ManualAdjustment => words.corrected(),
            };
            facts.push(Fact::new(label, self.html(*amount)));
        }
        let mut unnamed = sums.held;
        for stored in holds.iter().take(HOLDS) {
            let hold = &stored.hold;
            let remaining = hold.amount - hold.captured - hold.released;
            let what = stored.note.description.as_deref();
            let what = what.map_or_else(
                || words.held_without_name().to_owned(),
                |what| format!("“{what}”"),
            );
            let label = words.held_until(what, self.dates.day_of(hold.expires_at));
            facts.push(Fact::new(label, self.html(-remaining)));
            unnamed -= remaining;
        }
        if unnamed.is_positive() {
            facts.push(Fact::new(words.held_others(), self.html(-unnamed)));
        }
        if sums.debt.is_positive() {
            facts.push(Fact::new(words.debt(), self.html(-sums.debt)));
        }
        if self.wallet.overdraft_limit.is_positive() {
            let limit = self.html(self.wallet.overdraft_limit);
            facts.push(Fact::new(words.overdraft(), limit));
        }
        facts
    }

    fn runway(&self, history: &History, is_recharged: bool) -> Option<Runway> {
        let (words, spending) = (self.words, &history.spending);
        let days = spending.days_left(self.wallet.balances.available)?;
        let pace = self.money.money(to_cents(spending.per_days(1)?, self));
        let heading = match days {
            0 => words.less_than_a_day_left().to_owned(),
            1 => words.one_day_left().to_owned(),
            days if days > FAR_DAYS => words.many_months_left().to_owned(),
            days => words.days_left(days),
        };
        let text = if is_recharged {
            words.pace_with_recharge(pace)
        } else {
            words.pace(pace)
        };
        Some(Runway { heading, text })
    }

    /// "enough for about 11 days" of an amount.
    pub(super) fn lasts(&self, history: &History, available: Amount) -> Option<String> {
        match history.spending.days_left(available)? {
            0 => None,
            1 => Some(self.words.enough_for_a_day().to_owned()),
            days if days > FAR_DAYS => None,
            days => Some(self.words.enough_for_days(days)),
        }
    }

    /// The day on which nothing is left at the present pace, where that is soon.
    pub(super) fn last_day(&self, history: &History) -> Option<(i64, jiff::civil::Date)> {
        let days = history.spending.days_left(self.wallet.balances.available)?;
        let day = self.dates.today().checked_add(days.days()).ok()?;
        (days <= AHEAD_DAYS).then_some((days, day))
    }

    fn chart(&self, history: &History, low_below: Option<Amount>) -> Option<ChartView> {
        let (words, dates) = (self.words, &self.dates);
        let days = &history.balances;
        let (first, last) = (days.first()?, days.last()?);
        let low = days.iter().min_by_key(|day| day.balance)?;
        let is_used = self.wallet.balances.available.is_positive();
        let ahead = self.last_day(history).filter(|_| is_used);
        let mut description =
            words.chart_text(days.len(), self.money.money(low.balance), dates.day(low.on));
        if let Some((_, day)) = ahead
            && let Some(pace) = history.spending.per_days(1)
        {
            let pace = self.money.money(to_cents(pace, self));
            description.push(' ');
            description.push_str(&words.chart_ahead(pace, dates.day(day)));
        }
        let title = words.chart_title(
            self.money.money(first.balance),
            dates.day(first.on),
            self.money.money(last.balance),
        );
        let chart = Sparkline {
            title: title.clone(),
            description,
            values: days.iter().map(|day| day.balance).collect(),
            zero: ahead.map(|(days, day)| (days.max(1), dates.day(day))),
            limit: low_below.map(|limit| (limit, words.low_below(self.money.short(limit)))),
            first_day: dates.day(first.on),
            today: words.today().to_owned(),
            money: self.money,
        };
        let row = |day: &tillbox_service::DayBalance| {
            Fact::new(dates.day(day.on), self.html(day.balance))
        };
        Some(ChartView {
            svg: chart.draw()?,
            title,
            rows: days.iter().rev().map(row).collect(),
        })
    }
}

/// An estimate in whole minor units, and at least one of them where there is anything: more digits would promise more
/// than is known.
pub(super) fn to_cents(amount: Amount, visit: &Visit) -> Amount {
    let unit = visit.wallet.row.currency.minor_unit_micros();
    let units = amount.micros() / unit;
    let units = if amount.is_positive() {
        units.max(1)
    } else {
        units
    };
    Amount::from_micros(units.saturating_mul(unit))
}
