//! The customers' pages: how one comes in, stays, and goes; and what nobody gets.

mod assets;
mod browser;
mod hostile;
mod links;
mod live;
mod movements;
mod reach;
mod recharge;
mod sessions;
mod wallet;

use crate::app::{Answer, TestApp};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use tillbox_service::PortalSession;

pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// Headers by name.
pub(super) type Headers<'a> = &'a [(&'a str, &'a str)];

/// A request of a browser: without an API key.
pub(super) async fn visit(
    app: &TestApp,
    method: &str,
    path: &str,
    sent: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in sent {
        request = request.header(*name, *value);
    }
    app.send(
        request
            .body(Body::from(body.to_owned()))
            .expect("a request"),
    )
    .await
}

pub(super) async fn customer(app: &TestApp, locale: &str) -> String {
    let body = json!({"name": "Hotel Miramar", "locale": locale}).to_string();
    let customer = app.post("/v1/customers", "", &body).await;
    assert_eq!(customer.status, 201, "{}", customer.json());
    customer.json()["id"].as_str().expect("an id").to_owned()
}

/// The path of a new link.
pub(super) async fn link(app: &TestApp, customer: &str) -> String {
    let body =
        json!({"customer_id": customer, "return_url": "https://example.com/account?a=1&b=2"});
    let made = app.post("/v1/portal-sessions", "", &body.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(made.header("cache-control"), "no-store");
    let url = made.json()["url"].as_str().expect("a URL").to_owned();
    let origin = app.service.public_url().as_str();
    let path = url
        .strip_prefix(origin)
        .expect("begins with the public URL");
    path.to_owned()
}

pub(super) async fn open(app: &TestApp, path: &str) -> Answer {
    visit(app, "POST", path, &[("content-type", FORM)], "").await
}

/// The cookie of a session that was just opened, as browsers send it.
pub(super) async fn sign_in(app: &TestApp, customer: &str) -> String {
    let opened = open(app, &link(app, customer).await).await;
    assert_eq!((opened.status, opened.header("location")), (303, "/wallet"));
    let cookie = opened.header("set-cookie");
    cookie.split(';').next().expect("a pair").to_owned()
}

pub(super) async fn session(app: &TestApp, cookie: &str) -> Option<PortalSession> {
    let (_, token) = cookie.split_once('=').expect("a pair");
    app.service.portal_session(token).await.expect("reads")
}

/// Whether a browser with that cookie is signed in: a form without its token is then refused as such.
pub(super) async fn is_signed_in(app: &TestApp, cookie: &str) -> bool {
    let sent = [("cookie", cookie), ("content-type", FORM)];
    let answer = visit(app, "POST", "/wallet/sign-out", &sent, "").await;
    assert!(matches!(answer.status, 401 | 403), "{}", answer.status);
    answer.status == 403
}

#[track_caller]
pub(super) fn is_page(answer: &Answer, status: u16, text: &str) {
    let body = String::from_utf8(answer.body.clone()).expect("text");
    assert_eq!(answer.status, status, "{body}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'self'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(body.contains(text), "no {text:?} in {body}");
    for inline in ["<script>", "style=", "<style", " onclick", "javascript:"] {
        assert!(!body.contains(inline), "{inline} in {body}");
    }
}
