//! Ids that are malformed, unknown or of others: not found, wherever they stand.

use crate::client::{Request, fresh_key};
use crate::given::{customer, debit, hold, stage, state_of, wallet_with};
use serde_json::json;

#[test]
fn ids_that_are_malformed_unknown_or_of_others_are_not_found() {
    let (elsewhere, their_client, their_wallet) = stage();
    let (server, client, wallet) = stage();
    let their_customer = customer(&their_client);
    let their_hold = hold(&their_client, &their_wallet, "1.00");
    let their_debit = debit(&their_client, &their_wallet, "1.00");
    let neighbour = wallet_with(&client, "5.00");
    let neighbours_hold = hold(&client, &neighbour, "1.00");
    let neighbours_debit = debit(&client, &neighbour, "1.00");
    let before = (state_of(&client, &wallet), state_of(&client, &neighbour));
    let their_before = state_of(&their_client, &their_wallet);

    let of_other_kind = wallet.replacen("wal_", "cus_", 1);
    let shortened = &wallet[..wallet.len() - 1];
    let (longer, louder) = (format!("{wallet}0"), wallet.to_uppercase());
    let very_long = format!("wal_{}", "0".repeat(3_000));
    for id in [
        &their_wallet,
        &of_other_kind,
        shortened,
        &longer,
        &louder,
        &very_long,
        "wal_",
        "1",
        "null",
        "-1",
        "wal_%00",
        "wal_%2e%2e",
        "..%2f..",
        "%F0%9F%98%80",
        "wal_'--",
        &wallet[4..],
    ] {
        let path = format!("/v1/wallets/{id}");
        for read in [
            "",
            "/balance",
            "/lots",
            "/transactions",
            "/holds",
            "/transactions.csv",
        ] {
            client
                .get(&format!("{path}{read}"))
                .refused(404, "not_found");
        }
        let amount = json!({"amount": "1.00"});
        client
            .post(&format!("{path}/debits"), &amount)
            .refused(404, "not_found");
        client
            .post(&format!("{path}/unfreeze"), &json!({}))
            .refused(404, "not_found");
        client
            .patch(&path, &json!({"name": "x"}))
            .refused(404, "not_found");
        let operation =
            json!({"op": "debit", "wallet_id": id, "idempotency_key": fresh_key(), "amount": "1"});
        let batch = json!({"operations": [operation]});
        let results = client.post("/v1/batches", &batch).is(200).results();
        assert_eq!(
            (results[0].status, &results[0].json()["code"]),
            (404, &json!("not_found"))
        );
    }
    for hold in [&their_hold, &neighbours_hold, "hld_1", "x", &wallet] {
        let path = format!("/v1/wallets/{wallet}/holds/{hold}");
        client.get(&path).refused(404, "not_found");
        client
            .post(&format!("{path}/capture"), &json!({}))
            .refused(404, "not_found");
        client
            .post(&format!("{path}/release"), &json!({}))
            .refused(404, "not_found");
        let extend = json!({"expires_in": 60});
        client
            .post(&format!("{path}/extend"), &extend)
            .refused(404, "not_found");
        let usage = json!({"price": "sms", "quantity": 1, "hold_id": hold});
        client
            .post(&format!("/v1/wallets/{wallet}/usage"), &usage)
            .refused(404, "not_found");
    }
    for txn in [&their_debit, &neighbours_debit, "txn_1", "x", &wallet] {
        let path = format!("/v1/wallets/{wallet}/transactions/{txn}");
        client.get(&path).refused(404, "not_found");
        client
            .post(&format!("{path}/refund"), &json!({}))
            .refused(404, "not_found");
    }
    for customer in [&their_customer, "cus_1", "x", &wallet] {
        client
            .get(&format!("/v1/customers/{customer}"))
            .refused(404, "not_found");
        let body = json!({"customer_id": customer, "currency": "USD"});
        client.post("/v1/wallets", &body).refused(404, "not_found");
        let delete = Request::new("DELETE", &format!("/v1/customers/{customer}"));
        client.send(&delete).refused(404, "not_found");
    }
    let no_price = json!({"price": "nothing.like.it", "quantity": 1});
    let no_price = client.post(&format!("/v1/wallets/{wallet}/usage"), &no_price);
    no_price.refused(404, "not_found");
    assert_eq!(
        (state_of(&client, &wallet), state_of(&client, &neighbour)),
        before
    );
    assert_eq!(state_of(&their_client, &their_wallet), their_before);
    server.verify();
    elsewhere.verify();
}
