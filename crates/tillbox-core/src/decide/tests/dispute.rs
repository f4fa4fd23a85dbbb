//! Disputes in every order (R28).

use super::book::Book;
use super::refund_top_up::{TOP, failed, open_top_up, paid, refund_all, refund_of, succeeded};
use super::top_ups::settle;
use super::*;
use crate::command::LearnDispute;
use crate::entry::EntryKind;
use crate::payback::DisputeStatus::{Lost, Open, Won};
use crate::payback::{DisputeStatus, Payback};
use crate::recharge::{PauseReason, RechargeSettings, RechargeState, Refill};
use crate::wallet::WalletStatus;

pub(super) fn learn_of(provider_id: &str, status: DisputeStatus, amount: i64) -> Command {
    Command::LearnDispute(LearnDispute {
        top_up_id: TOP,
        provider_id: provider_id.into(),
        status,
        amount: units(amount),
        reason: Some("fraudulent".into()),
        grace_days: 30,
        record: None,
    })
}

/// The dispute of all that was charged.
pub(super) fn dispute(status: DisputeStatus) -> Command {
    learn_of("dp_1", status, 100)
}

pub(super) fn told(status: DisputeStatus) -> Rejection {
    Rejection::DisputeNotOpen(status)
}

/// Tells as often as there is something to do, as the service does.
fn told_through(book: &mut Book, status: DisputeStatus) {
    while book.run(dispute(status)).is_ok() {}
}

pub(super) fn payback(book: &Book) -> Payback {
    book.payback(TOP).expect("something has gone back")
}

#[test]
fn refusals() {
    check_refusals(vec![
        (
            "no such payment",
            Book::new(),
            dispute(Open),
            Rejection::TopUpNotFound,
        ),
        (
            "not paid",
            Book::after([open_top_up(TOP, 100)]),
            dispute(Open),
            Rejection::TopUpNotOpen(crate::top_up::TopUpStatus::Processing),
        ),
    ]);
}

#[test]
fn r28_an_open_dispute_reserves_what_is_left_of_the_payment_and_its_bonus() {
    let mut book = paid(100, 10);
    check(
        &mut book,
        &[
            ("spent", debit(30), Ok(("-30: B-10 A-20", "80 A80"))),
            (
                "held by a customer",
                hold(20, 60),
                Ok(("0: A[+20] open 20", "80 held 20 A80[20]")),
            ),
            (
                "other value",
                cash(5),
                Ok(("5: C+5", "85 held 20 A80[20] C5")),
            ),
            (
                "the rest is reserved",
                dispute(Open),
                Ok(("0: A[+60] open 60", "85 held 80 A80[80] C5")),
            ),
            ("told again", dispute(Open), Err(told(Open))),
            ("not spendable", debit(6), Err(insufficient_until(6, 5, 60))),
            (
                "nor refundable",
                refund_of(1),
                Err(Rejection::RefundExceedsRemaining {
                    remaining: Amount::ZERO,
                }),
            ),
            (
                "won: it is free again",
                dispute(Won),
                Ok(("0: A[-60] released 0", "85 held 20 A80[20] C5")),
            ),
        ],
    );
}

#[test]
fn r28_no_caller_and_no_clock_ends_what_a_dispute_reserves() {
    let mut book = paid(100, 0);
    book.ok(dispute(Open));
    let hold_id = book.last_hold();
    for command in [
        release(hold_id),
        capture(hold_id, None, AfterCapture::End),
        extend(hold_id, Expiry::InSeconds(60)),
    ] {
        assert_eq!(book.run(command), Err(Rejection::HoldNotFound));
    }
    assert_eq!(book.state.next_due_at(), None);
    let mut book = book.at(400 * DAY);
    book.book_due();
    assert_eq!(book.show(), "100 held 100 A100[100]");
}

#[test]
fn r28_value_that_is_reserved_outlives_its_date_and_expires_when_it_is_free() {
    let mut book = Book::new();
    book.policies.standard.expiry_days = [(FundingType::Cash, 1)].into();
    book.ok(open_top_up(TOP, 100));
    book.ok(settle(TOP, 100));
    book.ok(dispute(Open));
    let mut book = book.at(2 * DAY);
    let mut lost = book.clone();
    check(
        &mut lost,
        &[(
            "lost",
            dispute(Lost),
            Ok(("-100: A-100[-100] captured 0", "0")),
        )],
    );
    book.ok(dispute(Won));
    assert_eq!(book.show(), "0");
}

