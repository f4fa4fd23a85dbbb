//! The list of movements: twenty a page, filtered by date and type, all of it in the address.

use super::super::page_error::PageError;
use super::super::view::{Choice, Movement, Movements, NamedLink, Tone};
use super::cards;
use super::visit::{Asked, Visit};
use crate::words::Words;
use crate::words::money::Markup;
use jiff::civil::Date;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::entry::{Actor, Entry};
use tillbox_core::lot::FundingType;
use tillbox_core::reason::{Reason, TransactionType};
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::TopUpStatus;
use tillbox_service::payments::declines::decline_words;
use tillbox_store::sqlite::listing::{ListFilter, Listed, What};
use tillbox_store::sqlite::payment_methods::PaymentMethodRow;
use tillbox_store::sqlite::top_ups::TopUpRow;
use tillbox_store::sqlite::transactions::TransactionFilter;

/// Movements a page.
const ROWS: usize = 20;
/// Pages that lead back one by one; farther ones lead to the newest.
const TRAIL: usize = 50;

/// What the list was asked for.
pub(super) struct Wish {
    from: Option<Date>,
    to: Option<Date>,
    kind: Option<TransactionType>,
    /// Where the page begins: right below that version.
    before: Option<u64>,
    /// Where the pages between the newest one and this one begin.
    trail: Vec<u64>,
}

impl Wish {
    /// What can't be read filters nothing.
    pub(super) fn of(asked: &Asked) -> Self {
        let date = |name| asked.get(name).and_then(|text: &str| text.parse().ok());
        let kind = asked.get("type");
        let before = asked.get("before").and_then(|text| text.parse().ok());
        let trail = asked.get("trail").unwrap_or_default().split('.');
        Self {
            from: date("from"),
            to: date("to"),
            kind: TransactionType::ALL
                .into_iter()
                .find(|known| Some(known.name()) == kind),
            before,
            trail: trail
                .filter_map(|version| version.parse().ok())
                .filter(|_| before.is_some())
                .take(TRAIL)
                .collect(),
        }
    }

    fn is_filtered(&self) -> bool {
        self.from.is_some() || self.to.is_some() || self.kind.is_some()
    }

    /// The filter, as an address says it.
    fn query(&self, wallet: impl std::fmt::Display) -> String {
        let dates = [("from", self.from), ("to", self.to)];
        let dates = dates
            .into_iter()
            .filter_map(|(name, date)| Some((name, date?.to_string())));
        let kind = self.kind.map(|kind| ("type", kind.name().to_owned()));
        let parts = std::iter::once(("wallet", wallet.to_string()))
            .chain(dates)
            .chain(kind);
        let parts = parts.map(|(name, value)| format!("{name}={value}"));
        parts.collect::<Vec<_>>().join("&")
    }
}

impl Visit {
    /// The first instant of a day.
    fn starts_at(&self, date: Date) -> Option<Timestamp> {
        let zone = self.service.time_zone(self.who());
        let start = date.to_zoned(zone).ok()?;
        Some(Timestamp::from_micros(start.timestamp().as_microsecond()))
    }

    /// What transactions are asked for; a day in `to` includes that day (R23).
    pub(super) fn transaction_filter(&self, wish: &Wish) -> TransactionFilter {
        let behind = wish.to.and_then(|date| date.tomorrow().ok());
        TransactionFilter {
            from: wish.from.and_then(|date| self.starts_at(date)),
            to: behind.and_then(|date| self.starts_at(date)),
            transaction_type: wish.kind,
            ..TransactionFilter::default()
        }
    }

    /// A page of the list.
    pub(super) async fn movements(
        &self,
        wish: &Wish,
        methods: &[PaymentMethodRow],
    ) -> Result<Movements, PageError> {
        let filter = Arc::new(ListFilter {
            transactions: self.transaction_filter(wish),
            status: None,
        });
        let (who, wallet) = (self.who(), self.wallet_id());
        let read = self
            .service
            .transactions(who, wallet, filter, wish.before, ROWS + 1);
        let mut found = read.await?;
        let has_older = found.len() > ROWS;
        found.truncate(ROWS);
        let query = wish.query(wallet);
        let url = |before: Option<u64>, trail: &[u64]| {
            let place = before.map_or_else(String::new, |before| format!("&before={before}"));
            let trail: Vec<String> = trail.iter().map(ToString::to_string).collect();
            let trail = match trail.join(".") {
                trail if trail.is_empty() => trail,
                trail => format!("&trail={trail}"),
            };
            format!("/wallet?{query}{place}{trail}#transactions")
        };
        let newer = wish.before.map(|_| match wish.trail.split_last() {
            Some((last, rest)) => url(Some(*last), rest),
            None => url(None, &[]),
        });
        let last = found.last().map(|row| row.version);
        let older = last.filter(|_| has_older).map(|last| {
            let mut trail = wish.trail.clone();
            trail.extend(wish.before);
            let start = trail.len().saturating_sub(TRAIL);
            url(Some(last), &trail[start..])
        });
        let page = wish.trail.len() + 1 + usize::from(wish.before.is_some());
        let mut rows = Vec::with_capacity(found.len());
        for row in &found {
            rows.push(self.movement(row, methods).await?);
        }
        Ok(Movements {
            micros: self.micros(&found),
            rows,
            empty: if wish.is_filtered() {
                self.words.no_matches()
            } else {
                self.words.no_movements()
            },
            from: wish.from.map(|date| date.to_string()).unwrap_or_default(),
            to: wish.to.map(|date| date.to_string()).unwrap_or_default(),
            kinds: self.kinds(wish.kind),
            is_filtered: wish.is_filtered(),
            all_url: format!("{}#transactions", self.url()),
            csv_url: format!("/wallet/transactions.csv?{query}"),
            page,
            newest_url: (page > 2).then(|| url(None, &[])),
            newer_url: newer,
            older_url: older,
        })
    }

