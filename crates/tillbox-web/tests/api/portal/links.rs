//! Links: good once, for a while, and for nobody else's form.

use super::{FORM, customer, is_page, is_signed_in, link, open, session, sign_in, visit};
use crate::app::TestApp;
use axum::body::Body;
use serde_json::{Value, json};

#[tokio::test]
async fn looking_at_a_link_changes_nothing_and_opening_it_works_once() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let path = link(&app, &customer).await;
    for method in ["GET", "HEAD", "GET"] {
        let shown = visit(&app, method, &path, &[], "").await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.header("set-cookie"), "");
    }
    is_page(
        &visit(&app, "GET", &path, &[], "").await,
        200,
        "Open my wallet",
    );

    let opened = open(&app, &path).await;
    assert_eq!((opened.status, opened.header("location")), (303, "/wallet"));
    let cookie = opened.header("set-cookie").to_owned();
    let found = session(&app, cookie.split(';').next().expect("a pair")).await;
    let found = found.expect("a session");
    assert_eq!(found.customer.id.to_string(), customer);
    assert_eq!(found.principal.customer(), Some(found.customer.id));

    for again in [
        open(&app, &path).await,
        visit(&app, "GET", &path, &[], "").await,
    ] {
        is_page(&again, 410, "This link was used already");
        is_page(&again, 410, "https://example.com/account?a=1&#38;b=2");
        assert_eq!(again.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn whoever_opened_a_link_gets_in_by_it_again_and_nobody_else() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let path = link(&app, &customer).await;
    let opened = open(&app, &path).await;
    let cookie = opened.header("set-cookie");
    let mine = cookie.split(';').next().expect("a pair");
    let again = visit(&app, "GET", &path, &[("cookie", mine)], "").await;
    assert_eq!((again.status, again.header("location")), (303, "/wallet"));
    let other = sign_in(&app, &self::customer(&app, "en").await).await;
    for cookie in [other.as_str(), "tillbox=x"] {
        let answer = visit(&app, "GET", &path, &[("cookie", cookie)], "").await;
        is_page(&answer, 410, "This link was used already");
    }
    app.wait(3_600);
    let late = visit(&app, "GET", &path, &[("cookie", mine)], "").await;
    is_page(&late, 410, "This link was used already");
}

#[tokio::test]
async fn of_many_who_open_a_link_at_once_one_gets_in() {
    let app = TestApp::start();
    let path = link(&app, &customer(&app, "en").await).await;
    let tries = (0..20).map(|_| open(&app, &path));
    let answers = futures_util::future::join_all(tries).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 410).count(), 19);
}

#[tokio::test]
async fn a_link_is_good_for_fifteen_minutes() {
    let app = TestApp::start();
    let customer = customer(&app, "es-MX").await;
    let (early, late) = (link(&app, &customer).await, link(&app, &customer).await);
    app.wait(899);
    assert_eq!(open(&app, &early).await.status, 303);
    app.wait(1);
    is_page(&open(&app, &late).await, 410, "Este enlace ha caducado");
    is_page(
        &visit(&app, "GET", &late, &[], "").await,
        410,
        "lang=\"es\"",
    );
}

#[tokio::test]
async fn no_other_token_opens_anything() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let path = link(&app, &customer).await;
    let token = path.strip_prefix("/portal/").expect("a token");
    let cookie = sign_in(&app, &customer).await;
    let (_, session_token) = cookie.split_once('=').expect("a pair");
    let hash = blake3::hash(token.as_bytes()).to_hex().to_string();
    let long = "a".repeat(5_000);
    let upper = token.to_uppercase();
    for wrong in [
        "x",
        "..",
        "%2e%2e%2f",
        "%00",
        "%ff",
        "%3Cscript%3E",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "'%20OR%201=1--",
        &token[1..],
        &upper,
        &hash,
        &long,
        session_token,
    ] {
        let path = format!("/portal/{wrong}");
        for answer in [
            open(&app, &path).await,
            visit(&app, "GET", &path, &[], "").await,
        ] {
            assert!(
                matches!(answer.status, 400 | 404),
                "{wrong}: {}",
                answer.status
            );
            assert_eq!(answer.header("set-cookie"), "");
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        }
    }
    for wrong in ["", "x", token, &hash, &long, "%22", "é"] {
        assert!(!is_signed_in(&app, &format!("tillbox={wrong}")).await);
    }
    assert!(is_signed_in(&app, &cookie).await);
    assert_eq!(open(&app, &path).await.status, 303, "still good");
}

