//! The customers' pages: how one comes in, stays, and goes; and what nobody gets.

use crate::app::{Answer, TestApp};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tillbox_core::id::{CustomerId, WalletId};
use tillbox_core::top_up::Channel;
use tillbox_service::payments::page::{PageRequest, PageTerms};
use tillbox_service::{Mode, NewPayment, NewTopUp, PortalSession, ServiceError};
use tillbox_store::sqlite::top_ups::TopUpFilter;

const FORM: &str = "application/x-www-form-urlencoded";

/// Headers by name.
type Headers<'a> = &'a [(&'a str, &'a str)];

/// A request of a browser: without an API key.
async fn visit(
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

async fn customer(app: &TestApp, locale: &str) -> String {
    let body = json!({"name": "Hotel Miramar", "locale": locale}).to_string();
    let customer = app.post("/v1/customers", "", &body).await;
    assert_eq!(customer.status, 201, "{}", customer.json());
    customer.json()["id"].as_str().expect("an id").to_owned()
}

/// The path of a new link.
async fn link(app: &TestApp, customer: &str) -> String {
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

async fn open(app: &TestApp, path: &str) -> Answer {
    visit(app, "POST", path, &[("content-type", FORM)], "").await
}

/// The cookie of a session that was just opened, as browsers send it.
async fn sign_in(app: &TestApp, customer: &str) -> String {
    let opened = open(app, &link(app, customer).await).await;
    assert_eq!((opened.status, opened.header("location")), (303, "/wallet"));
    let cookie = opened.header("set-cookie");
    cookie.split(';').next().expect("a pair").to_owned()
}

async fn session(app: &TestApp, cookie: &str) -> Option<PortalSession> {
    let (_, token) = cookie.split_once('=').expect("a pair");
    app.service.portal_session(token).await.expect("reads")
}

/// Whether a browser with that cookie is signed in: a form without its token is then refused as such.
async fn is_signed_in(app: &TestApp, cookie: &str) -> bool {
    let sent = [("cookie", cookie), ("content-type", FORM)];
    let answer = visit(app, "POST", "/wallet/sign-out", &sent, "").await;
    assert!(matches!(answer.status, 401 | 403), "{}", answer.status);
    answer.status == 403
}

#[track_caller]
fn is_page(answer: &Answer, status: u16, text: &str) {
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
async fn a_customer_reaches_its_own_wallets_and_nothing_else() {
    let app = TestApp::start();
    let own = app.wallet_with("20.00").await;
    let other = app.wallet_with("30.00").await;
    let owner = app.get(&format!("/v1/wallets/{own}")).await.json()["customer_id"].clone();
    let cookie = sign_in(&app, owner.as_str().expect("an id")).await;
    let session = session(&app, &cookie).await.expect("a session");
    let (who, service) = (&session.principal, &app.service);
    let id = |text: &str| WalletId::parse(text).expect("an id");

    assert!(service.wallet(who, id(&own)).await.is_ok());
    assert!(service.balance(who, id(&own), None).await.is_ok());
    let filter = tillbox_store_filter(None);
    let wallets = service.wallets(who, filter, None, 10).await.expect("lists");
    let listed: Vec<String> = wallets.iter().map(|view| view.row.id.to_string()).collect();
    assert_eq!(listed, [own]);

    let other = id(&other);
    let not_found = |what: &str, error: Option<ServiceError>| {
        assert!(
            matches!(error, Some(ServiceError::NotFound)),
            "{what}: {error:?}"
        );
    };
    not_found("wallet", service.wallet(who, other).await.err());
    not_found("balance", service.balance(who, other, None).await.err());
    let past = Some(app.service.clock_now(who));
    not_found("past", service.balance(who, other, past).await.err());
    not_found(
        "transactions",
        service
            .transactions(who, other, std::sync::Arc::default(), None, 10)
            .await
            .err(),
    );
    not_found("lots", service.lots(who, other, None, 10).await.err());
    let stranger = CustomerId::from_number(1);
    not_found("customer", service.customer(who, stranger).await.err());
    not_found(
        "customers",
        service.customers(who, None, None, 10).await.err(),
    );
    let theirs = tillbox_store_filter(Some(stranger));
    not_found(
        "wallets",
        service.wallets(who, theirs, None, 10).await.err(),
    );
    let top_up = |payment| NewTopUp {
        amount: tillbox_core::amount::Amount::from_micros(20_000_000),
        payment,
        description: None,
    };
    let page = PageRequest {
        channel: Channel::Checkout,
        terms: PageTerms {
            success_url: None,
            cancel_url: None,
            save_payment_method: false,
            allow_promotion_codes: false,
            lives_seconds: 3_600,
        },
    };
    for payment in [NewPayment::Saved(None), NewPayment::Page(page)] {
        let begun = service.create_top_up(who, other, top_up(payment), None, Mode::Commit);
        not_found("a top-up", begun.await.err());
    }
    let merchant = service.authenticate(crate::app::KEY).expect("a caller");
    let listed = service.top_ups(&merchant, other, TopUpFilter::default(), None, 10);
    assert!(listed.await.expect("lists").is_empty());
    let filter = TopUpFilter::default();
    not_found(
        "top-ups",
        service.top_ups(who, other, filter, None, 10).await.err(),
    );
    let activated = service.activate_wallet(who, other, None, None, Mode::Commit);
    not_found("activation", activated.await.err());
    not_found("sync", service.sync_wallet(who, other).await.err());
    not_found("recharge", service.auto_recharge(who, other).await.err());
    not_found(
        "resume",
        service.resume_auto_recharge(who, other).await.err(),
    );
    not_found("alerts", service.alerts(who, other).await.err());
    not_found("history", service.history(who, other, 30).await.err());
    not_found(
        "methods",
        service.payment_methods(who, stranger, None, 10).await.err(),
    );
    let page = service.payment_method_page(who, stranger, String::new());
    not_found("a page for a card", page.await.err());
    not_found(
        "a link",
        service
            .create_portal_link(who, session.customer.id, None)
            .await
            .err(),
    );
    not_found(
        "all transactions",
        service
            .merchant_transactions(who, std::sync::Arc::default(), None, 10)
            .await
            .err(),
    );
}

fn tillbox_store_filter(
    customer_id: Option<CustomerId>,
) -> tillbox_store::sqlite::wallets::WalletFilter {
    tillbox_store::sqlite::wallets::WalletFilter {
        customer_id,
        ..Default::default()
    }
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