    fn micros(&self, found: &[Listed]) -> usize {
        let booked = found.iter().filter_map(|row| match &row.what {
            What::Transaction(entry) => Some([entry.event.amount, entry.balance_after]),
            What::TopUp(_) => None,
        });
        let digits = booked
            .flatten()
            .map(|amount| self.money.money(amount).micro_digits());
        digits.max().unwrap_or(0)
    }

    fn kinds(&self, chosen: Option<TransactionType>) -> Vec<Choice> {
        let words = self.words;
        let all = Choice {
            value: String::new(),
            label: words.all_kinds().to_owned(),
            is_chosen: chosen.is_none(),
        };
        let kind = |kind: TransactionType| Choice {
            value: kind.name().to_owned(),
            label: match kind {
                TransactionType::Credit => words.kind_top_ups(),
                TransactionType::Debit => words.kind_debits(),
                TransactionType::Refund => words.kind_refunds(),
                TransactionType::Adjustment => words.kind_adjustments(),
            }
            .to_owned(),
            is_chosen: chosen == Some(kind),
        };
        std::iter::once(all)
            .chain(TransactionType::ALL.map(kind))
            .collect()
    }

    async fn movement(
        &self,
        row: &Listed,
        methods: &[PaymentMethodRow],
    ) -> Result<Movement, PageError> {
        let paid_with = |row: &TopUpRow| {
            let id = row.calls.charged_method.or(row.top_up.method);
            methods.iter().find(|method| Some(method.id) == id)
        };
        Ok(match &row.what {
            What::Transaction(entry) => {
                let top_up = match entry.event.top_up_id {
                    Some(id) => {
                        let found = self.service.top_up(self.who(), self.wallet_id(), id);
                        Some(found.await?.row)
                    }
                    None => None,
                };
                let method = top_up.as_ref().and_then(paid_with);
                self.transaction(entry, top_up.as_ref(), method)
            }
            What::TopUp(row) => self.top_up(row, paid_with(row)),
        })
    }

    fn transaction(
        &self,
        entry: &Entry,
        top_up: Option<&TopUpRow>,
        method: Option<&PaymentMethodRow>,
    ) -> Movement {
        let (words, event) = (self.words, &entry.event);
        let money = |amount: Amount| self.money.money(amount).to_string();
        let reason = event.reason.unwrap_or(Reason::Usage);
        let description = event.note.description.as_deref();
        let description = description.unwrap_or(reason.default_description(words.language()));
        let mut facts = vec![(
            words.balance_before().to_owned(),
            money(entry.balance_before()),
        )];
        if let Some(row) = method {
            facts.push((words.paid_with().to_owned(), cards::name(words, row)));
        }
        if let Some(row) = top_up {
            let discount = row.top_up.discount();
            if discount.is_positive() {
                facts.push((words.charged().to_owned(), money(row.top_up.charged)));
                facts.push((words.discount().to_owned(), money(discount)));
            }
        }
        facts.extend(self.shares(entry));
        facts.push((words.by().to_owned(), self.actor(entry.actor)));
        if let Some(reference) = event.note.reference.as_deref() {
            facts.push((words.your_reference().to_owned(), reference.to_owned()));
        }
        let payment = top_up.and_then(|row| row.top_up.payment_id.as_deref());
        let mut codes = Vec::new();
        codes.extend(payment.map(|id| (words.payment_id(), id.to_owned())));
        codes.push((words.movement_id(), entry.id.to_string()));
        Movement {
            machine: entry.at.to_string(),
            when: self.dates.day_time(entry.at),
            kind: kind(words, reason),
            description: description.to_owned(),
            status: words.status_completed(),
            tone: Tone::Plain,
            amount: self.money.signed(event.amount).html(),
            amount_class: if event.amount.is_positive() {
                "good"
            } else {
                ""
            },
            balance: Some(self.html_of(entry.balance_after)),
            note: None,
            facts,
            codes,
            support: None,
            action: None,
            is_open: false,
        }
    }

    fn html_of(&self, amount: Amount) -> Markup {
        self.money.money(amount).html()
    }

