//! Keys: the same bytes again, alone or in a batch.

use crate::app::TestApp;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[tokio::test]
async fn r43_single_and_batch_answer_with_the_same_bytes() {
    let app = TestApp::start();
    let price = r#"{"key":"sms","unit":"message","unit_amount":"0.05","currency":"USD"}"#;
    assert_eq!(app.post("/v1/prices", "", price).await.status, 201);
    let wallet = app.wallet_with("10").await;
    let path = |rest: &str| format!("/v1/wallets/{wallet}/{rest}");
    let placed = app
        .post(
            &path("holds"),
            "h",
            r#"{"amount":"2","description":"d","metadata":{"b":1,"a":"2"}}"#,
        )
        .await;
    let hold = placed.json()["id"].as_str().expect("an id").to_owned();
    let requests = [
        (path("debits"), "d", json!({"op": "debit", "amount": "1"})),
        (
            path("credits"),
            "c",
            json!({"op": "credit", "amount": "1", "funding_type": "promotional"}),
        ),
        (
            path("usage"),
            "u",
            json!({"op": "usage", "price": "sms", "quantity": 2}),
        ),
        (
            path(&format!("holds/{hold}/capture")),
            "cap",
            json!({"op": "capture", "amount": "1", "final": false}),
        ),
        (
            path(&format!("holds/{hold}/release")),
            "rel",
            json!({"op": "release"}),
        ),
    ];
    let mut operations = Vec::new();
    let mut answers = Vec::new();
    for (path, key, operation) in requests {
        let mut single = operation.clone();
        single.as_object_mut().expect("an object").remove("op");
        let first = app.post(&path, key, &single.to_string()).await;
        assert!(first.status < 300, "{}", first.json());
        assert_eq!(first.header("idempotent-replayed"), "");
        let again = app.post(&path, key, &single.to_string()).await;
        assert_eq!(
            (
                again.status,
                &again.body,
                again.header("idempotent-replayed")
            ),
            (first.status, &first.body, "true")
        );
        let mut operation = operation;
        operation["wallet_id"] = json!(wallet);
        operation["idempotency_key"] = json!(key);
        if path.contains("/holds/") {
            operation["hold_id"] = json!(hold);
        }
        operations.push(operation);
        answers.push(first);
    }
    let batch = app
        .post(
            "/v1/batches",
            "",
            &json!({"operations": operations}).to_string(),
        )
        .await;
    let whole: BTreeMap<String, Box<RawValue>> =
        serde_json::from_slice(&batch.body).expect("results");
    let results: Vec<BTreeMap<String, Box<RawValue>>> =
        serde_json::from_str(whole["results"].get()).expect("results");
    for (result, single) in results.iter().zip(&answers) {
        assert_eq!(result["replayed"].get(), "true", "{}", single.json());
        assert_eq!(result["status"].get(), single.status.to_string());
        assert_eq!(result["body"].get().as_bytes(), single.body);
    }
}

