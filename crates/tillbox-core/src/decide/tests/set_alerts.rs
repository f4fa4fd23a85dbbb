use super::book::Book;
use super::*;
use crate::alerts::{AlertsChange, Source};
use crate::policy::{Policies, Policy};
use crate::wallet::WalletStatus;

fn thresholds(source: Source, amounts: impl IntoIterator<Item = i64>) -> Command {
    Command::SetAlerts(AlertsChange {
        source,
        thresholds: amounts.into_iter().map(units).collect(),
    })
}

fn shown(book: &Book) -> Vec<Amount> {
    book.state.alerts.amounts().collect()
}

#[test]
fn refusals_in_precedence_order() {
    check_refusals(vec![
        (
            "state: a closed wallet, though there are too many",
            Book::with_status(WalletStatus::Closed),
            thresholds(Source::Wallet, 1..=11),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        (
            "limit: eleven thresholds",
            Book::new(),
            thresholds(Source::Wallet, 1..=11),
            Rejection::TooMany("thresholds"),
        ),
    ]);
    Book::after([thresholds(Source::Wallet, 1..=10)]);
}

#[test]
fn r41_thresholds_rise_once_each_and_none_are_left_when_turned_off() {
    let mut book = Book::after([thresholds(Source::Wallet, [7, 3, 7])]);
    assert_eq!(shown(&book), [3, 7].map(units));
    book.ok(thresholds(Source::Off, [5]));
    assert_eq!(shown(&book), []);
}

#[test]
fn r41_the_merchants_thresholds_come_with_the_next_row_unless_the_wallet_has_its_own() {
    let mut book = Book::new();
    let standard = Policy {
        low_balance_thresholds: vec![units(20)],
        ..Policy::default()
    };
    book.policies = Policies {
        standard,
        ..Policies::default()
    };
    book.ok(cash(50));
    assert_eq!(shown(&book), [units(20)]);
    book.ok(thresholds(Source::Wallet, [9]));
    book.ok(cash(1));
    assert_eq!(shown(&book), [units(9)]);
}