#[tokio::test]
async fn nobody_is_signed_in_by_another_sites_form() {
    let app = TestApp::start();
    let path = link(&app, &customer(&app, "en").await).await;
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ] {
        let answer = visit(&app, "POST", &path, &[("content-type", FORM), foreign], "").await;
        is_page(&answer, 403, "This form could not be checked");
        assert_eq!(answer.header("set-cookie"), "");
    }
    assert_eq!(open(&app, &path).await.status, 303, "still good");
}

#[tokio::test]
async fn a_deleted_customers_links_and_sessions_end() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let cookie = sign_in(&app, &customer).await;
    let path = link(&app, &customer).await;
    let deleted = app
        .send(
            crate::app::request("DELETE", &format!("/v1/customers/{customer}"))
                .body(Body::empty())
                .expect("a request"),
        )
        .await;
    assert_eq!(deleted.status, 204);
    assert!(!is_signed_in(&app, &cookie).await);
    is_page(&open(&app, &path).await, 404, "This link opens nothing");
    let body = json!({"customer_id": customer}).to_string();
    app.post("/v1/portal-sessions", "", &body)
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn links_are_made_for_customers_of_the_merchant_and_lead_back_to_the_web() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let post = async |body: Value| app.post("/v1/portal-sessions", "", &body.to_string()).await;
    for unknown in ["cus_0000000000001", "wal_0000000000001", "", "x"] {
        post(json!({"customer_id": unknown}))
            .await
            .problem(404, "not_found");
    }
    for url in [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil",
        "/account",
        "",
    ] {
        let wrong = post(json!({"customer_id": customer, "return_url": url})).await;
        let problem = wrong.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], "/return_url");
    }
    let made = post(json!({"customer_id": customer})).await.json();
    assert_eq!(made["expires_at"], "2026-05-31T12:15:00.000000Z");
    let names: Vec<&String> = made.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["expires_at", "url"]);
    // A key is no reason to tell a secret twice.
    let body = json!({"customer_id": customer}).to_string();
    let (first, second) = (
        app.post("/v1/portal-sessions", "k", &body).await,
        app.post("/v1/portal-sessions", "k", &body).await,
    );
    assert_eq!((first.status, second.status), (201, 201));
    assert_ne!(first.json()["url"], second.json()["url"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_page_is_told_on_a_page() {
    let app = TestApp::start();
    for (method, path, status) in [
        ("GET", "/wallet/nothing/here", 404),
        ("GET", "/portal", 404),
        ("GET", "/wallet/sign-out", 405),
        ("DELETE", "/portal/x", 405),
        ("POST", "/wallet/sign-out", 401),
    ] {
        let answer = visit(&app, method, path, &[], "").await;
        is_page(&answer, status, "lang=\"en\"");
        let answer = visit(&app, method, path, &[("accept-language", "es")], "").await;
        is_page(&answer, status, "lang=\"es\"");
    }
    let api = visit(&app, "GET", "/walleted", &[], "").await;
    api.problem(404, "not_found");
}

#[tokio::test]
async fn what_merchants_and_customers_wrote_is_escaped() {
    let app = TestApp::start();
    let name = r#"<img src=x onerror="alert(1)"> & 'Sons'"#;
    let body = json!({"branding": {"name": name}, "support_email": "help@example.com"});
    let patched = app.patch("/v1/settings", &body.to_string()).await;
    assert_eq!(patched.status, 200);
    let path = link(&app, &customer(&app, "en").await).await;
    let shown = visit(&app, "GET", &path, &[], "").await;
    is_page(
        &shown,
        200,
        "&#60;img src=x onerror=&#34;alert(1)&#34;&#62; &#38; &#39;Sons&#39;",
    );
    is_page(&shown, 200, "mailto:help@example.com");
    let body = String::from_utf8(shown.body).expect("text");
    assert!(!body.contains("<img"));
}
