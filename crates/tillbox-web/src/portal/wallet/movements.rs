//! The list of movements: twenty a page, filtered by date and type, all of it in the address.

use super::super::page_error::PageError;
use super::super::view::{Choice, Movements};
use super::visit::{Asked, Visit};
use jiff::civil::Date;
use std::sync::Arc;
use tillbox_core::reason::TransactionType;
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::listing::{ListFilter, Listed, What};
use tillbox_store::sqlite::payment_methods::PaymentMethodRow;
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
}
