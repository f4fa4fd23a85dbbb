//! A key is answered for ever with the same status and the same bytes, whatever happened since.

use crate::answer::Answer;
use crate::client::{Client, Request, fresh_key};
use crate::given::{customer, price_per_message, state_of, wallet_with};
use crate::server::Server;
use serde_json::{Value, json};

/// A request that was answered once.
struct Asked {
    path: String,
    key: String,
    body: Value,
    answer: Answer,
}

fn ask(client: &Client, status: u16, path: String, body: Value) -> Asked {
    let key = fresh_key();
    let answer = client.post_with_key(&path, &key, &body).is(status);
    assert!(!answer.replayed(), "the first time: {answer}");
    Asked {
        path,
        key,
        body,
        answer,
    }
}

/// Asks everything again: the same bytes, marked as replayed; another request with the key is refused.
#[track_caller]
fn expect_replays(client: &Client, asked: &[Asked]) {
    for first in asked {
        let again = client.post_with_key(&first.path, &first.key, &first.body);
        let again = again.is(first.answer.status);
        assert!(again.replayed(), "not marked: {again}");
        assert!(
            again.body == first.answer.body,
            "{again}\nfirst {}",
            first.answer
        );
        assert_eq!(
            again.header("content-type"),
            first.answer.header("content-type")
        );
        let mut other = first.body.clone();
        other["metadata"] = json!({"another": "request"});
        let other = client.post_with_key(&first.path, &first.key, &other);
        // Where metadata is no field of the request, its shape is refused before the key is looked at.
        let expected = if other.status == 400 {
            "invalid_request"
        } else {
            "idempotency_key_reused"
        };
        assert_eq!(other.code(), expected, "{other}");
    }
}

fn make_prices(client: &Client) {
    price_per_message(client, "sms", "0.0075");
    let tokens = json!({
        "key": "tokens", "unit": "token", "unit_amount": "0.15", "currency": "USD", "per": 1_000_000,
    });
    client.post("/v1/prices", &tokens).is(201);
}

/// One write of each kind, with all that an answer may carry.
fn ask_for_everything(client: &Client, wallet: &str) -> Vec<Asked> {
    let in_wallet = |path: &str| format!("/v1/wallets/{wallet}{path}");
    let mut asked = Vec::new();
    let mut note =
        json!({"amount": "8", "description": "Ñandú \"quoted\" \\ / 😀", "reference": "r-1"});
    note["metadata"] = json!({"b": "2", "a": "1", "ñ": "\u{1F600}"});
    let mut credit = note.clone();
    credit["funding_type"] = json!("promotional");
    credit["priority"] = json!(7);
    asked.push(ask(client, 201, in_wallet("/credits"), credit));
    asked.push(ask(client, 201, in_wallet("/debits"), note.clone()));
    let debit = asked[1].answer.id();
    let part = json!({"amount": "2.5", "description": "Back"});
    asked.push(ask(
        client,
        201,
        in_wallet(&format!("/transactions/{debit}/refund")),
        part,
    ));
    asked.push(ask(
        client,
        201,
        in_wallet(&format!("/transactions/{debit}/refund")),
        json!({}),
    ));
    let correction = json!({"amount": "-0.000001", "reason_text": "Typo"});
    asked.push(ask(client, 201, in_wallet("/adjustments"), correction));
    let usage = json!({"price": "sms", "quantity": 3, "reference": "campaign"});
    asked.push(ask(client, 201, in_wallet("/usage"), usage));
    let rated_to_zero = json!({"price": "tokens", "quantity": 3});
    asked.push(ask(client, 201, in_wallet("/usage"), rated_to_zero));

    note["expires_in"] = json!(86_400);
    asked.push(ask(client, 201, in_wallet("/holds"), note));
    let hold = asked.last().expect("the hold").answer.id();
    let of_hold = |path: &str| in_wallet(&format!("/holds/{hold}/{path}"));
    let part = json!({"amount": "1", "final": false, "description": "First parcel"});
    asked.push(ask(client, 201, of_hold("capture"), part));
    let from_hold = json!({"price": "sms", "quantity": 1, "hold_id": hold});
    asked.push(ask(client, 201, in_wallet("/usage"), from_hold));
    asked.push(ask(
        client,
        200,
        of_hold("extend"),
        json!({"expires_in": 172_800}),
    ));
    asked.push(ask(client, 200, of_hold("release"), json!({})));
    let second = ask(client, 201, in_wallet("/holds"), json!({"amount": "3"}));
    let captured = in_wallet(&format!("/holds/{}/capture", second.answer.id()));
    asked.push(second);
    asked.push(ask(client, 201, captured, json!({})));
    asked
}

