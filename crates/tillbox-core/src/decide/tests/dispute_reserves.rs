//! What is set free of a payment while it is disputed (R28).

use super::book::Book;
use super::dispute::{dispute, learn_of, payback, told};
use super::refund_top_up::{TOP, open_top_up, paid};
use super::top_ups::settle;
use super::*;
use crate::command::LearnDispute;
use crate::decide::as_of;
use crate::entry::EntryKind;
use crate::id::TopUpId;
use crate::payback::DisputeStatus::{Lost, Open, Won};

#[test]
fn r28_what_a_hold_sets_free_of_a_disputed_payment_is_reserved_at_once() {
    let mut book = paid(100, 10);
    check(
        &mut book,
        &[(
            "held",
            hold(60, 600),
            Ok(("0: B[+10] A[+50] open 60", "110 held 60 B10[10] A100[50]")),
        )],
    );
    let customers = book.last_hold();
    check(
        &mut book,
        &[(
            "opened: what is left",
            dispute(Open),
            Ok(("0: A[+50] open 50", "110 held 110 B10[10] A100[100]")),
        )],
    );
    let rows = book.entries.len();
    check(
        &mut book,
        &[(
            "a part is captured, and the rest is no customer's again",
            capture(customers, Some(35), AfterCapture::End),
            Ok((
                "-35: B-10[-10] A-25[-25] A[-25] captured 0",
                "75 held 75 A75[75]",
            )),
        )],
    );
    assert_eq!(book.show_rows(rows + 1), ["0: A[+25] open 75"]);
    assert_eq!(book.entries[rows + 1].event.kind, EntryKind::DisputeChanged);
    check(
        &mut book,
        &[
            (
                "nothing is left to spend",
                debit(1),
                Err(insufficient(1, 0)),
            ),
            (
                "lost",
                dispute(Lost),
                Ok(("-110: A-75[-75] debt+35@0 captured 0", "-35 debt 35")),
            ),
        ],
    );
}

#[test]
fn r28_a_dispute_that_found_nothing_free_reserves_what_is_set_free_later() {
    let mut book = paid(100, 0);
    book.ok(hold(100, 600));
    let customers = book.last_hold();
    book.ok(dispute(Open));
    assert_eq!(book.state.holds().len(), 1, "nothing was left");
    book.ok(release(customers));
    assert_eq!(book.show(), "100 held 100 A100[100]");
    let hold = book.last_hold();
    assert_eq!(payback(&book).disputes[0].hold_id, Some(hold));
    book.ok(dispute(Won));
    assert_eq!(book.show(), "100 A100");
}

#[test]
fn r28_a_hold_that_expires_leaves_its_value_to_the_dispute_whenever_that_is_booked() {
    let mut book = Book::new();
    book.policies.standard.expiry_days = [(FundingType::Cash, 1)].into();
    book.ok(open_top_up(TOP, 100));
    book.ok(settle(TOP, 100));
    book.ok(hold(100, 3_600));
    book.ok(dispute(Open));
    // Both are over: the hold was first, and what it set free was reserved before the lot's date.
    let mut book = book.at(2 * DAY);
    let read = as_of(&book.state, book.now);
    assert_eq!(read.balances().held, units(100));
    book.book_due();
    assert_eq!(book.show(), "100 held 100 A100[100]");
    let reserved = book.entries.last().expect("a row");
    assert_eq!(reserved.event.effective_at, Some(at(3_600)));
    book.ok(dispute(Lost));
    assert_eq!(book.show(), "0");
}

#[test]
fn r28_value_that_is_set_free_past_its_date_expires_and_is_nobodys() {
    let mut book = Book::new();
    book.policies.standard.expiry_days = [(FundingType::Cash, 1)].into();
    book.ok(open_top_up(TOP, 100));
    book.ok(settle(TOP, 100));
    book.ok(hold(100, 2 * DAY));
    let customers = book.last_hold();
    book.ok(dispute(Open));
    let mut book = book.at(DAY + 60);
    book.ok(release(customers));
    assert_eq!(book.show(), "0");
}

#[test]
fn r28_a_refund_to_the_lot_of_a_disputed_payment_is_reserved_as_far_as_it_is_claimed() {
    let mut book = paid(100, 0);
    let spent = book.ok(debit(80)).id;
    book.ok(learn_of("dp_1", Open, 50));
    check(
        &mut book,
        &[
            (
                "30 of 50 are missing",
                refund(spent, Some(70)),
                Ok(("70: A+70", "90 held 50 A90[50]")),
            ),
            (
                "the rest is the customer's",
                debit(40),
                Ok(("-40: A-40", "50 held 50 A50[50]")),
            ),
            (
                "lost",
                learn_of("dp_1", Lost, 50),
                Ok(("-50: A-50[-50] captured 0", "0")),
            ),
        ],
    );
}

