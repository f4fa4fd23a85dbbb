//! The merchant's books: the journal, and what reports add up of it (L11).
//!
//! Before anything is read, what is due is booked and the log is folded up to its head, so that a report is as of now;
//! then all of it is as of one row of the log, however many reads it takes.

mod periods;
pub mod reports;

pub use periods::{Every, Period};

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tillbox_core::amount::{Amount, Total};
use tillbox_core::command::Command;
use tillbox_core::currency::Currency;
use tillbox_core::entry::Actor;
use tillbox_core::id::{EntryId, LotId, WalletId};
use tillbox_core::journal::Account;
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;
use tillbox_engine::work::{Mode, Submission};
use tillbox_store::sqlite::books::lines::{self, Order, Stretch};
use tillbox_store::sqlite::books::sums::{self, Sums};
use tillbox_store::sqlite::books::tally::LotKey;
use tillbox_store::sqlite::books::{self, Booked, Span, fold};
use tillbox_store::sqlite::wallets;

/// Rows of the log that one step of folding reads: some tens of milliseconds, and a write of a few.
const FOLD_ROWS: usize = 10_000;
/// How often the log is folded though nobody asks.
const FOLD_EVERY: Duration = Duration::from_secs(5);
/// Rows that are folded then at most: a busy ledger is not slowed down for books that nobody reads.
const FOLD_ROWS_AT_ONCE: usize = 50_000;
/// Wallets that one step books what is due on.
const DUE_WALLETS: usize = 500;
/// Rows of one stretch of the journal.
const STRETCH: usize = 500;
/// Rows that one read gives where a report needs each.
const ROWS: usize = 5_000;

/// One side of a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalLine {
    /// When it was booked.
    pub at: Timestamp,
    /// The row that it is of.
    pub row: EntryId,
    /// The transaction; none where value that a hold freed paid debt.
    pub transaction: Option<EntryId>,
    /// Whose.
    pub wallet_id: WalletId,
    /// The account.
    pub account: Account,
    /// What was debited.
    pub debit: Amount,
    /// What was credited.
    pub credit: Amount,
    /// In what money.
    pub currency: Currency,
    /// Why.
    pub reason: Option<Reason>,
    /// The lot that it is about.
    pub lot: Option<LotId>,
}

/// A place in the journal: a row, and how many of its lines lie before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalPlace {
    /// The row.
    pub row: i64,
    /// The line within it.
    pub line: usize,
}

/// Which part of the journal is read, as of when it was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    span: Span,
    through: i64,
}

/// What is owed of lots, by their age.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Liability {
    /// By currency and funding type, and the day (UTC, since 1970) on which lots were made.
    pub lots: BTreeMap<LotKey, Total>,
    /// What customers owe.
    pub receivable: BTreeMap<Currency, Total>,
    /// The instant that it is of.
    pub as_of: Timestamp,
}

impl Service {
    /// The lines of one stretch of the journal, oldest row first, and where the next begins; none at the end.
    pub async fn journal_stretch(
        &self,
        who: &Principal,
        journal: Journal,
        behind: i64,
    ) -> Result<(Vec<JournalLine>, Option<i64>), ServiceError> {
        let rows = self
            .journal_rows(
                who,
                journal,
                behind,
                journal.through,
                Order::OldestFirst,
                STRETCH,
            )
            .await?;
        let next = rows.last().filter(|_| rows.len() == STRETCH);
        let next = next.map(|row| row.id.number());
        Ok((rows.iter().flat_map(lines_of).collect(), next))
    }

