//! What each change tells, and with which resources.

use super::{post, since, types};
use crate::app::TestApp;
use serde_json::{Value, json};

async fn customer(app: &TestApp) -> String {
    let made = post(app, "/v1/customers", json!({"name": "Acme"})).await;
    made["id"].as_str().expect("an id").to_owned()
}

/// The wallet as the API shows it now is the one that the last event tells of.
async fn tells_of_the_wallet(app: &TestApp, wallet: &str, event: &Value) {
    let shown = app.get(&format!("/v1/wallets/{wallet}")).await.json();
    assert_eq!(event["data"]["wallet"], shown, "{event}");
    assert_eq!(event["wallet_id"], wallet);
}

#[tokio::test]
async fn r47_each_change_of_a_wallet_is_told_with_the_whole_resources_behind_it() {
    let app = TestApp::start();
    let wallet = app.wallet_with("100.00").await;
    let path = |rest: &str| format!("/v1/wallets/{wallet}{rest}");
    let mut last = String::new();
    let opened = since(&app, &mut last).await;
    assert_eq!(
        types(&opened),
        ["wallet.created", "transaction.created", "wallet.topped_up"]
    );
    assert_eq!(opened[0]["data"]["wallet"]["balance"], "0.00");
    assert_eq!(opened[0]["sequence"], json!(null));
    assert_eq!(
        opened[2]["data"]["transaction"],
        opened[1]["data"]["transaction"]
    );
    tells_of_the_wallet(&app, &wallet, &opened[2]).await;

    let debit = post(
        &app,
        &path("/debits"),
        json!({"amount": "30.00", "reference": "r-1"}),
    )
    .await;
    let told = since(&app, &mut last).await;
    assert_eq!(types(&told), ["transaction.created", "wallet.payment_made"]);
    for event in &told {
        assert_eq!(event["data"]["transaction"], debit);
        assert_eq!(event["created_at"], debit["created_at"]);
        tells_of_the_wallet(&app, &wallet, event).await;
    }

    let hold = json!({"amount": "20.00", "description": "Trip", "metadata": {"car": "red"}});
    let hold = post(&app, &path("/holds"), hold).await;
    let hold_path = format!("/holds/{}", hold["id"].as_str().expect("an id"));
    let told = since(&app, &mut last).await;
    assert_eq!(types(&told), ["hold.created"]);
    assert_eq!(told[0]["data"]["hold"], hold);
    tells_of_the_wallet(&app, &wallet, &told[0]).await;

    post(
        &app,
        &path(&format!("{hold_path}/extend")),
        json!({"expires_in": 7_200}),
    )
    .await;
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        ["wallet.updated"],
        "there is no type of its own"
    );
    assert_eq!(
        told[0]["data"]["hold"],
        app.get(&path(&hold_path)).await.json()
    );

    let part = json!({"amount": "5.00", "final": false});
    let captured = post(&app, &path(&format!("{hold_path}/capture")), part).await;
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        [
            "transaction.created",
            "hold.captured",
            "wallet.payment_made"
        ]
    );
    assert_eq!(
        told[1]["data"]["hold"],
        app.get(&path(&hold_path)).await.json()
    );
    assert_eq!(
        told[1]["data"]["hold"]["status"], "open",
        "R14: it is not over"
    );
    assert_eq!(told[1]["data"]["hold"]["metadata"], json!({"car": "red"}));
    assert_eq!(told[1]["data"]["transaction"], captured);

    post(&app, &path(&format!("{hold_path}/release")), json!({})).await;
    let told = since(&app, &mut last).await;
    assert_eq!(types(&told), ["hold.released"]);
    assert_eq!(
        told[0]["data"]["hold"],
        app.get(&path(&hold_path)).await.json()
    );

    let debit_id = debit["id"].as_str().expect("an id");
    post(
        &app,
        &path(&format!("/transactions/{debit_id}/refund")),
        json!({"amount": "1.00"}),
    )
    .await;
    post(
        &app,
        &path("/adjustments"),
        json!({"amount": "-2.00", "reason_text": "Twice"}),
    )
    .await;
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        ["transaction.created"; 2],
        "neither spent nor paid in"
    );

    post(&app, &path("/freeze"), json!({"reason": "A strange login"})).await;
    let told = since(&app, &mut last).await;
    assert_eq!(types(&told), ["wallet.frozen"]);
    assert_eq!(told[0]["data"]["reason"], "A strange login");
    tells_of_the_wallet(&app, &wallet, &told[0]).await;
    post(&app, &path("/unfreeze"), json!({})).await;
    assert_eq!(types(&since(&app, &mut last).await), ["wallet.unfrozen"]);

    let renamed = json!({"name": "Trips", "overdraft_limit": "10.00"}).to_string();
    assert_eq!(app.patch(&path(""), &renamed).await.status, 200);
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        ["wallet.updated"; 2],
        "its name, and its limit"
    );
    assert!(told[0]["sequence"].is_null() && told[1]["sequence"].is_u64());
    assert_eq!(told[0]["data"]["wallet"]["name"], "Trips");
    assert_eq!(told[0]["data"]["wallet"]["overdraft_limit"], "0.00");
    tells_of_the_wallet(&app, &wallet, &told[1]).await;
}

