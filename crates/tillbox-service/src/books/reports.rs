//! What reports say, worked out of sums: pure.

use super::periods::Period;
use std::collections::{BTreeMap, BTreeSet};
use tillbox_core::amount::Total;
use tillbox_core::currency::Currency;
use tillbox_core::entry::EntryKind;
use tillbox_core::journal::{Account, AccountKind};
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;
use tillbox_store::sqlite::books::sums::Sums;

/// What was booked on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountTotals {
    /// In what money.
    pub currency: Currency,
    /// The account.
    pub account: Account,
    /// All that was debited.
    pub debit: Total,
    /// All that was credited.
    pub credit: Total,
}

/// Income of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revenue {
    /// The period.
    pub period: String,
    /// In what money.
    pub currency: Currency,
    /// Spent of value that was paid for, less what of it was given back.
    pub paid: Total,
    /// The same of value that was given.
    pub given: Total,
    /// The same of what is owed.
    pub on_credit: Total,
    /// What of paid value is still to be spent at its end.
    pub deferred: Total,
}

/// Value lost in a period (R12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakage {
    /// The period.
    pub period: String,
    /// In what money.
    pub currency: Currency,
    /// Expiry or forfeiture.
    pub reason: Reason,
    /// How often.
    pub transactions: i64,
    /// Of value that was paid for: income.
    pub breakage: Total,
    /// Of value that was given: its cost comes back.
    pub promotional_reversal: Total,
}

/// Money in, in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUps {
    /// The period.
    pub period: String,
    /// In what money.
    pub currency: Currency,
    /// By whom, or the bonus that came with it.
    pub reason: Reason,
    /// How often.
    pub transactions: i64,
    /// What was paid.
    pub paid: Total,
    /// What was given.
    pub given: Total,
}

/// What was spent in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// The period.
    pub period: String,
    /// In what money.
    pub currency: Currency,
    /// On what; `refund` is what was given back of any.
    pub reason: Reason,
    /// At which price.
    pub price_key: Option<Box<str>>,
    /// How often.
    pub transactions: i64,
    /// Units used.
    pub quantity: i128,
    /// Units billed.
    pub billed: i128,
    /// How much; below zero where it was given back.
    pub amount: Total,
}

/// All accounts on which anything was booked, by currency.
pub fn trial_balance(sums: &Sums) -> Vec<AccountTotals> {
    let mut accounts: BTreeMap<(Currency, Account), (Total, Total)> = BTreeMap::new();
    for (key, total) in &sums.postings {
        accounts.entry((key.currency, key.debit)).or_default().0 += *total;
        accounts.entry((key.currency, key.credit)).or_default().1 += *total;
    }
    accounts
        .into_iter()
        .map(|((currency, account), (debit, credit))| AccountTotals {
            currency,
            account,
            debit,
            credit,
        })
        .collect()
}

/// Income by period, and the deferred revenue at the end of each.
pub fn revenue(before: &Sums, periods: &[(Period, Sums)]) -> Vec<Revenue> {
    let mut deferred: BTreeMap<Currency, Total> = BTreeMap::new();
    defer(&mut deferred, before);
    let mut lines = Vec::new();
    for (period, sums) in periods {
        defer(&mut deferred, sums);
        let mut earned: BTreeMap<Currency, [Total; 3]> = BTreeMap::new();
        for (key, total) in &sums.postings {
            let sources = earned.entry(key.currency).or_default();
            let (source, change) = match (key.debit, key.credit) {
                (source, Account::Revenue) => (source, *total),
                (Account::Revenue, source) => (source, -*total),
                _ => continue,
            };
            let [paid, given, on_credit] = sources;
            if is_paid(source) {
                *paid += change;
            } else if source.kind() == AccountKind::Liability {
                *given += change;
            } else {
                *on_credit += change;
            }
        }
        for (currency, [paid, given, on_credit]) in earned {
            lines.push(Revenue {
                period: period.name(),
                currency,
                paid,
                given,
                on_credit,
                deferred: deferred.get(&currency).copied().unwrap_or_default(),
            });
        }
    }
    lines
}

