//! Notices of the payment provider: nobody but the provider is believed.

use crate::app::{TestApp, request};
use axum::body::Body;

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
