//! What went wrong with money at others, once: each test is named by the number of the bug that it keeps out.

use crate::client::{Client, Request, fresh_key};
use crate::given::{amount_of, hold, state_of, wallet_with};
use crate::races::{PARALLEL, at_once, count, expect_counts, post};
use crate::server::Server;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// The balances behind each row are the sums of the rows so far, whatever raced.
#[track_caller]
fn expect_rows_that_add_up(client: &Client, wallet: &str) {
    let rows = client.list(&format!("/v1/wallets/{wallet}/transactions"));
    let cents = |row: &Value, name: &str| {
        let text = row[name].as_str().expect("an amount").replace('.', "");
        text.parse::<i64>().expect("cents")
    };
    let mut oldest_first: Vec<&Value> = rows.iter().collect();
    oldest_first.sort_by_key(|row| row["seq"].as_i64());
    let mut sum = 0;
    for row in oldest_first {
        sum += cents(row, "amount");
        assert_eq!(cents(row, "balance_after"), sum, "{row}");
    }
}

/// A wallet that can be topped up from a card.
fn wallet_with_card(client: &Client) -> String {
    let wallet = wallet_with(client, "1.00");
    let owner = client.get(&format!("/v1/wallets/{wallet}")).is(200);
    let owner = owner.string("customer_id");
    let path = format!("/v1/customers/{owner}/payment-methods");
    client
        .post(&path, &json!({"token": "pm_card_visa"}))
        .is(201);
    wallet
}

#[test]
fn b01_holds_count_against_the_balance() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "5000.00");
    let path = format!("/v1/wallets/{wallet}/holds");
    let body = json!({"amount": "1000.00"});
    for _ in 0..5 {
        client.post(&path, &body).is(201);
    }
    client.post(&path, &body).refused(402, "insufficient_funds");
    assert_eq!(amount_of(&client, &wallet, "available_balance"), "0.00");
}

#[test]
fn b02_credits_beside_debits_are_all_there() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "100.00");
    let answers = at_once(&client, |index| {
        let (kind, body) = if index % 2 == 0 {
            ("credits", json!({"amount": "1.00", "funding_type": "cash"}))
        } else {
            ("debits", json!({"amount": "2.00"}))
        };
        let path = format!("/v1/wallets/{wallet}/{kind}");
        Request::new("POST", &path).json(&body).key(&fresh_key())
    });
    expect_counts(&answers, &[(201, "", PARALLEL)]);
    assert_eq!(amount_of(&client, &wallet, "balance"), "68.00");
    expect_rows_that_add_up(&client, &wallet);
    server.verify();
}

#[test]
fn b03_no_debit_rests_on_a_balance_that_was() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "10.00");
    let answers = at_once(&client, |index| {
        let body = json!({"amount": format!("0.{:02}", 50 + index % 10)});
        let path = format!("/v1/wallets/{wallet}/debits");
        Request::new("POST", &path).json(&body).key(&fresh_key())
    });
    let done = count(&answers, 201, "");
    assert_eq!(done + count(&answers, 402, "insufficient_funds"), PARALLEL);
    expect_rows_that_add_up(&client, &wallet);
    let left = amount_of(&client, &wallet, "balance");
    assert!(
        left.starts_with("0."),
        "{left} is left: more could be spent"
    );
    server.verify();
}

#[test]
fn b04_a_hold_that_was_refused_or_ended_can_not_be_captured() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "20.00");
    let body = json!({"amount": "1.00"});
    let answers = at_once(&client, post(format!("/v1/wallets/{wallet}/holds"), body));
    for refused in answers.iter().filter(|answer| answer.status == 402) {
        assert!(!refused.text().contains("hld_"), "{refused}");
    }
    let open = client.list(&format!("/v1/wallets/{wallet}/holds"));
    assert_eq!(open.len(), 20);
    let path = format!(
        "/v1/wallets/{wallet}/holds/{}",
        open[0]["id"].as_str().expect("an id")
    );
    client.post(&format!("{path}/release"), &json!({})).is(200);
    let late = client.post(&format!("{path}/capture"), &json!({}));
    late.refused(409, "hold_not_open");
    assert_eq!(amount_of(&client, &wallet, "balance"), "20.00");
    server.verify();
}

