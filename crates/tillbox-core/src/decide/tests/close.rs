//! Closing (R39), row by row.

use super::book::Book;
use super::dispute::dispute;
use super::recharge::{fixed, recharged};
use super::refund_top_up::{failed, paid, refund_of, succeeded};
use super::top_ups::{channeled, id, limited, open, settle};
use super::*;
use crate::audit::WalletAudit;
use crate::entry::{Entry, EntryKind, Event};
use crate::id::TopUpId;
use crate::payback::DisputeStatus::{Lost, Open, Won};
use crate::payback::PayoutStatus;
use crate::top_up::Channel;
use crate::wallet::WalletStatus;

/// The rows of a close, by kind and what they moved.
fn rows(book: &Book, from: usize) -> Vec<(EntryKind, String)> {
    let kinds = book.entries[from..].iter().map(|row| row.event.kind);
    kinds.zip(book.show_rows(from)).collect()
}

fn last_rows(book: &mut Book, way: PayoutWay) -> Vec<(EntryKind, String)> {
    let from = book.entries.len();
    book.ok(close(way));
    assert_eq!(book.state.status, WalletStatus::Closed);
    assert_eq!(book.show(), "0");
    audit(book);
    rows(book, from)
}

fn audit(book: &Book) {
    let mut audit = WalletAudit::new(book.state.id);
    for entry in &book.entries {
        audit.feed(entry);
    }
    let audited = audit.finish(super::book::new_wallet(WalletStatus::Active));
    assert_eq!(audited.violations, []);
    assert_eq!(audited.state.as_ref(), Some(&book.state));
}

fn own(rows: &[(EntryKind, &str)]) -> Vec<(EntryKind, String)> {
    let rows = rows.iter();
    rows.map(|(kind, row)| (*kind, (*row).to_owned())).collect()
}

/// The payments that rows go back to.
fn payments(book: &Book) -> Vec<(Option<i64>, PayoutWay)> {
    let rows = book.entries.iter().map(|row| &row.event);
    let payment = |event: &Event| {
        let to = event.destination.as_ref()?;
        Some((event.top_up_id.map(TopUpId::number), to.way))
    };
    rows.filter_map(payment).collect()
}

#[test]
fn r39_refusals_in_precedence_order() {
    let mut processing = limited(Book::new(), None);
    processing.ok(open(1, 50));
    check_refusals(vec![
        (
            "state",
            Book::with_status(WalletStatus::Closed),
            close(PayoutWay::Manual),
            Rejection::WalletNotActive(WalletStatus::Closed),
        ),
        (
            "a hold",
            Book::after([cash(5), hold(1, 60)]),
            close(PayoutWay::Manual),
            Rejection::Conflict("the wallet has open holds"),
        ),
        (
            "debt",
            Book::after([forced(5, None)]),
            close(PayoutWay::Manual),
            Rejection::Conflict("the wallet has debt"),
        ),
        (
            "a payment whose outcome is not known",
            processing,
            close(PayoutWay::Original),
            Rejection::Conflict("a top-up is processing"),
        ),
    ]);
}

#[test]
fn r39_what_may_be_paid_out_goes_out_and_the_rest_is_forfeited() {
    use EntryKind::{Closed, Forfeited, Withdrawn};
    let mut book = Book::after([cash(5), given(3), debit(4)]);
    let expected = [(Withdrawn, "-4: A-4"), (Closed, "0")];
    assert_eq!(last_rows(&mut book, PayoutWay::Original), own(&expected));
    assert_eq!(payments(&book), [(None, PayoutWay::Manual)]);
    let mut book = Book::after([cash(5), given(3), debit(1), freeze()]);
    let expected = [
        (Withdrawn, "-5: A-5"),
        (Forfeited, "-2: B-2"),
        (Closed, "0"),
    ];
    assert_eq!(last_rows(&mut book, PayoutWay::Manual), own(&expected));
    let mut book = Book::with_status(WalletStatus::PendingActivation);
    assert_eq!(
        last_rows(&mut book, PayoutWay::Manual),
        own(&[(Closed, "0")])
    );
}

