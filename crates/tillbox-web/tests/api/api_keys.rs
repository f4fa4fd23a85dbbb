//! API keys: made and shown once, void at once, and what each may do.

use crate::app::{Answer, TestApp};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

async fn make(app: &TestApp, scopes: Value) -> (String, String) {
    let body = json!({"name": "Till 7", "scopes": scopes}).to_string();
    let answer = app.post("/v1/api-keys", "", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    assert_eq!(answer.header("cache-control"), "no-store");
    let made = answer.json();
    assert_eq!(made["scopes"], scopes);
    let key = made["key"].as_str().expect("the key");
    assert!(key.starts_with("tb_test_") && key.len() > 60);
    assert!(key.ends_with(made["hint"].as_str().expect("a hint")));
    (
        made["id"].as_str().expect("an id").to_owned(),
        key.to_owned(),
    )
}

async fn send(app: &TestApp, key: &str, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .header("idempotency-key", format!("{method} {path} {body}"));
    app.send(
        request
            .body(Body::from(body.to_owned()))
            .expect("a request"),
    )
    .await
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_nothing_else() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let debits = format!("/v1/wallets/{wallet}/debits");
    let debit = r#"{"amount":"1.00"}"#;
    let forced = r#"{"amount":"1.00","force":true}"#;
    let calls = [
        ("GET", "/v1/wallets", "", "read"),
        ("POST", debits.as_str(), debit, "write"),
        ("POST", &debits, forced, "force"),
        (
            "PATCH",
            "/v1/settings",
            r#"{"top_up_minimum":"5.00"}"#,
            "admin",
        ),
        ("GET", "/v1/api-keys", "", "admin"),
        ("POST", "/v1/api-keys", r#"{"name":"Another"}"#, "admin"),
    ];
    for scopes in [
        json!([]),
        json!(["read"]),
        json!(["write"]),
        json!(["write", "force"]),
        json!(["admin"]),
    ] {
        let (_, key) = make(&app, scopes.clone()).await;
        let has = |scope: &str| scopes.as_array().expect("scopes").contains(&json!(scope));
        for (method, path, body, scope) in calls {
            let answer = send(&app, &key, method, path, body).await;
            let lacks = match scope {
                "force" if !has("write") => Some("write"),
                _ => (!has(scope)).then_some(scope),
            };
            match lacks {
                Some(scope) => assert_eq!(answer.problem(403, "forbidden")["scope"], scope),
                None => assert!(answer.status < 300, "{method} {path}: {}", answer.json()),
            }
        }
        let batch = json!({"operations": [
            {"op": "debit", "wallet_id": wallet, "idempotency_key": "a", "amount": "0.01", "force": true, "dry_run": true},
            {"op": "debit", "wallet_id": wallet, "idempotency_key": "b", "amount": "0.02", "dry_run": true},
        ]});
        if has("write") {
            let answer = send(&app, &key, "POST", "/v1/batches", &batch.to_string()).await;
            let results = answer.json()["results"].clone();
            let status = if has("force") { 201 } else { 403 };
            assert_eq!(results[0]["status"], status, "{results}");
            assert_eq!(results[1]["status"], 201, "{results}");
            assert_eq!(results[1]["body"]["amount"], "-0.02");
        }
    }
}

#[tokio::test]
async fn a_void_key_opens_nothing_also_after_a_restart() {
    let app = TestApp::start();
    let (id, key) = make(&app, json!(["read"])).await;
    let (_, other) = make(&app, json!(["read"])).await;
    assert_eq!(send(&app, &key, "GET", "/v1/wallets", "").await.status, 200);
    let path = format!("/v1/api-keys/{id}");
    assert_eq!(app.delete(&path).await.status, 204);
    app.delete(&path).await.problem(404, "not_found");
    let refused = send(&app, &key, "GET", "/v1/wallets", "").await;
    refused.problem(401, "unauthenticated");
    let app = app.restart().await;
    let refused = send(&app, &key, "GET", "/v1/wallets", "").await;
    refused.problem(401, "unauthenticated");
    assert_eq!(
        send(&app, &other, "GET", "/v1/wallets", "").await.status,
        200
    );
    let refused = send(&app, &other, "POST", "/v1/prices", "{}").await;
    refused.problem(403, "forbidden");
    let listed = app.get("/v1/api-keys").await.json();
    let keys = listed["data"].as_array().expect("a list");
    assert_eq!(keys.len(), 3);
    assert!(keys[1]["revoked_at"].is_string() && keys[0]["revoked_at"].is_null());
    assert!(!listed.to_string().contains(&key), "no key is told again");
    let own = keys[2]["id"].as_str().expect("an id");
    let path = format!("/v1/api-keys/{own}");
    app.delete(&path).await.problem(409, "conflict");
    let done = app.get("/v1/audit-log").await.json();
    let actions: Vec<&Value> = done["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| &entry["action"])
        .collect();
    assert_eq!(
        actions,
        ["api_key.revoked", "api_key.created", "api_key.created"]
    );
    assert!(!done.to_string().contains(&other));
}
