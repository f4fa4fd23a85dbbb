//! The list of movements: pages, filters, and the same as CSV.

use super::browser::{Browser, attribute, plain, tags};
use super::wallet::wallet;
use crate::app::TestApp;
use serde_json::json;

async fn debits(app: &TestApp, wallet: &str, count: usize) {
    let body = json!({"amount": "100.00", "funding_type": "cash", "description": "Paid in"});
    let path = format!("/v1/wallets/{wallet}/credits");
    let made = app.post(&path, "credit", &body.to_string()).await;
    assert_eq!(made.status, 201);
    for number in 1..=count {
        let body = json!({"amount": "0.0075", "description": format!("SMS {number}")});
        let path = format!("/v1/wallets/{wallet}/debits");
        let made = app
            .post(&path, &format!("debit {number}"), &body.to_string())
            .await;
        assert_eq!(made.status, 201);
    }
}

/// The descriptions of the page's rows.
fn described(page: &str) -> Vec<String> {
    let rows = page.split("<summary>").skip(1);
    let rows = rows.filter_map(|row| row.split_once("</summary>"));
    let texts = rows.map(|(text, _)| plain(text));
    texts
        .filter(|text| text.starts_with("SMS") || text == "Paid in")
        .collect()
}

/// Where the link with that text leads.
fn link_of(page: &str, text: &str) -> Option<String> {
    let links = page.split("<a ").skip(1);
    let mut found = links.filter(|link| link.contains(&format!(">{text}</a>")));
    found.find_map(|link| attribute(link, "href"))
}

#[tokio::test]
async fn pages_lead_older_and_newer_and_each_row_is_on_one() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", None).await;
    debits(&app, &id, 45).await;
    let mut browser = Browser::of(&app, &customer).await;
    let mut seen = Vec::new();
    let mut pages = Vec::new();
    loop {
        let rows = described(&browser.page);
        assert!((1..=20).contains(&rows.len()), "{rows:?}");
        pages.push(rows.clone());
        seen.extend(rows);
        let Some(older) = link_of(&browser.page, "Older") else {
            break;
        };
        browser.open(&older).await;
    }
    assert_eq!(pages.len(), 3);
    let expected = (1..=45).rev().map(|number| format!("SMS {number}"));
    let expected: Vec<String> = expected.chain(["Paid in".to_owned()]).collect();
    assert_eq!(seen, expected);
    for page in pages.iter().rev().skip(1) {
        let newer = link_of(&browser.page, "Newer").expect("newer ones");
        browser.open(&newer).await;
        assert_eq!(&described(&browser.page), page);
    }
    assert_eq!(link_of(&browser.page, "Newer"), None);
}

#[tokio::test]
async fn filters_are_in_the_address_and_hold_on_each_page_and_in_the_file() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", None).await;
    debits(&app, &id, 25).await;
    let mut browser = Browser::of(&app, &customer).await;
    browser
        .open(&format!(
            "/wallet?wallet={id}&type=debit&from=2026-05-31&to=2026-05-31"
        ))
        .await;
    assert_eq!(described(&browser.page).len(), 20);
    let chosen = tags(&browser.page, "option").find(|tag| tag.contains("debit"));
    assert!(chosen.expect("the type").contains(" selected"));
    let older = link_of(&browser.page, "Older").expect("older ones");
    browser.open(&older).await;
    assert_eq!(described(&browser.page).len(), 5);

    let file = tags(&browser.page, "a").find(|tag| tag.contains("download"));
    let file = attribute(file.expect("a file"), "href").expect("an address");
    let sent = browser.send("GET", &file, "").await;
    assert_eq!(sent.header("content-type"), "text/csv; charset=utf-8");
    let text = String::from_utf8(sent.body).expect("text");
    assert_eq!(text.lines().count(), 26, "{text}");

    browser
        .open(&format!("/wallet?wallet={id}&from=2026-06-01"))
        .await;
    assert!(browser.page.contains("Nothing matches this filter."));
    // What can't be read filters nothing.
    browser
        .open("/wallet?from=yesterday&type=all&before=x&trail=..")
        .await;
    assert_eq!(described(&browser.page).len(), 20);
}

#[tokio::test]
async fn less_than_a_cent_is_shown_in_full() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", None).await;
    debits(&app, &id, 1).await;
    let browser = Browser::of(&app, &customer).await;
    assert_eq!(browser.balance(), "$99.9925");
    let amount = r#"<span class="money">−$0.00<span class="micro">75</span></span>"#;
    assert!(browser.page.contains(amount), "{}", browser.page);
}

#[tokio::test]
async fn a_refund_to_the_card_says_where_it_goes_and_how_it_stands() {
    let app = TestApp::start_without_worker();
    let (customer, id) = wallet(&app, "en", None).await;
    let cards = format!("/v1/customers/{customer}/payment-methods");
    let card = app.post(&cards, "", r#"{"token":"pm_card_visa"}"#).await;
    assert_eq!(card.status, 201);
    let path = format!("/v1/wallets/{id}/top-ups");
    let asked = app.post(&path, "pay", r#"{"amount":"25.00"}"#).await.json();
    let top_up = asked["id"].as_str().expect("an id").to_owned();
    let sync = format!("/v1/wallets/{id}/sync");
    assert_eq!(app.post(&sync, "", "{}").await.status, 200);
    let refund = format!("{path}/{top_up}/refund");
    for (key, declined) in [("one", 1), ("two", 0)] {
        let faults = json!({ "decline_refunds": declined }).to_string();
        assert_eq!(app.put("/v1/sandbox/faults", &faults).await.status, 200);
        assert_eq!(app.post(&refund, key, "{}").await.status, 201);
        let browser = Browser::of(&app, &customer).await;
        assert!(browser.page.contains("Refunded to"), "{}", browser.page);
        assert!(browser.page.contains("On its way to your card"));
        assert_eq!(app.post(&sync, "", "{}").await.status, 200);
        let browser = Browser::of(&app, &customer).await;
        assert!(!browser.page.contains("On its way to your card"));
        assert!(browser.page.contains("the amount is back in your balance"));
    }
    let browser = Browser::of(&app, &customer).await;
    assert_eq!(browser.balance(), "$0.00");
}
