//! Sequences by hand, one for each thing that a store must not lose.

use crate::books::{Books, new_wallet, units};
use crate::commands::{capture, credit, debit, expiring_credit, forced_debit, hold, note, refund};
use crate::on_both_stores;
use crate::stores::TestStore;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Adjust, AfterCapture, Command, DebitRecord, Expiry, Force, Usage};
use tillbox_core::entry::{Entry, KeyStamp, Note, UsageFacts};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{CustomerId, EntryId, HoldId, MerchantId, WalletId};
use tillbox_core::lot::FundingType;
use tillbox_core::wallet::WalletStatus;
use tillbox_engine::port::{LedgerStore, Remembered, StoredAnswer};

on_both_stores!(
    every_kind_of_credit_comes_back,
    debits_and_debt_come_back,
    a_wallet_that_spends_in_the_commit_that_opens_it_comes_back,
    holds_come_back_with_what_they_reserve,
    a_refund_finds_what_paid_the_debt,
    what_is_past_its_date_is_booked_and_comes_back,
    policies_and_freezing_come_back,
    answers_come_back_under_their_keys,
    what_is_not_there_is_none,
    batches_of_many_wallets_come_back,
);

fn hold_of(entry: &Arc<Entry>) -> HoldId {
    entry.event.hold.expect("a hold").id
}

fn every_kind_of_credit_comes_back(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    for funding in FundingType::ALL {
        books.run(1, &credit(5, funding)).expect("a credit");
    }
    books.run(1, &expiring_credit(3, 60)).expect("a credit");
    let adjust = |units_: i64| {
        Command::Adjust(Adjust {
            amount: units(units_),
            note: note("a correction"),
        })
    };
    books.run(1, &adjust(4)).expect("upwards");
    books.run(1, &adjust(-2)).expect("downwards");
    books.commit_and_compare();
    assert_eq!(books.state(1).lots().len(), 7);
}

fn debits_and_debt_come_back(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    books
        .run(1, &credit(10, FundingType::Cash))
        .expect("a credit");
    books.commit_and_compare();
    books.run(1, &debit(4)).expect("from the lot");
    books.run(1, &debit(14)).expect("into the overdraft");
    books.commit_and_compare();
    books.run(1, &forced_debit(100)).expect("by force");
    let usage = Command::Usage(Usage {
        cost: Amount::ZERO,
        facts: UsageFacts {
            price_key: "sms".into(),
            quantity: 3,
            billed_quantity: 0,
        },
        hold_id: None,
        force: Some(Force { floor: None }),
        note: Note::default(),
    });
    books.run(1, &usage).expect("rated to zero");
    books.commit_and_compare();
    books
        .run(1, &credit(50, FundingType::Cash))
        .expect("pays debt");
    books.commit_and_compare();
    assert_eq!(books.state(1).debt.total(), units(58));
}

fn a_wallet_that_spends_in_the_commit_that_opens_it_comes_back(store: impl TestStore) {
    let mut books = Books::new(store);
    books.open(new_wallet(1, 1));
    books.run(1, &debit(4)).expect("into the overdraft");
    books.commit().expect("a commit");
    books.store.reopen();
    books.compare_loaded();
    books.run(1, &debit(5)).expect("once more");
    books.commit_and_compare();
}

fn holds_come_back_with_what_they_reserve(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    books
        .run(1, &credit(10, FundingType::Cash))
        .expect("a credit");
    books
        .run(1, &credit(5, FundingType::Promotional))
        .expect("a credit");
    let first = hold_of(&books.run(1, &hold(12, 600)).expect("on two lots"));
    let second = hold_of(
        &books
            .run(1, &hold(9, 900))
            .expect("on a lot and the overdraft"),
    );
    let third = hold_of(&books.run(1, &hold(2, 900)).expect("on the overdraft"));
    books.commit_and_compare();
    assert_eq!(books.state(1).held_overdraft, units(8));
    let partly = capture(first, Some(units(7)), AfterCapture::StayOpen);
    books.run(1, &partly).expect("a part");
    let extend = Command::ExtendHold {
        hold_id: first,
        expiry: Expiry::InSeconds(5_000),
    };
    books.run(1, &extend).expect("a later end");
    books.commit_and_compare();
    books
        .run(1, &capture(second, Some(units(5)), AfterCapture::End))
        .expect("the rest returns");
    books
        .run(1, &Command::ReleaseHold { hold_id: third })
        .expect("given back");
    books.commit_and_compare();
    books.now = books.now.plus_seconds(6_000);
    books
        .run(1, &Command::Freeze { note: note("why") })
        .expect("books the end of the first");
    books.commit_and_compare();
    let wallet = WalletId::from_number(1);
    let statuses = [
        (first, HoldStatus::Expired),
        (second, HoldStatus::Captured),
        (third, HoldStatus::Released),
    ];
    for (id, status) in statuses {
        let loaded = books.store.ledger().load_hold_status(wallet, id);
        assert_eq!(loaded.expect("loads"), Some(status));
    }
}

fn load_debit<T: TestStore>(books: &mut Books<T>, id: EntryId) -> DebitRecord {
    let loaded = books
        .store
        .ledger()
        .load_debit(WalletId::from_number(1), id);
    loaded.expect("loads").expect("a debit")
}

