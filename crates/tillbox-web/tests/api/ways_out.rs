//! Value that leaves a wallet: withdrawals (R8), void of a lot, and the end of a wallet (R39).

use crate::app::{Answer, TestApp, request};
use axum::body::Body;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

async fn post(app: &TestApp, wallet: &str, rest: &str, body: Value) -> Answer {
    let path = format!("/v1/wallets/{wallet}{rest}");
    let key = format!("{rest} {body}");
    app.post(&path, &key, &body.to_string()).await
}

async fn ok(app: &TestApp, wallet: &str, rest: &str, body: Value) -> Value {
    let answer = post(app, wallet, rest, body).await;
    assert!(
        (200..300).contains(&answer.status),
        "{rest}: {}",
        answer.json()
    );
    answer.json()
}

async fn wallet_of(app: &TestApp, wallet: &str) -> Value {
    app.get(&format!("/v1/wallets/{wallet}")).await.json()
}

async fn transactions(app: &TestApp, wallet: &str) -> Vec<Value> {
    let path = format!("/v1/wallets/{wallet}/transactions?status=completed&limit=100");
    let list = app.get(&path).await.json();
    list["data"].as_array().expect("a list").clone()
}

/// Reason and amount, the newest first.
async fn moved(app: &TestApp, wallet: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let rows = transactions(app, wallet).await;
    rows.iter()
        .map(|row| (text(&row["reason"]), text(&row["amount"])))
        .collect()
}

fn pairs<const COUNT: usize>(rows: [(&str, &str); COUNT]) -> Vec<(String, String)> {
    let owned = |(reason, amount): (&str, &str)| (reason.to_owned(), amount.to_owned());
    rows.into_iter().map(owned).collect()
}

async fn save_card(app: &TestApp, wallet: &str) {
    let customer = wallet_of(app, wallet).await["customer_id"].clone();
    let path = format!(
        "/v1/customers/{}/payment-methods",
        customer.as_str().expect("an id")
    );
    let saved = app.post(&path, "", r#"{"token":"pm_card_visa"}"#).await;
    assert_eq!(saved.status, 201, "{}", saved.json());
}

async fn types(app: &TestApp, wallet: &str) -> Vec<String> {
    let page = app
        .get(&format!("/v1/events?limit=100&wallet_id={wallet}"))
        .await
        .json();
    let events = page["data"].as_array().expect("events").iter();
    events
        .map(|event| event["type"].as_str().expect("a type").to_owned())
        .collect()
}

#[tokio::test]
async fn r8_a_withdrawal_takes_what_may_be_paid_out_and_no_more() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    ok(
        &app,
        &wallet,
        "/credits",
        json!({"amount": "5.00", "funding_type": "promotional"}),
    )
    .await;
    ok(&app, &wallet, "/holds", json!({"amount": "7.00"})).await;
    let too_much = post(&app, &wallet, "/withdrawals", json!({"amount": "8.01"})).await;
    let too_much = too_much.problem(422, "not_withdrawable");
    assert_eq!(too_much["withdrawable"], "8.00");
    for body in [
        json!({"amount": "0"}),
        json!({"amount": 1}),
        json!({"amount": "1", "x": 1}),
    ] {
        post(&app, &wallet, "/withdrawals", body)
            .await
            .problem(400, "invalid_request");
    }
    let path = format!("/v1/wallets/{wallet}/withdrawals");
    app.post(&path, "", r#"{"amount":"1"}"#)
        .await
        .problem(400, "idempotency_key_required");
    let dry = ok(
        &app,
        &wallet,
        "/withdrawals",
        json!({"amount": "3.00", "dry_run": true}),
    )
    .await;
    assert_eq!((&dry["dry_run"], &dry["id"]), (&json!(true), &Value::Null));
    let body = json!({"amount": "3.00", "description": "By bank"});
    let paid = ok(&app, &wallet, "/withdrawals", body.clone()).await;
    assert_eq!(
        (&paid["type"], &paid["reason"]),
        (&json!("debit"), &json!("withdrawal"))
    );
    assert_eq!(
        (&paid["amount"], &paid["description"]),
        (&json!("-3.00"), &json!("By bank"))
    );
    assert_eq!(paid["lots"][0]["funding_type"], "cash");
    let again = post(&app, &wallet, "/withdrawals", body).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json(), paid);
    assert_eq!(wallet_of(&app, &wallet).await["withdrawable"], "5.00");
    ok(&app, &wallet, "/freeze", json!({"reason": "look"})).await;
    let frozen = post(&app, &wallet, "/withdrawals", json!({"amount": "1.00"})).await;
    assert_eq!(
        frozen.problem(409, "wallet_not_active")["wallet_status"],
        "frozen"
    );
    let nobody = "wal_0000000000001";
    post(&app, nobody, "/withdrawals", json!({"amount": "1.00"}))
        .await
        .problem(404, "not_found");
    app.verify();
}

