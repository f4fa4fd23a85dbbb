//! Refunds of payments to the card, and what becomes of them (R27).

use super::book::{Book, plain};
use super::top_ups::settle;
use super::*;
use crate::command::{EndPayout, OpenTopUp, PayoutEnd, RefundTopUp};
use crate::decide::{Context, decide, refundable};
use crate::entry::EntryKind;
use crate::id::{PaymentMethodId, TopUpId};
use crate::payback::PayoutStatus;
use crate::recharge::{PauseReason, RechargeSettings, RechargeState, Refill};
use crate::top_up::{Channel, TopUpStatus};
use crate::wallet::WalletStatus;

pub(super) const TOP: TopUpId = TopUpId::from_number(1);

pub(super) fn open_top_up(id: TopUpId, amount: i64) -> Command {
    Command::OpenTopUp(OpenTopUp {
        id,
        amount: units(amount),
        reason: Reason::TopUp,
        channel: Channel::Saved,
        method: Some(PaymentMethodId::from_number(1)),
        note: Note::default(),
    })
}

/// A book with a payment of so much, and so much given with it: lot A, and lot B where something was given.
pub(super) fn paid(charged: i64, bonus: i64) -> Book {
    Book::after([open_top_up(TOP, charged + bonus), settle(TOP, charged)])
}

pub(super) fn refund_top_up(amount: Option<Amount>) -> Command {
    Command::RefundTopUp(RefundTopUp {
        top_up_id: TOP,
        amount,
        record: None,
        note: Note::default(),
    })
}

pub(super) fn refund_all() -> Command {
    refund_top_up(None)
}

pub(super) fn refund_of(amount: i64) -> Command {
    refund_top_up(Some(units(amount)))
}

fn end(debit_id: EntryId, end: PayoutEnd) -> Command {
    Command::EndPayout(EndPayout {
        top_up_id: TOP,
        debit_id,
        end,
        grace_days: 30,
        record: None,
    })
}

pub(super) fn succeeded(debit_id: EntryId) -> Command {
    end(debit_id, PayoutEnd::Succeeded)
}

pub(super) fn failed(debit_id: EntryId) -> Command {
    let code = "expired_or_canceled_card".into();
    end(debit_id, PayoutEnd::Failed { code })
}

/// What may still be refunded.
fn left(book: &Book) -> String {
    let record = book.payment(TOP, None).expect("a payment");
    plain(refundable(&book.state, &record.payback.expect("paid")))
}

fn exceeds(remaining: i64) -> Rejection {
    Rejection::RefundExceedsRemaining {
        remaining: units(remaining),
    }
}

