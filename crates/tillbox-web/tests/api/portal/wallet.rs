//! The wallet page, by plain forms: setting up, adding funds, cards, what is refused.

use super::browser::{Browser, encoded};
use super::{customer, visit};
use crate::app::TestApp;
use serde_json::{Value, json};

/// A new customer with a wallet in dollars, and a saved card where one is named.
pub(super) async fn wallet(app: &TestApp, locale: &str, card: Option<&str>) -> (String, String) {
    let customer = customer(app, locale).await;
    let body = json!({"customer_id": customer, "currency": "USD"}).to_string();
    let opened = app.post("/v1/wallets", &customer, &body).await;
    assert_eq!(opened.status, 201, "{}", opened.json());
    let id = opened.json()["id"].as_str().expect("an id").to_owned();
    if let Some(card) = card {
        save_card(app, &customer, card).await;
    }
    (customer, id)
}

pub(super) async fn save_card(app: &TestApp, customer: &str, card: &str) -> String {
    let path = format!("/v1/customers/{customer}/payment-methods");
    let saved = app
        .post(
            &path,
            &format!("{customer} {card}"),
            &json!({"token": card}).to_string(),
        )
        .await;
    assert_eq!(saved.status, 201, "{}", saved.json());
    saved.json()["id"].as_str().expect("an id").to_owned()
}

pub(super) async fn get(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

async fn available(app: &TestApp, wallet: &str) -> String {
    let balance = get(app, &format!("/v1/wallets/{wallet}/balance")).await;
    balance["available_balance"]
        .as_str()
        .expect("an amount")
        .to_owned()
}

#[tokio::test]
async fn w3_a_wallet_is_set_up_by_a_card_and_then_the_first_charge() {
    let app = TestApp::start();
    let settings = r#"{"activation_charge":"125.00"}"#;
    assert_eq!(app.patch("/v1/settings", settings).await.status, 200);
    let (customer, id) = wallet(&app, "en", None).await;
    let mut browser = Browser::of(&app, &customer).await;
    assert!(browser.page.contains("Add a payment method"));
    assert!(
        browser
            .page
            .contains(r#"disabled aria-describedby="why">Activate now and pay $125.00"#)
    );

    // The provider's page adds the card and leads back.
    let to_provider = browser.post("/wallet/payment-methods", &[]).await;
    let page = to_provider.header("location").to_owned();
    assert!(page.contains("/sandbox/setup/"), "{page}");
    save_card(&app, &customer, "pm_card_visa").await;
    browser
        .open(&format!("/wallet?wallet={id}&told=card"))
        .await;
    assert_eq!(browser.told(), "Payment source updated successfully.");

    browser.submit("/wallet/activate", &[]).await;
    assert_eq!(browser.told(), "Your wallet is active, with $125.00");
    assert_eq!(browser.balance(), "$125.00");
    assert!(browser.page.contains("Wallet activation"));
    app.verify();
}

#[tokio::test]
async fn a_preset_is_charged_at_once_and_a_typed_amount_after_it_was_shown() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", Some("pm_card_visa")).await;
    let mut browser = Browser::of(&app, &customer).await;
    browser
        .submit("/wallet/top-ups", &[("amount", "25.00")])
        .await;
    assert_eq!(browser.told(), "$25.00 was added");
    assert_eq!(browser.balance(), "$25.00");

    let typed = [("amount", "other"), ("other", "1,037.5")];
    let refused = browser.post("/wallet/top-ups", &typed).await;
    assert_eq!(refused.status, 422);

    let typed = [("amount", "other"), ("other", "37,5")];
    let review = browser.post("/wallet/top-ups", &typed).await;
    assert_eq!(review.status, 200);
    assert_eq!(available(&app, &id).await, "25.00");
    browser.page = String::from_utf8(review.body).expect("text");
    for said in [
        "Add $37.50?",
        "Charged to Visa ending in 4242",
        ">$62.50<",
        ">Add $37.50<",
    ] {
        assert!(browser.page.contains(said), "no {said}");
    }
    browser.submit("/wallet/top-ups", &[]).await;
    assert_eq!(browser.balance(), "$62.50");

    // Where the script has shown it, it is not shown again.
    let shown = [
        ("amount", "other"),
        ("other", "12.50"),
        ("reviewed", "12.500000"),
    ];
    browser.submit("/wallet/top-ups", &shown).await;
    assert_eq!(browser.balance(), "$75.00");
    app.verify();
}

#[tokio::test]
async fn a_form_that_is_sent_twice_charges_once() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", Some("pm_card_visa")).await;
    let mut browser = Browser::of(&app, &customer).await;
    let body = browser.form("/wallet/top-ups", &[("amount", "25.00")]);
    let first = browser.send("POST", "/wallet/top-ups", &body).await;
    let second = browser.send("POST", "/wallet/top-ups", &body).await;
    assert_eq!((first.status, second.status), (303, 303));
    assert_eq!(available(&app, &id).await, "25.00");
    browser.follow(second).await;
    assert_eq!(browser.told(), "This was done already");

    // Changed after it was sent, it is another request: nothing is done.
    let changed = body.replace("amount=25%2E00", "amount=50%2E00");
    assert_ne!(changed, body);
    let refused = browser.send("POST", "/wallet/top-ups", &changed).await;
    assert_eq!(refused.status, 422);
    assert_eq!(available(&app, &id).await, "25.00");
    app.verify();
}

