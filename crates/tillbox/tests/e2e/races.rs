//! Many requests at once on one wallet: as if one by one, never beyond what is there.

use crate::answer::Answer;
use crate::client::{Client, Request, fresh_key};
use crate::given::{amount_of, customer, debit, hold, price_per_message, wallet, wallet_with};
use crate::server::Server;
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread::ScopedJoinHandle;

pub(crate) const PARALLEL: usize = 64;

/// Sends one request from each of 64 threads at the same moment.
pub(crate) fn at_once(client: &Client, request: impl Fn(usize) -> Request + Sync) -> Vec<Answer> {
    let barrier = Barrier::new(PARALLEL);
    let send = |index: usize| {
        let request = request(index);
        barrier.wait();
        client.send(&request)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..PARALLEL)
            .map(|index| scope.spawn(move || send(index)))
            .collect();
        let answers = threads.into_iter().map(ScopedJoinHandle::join);
        answers.map(|answer| answer.expect("an answer")).collect()
    })
}

pub(crate) fn post(path: String, body: Value) -> impl Fn(usize) -> Request + Sync {
    move |_| Request::new("POST", &path).json(&body).key(&fresh_key())
}

/// How many answers have this status and, where it is a problem, this code.
pub(crate) fn count(answers: &[Answer], status: u16, code: &str) -> usize {
    let wanted = |answer: &&Answer| answer.status == status && answer.code() == code;
    answers.iter().filter(wanted).count()
}

#[track_caller]
pub(crate) fn expect_counts(answers: &[Answer], expected: &[(u16, &str, usize)]) {
    for (status, code, times) in expected {
        let found = count(answers, *status, code);
        let first = answers.iter().find(|answer| answer.status >= 400);
        assert!(
            found == *times,
            "{found} times {status} {code}, expected {times}; the first refusal: {}",
            first.map_or_else(|| "none".to_owned(), ToString::to_string)
        );
    }
}

/// The balances after each success are all there is, each seen once: no two decided on the same state.
#[track_caller]
fn expect_balances_in_steps(answers: &[Answer], cents_left: usize, cents_step: usize) {
    let mut seen: Vec<String> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| answer.string("balance_after"))
        .collect();
    let mut expected: Vec<String> = (0..seen.len())
        .map(|step| cents_left + step * cents_step)
        .map(|cents| format!("{}.{:02}", cents / 100, cents % 100))
        .collect();
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn parallel_debits_spend_what_is_there_and_no_more() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "20.00");
    let body = json!({"amount": "1.00"});
    let answers = at_once(&client, post(format!("/v1/wallets/{wallet}/debits"), body));
    expect_counts(&answers, &[(201, "", 20), (402, "insufficient_funds", 44)]);
    expect_balances_in_steps(&answers, 0, 100);
    assert_eq!(amount_of(&client, &wallet, "balance"), "0.00");
    let rows = client.list(&format!("/v1/wallets/{wallet}/transactions"));
    assert_eq!(rows.len(), 21);
    server.verify();
}

#[test]
fn parallel_usage_spends_what_is_there_and_no_more() {
    let server = Server::start();
    let client = server.client();
    price_per_message(&client, "sms", "0.0075");
    let wallet = wallet_with(&client, "0.20");
    let body = json!({"price": "sms", "quantity": 1});
    let answers = at_once(&client, post(format!("/v1/wallets/{wallet}/usage"), body));
    // 26 × 0.0075 = 0.195, and the 27th would need 0.0025 more.
    expect_counts(&answers, &[(201, "", 26), (402, "insufficient_funds", 38)]);
    assert_eq!(amount_of(&client, &wallet, "balance"), "0.005");
    server.verify();
}

#[test]
fn parallel_holds_reserve_what_is_there_and_no_more() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "20.00");
    let body = json!({"amount": "1.00", "expires_in": 3600});
    let answers = at_once(&client, post(format!("/v1/wallets/{wallet}/holds"), body));
    expect_counts(&answers, &[(201, "", 20), (402, "insufficient_funds", 44)]);
    for (name, amount) in [
        ("balance", "20.00"),
        ("held", "20.00"),
        ("available_balance", "0.00"),
    ] {
        assert_eq!(amount_of(&client, &wallet, name), amount, "{name}");
    }
    server.verify();
}