#[tokio::test]
async fn an_event_tells_what_was_then_whatever_changed_since() {
    let app = TestApp::start();
    let wallet = app.wallet_with("100.00").await;
    let path = format!("/v1/wallets/{wallet}");
    let mut last = String::new();
    let before = since(&app, &mut last).await;
    let renamed = json!({"name": "Trips", "metadata": {"b": 1, "a": "x"}}).to_string();
    assert_eq!(app.patch(&path, &renamed).await.status, 200);
    post(&app, &format!("{path}/debits"), json!({"amount": "30.00"})).await;
    let after = since(&app, &mut String::new()).await;
    assert_eq!(after[..before.len()], before, "byte by byte the same");
    assert_eq!(after[0]["data"]["wallet"]["name"], json!(null));
    let app = app.restart().await;
    let again = since(&app, &mut String::new()).await;
    assert_eq!(again, after, "also when nothing of it is in memory");
}

#[tokio::test]
async fn what_the_clock_ends_is_told() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1.00").await;
    let gift = json!({"amount": "5.00", "funding_type": "promotional", "expires_at": "2026-06-01T00:00:00Z"});
    post(&app, &format!("/v1/wallets/{wallet}/credits"), gift).await;
    let hold = json!({"amount": "2.00", "expires_at": "2026-05-31T18:00:00Z"});
    post(&app, &format!("/v1/wallets/{wallet}/holds"), hold).await;
    let mut last = String::new();
    since(&app, &mut last).await;
    let advance = json!({"to": "2026-06-02T00:00:00Z"}).to_string();
    assert_eq!(
        app.post("/v1/test-clock/advance", "", &advance)
            .await
            .status,
        200
    );
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        ["hold.expired", "transaction.created", "lot.expired"]
    );
    assert_eq!(told[0]["data"]["hold"]["status"], "expired");
    assert_eq!(told[0]["created_at"], "2026-05-31T18:00:00.000000Z");
    let lot = &told[2]["data"]["lot"];
    assert_eq!(
        (&lot["remaining"], &lot["amount"]),
        (&json!("0.00"), &json!("5.00"))
    );
    assert_eq!(told[2]["data"]["transaction"]["reason"], "expiry");
}

#[tokio::test]
async fn usage_that_costs_nothing_is_no_event_and_from_a_hold_a_capture() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    for (key, unit_amount) in [("free", "0"), ("sms", "0.05")] {
        let price =
            json!({"key": key, "unit": "message", "unit_amount": unit_amount, "currency": "USD"});
        post(&app, "/v1/prices", price).await;
    }
    let hold = post(
        &app,
        &format!("/v1/wallets/{wallet}/holds"),
        json!({"amount": "1.00"}),
    )
    .await;
    let mut last = String::new();
    since(&app, &mut last).await;
    let usage = format!("/v1/wallets/{wallet}/usage");
    post(&app, &usage, json!({"price": "free", "quantity": 3})).await;
    assert!(since(&app, &mut last).await.is_empty());
    post(
        &app,
        &usage,
        json!({"price": "sms", "quantity": 2, "hold_id": hold["id"]}),
    )
    .await;
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        [
            "transaction.created",
            "hold.captured",
            "wallet.payment_made"
        ]
    );
    assert_eq!(told[1]["data"]["hold"]["captured"], "0.10");
}

