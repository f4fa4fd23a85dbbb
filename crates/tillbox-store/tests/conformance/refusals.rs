//! What a store refuses, whole, and carries on.

use crate::books::{Books, new_wallet};
use crate::commands::{credit, debit};
use crate::on_both_stores;
use crate::stores::TestStore;
use std::sync::Arc;
use tillbox_core::entry::{Entry, KeyStamp};
use tillbox_core::id::{EntryId, WalletId};
use tillbox_core::lot::FundingType;
use tillbox_engine::port::{CommitError, LedgerStore, StoredAnswer};

on_both_stores!(
    a_version_taken_twice_writes_nothing,
    a_key_taken_twice_writes_nothing,
    a_key_of_a_row_is_no_key_of_an_answer,
    a_second_open_wallet_of_a_customer_writes_nothing,
    a_row_taken_twice_writes_nothing,
);

/// The batch that `spoil` made wrong is refused, nothing of it is there, and the same batch unspoiled goes through.
fn refused<T: TestStore>(mut books: Books<T>, spoil: impl FnOnce(&mut Books<T>)) {
    books
        .run(1, &credit(50, FundingType::Cash))
        .expect("a credit");
    books
        .run(2, &credit(50, FundingType::Cash))
        .expect("a credit");
    books.commit_and_compare();
    let before = (books.store.log(id(1)), books.store.log(id(2)));
    let loaded = books
        .store
        .ledger()
        .load_wallets(&[id(1), id(2)])
        .expect("loads");

    books.run(2, &debit(3)).expect("a debit");
    books.run(1, &debit(2)).expect("a debit");
    let good = books.pending.entries.clone();
    spoil(&mut books);
    let error = books.commit().expect_err("a spoiled batch");
    assert!(matches!(error, CommitError::NothingWritten(_)), "{error:?}");
    assert_eq!((books.store.log(id(1)), books.store.log(id(2))), before);
    let now = books
        .store
        .ledger()
        .load_wallets(&[id(1), id(2)])
        .expect("loads");
    assert_eq!(now, loaded);

    books.pending.entries = good;
    books.pending.opened.clear();
    books.pending.answers.clear();
    books.states.retain(|wallet, _| wallet.number() <= 2);
    books.pending.forget_wallets_above(2);
    books.commit_and_compare();
}

fn id(number: i64) -> WalletId {
    WalletId::from_number(number)
}

fn respoiled(entry: &Entry, number: i64, change: impl FnOnce(&mut Entry)) -> Arc<Entry> {
    let mut copy = entry.clone();
    copy.id = EntryId::from_number(number);
    change(&mut copy);
    Arc::new(copy)
}

fn a_version_taken_twice_writes_nothing(store: impl TestStore) {
    refused(Books::with_wallets(store, 2), |books| {
        let last = books.pending.entries.last().expect("a row").clone();
        let number = books.next_id();
        let twice = respoiled(&last, number, |row| row.key = None);
        books.pending.entries.push(twice);
    });
}

fn a_key_taken_twice_writes_nothing(store: impl TestStore) {
    refused(Books::with_wallets(store, 2), |books| {
        let last = books.pending.entries.last().expect("a row").clone();
        let number = books.next_id();
        let twice = respoiled(&last, number, |row| row.version += 1);
        books.pending.entries.push(twice);
    });
}

fn a_key_of_a_row_is_no_key_of_an_answer(store: impl TestStore) {
    refused(Books::with_wallets(store, 2), |books| {
        let key = books.pending.entries.last().and_then(|row| row.key);
        let key: KeyStamp = key.expect("a key");
        books.pending.answers.push(StoredAnswer {
            key,
            status: 200,
            body: Arc::from(b"".as_slice()),
        });
    });
}

fn a_second_open_wallet_of_a_customer_writes_nothing(store: impl TestStore) {
    refused(Books::with_wallets(store, 2), |books| {
        books.open(new_wallet(3, 2));
    });
}

fn a_row_taken_twice_writes_nothing(store: impl TestStore) {
    refused(Books::with_wallets(store, 2), |books| {
        let last = books.pending.entries.last().expect("a row").clone();
        let number = last.id.number();
        let twice = respoiled(&last, number, |row| {
            row.version += 1;
            row.key = None;
        });
        books.pending.entries.push(twice);
    });
}
