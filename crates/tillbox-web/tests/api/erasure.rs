//! W6: deleting a customer erases its personal data, and keys answer as they did but for the free text (R44, R50).

use crate::app::{Answer, TestApp};
use serde_json::{Value, json};

const CANARY: &str = "Quetzal-Canary";

/// Whether the text stands in the database or its write-ahead log.
fn is_stored(app: &TestApp, text: &str) -> bool {
    ["", "-wal"].iter().any(|end| {
        let mut path = app.database().into_os_string();
        path.push(end);
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

/// The answer without what an erasure blanks.
fn without_texts(answer: &Answer) -> Value {
    let mut body = answer.json();
    for name in [
        "name",
        "email",
        "external_id",
        "description",
        "reference",
        "metadata",
        "brand",
        "last4",
        "expires",
    ] {
        if let Some(field) = body.get_mut(name) {
            *field = Value::Null;
        }
    }
    body
}

#[tokio::test]
async fn w06_a_deleted_customer_leaves_amounts_and_hashes_and_no_text() {
    let app = TestApp::start();
    let person = json!({"name": CANARY, "email": "quetzal@example.com", "external_id": format!("crm-{CANARY}"), "metadata": {"note": CANARY}}).to_string();
    let made = app.post("/v1/customers", "customer", &person).await;
    let customer = made.json()["id"].as_str().expect("an id").to_owned();
    let open = json!({"customer_id": customer, "currency": "USD", "name": CANARY, "metadata": {"of": CANARY}, "initial_credit": {"amount": "10.00", "funding_type": "promotional"}}).to_string();
    let opened = app.post("/v1/wallets", "wallet", &open).await;
    let wallet = opened.json()["id"].as_str().expect("an id").to_owned();
    let of = |end: &str| format!("/v1/wallets/{wallet}/{end}");
    let methods = format!("/v1/customers/{customer}/payment-methods");
    let card = r#"{"token":"pm_card_visa"}"#;
    let saved = app.post(&methods, "method", card).await;
    let debit = json!({"amount": "4.00", "description": CANARY, "reference": CANARY, "metadata": {"long": CANARY.repeat(20)}}).to_string();
    let debited = app.post(&of("debits"), "debit", &debit).await;
    let alerts = json!({"enabled": true, "thresholds": ["2.00"], "channels": ["email"], "emails": [format!("{CANARY}@example.com")]}).to_string();
    assert_eq!(app.put(&of("alerts"), &alerts).await.status, 200);
    let renamed = json!({"name": format!("another {CANARY}")}).to_string();
    app.patch(&format!("/v1/wallets/{wallet}"), &renamed).await;
    let link = json!({"description": CANARY}).to_string();
    assert_eq!(
        app.post(&of("payment-links"), "link", &link).await.status,
        201
    );
    let page = json!({"amount": "25.00", "description": CANARY, "checkout": {"success_url": format!("https://a.example/{CANARY}"), "cancel_url": "https://a.example/"}}).to_string();
    assert_eq!(app.post(&of("top-ups"), "page", &page).await.status, 201);
    let freeze = json!({"reason": format!("{CANARY} asked")}).to_string();
    let frozen = app.post(&of("freeze"), "freeze", &freeze).await;
    assert_eq!(app.post(&of("unfreeze"), "", "{}").await.status, 200);
    let session =
        json!({"customer_id": customer, "return_url": format!("https://a.example/{CANARY}")})
            .to_string();
    app.post("/v1/portal-sessions", "", &session).await;

    // A customer whose wallet is not closed stays (R40).
    let path = format!("/v1/customers/{customer}");
    app.delete(&path).await.problem(409, "conflict");
    let closed = app
        .post(&of("close"), "close", r#"{"refund":"manual"}"#)
        .await;
    assert_eq!(closed.status, 200, "{}", closed.json());
    assert!(is_stored(&app, CANARY) && is_stored(&app, "quetzal@"));
    let hashes = |list: Value| -> Vec<Value> {
        let rows = list["data"].as_array().expect("rows").iter();
        rows.map(|row| json!([row["hash"], row["amount"], row["balance_after"]]))
            .collect()
    };
    let before = hashes(app.get(&of("transactions")).await.json());
    assert_eq!(app.delete(&path).await.status, 204);

    for text in [CANARY, "quetzal@"] {
        assert!(!is_stored(&app, text), "{text} is left in the file");
    }
    app.get(&path).await.problem(404, "not_found");
    let rows = app.get(&of("transactions")).await.json();
    assert!(!rows.to_string().contains(CANARY));
    assert_eq!(hashes(rows), before);
    for (path, key, body, first) in [
        (
            "/v1/customers".to_owned(),
            "customer",
            person.as_str(),
            &made,
        ),
        ("/v1/wallets".to_owned(), "wallet", &open, &opened),
        (methods.clone(), "method", card, &saved),
        (of("debits"), "debit", &debit, &debited),
        (of("freeze"), "freeze", &freeze, &frozen),
        (of("close"), "close", r#"{"refund":"manual"}"#, &closed),
    ] {
        let again = app.post(&path, key, body).await;
        assert_eq!(again.header("idempotent-replayed"), "true", "{path}");
        assert_eq!(again.status, first.status, "{path}");
        assert!(
            !String::from_utf8_lossy(&again.body).contains(CANARY),
            "{path}"
        );
        assert_eq!(without_texts(&again), without_texts(first), "{path}");
    }
    let events = app.get("/v1/events?limit=100").await;
    assert!(!String::from_utf8_lossy(&events.body).contains(CANARY));
    let done = app.get("/v1/audit-log?limit=100").await;
    assert!(!String::from_utf8_lossy(&done.body).contains(CANARY));
    app.verify();
}
