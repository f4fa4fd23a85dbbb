//! Auto-recharge on the page: nothing is charged that was not agreed to, and it says how it goes.

use super::browser::Browser;
use super::wallet::{get, save_card, wallet};
use crate::app::TestApp;
use serde_json::json;

const PATH: &str = "/wallet/auto-recharge";

async fn credit(app: &TestApp, wallet: &str, amount: &str) {
    let body = json!({"amount": amount, "funding_type": "cash"}).to_string();
    let path = format!("/v1/wallets/{wallet}/credits");
    assert_eq!(app.post(&path, amount, &body).await.status, 201);
}

#[tokio::test]
async fn a2_the_seeds_example_is_said_before_it_is_charged() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", Some("pm_card_visa")).await;
    credit(&app, &id, "40.00").await;
    let mut browser = Browser::of(&app, &customer).await;
    assert!(browser.page.contains("Turning this on charges $25.00 now."));
    assert!(
        browser
            .page
            .contains("You have $40.00; then $65.00 is available.")
    );
    assert!(browser.page.contains(">Turn on and charge $25.00</button>"));
    browser.submit(PATH, &[("enabled", "yes")]).await;
    assert_eq!(browser.told(), "Auto-recharge is on");
    assert_eq!(browser.balance(), "$65.00");
    assert!(
        browser
            .page
            .contains("$25.00 was charged; $65.00 is available now.")
    );
    app.verify();
}

#[tokio::test]
async fn another_charge_than_the_page_said_is_asked_for_first() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", Some("pm_card_visa")).await;
    credit(&app, &id, "40.00").await;
    let mut browser = Browser::of(&app, &customer).await;
    let values = [
        ("enabled", "yes"),
        ("threshold", "other"),
        ("threshold_other", "120"),
        ("monthly_cap", "500"),
    ];
    let asked = browser.post(PATH, &values).await;
    assert_eq!(asked.status, 200);
    let balance = get(&app, &format!("/v1/wallets/{id}/balance")).await;
    assert_eq!(balance["balance"], "40.00");
    browser.page = String::from_utf8(asked.body).expect("text");
    assert!(browser.page.contains("Turn on and charge $100.00 now?"));
    browser.submit(PATH, &[]).await;
    assert_eq!(browser.balance(), "$140.00");
    let saved = get(&app, &format!("/v1/wallets/{id}/auto-recharge")).await;
    assert_eq!(saved["threshold"], "120.00");
    assert_eq!(saved["monthly_cap"], "500.00");
    assert!(browser.page.contains("$100.00 of $500.00 used this month"));

    // Sent again with the same values it is saved, and nothing is charged.
    browser.submit(PATH, &[("enabled", "yes")]).await;
    assert_eq!(browser.balance(), "$140.00");
    browser.submit(PATH, &[("enabled", "no")]).await;
    assert_eq!(browser.told(), "Auto-recharge is off");
    let saved = get(&app, &format!("/v1/wallets/{id}/auto-recharge")).await;
    assert_eq!(
        (&saved["enabled"], &saved["threshold"]),
        (&json!(false), &json!("120.00"))
    );
    app.verify();
}

#[tokio::test]
async fn a_target_and_backups_are_saved() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "es", Some("pm_card_visa")).await;
    let backup = save_card(&app, &customer, "pm_card_mastercard").await;
    credit(&app, &id, "150.00").await;
    let mut browser = Browser::of(&app, &customer).await;
    let values = [
        ("enabled", "yes"),
        ("how", "target"),
        ("amount", "other"),
        ("amount_other", "250,50"),
        ("threshold", "100.00"),
        ("backup", backup.as_str()),
    ];
    browser.submit(PATH, &values).await;
    assert_eq!(browser.told(), "La recarga automática está activada");
    let saved = get(&app, &format!("/v1/wallets/{id}/auto-recharge")).await;
    assert_eq!(saved["target"], "250.50");
    assert_eq!(saved["backup_payment_method_ids"], json!([backup]));
    assert!(browser.page.contains(r#"value="250,50""#));
}

#[tokio::test]
async fn wrong_settings_are_said_at_their_fields() {
    let app = TestApp::start();
    let (customer, _) = wallet(&app, "en", Some("pm_card_visa")).await;
    let mut browser = Browser::of(&app, &customer).await;
    for (values, field, said) in [
        (
            &[("amount", "other"), ("amount_other", "5")][..],
            "ar-amount",
            "The least is $10.00.",
        ),
        (
            &[("threshold", "other"), ("threshold_other", "x")],
            "ar-below",
            "Type an amount in digits, such as 25.50.",
        ),
        (
            &[("monthly_cap", "1.000")],
            "ar-cap",
            "“1.000” could be read in two ways. Type it like 25.50.",
        ),
        (
            &[
                ("how", "target"),
                ("amount", "25.00"),
                ("threshold", "50.00"),
            ],
            "ar-amount",
            "Fill up to at least the limit below which it charges.",
        ),
    ] {
        let mut all = vec![("enabled", "yes")];
        all.extend_from_slice(values);
        let answer = browser.post(PATH, &all).await;
        assert_eq!(answer.status, 422, "{values:?}");
        let page = String::from_utf8(answer.body).expect("text");
        let link = format!(r##"<a href="#{field}">{said}</a>"##);
        assert!(page.contains(&link), "no {link} in {page}");
        let error = format!(r#"id="{field}-e">{said}</p>"#);
        assert!(page.contains(&error), "no {error}");
    }
}

#[tokio::test]
async fn a5_a_declined_charge_is_told_with_its_reason_and_its_remedy() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", Some("pm_card_chargeDeclinedInsufficientFunds")).await;
    credit(&app, &id, "40.00").await;
    let mut browser = Browser::of(&app, &customer).await;
    browser.submit(PATH, &[("enabled", "yes")]).await;
    assert_eq!(browser.told(), "The automatic charge was declined");
    for said in [
        "The card has too little money or has reached its limit.",
        "It tries again today at 13:00.",
        "Not charged: the last charge was declined",
        "Trying again soon",
    ] {
        assert!(browser.page.contains(said), "no {said:?}");
    }
}

#[tokio::test]
async fn a5_the_bank_is_led_to_where_it_wants_to_ask() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", Some("pm_card_authenticationRequired")).await;
    credit(&app, &id, "40.00").await;
    let mut browser = Browser::of(&app, &customer).await;
    browser.submit(PATH, &[("enabled", "yes")]).await;
    assert!(browser.page.contains("Confirm and pay $25.00"));
    // The banner's form stands before that of adding funds.
    let to_bank = browser.post("/wallet/top-ups", &[]).await;
    let bank = to_bank.header("location").to_owned();
    assert!(bank.contains("/sandbox/authenticate/"), "{bank}");
    let confirmed = browser
        .send("POST", &browser.own(&bank), "answer=confirm")
        .await;
    browser.follow(confirmed).await;
    assert_eq!(browser.told(), "$25.00 was added");
    assert_eq!(browser.balance(), "$65.00");
    assert!(!browser.page.contains("Your bank wants you"));
    assert!(browser.page.contains(r#"data-tone="good">On</span>"#));
    app.verify();
}
