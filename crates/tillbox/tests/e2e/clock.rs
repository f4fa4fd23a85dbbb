//! The test clock (R46): it moves a merchant's time forward, never back, and answers once what fell due has run.

use crate::client::Client;
use crate::given::{amount_of, credit, debit, hold, wallet, wallet_with};
use crate::server::Server;
use crate::wait;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const DAY: i64 = 86_400;

fn now(client: &Client) -> Timestamp {
    instant(&client.get("/v1/test-clock").is(200).json()["now"])
}

#[track_caller]
fn instant(value: &Value) -> Timestamp {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no instant"));
    assert!(text.ends_with('Z'), "{text} is not in UTC");
    text.parse().expect("an instant")
}

fn advance(client: &Client, seconds: i64) -> Timestamp {
    let body = json!({"by_seconds": seconds});
    instant(&client.post("/v1/test-clock/advance", &body).is(200).json()["now"])
}

/// The instant so many seconds later, as a text.
fn later(instant: Timestamp, seconds: i64) -> String {
    let moved = Timestamp::from_second(instant.as_second() + seconds);
    moved.expect("an instant").to_string()
}

#[test]
fn time_moves_by_seconds_or_to_an_instant_and_keeps_running() {
    let server = Server::start();
    let client = server.client();
    let start = now(&client);
    let moved = advance(&client, 3_600);
    assert!(
        (3_600..3_660).contains(&(moved.as_second() - start.as_second())),
        "{start} {moved}"
    );
    assert!(now(&client) >= moved);

    let target = later(start, 10 * DAY);
    let answer = client
        .post("/v1/test-clock/advance", &json!({"to": target}))
        .is(200);
    let reached = instant(&answer.json()["now"]);
    assert!(
        (0..60).contains(&(reached.as_second() - (start.as_second() + 10 * DAY))),
        "{reached}"
    );

    let wallet = wallet_with(&client, "1.00");
    let rows = client.list(&format!("/v1/wallets/{wallet}/transactions"));
    let created = instant(&rows[0]["created_at"]);
    assert!(created >= reached, "{created} in the merchant's time");
}

#[test]
fn time_never_moves_back_and_wrong_moves_are_refused() {
    let server = Server::start();
    let client = server.client();
    let moved = advance(&client, DAY);
    for body in [
        json!({}),
        json!({"by_seconds": -1}),
        json!({"by_seconds": "60"}),
        json!({"by_seconds": 1.5}),
        json!({"to": "tomorrow"}),
        json!({"to": 1_900_000_000}),
        json!({"to": later(moved, 60), "by_seconds": 60}),
        json!({"by_days": 1}),
    ] {
        client
            .post("/v1/test-clock/advance", &body)
            .refused(400, "invalid_request");
    }
    let back = client.post(
        "/v1/test-clock/advance",
        &json!({"to": later(moved, -3_600)}),
    );
    assert!([400, 409].contains(&back.status), "{back}");
    let after = now(&client);
    assert!(
        after >= moved && after.as_second() - moved.as_second() < 60,
        "{after}"
    );
}

#[test]
fn the_moved_time_survives_a_crash() {
    let mut server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "10.00");
    let moved = advance(&client, 40 * DAY);
    hold(&client, &wallet, "4.00");
    server.kill9();
    server.restart();
    let client = server.client();
    let after = now(&client);
    assert!(after >= moved);
    wait::until(Duration::from_secs(10), "time to run on", || {
        (now(&client) > after).then_some(())
    });
    assert_eq!(amount_of(&client, &wallet, "held"), "4.00");
    debit(&client, &wallet, "1.00");
    advance(&client, DAY + 1);
    assert_eq!(amount_of(&client, &wallet, "held"), "0.00");
    server.verify();
}

