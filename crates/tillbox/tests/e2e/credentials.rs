//! Who may: every route wants the bearer of a key.

use crate::answer::Answer;
use crate::client::{Request, fresh_key};
use crate::given::{state_of, wallet_with};
use crate::raw::send_raw;
use crate::server::{BOOTSTRAP_KEY, Server};
use serde_json::json;

#[test]
fn every_route_wants_the_right_bearer() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "20.00");
    let before = state_of(&client, &wallet);
    let path = format!("/v1/wallets/{wallet}/debits");
    let right = BOOTSTRAP_KEY;
    let refused =
        |request: &Request| -> Answer { client.send(request).refused(401, "unauthenticated") };
    let bare = || {
        Request::new("POST", &path)
            .without_bearer()
            .key(&fresh_key())
    };
    // A wrong credential is told before a wrong body, size or wallet.
    refused(&bare().json(&json!({"amount": "1.00"})));
    refused(&bare().json(&json!({"amount": 1})));
    refused(&bare().json_text(&"x".repeat(70_000)));
    let (changed, longer, shorter) = (
        right.replace('e', "f"),
        format!("{right}0"),
        &right[..right.len() - 1],
    );
    for value in [
        "",
        "Bearer",
        "Bearer ",
        right,
        "Bearer x",
        &format!("Basic {right}"),
        &format!("Bearer {changed}"),
        &format!("Bearer {longer}"),
        &format!("Bearer {shorter}"),
        &format!("Bearer {right} {right}"),
        &format!("Bearer {}", right.replace("test", "live")),
        &format!("Bearer {}", right.to_uppercase()),
    ] {
        let request = bare()
            .header("authorization", value)
            .json(&json!({"amount": "1.00"}));
        refused(&request);
    }
    let head = b"GET /v1/wallets HTTP/1.1\r\nHost: tillbox\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n";
    let (status, answer) = send_raw(server.address(), head, []);
    assert_eq!(status, 401, "{answer}");
    for path in [
        "/v1/customers",
        "/v1/wallets",
        "/v1/transactions",
        "/v1/prices",
        "/v1/settings",
        "/v1/test-clock",
    ] {
        refused(&Request::new("GET", path).without_bearer());
        refused(&Request::new("GET", &format!("{path}?colour=red")).without_bearer());
    }
    for path in [
        "",
        "/balance",
        "/lots",
        "/transactions",
        "/transactions.csv",
        "/holds",
    ] {
        refused(&Request::new("GET", &format!("/v1/wallets/{wallet}{path}")).without_bearer());
    }
    let scheme = format!("bearer {right}");
    let request = bare()
        .header("authorization", &scheme)
        .json(&json!({"amount": "1.00", "dry_run": true}));
    client.send(&request).is(201);
    assert_eq!(state_of(&client, &wallet), before);
}