#[tokio::test]
async fn r21_a_withdrawal_pauses_auto_recharge() {
    let app = TestApp::start();
    let wallet = app.wallet_with("60.00").await;
    save_card(&app, &wallet).await;
    let path = format!("/v1/wallets/{wallet}/auto-recharge");
    let on = json!({"enabled": true, "threshold": "50.00", "amount": "25.00"}).to_string();
    assert_eq!(app.put(&path, &on).await.status, 200);
    ok(&app, &wallet, "/withdrawals", json!({"amount": "20.00"})).await;
    let health = app.get(&path).await.json();
    assert_eq!(
        (&health["state"], &health["reason"]),
        (&json!("paused"), &json!("money_went_back"))
    );
    let list = app
        .get(&format!("/v1/wallets/{wallet}/top-ups"))
        .await
        .json();
    assert_eq!(list["data"], json!([]), "nothing is charged");
    assert!(
        types(&app, &wallet)
            .await
            .contains(&"auto_recharge.paused".to_owned())
    );
    app.verify();
}

#[tokio::test]
async fn a_void_takes_back_what_is_unheld_of_a_lot() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1.00").await;
    let given = ok(
        &app,
        &wallet,
        "/credits",
        json!({"amount": "5.00", "funding_type": "promotional"}),
    )
    .await;
    let lot = given["lots"][0]["lot_id"]
        .as_str()
        .expect("a lot")
        .to_owned();
    let void = format!("/lots/{lot}/void");
    let hold = ok(&app, &wallet, "/holds", json!({"amount": "2.00"})).await;
    let body = json!({"description": "Given twice"});
    let dry = ok(&app, &wallet, &void, json!({"dry_run": true})).await;
    assert_eq!(dry["amount"], "-3.00");
    let taken = ok(&app, &wallet, &void, body.clone()).await;
    assert_eq!(
        (&taken["type"], &taken["reason"]),
        (&json!("adjustment"), &json!("reversal"))
    );
    assert_eq!(
        (&taken["amount"], &taken["description"]),
        (&json!("-3.00"), &json!("Given twice"))
    );
    let shares = json!([{"lot_id": lot, "funding_type": "promotional", "amount": "-3.00"}]);
    assert_eq!(taken["lots"], shares);
    let again = post(&app, &wallet, &void, body).await;
    assert_eq!(
        (again.header("idempotent-replayed"), again.json()),
        ("true", taken)
    );
    let refused = post(&app, &wallet, &void, json!({}))
        .await
        .problem(409, "conflict");
    assert_eq!(refused["reason"], "holds reserve all of the lot");
    let capture = format!("/holds/{}/capture", hold["id"].as_str().expect("an id"));
    ok(&app, &wallet, &capture, json!({})).await;
    let spent = post(&app, &wallet, &void, json!({"description": "Late"})).await;
    assert_eq!(
        spent.problem(409, "conflict")["reason"],
        "nothing is left of the lot"
    );
    let path = format!("/v1/wallets/{wallet}{void}");
    app.post(&path, "", "{}")
        .await
        .problem(400, "idempotency_key_required");
    let other = app.wallet_with("1.00").await;
    post(&app, &other, &void, json!({}))
        .await
        .problem(404, "not_found");
    post(&app, &wallet, "/lots/lot_x/void", json!({}))
        .await
        .problem(404, "not_found");
    app.verify();
}

