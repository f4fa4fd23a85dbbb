//! Wallets as of a past instant.

use super::{advance, book, read, shown};
use crate::app::TestApp;
use serde_json::json;

#[tokio::test]
async fn lots_are_told_as_they_stood() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let gift = json!({"amount": "5.00", "funding_type": "promotional", "expires_at": "2026-06-03T00:00:00Z"});
    book(&app, &wallet, "credits", gift).await;
    advance(&app, 86_400).await;
    book(&app, &wallet, "debits", json!({"amount": "4.00"})).await;
    book(&app, &wallet, "holds", json!({"amount": "2.00"})).await;
    advance(&app, 86_400).await;
    book(&app, &wallet, "debits", json!({"amount": "3.00"})).await;
    let lots = async |at: &str| {
        let path = format!("/v1/wallets/{wallet}/lots?at={at}");
        shown(
            &read(&app, &path).await,
            &["funding_type", "amount", "remaining", "held"],
        )
    };
    assert_eq!(lots("2026-05-31T11:59:59Z").await, Vec::<String>::new());
    assert_eq!(
        lots("2026-06-01T11:00:00Z").await,
        ["promotional 5.00 5.00 0.00", "cash 10.00 10.00 0.00"]
    );
    // The hold ended after a quarter of an hour, and what it had freed of the gift was spent.
    assert_eq!(
        lots("2026-06-01T12:10:00Z").await,
        ["promotional 5.00 1.00 1.00", "cash 10.00 10.00 1.00"]
    );
    assert_eq!(
        lots("2026-06-02T12:00:00Z").await,
        ["promotional 5.00 0.00 0.00", "cash 10.00 8.00 0.00"]
    );
    let page = read(
        &app,
        &format!("/v1/wallets/{wallet}/lots?at=2026-06-01T11:00:00Z&limit=1"),
    )
    .await;
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let next = format!("/v1/wallets/{wallet}/lots?at=2026-06-01T11:00:00Z&limit=1&cursor={cursor}");
    assert_eq!(shown(&read(&app, &next).await, &["funding_type"]), ["cash"]);
    let other =
        format!("/v1/wallets/{wallet}/lots?at=2026-06-01T12:10:00Z&limit=1&cursor={cursor}");
    app.get(&other).await.problem(400, "invalid_request");
    let ahead = format!("/v1/wallets/{wallet}/lots?at=2027-01-01T00:00:00Z");
    app.get(&ahead).await.problem(400, "invalid_request");
}

#[tokio::test]
async fn a_foreign_wallet_has_no_past() {
    let app = TestApp::start();
    let unknown = "wal_00000000000000000000000000";
    for path in ["lots", "balance"] {
        let path = format!("/v1/wallets/{unknown}/{path}?at=2026-05-31T12:00:00Z");
        app.get(&path).await.problem(404, "not_found");
    }
}