#[test]
fn r39_each_payment_goes_back_to_its_source_the_newest_first() {
    use EntryKind::{Closed, TopUpRefunded, Withdrawn};
    for (way, kind) in [
        (PayoutWay::Manual, Withdrawn),
        (PayoutWay::Original, TopUpRefunded),
    ] {
        let mut book = limited(Book::after([cash(1)]), None);
        for (number, charged) in [(1, 50), (2, 40)] {
            book.ok(open(number, 50));
            book.ok(settle(id(number), charged));
        }
        book.ok(debit(12));
        assert_eq!(
            book.show(),
            "89 B49 C40",
            "the gift and the oldest went first"
        );
        let expected = [(kind, "-40: C-40"), (kind, "-49: B-49"), (Closed, "0")];
        assert_eq!(last_rows(&mut book, way), own(&expected));
        assert_eq!(payments(&book), [(Some(2), way), (Some(1), way)]);
        let row = book
            .entries
            .iter()
            .rev()
            .find(|row| row.event.destination.is_some());
        let to = row.and_then(|row| row.event.destination.as_ref());
        let payment = to.and_then(|to| to.payment_id.as_deref());
        assert_eq!(payment, Some("pay"));
    }
}

#[test]
fn r39_a_card_gets_whole_minor_units_and_the_rest_is_paid_out_by_hand() {
    use EntryKind::{Closed, TopUpRefunded, Withdrawn};
    let spent = || {
        let mut book = limited(Book::new(), None);
        book.ok(open(1, 50));
        book.ok(settle(id(1), 50));
        book.ok(Command::Debit(Debit {
            amount: Amount::from_micros(7_500),
            reason: Reason::Usage,
            force: None,
            note: Note::default(),
        }));
        book
    };
    let mut book = spent();
    let expected = [
        (TopUpRefunded, "-49.99: A-49.99"),
        (Withdrawn, "-0.0025: A-0.0025"),
        (Closed, "0"),
    ];
    assert_eq!(last_rows(&mut book, PayoutWay::Original), own(&expected));
    assert_eq!(
        payments(&book),
        [(Some(1), PayoutWay::Original), (None, PayoutWay::Manual)]
    );
    let mut book = spent();
    let expected = [(Withdrawn, "-49.9925: A-49.9925"), (Closed, "0")];
    assert_eq!(last_rows(&mut book, PayoutWay::Manual), own(&expected));
}

#[test]
fn r39_what_returned_to_an_expired_lot_goes_back_to_its_payment() {
    let mut book = limited(Book::new(), None);
    book.policies.standard.expiry_days = [(FundingType::Cash, 1)].into();
    book.ok(open(1, 50));
    book.ok(settle(id(1), 50));
    let spent = book.ok(debit(20)).id;
    let mut book = book.at(2 * DAY);
    book.ok(refund(spent, None));
    book.ok(close(PayoutWay::Original));
    assert_eq!(payments(&book), [(Some(1), PayoutWay::Original)]);
    audit(&book);
}

#[test]
fn r39_auto_recharge_ends_and_pages_are_given_up_before_value_leaves() {
    use EntryKind::{Closed, RechargeChanged, TopUpEnded, Withdrawn};
    let mut book = recharged(30, None);
    book.ok(channeled(9, 50, Channel::Checkout));
    let expected = [
        (RechargeChanged, "0"),
        (TopUpEnded, "0"),
        (Withdrawn, "-30: A-30"),
        (Closed, "0"),
    ];
    assert_eq!(last_rows(&mut book, PayoutWay::Manual), own(&expected));
    let recharge = book.state.recharge.as_deref().expect("it was set");
    assert!(!recharge.is_enabled);
    assert_eq!(book.state.top_ups().len(), 0);
    assert_eq!(book.state.next_due_at(), None);
}

#[test]
fn r39_a_payment_that_still_succeeds_goes_back_at_once() {
    use EntryKind::{Credit, Forfeited, TopUpRefunded};
    let mut book = limited(Book::new(), None);
    book.ok(channeled(1, 50, Channel::Checkout));
    book.ok(channeled(2, 50, Channel::Checkout));
    book.ok(close(PayoutWay::Manual));
    let from = book.entries.len();
    book.ok(settle(id(1), 40));
    let expected = [
        (Credit, "40: A+40"),
        (Credit, "10: B+10"),
        (TopUpRefunded, "-40: A-40"),
        (Forfeited, "-10: B-10"),
    ];
    assert_eq!(rows(&book, from), own(&expected));
    assert_eq!(payments(&book), [(Some(1), PayoutWay::Original)]);
    let from = book.entries.len();
    book.ok(settle(id(2), 0));
    let expected = [(Credit, "50: C+50"), (Forfeited, "-50: C-50")];
    assert_eq!(rows(&book, from), own(&expected));
    assert_eq!(book.show(), "0");
    assert_eq!(book.state.status, WalletStatus::Closed);
    audit(&book);
}

/// How the payout of a payment stands, and what has been refunded of it.
fn payout(book: &Book) -> (PayoutStatus, Amount) {
    let mut rows = book.entries.iter().rev();
    let payback = rows.find_map(|row| {
        row.event
            .payback
            .as_deref()
            .filter(|one| one.payout.is_some())
    });
    let payback = payback.expect("a payout");
    let payout = payback.payout.as_ref().expect("a payout");
    (payout.status, payback.refunded)
}