#[test]
fn b05_of_parallel_captures_of_all_that_remains_one_succeeds() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "30.00");
    let hold = hold(&client, &wallet, "20.00");
    let path = format!("/v1/wallets/{wallet}/holds/{hold}/capture");
    let answers = at_once(&client, post(path, json!({})));
    expect_counts(&answers, &[(201, "", 1), (409, "hold_not_open", 63)]);
    assert_eq!(amount_of(&client, &wallet, "balance"), "10.00");
    server.verify();
}

#[test]
fn b06_the_same_top_up_asked_for_twice_is_charged_and_credited_once() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with_card(&client);
    let path = format!("/v1/wallets/{wallet}/top-ups");
    let (key, body) = (fresh_key(), json!({"amount": "25.00"}));
    let answers = at_once(&client, |_| {
        Request::new("POST", &path).json(&body).key(&key)
    });
    expect_counts(&answers, &[(201, "", PARALLEL)]);
    assert!(answers.iter().all(|answer| answer.id() == answers[0].id()));
    assert_eq!(client.list(&path).len(), 1);
    assert_eq!(amount_of(&client, &wallet, "balance"), "26.00");
    client
        .post_with_key(&path, &key, &json!({"amount": "26.00"}))
        .is(422);
    server.verify();
}

#[test]
fn b12_expiry_takes_what_is_unheld_of_its_own_lot_and_no_paid_value() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "10.00");
    let now = client.get("/v1/test-clock").is(200).string("now");
    let now: jiff::Timestamp = now.parse().expect("an instant");
    let end = jiff::Timestamp::from_second(now.as_second() + DAY).expect("an instant");
    let gift =
        json!({"amount": "5.00", "funding_type": "promotional", "expires_at": end.to_string()});
    client
        .post(&format!("/v1/wallets/{wallet}/credits"), &gift)
        .is(201);
    let body = json!({"amount": "3.00", "expires_in": 3 * DAY});
    let hold = client
        .post(&format!("/v1/wallets/{wallet}/holds"), &body)
        .is(201)
        .id();
    client
        .post("/v1/test-clock/advance", &json!({"by_seconds": 2 * DAY}))
        .is(200);
    // Two of the gift are gone, and three wait for the hold.
    assert_eq!(amount_of(&client, &wallet, "balance"), "13.00");
    assert_eq!(amount_of(&client, &wallet, "available_balance"), "10.00");
    let path = format!("/v1/wallets/{wallet}/holds/{hold}/release");
    client.post(&path, &json!({})).is(200);
    assert_eq!(amount_of(&client, &wallet, "balance"), "10.00");
    server.verify();
}

#[test]
fn b15_nothing_can_be_captured_debited_or_used_for_less_than_nothing() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "20.00");
    let hold = hold(&client, &wallet, "5.00");
    let before = state_of(&client, &wallet);
    let path = format!("/v1/wallets/{wallet}");
    for (path, body) in [
        (
            format!("{path}/holds/{hold}/capture"),
            json!({"amount": "-1.00"}),
        ),
        (
            format!("{path}/holds/{hold}/capture"),
            json!({"amount": "0.00"}),
        ),
        (format!("{path}/debits"), json!({"amount": "-1.00"})),
        (format!("{path}/holds"), json!({"amount": "-1.00"})),
    ] {
        client.post(&path, &body).refused(400, "invalid_request");
    }
    let price = json!({"key": "call", "unit": "minute", "unit_amount": "-1", "currency": "USD"});
    client
        .post("/v1/prices", &price)
        .refused(400, "invalid_request");
    assert_eq!(state_of(&client, &wallet), before);
    server.verify();
}
