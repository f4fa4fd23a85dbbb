//! Sessions: how long they last, what their forms need, how strict their cookie is.

use super::{FORM, Headers, customer, is_page, is_signed_in, link, open, session, sign_in, visit};
use crate::app::TestApp;

#[tokio::test]
async fn a_session_ends_an_hour_after_its_last_use_and_after_eight_hours() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let idle = sign_in(&app, &customer).await;
    let used = sign_in(&app, &customer).await;
    for _ in 0..9 {
        app.wait(3_000);
        assert!(is_signed_in(&app, &used).await);
    }
    assert!(!is_signed_in(&app, &idle).await);
    app.wait(8 * 3_600 - 9 * 3_000 - 1);
    assert!(is_signed_in(&app, &used).await);
    app.wait(1);
    assert!(!is_signed_in(&app, &used).await);

    let again = sign_in(&app, &customer).await;
    app.wait(3_599);
    assert!(is_signed_in(&app, &again).await);
    app.wait(3_600);
    assert!(!is_signed_in(&app, &again).await);
}

#[tokio::test]
async fn sessions_keep_to_real_time_when_the_test_clock_is_moved() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let cookie = sign_in(&app, &customer).await;
    let path = link(&app, &customer).await;
    let moved = app
        .post("/v1/test-clock/advance", "", r#"{"by_seconds":864000}"#)
        .await;
    assert_eq!(moved.status, 200);
    assert!(is_signed_in(&app, &cookie).await);
    assert_eq!(open(&app, &path).await.status, 303);
}

#[tokio::test]
async fn sessions_survive_a_restart_with_their_forms() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let cookie = sign_in(&app, &customer).await;
    let path = link(&app, &customer).await;
    let token = session(&app, &cookie)
        .await
        .expect("a session")
        .form_token();
    let app = app.restart().await;
    let found = session(&app, &cookie).await.expect("a session");
    assert!(found.is_form_token(&token));
    assert_eq!(open(&app, &path).await.status, 303);
}

#[tokio::test]
async fn signing_out_takes_the_form_of_that_session_and_ends_it() {
    let app = TestApp::start();
    let mine = sign_in(&app, &customer(&app, "en").await).await;
    let other = sign_in(&app, &customer(&app, "en").await).await;
    let token = session(&app, &mine).await.expect("a session").form_token();
    let foreign = session(&app, &other).await.expect("a session").form_token();
    assert!(!mine.contains(&token), "a form tells nothing of the cookie");
    let good = format!("token={token}");
    let twice = format!("token={token}&token={token}");
    let table: &[(&str, Headers, u16)] = &[
        (&good, &[("content-type", FORM)], 401),
        ("", &[("cookie", &mine), ("content-type", FORM)], 403),
        ("token=", &[("cookie", &mine), ("content-type", FORM)], 403),
        (
            &format!("token={foreign}"),
            &[("cookie", &mine), ("content-type", FORM)],
            403,
        ),
        (&twice, &[("cookie", &mine), ("content-type", FORM)], 403),
        (
            &good,
            &[
                ("cookie", &mine),
                ("content-type", FORM),
                ("sec-fetch-site", "cross-site"),
            ],
            403,
        ),
        (
            &good,
            &[
                ("cookie", &mine),
                ("content-type", FORM),
                ("origin", "https://evil.example"),
            ],
            403,
        ),
        (&good, &[("cookie", &mine)], 400),
        (
            &good,
            &[("cookie", &mine), ("content-type", "text/plain")],
            400,
        ),
        (
            "token=%zz",
            &[("cookie", &mine), ("content-type", FORM)],
            400,
        ),
    ];
    for (body, sent, status) in table {
        let answer = visit(&app, "POST", "/wallet/sign-out", sent, body).await;
        is_page(&answer, *status, "<h1>");
        assert!(is_signed_in(&app, &mine).await, "{body} {sent:?}");
    }
    let sent = [
        ("cookie", mine.as_str()),
        ("content-type", FORM),
        ("sec-fetch-site", "same-origin"),
        ("origin", "null"),
    ];
    let out = visit(&app, "POST", "/wallet/sign-out", &sent, &good).await;
    is_page(&out, 200, "You are signed out");
    assert!(
        out.header("set-cookie")
            .starts_with("tillbox=; Path=/; Max-Age=0;")
    );
    assert!(!is_signed_in(&app, &mine).await);
    assert!(is_signed_in(&app, &other).await);
}

#[tokio::test]
async fn a_new_session_in_a_browser_ends_the_one_before() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let before = sign_in(&app, &customer).await;
    let path = link(&app, &customer).await;
    let sent = [("cookie", before.as_str()), ("content-type", FORM)];
    assert_eq!(visit(&app, "POST", &path, &sent, "").await.status, 303);
    assert!(!is_signed_in(&app, &before).await);
}

#[tokio::test]
async fn the_cookie_is_as_strict_as_the_address_allows() {
    for (url, name, end) in [
        (
            "http://127.0.0.1:8420",
            "tillbox",
            "; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax",
        ),
        (
            "https://wallet.example.com",
            "__Host-tillbox",
            "; Path=/; Max-Age=28800; HttpOnly; SameSite=Lax; Secure",
        ),
    ] {
        let app = TestApp::start_at(url);
        let path = link(&app, &customer(&app, "en").await).await;
        let opened = open(&app, &path).await;
        let cookie = opened.header("set-cookie");
        let (pair, flags) = cookie.split_at(cookie.find(';').expect("flags"));
        assert_eq!(flags, end);
        let (found, token) = pair.split_once('=').expect("a pair");
        assert_eq!((found, token.len()), (name, 64));
        assert!(is_signed_in(&app, pair).await);
        let other = if name == "tillbox" {
            "__Host-tillbox"
        } else {
            "tillbox"
        };
        assert!(!is_signed_in(&app, &format!("{other}={token}")).await);
        assert_eq!(opened.header("cache-control"), "no-store");
        let tls = opened.header("strict-transport-security");
        assert_eq!(tls.is_empty(), url.starts_with("http:"));
    }
}

#[tokio::test]
async fn what_a_page_asks_by_itself_prolongs_nothing() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let cookie = sign_in(&app, &customer).await;
    let by_itself = [("cookie", cookie.as_str()), ("sec-fetch-dest", "empty")];
    app.wait(50 * 60);
    let followed = visit(&app, "GET", "/wallet", &by_itself, "").await;
    assert_eq!(followed.status, 200);
    app.wait(11 * 60);
    let followed = visit(&app, "GET", "/wallet", &by_itself, "").await;
    assert_eq!(followed.status, 401);

    let cookie = sign_in(&app, &customer).await;
    app.wait(50 * 60);
    let looked = visit(&app, "GET", "/wallet", &[("cookie", &cookie)], "").await;
    assert_eq!(looked.status, 200);
    app.wait(11 * 60);
    assert!(is_signed_in(&app, &cookie).await);
}
