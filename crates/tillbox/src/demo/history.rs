//! What the customers did: some hours of each day, a batch of calls for each hour, by the merchant's clock.

use super::api::{Api, text};
use super::customers::{Kind, Person};
use super::random::Random;
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::sync::Arc;
use tillbox_core::id::WalletId;
use tillbox_core::time::Timestamp;
use tillbox_service::Service;

/// Hours of a day in which something happens, in UTC.
const HOURS: [i64; 4] = [13, 16, 19, 22];
/// Templates of the hotel, by how often each is sent.
const TEMPLATES: [(&str, &str); 5] = [
    ("whatsapp.utility", "Confirmación de reserva"),
    ("whatsapp.utility", "Recordatorio de llegada"),
    ("whatsapp.authentication", "Código de acceso"),
    ("whatsapp.marketing", "Oferta de fin de semana"),
    ("whatsapp.utility", "Encuesta de salida"),
];

/// Lives through all days, and ends at the present.
pub(crate) async fn make(
    service: &Arc<Service>,
    api: &Api,
    people: &mut [Person],
    days: u16,
    bar: &ProgressBar,
) -> Result<()> {
    let mut random = Random::new(20_260_531);
    let first_day = service.clock_now(&api.principal);
    for day in 0..i64::from(days) {
        for hour in HOURS {
            let at = first_day.plus_days(day).plus_seconds(hour * 3_600);
            if !advance(service, api, at).await? {
                break;
            }
            let mut operations = Vec::new();
            for person in people.iter() {
                operations.extend(hour_of(person, &mut random, day));
            }
            run(api, people, operations).await?;
            wait_for_charges(service, api, people).await?;
        }
        for person in people.iter_mut() {
            once_a_day(api, person, day, i64::from(days)).await?;
        }
        bar.inc(1);
    }
    service
        .end_in_the_present(&api.principal)
        .await
        .context("the clock can't be set to the present")?;
    Ok(())
}

/// Moves the merchant's clock; false where that would pass the present.
async fn advance(service: &Service, api: &Api, at: Timestamp) -> Result<bool> {
    let now = service.clock_now(&api.principal);
    if !service.is_past(at) {
        return Ok(false);
    }
    if at > now {
        api.post("/v1/test-clock/advance", &json!({"to": at.to_string()}))
            .await?;
    }
    Ok(true)
}

async fn run(api: &Api, people: &mut [Person], operations: Vec<Value>) -> Result<()> {
    for some in operations.chunks(500) {
        let keyed: Vec<Value> = some
            .iter()
            .map(|operation| {
                let mut operation = operation.clone();
                operation["idempotency_key"] = json!(api.next_key());
                operation
            })
            .collect();
        let answer = api
            .post("/v1/batches", &json!({"operations": keyed}))
            .await?;
        for result in answer["results"].as_array().into_iter().flatten() {
            note_balance(people, &result["body"]);
        }
    }
    Ok(())
}

/// Remembers the balance that an answer tells.
fn note_balance(people: &mut [Person], body: &Value) {
    let transaction = if body["transaction"].is_object() {
        &body["transaction"]
    } else {
        body
    };
    let wallet = transaction["wallet_id"].as_str().unwrap_or_default();
    let balance = transaction["balance_after"].as_str().and_then(cents);
    let person = people.iter_mut().find(|person| person.wallet == wallet);
    if let (Some(person), Some(balance)) = (person, balance) {
        person.cents = balance;
    }
}

/// Whole cents of an amount.
fn cents(amount: &str) -> Option<i64> {
    let (units, part) = amount.split_once('.')?;
    let part = part.get(..2)?;
    let units: i64 = units.parse().ok()?;
    Some(units * 100 + part.parse::<i64>().ok()? * if units < 0 { -1 } else { 1 })
}

async fn wait_for_charges(service: &Service, api: &Api, people: &[Person]) -> Result<()> {
    for person in people {
        let wallet = WalletId::parse(&person.wallet).context("an id of a wallet")?;
        service.wait_for_charges(&api.principal, wallet).await?;
    }
    Ok(())
}

/// What a customer does in one hour.
fn hour_of(person: &Person, random: &mut Random, day: i64) -> Vec<Value> {
    let usage = |price: &str, quantity: u64, description: &str| json!({"op": "usage", "wallet_id": person.wallet, "price": price, "quantity": quantity, "description": description});
    let is_weekend = day % 7 >= 5;
    match person.kind {
        Kind::Hotel => (0..random.between(4, 9))
            .map(|_| {
                let (price, description) = random.one_of(&TEMPLATES);
                usage(price, random.between(1, 4), description)
            })
            .collect(),
        Kind::Caller | Kind::Clinic if is_weekend => Vec::new(),
        Kind::Caller => (0..random.between(6, 12))
            .map(|_| {
                let seconds = random.between(20, 900);
                usage(
                    "voice.us",
                    seconds,
                    &format!("Call to +1 555 01{:02}", random.between(0, 99)),
                )
            })
            .collect(),
        Kind::Clinic => vec![usage(
            "sms.us",
            random.between(40, 120),
            "Appointment reminders",
        )],
        Kind::Shop => vec![
            usage(
                "ai.tokens",
                random.between(200_000, 2_500_000),
                "Product descriptions",
            ),
            usage("sms.eu", random.between(2, 12), "Delivery notices"),
        ],
    }
}

