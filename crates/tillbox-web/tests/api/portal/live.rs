//! The balance of an open page: each change is told in the page's language, and other wallets' are not.

use super::browser::Browser;
use super::wallet::wallet;
use crate::app::TestApp;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The data of the next message.
async fn next(body: &mut Body, rest: &mut String) -> Value {
    loop {
        if let Some((message, behind)) = rest.clone().split_once("\n\n") {
            *rest = String::from(behind);
            let data = message.lines().find_map(|line| line.strip_prefix("data: "));
            if let Some(data) = data {
                return serde_json::from_str(data).expect("JSON");
            }
            continue;
        }
        let frame = body.frame().await.expect("it goes on").expect("a frame");
        let bytes = frame.into_data().expect("data");
        rest.push_str(std::str::from_utf8(&bytes).expect("text"));
    }
}

#[tokio::test]
async fn a_change_is_told_as_it_happens() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "es", None).await;
    let (_, other) = wallet(&app, "en", None).await;
    let browser = Browser::of(&app, &customer).await;
    let request = Request::builder()
        .uri(format!("/wallet/live?wallet={id}"))
        .header("cookie", browser.cookies());
    let request = request.body(Body::empty()).expect("a request");
    let answer = app.router().oneshot(request).await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.into_body();
    let mut rest = String::new();
    let first = next(&mut body, &mut rest).await;
    assert_eq!(first["value"], "0.00");

    for (wallet, amount) in [(&other, "7.00"), (&id, "1234.5075")] {
        let credit = json!({"amount": amount, "funding_type": "cash"}).to_string();
        let path = format!("/v1/wallets/{wallet}/credits");
        assert_eq!(app.post(&path, amount, &credit).await.status, 201);
    }
    let told = next(&mut body, &mut rest).await;
    assert_eq!(told["value"], "1234.5075");
    let available = json!([["", "1.234"], ["dec", ",5075"], ["cur", "US$"]]);
    assert_eq!(told["available"], available);
    assert_eq!(told["updated"], "hoy a las 12:00");
}
