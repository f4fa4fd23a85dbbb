//! Styles and scripts: kept for a year, small, and all that a page loads.

use super::browser::{Browser, attribute, tags};
use super::visit;
use super::wallet::wallet;
use crate::app::TestApp;
use serde_json::json;

/// What a first visit may load.
const FIRST_PAGE: usize = 100_000;

/// All addresses that the page loads, and what its scripts load.
async fn loaded(app: &TestApp, page: &str) -> Vec<String> {
    let mut urls: Vec<String> = tags(page, "link")
        .filter_map(|tag| attribute(tag, "href"))
        .chain(tags(page, "script").filter_map(|tag| attribute(tag, "src")))
        .collect();
    let mut next = 0;
    while let Some(url) = urls.get(next).cloned() {
        next += 1;
        let Some((folder, _)) = url.rsplit_once('/').filter(|_| url.contains(".js")) else {
            continue;
        };
        let script = visit(app, "GET", &url, &[], "").await;
        let script = String::from_utf8(script.body).expect("text");
        for part in script.split("from \"./").skip(1) {
            let name = part.split('"').next().expect("a name");
            let imported = format!("{folder}/{name}");
            if !urls.contains(&imported) {
                urls.push(imported);
            }
        }
    }
    urls
}

#[tokio::test]
async fn a_first_page_is_light_and_asks_nobody_else() {
    let app = TestApp::start();
    let settings = json!({"branding": {"color": "#aa3377"}}).to_string();
    assert_eq!(app.patch("/v1/settings", &settings).await.status, 200);
    let (customer, id) = wallet(&app, "es", Some("pm_card_visa")).await;
    let path = format!("/v1/wallets/{id}/credits");
    for number in 0..25 {
        let body = json!({"amount": "10.00", "funding_type": "cash", "description": format!("Número {number}")});
        let made = app
            .post(&path, &format!("{number}"), &body.to_string())
            .await;
        assert_eq!(made.status, 201);
    }
    let browser = Browser::of(&app, &customer).await;
    let urls = loaded(&app, &browser.page).await;
    assert!(
        urls.contains(&"/assets/brand/aa3377.css".to_owned()),
        "{urls:?}"
    );
    assert!(urls.len() >= 6, "{urls:?}");
    let mut bytes = browser.page.len();
    for url in &urls {
        let sent = [("accept-encoding", "gzip, br")];
        let answer = visit(&app, "GET", url, &sent, "").await;
        assert_eq!(answer.status, 200, "{url}");
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        bytes += answer.body.len();
    }
    assert!(bytes < FIRST_PAGE, "{bytes} bytes");
}

#[tokio::test]
async fn an_address_of_another_version_is_not_kept() {
    let app = TestApp::start();
    let old = visit(&app, "GET", "/assets/0000000000000000/portal.css", &[], "").await;
    assert_eq!((old.status, old.header("cache-control")), (200, "no-store"));
    for path in [
        "/assets/0000000000000000/secret.css",
        "/assets/0000000000000000/..%2f..%2fCargo.toml",
        "/assets/brand/ffee0.css",
        "/assets/brand/ffee00.css%7B",
        "/assets/brand/gggggg.css",
    ] {
        assert_eq!(
            visit(&app, "GET", path, &[], "").await.status,
            404,
            "{path}"
        );
    }
}
