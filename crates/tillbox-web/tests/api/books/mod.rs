//! The merchant's books: the journal, the reports, and wallets as of a past instant.

mod journal;
mod past;
mod paybacks;
mod reports;

use crate::app::{Answer, TestApp, request};
use axum::body::Body;
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn advance(app: &TestApp, seconds: i64) {
    let body = json!({"by_seconds": seconds}).to_string();
    let moved = app.post("/v1/test-clock/advance", "", &body).await;
    assert_eq!(moved.status, 200, "{}", moved.json());
}

/// Books on a wallet; gives the id of what was made.
async fn book(app: &TestApp, wallet: &str, kind: &str, body: Value) -> String {
    let key = format!("{kind} {body}");
    let path = format!("/v1/wallets/{wallet}/{kind}");
    let booked = app.post(&path, &key, &body.to_string()).await;
    assert!([200, 201].contains(&booked.status), "{}", booked.json());
    booked.json()["id"].as_str().unwrap_or_default().to_owned()
}

async fn wallet_in(app: &TestApp, currency: &str) -> String {
    let customer = app.post("/v1/customers", "", r#"{"name":"Acme"}"#).await;
    let body = json!({"customer_id": customer.json()["id"], "currency": currency});
    let wallet = app.post("/v1/wallets", "", &body.to_string()).await;
    assert_eq!(wallet.status, 201, "{}", wallet.json());
    wallet.json()["id"].as_str().expect("an id").to_owned()
}

async fn read(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    answer.json()
}

async fn as_csv(app: &TestApp, path: &str) -> Answer {
    let request = request("GET", path).header("accept", "text/csv");
    let answer = app
        .send(request.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    answer
}

fn lines(answer: &Answer) -> Vec<String> {
    let text = std::str::from_utf8(&answer.body).expect("text");
    text.lines().map(str::to_owned).collect()
}

/// The data of a report, each line as its values of these fields.
fn shown(report: &Value, fields: &[&str]) -> Vec<String> {
    let data = report["data"].as_array().expect("data");
    let show = |line: &Value| {
        let value = |field: &&str| match &line[*field] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        fields.iter().map(value).collect::<Vec<_>>().join(" ")
    };
    data.iter().map(show).collect()
}

/// What each account comes to: debit less credit, in millionths.
fn balances(journal: &[Value]) -> BTreeMap<(String, String), i64> {
    let micros = |value: &Value| {
        let text = value.as_str().expect("an amount");
        tillbox_core::amount::Amount::parse(text)
            .expect("an amount")
            .micros()
    };
    let mut balances = BTreeMap::new();
    for line in journal {
        let key = |field: &str| line[field].as_str().expect("a text").to_owned();
        let account = (key("currency"), key("account"));
        *balances.entry(account).or_insert(0) += micros(&line["debit"]) - micros(&line["credit"]);
    }
    balances.retain(|_, balance| *balance != 0);
    balances
}

/// All pages of the journal.
async fn journal(app: &TestApp, query: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = read(app, &format!("/v1/journal?{query}limit={limit}{cursor}")).await;
        let data = page["data"].as_array().expect("data");
        assert!(data.len() <= limit);
        all.extend(data.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
        assert_eq!(page["has_more"], true);
        assert_eq!(data.len(), limit);
    }
}