#[tokio::test]
async fn a_used_key_is_found_before_its_customer_is_looked_for() {
    let app = TestApp::start();
    app.wallet_with("10").await;
    let customer = app.get("/v1/customers").await.json()["data"][0]["id"].clone();
    let open = |customer: &Value, amount: &str| {
        let credit = json!({"amount": amount, "funding_type": "cash"});
        json!({"customer_id": customer, "currency": "EUR", "initial_credit": credit}).to_string()
    };
    let first = app.post("/v1/wallets", "k", &open(&customer, "1")).await;
    let again = app.post("/v1/wallets", "k", &open(&customer, "1.00")).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let nobody = open(&json!("cus_0000000000001"), "1");
    app.post("/v1/wallets", "k", &nobody)
        .await
        .problem(422, "idempotency_key_reused");
    app.post("/v1/wallets", "other", &nobody)
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn operations_stand_alone() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    let one = |key: &str, amount: Value| json!({"op": "debit", "wallet_id": wallet, "idempotency_key": key, "amount": amount});
    let operations = json!({"operations": [
        one("a", json!(1)),
        one("", json!("1")),
        {"op": "debit", "wallet_id": wallet, "amount": "1"},
        {"op": "mint", "wallet_id": wallet, "idempotency_key": "e", "amount": "1"},
        {"op": "debit", "wallet_id": "x", "idempotency_key": "f", "amount": "1"},
        one("g", json!("9999999999999")),
        one("h", json!("100")),
        one("i", json!("4")),
        one("i", json!("4.00")),
        one("i", json!("5")),
    ]});
    let results = app
        .post("/v1/batches", "", &operations.to_string())
        .await
        .json()["results"]
        .clone();
    let seen: Vec<(u64, bool, &str)> = results
        .as_array()
        .expect("results")
        .iter()
        .map(|result| {
            let code = result["body"]["code"].as_str().unwrap_or_default();
            (
                result["status"].as_u64().expect("a status"),
                result["replayed"].as_bool().expect("a flag"),
                code,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (400, false, "invalid_request"),
            (400, false, "invalid_request"),
            (400, false, "idempotency_key_required"),
            (400, false, "invalid_request"),
            (404, false, "not_found"),
            (422, false, "amount_out_of_range"),
            (402, false, "insufficient_funds"),
            (201, false, ""),
            (201, true, ""),
            (422, false, "idempotency_key_reused"),
        ]
    );
}

#[tokio::test]
async fn r45_dry_runs_need_no_key_and_have_no_id() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    let path = |rest: &str| format!("/v1/wallets/{wallet}/{rest}");
    let credit = app
        .post(
            &path("credits"),
            "",
            r#"{"amount":"1","funding_type":"cash","dry_run":true}"#,
        )
        .await
        .json();
    assert!(
        credit["id"].is_null() && credit["hash"].is_null() && credit["dry_run"] == true,
        "{credit}"
    );
    assert_eq!(
        (&credit["lots"][0]["lot_id"], &credit["balance_after"]),
        (&json!(null), &json!("11.00"))
    );
    let hold = app
        .post(&path("holds"), "", r#"{"amount":"1","dry_run":true}"#)
        .await
        .json();
    assert!(
        hold["id"].is_null() && hold["dry_run"] == true && hold["status"] == "open",
        "{hold}"
    );
    let customer = app
        .post("/v1/customers", "", r#"{"name":"x"}"#)
        .await
        .json();
    let body = json!({"customer_id": customer["id"], "currency": "JPY", "dry_run": true, "initial_credit": {"amount": "5", "funding_type": "cash"}});
    let opened = app.post("/v1/wallets", "", &body.to_string()).await;
    assert_eq!(
        (
            opened.status,
            &opened.json()["id"],
            &opened.json()["balance"]
        ),
        (201, &json!(null), &json!("5"))
    );
    assert_eq!(
        app.get("/v1/wallets?currency=JPY").await.json()["data"],
        json!([])
    );
    assert_eq!(app.get(&path("balance")).await.json()["balance"], "10.00");
}

#[tokio::test]
async fn a_hold_shows_its_words_where_they_stand_in_the_row() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    let holds = format!("/v1/wallets/{wallet}/holds");
    let placed = app
        .post(
            &holds,
            "h",
            r#"{"amount":"2","description":"d","metadata":{"b":1,"a":"2"}}"#,
        )
        .await;
    let hold = format!("{holds}/{}", placed.json()["id"].as_str().expect("an id"));
    assert_eq!(app.get(&hold).await.body, placed.body);
    let extended = app
        .post(&format!("{hold}/extend"), "e", r#"{"expires_in":1000}"#)
        .await;
    assert_eq!(
        (extended.status, extended.json().get("description")),
        (200, None)
    );
    assert_eq!(
        app.get(&hold).await.json()["metadata"],
        json!({"b": 1, "a": "2"})
    );
    let late = app
        .post(
            &format!("{hold}/extend"),
            "l",
            r#"{"expires_at":"2026-12-31T00:00:00Z"}"#,
        )
        .await
        .problem(400, "invalid_request");
    assert_eq!(late["errors"][0]["pointer"], "/expires_at");
}

/// A key of a wallet is used for one request, whether its answer is a row of the log or stored beside it.
#[tokio::test]
async fn r44_a_key_of_a_transaction_makes_no_payment_link_and_the_other_way_round() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    let path = |rest: &str| format!("/v1/wallets/{wallet}/{rest}");
    let (debits, links) = (path("debits"), path("payment-links"));
    let (debit, link) = (r#"{"amount":"1"}"#, "{}");
    assert_eq!(app.post(&debits, "one", debit).await.status, 201);
    assert_eq!(app.post(&links, "two", link).await.status, 201);
    let app = app.restart().await;
    for _ in 0..2 {
        let made = app.post(&links, "one", link).await;
        made.problem(422, "idempotency_key_reused");
        let taken = app.post(&debits, "two", debit).await;
        taken.problem(422, "idempotency_key_reused");
    }
    assert_eq!(app.post(&debits, "one", debit).await.status, 201);
    assert_eq!(app.post(&links, "two", link).await.status, 201);
    app.verify();
}