#[test]
fn r28_lost_takes_the_lot_its_bonus_other_value_that_could_be_paid_out_then_debt() {
    let mut book = paid(100, 10);
    book.ok(debit(60));
    // Bonus and 50 of the cash are spent; 20 of other cash, 7 given, 3 of it held.
    check(
        &mut book,
        &[
            ("other value", cash(20), Ok(("20: C+20", "70 A50 C20"))),
            ("given", given(7), Ok(("7: D+7", "77 D7 A50 C20"))),
            (
                "held by a customer",
                hold(3, 60),
                Ok(("0: D[+3] open 3", "77 held 3 D7[3] A50 C20")),
            ),
            (
                "opened",
                dispute(Open),
                Ok(("0: A[+50] open 50", "77 held 53 D7[3] A50[50] C20")),
            ),
            (
                "lost: 110 in all, 36 of it debt; what is given lies beside no debt (R6)",
                dispute(Lost),
                Ok((
                    "-110: A-50[-50] C-20 D-4 debt+36@0 captured 0",
                    "-33 held 3 debt 36 D3[3]",
                )),
            ),
            ("told again", dispute(Lost), Err(told(Lost))),
            ("opened, told late", dispute(Open), Err(told(Lost))),
            (
                "r06: the next credit pays",
                cash(40),
                Ok(("40: E+40 E-36>0", "7 held 3 D3[3] E4")),
            ),
            (
                "won in the end: to the lots that it came from, and to the one that paid",
                dispute(Won),
                Ok(("110: A+50 C+20 D+4 E+36", "117 held 3 D7[3] A50 C20 E40")),
            ),
            ("told again", dispute(Won), Err(told(Won))),
            ("lost, told late", dispute(Lost), Err(told(Won))),
        ],
    );
    assert_eq!(payback(&book).gone(), Amount::ZERO);
    assert!(payback(&book).chargebacks.is_empty());
}

#[test]
fn r28_won_cancels_debt_that_nobody_has_paid() {
    let mut book = paid(100, 0);
    book.ok(debit(100));
    check(
        &mut book,
        &[
            (
                "lost before it was told that it is open",
                dispute(Lost),
                Ok(("-100: debt+100@0", "-100 debt 100")),
            ),
            ("won", dispute(Won), Ok(("100: debt-100@0", "0"))),
        ],
    );
}

#[test]
fn r28_won_before_it_was_told_that_it_is_open_changes_nothing() {
    let mut book = paid(100, 0);
    let won = book.ok(dispute(Won));
    assert_eq!(won.event.kind, EntryKind::DisputeChanged);
    check(
        &mut book,
        &[
            ("opened, told late", dispute(Open), Err(told(Won))),
            ("told again", dispute(Won), Err(told(Won))),
        ],
    );
    assert_eq!(book.show(), "100 A100");
}

#[test]
fn r28_what_was_refunded_is_not_taken_again() {
    let mut book = paid(100, 10);
    let refund = book.ok(refund_of(60)).id;
    check(
        &mut book,
        &[(
            "40 and its bonus",
            dispute(Lost),
            Ok(("-44: B-4 A-40", "0")),
        )],
    );
    book.ok(succeeded(refund));
    assert_eq!(payback(&book).gone(), units(110));
    told_through(&mut book, Won);
    assert_eq!(book.show(), "44 B4 A40");
}

#[test]
fn b13_a_refund_that_fails_behind_a_lost_dispute_gives_nothing_back_twice() {
    let mut book = paid(100, 10);
    let refund = book.ok(refund_of(60)).id;
    book.ok(dispute(Lost));
    let rows = book.entries.len();
    check(
        &mut book,
        &[(
            "the refund comes back, and the dispute takes it",
            failed(refund),
            Ok(("66: B+6 A+60", "0")),
        )],
    );
    assert_eq!(book.show_rows(rows + 1), ["-66: B-6 A-60"]);
    assert_eq!(payback(&book).charged_back, units(110));
    assert_eq!(payback(&book).gone(), units(110));
    // Two chargebacks are reversed one after the other.
    told_through(&mut book, Won);
    assert_eq!(book.show(), "110 B10 A100");
    assert_eq!(payback(&book).gone(), Amount::ZERO);
}

#[test]
fn b13_a_dispute_of_a_part_leaves_the_rest_to_be_refunded() {
    let mut book = paid(100, 10);
    book.ok(learn_of("dp_1", Lost, 40));
    assert_eq!(book.show(), "66 B6 A60");
    check(
        &mut book,
        &[("the rest", refund_all(), Ok(("-66: B-6 A-60", "0")))],
    );
    assert_eq!(payback(&book).gone(), units(110));
}

#[test]
fn r28_several_disputes_never_take_more_than_was_credited() {
    let mut book = paid(100, 10);
    book.ok(learn_of("dp_1", Open, 100));
    book.ok(learn_of("dp_2", Open, 100));
    book.ok(learn_of("dp_2", Lost, 80));
    // By what dp_2 said first: all of it. What dp_1 reserves is not taken twice.
    assert_eq!(payback(&book).charged_back, units(110));
    book.ok(learn_of("dp_1", Lost, 100));
    assert_eq!(payback(&book).charged_back, units(110));
    assert_eq!(book.show(), "0");
}

