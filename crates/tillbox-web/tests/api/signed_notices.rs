//! Notices as the sandbox sends them, signed: replayed, tampered with, late, and in the wrong order.

use crate::app::{Answer, TestApp, request};
use axum::body::Body;
use serde_json::{Value, json};
use std::time::Duration;
use tillbox_service::payments::sandbox::Faults;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the provider has sent.
#[derive(Clone)]
struct Told {
    signature: String,
    body: Vec<u8>,
}

impl Told {
    fn says(&self, kind: &str) -> bool {
        let body: Value = serde_json::from_slice(&self.body).expect("JSON");
        body["notice"].get(kind).is_some()
    }

    fn id(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).expect("JSON");
        body["id"].as_str().expect("an id").to_owned()
    }
}

/// Stands where the provider sends its notices, keeps them, and takes them all.
struct Mailbox {
    listener: TcpListener,
}

impl Mailbox {
    async fn new() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        (Self { listener }, format!("http://{address}"))
    }

    /// The next so many notices, as they come.
    async fn take(&self, count: usize) -> Vec<Told> {
        let mut all = Vec::new();
        while all.len() < count {
            let next = tokio::time::timeout(Duration::from_secs(10), self.listener.accept());
            let (mut stream, _) = next.await.expect("a notice").expect("a connection");
            all.push(told(&mut stream).await);
        }
        all
    }
}

/// One request, answered so that the connection ends.
async fn told(stream: &mut TcpStream) -> Told {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.expect("bytes");
        assert!(count > 0, "a whole request");
        bytes.extend_from_slice(&part[..count]);
        let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8(bytes[..head].to_vec()).expect("text");
        let header = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(": "));
            let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.expect("a header").1.to_owned()
        };
        let length: usize = header("content-length").parse().expect("a length");
        if bytes.len() >= head + 4 + length {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.expect("answered");
            return Told {
                signature: header("sandbox-signature"),
                body: bytes[head + 4..].to_vec(),
            };
        }
    }
}

async fn deliver(app: &TestApp, signature: Option<&str>, body: &[u8]) -> Answer {
    let sent =
        request("POST", "/v1/payments/sandbox/webhook").header("content-type", "application/json");
    let sent = match signature {
        Some(signature) => sent.header("sandbox-signature", signature),
        None => sent,
    };
    let sent = sent.body(Body::from(body.to_vec()));
    app.send(sent.expect("a request")).await
}

async fn set_faults(app: &TestApp, faults: Faults) {
    let principal = app.service.authenticate(crate::app::KEY).expect("the key");
    let set = app
        .service
        .sandbox()
        .set_faults(principal.merchant_id, faults);
    set.await.expect("set");
}

/// A wallet whose payment of 25.00 has happened, though its reply was lost.
async fn charged(app: &TestApp) -> String {
    let wallet = app.wallet_with("1.00").await;
    let path = format!("/v1/wallets/{wallet}");
    let customer = app.get(&path).await.json()["customer_id"].clone();
    let customer = customer.as_str().expect("an id");
    let card = r#"{"token":"pm_card_visa"}"#;
    let cards = format!("/v1/customers/{customer}/payment-methods");
    assert_eq!(app.post(&cards, "", card).await.status, 201);
    set_faults(
        app,
        Faults {
            lose_replies: 1,
            ..Faults::default()
        },
    )
    .await;
    let body = json!({"amount": "25.00"}).to_string();
    let asked = app.post(&format!("{path}/top-ups"), "top-up", &body).await;
    assert_eq!(
        asked.json()["status"],
        "processing",
        "its outcome is not known"
    );
    wallet
}

async fn balance(app: &TestApp, wallet: &str) -> Value {
    let path = format!("/v1/wallets/{wallet}/balance");
    app.get(&path).await.json()["balance"].clone()
}