#[test]
fn refusals_in_precedence_order() {
    let cent = Amount::from_micros(10_000);
    let less = Amount::from_micros(9_999);
    let range = |maximum| Rejection::AmountOutOfRange {
        minimum: Some(cent),
        maximum: Some(units(maximum)),
    };
    let mut closed = paid(100, 0);
    closed.state.status = WalletStatus::Closed;
    check_refusals(vec![
        (
            "no such top-up",
            Book::new(),
            refund_of(1),
            Rejection::TopUpNotFound,
        ),
        (
            "state: a closed wallet, though nothing was paid",
            closed,
            refund_of(1),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        (
            "state: not paid yet, though the amount is too small",
            Book::after([open_top_up(TOP, 100)]),
            refund_top_up(Some(less)),
            Rejection::TopUpNotOpen(TopUpStatus::Processing),
        ),
        (
            "limit: less than a cent",
            paid(100, 0),
            refund_top_up(Some(less)),
            range(100),
        ),
        (
            "funds: more than was charged",
            paid(100, 10),
            refund_of(101),
            exceeds(100),
        ),
        (
            "funds: nothing was charged",
            Book::after([open_top_up(TOP, 100), settle(TOP, 0)]),
            refund_all(),
            exceeds(0),
        ),
    ]);
    check(
        &mut paid(100, 0),
        &[
            ("all of it", refund_all(), Ok(("-100: A-100", "0"))),
            ("again", refund_all(), Err(exceeds(0))),
            ("a part of nothing", refund_of(1), Err(exceeds(0))),
        ],
    );
}

#[test]
fn r27_a_refund_draws_what_is_left_unheld_of_its_own_lot() {
    let mut book = paid(100, 0);
    check(
        &mut book,
        &[
            ("other value", cash(50), Ok(("50: B+50", "150 A100 B50"))),
            ("spent", debit(30), Ok(("-30: A-30", "120 A70 B50"))),
            (
                "held",
                hold(20, 60),
                Ok(("0: A[+20] open 20", "120 held 20 A70[20] B50")),
            ),
            ("too much", refund_of(51), Err(exceeds(50))),
            (
                "a part",
                refund_of(10),
                Ok(("-10: A-10", "110 held 20 A60[20] B50")),
            ),
            (
                "the rest",
                refund_all(),
                Ok(("-40: A-40", "70 held 20 A20[20] B50")),
            ),
        ],
    );
}

#[test]
fn r27_a_frozen_wallet_is_refunded() {
    let mut book = paid(100, 0);
    book.ok(freeze());
    check(
        &mut book,
        &[("all of it", refund_all(), Ok(("-100: A-100", "0")))],
    );
}

#[test]
fn r27_cards_get_whole_minor_units_and_the_rest_stays() {
    let mut book = paid(100, 0);
    let spent = Amount::from_micros(7_500);
    book.ok(Command::Debit(Debit {
        amount: spent,
        reason: Reason::Usage,
        force: None,
        note: Note::default(),
    }));
    let odd = Amount::from_micros(10_009_999);
    check(
        &mut book,
        &[
            (
                "10.009999 is 10.00",
                refund_top_up(Some(odd)),
                Ok(("-10: A-10", "89.9925 A89.9925")),
            ),
            (
                "all is 89.99",
                refund_all(),
                Ok(("-89.99: A-89.99", "0.0025 A0.0025")),
            ),
        ],
    );
}

#[test]
fn r27_what_was_given_is_taken_back_with_what_is_refunded() {
    let mut book = paid(100, 10);
    check(
        &mut book,
        &[
            (
                "half: half of the bonus",
                refund_of(50),
                Ok(("-55: B-5 A-50", "55 B5 A50")),
            ),
            ("the rest", refund_all(), Ok(("-55: B-5 A-50", "0"))),
        ],
    );
    let payback = book.payback(TOP).expect("gone back");
    assert_eq!(
        [payback.refunded, payback.clawed, payback.charged_back],
        [units(100), units(10), Amount::ZERO]
    );
}

#[test]
fn r27_what_was_spent_of_a_bonus_lessens_the_refund() {
    // 100 + 10, 30 spent: 10 of the bonus and 20 of the cash.
    let mut book = paid(100, 10);
    book.ok(debit(30));
    assert_eq!(left(&book), "70");
    check(
        &mut book,
        &[
            ("more", refund_of(71), Err(exceeds(70))),
            (
                "all that may be: what is unearned of the bonus goes with it",
                refund_all(),
                Ok(("-77: A-77", "3 A3")),
            ),
            ("no more", refund_all(), Err(exceeds(0))),
        ],
    );
}

#[test]
fn r27_a_bonus_that_was_spent_in_part_is_taken_from_its_lot_first() {
    let mut book = paid(100, 10);
    book.ok(debit(4));
    check(
        &mut book,
        &[
            (
                "all that may be: 100 less the 4 that were spent",
                refund_all(),
                Ok(("-105.6: B-6 A-99.6", "0.4 A0.4")),
            ),
            ("no more", refund_all(), Err(exceeds(0))),
        ],
    );
}

#[test]
fn r27_a_held_bonus_counts_as_spent_until_it_is_free() {
    let mut book = paid(100, 10);
    book.ok(hold(10, 60));
    let hold_id = book.last_hold();
    assert_eq!(left(&book), "90");
    book.ok(release(hold_id));
    assert_eq!(left(&book), "100");
}

#[test]
fn r27_a_bonus_that_expired_is_owed_by_nobody() {
    let mut book = Book::new();
    book.policies.standard.expiry_days = [(FundingType::Promotional, 1)].into();
    book.ok(open_top_up(TOP, 110));
    book.ok(settle(TOP, 100));
    book.ok(debit(4));
    let mut book = book.at(2 * DAY);
    // Not booked yet: the refund books it first.
    check(
        &mut book,
        &[(
            "4 were spent, 6 expired",
            refund_all(),
            Ok(("-100: A-100", "0")),
        )],
    );
}

#[test]
fn r27_a_failed_payout_is_reversed_into_the_same_lots() {
    let mut book = paid(100, 10);
    let debit_id = book.ok(refund_of(50)).id;
    check(
        &mut book,
        &[(
            "bonus and cash come back",
            failed(debit_id),
            Ok(("55: B+5 A+50", "110 B10 A100")),
        )],
    );
    let reversal = book.entries.last().expect("a row").clone();
    assert_eq!(reversal.event.kind, EntryKind::Reversed);
    assert_eq!(reversal.event.reason, Some(Reason::Reversal));
    assert_eq!(reversal.event.refund_of, Some(debit_id));
    assert_eq!(left(&book), "100");
    for again in [failed(debit_id), succeeded(debit_id)] {
        let told = Rejection::PayoutNotOpen(PayoutStatus::Failed);
        assert_eq!(book.run(again), Err(told));
    }
}

#[test]
fn r27_a_reversal_opens_a_spent_lot_again_and_finds_an_expired_one_gone() {
    let mut book = Book::new();
    book.policies.standard.expiry_days = [(FundingType::Cash, 1)].into();
    book.ok(open_top_up(TOP, 100));
    book.ok(settle(TOP, 100));
    let debit_id = book.ok(refund_all()).id;
    let mut late = book.clone().at(2 * DAY);
    check(
        &mut book,
        &[(
            "the same lot",
            failed(debit_id),
            Ok(("100: A+100", "100 A100")),
        )],
    );
    check(
        &mut late,
        &[(
            "r11: a lot in its place",
            failed(debit_id),
            Ok(("100: B+100", "100 B100")),
        )],
    );
}

#[test]
fn r27_a_reversal_pays_debt_that_came_in_the_meantime() {
    let mut book = paid(100, 0);
    let debit_id = book.ok(refund_all()).id;
    book.ok(forced(30, None));
    check(
        &mut book,
        &[(
            "30 of it pay",
            failed(debit_id),
            Ok(("100: A+100 A-30>0", "70 A70")),
        )],
    );
}

#[test]
fn r27_a_payout_of_a_closed_wallet_that_fails_is_for_a_person() {
    let mut book = paid(100, 0);
    let debit_id = book.ok(refund_all()).id;
    book.state.status = WalletStatus::Closed;
    let Command::EndPayout(mut end) = failed(debit_id) else {
        panic!("it ends a payout");
    };
    end.record = book.payment(TOP, Some(debit_id));
    let context = Context {
        now: book.now,
        entry_id: EntryId::from_number(book.next_id()),
        next_id: &|| book.next_id(),
        policies: &book.policies,
    };
    let event = decide(&book.state, &Command::EndPayout(end), &context).expect("taken");
    assert_eq!(event.kind, EntryKind::PayoutEnded);
    assert_eq!(event.amount, Amount::ZERO);
    let payout = event.payback.expect("changed").payout.expect("a payout");
    assert_eq!(payout.status, PayoutStatus::Manual);
}

#[test]
fn r27_what_was_paid_back_may_still_come_back_and_never_twice() {
    let mut book = paid(100, 0);
    let debit_id = book.ok(refund_of(40)).id;
    let paid_back = book.ok(succeeded(debit_id));
    assert_eq!(paid_back.event.kind, EntryKind::PayoutEnded);
    assert!(!paid_back.event.moves_money());
    check(
        &mut book,
        &[
            (
                "told again",
                succeeded(debit_id),
                Err(Rejection::PayoutNotOpen(PayoutStatus::Succeeded)),
            ),
            (
                "the bank sent it back",
                failed(debit_id),
                Ok(("40: A+40", "100 A100")),
            ),
        ],
    );
}

#[test]
fn r27_a_debit_is_given_back_after_its_lot_was_refunded_and_may_be_refunded_then() {
    let mut book = paid(100, 0);
    let debit_id = book.ok(debit(30)).id;
    check(
        &mut book,
        &[
            ("what is left", refund_all(), Ok(("-70: A-70", "0"))),
            (
                "the debit",
                refund(debit_id, None),
                Ok(("30: A+30", "30 A30")),
            ),
            ("the rest", refund_all(), Ok(("-30: A-30", "0"))),
        ],
    );
}

#[test]
fn r21_a_refund_to_the_card_pauses_auto_recharge() {
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
    book.ok(refund_of(90));
    assert_eq!(book.entries.len(), rows + 1, "no recharge follows");
    let recharge = book.state.recharge.as_deref().expect("set");
    let paused = RechargeState::Paused(PauseReason::MoneyWentBack);
    assert_eq!(recharge.state, paused);
}