#[test]
fn r28_a_wallet_is_frozen_where_the_merchant_says_so() {
    let mut book = paid(100, 0);
    book.policies.standard.freeze_on_dispute = true;
    book.ok(dispute(Open));
    assert_eq!(book.state.status, WalletStatus::Frozen);
    book.ok(dispute(Won));
    assert_eq!(
        book.state.status,
        WalletStatus::Frozen,
        "a person lets it go"
    );
}

#[test]
fn r21_a_dispute_pauses_auto_recharge() {
    let mut book = paid(100, 0);
    book.ok(Command::SetRecharge(crate::command::SetRecharge {
        is_enabled: true,
        settings: RechargeSettings {
            threshold: units(50),
            refill: Refill::Fixed(units(25)),
            monthly_cap: None,
        },
        method: None,
        backups: Vec::new(),
        has_method: true,
    }));
    let rows = book.entries.len();
    book.ok(dispute(Open));
    assert_eq!(book.entries.len(), rows + 1, "no recharge follows");
    let recharge = book.state.recharge.as_deref().expect("set");
    let paused = RechargeState::Paused(PauseReason::MoneyWentBack);
    assert_eq!(recharge.state, paused);
}

/// What may come of a payment, in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Opened,
    Won,
    Lost,
    Refund,
    RefundFails,
    Spend,
    Hold,
    Release,
    Credit,
}

const STEPS: [Step; 9] = [
    Step::Opened,
    Step::Won,
    Step::Lost,
    Step::Refund,
    Step::RefundFails,
    Step::Spend,
    Step::Hold,
    Step::Release,
    Step::Credit,
];

/// Carries a step out; what can't be done now is left.
fn carry_out(book: &mut Book, step: Step, refunds: &mut Vec<EntryId>) {
    match step {
        Step::Opened => told_through(book, Open),
        Step::Won => told_through(book, Won),
        Step::Lost => told_through(book, Lost),
        Step::Refund => refunds.extend(book.run(refund_of(40)).map(|row| row.id)),
        Step::RefundFails => {
            for refund in refunds.drain(..) {
                book.ok(failed(refund));
            }
        }
        Step::Spend => drop(book.run(debit(25))),
        Step::Hold => drop(book.run(hold(15, 600))),
        Step::Release => {
            let mut holds = book.state.holds().filter(|hold| !hold.is_of_dispute());
            if let Some(id) = holds.next().map(|hold| hold.id) {
                drop(holds);
                book.ok(release(id));
            }
        }
        Step::Credit => drop(book.ok(cash(30))),
    }
}

/// Every order of four of the steps (6,561): what has gone back lies within what was credited all the time, and in the
/// end it is what the refunds that stand and the last word on the dispute come to, whatever came before.
#[test]
fn r28_in_each_order_what_has_gone_back_comes_to_the_same() {
    let mut orders: Vec<(Book, Vec<EntryId>, Vec<Step>)> = vec![(paid(100, 10), vec![], vec![])];
    for _ in 0..4 {
        let mut longer = Vec::new();
        for (book, refunds, order) in &orders {
            for step in STEPS {
                let (mut book, mut refunds) = (book.clone(), refunds.clone());
                carry_out(&mut book, step, &mut refunds);
                let order = [order.as_slice(), &[step]].concat();
                demand_net(&book, &refunds, &order);
                longer.push((book, refunds, order));
            }
        }
        orders = longer;
    }
}

fn demand_net(book: &Book, refunds: &[EntryId], order: &[Step]) {
    let Some(payback) = book.payback(TOP) else {
        return;
    };
    let refunded = units(40 * i64::try_from(refunds.len()).expect("few"));
    assert_eq!(payback.refunded, refunded, "{order:?}");
    let is_lost = payback.disputes.iter().any(|one| one.status == Lost);
    let is_won = order.contains(&Step::Won);
    let due = if is_lost {
        payback.credited() - refunded - payback.clawed
    } else {
        Amount::ZERO
    };
    assert!(!(is_lost && is_won), "won is final: {order:?}");
    assert_eq!(payback.charged_back, due, "{order:?}");
    assert!(payback.gone() <= payback.credited(), "{order:?}");
    // What went back is what the rows of the payment moved.
    let rows = book.entries.iter().map(|row| &row.event);
    let moved: Amount = rows
        .filter(|row| row.payback.is_some())
        .map(|row| -row.amount)
        .sum();
    assert_eq!(moved, payback.gone(), "{order:?}");
}
