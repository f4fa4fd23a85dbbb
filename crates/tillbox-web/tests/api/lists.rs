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

/// A wallet with a transaction, a top-up that was declined and one whose page waits; the ids of both.
async fn wallet_with_top_ups(app: &TestApp) -> (String, String, String) {
    let wallet = app.wallet_with("10").await;
    let shown = app.get(&format!("/v1/wallets/{wallet}")).await.json();
    let customer = shown["customer_id"].as_str().expect("an id");
    let card = json!({"token": "pm_card_chargeDeclined"}).to_string();
    let methods = format!("/v1/customers/{customer}/payment-methods");
    assert_eq!(app.post(&methods, "", &card).await.status, 201);
    let top_ups = format!("/v1/wallets/{wallet}/top-ups");
    let declined = json!({"amount": "25.00"}).to_string();
    let declined = app.post(&top_ups, "declined", &declined).await;
    let declined = declined.problem(402, "payment_declined")["top_up_id"].clone();
    let page = json!({"amount": "40.00", "description": "=Spring", "checkout": {
        "success_url": "https://shop.example/done", "cancel_url": "https://shop.example/back",
    }});
    let waiting = app.post(&top_ups, "page", &page.to_string()).await;
    assert_eq!(waiting.status, 201, "{}", waiting.json());
    let id = |value: &Value| value.as_str().expect("an id").to_owned();
    (wallet, id(&declined), id(&waiting.json()["id"]))
}

#[tokio::test]
async fn r2_top_ups_that_have_not_succeeded_are_listed_in_their_place() {
    let app = TestApp::start();
    let (wallet, declined, waiting) = wallet_with_top_ups(&app).await;
    debits(&app, &wallet, 1).await;
    let path = format!("/v1/wallets/{wallet}/transactions");
    let page = app.get(&path).await.json();
    let rows = page["data"].as_array().expect("rows");
    let words = |row: &Value| {
        (
            row["status"].clone(),
            row["top_up_id"].clone(),
            row["seq"].clone(),
        )
    };
    assert_eq!(
        rows.iter().map(words).collect::<Vec<_>>(),
        [
            (json!("completed"), json!(null), json!(2)),
            (json!("pending"), json!(waiting), json!(null)),
            (json!("failed"), json!(declined), json!(null)),
            (json!("completed"), json!(null), json!(1)),
        ]
    );
    let failed = &rows[2];
    assert_eq!(failed["id"], declined);
    assert_eq!(
        (&failed["type"], &failed["reason"]),
        (&json!("credit"), &json!("top_up"))
    );
    assert_eq!(
        (&failed["amount"], &failed["currency"]),
        (&json!("25.00"), &json!("USD"))
    );
    assert_eq!(failed["description"], "Wallet refill");
    for nothing in [
        "balance_before",
        "balance_after",
        "hash",
        "reference",
        "hold_id",
    ] {
        assert!(failed[nothing].is_null(), "{nothing}");
    }
    assert_eq!(
        (&failed["lots"], &failed["metadata"]),
        (&json!([]), &json!({}))
    );

    for (status, ids) in [
        (
            "completed",
            vec![rows[0]["id"].clone(), rows[3]["id"].clone()],
        ),
        ("pending", vec![json!(waiting)]),
        ("failed", vec![json!(declined)]),
    ] {
        for path in [path.as_str(), "/v1/transactions"] {
            let page = app.get(&format!("{path}?status={status}")).await.json();
            let found = page["data"].as_array().expect("rows").iter();
            assert_eq!(
                found.map(|row| row["id"].clone()).collect::<Vec<_>>(),
                ids,
                "{path} {status}"
            );
        }
    }
    let all = app.get("/v1/transactions").await.json();
    assert_eq!(all["data"], page["data"]);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{path}?limit=1{cursor}")).await.json();
        paged.extend(page["data"].as_array().expect("rows").clone());
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&paged, rows);
    app.get(&format!("{path}/{declined}"))
        .await
        .problem(404, "not_found");
    let sums = app.get(&format!("/v1/wallets/{wallet}")).await.json();
    assert_eq!(sums["balance"], "9.99", "they are in no sum");
}

#[tokio::test]
async fn r2_csv_shows_them_without_balances() {
    let app = TestApp::start();
    let (wallet, declined, waiting) = wallet_with_top_ups(&app).await;
    let csv = app
        .get(&format!("/v1/wallets/{wallet}/transactions.csv"))
        .await;
    let text = String::from_utf8(csv.body).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(
        lines[1].ends_with(&format!(
            ",credit,top_up,'=Spring,40.00,USD,,,pending,,,{waiting}"
        )),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].contains(",credit,top_up,Wallet refill,25.00,USD,,,failed,,"),
        "{}",
        lines[2]
    );
    assert!(lines[2].ends_with(&declined), "{}", lines[2]);
    let completed = app
        .get(&format!(
            "/v1/wallets/{wallet}/transactions.csv?status=completed"
        ))
        .await;
    assert_eq!(
        String::from_utf8(completed.body)
            .expect("text")
            .lines()
            .count(),
        2
    );
}
