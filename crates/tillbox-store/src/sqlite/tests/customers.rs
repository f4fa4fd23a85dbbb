//! Customers.

use super::{FOREIGN, Ledger, OURS, Plain, at, usd};
use crate::error::StoreError;
use crate::sqlite::customers::{CustomerRow, delete, get, insert, list, list_query, update};
use tillbox_core::id::{CustomerId, MerchantId};

fn customer(merchant: MerchantId, id: i64, external_id: Option<&str>) -> CustomerRow {
    CustomerRow {
        merchant_id: merchant,
        id: CustomerId::from_number(id),
        name: "Ana".to_owned(),
        email: Some("ana@example.com".to_owned()),
        external_id: external_id.map(str::to_owned),
        locale: "es".to_owned(),
        metadata: r#"{"a":1}"#.to_owned(),
        created_at: at(5),
        updated_at: at(5),
        deleted_at: None,
    }
}

fn taken<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    assert!(
        matches!(result, Err(StoreError::Conflict("external_id is taken"))),
        "{result:?}"
    );
}

fn numbers(rows: Vec<CustomerRow>) -> Vec<i64> {
    rows.into_iter().map(|row| row.id.number()).collect()
}

#[test]
fn a_customer_reads_back_and_is_its_merchants_alone() {
    let mut plain = Plain::new();
    let row = customer(OURS, 7, Some("crm-1"));
    plain
        .write(|connection| insert(connection, &row))
        .expect("writes");
    let found = plain.read(|connection| get(connection, OURS, row.id));
    assert_eq!(found, Some(row.clone()));
    assert_eq!(
        plain.read(|connection| get(connection, FOREIGN, row.id)),
        None
    );
    let foreign = plain.read(|connection| list(connection, FOREIGN, None, None, 10));
    assert!(foreign.is_empty());
    let foreign = plain.read(|connection| list(connection, FOREIGN, Some("crm-1"), None, 10));
    assert!(foreign.is_empty());
    let other = CustomerRow {
        merchant_id: FOREIGN,
        name: "Eve".to_owned(),
        ..row.clone()
    };
    plain
        .write(|connection| update(connection, &other))
        .expect("changes nothing");
    assert!(
        !plain
            .write(|connection| delete(connection, FOREIGN, row.id, at(9)))
            .expect("finds none")
    );
    assert_eq!(
        plain.read(|connection| get(connection, OURS, row.id)),
        Some(row)
    );
}

#[test]
fn an_external_id_is_taken_once_for_each_merchant() {
    let mut plain = Plain::new();
    let mut add = |row: CustomerRow| plain.write(|connection| insert(connection, &row));
    add(customer(OURS, 1, Some("crm-1"))).expect("writes");
    add(customer(OURS, 2, Some("crm-2"))).expect("writes");
    add(customer(OURS, 3, None)).expect("writes");
    add(customer(OURS, 4, None)).expect("none is not taken");
    add(customer(FOREIGN, 5, Some("crm-1"))).expect("another merchant's");
    taken(&add(customer(OURS, 6, Some("crm-1"))));
    let moved = customer(OURS, 2, Some("crm-1"));
    taken(&plain.write(|connection| update(connection, &moved)));
}

#[test]
fn a_number_that_is_taken_is_no_conflict_of_the_callers() {
    let mut plain = Plain::new();
    let row = customer(OURS, 1, None);
    plain
        .write(|connection| insert(connection, &row))
        .expect("writes");
    let again = plain.write(|connection| insert(connection, &row));
    assert!(
        matches!(again, Err(StoreError::Unavailable(_))),
        "{again:?}"
    );
}

#[test]
fn customers_are_listed_newest_first_by_pages() {
    let mut plain = Plain::new();
    for id in 1..=5 {
        let external_id = format!("crm-{id}");
        let row = customer(OURS, id, Some(&external_id));
        plain
            .write(|connection| insert(connection, &row))
            .expect("writes");
    }
    let page = |external_id: Option<&str>, before: Option<i64>| {
        let before = before.map(CustomerId::from_number);
        numbers(plain.read(|connection| list(connection, OURS, external_id, before, 2)))
    };
    assert_eq!(page(None, None), [5, 4]);
    assert_eq!(page(None, Some(4)), [3, 2]);
    assert_eq!(page(None, Some(2)), [1]);
    assert!(page(None, Some(1)).is_empty());
    assert_eq!(page(Some("crm-3"), None), [3]);
    assert!(page(Some("crm-9"), None).is_empty());
}

#[test]
fn deleting_erases_what_is_personal_and_stays() {
    let mut plain = Plain::new();
    let row = customer(OURS, 1, Some("crm-1"));
    plain
        .write(|connection| insert(connection, &row))
        .expect("writes");
    let mut erase = |now| plain.write(|connection| delete(connection, OURS, row.id, at(now)));
    assert!(erase(9).expect("deletes"));
    assert!(!erase(10).expect("is deleted already"));
    plain
        .write(|connection| update(connection, &row))
        .expect("changes nothing");
    let left = CustomerRow {
        name: String::new(),
        email: None,
        external_id: None,
        metadata: "{}".to_owned(),
        updated_at: at(9),
        deleted_at: Some(at(9)),
        ..row.clone()
    };
    assert_eq!(
        plain.read(|connection| get(connection, OURS, row.id)),
        Some(left)
    );
    assert!(
        plain
            .read(|connection| list(connection, OURS, None, None, 10))
            .is_empty()
    );
    let heir = customer(OURS, 2, Some("crm-1"));
    plain
        .write(|connection| insert(connection, &heir))
        .expect("the external_id is free again");
}

#[test]
fn a_customer_with_a_wallet_that_is_not_closed_stays() {
    let mut ledger = Ledger::new();
    ledger.open(OURS, 1, usd());
    let kept = ledger.store.read(|connection| {
        connection.pragma_update(None, "query_only", false)?;
        delete(connection, OURS, CustomerId::from_number(1), at(9))
    });
    assert!(matches!(kept, Err(StoreError::Conflict(_))), "{kept:?}");
}

#[test]
fn an_external_id_is_looked_up_by_its_index() {
    let plain = Plain::new();
    let steps = plain.read(|connection| list_query(OURS, Some("crm-1"), None, 20).plan(connection));
    assert!(steps.contains("customers_external_id"), "{steps}");
}