    /// Which value paid, or what became of it, summed up by origin.
    fn shares(&self, entry: &Entry) -> Vec<(String, String)> {
        let (words, money) = (self.words, |amount: Amount| self.money.money(amount));
        let mut sums: Vec<(FundingType, Amount)> = Vec::new();
        let mut until = None;
        for part in entry.event.own_parts() {
            match sums
                .iter_mut()
                .find(|(funding, _)| *funding == part.funding)
            {
                Some((_, sum)) => *sum += part.amount,
                None => sums.push((part.funding, part.amount)),
            }
            if part.lot.expires_at != Timestamp::NEVER && part.amount.is_positive() {
                until = Some(part.lot.expires_at);
            }
        }
        let label = if entry.event.amount.is_negative() {
            words.paid_from()
        } else {
            words.went_to()
        };
        let told = sums.iter().map(|(funding, sum)| {
            let name = match funding {
                FundingType::Cash => words.funding_cash(),
                FundingType::Promotional => words.funding_promotional(),
                FundingType::CodeRedemption => words.funding_code(),
                FundingType::Refund => words.funding_refund(),
                FundingType::ManualAdjustment => words.funding_adjustment(),
            };
            format!("{} {name}", money(sum.abs()))
        });
        let told = told.collect::<Vec<_>>().join(", ");
        let mut facts = Vec::new();
        if !told.is_empty() {
            facts.push((label.to_owned(), told));
        }
        if let Some(at) = until {
            facts.push((words.usable_until().to_owned(), self.dates.day_of(at)));
        }
        facts
    }

    fn actor(&self, actor: Actor) -> String {
        let words = self.words;
        match actor {
            Actor::System => words.by_itself().to_owned(),
            Actor::ApiKey(_) => self.service.brand(self.who()).name,
            Actor::Customer(_) => words.by_you().to_owned(),
        }
    }

    /// A top-up that has not succeeded.
    fn top_up(&self, row: &TopUpRow, method: Option<&PaymentMethodRow>) -> Movement {
        let (words, top_up) = (self.words, &row.top_up);
        let mut action = None;
        let (status, tone, note) = match top_up.status {
            TopUpStatus::Pending => {
                action = row.calls.page_url.clone().map(|url| NamedLink {
                    label: words.open_payment_page().to_owned(),
                    url,
                });
                (
                    words.status_pending(),
                    Tone::Info,
                    words.waits_for_page_text(),
                )
            }
            TopUpStatus::RequiresAction => {
                action = row.calls.next_action.clone().map(|url| NamedLink {
                    label: words.confirm_payment().to_owned(),
                    url,
                });
                (
                    words.status_confirm(),
                    Tone::Warn,
                    words.waits_for_bank_text(),
                )
            }
            TopUpStatus::Processing => (words.status_pending(), Tone::Info, words.under_way_text()),
            TopUpStatus::Canceled => (words.status_canceled(), Tone::Plain, words.canceled_text()),
            TopUpStatus::Failed | TopUpStatus::Succeeded => (
                words.status_failed(),
                Tone::Bad,
                decline_words(
                    top_up.failure.as_deref().unwrap_or_default(),
                    words.language(),
                ),
            ),
        };
        let description = row.description.as_deref();
        let description =
            description.unwrap_or(top_up.reason.default_description(words.language()));
        let mut facts = Vec::new();
        if let Some(row) = method {
            facts.push((words.paid_with().to_owned(), cards::name(words, row)));
        }
        let payment = top_up.payment_id.as_deref().filter(|id| !id.is_empty());
        let mut codes = Vec::new();
        codes.extend(payment.map(|id| (words.payment_id(), id.to_owned())));
        codes.push((words.movement_id(), row.id.to_string()));
        let id = payment.map_or_else(|| row.id.to_string(), str::to_owned);
        Movement {
            machine: top_up.opened_at.to_string(),
            when: self.dates.day_time(top_up.opened_at),
            kind: kind(words, top_up.reason),
            description: description.to_owned(),
            status,
            tone,
            amount: self.html_of(top_up.amount),
            amount_class: "quiet",
            balance: None,
            note: Some(note.to_owned()),
            facts,
            codes,
            support: self.support_link(&id),
            action,
            is_open: false,
        }
    }

    /// Help with a payment: by mail with its id as the subject, or the merchant's page.
    fn support_link(&self, id: &str) -> Option<NamedLink> {
        let brand = self.service.brand(self.who());
        let subject = self.words.ask_subject(id);
        let mail = brand
            .support_email
            .map(|email| format!("mailto:{email}?subject={}", percent(&subject)));
        Some(NamedLink {
            label: self.words.ask_support().to_owned(),
            url: mail.or(brand.support_url)?,
        })
    }
}

/// Percent-encoded, for a part of an address.
fn percent(text: &str) -> String {
    let encode = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(encode).collect()
}

/// The type as people call it: what was paid in is told from what was given.
fn kind(words: Words, reason: Reason) -> &'static str {
    match (reason.transaction_type(), reason) {
        (TransactionType::Credit, Reason::TopUp | Reason::AutoRecharge | Reason::Activation) => {
            words.kind_top_up()
        }
        (TransactionType::Credit, _) => words.kind_credit(),
        (TransactionType::Debit, _) => words.kind_debit(),
        (TransactionType::Refund, _) => words.kind_refund(),
        (TransactionType::Adjustment, _) => words.kind_adjustment(),
    }
}