#[test]
fn r06_r28_value_that_is_set_free_pays_debt_before_a_dispute_reserves_it() {
    let mut book = paid(100, 0);
    book.ok(hold(60, 600));
    let customers = book.last_hold();
    book.ok(dispute(Open));
    book.ok(forced(25, None));
    assert_eq!(book.show(), "75 held 100 debt 25 A100[100]");
    book.ok(release(customers));
    assert_eq!(book.show(), "75 held 75 A75[75]");
}

#[test]
fn r28_several_holds_on_the_lot_and_several_disputes_of_the_payment_share_what_is_reserved() {
    let mut book = paid(100, 0);
    book.ok(hold(30, 600));
    let first = book.last_hold();
    book.ok(hold(30, 600));
    let second = book.last_hold();
    book.ok(learn_of("dp_1", Open, 50));
    // 40 are reserved, and 10 more are claimed.
    book.ok(release(first));
    assert_eq!(book.show(), "100 held 80 A100[80]");
    check(
        &mut book,
        &[
            (
                "what is left is reserved with it",
                learn_of("dp_2", Open, 30),
                Ok(("0: A[+20] open 70", "100 held 100 A100[100]")),
            ),
            (
                "30 are for the other: 10 of them were claimed by nobody else",
                learn_of("dp_1", Won, 50),
                Ok(("0: A[-40] open 30", "100 held 60 A100[60]")),
            ),
            ("told again", learn_of("dp_1", Won, 50), Err(told(Won))),
            (
                "nobody claims it",
                release(second),
                Ok(("0: A[-30] released 0", "100 held 30 A100[30]")),
            ),
            (
                "lost",
                learn_of("dp_2", Lost, 30),
                Ok(("-30: A-30[-30] captured 0", "70 A70")),
            ),
        ],
    );
}

#[test]
fn r28_a_lost_dispute_takes_what_was_reserved_for_another_of_the_same_payment_before_anything_else()
{
    let mut book = paid(100, 0);
    book.ok(cash(20));
    book.ok(learn_of("dp_1", Open, 60));
    check(
        &mut book,
        &[
            (
                "lost before it was told that it is open",
                learn_of("dp_2", Lost, 40),
                Ok(("-40: A-40[-40] open 60", "80 held 60 A60[60] B20")),
            ),
            (
                "and the first",
                learn_of("dp_1", Lost, 60),
                Ok(("-60: A-60[-60] captured 0", "20 B20")),
            ),
            (
                "won: it comes back",
                learn_of("dp_1", Won, 60),
                Ok(("60: A+60", "80 A60 B20")),
            ),
        ],
    );
}

#[test]
fn r28_what_comes_back_of_a_dispute_that_is_won_is_reserved_for_another_that_is_open() {
    let mut book = paid(100, 0);
    book.ok(dispute(Lost));
    book.ok(learn_of("dp_2", Open, 100));
    assert_eq!(book.show(), "0");
    book.ok(dispute(Won));
    assert_eq!(book.show(), "100 held 100 A100[100]");
    book.ok(learn_of("dp_2", Won, 100));
    assert_eq!(book.show(), "100 A100");
}

#[test]
fn r28_a_hold_on_two_disputed_payments_leaves_each_what_is_its_own() {
    let other = TopUpId::from_number(TOP.number() + 1);
    let mut book = paid(100, 0);
    book.ok(open_top_up(other, 50));
    book.ok(settle(other, 50));
    book.ok(hold(150, 600));
    let customers = book.last_hold();
    book.ok(dispute(Open));
    book.ok(Command::LearnDispute(LearnDispute {
        top_up_id: other,
        provider_id: "dp_2".into(),
        status: Open,
        amount: units(50),
        reason: None,
        grace_days: 30,
        record: None,
    }));
    let rows = book.entries.len();
    book.ok(release(customers));
    assert_eq!(book.show(), "150 held 150 A100[100] B50[50]");
    assert_eq!(
        book.show_rows(rows + 1),
        ["0: A[+100] open 100", "0: B[+50] open 50"]
    );
}

/// A row of before there was the rule: nothing follows from it, and it reads as it did.
#[test]
fn r28_rows_of_before_the_rule_reserve_nothing_later() {
    let mut book = paid(100, 0);
    book.ok(hold(100, 600));
    let customers = book.last_hold();
    let mut record = *book.payment(TOP, None).expect("paid");
    let payback = record.payback.as_mut().expect("charged");
    payback.disputes.push(crate::payback::Dispute {
        id: crate::id::DisputeId::from_number(7),
        provider_id: "dp_1".into(),
        status: Open,
        amount: units(100),
        reason: None,
        hold_id: None,
        opened_at: at(0),
    });
    let event = crate::entry::Event {
        top_up_id: Some(TOP),
        payback: Some(Box::new(payback.clone())),
        ..crate::entry::Event::new(EntryKind::DisputeChanged, crate::entry::Note::default())
    };
    book.book_row(event);
    assert!(book.state.disputed().is_empty());
    book.ok(release(customers));
    assert_eq!(book.show(), "100 A100");
}