#[test]
fn debits_and_holds_together_spend_what_is_there_and_no_more() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "20.00");
    let answers = at_once(&client, |index| {
        let kind = if index % 2 == 0 { "debits" } else { "holds" };
        let path = format!("/v1/wallets/{wallet}/{kind}");
        let body = json!({"amount": "1.00"});
        Request::new("POST", &path).json(&body).key(&fresh_key())
    });
    expect_counts(&answers, &[(201, "", 20), (402, "insufficient_funds", 44)]);
    assert_eq!(amount_of(&client, &wallet, "available_balance"), "0.00");
    server.verify();
}

#[test]
fn of_parallel_final_captures_one_ends_the_hold() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "30.00");
    let hold = hold(&client, &wallet, "20.00");
    let body = json!({"amount": "1.00"});
    let path = format!("/v1/wallets/{wallet}/holds/{hold}/capture");
    let answers = at_once(&client, post(path, body));
    expect_counts(&answers, &[(201, "", 1), (409, "hold_not_open", 63)]);
    assert_eq!(amount_of(&client, &wallet, "balance"), "29.00");
    assert_eq!(amount_of(&client, &wallet, "held"), "0.00");
    server.verify();
}

#[test]
fn parallel_captures_in_parts_take_what_was_held_and_no_more() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "30.00");
    let even = hold(&client, &wallet, "20.00");
    let body = json!({"amount": "1.00", "final": false});
    let path = format!("/v1/wallets/{wallet}/holds/{even}/capture");
    let answers = at_once(&client, post(path, body));
    // The twentieth leaves nothing, which ends the hold.
    expect_counts(&answers, &[(201, "", 20), (409, "hold_not_open", 44)]);
    expect_balances_in_steps(&answers, 1_000, 100);

    let odd = hold(&client, &wallet, "10.00");
    let body = json!({"amount": "3.00", "final": false});
    let path = format!("/v1/wallets/{wallet}/holds/{odd}/capture");
    let answers = at_once(&client, post(path, body));
    expect_counts(&answers, &[(201, "", 3), (422, "capture_exceeds_hold", 61)]);
    let rest = client.get(&format!("/v1/wallets/{wallet}/holds/{odd}"));
    assert_eq!(rest.is(200).string("remaining"), "1.00");
    assert_eq!(amount_of(&client, &wallet, "balance"), "1.00");
    server.verify();
}

#[test]
fn captures_and_a_release_race_to_one_end() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "20.00");
    let hold = hold(&client, &wallet, "20.00");
    let answers = at_once(&client, |index| {
        let (kind, body) = if index % 2 == 0 {
            ("capture", json!({}))
        } else {
            ("release", json!({}))
        };
        let path = format!("/v1/wallets/{wallet}/holds/{hold}/{kind}");
        Request::new("POST", &path).json(&body).key(&fresh_key())
    });
    let captured = count(&answers, 201, "");
    let released = count(&answers, 200, "");
    assert_eq!(
        captured + released,
        1,
        "{captured} captures, {released} releases"
    );
    expect_counts(&answers, &[(409, "hold_not_open", 63)]);
    let balance = if captured == 1 { "0.00" } else { "20.00" };
    assert_eq!(amount_of(&client, &wallet, "balance"), balance);
    assert_eq!(amount_of(&client, &wallet, "held"), "0.00");
    server.verify();
}