    /// Lines of the journal, newest row first, from a place on: at least `most` of them unless there are no more.
    pub async fn journal_page(
        &self,
        who: &Principal,
        journal: Journal,
        from: Option<JournalPlace>,
        most: usize,
    ) -> Result<Vec<JournalLine>, ServiceError> {
        let mut through = from.map_or(journal.through, |place| place.row);
        let mut skip = from.map_or(0, |place| place.line);
        let mut page = Vec::new();
        while page.len() < most {
            let rows = self
                .journal_rows(who, journal, 0, through, Order::NewestFirst, most)
                .await?;
            let Some(last) = rows.last() else {
                break;
            };
            through = last.id.number() - 1;
            for row in &rows {
                page.extend(lines_of(row).skip(skip));
                skip = 0;
            }
        }
        Ok(page)
    }

    /// Begins to read the journal of a span.
    pub async fn journal(&self, who: &Principal, span: Span) -> Result<Journal, ServiceError> {
        let through = self.close_books(who).await?;
        Ok(Journal { span, through })
    }

    async fn journal_rows(
        &self,
        who: &Principal,
        journal: Journal,
        behind: i64,
        through: i64,
        order: Order,
        most: usize,
    ) -> Result<Vec<Booked>, ServiceError> {
        let merchant = who.merchant_id;
        let stretch = Stretch { behind, through };
        self.database
            .read(move |connection| {
                lines::rows(connection, merchant, journal.span, stretch, order, most)
            })
            .await
    }

    /// What was booked in a span.
    pub async fn booked_in(&self, who: &Principal, span: Span) -> Result<Sums, ServiceError> {
        self.close_books(who).await?;
        let merchant = who.merchant_id;
        let sums = self
            .database
            .read(move |connection| sums::of_spans(connection, merchant, &[span]));
        Ok(sums.await?.pop().unwrap_or_default())
    }

    /// What was booked before a span, and in each of its days or months in which anything was.
    pub async fn booked_by(
        &self,
        who: &Principal,
        span: Span,
        every: Every,
    ) -> Result<(Sums, Vec<(Period, Sums)>), ServiceError> {
        self.close_books(who).await?;
        let merchant = who.merchant_id;
        let zone = who.merchant.policies().time_zone.clone();
        self.database
            .read(move |connection| {
                let Some((first, last)) = sums::booked_between(connection, merchant)? else {
                    return Ok((Sums::default(), Vec::new()));
                };
                let first = span.from.map_or(first, |from| from.max(first));
                let last = span.to.map_or(last, |to| last.min(to));
                let periods = periods::of(first, last, span, every, &zone);
                let before = Span {
                    from: None,
                    to: Some(span.from.unwrap_or(first)),
                };
                let spans: Vec<Span> = std::iter::once(before)
                    .chain(periods.iter().map(|period| period.span))
                    .collect();
                let mut all = sums::of_spans(connection, merchant, &spans)?.into_iter();
                let before = all.next().unwrap_or_default();
                let booked = periods.into_iter().zip(all);
                let booked = booked.filter(|(_, sums)| *sums != Sums::default());
                Ok((before, booked.collect()))
            })
            .await
    }

    /// What is owed of lots, as of now or of a past instant.
    pub async fn liability(
        &self,
        who: &Principal,
        at: Option<Timestamp>,
    ) -> Result<Liability, ServiceError> {
        self.check_past(who, at)?;
        let now = self.clock_now(who);
        self.close_books(who).await?;
        let merchant = who.merchant_id;
        let behind = at.map(|at| Timestamp::from_micros(at.micros().saturating_add(1)));
        let until = Span {
            from: None,
            to: behind,
        };
        let read = self
            .database
            .read(move |connection| sums::of_lots(connection, merchant, until));
        let (mut lots, booked, through) = read.await?;
        // What was booked since is taken back, row by row: the books keep lots as they stand.
        let journal = Journal {
            span: Span {
                from: behind,
                to: None,
            },
            through,
        };
        let mut after = behind.map(|_| 0);
        while let Some(behind) = after {
            let rows = self
                .journal_rows(who, journal, behind, through, Order::OldestFirst, ROWS)
                .await?;
            for row in &rows {
                sums::take_back(&mut lots, row);
            }
            let last = rows.last().filter(|_| rows.len() == ROWS);
            after = last.map(|row| row.id.number());
        }
        lots.retain(|_, total| !total.is_zero());
        let mut receivable = BTreeMap::new();
        for (key, total) in &booked.postings {
            for (account, change) in [(key.debit, *total), (key.credit, -*total)] {
                if account == Account::Receivable {
                    *receivable.entry(key.currency).or_default() += change;
                }
            }
        }
        Ok(Liability {
            lots,
            receivable,
            as_of: at.unwrap_or(now),
        })
    }