/// Adds what paid value came to be owed: revenue that is deferred until it is spent.
fn defer(deferred: &mut BTreeMap<Currency, Total>, sums: &Sums) {
    for (key, total) in &sums.postings {
        for (account, change) in [(key.debit, -*total), (key.credit, *total)] {
            if is_paid(account) {
                *deferred.entry(key.currency).or_default() += change;
            }
        }
    }
}

/// Whether it is what is owed of value that was paid for.
fn is_paid(account: Account) -> bool {
    let paid = FundingType::ALL
        .into_iter()
        .filter(|funding| funding.is_paid_for());
    paid.map(Account::liability)
        .any(|liability| liability == account)
}

/// Value lost by period.
pub fn breakage(periods: &[(Period, Sums)]) -> Vec<Breakage> {
    let reasons = [Reason::Expiry, Reason::Forfeiture];
    let mut lines = Vec::new();
    for (period, sums) in periods {
        for (currency, reason) in booked(sums, &reasons) {
            lines.push(Breakage {
                period: period.name(),
                currency,
                reason,
                transactions: count(sums, currency, reason),
                breakage: credited(sums, currency, reason, Account::Breakage),
                promotional_reversal: credited(sums, currency, reason, Account::PromotionalExpense),
            });
        }
    }
    lines
}

/// Money in by period.
pub fn top_ups(periods: &[(Period, Sums)]) -> Vec<TopUps> {
    let reasons = [
        Reason::TopUp,
        Reason::AutoRecharge,
        Reason::Activation,
        Reason::Bonus,
    ];
    let mut lines = Vec::new();
    for (period, sums) in periods {
        for (currency, reason) in booked(sums, &reasons) {
            let debited = |account| {
                let postings = sums.postings.iter();
                let of_reason = postings.filter(|(key, _)| {
                    (key.currency, key.reason, key.debit) == (currency, Some(reason), account)
                });
                of_reason.map(|(_, total)| *total).sum()
            };
            lines.push(TopUps {
                period: period.name(),
                currency,
                reason,
                transactions: count(sums, currency, reason),
                paid: debited(Account::PaymentClearing),
                given: debited(Account::PromotionalExpense),
            });
        }
    }
    lines
}

/// What was spent by period, on what, and at which price.
pub fn spend(periods: &[(Period, Sums)]) -> Vec<Spend> {
    let mut lines = Vec::new();
    for (period, sums) in periods {
        let mut by_price: BTreeMap<_, Spend> = BTreeMap::new();
        for (key, counted) in &sums.transactions {
            if !key.reason.is_spending() && key.kind != EntryKind::Refund {
                continue;
            }
            let price_key = Some(key.price_key.clone()).filter(|price| !price.is_empty());
            let line = by_price
                .entry((key.currency, key.reason, &key.price_key))
                .or_insert_with(|| Spend {
                    period: period.name(),
                    currency: key.currency,
                    reason: key.reason,
                    price_key,
                    transactions: 0,
                    quantity: 0,
                    billed: 0,
                    amount: Total::ZERO,
                });
            line.transactions += counted.transactions;
            line.quantity += counted.quantity;
            line.billed += counted.billed;
            line.amount += -counted.amount;
        }
        lines.extend(by_price.into_values());
    }
    lines
}

/// The currencies in which transactions of these reasons were booked.
fn booked(sums: &Sums, reasons: &[Reason]) -> BTreeSet<(Currency, Reason)> {
    let keys = sums.transactions.keys();
    keys.filter(|key| reasons.contains(&key.reason))
        .map(|key| (key.currency, key.reason))
        .collect()
}

fn count(sums: &Sums, currency: Currency, reason: Reason) -> i64 {
    let of_reason = sums
        .transactions
        .iter()
        .filter(|(key, _)| (key.currency, key.reason) == (currency, reason));
    of_reason.map(|(_, counted)| counted.transactions).sum()
}

fn credited(sums: &Sums, currency: Currency, reason: Reason, account: Account) -> Total {
    let postings = sums.postings.iter();
    let of_reason = postings.filter(|(key, _)| {
        (key.currency, key.reason, key.credit) == (currency, Some(reason), account)
    });
    of_reason.map(|(_, total)| *total).sum()
}