#[tokio::test]
async fn payments_in_are_told_from_the_card_to_the_bonus() {
    let app = TestApp::start();
    let customer = customer(&app).await;
    let methods = format!("/v1/customers/{customer}/payment-methods");
    let card = post(&app, &methods, json!({"token": "pm_card_visa"})).await;
    let wallet = post(
        &app,
        "/v1/wallets",
        json!({"customer_id": customer, "currency": "USD"}),
    )
    .await;
    let wallet = wallet["id"].as_str().expect("an id");
    let mut last = String::new();
    let told = since(&app, &mut last).await;
    assert_eq!(types(&told), ["payment_method.attached", "wallet.created"]);
    assert_eq!(told[0]["data"]["payment_method"], card);
    assert!(told[0]["wallet_id"].is_null() && told[0]["sequence"].is_null());

    let top_ups = format!("/v1/wallets/{wallet}/top-ups");
    let top_up = post(&app, &top_ups, json!({"amount": "25.00"})).await;
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        [
            "top_up.pending",
            "transaction.created",
            "top_up.succeeded",
            "wallet.topped_up"
        ]
    );
    assert_eq!(told[0]["data"]["wallet"]["pending_top_ups"], "25.00");
    assert_eq!(told[0]["data"]["top_up"]["status"], "processing");
    assert_eq!(told[2]["data"]["top_up"], top_up);
    tells_of_the_wallet(&app, wallet, &told[3]).await;

    let bad = json!({"token": "pm_card_chargeDeclined"});
    let bad = post(&app, &methods, bad).await["id"].clone();
    let declined = json!({"amount": "25.00", "payment_method_id": bad}).to_string();
    app.post(&top_ups, "declined", &declined)
        .await
        .problem(402, "payment_declined");
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        ["payment_method.attached", "top_up.pending", "top_up.failed"]
    );
    assert_eq!(
        told[2]["data"]["top_up"]["failure"]["code"],
        "generic_decline"
    );

    let bad = bad.as_str().expect("an id");
    let delete = crate::app::request("DELETE", &format!("{methods}/{bad}"));
    let deleted = app
        .send(delete.body(axum::body::Body::empty()).expect("a request"))
        .await;
    assert_eq!(deleted.status, 204);
    let told = since(&app, &mut last).await;
    assert_eq!(types(&told), ["payment_method.detached"]);
    assert_eq!(told[0]["data"]["payment_method"]["id"], bad);
}

