//! What goes back of payments: stores remember it as the rows left it.

use crate::books::{Books, units};
use crate::commands::{debit, dispute, end_payout, hold, refund_to_card, settle, top_up};
use crate::on_both_stores;
use crate::stores::TestStore;
use tillbox_core::amount::Amount;
use tillbox_core::id::{EntryId, TopUpId, WalletId};
use tillbox_core::payback::DisputeStatus::{Lost, Open, Won};
use tillbox_core::payback::PayoutStatus;
use tillbox_core::rejection::Rejection;
use tillbox_core::top_up::Channel;
use tillbox_engine::port::LedgerStore;

on_both_stores!(
    refunds_to_the_card_are_remembered,
    a_failed_refund_behind_a_lost_dispute_is_taken_again,
    a_dispute_reserves_takes_and_gives_back,
    payments_of_others_are_not_found,
    a_payout_to_another_payment_is_not_found,
);

/// Payment 1 of wallet 1: 100 charged, 10 given.
fn paid<T: TestStore>(store: T) -> Books<T> {
    let mut books = Books::with_wallets(store, 2);
    books
        .run(1, &top_up(1, 110, Channel::Link))
        .expect("opened");
    let settled = settle(TopUpId::from_number(1), units(100));
    books.run(1, &settled).expect("paid");
    books.commit_and_compare();
    books
}

fn refundable<T: TestStore>(books: &mut Books<T>) -> Amount {
    let id = TopUpId::from_number(1);
    let wallet = WalletId::from_number(1);
    let loaded = books.store.ledger().load_payment(wallet, id, None);
    let record = loaded.expect("loads").expect("a payment");
    let payback = record.payback.expect("paid");
    tillbox_core::decide::refundable(books.state(1), &payback)
}

fn refunds_to_the_card_are_remembered(store: impl TestStore) {
    let mut books = paid(store);
    books.run(1, &debit(4)).expect("spent of the bonus");
    let first = books
        .run(1, &refund_to_card(1, Some(40)))
        .expect("refunded");
    books.commit_and_compare();
    assert_eq!(refundable(&mut books), units(56));
    books
        .run(1, &end_payout(1, first.id, None))
        .expect("paid back");
    let second = books.run(1, &refund_to_card(1, None)).expect("refunded");
    books.commit_and_compare();
    assert_eq!(refundable(&mut books), units(0));
    let again = books.run(1, &end_payout(1, first.id, None));
    let told = Rejection::PayoutNotOpen(PayoutStatus::Succeeded);
    assert_eq!(again, Err(told));
    books
        .run(1, &end_payout(1, second.id, Some("lost_card")))
        .expect("failed");
    books.commit_and_compare();
    assert_eq!(refundable(&mut books), units(56));
    let unknown = books.run(1, &end_payout(1, EntryId::from_number(7), None));
    assert_eq!(unknown, Err(Rejection::TransactionNotFound));
}

fn a_failed_refund_behind_a_lost_dispute_is_taken_again(store: impl TestStore) {
    let mut books = paid(store);
    let refund = books
        .run(1, &refund_to_card(1, Some(60)))
        .expect("refunded");
    books.run(1, &dispute(1, Lost, 100)).expect("lost");
    books
        .run(1, &end_payout(1, refund.id, Some("disputed")))
        .expect("failed");
    books.commit_and_compare();
    assert_eq!(books.state(1).balance, units(0));
    for _ in 0..2 {
        books.run(1, &dispute(1, Won, 100)).expect("given back");
        books.commit_and_compare();
    }
    assert_eq!(books.state(1).balance, units(110));
    let told = Rejection::DisputeNotOpen(Won);
    assert_eq!(books.run(1, &dispute(1, Won, 100)), Err(told));
}

fn a_dispute_reserves_takes_and_gives_back(store: impl TestStore) {
    let mut books = paid(store);
    books.run(1, &debit(20)).expect("spent");
    books.run(1, &hold(5, 600)).expect("held");
    books.run(1, &dispute(1, Open, 100)).expect("opened");
    books.commit_and_compare();
    assert_eq!(books.state(1).held, units(90));
    books.run(1, &dispute(1, Lost, 100)).expect("lost");
    books.commit_and_compare();
    assert_eq!(books.state(1).balance, units(-20));
    assert_eq!(books.state(1).held, units(5));
    books.run(1, &dispute(1, Won, 100)).expect("won");
    books.commit_and_compare();
    assert_eq!(books.state(1).balance, units(90));
}

fn payments_of_others_are_not_found(store: impl TestStore) {
    let mut books = paid(store);
    let refused = books.run(2, &refund_to_card(1, Some(1)));
    assert_eq!(refused, Err(Rejection::TopUpNotFound));
    let refused = books.run(2, &dispute(1, Open, 1));
    assert_eq!(refused, Err(Rejection::TopUpNotFound));
}

fn a_payout_to_another_payment_is_not_found(store: impl TestStore) {
    let mut books = paid(store);
    let opened = top_up(2, 50, Channel::Link);
    books.run(1, &opened).expect("opened");
    let settled = settle(TopUpId::from_number(2), units(50));
    books.run(1, &settled).expect("paid");
    let refund = books
        .run(1, &refund_to_card(1, Some(40)))
        .expect("refunded");
    books.commit_and_compare();
    let refused = books.run(1, &end_payout(2, refund.id, None));
    assert_eq!(refused, Err(Rejection::TransactionNotFound));
    books
        .run(1, &end_payout(1, refund.id, None))
        .expect("paid back");
    books.commit_and_compare();
}
