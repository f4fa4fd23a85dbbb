//! Requests that are wrong around their bodies: sizes, types, keys, methods, routes, queries.

use crate::client::{Request, fresh_key};
use crate::given::{debit, hold, stage, state_of};
use crate::raw::send_raw;
use crate::server::BOOTSTRAP_KEY;
use serde_json::{Value, json};

fn one_debit(wallet: &str) -> Request {
    Request::new("POST", &format!("/v1/wallets/{wallet}/debits")).json(&json!({"amount": "1.00"}))
}

#[test]
fn bodies_are_bounded() {
    let (server, client, wallet) = stage();
    let before = state_of(&client, &wallet);
    let padded = |size: usize| {
        let body = format!(r#"{{"amount":"1.00","dry_run":true{}}}"#, " ".repeat(size));
        Request::new("POST", &format!("/v1/wallets/{wallet}/debits")).json_text(&body)
    };
    client.send(&padded(60 * 1_024)).is(201);
    client
        .send(&padded(66 * 1_024))
        .refused(413, "payload_too_large");
    let path = format!("/v1/wallets/{wallet}/debits");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: tillbox\r\nAuthorization: Bearer {BOOTSTRAP_KEY}\r\nIdempotency-Key: large\r\n\
         Content-Type: application/json\r\nConnection: close\r\n"
    );
    let megabyte = vec![b'1'; 1 << 20];
    let told = format!("{head}Content-Length: {}\r\n\r\n", 10 << 20);
    let (status, answer) = send_raw(
        server.address(),
        told.as_bytes(),
        vec![megabyte.clone(); 10],
    );
    assert_eq!(status, 413, "{answer}");
    assert!(answer.contains("payload_too_large"), "{answer}");

    let mut chunks = vec![[b"100000\r\n".to_vec(), megabyte, b"\r\n".to_vec()].concat(); 10];
    chunks.push(b"0\r\n\r\n".to_vec());
    let untold = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    let (status, answer) = send_raw(server.address(), untold.as_bytes(), chunks);
    assert_eq!(status, 413, "{answer}");

    let large = json!({"operations": [], "padding": "x".repeat(5 << 20)}).to_string();
    let told =
        format!("{head}Content-Length: {}\r\n\r\n", large.len()).replace(&path, "/v1/batches");
    let (status, answer) = send_raw(server.address(), told.as_bytes(), [large.into_bytes()]);
    assert_eq!(status, 413, "{answer}");
    assert_eq!(state_of(&client, &wallet), before);
}

#[test]
fn a_batch_may_be_larger_than_a_single_body() {
    let (server, client, wallet) = stage();
    let operation = |index: usize| {
        json!({
            "op": "debit", "wallet_id": wallet, "idempotency_key": format!("large-{index}"),
            "amount": "0.01", "description": "x".repeat(200),
        })
    };
    let operations: Vec<Value> = (0..1_000).map(operation).collect();
    let body = json!({"operations": operations});
    assert!(body.to_string().len() > 256 * 1_024);
    let results = client.post("/v1/batches", &body).is(200).results();
    assert!(results.iter().all(|result| result.status == 201));
    server.verify();
}