#[test]
fn r39_a_close_opens_payouts_and_what_the_provider_refuses_is_for_a_person() {
    use EntryKind::{Closed, Forfeited, TopUpRefunded};
    let closed = || {
        let mut book = paid(100, 10);
        book.ok(debit(30));
        let expected = [(TopUpRefunded, "-80: A-80"), (Closed, "0")];
        assert_eq!(last_rows(&mut book, PayoutWay::Original), own(&expected));
        assert_eq!(payout(&book), (PayoutStatus::Pending, units(80)));
        let mut rows = book.entries.iter().rev();
        let opened = rows.find(|row| row.event.kind == TopUpRefunded);
        let id = opened.expect("a payout").id;
        (book, id)
    };
    let (mut book, id) = closed();
    book.ok(succeeded(id));
    assert_eq!(payout(&book), (PayoutStatus::Succeeded, units(80)));
    audit(&book);
    // A bank may return what the provider had reported as paid back.
    for mut book in [closed().0, book] {
        book.ok(failed(id));
        assert_eq!(payout(&book), (PayoutStatus::Manual, units(80)));
        assert_eq!(book.show(), "0", "a closed wallet gets nothing back");
        audit(&book);
    }

    let mut whole = paid(100, 10);
    let expected = [
        (TopUpRefunded, "-100: A-100"),
        (Forfeited, "-10: B-10"),
        (Closed, "0"),
    ];
    assert_eq!(last_rows(&mut whole, PayoutWay::Original), own(&expected));
}

#[test]
fn r39_a_card_gets_no_more_than_has_not_gone_back() {
    use EntryKind::{Closed, TopUpRefunded, Withdrawn};
    let mut book = paid(100, 0);
    book.ok(refund_of(30));
    let expected = [(TopUpRefunded, "-70: A-70"), (Closed, "0")];
    assert_eq!(last_rows(&mut book, PayoutWay::Original), own(&expected));
    assert_eq!(payout(&book), (PayoutStatus::Pending, units(100)));

    // The bank has taken the payment from other value; what was bought by it is given back.
    let mut book = paid(100, 0);
    book.ok(cash(150));
    let spent = book.ok(debit(100)).id;
    book.ok(dispute(Lost));
    book.ok(refund(spent, None));
    assert_eq!(book.show(), "150 A100 B50");
    let expected = [(Withdrawn, "-150: A-100 B-50"), (Closed, "0")];
    assert_eq!(last_rows(&mut book, PayoutWay::Original), own(&expected));
    assert_eq!(payments(&book), [(None, PayoutWay::Manual)]);
}

#[test]
fn r39_what_a_won_dispute_brings_to_a_closed_wallet_goes_back_to_its_card() {
    use EntryKind::{Closed, DisputeChanged, Forfeited, Reversed, TopUpRefunded};
    let mut book = paid(100, 10);
    book.ok(dispute(Open));
    let refused = book.run(close(PayoutWay::Original));
    let holds = Rejection::Conflict("the wallet has open holds");
    assert_eq!(refused, Err(holds), "what the bank may take is reserved");
    book.ok(dispute(Lost));
    assert_eq!(
        last_rows(&mut book, PayoutWay::Original),
        own(&[(Closed, "0")])
    );
    let from = book.entries.len();
    book.ok(dispute(Won));
    let expected = [
        (Reversed, "110: B+10 A+100"),
        (TopUpRefunded, "-100: A-100"),
        (Forfeited, "-10: B-10"),
    ];
    assert_eq!(rows(&book, from), own(&expected));
    assert_eq!(payout(&book), (PayoutStatus::Pending, units(100)));
    assert_eq!(book.show(), "0");
    audit(&book);

    // What the bank had taken from another gift of cash comes back as that, and goes to the same card.
    let mut book = paid(100, 0);
    book.ok(refund_of(60));
    book.ok(cash(70));
    book.ok(debit(40));
    book.ok(dispute(Lost));
    book.ok(close(PayoutWay::Original));
    let from = book.entries.len();
    book.ok(dispute(Won));
    let expected = [(Reversed, "40: B+40"), (TopUpRefunded, "-40: B-40")];
    assert_eq!(rows(&book, from), own(&expected));
    audit(&book);

    // One that nobody had told of takes nothing from a wallet that is over.
    let mut book = paid(100, 0);
    book.ok(close(PayoutWay::Original));
    let from = book.entries.len();
    book.ok(dispute(Open));
    book.ok(dispute(Lost));
    book.ok(dispute(Won));
    let expected = [
        (DisputeChanged, "0"),
        (DisputeChanged, "0"),
        (DisputeChanged, "0"),
    ];
    assert_eq!(rows(&book, from), own(&expected));
    audit(&book);
}

