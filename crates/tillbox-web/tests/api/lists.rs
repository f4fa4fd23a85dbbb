//! Pages, cursors, filters, CSV.

use crate::app::{TestApp, request};
use axum::body::Body;
use serde_json::{Value, json};

async fn debits(app: &TestApp, wallet: &str, count: usize) {
    for index in 0..count {
        let body = json!({"amount": "0.01", "reference": format!("r-{index}")}).to_string();
        let answer = app
            .post(
                &format!("/v1/wallets/{wallet}/debits"),
                &format!("d{index}"),
                &body,
            )
            .await;
        assert_eq!(answer.status, 201);
    }
}

fn numbers(page: &Value) -> Vec<u64> {
    page["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["seq"].as_u64().expect("a seq"))
        .collect()
}

#[tokio::test]
async fn a_cursor_goes_on_where_its_page_ended_and_for_its_filters_only() {
    let app = TestApp::start();
    let (wallet, other) = (app.wallet_with("10").await, app.wallet_with("10").await);
    debits(&app, &wallet, 5).await;
    let path = format!("/v1/wallets/{wallet}/transactions");
    let page = app.get(&format!("{path}?limit=4")).await.json();
    assert_eq!(
        (numbers(&page), &page["has_more"]),
        (vec![6, 5, 4, 3], &json!(true))
    );
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let rest = app
        .get(&format!("{path}?limit=2&cursor={cursor}"))
        .await
        .json();
    assert_eq!(
        (numbers(&rest), &rest["has_more"], &rest["next_cursor"]),
        (vec![2, 1], &json!(false), &json!(null))
    );
    for refused in [
        format!("{path}?type=debit&cursor={cursor}"),
        format!("/v1/wallets/{other}/transactions?cursor={cursor}"),
        format!("/v1/wallets?cursor={cursor}"),
        format!("{path}?cursor={cursor}0"),
        format!("{path}?cursor="),
    ] {
        let problem = app.get(&refused).await.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["parameter"], "cursor", "{refused}");
    }
}

/// Holds are rows of the log too, but no transactions: pages must neither skip nor repeat what stands between.
#[tokio::test]
async fn pages_and_csv_hold_every_transaction_between_holds() {
    let app = TestApp::start();
    let wallet = app.wallet_with("100").await;
    let operation = |index: u32| {
        let op = if index.is_multiple_of(3) {
            "debit"
        } else {
            "hold"
        };
        json!({"op": op, "wallet_id": wallet, "idempotency_key": format!("k{index}"), "amount": "0.01"})
    };
    for start in [0, 1_000] {
        let operations: Vec<Value> = (start..start + 1_000).map(operation).collect();
        let body = json!({"operations": operations}).to_string();
        assert_eq!(app.post("/v1/batches", "", &body).await.status, 200);
    }
    let expected: Vec<u64> = (1..=668).rev().collect();
    let path = format!("/v1/wallets/{wallet}/transactions");
    let (mut seen, mut url) = (Vec::new(), format!("{path}?limit=100"));
    loop {
        let page = app.get(&url).await.json();
        seen.extend(numbers(&page));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        url = format!("{path}?limit=100&cursor={cursor}");
    }
    assert_eq!(seen, expected);
    let csv = app.get(&format!("{path}.csv")).await;
    let text = String::from_utf8(csv.body).expect("text");
    assert_eq!(text.lines().count(), expected.len() + 1);
}

#[tokio::test]
async fn queries_are_closed_lists() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    for (path, parameter) in [
        ("/v1/wallets?owner=me".to_owned(), "owner"),
        ("/v1/customers?limit=0".to_owned(), "limit"),
        ("/v1/prices?limit=1&limit=1".to_owned(), "limit"),
        ("/v1/transactions?type=theft".to_owned(), "type"),
        (format!("/v1/wallets/{wallet}/balance?at=noon"), "at"),
        (
            format!("/v1/wallets/{wallet}/transactions?from=yesterday"),
            "from",
        ),
        ("/v1/settings?verbose=1".to_owned(), "verbose"),
    ] {
        let problem = app.get(&path).await.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{path}");
    }
}

#[tokio::test]
async fn filters_narrow_alone_and_together() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    debits(&app, &wallet, 3).await;
    let path = format!("/v1/wallets/{wallet}/transactions");
    for (query, expected) in [
        ("type=credit", vec![1]),
        ("type=debit&reference=r-1", vec![3]),
        ("reason=top_up", vec![1]),
        ("status=pending", vec![]),
        ("status=completed&type=debit", vec![4, 3, 2]),
        ("from=2026-05-31&to=2026-05-31", vec![4, 3, 2, 1]),
        ("to=2026-05-30", vec![]),
        ("from=2026-06-01", vec![]),
    ] {
        assert_eq!(
            numbers(&app.get(&format!("{path}?{query}")).await.json()),
            expected,
            "{query}"
        );
    }
    assert_eq!(
        app.get("/v1/transactions").await.json()["data"]
            .as_array()
            .map(Vec::len),
        Some(4)
    );
}

#[tokio::test]
async fn csv_is_told_by_accept_or_by_the_path_and_goes_over_pages() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    let operations: Vec<Value> = (0..1_000)
        .map(|index| json!({"op": "debit", "wallet_id": wallet, "idempotency_key": format!("b{index}"), "amount": "0.001", "description": "=1+1"}))
        .collect();
    assert_eq!(
        app.post(
            "/v1/batches",
            "",
            &json!({"operations": operations}).to_string()
        )
        .await
        .status,
        200
    );
    let by_path = app
        .get(&format!("/v1/wallets/{wallet}/transactions.csv"))
        .await;
    assert!(by_path.header("content-type").starts_with("text/csv"));
    let accept =
        request("GET", &format!("/v1/wallets/{wallet}/transactions")).header("accept", "text/csv");
    let by_accept = app
        .send(accept.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(by_accept.body, by_path.body);
    let text = String::from_utf8(by_path.body).expect("text");
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1_002);
    assert_eq!(
        lines[0],
        "date,type,reason,description,amount,currency,balance_before,balance_after,status,reference,payment_intent_id,id"
    );
    assert!(
        lines[1].starts_with(
            "2026-05-31T12:00:00.000000Z,debit,usage,'=1+1,-0.001,USD,9.001,9.00,completed,,,txn_"
        ),
        "{}",
        lines[1]
    );
    app.get("/v1/wallets/wal_1/transactions.csv")
        .await
        .problem(404, "not_found");
}
