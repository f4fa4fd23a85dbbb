//! How a wallet did lately, as the customers' pages show it.

use crate::app::TestApp;
use serde_json::json;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::id::{CustomerId, WalletId};

fn money(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

async fn advance(app: &TestApp, days: i64) {
    let body = json!({"by_seconds": days * 86_400}).to_string();
    let moved = app.post("/v1/test-clock/advance", "", &body).await;
    assert_eq!(moved.status, 200, "{}", moved.json());
}

async fn book(app: &TestApp, wallet: &str, kind: &str, body: serde_json::Value) -> String {
    let key = format!("{kind} {body}");
    let path = format!("/v1/wallets/{wallet}/{kind}");
    let booked = app.post(&path, &key, &body.to_string()).await;
    assert_eq!(booked.status, 201, "{}", booked.json());
    booked.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn balances_are_told_by_day_and_spending_without_what_is_none() {
    let app = TestApp::start();
    let wallet = app.wallet_with("100.00").await;
    let id = WalletId::parse(&wallet).expect("an id");
    let who = app.service.authenticate(crate::app::KEY).expect("a caller");
    let opened = app.service.history(&who, id, 30).await.expect("a history");
    assert_eq!(opened.balances.len(), 1);
    assert_eq!(opened.balances[0].balance, money("100"));
    assert_eq!(opened.spending.spent, Amount::ZERO);

    let gift = json!({"amount": "5.00", "funding_type": "promotional", "expires_at": "2026-06-03T00:00:00Z"});
    book(&app, &wallet, "credits", gift).await;
    advance(&app, 1).await;
    let usage = book(&app, &wallet, "debits", json!({"amount": "20.00"})).await;
    advance(&app, 3).await;
    let fee = json!({"amount": "10.00", "reason": "subscription"});
    book(&app, &wallet, "debits", fee).await;
    let error = json!({"amount": "-1.00", "reason_text": "counted twice"});
    book(&app, &wallet, "adjustments", error).await;
    advance(&app, 4).await;
    let refund = format!("transactions/{usage}/refund");
    book(&app, &wallet, &refund, json!({"amount": "4.00"})).await;

    let lately = app.service.history(&who, id, 30).await.expect("a history");
    let days: Vec<(String, Amount)> = lately
        .balances
        .iter()
        .map(|day| (day.on.to_string(), day.balance))
        .collect();
    // Of the 20.00 the gift paid 5.00, so nothing of it expired; what was given back lives on for its grace (R11).
    let expected = [
        ("2026-05-31", "105"),
        ("2026-06-01", "85"),
        ("2026-06-02", "85"),
        ("2026-06-03", "85"),
        ("2026-06-04", "74"),
        ("2026-06-05", "74"),
        ("2026-06-06", "74"),
        ("2026-06-07", "74"),
        ("2026-06-08", "78"),
    ];
    let expected = expected.map(|(day, balance)| (day.to_owned(), money(balance)));
    assert_eq!(days, expected);
    assert_eq!(lately.spending.spent, money("26"));
    assert_eq!(lately.spending.per_days(8), Some(money("26")));

    let last = app.service.history(&who, id, 5).await.expect("a history");
    assert_eq!(last.balances.len(), 5);
    assert_eq!(
        last.spending.spent,
        money("6"),
        "what was given back counts when it was"
    );
}

#[tokio::test]
async fn value_that_expired_was_not_spent() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let id = WalletId::parse(&wallet).expect("an id");
    let who = app.service.authenticate(crate::app::KEY).expect("a caller");
    let gift = json!({"amount": "5.00", "funding_type": "promotional", "expires_at": "2026-06-03T00:00:00Z"});
    book(&app, &wallet, "credits", gift).await;
    advance(&app, 10).await;
    let lately = app.service.history(&who, id, 30).await.expect("a history");
    assert_eq!(lately.spending.spent, Amount::ZERO);
    assert_eq!(lately.balances.last().expect("today").balance, money("10"));
    assert_eq!(lately.spending.days_left(money("10")), None);
}

#[tokio::test]
async fn a_price_table_is_of_one_currency_in_the_order_of_keys() {
    let app = TestApp::start();
    for (key, currency, amount) in [
        ("whatsapp.utility", "USD", "0.02"),
        ("sms.us", "USD", "0.0075"),
        ("sms.us", "EUR", "0.007"),
        ("sms.us", "USD", "0.008"),
    ] {
        let body =
            json!({"key": key, "unit": "message", "unit_amount": amount, "currency": currency});
        let made = app.post("/v1/prices", "", &body.to_string()).await;
        assert_eq!(made.status, 201, "{}", made.json());
    }
    let who = app.service.authenticate(crate::app::KEY).expect("a caller");
    let usd = Currency::parse("USD").expect("a currency");
    let table = async |limit| {
        app.service
            .price_table(&who, usd, limit)
            .await
            .expect("prices")
    };
    let rows: Vec<(String, Amount)> = table(10)
        .await
        .into_iter()
        .map(|price| (price.key, price.unit_amount))
        .collect();
    let expected = [("sms.us", "0.008"), ("whatsapp.utility", "0.02")];
    assert_eq!(
        rows,
        expected.map(|(key, amount)| (key.to_owned(), money(amount)))
    );
    assert_eq!(table(1).await.len(), 1);
}

#[tokio::test]
async fn a_customers_wallets_are_listed_oldest_first() {
    let app = TestApp::start();
    let first = app.wallet_with("1.00").await;
    app.wallet_with("2.00").await;
    let view = app.get(&format!("/v1/wallets/{first}")).await.json();
    let customer = view["customer_id"].as_str().expect("an id");
    let body = json!({"customer_id": customer, "currency": "EUR"}).to_string();
    let second = app.post("/v1/wallets", "", &body).await.json();
    let who = app.service.authenticate(crate::app::KEY).expect("a caller");
    let customer = CustomerId::parse(customer).expect("an id");
    let wallets = app.service.customer_wallets(&who, customer).await;
    let ids: Vec<String> = wallets
        .expect("wallets")
        .iter()
        .map(|view| view.row.id.to_string())
        .collect();
    assert_eq!(ids, [first.as_str(), second["id"].as_str().expect("an id")]);
}