#[test]
fn what_falls_due_runs_in_due_order_each_at_its_own_instant() {
    let server = Server::start();
    let client = server.client();
    let start = now(&client);
    let wallet = wallet(&client, "USD");
    credit(&client, &wallet, "10.00", "cash");
    let expiring = |amount: &str, days: i64| {
        let body = json!({
            "amount": amount, "funding_type": "promotional", "expires_at": later(start, days * DAY),
        });
        client
            .post(&format!("/v1/wallets/{wallet}/credits"), &body)
            .is(201);
    };
    expiring("3.00", 3);
    expiring("1.00", 1);
    expiring("2.00", 2);
    // Reserves the lot of day 1, all of day 2 and a part of day 3, and ends between the last two.
    let body = json!({"amount": "4.00", "expires_at": later(start, 5 * DAY / 2)});
    client
        .post(&format!("/v1/wallets/{wallet}/holds"), &body)
        .is(201);
    advance(&client, 10 * DAY);

    let rows = client.list(&format!("/v1/wallets/{wallet}/transactions?reason=expiry"));
    let mut booked: Vec<(String, Timestamp)> = rows
        .iter()
        .map(|row| {
            (
                row["amount"].as_str().expect("an amount").to_owned(),
                instant(&row["effective_at"]),
            )
        })
        .collect();
    booked.reverse();
    let half_of_third = start.as_second() + 5 * DAY / 2;
    let (released, third): (Vec<_>, Vec<_>) = booked
        .iter()
        .partition(|(_, at)| at.as_second() <= half_of_third);
    // At the end of the hold what it gave back of the first two days is past its date.
    let sum = |rows: &[&(String, Timestamp)]| -> Vec<String> {
        rows.iter().map(|row| row.0.clone()).collect()
    };
    assert_eq!(sum(&released), ["-1.00", "-2.00"], "{rows:?}");
    assert_eq!(sum(&third), ["-3.00"], "{rows:?}");
    assert_eq!(third[0].1.as_second(), start.as_second() + 3 * DAY);
    let mut seconds: Vec<i64> = rows
        .iter()
        .map(|row| instant(&row["created_at"]).as_second())
        .collect();
    seconds.reverse();
    assert!(seconds.is_sorted(), "time never goes back: {rows:?}");
    assert_eq!(
        seconds[2],
        start.as_second() + 3 * DAY,
        "dated by its due instant: {rows:?}"
    );
    assert_eq!(amount_of(&client, &wallet, "balance"), "10.00");
    server.verify();
}

#[test]
fn holds_expire_on_many_wallets_at_once() {
    let server = Server::start();
    let client = server.client();
    let wallets: Vec<String> = (0..30).map(|_| wallet_with(&client, "5.00")).collect();
    let mut holds = Vec::new();
    for wallet in &wallets {
        holds.push(hold(&client, wallet, "2.00"));
        client
            .post(
                &format!("/v1/wallets/{wallet}/holds"),
                &json!({"amount": "1.00", "expires_in": 2 * DAY}),
            )
            .is(201);
    }
    advance(&client, DAY + 60);
    for (wallet, hold) in wallets.iter().zip(&holds) {
        let hold = client
            .get(&format!("/v1/wallets/{wallet}/holds/{hold}"))
            .is(200);
        assert_eq!(
            (hold.string("status"), hold.string("released")),
            ("expired".into(), "2.00".into())
        );
        assert_eq!(amount_of(&client, wallet, "held"), "1.00");
        assert_eq!(amount_of(&client, wallet, "available_balance"), "4.00");
    }
    server.verify();
}

#[test]
fn the_balance_of_a_past_instant_is_what_it_was() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "10.00");
    let mut past = vec![(now(&client), "10.00")];
    for (amount, balance) in [("1.00", "9.00"), ("2.50", "6.50"), ("0.0075", "6.4925")] {
        advance(&client, DAY);
        debit(&client, &wallet, amount);
        past.push((now(&client), balance));
    }
    advance(&client, DAY);
    for (at, balance) in past {
        let shown = client
            .get(&format!("/v1/wallets/{wallet}/balance?at={at}"))
            .is(200);
        assert_eq!(shown.string("balance"), balance, "at {at}");
    }
    let shown = client.get(&format!("/v1/wallets/{wallet}/balance")).is(200);
    assert!(instant(&shown.json()["as_of"]) <= now(&client));
}
