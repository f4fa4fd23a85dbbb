//! Payments that go back when a wallet is closed, and those that come behind its end (R39): each by a payout that a crash
//! forgets as little as that of any other refund.

use super::{Paid, paid, principal, set_faults};
use crate::app::{TestApp, request};
use axum::body::Body;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tillbox_core::amount::Amount;
use tillbox_core::id::{EntryId, TopUpId};
use tillbox_core::payback::DisputeStatus;
use tillbox_service::payments::RefundState;
use tillbox_service::payments::sandbox::Faults;

/// What is closed, and what the dry run before it says.
pub(super) async fn close(app: &TestApp, paid: &Paid) -> Value {
    let path = format!("{}/close", paid.path());
    let dry = json!({"refund": "original", "dry_run": true}).to_string();
    let plan = app.post(&path, "", &dry).await.json()["plan"].clone();
    let closed = app.post(&path, "close", r#"{"refund":"original"}"#).await;
    assert_eq!(closed.status, 200, "{}", closed.json());
    plan
}

/// The newest withdrawal: what opened a payout is known by it.
pub(super) async fn payout(app: &TestApp, paid: &Paid) -> EntryId {
    let path = format!("{}/transactions?reason=withdrawal", paid.path());
    let row = app.get(&path).await.json()["data"][0].clone();
    assert_eq!(row["top_up_id"], paid.top_up.as_str(), "{row}");
    assert!(row["payment_intent_id"].is_string(), "{row}");
    EntryId::parse(row["id"].as_str().expect("an id")).expect("an id")
}

/// The process ended before it asked the provider, and was down for longer than the provider keeps keys.
#[tokio::test]
async fn r39_a_refund_that_never_reached_the_provider_fails_after_a_day() {
    let app = TestApp::start_without_worker();
    let paid = paid(&app, "pm_card_visa", "100").await;
    let before = told(&app, &paid, "wallet.updated").await.len();
    close(&app, &paid).await;
    let payout = payout(&app, &paid).await;
    let merchant = principal(&app).merchant_id;
    for (hours, events) in [(21, before), (2, before), (1, before + 1), (1, before + 1)] {
        app.wait(hours * 3_600 + 1);
        let asked = app.service.ask_about_payout(merchant, payout).await;
        asked.expect("asked");
        assert_eq!(told(&app, &paid, "wallet.updated").await.len(), events);
    }
    assert_eq!(app.get(&paid.path()).await.json()["balance"], "0.00");
    app.verify();
}

async fn told(app: &TestApp, paid: &Paid, event_type: &str) -> Vec<Value> {
    let path = format!("/v1/events?type={event_type}&wallet_id={}", paid.wallet);
    let page = app.get(&path).await.json();
    page["data"].as_array().expect("events").clone()
}

/// Until it is so, and no longer than five seconds.
async fn until<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    for _ in 0..250 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came");
}

/// The worker asks from here on, as that of a new process does.
fn work(app: &TestApp) {
    tokio::spawn(Arc::clone(&app.service).run_payments());
}

#[tokio::test]
async fn r39_a_close_has_the_provider_refund_the_cards_and_a_crash_forgets_none() {
    let app = TestApp::start_without_worker();
    let paid = paid(&app, "pm_card_visa", "100").await;
    paid.debit(&app, "30").await;
    let plan = close(&app, &paid).await;
    assert_eq!(plan["payouts"][0]["way"], "original");
    assert_eq!(plan["payouts"][0]["amount"], "70.00");
    assert_eq!(plan["payouts"][0]["top_up_id"], paid.top_up.as_str());
    assert_eq!(paid.top_up(&app).await["refunded"], "70.00");
    let payout = payout(&app, &paid).await;
    let app = app.restart().await;
    let merchant = principal(&app).merchant_id;
    let at_provider = async |app: &TestApp| {
        let refund = app.service.sandbox().look_up_refund(merchant, payout).await;
        refund.expect("an answer")
    };
    assert_eq!(at_provider(&app).await, None, "nobody has asked yet");
    work(&app);
    until(|| async { !told(&app, &paid, "top_up.refunded").await.is_empty() }).await;
    let event = &told(&app, &paid, "top_up.refunded").await[0];
    assert_eq!(event["data"]["top_up"]["refunded"], "70.00");
    assert_eq!(event["data"]["transaction"]["id"], payout.to_string());
    let refund = at_provider(&app).await.expect("a refund");
    assert_eq!(refund.state, RefundState::Succeeded);
    assert_eq!(refund.amount, Amount::parse("70").expect("an amount"));
    app.verify();
}