    /// Books what is due of a merchant, and folds the log up to its head. Gives the row up to which it is folded.
    async fn close_books(&self, who: &Principal) -> Result<i64, ServiceError> {
        who.check_merchant()?;
        self.book_all_due(who).await?;
        let head = self.database.read(books::head).await?;
        loop {
            let folded_to = self.database.read(books::folded_to).await?;
            if folded_to >= head {
                return Ok(folded_to);
            }
            self.fold_books().await?;
        }
    }

    async fn book_all_due(&self, who: &Principal) -> Result<(), ServiceError> {
        let merchant_id = who.merchant_id;
        let now = self.clock_now(who);
        let mut last = None;
        loop {
            let due = self
                .database
                .read(move |connection| {
                    wallets::due_wallets(connection, merchant_id, now, DUE_WALLETS)
                })
                .await?;
            // What could not be booked would come again and again.
            if due.is_empty() || last.as_ref() == Some(&due) {
                return Ok(());
            }
            let submissions = due.iter().map(|(wallet_id, _)| Submission {
                merchant_id,
                wallet_id: *wallet_id,
                command: Command::BookDue,
                key: None,
                actor: Actor::System,
                clock: who.merchant.clock.clone(),
                policies: who.merchant.policies(),
                at: None,
                mode: Mode::Commit,
                answer: None,
            });
            for answer in self.engine.submit_many(submissions.collect()).await {
                answer?;
            }
            last = Some(due);
        }
    }

    /// Folds a step of the log; gives how many rows it was.
    async fn fold_books(&self) -> Result<usize, ServiceError> {
        let _one_at_a_time = self.folding.lock().await;
        let past = Arc::clone(&self.past_states);
        let read = self
            .database
            .read(move |connection| fold::read(connection, &past, FOLD_ROWS));
        let Some(folded) = read.await? else {
            return Ok(0);
        };
        let rows = folded.rows();
        self.database
            .write(move |connection| fold::write(connection, &folded))
            .await?;
        Ok(rows)
    }

    /// Folds the log behind the writer, a little at a time, until the service stops.
    pub async fn run_books(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(FOLD_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let mut left = FOLD_ROWS_AT_ONCE;
            while left > 0 {
                match self.fold_books().await {
                    Ok(0) => break,
                    Ok(rows) => left = left.saturating_sub(rows),
                    Err(ServiceError::ShuttingDown | ServiceError::OutcomeUnknown) => return,
                    Err(error) => {
                        tracing::error!(%error, "the log could not be folded into the books");
                        break;
                    }
                }
            }
        }
    }
}

/// The lines of a row: each posting has two.
fn lines_of(row: &Booked) -> impl Iterator<Item = JournalLine> + use<> {
    let line = JournalLine {
        at: row.at,
        row: row.id,
        transaction: row.event.moves_money().then_some(row.id),
        wallet_id: row.wallet_id,
        account: Account::Adjustments,
        debit: Amount::ZERO,
        credit: Amount::ZERO,
        currency: row.currency,
        reason: row.event.reason,
        lot: None,
    };
    row.postings().into_iter().flat_map(move |posting| {
        let line = JournalLine {
            lot: posting.lot,
            ..line
        };
        let debit = JournalLine {
            account: posting.debit,
            debit: posting.amount,
            ..line
        };
        let credit = JournalLine {
            account: posting.credit,
            credit: posting.amount,
            ..line
        };
        [debit, credit]
    })
}