#[tokio::test]
async fn r39_closing_pays_out_forfeits_and_ends() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    save_card(&app, &wallet).await;
    let first = ok(&app, &wallet, "/top-ups", json!({"amount": "20.00"})).await;
    let second = ok(&app, &wallet, "/top-ups", json!({"amount": "30.00"})).await;
    ok(
        &app,
        &wallet,
        "/credits",
        json!({"amount": "5.00", "funding_type": "promotional"}),
    )
    .await;
    ok(&app, &wallet, "/debits", json!({"amount": "1.0075"})).await;

    let dry = ok(
        &app,
        &wallet,
        "/close",
        json!({"refund": "original", "dry_run": true}),
    )
    .await;
    let payout = |top_up: &Value, amount: &str, way: &str| json!({"top_up_id": top_up["id"], "payment_intent_id": top_up["payment_intent_id"], "amount": amount, "way": way});
    let nothing = json!({"id": null, "payment_intent_id": null});
    let plan = json!({
        "payouts": [
            payout(&second, "30.00", "original"),
            payout(&first, "20.00", "original"),
            payout(&nothing, "10.00", "manual"),
        ],
        "forfeited": "3.9925",
    });
    assert_eq!(dry["plan"], plan);
    assert_eq!(
        (&dry["status"], &dry["balance"]),
        (&json!("closed"), &json!("0.00"))
    );
    assert_eq!((&dry["dry_run"], &dry["id"]), (&json!(true), &Value::Null));
    assert_eq!(wallet_of(&app, &wallet).await["status"], "active");
    let path = format!("/v1/wallets/{wallet}/close");
    app.post(&path, "", r#"{"refund":"manual"}"#)
        .await
        .problem(400, "idempotency_key_required");
    for body in [
        json!({}),
        json!({"refund": "card"}),
        json!({"refund": "manual", "x": 1}),
    ] {
        post(&app, &wallet, "/close", body)
            .await
            .problem(400, "invalid_request");
    }

    let closed = post(&app, &wallet, "/close", json!({"refund": "manual"})).await;
    assert_eq!(closed.status, 200, "{}", closed.json());
    let body = closed.json();
    assert_eq!(
        (&body["status"], &body["balance"]),
        (&json!("closed"), &json!("0.00"))
    );
    assert!(body.get("plan").is_none());
    assert_eq!(wallet_of(&app, &wallet).await, body);
    let rows = transactions(&app, &wallet).await;
    let expected = pairs([
        ("forfeiture", "-3.9925"),
        ("withdrawal", "-10.00"),
        ("withdrawal", "-20.00"),
        ("withdrawal", "-30.00"),
    ]);
    assert_eq!(moved(&app, &wallet).await[..4], expected);
    assert_eq!(rows[2]["top_up_id"], first["id"]);
    assert_eq!(rows[2]["payment_intent_id"], first["payment_intent_id"]);
    assert_eq!(rows[1]["top_up_id"], Value::Null);
    assert_eq!(rows[0]["balance_after"], "0.00");
    assert_eq!(
        types(&app, &wallet).await.last().map(String::as_str),
        Some("wallet.closed")
    );

    let again = post(&app, &wallet, "/close", json!({"refund": "manual"})).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body, closed.body, "a closed wallet still replays");
    let replayed = post(&app, &wallet, "/debits", json!({"amount": "1.0075"})).await;
    assert_eq!(
        (replayed.status, replayed.header("idempotent-replayed")),
        (201, "true")
    );
    for (rest, body) in [
        (
            "/credits",
            json!({"amount": "1.00", "funding_type": "cash"}),
        ),
        ("/debits", json!({"amount": "1.00"})),
        ("/debits", json!({"amount": "1.00", "force": true})),
        ("/holds", json!({"amount": "1.00"})),
        (
            "/adjustments",
            json!({"amount": "1.00", "reason_text": "no"}),
        ),
        ("/withdrawals", json!({"amount": "1.00"})),
        ("/top-ups", json!({"amount": "21.00"})),
        ("/close", json!({"refund": "original"})),
        ("/freeze", json!({"reason": "no"})),
        ("/payment-links", json!({"amount": "20.00"})),
    ] {
        let refused = post(&app, &wallet, rest, body).await;
        let refused = refused.problem(409, "wallet_not_active");
        assert_eq!(refused["wallet_status"], "closed", "{rest}");
    }
    app.verify();
}

