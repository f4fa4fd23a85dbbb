//! Value on its way out, and lots that change, by hand.

use crate::books::{Books, units};
use crate::commands::{capture, close, credit, debit, expire_at, expiring_credit, hold, refund};
use crate::commands::{settle, top_up, void, withdraw};
use crate::on_both_stores;
use crate::stores::TestStore;
use tillbox_core::command::AfterCapture;
use tillbox_core::entry::PayoutWay;
use tillbox_core::id::{LotId, TopUpId, WalletId};
use tillbox_core::lot::FundingType;
use tillbox_core::top_up::Channel;
use tillbox_core::wallet::WalletStatus;
use tillbox_engine::port::LedgerStore;

on_both_stores!(
    withdrawals_and_voids_come_back,
    another_expiry_comes_back_with_the_holds_on_it,
    a_lot_made_and_changed_in_one_commit_comes_back,
    a_lot_is_known_where_it_is,
    a_lot_is_traced_to_its_payment,
    a_closed_wallet_comes_back_and_makes_room,
);

fn made(row: &tillbox_core::entry::Entry) -> LotId {
    row.made_lot().expect("a lot")
}

fn withdrawals_and_voids_come_back(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    let first = books.run(1, &credit(9, FundingType::Cash)).expect("cash");
    let gift = books.run(1, &expiring_credit(5, 90)).expect("a gift");
    books.run(1, &hold(7, 60)).expect("a hold");
    books.commit_and_compare();
    books.run(1, &withdraw(3)).expect("the unheld");
    books.run(1, &void(made(&first))).expect("the rest of it");
    books
        .run(1, &void(made(&gift)))
        .expect_err("all of it is held");
    books.commit_and_compare();
    assert_eq!(books.state(1).balance, units(7));
}

fn another_expiry_comes_back_with_the_holds_on_it(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    let lot = made(&books.run(1, &expiring_credit(5, 50)).expect("a credit"));
    books.run(1, &credit(3, FundingType::Cash)).expect("cash");
    let placed = books.run(1, &hold(4, 90)).expect("a hold");
    books.commit_and_compare();
    books.run(1, &expire_at(lot, None)).expect("never");
    books.commit_and_compare();
    let soon = books.now.plus_seconds(40);
    books.run(1, &expire_at(lot, Some(soon))).expect("sooner");
    books.run(1, &debit(1)).expect("drawn from its new place");
    books.commit_and_compare();
    books.now = books.now.plus_seconds(45);
    let id = placed.event.hold.expect("a hold").id;
    let end = AfterCapture::End;
    books
        .run(1, &capture(id, Some(units(2)), end))
        .expect("what was held before");
    books.commit_and_compare();
    assert_eq!(
        books.state(1).balance,
        units(3),
        "the rest of it has expired"
    );
}

fn a_lot_made_and_changed_in_one_commit_comes_back(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    let lot = made(&books.run(1, &expiring_credit(5, 50)).expect("a credit"));
    books.run(1, &debit(1)).expect("a debit");
    books.run(1, &expire_at(lot, None)).expect("never");
    books.run(1, &debit(1)).expect("a debit");
    books.commit_and_compare();
    let later = books.now.plus_seconds(500);
    books.run(1, &expire_at(lot, Some(later))).expect("later");
    books.run(1, &debit(3)).expect("spent");
    books.commit_and_compare();
    let spent = books.rows(1).last().expect("a row").id;
    books.run(1, &refund(spent, None)).expect("opened again");
    books.commit_and_compare();
    assert_eq!(books.state(1).next_due_at(), Some(later));
}

fn a_lot_is_known_where_it_is(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 2);
    let lot = made(&books.run(1, &credit(5, FundingType::Cash)).expect("cash"));
    books.run(1, &debit(5)).expect("spent");
    books.commit_and_compare();
    let wallet = WalletId::from_number;
    let mut has = |of, lot| {
        books
            .store
            .ledger()
            .has_lot(wallet(of), lot)
            .expect("a look")
    };
    assert!(has(1, lot));
    assert!(!has(2, lot), "another wallet's");
    assert!(!has(1, LotId::from_number(7)));
}

fn a_lot_is_traced_to_its_payment(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    let id = TopUpId::from_number(8);
    books
        .run(1, &top_up(8, 10, Channel::Saved))
        .expect("opened");
    let paid = made(&books.run(1, &settle(id, units(9))).expect("paid"));
    let given = made(&books.run(1, &credit(5, FundingType::Cash)).expect("cash"));
    let soon = books.now.plus_seconds(50);
    books.run(1, &expire_at(paid, Some(soon))).expect("sooner");
    let spent = books.run(1, &debit(9)).expect("a debit").id;
    books.now = soon;
    books.run(1, &refund(spent, None)).expect("to a successor");
    books.commit_and_compare();
    let successor = books.state(1).lots().find(|lot| lot.succeeds == Some(paid));
    let successor = successor.expect("a successor").id;
    let unknown = LotId::from_number(7);
    let traced = books.payments(&[successor, given, unknown, paid]);
    let pay = || Some("pay_2".into());
    assert_eq!(traced, [(successor, id, pay()), (paid, id, pay())]);
}

fn a_closed_wallet_comes_back_and_makes_room(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    let id = TopUpId::from_number(8);
    let late = TopUpId::from_number(9);
    books
        .run(1, &top_up(8, 10, Channel::Saved))
        .expect("opened");
    books.run(1, &settle(id, units(9))).expect("paid");
    books
        .run(1, &top_up(9, 20, Channel::Checkout))
        .expect("opened");
    books.run(1, &close(PayoutWay::Original)).expect("closed");
    books.commit_and_compare();
    assert_eq!(books.state(1).status, WalletStatus::Closed);
    let wallet = crate::books::new_wallet(1, 1).wallet;
    let owner = (wallet.merchant_id, wallet.customer_id, wallet.currency);
    let open = books
        .store
        .ledger()
        .find_open_wallet(owner.0, owner.1, owner.2);
    assert_eq!(open.expect("a look"), None);
    books
        .run(1, &settle(late, units(15)))
        .expect("it goes back");
    books.commit_and_compare();
    assert_eq!(books.state(1).balance, units(0));
    assert_eq!(books.state(1).lots().len(), 0);
}
