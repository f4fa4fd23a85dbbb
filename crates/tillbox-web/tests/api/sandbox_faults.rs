//! `/v1/sandbox/faults`: what goes wrong on request.

use crate::app::TestApp;
use serde_json::{Value, json};

const PATH: &str = "/v1/sandbox/faults";

fn none() -> Value {
    json!({
        "lose_replies": 0,
        "lose_notices": 0,
        "double_notices": false,
        "delay_notices_seconds": 0,
        "reorder_notices": false,
        "decline_next": 0,
        "decline_code": null,
        "decline_refunds": 0,
        "delay_refunds_seconds": 0,
    })
}

#[tokio::test]
async fn what_is_set_is_shown_and_what_is_absent_goes_right() {
    let app = TestApp::start();
    assert_eq!(app.get(PATH).await.json(), none());
    let all = json!({
        "lose_replies": 1,
        "lose_notices": 2,
        "double_notices": true,
        "delay_notices_seconds": 3,
        "reorder_notices": true,
        "decline_next": 4,
        "decline_code": "lost_card",
        "decline_refunds": 5,
        "delay_refunds_seconds": 1000,
    });
    let set = app.put(PATH, &all.to_string()).await;
    assert_eq!((set.status, set.json()), (200, all.clone()));
    assert_eq!(app.get(PATH).await.json(), all);
    let app = app.restart().await;
    assert_eq!(app.get(PATH).await.json(), all, "it outlives a restart");
    for body in [
        json!({"lose_replies": -1}),
        json!({"lose_replies": 1001}),
        json!({"lose_replies": 0.5}),
        json!({"lose_replies": "1"}),
        json!({"double_notices": 1}),
        json!({"decline_code": "x".repeat(61)}),
        json!({"x": 1}),
        json!([]),
    ] {
        let refused = app.put(PATH, &body.to_string()).await;
        refused.problem(400, "invalid_request");
    }
    app.get(&format!("{PATH}?x=1"))
        .await
        .problem(400, "invalid_request");
    assert_eq!(app.get(PATH).await.json(), all, "a refusal changes nothing");
    assert_eq!(app.put(PATH, "{}").await.json(), none());
}

#[tokio::test]
async fn a_fault_is_used_up_by_what_it_befalls() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1.00").await;
    let customer = app.get(&format!("/v1/wallets/{wallet}")).await.json()["customer_id"].clone();
    let cards = format!(
        "/v1/customers/{}/payment-methods",
        customer.as_str().expect("an id")
    );
    app.post(&cards, "", r#"{"token":"pm_card_visa"}"#).await;
    let faults = json!({"decline_next": 1, "decline_code": "lost_card"}).to_string();
    assert_eq!(app.put(PATH, &faults).await.status, 200);
    let path = format!("/v1/wallets/{wallet}/top-ups");
    let declined = app.post(&path, "one", r#"{"amount":"10"}"#).await;
    declined.problem(402, "payment_declined");
    assert_eq!(app.get(PATH).await.json()["decline_next"], 0);
    let paid = app.post(&path, "two", r#"{"amount":"10"}"#).await;
    assert_eq!(
        (paid.status, &paid.json()["status"]),
        (201, &json!("succeeded"))
    );
    app.verify();
}