#[tokio::test]
async fn r39_open_holds_and_debt_refuse_a_close() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let hold = ok(&app, &wallet, "/holds", json!({"amount": "2.00"})).await;
    let manual = || json!({"refund": "manual"});
    let refused = post(&app, &wallet, "/close", manual())
        .await
        .problem(409, "conflict");
    assert_eq!(refused["reason"], "the wallet has open holds");
    let dry = json!({"refund": "manual", "dry_run": true});
    post(&app, &wallet, "/close", dry)
        .await
        .problem(409, "conflict");
    let release = format!("/holds/{}/release", hold["id"].as_str().expect("an id"));
    ok(&app, &wallet, &release, json!({})).await;
    ok(
        &app,
        &wallet,
        "/debits",
        json!({"amount": "11.00", "force": true}),
    )
    .await;
    let refused = post(&app, &wallet, "/close", manual())
        .await
        .problem(409, "conflict");
    assert_eq!(refused["reason"], "the wallet has debt");
    ok(
        &app,
        &wallet,
        "/credits",
        json!({"amount": "1.00", "funding_type": "cash"}),
    )
    .await;
    ok(&app, &wallet, "/close", manual()).await;
    app.verify();
}

#[tokio::test]
async fn r39_a_payment_whose_outcome_is_unknown_refuses_a_close() {
    let app = TestApp::start_without_worker();
    let wallet = app.wallet_with("10.00").await;
    save_card(&app, &wallet).await;
    let path = format!("/v1/wallets/{wallet}/auto-recharge");
    let on = json!({"enabled": true, "threshold": "50.00", "amount": "25.00"}).to_string();
    assert_eq!(app.put(&path, &on).await.status, 200);
    let refused = post(&app, &wallet, "/close", json!({"refund": "manual"})).await;
    let refused = refused.problem(409, "conflict");
    assert_eq!(refused["reason"], "a top-up is processing");
}

/// Pays a page of the sandbox, without coming back from it.
async fn pay(app: &TestApp, url: &Value) {
    let url = url.as_str().expect("an address");
    let page = &url[url
        .find("/sandbox/checkout/")
        .expect("a page of the sandbox")..];
    let paid = request("POST", page)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from("card=pm_card_visa"))
        .expect("a request");
    let paid = app.send(paid).await;
    assert_eq!(paid.status, 303, "{}", String::from_utf8_lossy(&paid.body));
}

