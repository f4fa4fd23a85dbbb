//! Many debits at once below the threshold: one charge in flight, the cap never passed, no charge while an outcome is
//! unknown (A2–A4, R18).

use crate::app::TestApp;
use serde_json::{Value, json};

async fn recharged(app: &TestApp, token: &str, start: &str, threshold: &str, cap: &str) -> String {
    let wallet = app.wallet_with(start).await;
    let path = format!("/v1/wallets/{wallet}");
    let customer = app.get(&path).await.json()["customer_id"].clone();
    let customer = customer.as_str().expect("an id");
    let body = json!({"token": token}).to_string();
    let methods = format!("/v1/customers/{customer}/payment-methods");
    assert_eq!(app.post(&methods, "", &body).await.status, 201);
    let body =
        json!({"enabled": true, "threshold": threshold, "amount": "25.00", "monthly_cap": cap});
    let saved = app
        .put(&format!("{path}/auto-recharge"), &body.to_string())
        .await;
    assert_eq!(saved.status, 200, "{}", saved.json());
    wallet
}

async fn debit_all_at_once(app: &TestApp, wallet: &str, round: usize) {
    let path = format!("/v1/wallets/{wallet}/debits");
    let debits = (0..100).map(|number| {
        let path = path.clone();
        async move {
            let key = format!("{round}-{number}");
            app.post(&path, &key, r#"{"amount":"0.21"}"#).await.status
        }
    });
    let statuses = futures_util::future::join_all(debits).await;
    assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
}

async fn recharges(app: &TestApp, wallet: &str) -> Vec<Value> {
    let path = format!("/v1/wallets/{wallet}/top-ups?limit=100");
    let list = app.get(&path).await.json();
    list["data"].as_array().expect("a list").clone()
}

fn with_status(all: &[Value], status: &str) -> usize {
    all.iter().filter(|one| one["status"] == status).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a03_while_an_outcome_is_unknown_no_other_charge_is_begun() {
    let app = TestApp::start_without_worker();
    let wallet = recharged(&app, "pm_card_timeoutThenSuccess", "150", "140", "1000").await;
    let who = app.service.authenticate(crate::app::KEY).expect("the key");
    for round in 0..3 {
        debit_all_at_once(&app, &wallet, round).await;
        let open = recharges(&app, &wallet).await;
        assert_eq!(with_status(&open, "processing"), 1, "{open:?}");
        let id = open[0]["id"].as_str().expect("an id");
        let id = tillbox_core::id::TopUpId::parse(id).expect("an id");
        // The reply of the charge is lost; whoever debits now sees it as pending.
        app.service.ask_provider(id).await.expect("asked");
        debit_all_at_once(&app, &wallet, round + 10).await;
        let open = recharges(&app, &wallet).await;
        assert_eq!(with_status(&open, "processing"), 1, "{open:?}");
        let wallet_id = tillbox_core::id::WalletId::parse(&wallet).expect("an id");
        let synced = app.service.sync_wallet(&who, wallet_id).await;
        assert_eq!(synced.expect("told").credited, [id]);
    }
    let all = recharges(&app, &wallet).await;
    assert_eq!(with_status(&all, "succeeded"), 3, "{all:?}");
    app.verify();
}

/// The process ended before it called the provider, and was down for longer than the provider keeps keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_that_never_reached_the_provider_fails_after_a_day_and_blocks_nothing() {
    let app = TestApp::start_without_worker();
    let wallet = recharged(&app, "pm_card_visa", "60", "50", "1000").await;
    let path = format!("/v1/wallets/{wallet}/debits");
    let debit = app.post(&path, "one", r#"{"amount":"15"}"#).await;
    assert_eq!(debit.status, 201);
    let open = recharges(&app, &wallet).await;
    let id = open[0]["id"].as_str().expect("an id");
    let id = tillbox_core::id::TopUpId::parse(id).expect("an id");
    for (hours, status) in [(21, "processing"), (2, "processing"), (1, "failed")] {
        app.wait(hours * 3_600 + 1);
        app.service.ask_provider(id).await.expect("asked");
        let all = recharges(&app, &wallet).await;
        assert_eq!(all[0]["status"], status, "{all:?}");
    }
    let balance = app.get(&format!("/v1/wallets/{wallet}")).await.json();
    assert_eq!(balance["balance"], "45.00", "{balance}");
    assert_eq!(balance["pending_top_ups"], "0.00", "{balance}");
    app.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a04_a_hundred_debits_at_once_never_pass_the_cap() {
    let app = TestApp::start();
    let wallet = recharged(&app, "pm_card_visa", "60", "50", "60").await;
    let path = format!("/v1/wallets/{wallet}/auto-recharge");
    let id = tillbox_core::id::WalletId::parse(&wallet).expect("an id");
    let who = app.service.authenticate(crate::app::KEY).expect("the key");
    for round in 0..3 {
        debit_all_at_once(&app, &wallet, round).await;
        let over = app.service.wait_for_charges(&who, id).await;
        over.expect("no charge is under way");
    }
    let all = recharges(&app, &wallet).await;
    assert_eq!(with_status(&all, "succeeded"), 2, "{all:?}");
    assert_eq!(all.len(), 2, "{all:?}");
    let health = app.get(&path).await.json();
    assert_eq!(health["month_charged"], "50.00");
    assert_eq!(health["state"], "armed");
    assert_eq!(health["reason"], "monthly_cap_reached");
    app.verify();
}