#[tokio::test]
async fn r39_what_a_provider_refuses_of_a_closed_wallet_is_a_manual_payout() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_visa", "100").await;
    let before = told(&app, &paid, "wallet.updated").await.len();
    set_faults(
        &app,
        Faults {
            decline_refunds: 1,
            ..Faults::default()
        },
    )
    .await;
    close(&app, &paid).await;
    until(|| async { told(&app, &paid, "wallet.updated").await.len() > before }).await;
    assert_eq!(
        told(&app, &paid, "top_up.refunded").await,
        Vec::<Value>::new()
    );
    // It says which payment, and which transaction has taken it.
    let events = told(&app, &paid, "wallet.updated").await;
    let data = &events.last().expect("an event")["data"];
    let payout = payout(&app, &paid).await.to_string();
    assert_eq!(data["top_up"]["id"], paid.top_up.as_str());
    assert_eq!(data["transaction"]["id"], payout);
    let wallet = app.get(&paid.path()).await.json();
    assert_eq!(
        (&wallet["status"], &wallet["balance"]),
        (&json!("closed"), &json!("0.00"))
    );
    app.verify();
}

/// Pays a hosted page; false where it takes no payment any more.
async fn pay(app: &TestApp, url: &Value) -> bool {
    let url = url.as_str().expect("an address");
    let page = &url[url.find("/sandbox/checkout/").expect("a page")..];
    let sent = request("POST", page)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from("card=pm_card_visa"))
        .expect("a request");
    app.send(sent).await.status == 303
}

/// A wallet that waits for a customer on a hosted page.
async fn with_page(app: &TestApp) -> (Paid, TopUpId, Value) {
    let paid = paid(app, "pm_card_visa", "10").await;
    let urls = json!({"success_url": "https://a.example/", "cancel_url": "https://a.example/"});
    let body = json!({"amount": "20", "checkout": urls}).to_string();
    let path = format!("{}/top-ups", paid.path());
    let asked = app.post(&path, "page", &body).await.json();
    let id = TopUpId::parse(asked["id"].as_str().expect("an id")).expect("an id");
    app.service.ask_provider(id).await.expect("asked");
    let shown = app.get(&format!("{path}/{id}")).await.json();
    (paid, id, shown["checkout_url"].clone())
}

#[tokio::test]
async fn r39_pages_are_given_up_at_the_provider_though_the_process_dies_behind_the_close() {
    let app = TestApp::start_without_worker();
    let (paid, id, url) = with_page(&app).await;
    close(&app, &paid).await;
    let app = app.restart().await;
    work(&app);
    let merchant = principal(&app).merchant_id;
    let canceled = || async {
        let payment = app.service.sandbox().look_up(merchant, id).await;
        let payment = payment.expect("an answer").expect("a payment");
        payment.state == tillbox_service::payments::PaymentState::Canceled
    };
    until(canceled).await;
    assert!(!pay(&app, &url).await, "the page takes no payment any more");
    app.verify();
}

#[tokio::test]
async fn r39_a_payment_behind_the_end_goes_back_to_its_card_though_nobody_tells_of_it() {
    let app = TestApp::start_without_worker();
    let (mut paid, id, url) = with_page(&app).await;
    close(&app, &paid).await;
    assert!(pay(&app, &url).await, "the page is still there");
    // The worker finds the payment when it has the page given up, and refunds it.
    let app = app.restart().await;
    work(&app);
    paid.top_up = id.to_string();
    until(|| async { told(&app, &paid, "top_up.refunded").await.len() == 2 }).await;
    let top_up = paid.top_up(&app).await;
    assert_eq!(
        (&top_up["status"], &top_up["refunded"]),
        (&json!("succeeded"), &json!("20.00"))
    );
    assert_eq!(paid.balance(&app).await, "0.00");
    let payout = payout(&app, &paid).await;
    let merchant = principal(&app).merchant_id;
    let refund = app.service.sandbox().look_up_refund(merchant, payout).await;
    assert_eq!(
        refund.expect("an answer").expect("a refund").state,
        RefundState::Succeeded
    );
    app.verify();
}

#[tokio::test]
async fn r39_a_dispute_won_behind_the_end_goes_back_to_the_card() {
    let app = TestApp::start_without_worker();
    let paid = paid(&app, "pm_card_visa", "100").await;
    paid.tell(&app, DisputeStatus::Open, "100").await;
    let path = format!("{}/close", paid.path());
    let refused = app.post(&path, "early", r#"{"refund":"original"}"#).await;
    let refused = refused.problem(409, "conflict");
    assert_eq!(refused["reason"], "the wallet has open holds");
    paid.tell(&app, DisputeStatus::Lost, "100").await;
    close(&app, &paid).await;
    paid.tell(&app, DisputeStatus::Won, "100").await;
    assert_eq!(paid.balance(&app).await, "0.00");
    super::sync(&app, &paid).await;
    let top_up = paid.top_up(&app).await;
    assert_eq!(
        (&top_up["refunded"], &top_up["charged_back"]),
        (&json!("100.00"), &json!("0.00"))
    );
    let rows = paid.transactions(&app).await;
    let row = |reason: &str, amount: &str| (reason.to_owned(), amount.to_owned());
    let expected = [row("reversal", "100.00"), row("withdrawal", "-100.00")];
    assert_eq!(rows[2..], expected);
    assert_eq!(told(&app, &paid, "top_up.refunded").await.len(), 1);
    app.verify();
}
