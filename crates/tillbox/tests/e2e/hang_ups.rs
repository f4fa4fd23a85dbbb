//! Clients that hang up: what was asked is done once or not at all, and the key tells which.

use crate::given::{amount_of, stage, state_of};
use crate::server::BOOTSTRAP_KEY;
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;

const ASKED: usize = 30;

#[test]
fn b20_a_client_that_does_not_wait_for_its_answer_is_served_once() {
    let (server, client, wallet) = stage();
    let path = format!("/v1/wallets/{wallet}/debits");
    let body = json!({"amount": "0.10"});
    let text = body.to_string();
    let keys: Vec<String> = (0..ASKED)
        .map(|number| format!("hang-up-{number}"))
        .collect();
    for key in &keys {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: tillbox\r\nAuthorization: Bearer {BOOTSTRAP_KEY}\r\n\
             Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        stream
            .write_all(request.as_bytes())
            .expect("the request is sent");
    }
    for key in &keys {
        client.post_with_key(&path, key, &body).is(201);
        assert!(
            client.post_with_key(&path, key, &body).is(201).replayed(),
            "{key}"
        );
    }
    let rows = client.list(&format!("/v1/wallets/{wallet}/transactions?type=debit"));
    assert_eq!(rows.len(), ASKED);
    assert_eq!(amount_of(&client, &wallet, "balance"), "17.00");
    server.verify();
}

#[test]
fn half_a_request_does_nothing() {
    let (server, client, wallet) = stage();
    let before = state_of(&client, &wallet);
    let whole = format!(
        "POST /v1/wallets/{wallet}/debits HTTP/1.1\r\nHost: tillbox\r\nAuthorization: Bearer {BOOTSTRAP_KEY}\r\n\
         Idempotency-Key: half\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{{\"amount\":\"1.00\"}}"
    );
    for length in (1..whole.len()).step_by(7) {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        stream
            .write_all(&whole.as_bytes()[..length])
            .expect("a part is sent");
    }
    assert_eq!(state_of(&client, &wallet), before);
    let body = json!({"amount": "1.00"});
    let path = format!("/v1/wallets/{wallet}/debits");
    assert!(
        !client
            .post_with_key(&path, "half", &body)
            .is(201)
            .replayed()
    );
    server.verify();
}
