//! Value that expires (L5): as the settings say, told of 30, 7 and 1 day before, once, and another date for a lot.

use crate::app::{Answer, TestApp};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

async fn advance(app: &TestApp, seconds: i64) {
    let body = json!({"by_seconds": seconds}).to_string();
    let moved = app.post("/v1/test-clock/advance", "", &body).await;
    assert_eq!(moved.status, 200, "{}", moved.json());
}

async fn credit(app: &TestApp, wallet: &str, key: &str, body: Value) -> Value {
    let path = format!("/v1/wallets/{wallet}/credits");
    let made = app.post(&path, key, &body.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.json());
    made.json()
}

async fn lots(app: &TestApp, wallet: &str) -> Vec<Value> {
    let list = app.get(&format!("/v1/wallets/{wallet}/lots")).await.json();
    list["data"].as_array().expect("a list").clone()
}

/// The lot that a credit made.
async fn lot_of(app: &TestApp, wallet: &str, credit: &Value) -> Value {
    let id = credit["lots"][0]["lot_id"].as_str().expect("an id");
    let lot = app.get(&format!("/v1/wallets/{wallet}/lots/{id}")).await;
    assert_eq!(lot.status, 200, "{}", lot.json());
    lot.json()
}

async fn change(app: &TestApp, wallet: &str, lot: &Value, body: Value) -> Answer {
    let id = lot["id"].as_str().expect("an id");
    let path = format!("/v1/wallets/{wallet}/lots/{id}");
    app.patch(&path, &body.to_string()).await
}

/// The warnings so far: which lot, and how many days are left.
async fn warnings(app: &TestApp) -> Vec<(String, u64)> {
    let page = app.get("/v1/events?limit=100&type=lot.expiring").await;
    let events = page.json()["data"].as_array().expect("events").clone();
    let told = events.iter().map(|event| {
        let data = &event["data"];
        assert_eq!(event["wallet_id"], data["wallet"]["id"], "{event}");
        assert_eq!(event["sequence"], Value::Null, "it is no row of the ledger");
        let lot = data["lot"]["id"].as_str().expect("a lot");
        (lot.to_owned(), data["days_left"].as_u64().expect("days"))
    });
    told.collect()
}

fn id(lot: &Value) -> String {
    lot["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn l5_value_without_a_date_lives_as_long_as_the_settings_say() {
    let app = TestApp::start();
    let days = json!({"cash": 400, "promotional": 90, "refund": 30, "manual_adjustment": 7});
    let settings = json!({"credit_expiry_days": days}).to_string();
    assert_eq!(app.patch("/v1/settings", &settings).await.status, 200);
    let wallet = app.wallet_with("1.00").await;
    for funding in ["cash", "promotional", "refund", "manual_adjustment"] {
        let body = json!({"amount": "1.00", "funding_type": funding});
        credit(&app, &wallet, funding, body).await;
    }
    let body = json!({"amount": "1.00", "reason_text": "a gift"}).to_string();
    let path = format!("/v1/wallets/{wallet}/adjustments");
    assert_eq!(app.post(&path, "adjust", &body).await.status, 201);
    let named =
        json!({"amount": "1.00", "funding_type": "cash", "expires_at": "2026-06-05T12:00:00Z"});
    credit(&app, &wallet, "named", named).await;
    let mut ends: Vec<_> = lots(&app, &wallet)
        .await
        .iter()
        .map(|lot| (lot["funding_type"].clone(), lot["expires_at"].clone()))
        .collect();
    ends.reverse();
    let expected = [
        ("cash", "2027-07-05T12:00:00.000000Z"),
        ("cash", "2027-07-05T12:00:00.000000Z"),
        ("promotional", "2026-08-29T12:00:00.000000Z"),
        ("refund", "2026-06-30T12:00:00.000000Z"),
        ("manual_adjustment", "2026-06-07T12:00:00.000000Z"),
        ("manual_adjustment", "2026-06-07T12:00:00.000000Z"),
        ("cash", "2026-06-05T12:00:00.000000Z"),
    ];
    assert_eq!(
        ends,
        expected.map(|(funding, end)| (json!(funding), json!(end)))
    );
    let settings = json!({"credit_expiry_days": {"promotional": null}}).to_string();
    assert_eq!(app.patch("/v1/settings", &settings).await.status, 200);
    let body = json!({"amount": "1.00", "funding_type": "promotional"});
    let given = credit(&app, &wallet, "given", body).await;
    assert_eq!(
        lot_of(&app, &wallet, &given).await["expires_at"],
        Value::Null
    );
    app.verify();
}

#[tokio::test]
async fn l5_expiring_value_is_told_of_30_7_and_1_day_before_once_also_across_a_restart() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1.00").await;
    let ending = |days: i64, amount: &str| {
        let end = tillbox_core::time::Timestamp::parse("2026-05-31T12:00:00Z").expect("an instant");
        let end = end.plus_days(days).to_string();
        json!({"amount": amount, "funding_type": "promotional", "expires_at": end})
    };
    let long = credit(&app, &wallet, "long", ending(40, "5.00")).await;
    let long = lot_of(&app, &wallet, &long).await;
    let month = credit(&app, &wallet, "month", ending(30, "2.00")).await;
    let month = lot_of(&app, &wallet, &month).await;
    advance(&app, 9 * DAY).await;
    assert_eq!(warnings(&app).await, []);
    advance(&app, 2 * DAY).await;
    assert_eq!(warnings(&app).await, [(id(&long), 30)]);
    let app = app.restart().await;
    advance(&app, 17 * DAY).await;
    let told = [(id(&long), 30), (id(&month), 7)];
    assert_eq!(warnings(&app).await, told);
    // All of the shorter lot is held when its last warning is due: nothing is at stake.
    let hold = json!({"amount": "2.00", "expires_in": 20 * DAY}).to_string();
    let path = format!("/v1/wallets/{wallet}/holds");
    assert_eq!(app.post(&path, "hold", &hold).await.status, 201);
    advance(&app, 12 * DAY - 60).await;
    let told = [
        (id(&long), 30),
        (id(&month), 7),
        (id(&long), 7),
        (id(&long), 1),
    ];
    assert_eq!(warnings(&app).await, told);
    let page = app
        .get("/v1/events?limit=100&type=lot.expiring")
        .await
        .json();
    let last = &page["data"][3];
    assert_eq!(
        last["created_at"], "2026-07-09T12:00:00.000000Z",
        "by the test clock"
    );
    assert_eq!(last["data"]["lot"]["remaining"], "5.00");
    advance(&app, 60).await;
    assert_eq!(warnings(&app).await.len(), 4);
    let page = app
        .get("/v1/events?limit=100&type=lot.expired")
        .await
        .json();
    let expired: Vec<_> = page["data"].as_array().expect("events").iter().collect();
    assert_eq!(expired.len(), 1);
    assert_eq!(expired[0]["data"]["lot"]["id"], long["id"]);
    assert_eq!(expired[0]["data"]["transaction"]["amount"], "-5.00");
    app.verify();
}