#[tokio::test]
async fn a_notice_that_was_tampered_with_is_refused_and_a_replayed_one_credits_nothing_more() {
    let (mailbox, address) = Mailbox::new().await;
    let app = TestApp::start_at(&address);
    let wallet = charged(&app).await;
    tokio::spawn(app.service.sandbox().clone().run_notices());
    let notice = mailbox.take(1).await.remove(0);
    assert!(
        notice.says("payment"),
        "{:?}",
        String::from_utf8_lossy(&notice.body)
    );
    assert_eq!(balance(&app, &wallet).await, "1.00");

    let good = notice.signature.as_str();
    let (time, mac) = good.split_once(",v1=").expect("a signature");
    let seconds: i64 = time.trim_start_matches("t=").parse().expect("seconds");
    let mut other_body = notice.body.clone();
    let last = other_body.len() - 1;
    other_body.insert(last, b' ');
    let flipped = if mac.starts_with('0') { '1' } else { '0' };
    for (signature, body) in [
        (good.to_owned(), other_body.as_slice()),
        (good.to_owned(), b"{}".as_slice()),
        (good.to_owned(), b"".as_slice()),
        (format!("t={},v1={mac}", seconds + 1), &notice.body),
        (
            format!("t={seconds},v1={flipped}{}", &mac[1..]),
            &notice.body,
        ),
        (format!("t={seconds},v1={}", &mac[2..]), &notice.body),
        (format!("t={seconds},v1="), &notice.body),
        (format!("v1={mac},t={seconds}"), &notice.body),
        (format!("{good},v1={mac}"), &notice.body),
    ] {
        let answer = deliver(&app, Some(&signature), body).await;
        answer.problem(401, "unauthenticated");
    }
    deliver(&app, None, &notice.body)
        .await
        .problem(401, "unauthenticated");
    assert_eq!(balance(&app, &wallet).await, "1.00", "nobody was believed");

    for _ in 0..3 {
        let taken = deliver(&app, Some(good), &notice.body).await;
        assert_eq!(taken.status, 204);
        assert_eq!(balance(&app, &wallet).await, "26.00");
    }
    // By then it is too old to be anything but a replay.
    app.wait(301);
    let answer = deliver(&app, Some(good), &notice.body).await;
    answer.problem(401, "unauthenticated");
    assert_eq!(balance(&app, &wallet).await, "26.00");
    app.verify();
}

#[tokio::test]
async fn r28_notices_of_a_dispute_that_come_in_the_wrong_order_come_to_the_right_numbers() {
    let (mailbox, address) = Mailbox::new().await;
    let app = TestApp::start_at(&address);
    let wallet = charged(&app).await;
    let list = app
        .get(&format!("/v1/wallets/{wallet}/top-ups"))
        .await
        .json();
    let body = json!({"top_up_id": list["data"][0]["id"]}).to_string();
    let opened = app.post("/v1/sandbox/disputes", "", &body).await.json();
    let id = opened["provider_dispute_id"].as_str().expect("an id");
    let path = format!("/v1/sandbox/disputes/{id}/decide");
    let decided = app.post(&path, "", r#"{"status":"lost"}"#).await;
    assert_eq!(decided.status, 200, "{}", decided.json());
    set_faults(
        &app,
        Faults {
            reorder_notices: true,
            ..Faults::default()
        },
    )
    .await;
    tokio::spawn(app.service.sandbox().clone().run_notices());
    let told = mailbox.take(3).await;
    let ids: Vec<String> = told.iter().map(Told::id).collect();
    assert!(
        ids.is_sorted_by(|one, next| one > next),
        "the latest first: {ids:?}"
    );
    assert!(told[0].says("dispute") && told[1].says("dispute") && told[2].says("payment"));
    for _ in 0..2 {
        for notice in &told {
            let taken = deliver(&app, Some(&notice.signature), &notice.body).await;
            assert_eq!(
                taken.status,
                204,
                "{}",
                String::from_utf8_lossy(&taken.body)
            );
        }
        // Credited, and taken back.
        assert_eq!(balance(&app, &wallet).await, "1.00");
        let disputes = app.get("/v1/disputes").await.json();
        assert_eq!(disputes["data"][0]["status"], "lost", "{disputes}");
    }
    let rows = app
        .get(&format!("/v1/wallets/{wallet}/transactions"))
        .await
        .json();
    let reasons: Vec<&Value> = rows["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| &row["reason"])
        .collect();
    assert_eq!(reasons, ["chargeback", "top_up", "top_up"]);
    app.verify();
}
