//! Answers are given again byte for byte, for ever (R44): those that the code of shape 1 gave, with the database in
//! which it gave them, stand in `golden/`. They never change. An answer that shall look different gets the next shape,
//! for new rows alone (`tillbox_core::entry::SHAPE`), and files of its own here.

use crate::app::TestApp;
use serde::Deserialize;
use tillbox_store::sqlite::Connection;

/// A call, and what it was answered.
#[derive(Deserialize)]
struct Given {
    path: String,
    key: String,
    body: String,
    status: u16,
    answer: String,
}

const DATABASE: &str = include_str!("golden/shape_1.sql");
const ANSWERS: &str = include_str!("golden/shape_1.jsonl");

fn given() -> Vec<Given> {
    let lines = ANSWERS.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("an answer")).collect()
}

async fn replay_all(app: &TestApp) {
    for given in given() {
        let Given {
            path, key, body, ..
        } = &given;
        let again = app.post(path, key, body).await;
        let text = String::from_utf8(again.body.clone()).expect("text");
        assert_eq!(text, given.answer, "{path} under {key}");
        assert_eq!(again.status, given.status, "{path} under {key}");
        assert_eq!(again.header("idempotent-replayed"), "true", "{path}");
    }
}

#[tokio::test]
async fn r44_answers_of_shape_1_are_the_same_bytes_for_ever() {
    let app = TestApp::start_on(|file| {
        let database = Connection::open(file).expect("opens");
        database.execute_batch(DATABASE).expect("a database");
    });
    replay_all(&app).await;
    let app = app.restart().await;
    replay_all(&app).await;
    app.verify();
    let kinds = given()
        .iter()
        .map(|given| given.key.clone())
        .collect::<Vec<_>>();
    for kind in [
        "credit",
        "debit",
        "forced",
        "adjustment",
        "hold",
        "capture",
        "release",
        "extend",
        "refund",
        "usage",
        "usage-zero",
        "usage-hold",
        "freeze",
        "unfreeze",
        "customer",
        "wallet",
        "price",
        "method",
        "link",
    ] {
        assert!(kinds.iter().any(|key| key == kind), "no answer of {kind}");
    }
}

#[tokio::test]
async fn r44_a_key_is_known_however_many_came_behind_it() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1000.00").await;
    let path = format!("/v1/wallets/{wallet}/debits");
    let first = app.post(&path, "first", r#"{"amount":"1.00"}"#).await;
    // More keys than wait in memory to be folded.
    for round in 0..12 {
        let operations: Vec<_> = (0..1_000)
            .map(|number| {
                serde_json::json!({"op": "debit", "wallet_id": wallet, "idempotency_key": format!("{round}-{number}"), "amount": "0.01"})
            })
            .collect();
        let body = serde_json::json!({"operations": operations}).to_string();
        assert_eq!(app.post("/v1/batches", "", &body).await.status, 200);
    }
    let app = app.restart().await;
    let again = app.post(&path, "first", r#"{"amount":"1.00"}"#).await;
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
}
