//! What each reason posts, worked out for each funding type and for debt.

use super::*;
use crate::debt::DebtSpan;
use crate::entry::{Event, Note};
use crate::lot::DrawKey;
use crate::time::Timestamp;
use FundingType::{Cash, CodeRedemption, ManualAdjustment, Promotional};

fn micros(micros: i64) -> Amount {
    Amount::from_micros(micros)
}

fn part(funding: FundingType, amount: i64) -> Part {
    part_of(funding, funding.withdrawable(), amount)
}

fn part_of(funding: FundingType, withdrawable: bool, amount: i64) -> Part {
    Part {
        lot: DrawKey {
            priority: 50,
            expires_at: Timestamp::NEVER,
            withdrawable,
            created_at: Timestamp::from_micros(0),
            id: LotId::from_number(7),
        },
        funding,
        amount: micros(amount),
        held: Amount::ZERO,
        pays_debt_from: None,
    }
}

fn span(amount: i64) -> DebtSpan {
    DebtSpan {
        from: Amount::ZERO,
        amount: micros(amount),
    }
}

fn row(kind: EntryKind, reason: Option<Reason>, change: impl FnOnce(&mut Event)) -> Event {
    let mut event = Event::new(kind, Note::default());
    event.reason = reason;
    change(&mut event);
    event
}

/// A row's postings as `debit > credit amount`.
fn shown(event: &Event, reverses: Option<Reason>) -> Vec<String> {
    let show = |posting: &Posting| {
        let (debit, credit) = (posting.debit.name(), posting.credit.name());
        format!("{debit} > {credit} {}", posting.amount.micros())
    };
    postings(event, reverses).iter().map(show).collect()
}

fn moved(kind: EntryKind, reason: Reason, part: Part) -> String {
    let rows = shown(
        &row(kind, Some(reason), |event| event.parts = vec![part]),
        None,
    );
    assert_eq!(rows.len(), 1, "one pair for each allocation");
    rows[0].clone()
}

/// For each reason the account on the other side of each funding type, in the order of [`FundingType::ALL`], and of
/// debt.
const COUNTERPARTS: [(Reason, [&str; 5], &str); 19] = {
    use Reason as R;
    const ORIGIN: [&str; 5] = [
        "payment_clearing",
        "promotional_expense",
        "promotional_expense",
        "refund_expense",
        "adjustments",
    ];
    const LOST: [&str; 5] = [
        "breakage",
        "promotional_expense",
        "promotional_expense",
        "breakage",
        "promotional_expense",
    ];
    const SPENT: [&str; 5] = ["revenue"; 5];
    [
        (R::TopUp, ORIGIN, "adjustments"),
        (R::AutoRecharge, ORIGIN, "adjustments"),
        (R::Activation, ORIGIN, "adjustments"),
        (R::Promotional, ORIGIN, "adjustments"),
        (R::Bonus, ORIGIN, "adjustments"),
        (R::CodeRedemption, ORIGIN, "adjustments"),
        (R::Usage, SPENT, "revenue"),
        (R::Overage, SPENT, "revenue"),
        (R::Purchase, SPENT, "revenue"),
        (R::Subscription, SPENT, "revenue"),
        (R::RecurringCharge, SPENT, "revenue"),
        (R::InvoicePayment, SPENT, "revenue"),
        (R::Refund, ORIGIN, "adjustments"),
        (R::ManualAdjustment, ["adjustments"; 5], "adjustments"),
        (R::Withdrawal, ["payouts"; 5], "payouts"),
        (R::Expiry, LOST, "chargeback_loss"),
        (R::Forfeiture, LOST, "chargeback_loss"),
        (R::Chargeback, ["payment_clearing"; 5], "payment_clearing"),
        (R::Reversal, ORIGIN, "adjustments"),
    ]
};

#[test]
fn each_reason_and_funding_type_has_its_pair() {
    let reasons = COUNTERPARTS.map(|(reason, _, _)| reason);
    assert_eq!(reasons, Reason::ALL, "every reason is in the table");
    for (reason, accounts, debt) in COUNTERPARTS {
        for (funding, account) in FundingType::ALL.into_iter().zip(accounts) {
            let liability = Account::liability(funding).name();
            assert_eq!(
                moved(EntryKind::Debit, reason, part(funding, -8)),
                format!("{liability} > {account} 8"),
                "{reason:?}"
            );
            assert_eq!(
                moved(EntryKind::Credit, reason, part(funding, 8)),
                format!("{account} > {liability} 8"),
                "{reason:?}"
            );
        }
        let made = row(EntryKind::Debit, Some(reason), |event| {
            event.debt_made = Some(span(3));
        });
        assert_eq!(shown(&made, None), [format!("receivable > {debt} 3")]);
    }
}

#[test]
fn value_that_was_paid_in_is_no_income_until_it_is_spent() {
    assert_eq!(
        moved(EntryKind::Credit, Reason::TopUp, part(Cash, 100)),
        "payment_clearing > liability_cash 100"
    );
    assert_eq!(
        moved(EntryKind::Usage, Reason::Usage, part(Cash, -30)),
        "liability_cash > revenue 30"
    );
}