#[test]
fn bodies_are_json_by_their_content_type() {
    let (server, client, wallet) = stage();
    let before = state_of(&client, &wallet);
    let path = format!("/v1/wallets/{wallet}/debits");
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/jsonx",
        "*/*",
    ] {
        let request = Request::new("POST", &path)
            .header("content-type", kind)
            .key(&fresh_key());
        let request = request.bytes(br#"{"amount":"1.00"}"#);
        client.send(&request).refused(415, "unsupported_media_type");
    }
    assert_eq!(state_of(&client, &wallet), before);
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        let request = Request::new("POST", &path)
            .header("content-type", kind)
            .key(&fresh_key());
        client.send(&request.bytes(br#"{"amount":"1.00"}"#)).is(201);
    }
    server.verify();
}

#[test]
fn keys_are_1_to_255_printable_characters_given_once() {
    let (server, client, wallet) = stage();
    let before = state_of(&client, &wallet);
    let debit = || one_debit(&wallet);
    client
        .send(&debit())
        .refused(400, "idempotency_key_required");
    let empty = client.send(&debit().key("")).is(400);
    assert!(["idempotency_key_required", "invalid_request"].contains(&empty.code().as_str()));
    let bad = [
        debit().key(&"k".repeat(256)),
        debit().key(&"k".repeat(4_000)),
        debit().header_bytes("idempotency-key", "clé".as_bytes()),
        debit().header_bytes("idempotency-key", b"k\xff"),
        debit().header_bytes("idempotency-key", b"a\tb"),
        debit().key("a").key("b"),
        debit().key("a").key("a"),
    ];
    for request in &bad {
        client.send(request).refused(400, "invalid_request");
    }
    let hold = hold(&client, &wallet, "1.00");
    let txn = self::debit(&client, &wallet, "1.00");
    let release = format!("holds/{hold}/release");
    for (path, body) in [
        ("credits", json!({"amount": "1", "funding_type": "cash"})),
        ("adjustments", json!({"amount": "1", "reason_text": "x"})),
        ("holds", json!({"amount": "1"})),
        ("usage", json!({"price": "sms", "quantity": 1})),
        (&format!("holds/{hold}/capture"), json!({})),
        (&release, json!({})),
        (&format!("holds/{hold}/extend"), json!({"expires_in": 60})),
        (&format!("transactions/{txn}/refund"), json!({})),
    ] {
        let request = Request::new("POST", &format!("/v1/wallets/{wallet}/{path}")).json(&body);
        client
            .send(&request)
            .refused(400, "idempotency_key_required");
    }
    client
        .post(&format!("/v1/wallets/{wallet}/{release}"), &json!({}))
        .is(200);
    client
        .post(
            &format!("/v1/wallets/{wallet}/transactions/{txn}/refund"),
            &json!({}),
        )
        .is(201);
    assert_eq!(
        state_of(&client, &wallet)["wallet"]["balance"],
        before["wallet"]["balance"]
    );
    server.verify();
}

#[test]
fn queries_are_closed_lists() {
    let (_server, client, wallet) = stage();
    let path = format!("/v1/wallets/{wallet}/transactions");
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=abc", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=abc", "cursor"),
        ("colour=red", "colour"),
        ("type=debit&Type=debit", "Type"),
        ("type=theft", "type"),
        ("reason=theft", "reason"),
        ("status=lost", "status"),
        ("from=yesterday", "from"),
        ("to=2026-13-01T00:00:00Z", "to"),
        ("from=1767225600", "from"),
    ] {
        let problem = client
            .get(&format!("{path}?{query}"))
            .refused(400, "invalid_request");
        assert_eq!(
            problem.json()["errors"][0]["parameter"],
            parameter,
            "{problem}"
        );
    }
    for (path, parameter) in [
        (format!("/v1/wallets/{wallet}?fields=all"), "fields"),
        (format!("/v1/wallets/{wallet}/balance?at=noon"), "at"),
        (format!("/v1/wallets/{wallet}/balance?limit=1"), "limit"),
        ("/v1/wallets?currency=usd".to_owned(), "currency"),
        ("/v1/wallets?owner=me".to_owned(), "owner"),
        ("/v1/customers?limit=0".to_owned(), "limit"),
        ("/v1/transactions?limit=101".to_owned(), "limit"),
        ("/v1/prices?limit=0".to_owned(), "limit"),
        ("/v1/settings?verbose=1".to_owned(), "verbose"),
    ] {
        let problem = client.get(&path).refused(400, "invalid_request");
        assert_eq!(
            problem.json()["errors"][0]["parameter"],
            parameter,
            "{problem}"
        );
    }
    let debit = json!({"amount": "1.00"});
    let with_query = format!("/v1/wallets/{wallet}/debits?force=true");
    client
        .post(&with_query, &debit)
        .refused(400, "invalid_request");
    client.get(&format!("{path}?limit=100")).is(200);
    client.get(&format!("{path}?limit=1")).is(200);
}

#[test]
fn other_methods_and_routes_are_refused_in_form() {
    let (_server, client, wallet) = stage();
    for (method, path) in [
        ("PUT", "/v1/customers".to_owned()),
        ("DELETE", format!("/v1/wallets/{wallet}")),
        ("GET", format!("/v1/wallets/{wallet}/debits")),
        ("DELETE", format!("/v1/wallets/{wallet}/transactions")),
        ("PUT", format!("/v1/wallets/{wallet}/balance")),
        ("POST", "/v1/settings".to_owned()),
        ("GET", "/v1/batches".to_owned()),
        ("DELETE", "/v1/test-clock".to_owned()),
        ("BREW", "/v1/wallets".to_owned()),
    ] {
        client
            .send(&Request::new(method, &path))
            .refused(405, "method_not_allowed");
    }
    for path in [
        "/v1",
        "/v1/",
        "/v2/wallets",
        "/v1/walletz",
        "/v1/wallets/",
        "/v1//wallets",
        "/V1/wallets",
        "/wallets",
        "/v1/customers/x/y/z",
        "/v1/../v1/wallets",
        "/.env",
        "/v1/wallets%2F",
    ] {
        client.get(path).refused(404, "not_found");
    }
    let nested = format!("/v1/wallets/{wallet}/nothing");
    client.post(&nested, &json!({})).refused(404, "not_found");
}