#[test]
fn r39_a_closed_wallet_refuses_everything() {
    let mut book = Book::after([cash(5), close(PayoutWay::Manual)]);
    let closed = || Err(Rejection::WalletNotActive(WalletStatus::Closed));
    check(
        &mut book,
        &[
            ("credit", cash(1), closed()),
            ("debit", debit(1), closed()),
            ("force", forced(1, None), closed()),
            ("adjustment", adjust(1), closed()),
            ("hold", hold(1, 60), closed()),
            ("withdrawal", withdraw(1), closed()),
            ("limit", limit(1), closed()),
            ("freeze", freeze(), closed()),
            ("unfreeze", Command::Unfreeze, closed()),
            ("top-up", open(1, 50), closed()),
            ("auto-recharge", fixed(20, 20, None), closed()),
            ("again", close(PayoutWay::Manual), closed()),
        ],
    );
}

/// What the audit finds in rows that a forger has changed, who hashes the chain anew.
fn found(book: &Book, change: impl FnOnce(&mut [Entry])) -> Vec<&'static str> {
    let mut rows = book.entries.clone();
    change(&mut rows);
    let mut audit = WalletAudit::new(book.state.id);
    let mut head = [0; 32];
    for row in &mut rows {
        row.hash = row.chained_after(&head);
        head = row.hash;
        audit.feed(row);
    }
    let audited = audit.finish(super::book::new_wallet(WalletStatus::Active));
    let names = audited.violations.iter().map(|found| found.invariant);
    names.collect()
}

fn last(rows: &mut [Entry]) -> &mut Event {
    &mut rows.last_mut().expect("a row").event
}

#[test]
fn value_that_leaves_by_no_rule_is_found() {
    const WAY_OUT: &str =
        "value is withdrawn from withdrawable lots, and a void takes all that is unheld of one";
    let book = Book::after([cash(5), given(3), withdraw(1)]);
    assert_eq!(found(&book, |_| ()), Vec::<&str>::new());
    let gift = book.entries[1].event.parts[0];
    let of_gift = |rows: &mut [Entry]| {
        let part = &mut last(rows).parts[0];
        (part.lot, part.funding) = (gift.lot, gift.funding);
    };
    assert_eq!(found(&book, of_gift), [WAY_OUT]);
    let as_usage = |rows: &mut [Entry]| last(rows).reason = Some(Reason::Usage);
    assert!(found(&book, as_usage).contains(&WAY_OUT));
    let of_nobody = |rows: &mut [Entry]| last(rows).top_up_id = Some(id(7));
    assert_eq!(
        found(&book, of_nobody),
        ["a payment that goes back came in"]
    );

    let mut book = Book::after([cash(5)]);
    let lot = *book.lots.keys().next().expect("a lot");
    book.ok(void(lot));
    let in_part = |rows: &mut [Entry]| {
        rows.last_mut().expect("a row").balance_after = units(1);
        last(rows).amount = units(-4);
        last(rows).parts[0].amount = units(-4);
    };
    assert_eq!(found(&book, in_part), [WAY_OUT]);

    let mut book = Book::after([cash(5)]);
    book.ok(expire_at(lot, Some(50)));
    let to_the_past = |rows: &mut [Entry]| {
        last(rows).lot_change.as_mut().expect("a change").expires_at = Some(at(0));
    };
    let expected = ["a lot that is open and not past its date gets another"];
    assert_eq!(found(&book, to_the_past), expected);
}

#[test]
fn r39_value_in_a_closed_wallet_and_rows_behind_its_end_are_found() {
    const CLOSED: &str = "a closed wallet is empty, and only late payments come and go back";
    let close_early = |rows: &mut [Entry]| {
        let freeze = rows.iter_mut().find(|row| row.event.status.is_some());
        freeze.expect("a freeze").event.status = Some(WalletStatus::Closed);
    };
    let full = Book::after([cash(5), freeze()]);
    assert_eq!(found(&full, close_early), [CLOSED]);
    let empty = Book::after([freeze()]);
    assert_eq!(found(&empty, close_early), Vec::<&str>::new());
    let later = Book::after([freeze(), Command::Unfreeze]);
    assert_eq!(found(&later, close_early), [CLOSED]);
    let later = Book::after([freeze(), cash(5), adjust(-5)]);
    assert_eq!(found(&later, close_early), [CLOSED]);
}