#[test]
fn given_value_costs_when_it_is_granted_and_earns_when_it_is_spent() {
    let grants = [
        (Reason::Bonus, Promotional, "liability_promotional"),
        (
            Reason::CodeRedemption,
            CodeRedemption,
            "liability_code_redemption",
        ),
        // A top-up that was discounted whole.
        (Reason::TopUp, Promotional, "liability_promotional"),
    ];
    for (reason, funding, liability) in grants {
        assert_eq!(
            moved(EntryKind::Credit, reason, part(funding, 10)),
            format!("promotional_expense > {liability} 10")
        );
    }
    assert_eq!(
        moved(EntryKind::Debit, Reason::Purchase, part(Promotional, -10)),
        "liability_promotional > revenue 10"
    );
}

#[test]
fn a_debit_over_several_lots_and_debt_has_a_pair_for_each() {
    let debit = row(EntryKind::Debit, Some(Reason::Usage), |event| {
        event.parts = vec![part(Promotional, -2), part(Cash, -5)];
        event.debt_made = Some(span(3));
    });
    assert_eq!(
        shown(&debit, None),
        [
            "liability_promotional > revenue 2",
            "liability_cash > revenue 5",
            "receivable > revenue 3",
        ]
    );
}

/// R6: the value that pays debt leaves its lot against what was owed, in whatever row it does so.
#[test]
fn r06_debt_that_is_paid_late_moves_the_liability_to_the_receivable() {
    let pays = |amount| Part {
        pays_debt_from: Some(Amount::ZERO),
        ..part(Cash, amount)
    };
    let credit = row(EntryKind::Credit, Some(Reason::TopUp), |event| {
        event.parts = vec![part(Cash, 100), pays(-3)];
    });
    assert_eq!(
        shown(&credit, None),
        [
            "payment_clearing > liability_cash 100",
            "liability_cash > receivable 3",
        ]
    );
    let freed = row(EntryKind::HoldReleased, None, |event| {
        event.parts = vec![pays(-3)];
    });
    assert_eq!(shown(&freed, None), ["liability_cash > receivable 3"]);
}

#[test]
fn a_refund_of_a_debit_takes_its_income_back_and_a_credit_of_that_name_is_a_cost() {
    let refund = row(EntryKind::Refund, Some(Reason::Refund), |event| {
        event.parts = vec![part(Promotional, 2), part(Cash, 5)];
        event.debt_canceled = vec![span(3)];
    });
    assert_eq!(
        shown(&refund, None),
        [
            "revenue > liability_promotional 2",
            "revenue > liability_cash 5",
            "revenue > receivable 3",
        ]
    );
    assert_eq!(
        moved(
            EntryKind::Credit,
            Reason::Refund,
            part(FundingType::Refund, 5)
        ),
        "refund_expense > liability_refund 5"
    );
}

/// R12: value that was paid for is breakage when it is lost; the cost of given value comes back.
#[test]
fn r12_lost_value_is_breakage_if_it_was_paid_for() {
    for reason in [Reason::Expiry, Reason::Forfeiture] {
        for funding in FundingType::ALL {
            let expected = if funding.is_paid_for() {
                "breakage"
            } else {
                "promotional_expense"
            };
            let liability = Account::liability(funding).name();
            assert_eq!(
                moved(EntryKind::LotExpired, reason, part(funding, -4)),
                format!("{liability} > {expected} 4")
            );
        }
    }
}

/// R8: what is paid out is money, whatever it is paid out of. What of a row is no money is told by numbers in the tests of
/// decisions: `decide/tests/journal.rs`.
#[test]
fn a_withdrawal_is_a_payout() {
    // A code whose credit may be paid out.
    assert_eq!(
        moved(
            EntryKind::Withdrawn,
            Reason::Withdrawal,
            part_of(CodeRedemption, true, -5)
        ),
        "liability_code_redemption > payouts 5"
    );
    let won = row(EntryKind::Reversed, Some(Reason::Reversal), |event| {
        event.parts = vec![part(Cash, 40), part(ManualAdjustment, 5)];
        event.debt_canceled = vec![span(55)];
    });
    assert_eq!(
        shown(&won, Some(Reason::Chargeback)),
        [
            "payment_clearing > liability_cash 40",
            "payment_clearing > liability_manual_adjustment 5",
            "payment_clearing > receivable 55",
        ]
    );
}

#[test]
fn what_only_reserves_value_posts_nothing() {
    let placed = row(EntryKind::HoldPlaced, None, |event| {
        event.parts = vec![Part {
            held: micros(5),
            ..part(Cash, 0)
        }];
    });
    assert_eq!(postings(&placed, None), []);
}

#[test]
fn codes_and_names_are_unique() {
    for account in Account::ALL {
        assert_eq!(Account::from_code(account.code()), Some(*account));
        let same_name = |other: &&Account| other.name() == account.name();
        assert_eq!(Account::ALL.iter().filter(same_name).count(), 1);
    }
}

#[test]
fn a_lot_that_is_taken_back_goes_where_it_came_from() {
    for funding in FundingType::ALL {
        let made = moved(
            EntryKind::Credit,
            crate::command::Credit::new(micros(4), funding).reason,
            part(funding, 4),
        );
        let taken = moved(EntryKind::LotVoided, Reason::Reversal, part(funding, -4));
        let (from, to) = made.split_once(" > ").expect("a pair");
        let (to, amount) = to.split_once(' ').expect("an amount");
        assert_eq!(taken, format!("{to} > {from} {amount}"));
    }
}