#[tokio::test]
async fn l5_spent_value_warns_of_nothing_and_returned_value_again() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1.00").await;
    let body = json!({"amount": "5.00", "funding_type": "promotional", "expires_at": "2026-07-10T12:00:00Z"});
    let given = credit(&app, &wallet, "given", body).await;
    let path = format!("/v1/wallets/{wallet}/debits");
    let spent = app
        .post(&path, "spent", r#"{"amount":"5.00"}"#)
        .await
        .json();
    advance(&app, 20 * DAY).await;
    assert_eq!(warnings(&app).await, []);
    let spent = spent["id"].as_str().expect("an id");
    let path = format!("/v1/wallets/{wallet}/transactions/{spent}/refund");
    assert_eq!(app.post(&path, "back", "{}").await.status, 201);
    advance(&app, 19 * DAY).await;
    let lot = lot_of(&app, &wallet, &given).await;
    assert_eq!(warnings(&app).await, [(id(&lot), 7), (id(&lot), 1)]);
}

#[tokio::test]
async fn a_lot_gets_another_date_and_other_warnings() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1.00").await;
    let body = json!({"amount": "5.00", "funding_type": "promotional", "expires_at": "2026-06-20T12:00:00Z"});
    let given = credit(&app, &wallet, "given", body).await;
    let lot = lot_of(&app, &wallet, &given).await;
    let hold = json!({"amount": "2.00", "expires_in": 29 * DAY}).to_string();
    let holds = format!("/v1/wallets/{wallet}/holds");
    let hold = app.post(&holds, "hold", &hold).await.json();

    let dry = change(
        &app,
        &wallet,
        &lot,
        json!({"expires_at": null, "dry_run": true}),
    )
    .await;
    assert_eq!((dry.status, &dry.json()["dry_run"]), (200, &json!(true)));
    assert_eq!(
        lot_of(&app, &wallet, &given).await["expires_at"],
        lot["expires_at"]
    );
    let later = json!({"expires_at": "2026-07-20T12:00:00Z"});
    let changed = change(&app, &wallet, &lot, later).await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    let changed = changed.json();
    assert_eq!(changed["expires_at"], "2026-07-20T12:00:00.000000Z");
    assert_eq!(
        (&changed["remaining"], &changed["held"]),
        (&json!("5.00"), &json!("2.00"))
    );
    assert_eq!(lot_of(&app, &wallet, &given).await, changed);
    let event = app
        .get("/v1/events?limit=100&type=wallet.updated")
        .await
        .json();
    assert_eq!(event["data"][0]["data"]["lot"], changed);
    assert_eq!(change(&app, &wallet, &lot, json!({})).await.json(), changed);

    advance(&app, 25 * DAY).await;
    assert_eq!(
        warnings(&app).await,
        [(id(&lot), 30)],
        "of the later date alone"
    );
    let balance = app
        .get(&format!("/v1/wallets/{wallet}/balance"))
        .await
        .json();
    assert_eq!(balance["balance"], "6.00", "nothing has expired");
    let hold = hold["id"].as_str().expect("an id");
    let path = format!("{holds}/{hold}/capture");
    assert_eq!(
        app.post(&path, "capture", r#"{"amount":"1.00"}"#)
            .await
            .status,
        201
    );
    let soon = json!({"expires_at": "2026-06-30T12:00:00Z"});
    assert_eq!(change(&app, &wallet, &lot, soon).await.status, 200);
    advance(&app, 6 * DAY).await;
    assert_eq!(warnings(&app).await, [(id(&lot), 30), (id(&lot), 1)]);
    let balance = app
        .get(&format!("/v1/wallets/{wallet}/balance"))
        .await
        .json();
    assert_eq!(balance["balance"], "1.00");
    app.verify();
}

