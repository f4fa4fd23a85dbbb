//! What a test starts from: customers, wallets with value, prices.

use crate::client::Client;
use crate::server::Server;
use serde_json::{Value, json};

#[track_caller]
pub(crate) fn customer(client: &Client) -> String {
    let body = json!({"name": "Acme Dental"});
    client.post("/v1/customers", &body).is(201).id()
}

/// An empty wallet of a customer of its own.
#[track_caller]
pub(crate) fn wallet(client: &Client, currency: &str) -> String {
    let body = json!({"customer_id": customer(client), "currency": currency});
    client.post("/v1/wallets", &body).is(201).id()
}

/// A wallet in dollars with this much cash.
#[track_caller]
pub(crate) fn wallet_with(client: &Client, amount: &str) -> String {
    let wallet = wallet(client, "USD");
    credit(client, &wallet, amount, "cash");
    wallet
}

/// Credits the wallet; the transaction's id.
#[track_caller]
pub(crate) fn credit(client: &Client, wallet: &str, amount: &str, funding_type: &str) -> String {
    let body = json!({"amount": amount, "funding_type": funding_type});
    client
        .post(&format!("/v1/wallets/{wallet}/credits"), &body)
        .is(201)
        .id()
}

/// Debits the wallet; the transaction's id.
#[track_caller]
pub(crate) fn debit(client: &Client, wallet: &str, amount: &str) -> String {
    let body = json!({"amount": amount});
    client
        .post(&format!("/v1/wallets/{wallet}/debits"), &body)
        .is(201)
        .id()
}

/// Places a hold that outlives the test; its id.
#[track_caller]
pub(crate) fn hold(client: &Client, wallet: &str, amount: &str) -> String {
    let body = json!({"amount": amount, "expires_in": 86_400});
    client
        .post(&format!("/v1/wallets/{wallet}/holds"), &body)
        .is(201)
        .id()
}

/// A price per message in dollars.
#[track_caller]
pub(crate) fn price_per_message(client: &Client, key: &str, unit_amount: &str) {
    let body =
        json!({"key": key, "unit": "message", "unit_amount": unit_amount, "currency": "USD"});
    client.post("/v1/prices", &body).is(201);
}

/// A server with a price and a wallet of 20.00.
#[track_caller]
pub(crate) fn stage() -> (Server, Client, String) {
    let server = Server::start();
    let client = server.client();
    price_per_message(&client, "sms", "0.05");
    let wallet = wallet_with(&client, "20.00");
    (server, client, wallet)
}

/// Everything that a refused request must leave as it was.
#[track_caller]
pub(crate) fn state_of(client: &Client, wallet: &str) -> Value {
    let read = |path: &str| {
        client
            .get(&format!("/v1/wallets/{wallet}{path}"))
            .is(200)
            .json()
    };
    let mut balance = read("/balance");
    let object = balance.as_object_mut().expect("a balance is an object");
    object.remove("as_of");
    json!({
        "wallet": read(""),
        "balance": balance,
        "lots": read("/lots"),
        "holds": read("/holds"),
        "transactions": client.list(&format!("/v1/wallets/{wallet}/transactions")),
    })
}

/// One amount of the wallet: balance, held, debt and so on.
#[track_caller]
pub(crate) fn amount_of(client: &Client, wallet: &str, name: &str) -> String {
    client
        .get(&format!("/v1/wallets/{wallet}"))
        .is(200)
        .string(name)
}