#[tokio::test]
async fn what_is_refused_is_said_at_its_field_and_what_was_typed_stays() {
    let app = TestApp::start();
    let (customer, _) = wallet(&app, "es", Some("pm_card_visa")).await;
    let mut browser = Browser::of(&app, &customer).await;
    for (typed, said) in [
        ("", "Escriba un importe."),
        ("mucho", "Escriba un importe en cifras, por ejemplo 25,50."),
        (
            "1,000",
            "«1,000» puede leerse de dos maneras. Escríbalo como 25,50.",
        ),
        ("9,99", "El mínimo es 10,00\u{a0}US$."),
        ("1000,01", "El máximo por pago es 1.000,00\u{a0}US$."),
        (
            "25,5055",
            "A una tarjeta se le cobran céntimos enteros, por ejemplo 25,50.",
        ),
        ("<b>", "Escriba un importe en cifras, por ejemplo 25,50."),
    ] {
        let values = [("amount", "other"), ("other", typed)];
        let answer = browser.post("/wallet/top-ups", &values).await;
        assert_eq!(answer.status, 422, "{typed}");
        let page = String::from_utf8(answer.body).expect("text");
        let escaped = typed.replace('<', "&#60;").replace('>', "&#62;");
        for part in [
            format!(r##"<a href="#other">{said}</a>"##),
            format!(r#"<p class="error" id="other-e">{said}</p>"#),
            format!(r#"name="other" value="{escaped}""#),
            r#"aria-invalid="true""#.to_owned(),
            r#"role="alert" tabindex="-1" autofocus"#.to_owned(),
        ] {
            assert!(page.contains(&part), "{typed}: no {part}");
        }
    }
    let gone = [("amount", "25.00"), ("method", "pm_0cnzfbdf40001")];
    let answer = browser.post("/wallet/top-ups", &gone).await;
    assert_eq!(answer.status, 422);
}

#[tokio::test]
async fn t6_a_decline_says_what_to_do_in_the_customers_language() {
    let app = TestApp::start();
    let card = "pm_card_chargeDeclinedInsufficientFunds";
    let (customer, _) = wallet(&app, "es-MX", Some(card)).await;
    let mut browser = Browser::of(&app, &customer).await;
    browser
        .submit("/wallet/top-ups", &[("amount", "25.00")])
        .await;
    assert_eq!(browser.told(), "El pago fue rechazado");
    let reason = "La tarjeta no tiene saldo suficiente";
    // In the notice, and in the list.
    assert_eq!(browser.page.matches(reason).count(), 2, "{}", browser.page);
    assert!(browser.page.contains("Fallido"));
    assert_eq!(browser.balance(), "0,00US$");
}

#[tokio::test]
async fn the_bank_and_the_payment_page_are_led_to() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", Some("pm_card_authenticationRequired")).await;
    let mut browser = Browser::of(&app, &customer).await;
    let to_bank = browser
        .post("/wallet/top-ups", &[("amount", "25.00")])
        .await;
    let bank = to_bank.header("location").to_owned();
    assert!(bank.contains("/sandbox/authenticate/"), "{bank}");
    browser.open("/wallet").await;
    assert!(
        browser
            .page
            .contains("Your bank wants you to confirm this payment.")
    );
    assert!(browser.page.contains(&bank));

    let new = [("amount", "50.00"), ("method", "new")];
    let to_page = browser.post("/wallet/top-ups", &new).await;
    let page = to_page.header("location").to_owned();
    assert!(page.contains("/sandbox/checkout/"), "{page}");
    let card = "card=pm_card_visa&promotion=SAVE10";
    let paid = browser.send("POST", &browser.own(&page), card).await;
    browser.follow(paid).await;
    assert_eq!(browser.told(), "$50.00 was added");
    assert_eq!(available(&app, &id).await, "50.00");
    app.verify();
}

#[tokio::test]
async fn cards_are_made_the_default_and_removed() {
    let app = TestApp::start();
    let (customer, _) = wallet(&app, "en", Some("pm_card_visa")).await;
    let other = save_card(&app, &customer, "pm_card_mastercard").await;
    let mut browser = Browser::of(&app, &customer).await;
    let path = format!("/wallet/payment-methods/{other}");
    browser.submit(&format!("{path}/default"), &[]).await;
    assert_eq!(
        browser.told(),
        "Mastercard ending in 4444 is the default now"
    );
    browser.submit(&format!("{path}/remove"), &[]).await;
    assert_eq!(browser.told(), "The card was removed");
    assert!(!browser.page.contains("Mastercard"));
}

#[tokio::test]
async fn language_and_theme_are_remembered_in_this_browser() {
    let app = TestApp::start();
    let (customer, _) = wallet(&app, "en", None).await;
    let mut browser = Browser::of(&app, &customer).await;
    browser
        .submit("/wallet/language", &[("language", "es")])
        .await;
    browser.submit("/wallet/theme", &[("theme", "dark")]).await;
    let html = r#"<html lang="es" data-theme="dark">"#;
    assert!(browser.page.contains(html), "{}", browser.page);
    browser.open("/wallet/help").await;
    assert!(browser.page.contains(html));
    let wrong = browser.post("/wallet/theme", &[("theme", "pink")]).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn another_customers_wallet_is_as_unknown_as_none() {
    let app = TestApp::start();
    let (_, other) = wallet(&app, "en", None).await;
    let (customer, own) = wallet(&app, "en", Some("pm_card_visa")).await;
    let mut browser = Browser::of(&app, &customer).await;
    for path in [
        format!("/wallet?wallet={other}"),
        format!("/wallet/live?wallet={other}"),
        format!("/wallet/transactions.csv?wallet={other}"),
        "/wallet?wallet=wal_0000000000000".to_owned(),
        "/wallet?wallet=%FF".to_owned(),
    ] {
        let answer = browser.send("GET", &path, "").await;
        // What is no text asks for no wallet: the own one is shown.
        let expected = if path.ends_with("%FF") { 200 } else { 404 };
        assert_eq!(answer.status, expected, "{path}");
    }
    for action in [
        "/wallet/top-ups",
        "/wallet/sync",
        "/wallet/auto-recharge",
        "/wallet/payment-methods",
    ] {
        let body = browser.form(action, &[("wallet", &other)]);
        let answer = browser.send("POST", action, &body).await;
        assert_eq!(answer.status, 404, "{action}");
        // And no form goes without the token of its session.
        let token = encoded("token");
        let body = browser.form(action, &[("wallet", &own), (&token, "0")]);
        let answer = browser.send("POST", action, &body).await;
        assert_eq!(answer.status, 403, "{action}");
    }
    for path in ["/wallet", "/wallet/help", "/wallet/live"] {
        assert_eq!(
            visit(&app, "GET", path, &[], "").await.status,
            401,
            "{path}"
        );
    }
}

#[tokio::test]
async fn each_of_several_wallets_has_its_page() {
    let app = TestApp::start();
    let (customer, dollars) = wallet(&app, "en", None).await;
    let body = json!({"customer_id": customer, "currency": "JPY", "name": "Tokyo",
        "initial_credit": {"amount": "1200", "funding_type": "promotional"}});
    let yen = app.post("/v1/wallets", "yen", &body.to_string()).await;
    let yen = yen.json()["id"].as_str().expect("an id").to_owned();
    let mut browser = Browser::of(&app, &customer).await;
    assert_eq!(browser.balance(), "$0.00");
    assert!(browser.page.contains(&format!("/wallet?wallet={yen}")));
    browser.open(&format!("/wallet?wallet={yen}")).await;
    assert_eq!(browser.balance(), "¥1,200");
    assert!(browser.page.contains("Tokyo"));
    assert!(browser.page.contains(&format!("/wallet?wallet={dollars}")));
}

#[tokio::test]
async fn a_customer_without_a_wallet_is_told_so() {
    let app = TestApp::start();
    let customer = customer(&app, "en").await;
    let browser = Browser::of(&app, &customer).await;
    assert!(browser.page.contains("There is no wallet yet"));
}

#[tokio::test]
async fn t5_sync_says_what_it_found() {
    let app = TestApp::start();
    let (customer, _) = wallet(&app, "en", Some("pm_card_timeoutThenSuccess")).await;
    let mut browser = Browser::of(&app, &customer).await;
    browser.submit("/wallet/sync", &[]).await;
    assert_eq!(browser.told(), "Everything is up to date");
    browser
        .submit("/wallet/top-ups", &[("amount", "25.00")])
        .await;
    if browser.told() == "The payment is under way" {
        browser.submit("/wallet/sync", &[]).await;
        assert_eq!(browser.told(), "1 payment was found and $25.00 added");
    }
    browser.open("/wallet").await;
    assert_eq!(browser.balance(), "$25.00");
    app.verify();
}

#[tokio::test]
async fn n1_the_banner_warns_below_the_amounts_that_the_customer_chose() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", None).await;
    let credit = json!({"amount": "30.00", "funding_type": "cash"}).to_string();
    let path = format!("/v1/wallets/{id}/credits");
    assert_eq!(app.post(&path, "credit", &credit).await.status, 201);
    let mut browser = Browser::of(&app, &customer).await;
    assert!(!browser.page.contains("Low balance:"));

    let wrong = [("threshold", "a lot")];
    let refused = browser.post("/wallet/alerts", &wrong).await;
    assert_eq!(refused.status, 422);
    let page = String::from_utf8(refused.body).expect("text");
    assert!(
        page.contains(r##"<a href="#alert-1">Type an amount in digits"##),
        "{page}"
    );

    browser
        .submit("/wallet/alerts", &[("threshold", "45,50")])
        .await;
    assert_eq!(browser.told(), "The alert was saved");
    assert_eq!(browser.text_of("low"), "Low balance: $30.00 left");
    let saved = get(&app, &format!("/v1/wallets/{id}/alerts")).await;
    assert_eq!(saved["thresholds"], json!(["45.50", "0.00"]));
    assert_eq!(saved["channels"], json!(["email", "webhook", "banner"]));

    // Without the box no banner is shown; other ways stay as they are.
    let body = browser
        .form("/wallet/alerts", &[])
        .replace("&banner=yes", "");
    let saved = browser.send("POST", "/wallet/alerts", &body).await;
    browser.follow(saved).await;
    assert!(!browser.page.contains("Low balance:"));
    let saved = get(&app, &format!("/v1/wallets/{id}/alerts")).await;
    assert_eq!(saved["channels"], json!(["email", "webhook"]));
}

#[tokio::test]
async fn r39_a_closed_wallet_shows_its_movements_and_takes_nothing() {
    let app = TestApp::start();
    let (customer, id) = wallet(&app, "en", Some("pm_card_visa")).await;
    let path = |rest: &str| format!("/v1/wallets/{id}{rest}");
    let gift = r#"{"amount":"5.00","funding_type":"promotional"}"#;
    assert_eq!(app.post(&path("/credits"), "gift", gift).await.status, 201);
    let top_up = r#"{"amount":"20.00"}"#;
    assert_eq!(app.post(&path("/top-ups"), "pay", top_up).await.status, 201);
    let close = r#"{"refund":"original"}"#;
    assert_eq!(app.post(&path("/close"), "close", close).await.status, 200);
    let browser = Browser::of(&app, &customer).await;
    for text in [
        "This wallet is closed",
        "Nothing can be added to a closed wallet.",
        "Withdrawal",
        "Balance forfeited",
    ] {
        assert!(browser.page.contains(text), "no {text:?}: {}", browser.page);
    }
}