fn a_refund_finds_what_paid_the_debt(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    books
        .run(1, &credit(10, FundingType::Cash))
        .expect("a credit");
    let small = books.run(1, &debit(13)).expect("makes a debt of 3");
    let large = books.run(1, &debit(8)).expect("makes a debt of 8");
    books.commit_and_compare();
    let first = books
        .run(1, &credit(2, FundingType::Cash))
        .expect("pays 2 of the small");
    let second = books
        .run(1, &credit(4, FundingType::Promotional))
        .expect("pays both");
    books.commit_and_compare();

    let record = load_debit(&mut books, small.id);
    let paid: Vec<_> = record
        .debt_payments
        .iter()
        .map(|paid| paid.span.amount)
        .collect();
    assert_eq!(
        paid,
        vec![units(2), units(4)],
        "whole payments that reach into it"
    );
    assert_eq!(record.lots.len(), 3, "what it drew, and both that paid");
    assert_eq!(record.event, small.event);
    let record = load_debit(&mut books, large.id);
    let payers: Vec<_> = record
        .debt_payments
        .iter()
        .map(|paid| paid.lot_id.number())
        .collect();
    assert_eq!(payers, vec![second.id.number()]);

    books
        .run(1, &refund(small.id, Some(units(11))))
        .expect("a refund");
    books.commit_and_compare();
    assert_eq!(load_debit(&mut books, small.id).refunded, units(11));
    books
        .run(1, &refund(small.id, Some(units(2))))
        .expect("a refund");
    books.commit_and_compare();
    assert_eq!(load_debit(&mut books, small.id).refunded, units(13));
    books
        .run(1, &refund(small.id, Some(units(1))))
        .expect_err("all was given back");
    books
        .run(1, &refund(large.id, Some(units(6))))
        .expect("cancels debt or returns");
    books.commit_and_compare();
    books
        .run(1, &refund(first.id, None))
        .expect_err("a credit is no debit");
}

fn what_is_past_its_date_is_booked_and_comes_back(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    books.run(1, &expiring_credit(10, 100)).expect("a credit");
    let spent = books.run(1, &debit(6)).expect("a debit");
    books.run(1, &hold(2, 300)).expect("a hold");
    books.commit_and_compare();
    books.now = books.now.plus_seconds(200);
    books
        .run(1, &credit(1, FundingType::Cash))
        .expect("books the lot's end");
    books.commit_and_compare();
    assert_eq!(books.state(1).balance, units(3));
    books.now = books.now.plus_seconds(200);
    books
        .run(1, &refund(spent.id, None))
        .expect("into a successor");
    books.commit_and_compare();
    assert_eq!(books.state(1).balance, units(7));
    assert!(books.state(1).lots().any(|lot| lot.succeeds.is_some()));
}

fn policies_and_freezing_come_back(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    books
        .run(1, &Command::SetOverdraftLimit(units(1)))
        .expect("a limit");
    books
        .run(1, &Command::Freeze { note: note("why") })
        .expect("frozen");
    books.commit_and_compare();
    assert_eq!(books.state(1).status, WalletStatus::Frozen);
    books.run(1, &Command::Unfreeze).expect("active");
    books.commit_and_compare();
}

fn answers_come_back_under_their_keys(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 1);
    let answer = StoredAnswer {
        key: KeyStamp {
            key: [3; 16],
            fingerprint: [4; 16],
        },
        status: 201,
        body: Arc::from(b"{}".as_slice()),
    };
    books
        .run(1, &credit(1, FundingType::Cash))
        .expect("a credit");
    books.pending.answers.push(answer.clone());
    books.commit_and_compare();
    let found = books
        .store
        .ledger()
        .load_keys(&[[9; 16], [3; 16]])
        .expect("loads");
    assert!(found[0].is_none());
    assert_eq!(
        found[1].as_ref().and_then(Remembered::fingerprint),
        Some([4; 16])
    );
    assert!(matches!(&found[1], Some(Remembered::Answer(found)) if *found == answer));
}

fn what_is_not_there_is_none(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 2);
    let placed = books.run(1, &hold(2, 300)).expect("a hold");
    let spent = books.run(1, &debit(2)).expect("a debit");
    books.commit_and_compare();
    let (mine, other) = (WalletId::from_number(1), WalletId::from_number(2));
    let currency = books.state(1).currency;
    let ledger = books.store.ledger();
    let none = WalletId::from_number(77);
    let loaded = ledger.load_wallets(&[none, mine, none]).expect("loads");
    assert_eq!(
        loaded.iter().map(Option::is_some).collect::<Vec<_>>(),
        vec![false, true, false]
    );
    let hold_id = hold_of(&placed);
    assert_eq!(
        ledger.load_hold_status(other, hold_id).expect("loads"),
        None
    );
    assert_eq!(ledger.load_debit(other, spent.id).expect("loads"), None);
    assert_eq!(
        ledger.load_debit(mine, placed.id).expect("loads"),
        None,
        "a hold is no debit"
    );
    let mut find = |merchant: i64, customer: i64| {
        let (merchant, customer) = (
            MerchantId::from_number(merchant),
            CustomerId::from_number(customer),
        );
        ledger
            .find_open_wallet(merchant, customer, currency)
            .expect("loads")
    };
    assert_eq!(find(1, 2), Some(other));
    assert_eq!(find(1, 3), None);
    assert_eq!(find(2, 2), None);
}

fn batches_of_many_wallets_come_back(store: impl TestStore) {
    let mut books = Books::with_wallets(store, 40);
    for round in 0..4 {
        for wallet in (1..=40).rev() {
            books
                .run(wallet, &credit(3, FundingType::Cash))
                .expect("a credit");
            books.run(wallet, &debit(1 + round)).expect("a debit");
        }
        books.open(new_wallet(100 + round, 100 + round));
        let late = 100 + round;
        books
            .run(late, &credit(1, FundingType::Cash))
            .expect("in the commit that opens it");
        books.commit_and_compare();
    }
}
