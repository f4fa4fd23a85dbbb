//! Money on its way in, by hand: each end of a payment, recharges behind one another, and what a store refuses.

use crate::books::{Books, units};
use crate::commands::{advance, alerts, credit, debit, declined, recharge, settle, top_up};
use crate::on_both_stores;
use crate::stores::TestStore;
use tillbox_core::id::TopUpId;
use tillbox_core::lot::FundingType;
use tillbox_core::recharge::{FailureClass, RechargeState};
use tillbox_core::rejection::Rejection;
use tillbox_core::top_up::{Channel, TopUpStatus};
use tillbox_engine::port::{CommitError, LedgerStore};

on_both_stores!(
    each_end_of_a_top_up_comes_back,
    a_payment_that_succeeds_late_is_credited_once,
    recharges_follow_one_another_in_one_batch,
    a_back_off_and_alerts_come_back,
    a_second_recharge_in_flight_writes_nothing,
    a_top_up_credited_twice_writes_nothing,
);

fn id(number: i64) -> TopUpId {
    TopUpId::from_number(number)
}

/// The charge under way of wallet 1.
fn charge<T: TestStore>(books: &Books<T>) -> TopUpId {
    let recharge = books.state(1).recharge.as_deref().expect("it is on");
    recharge.charge.expect("a charge is under way").top_up_id
}

fn each_end_of_a_top_up_comes_back(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 2);
    for (number, channel) in (1..).zip(Channel::ALL) {
        books.run(1, &top_up(number, 10, channel)).expect("opened");
    }
    books.commit_and_compare();
    books
        .run(1, &advance(id(2), TopUpStatus::RequiresAction))
        .expect("the bank asks");
    books.run(1, &settle(id(1), units(10))).expect("paid");
    books.commit_and_compare();
    books.run(1, &settle(id(2), units(7))).expect("discounted");
    books
        .run(1, &declined(id(3), FailureClass::Soft))
        .expect("declined");
    books.run(2, &top_up(4, 10, Channel::Link)).expect("opened");
    books.run(2, &settle(id(4), units(0))).expect("given");
    books.commit_and_compare();
    assert_eq!(books.state(1).balance, units(20));
    assert_eq!(books.state(2).balance, units(10));
    let elsewhere = books.run(2, &settle(id(3), units(10)));
    assert_eq!(elsewhere, Err(Rejection::TopUpNotFound));
}

fn a_payment_that_succeeds_late_is_credited_once(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    books
        .run(1, &top_up(1, 10, Channel::Saved))
        .expect("opened");
    books
        .run(1, &declined(id(1), FailureClass::Soft))
        .expect("given up");
    books.commit_and_compare();
    books.run(1, &settle(id(1), units(10))).expect("paid late");
    books.commit_and_compare();
    assert_eq!(
        books.run(1, &settle(id(1), units(10))),
        Err(Rejection::TopUpNotOpen(TopUpStatus::Succeeded))
    );
    assert_eq!(books.state(1).balance, units(10));
}

fn recharges_follow_one_another_in_one_batch(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    books.run(1, &recharge(30, 10, Some(60))).expect("set");
    books.commit_and_compare();
    books.run(1, &debit(5)).expect("a debit");
    books
        .run(1, &settle(charge(&books), units(30)))
        .expect("paid");
    books.run(1, &debit(1)).expect("a debit");
    books.commit_and_compare();
    books
        .run(1, &settle(charge(&books), units(10)))
        .expect("paid");
    books.run(1, &debit(11)).expect("a debit");
    books.commit_and_compare();
    assert_eq!(books.state(1).balance, units(23));
}

fn a_back_off_and_alerts_come_back(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    books.run(1, &alerts(&[20, 5])).expect("set");
    books
        .run(1, &credit(50, FundingType::Cash))
        .expect("a credit");
    books.run(1, &recharge(30, 10, None)).expect("set");
    books.run(1, &debit(40)).expect("a debit");
    books
        .run(1, &declined(charge(&books), FailureClass::Soft))
        .expect("declined");
    books.commit_and_compare();
    let recharge = books.state(1).recharge.as_deref().expect("it is on");
    let until = books.now.plus_seconds(3_600);
    assert_eq!(recharge.state, RechargeState::CoolingDown { until });
    books.now = until;
    books.run(1, &debit(1)).expect("a debit");
    books.commit_and_compare();
    charge(&books);
}

fn a_second_recharge_in_flight_writes_nothing(store: impl TestStore) {
    refused(store, |books| {
        let first = charge(books);
        let mut twice = books.pending.top_ups[&first].clone();
        twice.id = id(i64::MAX);
        books.pending.top_ups.insert(twice.id, twice);
    });
}

fn a_top_up_credited_twice_writes_nothing(store: impl TestStore) {
    refused(store, |books| {
        let mut again = books.pending.top_ups[&id(1)].clone();
        again.opened_by = None;
        again.id = id(2);
        books.pending.top_ups.insert(again.id, again);
    });
}

/// The batch that `spoil` made wrong is refused, and goes through as it was.
fn refused<T: TestStore>(store: T, spoil: impl FnOnce(&mut Books<T>)) {
    let mut books = Books::with_wallets(store, 1);
    books.run(1, &top_up(2, 5, Channel::Link)).expect("opened");
    books.run(1, &settle(id(2), units(5))).expect("paid");
    books.commit_and_compare();
    books.run(1, &top_up(1, 5, Channel::Link)).expect("opened");
    books.run(1, &settle(id(1), units(5))).expect("paid");
    books.run(1, &recharge(30, 10, None)).expect("set");
    let good = books.pending.top_ups.clone();
    spoil(&mut books);
    let error = books.commit().expect_err("a spoiled batch");
    assert!(matches!(error, CommitError::NothingWritten(_)), "{error:?}");
    let wallet = books.state(1).id;
    let known = books.store.ledger().load_top_up(wallet, id(1));
    assert_eq!(known.expect("loads"), None, "nothing of it is there");
    books.pending.top_ups = good;
    books.commit_and_compare();
}
