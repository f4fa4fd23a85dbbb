//! Wallets, and what hangs on one: lots and holds.

use super::{FOREIGN, Ledger, OURS, at, units, usd};
use crate::sqlite::holds::{self, HoldFilter};
use crate::sqlite::wallets::{self, WalletFilter};
use crate::sqlite::{customers, lots};
use tillbox_core::command::{Command, Expiry};
use tillbox_core::currency::Currency;
use tillbox_core::entry::Note;
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{CustomerId, HoldId, LotId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::reason::Reason;
use tillbox_core::wallet::WalletStatus;

#[test]
fn wallets_are_listed_by_what_is_asked_and_by_pages() {
    let mut ledger = Ledger::new();
    let eur = Currency::parse("EUR").expect("a currency");
    let first = ledger.open(OURS, 1, usd());
    let second = ledger.open(OURS, 2, usd());
    let euro = ledger.open(OURS, 1, eur);
    let foreign = ledger.open(FOREIGN, 1, usd());
    ledger.run(
        second,
        &Command::Freeze {
            note: Note::default(),
        },
    );

    let list = |merchant, filter: WalletFilter, before, rows| -> Vec<WalletId> {
        let found =
            ledger.read(|connection| wallets::list(connection, merchant, &filter, before, rows));
        found.into_iter().map(|row| row.id).collect()
    };
    let all = WalletFilter::default;
    let customer = Some(CustomerId::from_number(1));
    assert_eq!(list(OURS, all(), None, 10), [euro, second, first]);
    assert_eq!(list(OURS, all(), None, 2), [euro, second]);
    assert_eq!(list(OURS, all(), Some(second), 2), [first]);
    assert_eq!(
        list(
            OURS,
            WalletFilter {
                customer_id: customer,
                ..all()
            },
            None,
            10
        ),
        [euro, first]
    );
    assert_eq!(
        list(
            OURS,
            WalletFilter {
                customer_id: customer,
                ..all()
            },
            Some(euro),
            10
        ),
        [first]
    );
    assert_eq!(
        list(
            OURS,
            WalletFilter {
                status: Some(WalletStatus::Frozen),
                ..all()
            },
            None,
            10
        ),
        [second]
    );
    assert_eq!(
        list(
            OURS,
            WalletFilter {
                currency: Some(eur),
                ..all()
            },
            None,
            10
        ),
        [euro]
    );
    assert_eq!(list(FOREIGN, all(), None, 10), [foreign]);
    assert!(
        list(
            FOREIGN,
            WalletFilter {
                currency: Some(eur),
                ..all()
            },
            None,
            10
        )
        .is_empty()
    );

    let get = |merchant| ledger.read(|connection| wallets::get(connection, merchant, first));
    assert_eq!(
        get(OURS).map(|row| (row.customer_id, row.currency)),
        customer.zip(Some(usd()))
    );
    assert_eq!(get(FOREIGN), None);
}

#[test]
fn only_its_merchant_changes_a_wallet_and_only_what_was_named() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    let change = |merchant, name: Option<Option<&str>>, metadata: Option<&str>| {
        ledger.read(|connection| {
            connection.pragma_update(None, "query_only", false)?;
            wallets::update(connection, merchant, wallet, name, metadata, at(9))
        })
    };
    let row = || {
        let row = ledger
            .read(|connection| wallets::get(connection, OURS, wallet))
            .expect("a wallet");
        (row.name, row.metadata, row.updated_at.micros())
    };
    assert!(!change(FOREIGN, Some(Some("Theirs")), Some("[]")));
    assert_eq!(row(), (None, "{}".to_owned(), 1_000));
    assert!(change(OURS, Some(Some("Main")), None));
    assert_eq!(row(), (Some("Main".to_owned()), "{}".to_owned(), 9));
    assert!(change(OURS, None, Some(r#"{"a":1}"#)));
    assert_eq!(row(), (Some("Main".to_owned()), r#"{"a":1}"#.to_owned(), 9));
    assert!(change(OURS, Some(None), None));
    assert_eq!(row().0, None);
}

#[test]
fn what_falls_due_comes_soonest_first_and_is_a_merchants_own() {
    let mut ledger = Ledger::new();
    let eur = Currency::parse("EUR").expect("a currency");
    let late = ledger.open(OURS, 1, usd());
    let soon = ledger.open(OURS, 2, usd());
    let never = ledger.open(OURS, 3, usd());
    let foreign = ledger.open(FOREIGN, 1, eur);
    ledger.credit(late, Some(Expiry::At(at(9_000))));
    ledger.credit(soon, Some(Expiry::At(at(5_000))));
    ledger.credit(never, None);
    ledger.credit(foreign, Some(Expiry::At(at(5_000))));
    let due = |merchant, until, rows| {
        ledger.read(|connection| wallets::due_wallets(connection, merchant, at(until), rows))
    };
    assert!(due(OURS, 4_999, 10).is_empty());
    assert_eq!(due(OURS, 5_000, 10), [(soon, at(5_000))]);
    assert_eq!(
        due(OURS, i64::MAX, 10),
        [(soon, at(5_000)), (late, at(9_000))]
    );
    assert_eq!(due(OURS, i64::MAX, 1), [(soon, at(5_000))]);
    assert_eq!(due(FOREIGN, i64::MAX, 10), [(foreign, at(5_000))]);
}

#[test]
fn lots_are_listed_newest_first_spent_ones_too() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    let made: Vec<LotId> = (0..3)
        .filter_map(|_| ledger.credit(wallet, None).made_lot())
        .collect();
    for number in 0..12 {
        ledger.debit(wallet, Reason::Usage, &number.to_string());
    }
    let list = |merchant, before, rows| {
        ledger.read(|connection| lots::list(connection, merchant, wallet, before, rows))
    };
    let ids = |lots: Vec<Lot>| lots.into_iter().map(|lot| lot.id).collect::<Vec<_>>();
    let remaining: Vec<_> = list(OURS, None, 10)
        .iter()
        .map(|lot| lot.remaining)
        .collect();
    assert_eq!(remaining, [units(10), units(8), units(0)]);
    assert_eq!(ids(list(OURS, None, 2)), [made[2], made[1]]);
    assert_eq!(ids(list(OURS, Some(made[1]), 2)), [made[0]]);
    assert!(list(FOREIGN, None, 10).is_empty());
}

#[test]
fn holds_come_with_the_words_that_they_were_placed_with() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    let other = ledger.open(OURS, 2, usd());
    ledger.credit(wallet, None);
    let first = ledger.place_hold(wallet, "Seat");
    let second = ledger.place_hold(wallet, "Meal");
    ledger.run(wallet, &Command::ReleaseHold { hold_id: first });

    let get = |merchant, wallet, id| {
        ledger.read(|connection| holds::get(connection, merchant, wallet, id))
    };
    let found = get(OURS, wallet, first).expect("a hold");
    assert_eq!(found.hold.status, HoldStatus::Released);
    assert_eq!(found.note.description.as_deref(), Some("Seat"));
    assert_eq!(found.note.reference.as_deref(), Some("order-7"));
    assert_eq!(found.note.metadata.as_deref(), Some(r#"{"seat":"4A"}"#));
    assert_eq!(get(FOREIGN, wallet, first), None);
    assert_eq!(get(OURS, other, first), None);

    let list = |merchant, status, before, rows| -> Vec<HoldId> {
        let filter = HoldFilter { status };
        let found = ledger
            .read(|connection| holds::list(connection, merchant, wallet, &filter, before, rows));
        found.into_iter().map(|stored| stored.hold.id).collect()
    };
    assert_eq!(list(OURS, None, None, 10), [second, first]);
    assert_eq!(list(OURS, None, None, 1), [second]);
    assert_eq!(list(OURS, None, Some(second), 10), [first]);
    assert_eq!(list(OURS, Some(HoldStatus::Open), None, 10), [second]);
    assert!(list(OURS, Some(HoldStatus::Captured), None, 10).is_empty());
    assert!(list(FOREIGN, None, None, 10).is_empty());
}

#[test]
fn a_closed_wallet_sets_its_customer_free() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    let closed = ledger.store.read(|connection| {
        connection.pragma_update(None, "query_only", false)?;
        connection.execute(
            "UPDATE wallets SET closed = 1 WHERE id = ?1",
            [wallet.number()],
        )?;
        customers::delete(connection, OURS, CustomerId::from_number(1), at(9))
    });
    assert!(!closed.expect("no conflict"), "there is no such customer");
}

#[test]
fn a_customers_wallets_are_found_by_an_index_of_their_own() {
    let ledger = Ledger::new();
    let filter = WalletFilter {
        customer_id: Some(CustomerId::from_number(1)),
        ..WalletFilter::default()
    };
    let steps =
        ledger.read(|connection| wallets::list_query(OURS, &filter, None, 20).plan(connection));
    assert!(steps.contains("wallets_by_customer"), "{steps}");
    assert!(!steps.contains("TEMP B-TREE"), "{steps}");
}
