//! Notices of the payment provider: nobody but the provider is believed.

use crate::app::{TestApp, request};
use axum::body::Body;
use serde_json::json;
use tillbox_core::id::{MerchantId, TopUpId};
use tillbox_service::payments::Notice;
use tillbox_service::payments::sandbox::Faults;

#[tokio::test]
async fn a_notice_without_a_good_signature_is_refused_and_credits_nothing() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1.00").await;
    let signatures = [
        None,
        Some("x"),
        Some("t=1,v1=00"),
        Some("t=1800000000,v1=0000000000000000000000000000000000000000000000000000000000000000"),
    ];
    for signature in signatures {
        let sent = request("POST", "/v1/payments/sandbox/webhook")
            .header("content-type", "application/json");
        let sent = match signature {
            Some(signature) => sent.header("sandbox-signature", signature),
            None => sent,
        };
        let sent = sent.body(Body::from(r#"{"type": "payment.succeeded"}"#));
        let answer = app.send(sent.expect("a request")).await;
        answer.problem(401, "unauthenticated");
    }
    let nobody = request("POST", "/v1/payments/nobody/webhook").body(Body::from("{}"));
    let answer = app.send(nobody.expect("a request")).await;
    assert_eq!(answer.status, 404);
    let balance = app.get(&format!("/v1/wallets/{wallet}/balance")).await;
    assert_eq!(balance.json()["balance"], "1.00");
}

/// A wallet with a charge by auto-recharge that nobody has asked the provider for yet.
async fn recharging(app: &TestApp) -> (String, TopUpId, MerchantId) {
    let wallet = app.wallet_with("30.00").await;
    let path = format!("/v1/wallets/{wallet}");
    let customer = app.get(&path).await.json()["customer_id"].clone();
    let methods = format!(
        "/v1/customers/{}/payment-methods",
        customer.as_str().expect("an id")
    );
    let card = app.post(&methods, "", r#"{"token":"pm_card_visa"}"#).await;
    assert_eq!(card.status, 201);
    let body = json!({"enabled": true, "threshold": "20.00", "amount": "25.00"}).to_string();
    let saved = app.put(&format!("{path}/auto-recharge"), &body).await;
    assert_eq!(saved.status, 200);
    let debits = format!("{path}/debits");
    let debit = app.post(&debits, "debit", r#"{"amount":"15.00"}"#).await;
    assert_eq!(debit.status, 201);
    let list = app.get(&format!("{path}/top-ups")).await.json();
    let id = list["data"][0]["id"].as_str().expect("an id");
    let who = app.service.authenticate(crate::app::KEY).expect("the key");
    (path, TopUpId::parse(id).expect("an id"), who.merchant_id)
}

#[tokio::test]
async fn b16_a_recharge_is_credited_by_the_reply_of_its_charge_and_no_notice_is_needed() {
    let app = TestApp::start_without_worker();
    let (wallet, top_up, _) = recharging(&app).await;
    app.service.ask_provider(top_up).await.expect("asked");
    assert_eq!(app.get(&wallet).await.json()["balance"], "40.00");
    app.verify();
}

#[tokio::test]
async fn b17_a_notice_that_was_not_taken_is_taken_when_it_comes_again() {
    let app = TestApp::start_without_worker();
    let (wallet, top_up, merchant) = recharging(&app).await;
    let faults = Faults {
        lose_replies: 1,
        ..Faults::default()
    };
    let set = app.service.sandbox().set_faults(merchant, faults);
    set.await.expect("set");
    app.service.ask_provider(top_up).await.expect("asked");
    assert_eq!(app.get(&wallet).await.json()["balance"], "15.00");
    let payment = app.service.sandbox().look_up(merchant, top_up).await;
    let notice = Notice::Payment(payment.expect("an answer").expect("a payment"));
    app.service.stop();
    let taken = app.service.take_notice(merchant, notice.clone()).await;
    taken.expect_err("the ledger has stopped");
    let app = app.restart().await;
    for _ in 0..2 {
        let taken = app.service.take_notice(merchant, notice.clone()).await;
        taken.expect("taken");
        assert_eq!(app.get(&wallet).await.json()["balance"], "40.00");
    }
    app.verify();
}
