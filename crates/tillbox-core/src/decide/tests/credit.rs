use super::book::Book;
use super::*;
use crate::command::Credit;
use crate::decide::MAX_OPEN;
use crate::lot::Lot;
use crate::wallet::WalletStatus;

fn below(maximum: i64, amount: i64) -> Command {
    Command::Credit(Credit {
        maximum_balance: Some(units(maximum)),
        ..Credit::new(units(amount), FundingType::Cash)
    })
}

fn until(end: Timestamp) -> Command {
    Command::Credit(Credit {
        expiry: Some(Expiry::At(end)),
        maximum_balance: Some(units(5)),
        ..Credit::new(units(10), FundingType::Cash)
    })
}

/// A wallet with as many open lots as it may have.
pub(super) fn full_of_lots() -> Book {
    let mut book = Book::new();
    let lots = (0..MAX_OPEN).map(|index| {
        let id = i64::try_from(index).expect("few") + 1;
        Lot {
            id: crate::id::LotId::from_number(id),
            funding: FundingType::Cash,
            withdrawable: true,
            priority: 50,
            expires_at: None,
            created_at: at(0),
            amount: units(1),
            cost_basis: units(1),
            source: EntryId::from_number(id),
            succeeds: None,
            remaining: units(1),
            held: Amount::ZERO,
        }
    });
    book.state.balance = units(100_000);
    book.state = book.state.clone().with_open(lots.collect(), Vec::new());
    book
}

#[test]
fn refusals_in_precedence_order() {
    let out_of_range = |earliest| Rejection::ExpiryOutOfRange {
        earliest,
        latest: Timestamp::NEVER,
    };
    let maximum = |amount| Rejection::AmountOutOfRange {
        minimum: None,
        maximum: Some(units(amount)),
    };
    check_refusals(vec![
        (
            "state: a closed wallet takes nothing, though the expiry is past too",
            Book::with_status(WalletStatus::Closed),
            until(at(0)),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        (
            "limit: an expiry that is not after now, though the balance would be too large",
            Book::new(),
            until(at(0)),
            out_of_range(at(0)),
        ),
        (
            "limit: an expiry beyond all time",
            Book::new(),
            until(Timestamp::NEVER),
            out_of_range(at(0)),
        ),
        (
            "limit: the maximum balance, though the lots are too many",
            full_of_lots(),
            below(100_009, 10),
            maximum(9),
        ),
        (
            "limit: a maximum below the balance leaves no room",
            Book::after([cash(10)]),
            below(5, 1),
            maximum(0),
        ),
        (
            "r49: too many lots",
            full_of_lots(),
            below(100_010, 10),
            Rejection::TooMany("lots"),
        ),
    ]);
}

#[test]
fn r49_the_limit_of_lots_refuses_grants_and_no_adjustment() {
    let book = full_of_lots();
    let next_id = || book.next_id();
    let context = crate::decide::Context {
        now: at(0),
        entry_id: EntryId::from_number(1_000_000),
        next_id: &next_id,
        policies: &crate::policy::Policies::default(),
    };
    let decide = |command| crate::decide(&book.state, &command, &context);
    assert_eq!(decide(given(1)), Err(Rejection::TooMany("lots")));
    for command in [adjust(1), adjust(-1), debit(1), hold(1, 60)] {
        assert!(decide(command.clone()).is_ok(), "{command:?}");
    }
}

#[test]
fn the_maximum_balance_may_be_reached_and_counts_from_below_zero() {
    let mut book = Book::new();
    check(
        &mut book,
        &[
            (
                "up to the maximum",
                below(10, 10),
                Ok(("10: A+10", "10 A10")),
            ),
            ("spent", debit(10), Ok(("-10: A-10", "0"))),
            ("forced", forced(5, None), Ok(("-5: debt+5@0", "-5 debt 5"))),
            (
                "r6: the debt is paid of it",
                below(10, 15),
                Ok(("15: B+15 B-5>0", "10 B10")),
            ),
        ],
    );
}

#[test]
fn r6_a_credit_makes_its_full_lot_then_pays_debt_oldest_first() {
    let mut book = Book::after([forced(3, None), forced(4, None)]);
    let (first, second) = (book.entries[0].id, book.entries[1].id);
    check(
        &mut book,
        &[
            (
                "pays the first debit and a part of the second",
                cash(5),
                Ok(("5: A+5 A-5>0", "-2 debt 2")),
            ),
            (
                "pays the rest and keeps what is over",
                given(6),
                Ok(("6: B+6 B-2>5", "4 B4")),
            ),
        ],
    );
    let lot = book.entries[2].event.lots.first().expect("a lot").clone();
    assert_eq!(
        (lot.amount, lot.cost_basis),
        (units(5), units(5)),
        "the lot is made in full"
    );
    let shares = |debit| {
        let record = book.record(debit).expect("a debit");
        let shares = record.debt_payments.iter();
        let shares = shares.map(|payment| (payment.lot_id, payment.span.amount));
        shares.collect::<Vec<_>>()
    };
    let (a, b) = (lot.id, book.entries[3].made_lot().expect("a lot"));
    assert_eq!(shares(first), [(a, units(3))]);
    assert_eq!(shares(second), [(a, units(2)), (b, units(2))]);
}

#[test]
fn r40_pending_and_frozen_wallets_take_credits() {
    for status in [WalletStatus::PendingActivation, WalletStatus::Frozen] {
        let mut book = Book::with_status(status);
        check(&mut book, &[("credited", cash(5), Ok(("5: A+5", "5 A5")))]);
        assert_eq!(book.state.status, status);
    }
}

#[test]
fn a_lot_carries_what_its_funding_type_says() {
    for (funding, withdrawable, paid) in [
        (FundingType::Cash, true, 5),
        (FundingType::Promotional, false, 0),
        (FundingType::CodeRedemption, false, 0),
        (FundingType::Refund, true, 5),
        (FundingType::ManualAdjustment, true, 0),
    ] {
        let mut book = Book::new();
        let entry = book.ok(Command::Credit(Credit::new(units(5), funding)));
        let lot = book.state.lots().next().expect("a lot");
        assert_eq!(lot.withdrawable, withdrawable, "{funding:?}");
        assert_eq!(lot.cost_basis, units(paid), "{funding:?}");
        assert_eq!((lot.source, lot.created_at), (entry.id, at(0)));
        assert_eq!(lot.priority, 50);
        assert_eq!(book.state.balances().by_funding_type, [(funding, units(5))]);
    }
}