#[test]
fn r44_every_kind_of_answer_is_replayed_to_the_byte_after_all_that_came_since() {
    let mut server = Server::start();
    let client = server.client();
    make_prices(&client);
    let wallet = wallet_with(&client, "20.00");
    let mut asked = ask_for_everything(&client, &wallet);
    let funded = json!({
        "customer_id": customer(&client), "currency": "JPY",
        "initial_credit": {"amount": "500", "funding_type": "cash"},
    });
    asked.push(ask(&client, 201, "/v1/wallets".to_owned(), funded));
    asked.push(ask(
        &client,
        201,
        "/v1/customers".to_owned(),
        json!({"name": "Acme"}),
    ));

    expect_replays(&client, &asked);
    let reason = json!({"reason": "Suspected fraud"});
    client
        .post(&format!("/v1/wallets/{wallet}/freeze"), &reason)
        .is(200);
    let before = state_of(&client, &wallet);
    expect_replays(&client, &asked);
    assert_eq!(state_of(&client, &wallet), before);

    server.kill9();
    server.restart();
    let client = server.client();
    expect_replays(&client, &asked);
    assert_eq!(state_of(&client, &wallet), before);
    server.terminate();
    server.restart();
    expect_replays(&server.client(), &asked);
    server.verify();
}

#[test]
fn r43_single_and_batch_share_keys_and_answers() {
    let mut server = Server::start();
    let client = server.client();
    make_prices(&client);
    let wallet = wallet_with(&client, "20.00");
    let asked = ask_for_everything(&client, &wallet);
    let mut operations = Vec::new();
    let mut singles = Vec::new();
    for first in &asked {
        let parts: Vec<&str> = first.path.split('/').skip(4).collect();
        let (op, hold) = match parts[..] {
            ["credits"] => ("credit", None),
            ["debits"] => ("debit", None),
            ["usage"] => ("usage", None),
            ["holds"] => ("hold", None),
            ["holds", hold, "capture"] => ("capture", Some(hold)),
            ["holds", hold, "release"] => ("release", Some(hold)),
            _ => continue,
        };
        let mut operation = first.body.clone();
        operation["op"] = json!(op);
        operation["wallet_id"] = json!(wallet);
        operation["idempotency_key"] = json!(first.key);
        if let Some(hold) = hold {
            operation["hold_id"] = json!(hold);
        }
        operations.push(operation);
        singles.push(first);
    }
    let fresh =
        json!({"op": "debit", "wallet_id": wallet, "idempotency_key": "new", "amount": "1"});
    operations.push(fresh);
    let batch = Request::new("POST", "/v1/batches").json(&json!({"operations": operations}));

    let results = client.send(&batch).is(200).results();
    let (fresh, replays) = results.split_last().expect("results");
    assert_eq!((fresh.status, fresh.replayed), (201, false));
    assert_eq!(replays.len(), singles.len());
    for (result, single) in replays.iter().zip(&singles) {
        assert!(result.replayed, "{}", single.answer);
        assert_eq!(result.status, single.answer.status);
        assert_eq!(result.body, single.answer.text());
    }
    server.kill9();
    server.restart();
    let again = server.client().send(&batch).is(200).results();
    assert_eq!(again.len(), results.len());
    for (again, first) in again.iter().zip(&results) {
        assert!(again.replayed, "{}", again.body);
        assert_eq!((again.status, &again.body), (first.status, &first.body));
    }
    server.verify();
}

#[test]
fn a_key_of_255_characters_is_one_of_its_own() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "20.00");
    let path = format!("/v1/wallets/{wallet}/debits");
    let body = json!({"amount": "1.00"});
    let long = "k".repeat(255);
    let other = format!("{}!", "k".repeat(254));
    client.post_with_key(&path, &long, &body).is(201);
    assert!(client.post_with_key(&path, &long, &body).is(201).replayed());
    assert!(
        !client
            .post_with_key(&path, &other, &body)
            .is(201)
            .replayed()
    );
    assert!(
        !client
            .post_with_key(&path, &"k".repeat(254), &body)
            .is(201)
            .replayed()
    );
    assert!(
        !client
            .post_with_key(&path, &"K".repeat(255), &body)
            .is(201)
            .replayed()
    );
    server.verify();
}
