//! Requests that are wrong: the right problem, in the order of checks.

use crate::app::{Answer, TestApp, request};
use axum::body::Body;
use serde_json::json;

#[tokio::test]
async fn every_problem_has_its_form() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    let debits = format!("/v1/wallets/{wallet}/debits");
    app.get("/v1/nothing").await.problem(404, "not_found");
    app.get("/v1/wallets/wal_1").await.problem(404, "not_found");
    app.get(&debits).await.problem(405, "method_not_allowed");
    app.post(&debits, "", r#"{"amount":"1"}"#)
        .await
        .problem(400, "idempotency_key_required");
    let refused = app
        .post(&debits, "k", r#"{"amount":"10.01"}"#)
        .await
        .problem(402, "insufficient_funds");
    assert_eq!(
        (
            &refused["required"],
            &refused["available"],
            &refused["shortfall"]
        ),
        (&json!("10.01"), &json!("10.00"), &json!("0.01"))
    );
    assert_eq!(
        refused["auto_recharge"],
        json!({"enabled": false, "state": "off", "reason": null})
    );
    assert!(refused["next_release_at"].is_null() && refused["currency"] == "USD");
    // It names the page, and opens nothing by itself (R30).
    let url = refused["top_up_url"].as_str().expect("an address");
    let wallet = debits.split('/').nth(3).expect("an id");
    assert_eq!(url, format!("http://127.0.0.1:8420/wallet?wallet={wallet}"));
    let range = app
        .post(&debits, "k", r#"{"amount":"9999999999999"}"#)
        .await
        .problem(422, "amount_out_of_range");
    assert_eq!(range["maximum"], "1000000000000.00");
    let anonymous = axum::http::Request::get("/v1/wallets")
        .body(Body::empty())
        .expect("a request");
    let anonymous = app.send(anonymous).await;
    anonymous.problem(401, "unauthenticated");
    assert!(anonymous.header("www-authenticate").starts_with("Bearer"));
    let text = request("POST", &debits)
        .header("content-type", "text/plain")
        .body(Body::from("{}"))
        .expect("a request");
    app.send(text).await.problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn r42_credentials_then_size_then_shape_then_key_then_wallet() {
    let app = TestApp::start();
    let missing = "/v1/wallets/wal_0000000000000/debits";
    let large = format!(r#"{{"amount":"1"{}}}"#, " ".repeat(70_000));
    let anonymous = axum::http::Request::post(missing)
        .body(Body::from(large.clone()))
        .expect("a request");
    app.send(anonymous).await.problem(401, "unauthenticated");
    app.post(missing, "", &large)
        .await
        .problem(413, "payload_too_large");
    app.post(missing, "", r#"{"amount":1}"#)
        .await
        .problem(400, "invalid_request");
    app.post(missing, "", r#"{"amount":"1"}"#)
        .await
        .problem(400, "idempotency_key_required");
    app.post(missing, "k", r#"{"amount":"1"}"#)
        .await
        .problem(404, "not_found");
    app.post("/v1/wallets/nonsense/debits", "", r#"{"amount":1}"#)
        .await
        .problem(400, "invalid_request");
}

#[tokio::test]
async fn limits_are_told_after_the_state() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    let path = |rest: &str| format!("/v1/wallets/{wallet}/{rest}");
    app.post(&path("debits"), "used", r#"{"amount":"1"}"#).await;
    assert_eq!(
        app.post(&path("freeze"), "", r#"{"reason":"Suspected fraud"}"#)
            .await
            .status,
        200
    );
    for (operation, body) in [
        ("debits", r#"{"amount":"9999999999999"}"#),
        ("holds", r#"{"amount":"9999999999999"}"#),
        ("usage", r#"{"price":"no.such.price","quantity":1}"#),
    ] {
        let problem = app
            .post(&path(operation), "new", body)
            .await
            .problem(409, "wallet_not_active");
        assert_eq!(problem["wallet_status"], "frozen");
        app.post(&path(operation), "used", body)
            .await
            .problem(422, "idempotency_key_reused");
    }
    assert_eq!(app.post(&path("unfreeze"), "", "{}").await.status, 200);
    app.post(
        &path("usage"),
        "new",
        r#"{"price":"no.such.price","quantity":1}"#,
    )
    .await
    .problem(404, "not_found");
}

#[tokio::test]
async fn large_bodies_are_refused_while_they_are_read() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    let chunks =
        futures_util::stream::iter((0..200).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1_024])));
    let untold = request("POST", &format!("/v1/wallets/{wallet}/debits"))
        .header("content-type", "application/json")
        .header("idempotency-key", "k")
        .body(Body::from_stream(chunks));
    app.send(untold.expect("a request"))
        .await
        .problem(413, "payload_too_large");
    let large = format!(r#"{{"operations":[],"padding":"{}"}}"#, "x".repeat(5 << 20));
    app.post("/v1/batches", "", &large)
        .await
        .problem(413, "payload_too_large");
}

#[tokio::test]
async fn keys_are_printable_and_stand_once() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    let path = format!("/v1/wallets/{wallet}/debits");
    for keys in [vec!["a", "b"], vec!["a", "a"], vec![""], vec!["a\tb"]] {
        let mut builder = request("POST", &path).header("content-type", "application/json");
        for key in &keys {
            builder = builder.header("idempotency-key", *key);
        }
        let problem = app
            .send(
                builder
                    .body(Body::from(r#"{"amount":"1"}"#))
                    .expect("a request"),
            )
            .await
            .problem(400, "invalid_request");
        assert_eq!(
            problem["errors"][0]["parameter"], "Idempotency-Key",
            "{keys:?}"
        );
    }
    app.post(&path, &"k".repeat(256), r#"{"amount":"1"}"#)
        .await
        .problem(400, "invalid_request");
    assert_eq!(
        app.post(&path, &"k".repeat(255), r#"{"amount":"1"}"#)
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn patches_merge() {
    let app = TestApp::start();
    let wallet = format!("/v1/wallets/{}", app.wallet_with("10").await);
    let patched = app
        .patch(
            &wallet,
            r#"{"name":"Main","metadata":{"a":"1","b":"2"},"overdraft_limit":"5"}"#,
        )
        .await
        .json();
    assert_eq!(
        (
            &patched["name"],
            &patched["overdraft_limit"],
            &patched["version"]
        ),
        (&json!("Main"), &json!("5.00"), &json!(2))
    );
    let patched = app
        .patch(&wallet, r#"{"metadata":{"a":null,"c":3}}"#)
        .await
        .json();
    assert_eq!(
        (&patched["name"], &patched["metadata"]),
        (&json!("Main"), &json!({"b": "2", "c": 3}))
    );
    let patched = app
        .patch(&wallet, r#"{"name":null,"metadata":null}"#)
        .await
        .json();
    assert_eq!(
        (&patched["name"], &patched["metadata"], &patched["version"]),
        (&json!(null), &json!({}), &json!(2))
    );
    let problem = app
        .patch(&wallet, r#"{"overdraft_limit":null}"#)
        .await
        .problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/overdraft_limit");
    let settings = app
        .patch(
            "/v1/settings",
            r#"{"credit_expiry_days":{"promotional":90},"time_zone":"Europe/Madrid"}"#,
        )
        .await
        .json();
    assert_eq!(
        (
            &settings["credit_expiry_days"]["promotional"],
            &settings["time_zone"]
        ),
        (&json!(90), &json!("Europe/Madrid"))
    );
    let problem = app
        .patch("/v1/settings", r#"{"time_zone":"Mars/Olympus"}"#)
        .await
        .problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/time_zone");
}

#[tokio::test]
async fn a_change_of_a_wallet_is_whole_or_none() {
    let app = TestApp::start();
    let wallet = format!("/v1/wallets/{}", app.wallet_with("10").await);
    let before = app.get(&wallet).await.body;
    let names: Vec<String> = (0..50).map(|name| format!(r#""{name}":1"#)).collect();
    let names = names.join(",");
    app.patch(&wallet, &format!(r#"{{"metadata":{{{names}}}}}"#))
        .await;
    let problem = app
        .patch(
            &wallet,
            r#"{"name":"New","overdraft_limit":"5","metadata":{"one_more":1}}"#,
        )
        .await
        .problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/metadata");
    app.patch(
        &wallet,
        r#"{"name":"New","overdraft_limit":"9999999999999"}"#,
    )
    .await
    .problem(422, "amount_out_of_range");
    app.patch(&wallet, r#"{"metadata":null}"#).await;
    assert_eq!(app.get(&wallet).await.body, before);
}

/// What is kept in memory follows the store also when nobody waits for the answer.
#[tokio::test]
async fn a_path_that_is_no_text_names_nothing() {
    let app = TestApp::start();
    for path in [
        "/v1/wallets/%ff",
        "/v1/wallets/%",
        "/v1/wallets/%zz/balance",
        "/v1/customers/%c3%28",
    ] {
        app.get(path).await.problem(404, "not_found");
    }
    let path = "/v1/wallets/%ff/debits";
    app.post(path, "k", r#"{"amount":"1"}"#)
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn a_change_whose_caller_has_gone_holds() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10").await;
    let price = r#"{"key":"sms","unit":"message","unit_amount":"0.05","currency":"USD"}"#;
    begin_and_leave(app.post("/v1/prices", "", price));
    begin_and_leave(app.patch("/v1/settings", r#"{"hold_expires_in":77}"#));
    let advance = r#"{"to":"2026-06-01T00:00:00Z"}"#;
    begin_and_leave(app.post("/v1/test-clock/advance", "", advance));
    // Another write waits behind those that were left; the clock waits for one that moves it.
    assert_eq!(app.patch("/v1/settings", "{}").await.status, 200);
    let again = app.post("/v1/test-clock/advance", "", r#"{"by_seconds":0}"#);
    assert_eq!(again.await.json()["now"], "2026-06-01T00:00:00.000000Z");
    assert_eq!(
        app.get("/v1/settings").await.json()["hold_expires_in"],
        json!(77)
    );
    let usage = format!("/v1/wallets/{wallet}/usage");
    let used = app.post(&usage, "u", r#"{"price":"sms","quantity":1}"#);
    assert_eq!(used.await.status, 201);
}

/// Polls a call until it waits for the first time, then drops it.
fn begin_and_leave(call: impl Future<Output = Answer>) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = std::pin::pin!(call).poll(&mut context);
    assert!(polled.is_pending(), "the call is answered at once");
}