#[test]
fn one_key_is_one_effect_and_one_answer() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "20.00");
    for (kind, body) in [
        ("debits", json!({"amount": "1.00"})),
        ("credits", json!({"amount": "1.00", "funding_type": "cash"})),
        ("holds", json!({"amount": "1.00", "expires_in": 3600})),
    ] {
        let path = format!("/v1/wallets/{wallet}/{kind}");
        let key = fresh_key();
        let answers = at_once(&client, |_| {
            Request::new("POST", &path).json(&body).key(&key)
        });
        expect_counts(&answers, &[(201, "", PARALLEL)]);
        let first = &answers[0];
        assert!(
            answers.iter().all(|answer| answer.body == first.body),
            "{kind}"
        );
        let replayed = answers.iter().filter(|answer| answer.replayed()).count();
        assert_eq!(replayed, PARALLEL - 1, "{kind}");
    }
    for (name, amount) in [
        ("balance", "20.00"),
        ("held", "1.00"),
        ("available_balance", "19.00"),
    ] {
        assert_eq!(amount_of(&client, &wallet, name), amount, "{name}");
    }
    server.verify();
}

#[test]
fn one_key_for_different_requests_is_one_effect() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "200.00");
    let path = format!("/v1/wallets/{wallet}/debits");
    let key = fresh_key();
    let answers = at_once(&client, |index| {
        let body = json!({"amount": format!("1.{index:02}")});
        Request::new("POST", &path).json(&body).key(&key)
    });
    expect_counts(
        &answers,
        &[(201, "", 1), (422, "idempotency_key_reused", 63)],
    );
    assert_eq!(
        client
            .list(&format!("/v1/wallets/{wallet}/transactions"))
            .len(),
        2
    );
    server.verify();
}

#[test]
fn b25_parallel_refunds_give_back_the_debit_and_no_more() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "30.00");
    let debit = debit(&client, &wallet, "20.00");
    let body = json!({"amount": "1.00"});
    let path = format!("/v1/wallets/{wallet}/transactions/{debit}/refund");
    let answers = at_once(&client, post(path, body));
    expect_counts(
        &answers,
        &[(201, "", 20), (422, "refund_exceeds_remaining", 44)],
    );
    expect_balances_in_steps(&answers, 1_100, 100);
    assert_eq!(amount_of(&client, &wallet, "balance"), "30.00");
    server.verify();
}

#[test]
fn a_customer_gets_one_wallet_per_currency_however_many_ask() {
    let server = Server::start();
    let client = server.client();
    let body = json!({"customer_id": customer(&client), "currency": "USD"});
    let answers = at_once(&client, post("/v1/wallets".to_owned(), body));
    expect_counts(&answers, &[(201, "", 1), (409, "conflict", 63)]);
    assert_eq!(client.list("/v1/wallets").len(), 1);

    let named = json!({"name": "Globex", "external_id": "cust-77"});
    let answers = at_once(&client, post("/v1/customers".to_owned(), named));
    expect_counts(&answers, &[(201, "", 1), (409, "conflict", 63)]);
    assert_eq!(client.list("/v1/customers?external_id=cust-77").len(), 1);
    server.verify();
}

#[test]
fn batches_in_parallel_spend_what_is_there_and_no_more() {
    let server = Server::start();
    let client = server.client();
    let from = wallet_with(&client, "20.00");
    let other = wallet(&client, "USD");
    let answers = at_once(&client, |_| {
        let one = |wallet: &str, op: &str| json!({"op": op, "wallet_id": wallet, "idempotency_key": fresh_key(), "amount": "0.50"});
        let mut credit = one(&other, "credit");
        credit["funding_type"] = json!("promotional");
        let operations = [one(&from, "debit"), credit, one(&from, "debit")];
        Request::new("POST", "/v1/batches").json(&json!({"operations": operations}))
    });
    let results: Vec<Value> = answers
        .iter()
        .flat_map(|answer| {
            answer.json()["results"]
                .as_array()
                .cloned()
                .expect("results")
        })
        .collect();
    let with_status = |status: u16| {
        results
            .iter()
            .filter(|result| result["status"] == status)
            .count()
    };
    assert_eq!((with_status(201), with_status(402)), (40 + 64, 88));
    assert_eq!(amount_of(&client, &from, "balance"), "0.00");
    assert_eq!(amount_of(&client, &other, "balance"), "32.00");
    server.verify();
}