#[tokio::test]
async fn a_lot_that_is_spent_expired_or_anothers_gets_no_other_date() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1.00").await;
    let other = app.wallet_with("1.00").await;
    let lot = lots(&app, &wallet).await[0].clone();
    let never = || json!({"expires_at": null});
    let past = change(
        &app,
        &wallet,
        &lot,
        json!({"expires_at": "2026-05-31T12:00:00Z"}),
    )
    .await;
    let past = past.problem(400, "invalid_request");
    assert_eq!(past["errors"][0]["pointer"], "/expires_at");
    change(&app, &wallet, &lot, json!({"expires": null}))
        .await
        .problem(400, "invalid_request");
    change(&app, &other, &lot, never())
        .await
        .problem(404, "not_found");
    let malformed = json!({"id": "lot_x"});
    change(&app, &wallet, &malformed, never())
        .await
        .problem(404, "not_found");
    let path = format!("/v1/wallets/{other}/lots/{}", id(&lot));
    app.get(&path).await.problem(404, "not_found");
    let soon = json!({"expires_at": "2026-06-01T12:00:00Z"});
    assert_eq!(change(&app, &wallet, &lot, soon).await.status, 200);
    advance(&app, 2 * DAY).await;
    let late = change(&app, &wallet, &lot, never())
        .await
        .problem(409, "conflict");
    assert_eq!(late["reason"], "nothing is left of the lot");
    let lot = lots(&app, &other).await[0].clone();
    let path = format!("/v1/wallets/{other}/debits");
    assert_eq!(
        app.post(&path, "all", r#"{"amount":"1.00"}"#).await.status,
        201
    );
    change(&app, &other, &lot, never())
        .await
        .problem(409, "conflict");
}

#[tokio::test]
async fn r11_what_returns_to_an_expired_lot_lives_for_the_grace_days() {
    let app = TestApp::start();
    let settings = json!({"refund_grace_days": 3}).to_string();
    let wallet = app.wallet_with("1.00").await;
    let body = json!({"amount": "5.00", "funding_type": "promotional", "expires_at": "2026-06-02T12:00:00Z"});
    let given = credit(&app, &wallet, "given", body).await;
    let first = lot_of(&app, &wallet, &given).await;
    let path = format!("/v1/wallets/{wallet}/debits");
    let mut debits = Vec::new();
    for key in ["one", "two"] {
        debits.push(app.post(&path, key, r#"{"amount":"2.00"}"#).await.json());
    }
    advance(&app, 5 * DAY).await;
    let mut ends = Vec::new();
    for (place, debit) in debits.iter().enumerate() {
        if place == 1 {
            assert_eq!(app.patch("/v1/settings", &settings).await.status, 200);
        }
        let debit = debit["id"].as_str().expect("an id");
        let path = format!("/v1/wallets/{wallet}/transactions/{debit}/refund");
        let back = app.post(&path, debit, "{}").await;
        assert_eq!(back.status, 201, "{}", back.json());
        let lot = lot_of(&app, &wallet, &back.json()).await;
        assert_ne!(lot["id"], first["id"]);
        assert_eq!(lot["funding_type"], "promotional");
        ends.push(lot["expires_at"].clone());
    }
    assert_eq!(
        ends,
        ["2026-07-05T12:00:00.000000Z", "2026-06-08T12:00:00.000000Z"]
    );
    app.verify();
}
