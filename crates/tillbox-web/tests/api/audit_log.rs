//! The audit log: who did what, when and from where.

use crate::app::{TestApp, request};
use axum::body::Body;
use serde_json::{Value, json};

async fn entries(app: &TestApp, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("/v1/audit-log{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["data"].as_array().expect("a list").clone()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    let actions = entries.iter().map(|entry| entry["action"].as_str());
    actions.map(|action| action.expect("an action")).collect()
}

#[tokio::test]
async fn what_was_done_is_told_newest_first_and_spending_is_not() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let path = |end: &str| format!("/v1/wallets/{wallet}/{end}");
    let debit = app.post(&path("debits"), "d", r#"{"amount":"4.00"}"#).await;
    let debit = debit.json()["id"].as_str().expect("an id").to_owned();
    app.post(&path("holds"), "h", r#"{"amount":"1.00"}"#).await;
    let adjustment = r#"{"amount":"-0.50","reason_text":"counted twice"}"#;
    let adjustment = app.post(&path("adjustments"), "a", adjustment).await;
    app.post(&path(&format!("transactions/{debit}/refund")), "r", "{}")
        .await;
    let dry = r#"{"amount":"1.00","funding_type":"cash","dry_run":true}"#;
    app.post(&path("credits"), "", dry).await;
    app.post(&path("freeze"), "", r#"{"reason":"asked by phone"}"#)
        .await;
    let limit = json!({"overdraft_limit": "5.00", "name": "Main"}).to_string();
    let patched = app.patch(&format!("/v1/wallets/{wallet}"), &limit).await;
    assert_eq!(patched.status, 200);
    let all = entries(&app, "").await;
    let expected = [
        "overdraft_limit.changed",
        "wallet.updated",
        "wallet.frozen",
        "refund.created",
        "adjustment.created",
        "credit.created",
        "wallet.created",
        "customer.created",
    ];
    assert_eq!(actions(&all), expected);
    for entry in &all {
        assert_eq!(entry["actor"]["type"], "api_key", "{entry}");
        assert_eq!(entry["actor"]["name"], "Bootstrap key");
        assert!(entry["created_at"].is_string() && entry["id"].is_string());
    }
    assert_eq!(all[4]["amount"], "-0.50");
    assert_eq!(all[4]["description"], "counted twice");
    assert_eq!(all[4]["targets"], json!([adjustment.json()["id"]]));
    assert_eq!(
        all[0]["changes"],
        json!({"overdraft_limit": {"to": "5.00"}})
    );
    assert_eq!(all[1]["request_id"], patched.header("x-request-id"));

    // Each filter alone, and pages that meet.
    let by = |query: &str| format!("?{query}");
    let frozen = entries(&app, &by("action=wallet.frozen")).await;
    assert_eq!(actions(&frozen), ["wallet.frozen"]);
    let of_refund = entries(&app, &by(&format!("target={debit}"))).await;
    assert_eq!(actions(&of_refund), ["refund.created"]);
    assert_eq!(
        entries(&app, &by(&format!("wallet_id={wallet}")))
            .await
            .len(),
        7
    );
    assert_eq!(
        entries(&app, &by(&format!("target={wallet}"))).await.len(),
        7
    );
    let key = all[0]["actor"]["id"].as_str().expect("an id");
    assert_eq!(entries(&app, &by(&format!("actor={key}"))).await.len(), 8);
    assert_eq!(entries(&app, "?actor=system").await.len(), 0);
    assert_eq!(entries(&app, "?from=2026-06-01").await.len(), 0);
    assert_eq!(entries(&app, "?to=2026-05-31").await.len(), 8);
    let mut paged = Vec::new();
    let mut query = "limit=3".to_owned();
    loop {
        let page = app.get(&format!("/v1/audit-log?{query}")).await.json();
        paged.extend(page["data"].as_array().expect("a list").clone());
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        query = format!("limit=3&cursor={cursor}");
        // What is done meanwhile moves nothing.
        app.post(&path("unfreeze"), "", "{}").await;
    }
    assert_eq!(paged, all);
    for wrong in ["actor=me", "action=no.such", "limit=0", "since=2026"] {
        let answer = app.get(&format!("/v1/audit-log?{wrong}")).await;
        answer.problem(400, "invalid_request");
    }
}

#[tokio::test]
async fn settings_are_told_with_what_they_were() {
    let app = TestApp::start();
    app.patch("/v1/settings", r#"{"top_up_minimum":"5.00"}"#)
        .await;
    let refused = app
        .patch("/v1/settings", r#"{"top_up_minimum":"-5.00"}"#)
        .await;
    assert_eq!(refused.status, 400);
    let all = entries(&app, "").await;
    assert_eq!(actions(&all), ["settings.changed"]);
    let change = json!({"top_up_minimum": {"from": "10.00", "to": "5.00"}});
    assert_eq!(all[0]["changes"], change);
}

#[tokio::test]
async fn a_payment_and_a_customers_session_are_told_with_their_actors() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let customer = app.get(&format!("/v1/wallets/{wallet}")).await.json();
    let customer = customer["customer_id"].as_str().expect("an id");
    let methods = format!("/v1/customers/{customer}/payment-methods");
    app.post(&methods, "", r#"{"token":"pm_card_visa"}"#).await;
    let top_up = format!("/v1/wallets/{wallet}/top-ups");
    let top_up = app.post(&top_up, "t", r#"{"amount":"20.00"}"#).await.json();
    assert_eq!(top_up["status"], "succeeded");
    let session = json!({"customer_id": customer}).to_string();
    app.post("/v1/portal-sessions", "", &session).await;
    let all = entries(&app, "?limit=3").await;
    let expected = [
        "portal_session.created",
        "top_up.created",
        "payment_method.attached",
    ];
    assert_eq!(actions(&all), expected);
    // What auto-recharge does by itself is a payment, and no deed of anybody's.
    let recharge = json!({"enabled": true, "threshold": "20.00", "amount": "25.00"});
    let path = format!("/v1/wallets/{wallet}/auto-recharge");
    app.put(&path, &recharge.to_string()).await;
    let debit = format!("/v1/wallets/{wallet}/debits");
    app.post(&debit, "d", r#"{"amount":"15.00"}"#).await;
    let events = app.get("/v1/events?type=auto_recharge.triggered").await;
    assert_eq!(events.json()["data"].as_array().map(Vec::len), Some(1));
    let behind = entries(&app, "?limit=2").await;
    let expected = ["auto_recharge.changed", "portal_session.created"];
    assert_eq!(actions(&behind), expected);
    assert_eq!(all[0]["targets"], json!([customer]));
    assert_eq!(all[1]["targets"], json!([top_up["id"]]));
    assert_eq!(all[1]["amount"], "20.00");
    let text = app.get("/v1/audit-log").await.body;
    let text = String::from_utf8(text).expect("text");
    assert!(!text.contains("/portal/"), "no secret is in it");
}

#[tokio::test]
async fn all_of_it_comes_as_csv() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let freeze = format!("/v1/wallets/{wallet}/freeze");
    app.post(&freeze, "", r#"{"reason":"=1+1, \"so\""}"#).await;
    let asked = request("GET", "/v1/audit-log").header("accept", "text/csv");
    let answer = app
        .send(asked.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let text = String::from_utf8(answer.body).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("date,actor_type,actor_id,actor_name,action,"));
    assert!(lines[1].contains(",wallet.frozen,"), "{text}");
    assert!(lines[1].contains(r#","'=1+1, ""so""","#), "{text}");
    assert_eq!(lines.len(), 5);
    assert_eq!(app.get("/v1/audit-log.csv").await.body, text.as_bytes());
    let paged = app.get("/v1/audit-log.csv?limit=5").await;
    paged.problem(400, "invalid_request");
}