#[tokio::test]
async fn auto_recharge_and_alerts_are_told_as_they_happen() {
    let app = TestApp::start();
    let wallet = app.wallet_with("60.00").await;
    let shown = app.get(&format!("/v1/wallets/{wallet}")).await.json();
    let customer = shown["customer_id"].as_str().expect("an id");
    let methods = format!("/v1/customers/{customer}/payment-methods");
    let path = |rest: &str| format!("/v1/wallets/{wallet}{rest}");
    post(
        &app,
        &methods,
        json!({"token": "pm_card_chargeDeclinedInsufficientFunds"}),
    )
    .await;
    let alerts = json!({"enabled": true, "thresholds": ["20.00"], "channels": ["webhook"]});
    put(&app, &path("/alerts"), &alerts).await;
    let settings =
        json!({"enabled": true, "threshold": "50.00", "amount": "25.00", "monthly_cap": "30.00"});
    put(&app, &path("/auto-recharge"), &settings).await;
    let mut last = String::new();
    let told = since(&app, &mut last).await;
    let tail = &types(&told)[3..];
    assert_eq!(
        tail,
        [
            "payment_method.attached",
            "wallet.updated",
            "wallet.updated"
        ]
    );
    let saved = &told[5]["data"]["auto_recharge"];
    assert_eq!(
        (&saved["threshold"], &saved["state"]),
        (&json!("50.00"), &json!("armed"))
    );

    post(&app, &path("/debits"), json!({"amount": "45.00"})).await;
    settled(&app, &wallet).await;
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        [
            "transaction.created",
            "wallet.payment_made",
            "wallet.balance_low",
            "top_up.pending",
            "auto_recharge.triggered",
            "auto_recharge.cap_reached",
            "top_up.failed",
            "wallet.auto_top_up_failed",
        ]
    );
    assert_eq!(told[2]["data"]["thresholds"], json!(["20.00"]));
    assert_eq!(told[2]["data"]["wallet"]["low_balance"], true);
    assert_eq!(told[4]["data"]["auto_recharge"]["state"], "charging");
    assert_eq!(told[4]["data"]["top_up"]["reason"], "auto_recharge");
    assert_eq!(told[5]["data"]["percent"], 80);
    assert_eq!(told[7]["data"]["auto_recharge"]["state"], "cooling_down");
    assert_eq!(told[7]["data"]["top_up"]["status"], "failed");

    let gift = json!({"amount": "10.00", "funding_type": "promotional"});
    post(&app, &path("/credits"), gift).await;
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        [
            "transaction.created",
            "wallet.topped_up",
            "wallet.balance_recovered"
        ]
    );
    assert_eq!(told[2]["data"]["thresholds"], json!(["20.00"]));
}

async fn put(app: &TestApp, path: &str, body: &Value) {
    let request = crate::app::request("PUT", path).header("content-type", "application/json");
    let body = axum::body::Body::from(body.to_string());
    let answer = app.send(request.body(body).expect("a request")).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
}

/// Returns once no charge is under way.
async fn settled(app: &TestApp, wallet: &str) {
    let mut committed = app.service.committed();
    loop {
        committed.mark_unchanged();
        let shown = app.get(&format!("/v1/wallets/{wallet}")).await.json();
        if shown["pending_top_ups"] == "0.00" {
            return;
        }
        committed.changed().await.expect("the ledger lives");
    }
}

#[tokio::test]
async fn r47_a_bonus_is_told_with_the_top_up_that_it_came_with() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let path = |rest: &str| format!("/v1/wallets/{wallet}{rest}");
    let mut last = String::new();
    since(&app, &mut last).await;
    let checkout = json!({"amount": "40.00", "checkout": {
        "success_url": "https://shop.example/done", "cancel_url": "https://shop.example/back",
        "allow_promotion_codes": true,
    }});
    let asked = post(&app, &path("/top-ups"), checkout).await;
    let url = asked["checkout_url"].as_str().expect("a page");
    let page = url.rsplit('/').next().expect("an id");
    let paid = app
        .service
        .sandbox()
        .pay(page, "pm_card_visa", Some("SAVE10"), false);
    paid.await.expect("paid");
    post(&app, &path("/sync"), json!({})).await;
    let told = since(&app, &mut last).await;
    assert_eq!(
        types(&told),
        [
            "top_up.pending",
            "transaction.created",
            "top_up.succeeded",
            "transaction.created",
            "wallet.topped_up",
        ]
    );
    assert_eq!(told[0]["data"]["top_up"]["status"], "pending");
    let topped_up = &told[4]["data"];
    assert_eq!(topped_up["transaction"], told[1]["data"]["transaction"]);
    assert_eq!(topped_up["bonus"], told[3]["data"]["transaction"]);
    let amounts = (
        &topped_up["transaction"]["amount"],
        &topped_up["bonus"]["amount"],
    );
    assert_eq!(amounts, (&json!("36.00"), &json!("4.00")));
    assert_eq!(topped_up["bonus"]["reason"], "bonus");
    tells_of_the_wallet(&app, &wallet, &told[4]).await;
    let shown = app
        .get(&path(&format!(
            "/top-ups/{}",
            asked["id"].as_str().expect("an id")
        )))
        .await;
    assert_eq!(told[2]["data"]["top_up"], shown.json());
}
