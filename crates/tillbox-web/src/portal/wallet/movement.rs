//! A row of the list of movements, and what it opens into.

use super::super::page_error::PageError;
use super::super::view::{Movement, NamedLink, Tone};
use super::cards;
use super::visit::Visit;
use crate::words::Words;
use crate::words::money::Markup;
use tillbox_core::amount::Amount;
use tillbox_core::entry::{Actor, Entry, EntryKind};
use tillbox_core::lot::FundingType;
use tillbox_core::payback::PayoutStatus;
use tillbox_core::reason::{Reason, TransactionType};
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::TopUpStatus;
use tillbox_service::payments::declines::decline_words;
use tillbox_store::sqlite::listing::{Listed, What};
use tillbox_store::sqlite::payment_methods::PaymentMethodRow;
use tillbox_store::sqlite::top_ups::TopUpRow;

impl Visit {
    /// The row, with the payment behind it.
    pub(super) async fn movement(
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
                let shown = self.transaction(entry, top_up.as_ref(), method);
                if entry.event.kind != EntryKind::TopUpRefunded {
                    return Ok(shown);
                }
                let payout = self.service.payout(self.who(), self.wallet_id(), entry.id);
                match payout.await? {
                    Some(payout) => self.refund(shown, payout.status),
                    None => shown,
                }
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
        let is_refund = event.kind == EntryKind::TopUpRefunded;
        if let Some(row) = method {
            let label = if is_refund {
                words.refunded_to()
            } else {
                words.paid_with()
            };
            facts.push((label.to_owned(), cards::name(words, row)));
        }
        if let Some(row) = top_up.filter(|_| !is_refund) {
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

    /// The row of a refund to the card, with how that stands.
    fn refund(&self, shown: Movement, status: PayoutStatus) -> Movement {
        let words = self.words;
        let (status, tone, note) = match status {
            PayoutStatus::Succeeded => return shown,
            PayoutStatus::Pending => (
                words.status_pending(),
                Tone::Info,
                words.refund_under_way_text(),
            ),
            PayoutStatus::Failed => (words.status_failed(), Tone::Bad, words.refund_failed_text()),
            PayoutStatus::Manual => (
                words.status_pending(),
                Tone::Warn,
                words.refund_by_hand_text(),
            ),
        };
        Movement {
            status,
            tone,
            note: Some(note.to_owned()),
            ..shown
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
