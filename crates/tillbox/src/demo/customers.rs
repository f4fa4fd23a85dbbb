//! Who the demo is about: a hotel, a caller, a clinic and a shop.

use super::api::{Api, text};
use anyhow::Result;
use serde_json::{Value, json};

/// What a customer does all day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Sends templates of messages, tops up by hand, and runs low.
    Hotel,
    /// Makes calls by the minute, with auto-recharge.
    Caller,
    /// Sends reminders by SMS and rents numbers; activated with $125.00.
    Clinic,
    /// Holds amounts at checkout, in euros; its card has expired.
    Shop,
}

/// A customer of the demo.
pub(crate) struct Person {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) customer: String,
    pub(crate) wallet: String,
    /// Its balance after the last call that told it, in cents.
    pub(crate) cents: i64,
}

const PRICES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "whatsapp.marketing",
        "message",
        "0.05",
        "USD",
        "WhatsApp marketing template",
    ),
    (
        "whatsapp.utility",
        "message",
        "0.02",
        "USD",
        "WhatsApp utility template",
    ),
    (
        "whatsapp.authentication",
        "message",
        "0.03",
        "USD",
        "WhatsApp authentication template",
    ),
    (
        "sms.us",
        "message",
        "0.0079",
        "USD",
        "SMS to the United States",
    ),
    (
        "ai.tokens",
        "token",
        "0.15",
        "EUR",
        "AI tokens, per million",
    ),
    ("sms.eu", "message", "0.0650", "EUR", "SMS within Europe"),
];

/// The merchant's settings and prices, and its customers with their wallets.
pub(crate) async fn make(api: &Api) -> Result<Vec<Person>> {
    let settings = json!({
        "time_zone": "America/New_York",
        "low_balance_thresholds": ["10.00"],
        "support_email": "help@acme.example",
        "branding": {"name": "Acme Messaging", "color": "#0f6b5c"},
    });
    api.patch("/v1/settings", &settings).await?;
    for (key, unit, amount, currency, description) in PRICES {
        let mut price = json!({"key": key, "unit": unit, "unit_amount": amount, "currency": currency, "description": description});
        if *unit == "token" {
            price["per"] = json!(1_000_000);
        }
        api.post("/v1/prices", &price).await?;
    }
    let calls = json!({
        "key": "voice.us", "unit": "minute", "unit_amount": "0.014", "currency": "USD", "billing_increment": 60,
        "minimum_units": 60, "description": "Calls within the United States",
        "billing_note": "Each started minute counts; one minute at least.",
    });
    api.post("/v1/prices", &calls).await?;
    Ok(vec![
        caller(api).await?,
        clinic(api).await?,
        hotel(api).await?,
        shop(api).await?,
    ])
}

async fn customer(api: &Api, body: &Value) -> Result<String> {
    text(&api.post("/v1/customers", body).await?, "id")
}

async fn add_card(api: &Api, customer: &str, token: &str) -> Result<()> {
    let path = format!("/v1/customers/{customer}/payment-methods");
    api.post(&path, &json!({"token": token})).await.map(drop)
}

async fn wallet(api: &Api, customer: &str, currency: &str) -> Result<String> {
    let body = json!({"customer_id": customer, "currency": currency});
    text(&api.post("/v1/wallets", &body).await?, "id")
}

async fn top_up(api: &Api, wallet: &str, amount: &str) -> Result<()> {
    let path = format!("/v1/wallets/{wallet}/top-ups");
    api.post(&path, &json!({"amount": amount})).await.map(drop)
}

async fn recharge(api: &Api, wallet: &str, amount: &str, threshold: &str, cap: &str) -> Result<()> {
    let body =
        json!({"enabled": true, "amount": amount, "threshold": threshold, "monthly_cap": cap});
    api.put(&format!("/v1/wallets/{wallet}/auto-recharge"), &body)
        .await
        .map(drop)
}

async fn caller(api: &Api) -> Result<Person> {
    let body = json!({"name": "Northwind Calls", "email": "billing@northwind.example", "external_id": "northwind"});
    let customer = customer(api, &body).await?;
    add_card(api, &customer, "pm_card_mastercard").await?;
    add_card(api, &customer, "pm_card_visa").await?;
    let wallet = wallet(api, &customer, "USD").await?;
    top_up(api, &wallet, "100.00").await?;
    recharge(api, &wallet, "25.00", "50.00", "200.00").await?;
    Ok(Person {
        kind: Kind::Caller,
        name: "Northwind Calls",
        about: "calls by the minute, $25 whenever the balance is below $50",
        customer,
        wallet,
        cents: 10_000,
    })
}

async fn clinic(api: &Api) -> Result<Person> {
    let body = json!({"name": "Bright Dental Clinic", "email": "office@brightdental.example", "external_id": "bright-dental"});
    let customer = customer(api, &body).await?;
    add_card(api, &customer, "pm_card_visa").await?;
    api.patch("/v1/settings", &json!({"activation_charge": "125.00"}))
        .await?;
    let wallet = wallet(api, &customer, "USD").await?;
    api.post(&format!("/v1/wallets/{wallet}/activate"), &json!({}))
        .await?;
    api.patch("/v1/settings", &json!({"activation_charge": null}))
        .await?;
    recharge(api, &wallet, "50.00", "40.00", "300.00").await?;
    Ok(Person {
        kind: Kind::Clinic,
        name: "Bright Dental Clinic",
        about: "reminders by SMS and rented numbers, activated with $125",
        customer,
        wallet,
        cents: 12_500,
    })
}

async fn hotel(api: &Api) -> Result<Person> {
    let body = json!({"name": "Hotel Sol", "email": "recepcion@hotelsol.example", "locale": "es", "external_id": "hotel-sol"});
    let customer = customer(api, &body).await?;
    add_card(api, &customer, "pm_card_visa").await?;
    let wallet = wallet(api, &customer, "USD").await?;
    top_up(api, &wallet, "50.00").await?;
    Ok(Person {
        kind: Kind::Hotel,
        name: "Hotel Sol",
        about: "WhatsApp templates, in Spanish, topped up by hand and running low",
        customer,
        wallet,
        cents: 5_000,
    })
}

async fn shop(api: &Api) -> Result<Person> {
    let body = json!({"name": "Pixel & Thread", "email": "money@pixelthread.example", "external_id": "pixel-thread"});
    let customer = customer(api, &body).await?;
    add_card(api, &customer, "pm_card_visa").await?;
    let wallet = wallet(api, &customer, "EUR").await?;
    top_up(api, &wallet, "250.00").await?;
    Ok(Person {
        kind: Kind::Shop,
        name: "Pixel & Thread",
        about: "AI tokens and held orders in euros; its card has expired",
        customer,
        wallet,
        cents: 25_000,
    })
}