#[tokio::test]
async fn r39_pages_are_given_up_and_a_payment_that_still_succeeds_goes_back() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let checkout = |amount: &str| {
        let urls = json!({"success_url": "https://shop.example/ok", "cancel_url": "https://shop.example/no"});
        json!({"amount": amount, "checkout": urls})
    };
    let paid = ok(&app, &wallet, "/top-ups", checkout("20.00")).await;
    let unpaid = ok(&app, &wallet, "/top-ups", checkout("30.00")).await;
    assert_eq!(paid["status"], "pending");
    // The customer pays, and nobody has told us yet.
    let quiet = json!({"lose_notices": 9}).to_string();
    assert_eq!(app.put("/v1/sandbox/faults", &quiet).await.status, 200);
    pay(&app, &paid["checkout_url"]).await;
    ok(&app, &wallet, "/close", json!({"refund": "manual"})).await;
    let told = types(&app, &wallet).await;
    let canceled = told.iter().filter(|one| *one == "top_up.canceled").count();
    assert_eq!(canceled, 2, "{told:?}");

    let path = format!(
        "/v1/wallets/{wallet}/top-ups/{}",
        paid["id"].as_str().expect("an id")
    );
    for _ in 0..200 {
        if app.get(&path).await.json()["status"] == "succeeded" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(app.get(&path).await.json()["status"], "succeeded");
    let expected = pairs([
        ("withdrawal", "-20.00"),
        ("top_up", "20.00"),
        ("withdrawal", "-10.00"),
    ]);
    assert_eq!(moved(&app, &wallet).await[..3], expected);
    let rows = transactions(&app, &wallet).await;
    assert_eq!(rows[0]["top_up_id"], paid["id"]);
    assert_eq!(rows[0]["payment_intent_id"], rows[1]["payment_intent_id"]);
    let after = wallet_of(&app, &wallet).await;
    assert_eq!(
        (&after["status"], &after["balance"]),
        (&json!("closed"), &json!("0.00"))
    );
    let path = format!(
        "/v1/wallets/{wallet}/top-ups/{}",
        unpaid["id"].as_str().expect("an id")
    );
    assert_eq!(app.get(&path).await.json()["status"], "canceled");
    app.verify();
}

#[tokio::test]
async fn r40_a_customer_goes_when_all_its_wallets_are_closed() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let customer = wallet_of(&app, &wallet).await["customer_id"].clone();
    let customer = customer.as_str().expect("an id").to_owned();
    let delete = || async {
        let path = format!("/v1/customers/{customer}");
        let sent = request("DELETE", &path)
            .body(Body::empty())
            .expect("a request");
        app.send(sent).await
    };
    delete().await.problem(409, "conflict");
    ok(&app, &wallet, "/close", json!({"refund": "manual"})).await;
    let body = json!({"customer_id": customer, "currency": "USD"}).to_string();
    let second = app.post("/v1/wallets", "second", &body).await;
    assert_eq!(
        second.status,
        201,
        "another one may be opened: {}",
        second.json()
    );
    delete().await.problem(409, "conflict");
    let second = second.json()["id"].as_str().expect("an id").to_owned();
    ok(&app, &second, "/close", json!({"refund": "original"})).await;
    assert!((200..300).contains(&delete().await.status));
    app.verify();
}

#[tokio::test]
async fn r39_auto_recharge_ends_with_the_wallet_and_time_brings_nothing_more() {
    let app = TestApp::start();
    let wallet = app.wallet_with("60.00").await;
    save_card(&app, &wallet).await;
    let path = format!("/v1/wallets/{wallet}/auto-recharge");
    let on = json!({"enabled": true, "threshold": "50.00", "amount": "25.00"}).to_string();
    assert_eq!(app.put(&path, &on).await.status, 200);
    let gift = json!({"amount": "5.00", "funding_type": "promotional", "expires_at": "2026-07-20T12:00:00Z"});
    ok(&app, &wallet, "/credits", gift).await;
    let closed = ok(&app, &wallet, "/close", json!({"refund": "original"})).await;
    let body = json!({"by_seconds": 90 * DAY}).to_string();
    assert_eq!(
        app.post("/v1/test-clock/advance", "", &body).await.status,
        200
    );
    assert_eq!(wallet_of(&app, &wallet).await, closed, "no row more");
    assert_eq!(app.get(&path).await.json()["enabled"], false);
    assert_eq!(
        app.get("/v1/events?limit=100&type=lot.expiring")
            .await
            .json()["data"],
        json!([])
    );
    app.verify();
}
