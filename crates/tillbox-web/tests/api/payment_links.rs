//! Payment links (R30): with an amount once, without one for 30 days.

use crate::app::{Answer, TestApp, request};
use axum::body::Body;
use serde_json::Value;

const DAY: i64 = 86_400;

async fn link(app: &TestApp, wallet: &str, key: &str, body: &str) -> Value {
    let path = format!("/v1/wallets/{wallet}/payment-links");
    let answer = app.post(&path, key, body).await;
    assert_eq!(answer.status, 201, "{:?}", answer.json());
    answer.json()
}

fn path_of(url: &Value) -> String {
    let url = url.as_str().expect("an address");
    url[url.find("/pay/").expect("a page of ours")..].to_owned()
}

async fn open(app: &TestApp, path: &str) -> (u16, String) {
    let page = request("GET", path).body(Body::empty()).expect("a request");
    let answer = app.send(page).await;
    (answer.status, String::from_utf8(answer.body).expect("text"))
}

async fn pay(app: &TestApp, path: &str, key: &str, amount: &str) -> Answer {
    let form = format!("key={key}&amount={amount}");
    let sent = request("POST", path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(form))
        .expect("a request");
    app.send(sent).await
}

async fn top_ups(app: &TestApp, wallet: &str) -> usize {
    let list = app.get(&format!("/v1/wallets/{wallet}/top-ups")).await;
    list.json()["data"].as_array().expect("a list").len()
}

#[tokio::test]
async fn r30_a_link_without_an_amount_asks_for_one_and_takes_payments_for_30_days() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1.00").await;
    let made = link(&app, &wallet, "open", r#"{"description": "For <Ada>"}"#).await;
    assert_eq!(made["top_up_id"], Value::Null);
    assert_eq!(
        made,
        link(&app, &wallet, "open", r#"{"description": "For <Ada>"}"#).await
    );
    let path = path_of(&made["url"]);

    let (status, page) = open(&app, &path).await;
    assert_eq!(status, 200);
    assert!(
        page.contains("For &#60;Ada&#62;") && page.contains("$25"),
        "{page}"
    );
    assert!(
        !page.contains("1.00<"),
        "the balance is nobody's business: {page}"
    );
    assert_eq!(top_ups(&app, &wallet).await, 0, "looking opens nothing");

    for (amount, says) in [
        ("", "Type an amount."),
        ("1", "From $10.00 to $1,000.00."),
        ("10.0049", "cents"),
    ] {
        let refused = pay(&app, &path, "key-of-a-form-1", amount).await;
        let page = String::from_utf8(refused.body).expect("text");
        assert_eq!(refused.status, 422, "{amount}");
        assert!(page.contains(says), "{amount}: {page}");
    }
    assert_eq!(top_ups(&app, &wallet).await, 0);

    for (key, count) in [
        ("key-of-a-form-2", 1),
        ("key-of-a-form-2", 1),
        ("key-of-a-form-3", 2),
    ] {
        let paying = pay(&app, &path, key, "25").await;
        assert_eq!(paying.status, 303);
        assert!(paying.header("location").contains("/sandbox/checkout/"));
        assert_eq!(top_ups(&app, &wallet).await, count, "{key}");
    }

    app.wait(30 * DAY);
    let (status, page) = open(&app, &path).await;
    assert_eq!(status, 410);
    assert!(page.contains("This payment link has ended"), "{page}");
    assert_eq!(pay(&app, &path, "key-of-a-form-4", "25").await.status, 410);
    assert_eq!(open(&app, "/pay/0123456789abcdef").await.0, 404);
    assert_eq!(top_ups(&app, &wallet).await, 2);
    app.verify();
}

#[tokio::test]
async fn r30_a_link_with_an_amount_is_one_top_up() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1.00").await;
    let made = link(&app, &wallet, "once", r#"{"amount": "25.00"}"#).await;
    assert!(made["top_up_id"].is_string());
    assert_eq!(
        made,
        link(&app, &wallet, "once", r#"{"amount": "25"}"#).await
    );
    assert_eq!(top_ups(&app, &wallet).await, 1);
}

#[tokio::test]
async fn a_link_to_a_wallet_of_nobody_is_refused() {
    let app = TestApp::start();
    let answer = app
        .post("/v1/wallets/wal_0000000000001/payment-links", "none", "{}")
        .await;
    answer.problem(404, "not_found");
}