/// What happens once a day, or on some days.
async fn once_a_day(api: &Api, person: &mut Person, day: i64, days: i64) -> Result<()> {
    let left = days - day;
    match person.kind {
        // By hand, while there is time left to run low in.
        Kind::Hotel if person.cents < 800 && left > 6 => {
            let body = json!({"amount": "50.00"});
            top_up(api, person, &body).await
        }
        // A campaign on the last day takes it below the threshold of the banner.
        Kind::Hotel if left == 1 && person.cents > 900 => {
            let spent = person.cents - 840;
            let amount = format!("{}.{:02}", spent / 100, spent % 100);
            debit(api, person, &amount, "usage", "Campaña de otoño").await
        }
        Kind::Clinic if day % 30 == 0 => {
            debit(api, person, "4.60", "purchase", "Phone numbers, 4 lines").await?;
            if day == 0 {
                debit(api, person, "10.00", "purchase", "A2P 10DLC approval").await?;
            }
            Ok(())
        }
        Kind::Shop => shop_day(api, person, day, left).await,
        Kind::Hotel | Kind::Clinic | Kind::Caller => Ok(()),
    }
}

/// Orders: held at checkout, most of them captured, some released, one given back.
async fn shop_day(api: &Api, person: &mut Person, day: i64, left: i64) -> Result<()> {
    let wallet = person.wallet.clone();
    if day == 10 || left == 20 {
        let body = json!({"amount": "20.00", "funding_type": "promotional", "description": "Spring promotion",
            "expires_at": expires_in(api, 45).await?});
        api.post(&format!("/v1/wallets/{wallet}/credits"), &body)
            .await?;
    }
    if left == 4 {
        // The card that it pays by has expired; auto-recharge finds out.
        let path = format!("/v1/customers/{}/payment-methods", person.customer);
        let card = api
            .post(&path, &json!({"token": "pm_card_expired"}))
            .await?;
        let id = text(&card, "id")?;
        api.post(&format!("{path}/{id}/default"), &json!({}))
            .await?;
        let body = json!({"enabled": true, "amount": "100.00", "threshold": "150.00", "payment_method_id": id});
        api.put(&format!("/v1/wallets/{wallet}/auto-recharge"), &body)
            .await?;
    } else if person.cents < 6_000 && left > 6 {
        top_up(api, person, &json!({"amount": "250.00"})).await?;
    }
    if day % 2 == 0 || left == 1 {
        let amount = format!("{}.50", 4 + day % 17);
        let body = json!({"amount": amount, "expires_in": 86_400, "description": format!("Order {}", 4_100 + day)});
        let Some(hold) = api
            .try_post(&format!("/v1/wallets/{wallet}/holds"), &body)
            .await?
        else {
            return Ok(());
        };
        let hold = text(&hold, "id")?;
        let path = format!("/v1/wallets/{wallet}/holds/{hold}");
        match (left, day % 10) {
            // The last one is still open when somebody looks.
            (1, _) => {}
            (_, 6) => drop(api.post(&format!("{path}/release"), &json!({})).await?),
            _ => {
                let capture = api.post(&format!("{path}/capture"), &json!({})).await?;
                note_balance(std::slice::from_mut(person), &capture);
                if day == 20 {
                    debit(api, person, "12.00", "purchase", "Extra storage").await?;
                }
            }
        }
    }
    Ok(())
}

async fn expires_in(api: &Api, days: i64) -> Result<String> {
    let now = api.get("/v1/test-clock").await?;
    let now = Timestamp::parse(&text(&now, "now")?).context("an instant")?;
    Ok(now.plus_days(days).to_string())
}

async fn top_up(api: &Api, person: &mut Person, body: &Value) -> Result<()> {
    let path = format!("/v1/wallets/{}/top-ups", person.wallet);
    if api.try_post(&path, body).await?.is_some() {
        let amount = body["amount"].as_str().and_then(cents);
        person.cents += amount.unwrap_or(0);
    }
    Ok(())
}

async fn debit(
    api: &Api,
    person: &mut Person,
    amount: &str,
    reason: &str,
    description: &str,
) -> Result<()> {
    let body = json!({"amount": amount, "reason": reason, "description": description});
    let path = format!("/v1/wallets/{}/debits", person.wallet);
    if let Some(answer) = api.try_post(&path, &body).await? {
        note_balance(std::slice::from_mut(person), &answer);
    }
    Ok(())
}
