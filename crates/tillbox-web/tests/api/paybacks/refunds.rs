//! `POST /v1/wallets/{id}/top-ups/{top}/refund`.

use super::{paid, set_faults, sync};
use crate::app::TestApp;
use serde_json::json;
use tillbox_service::payments::sandbox::Faults;

#[tokio::test]
async fn r27_a_top_up_is_refunded_to_its_card_in_parts_and_never_beyond() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_visa", "100").await;
    let path = paid.refund_path();
    let answer = app.post(&path, "", "{}").await;
    answer.problem(400, "idempotency_key_required");

    let would = app
        .post(&path, "", r#"{"amount":"30","dry_run":true}"#)
        .await;
    assert_eq!((would.status, &would.json()["id"]), (201, &json!(null)));
    assert_eq!(paid.balance(&app).await, "100.00");

    let first = app.post(&path, "one", r#"{"amount":"30"}"#).await;
    let body = first.json();
    assert_eq!(first.status, 201, "{body}");
    assert_eq!(body["reason"], "withdrawal");
    assert_eq!(body["type"], "debit");
    assert_eq!(body["amount"], "-30.00");
    assert_eq!(body["top_up_id"], paid.top_up.as_str());
    assert_eq!(body["lots"][0]["funding_type"], "cash");
    sync(&app, &paid).await;
    let again = app.post(&path, "one", r#"{"amount":"30.00"}"#).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body, first.body);
    let other = app.post(&path, "one", r#"{"amount":"31"}"#).await;
    other.problem(422, "idempotency_key_reused");

    let too_much = app.post(&path, "two", r#"{"amount":"70.01"}"#).await;
    let problem = too_much.problem(422, "refund_exceeds_remaining");
    assert_eq!(problem["remaining"], "70.00");
    assert_eq!(
        app.post(&path, "two", "{}").await.json()["amount"],
        "-70.00"
    );
    sync(&app, &paid).await;
    let top_up = paid.top_up(&app).await;
    assert_eq!(top_up["refunded"], "100.00");
    assert_eq!(top_up["refundable"], "0.00");
    let nothing = app.post(&path, "three", "{}").await;
    nothing.problem(422, "refund_exceeds_remaining");

    let events = app.get("/v1/events?type=top_up.refunded").await.json();
    let told = events["data"].as_array().expect("events");
    assert_eq!(told.len(), 2, "{events}");
    assert_eq!(told[0]["data"]["top_up"]["id"], paid.top_up.as_str());
    assert_eq!(told[0]["data"]["top_up"]["refunded"], "30.00");
    assert_eq!(told[1]["data"]["top_up"]["refunded"], "100.00");
    assert_eq!(told[0]["data"]["transaction"]["reason"], "withdrawal");
    app.verify();
}

#[tokio::test]
async fn r27_what_is_not_there_is_not_found_and_what_is_not_paid_is_a_conflict() {
    let app = TestApp::start();
    let one = paid(&app, "pm_card_visa", "10").await;
    let other = paid(&app, "pm_card_visa", "10").await;
    for top_up in [other.top_up.as_str(), "top_0000000000001", "nonsense"] {
        let path = format!("{}/top-ups/{top_up}/refund", one.path());
        app.post(&path, "x", "{}").await.problem(404, "not_found");
    }
    let page = json!({"amount": "20", "checkout": {"success_url": "https://a.example/", "cancel_url": "https://a.example/"}});
    let path = format!("{}/top-ups", one.path());
    let open = app.post(&path, "page", &page.to_string()).await.json();
    let path = format!("{path}/{}/refund", open["id"].as_str().expect("an id"));
    app.post(&path, "x", "{}").await.problem(409, "conflict");
    let body = r#"{"amount":"0.001"}"#;
    let tiny = app.post(&one.refund_path(), "x", body).await;
    let problem = tiny.problem(422, "amount_out_of_range");
    assert_eq!(
        (&problem["minimum"], &problem["maximum"]),
        (&json!("0.01"), &json!("10.00"))
    );
}

#[tokio::test]
async fn r27_a_refund_that_fails_is_reversed_into_its_lot() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_visa", "100").await;
    set_faults(
        &app,
        Faults {
            decline_refunds: 1,
            ..Faults::default()
        },
    )
    .await;
    let refund = app
        .post(&paid.refund_path(), "one", r#"{"amount":"40"}"#)
        .await;
    assert_eq!(refund.status, 201);
    sync(&app, &paid).await;
    let rows = paid.transactions(&app).await;
    let row = |reason: &str, amount: &str| (reason.to_owned(), amount.to_owned());
    let expected = [
        row("top_up", "100.00"),
        row("withdrawal", "-40.00"),
        row("reversal", "40.00"),
    ];
    assert_eq!(rows, expected);
    let top_up = paid.top_up(&app).await;
    assert_eq!(
        (&top_up["refunded"], &top_up["refundable"]),
        (&json!("0.00"), &json!("100.00"))
    );
    // Another one goes its own way.
    assert_eq!(app.post(&paid.refund_path(), "two", "{}").await.status, 201);
    sync(&app, &paid).await;
    assert_eq!(paid.balance(&app).await, "0.00");
    app.verify();
}

#[tokio::test]
async fn r27_a_slow_refund_waits_and_is_never_taken_for_failed() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_visa", "100").await;
    set_faults(
        &app,
        Faults {
            delay_refunds_seconds: 60,
            ..Faults::default()
        },
    )
    .await;
    app.post(&paid.refund_path(), "one", "{}").await;
    for _ in 0..3 {
        sync(&app, &paid).await;
        assert_eq!(paid.balance(&app).await, "0.00");
        let told = app.get("/v1/events?type=top_up.refunded").await.json();
        assert_eq!(told["data"], json!([]));
    }
    app.wait(60);
    sync(&app, &paid).await;
    let told = app.get("/v1/events?type=top_up.refunded").await.json();
    assert_eq!(told["data"].as_array().map(Vec::len), Some(1));
    app.verify();
}

/// Bug of others: a credit given back twice by requests at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b25_refunds_at_the_same_time_never_give_back_more_than_there_is() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_visa", "100").await;
    let path = paid.refund_path();
    let asked = (0..20).map(|number| {
        let (app, path) = (&app, &path);
        async move {
            let key = format!("refund {number}");
            app.post(path, &key, r#"{"amount":"30"}"#).await.status
        }
    });
    let statuses = futures_util::future::join_all(asked).await;
    let accepted = statuses.iter().filter(|status| **status == 201).count();
    assert_eq!(accepted, 3, "{statuses:?}");
    sync(&app, &paid).await;
    assert_eq!(paid.balance(&app).await, "10.00");
    assert_eq!(paid.top_up(&app).await["refunded"], "90.00");
    app.verify();
}

#[tokio::test]
async fn r27_a_frozen_wallet_is_refunded_and_a_debit_of_a_refunded_lot_too() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_visa", "100").await;
    paid.debit(&app, "25").await;
    let freeze = format!("{}/freeze", paid.path());
    app.post(&freeze, "", r#"{"reason":"asked"}"#).await;
    let refund = app.post(&paid.refund_path(), "one", "{}").await;
    assert_eq!(refund.json()["amount"], "-75.00");
    let list = app
        .get(&format!("{}/transactions?reason=usage", paid.path()))
        .await
        .json();
    let debit = list["data"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("{}/transactions/{debit}/refund", paid.path());
    assert_eq!(app.post(&path, "two", "{}").await.status, 201);
    assert_eq!(paid.balance(&app).await, "25.00");
    assert_eq!(paid.top_up(&app).await["refundable"], "25.00");
    app.verify();
}
