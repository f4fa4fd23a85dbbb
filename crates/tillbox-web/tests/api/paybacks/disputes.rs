//! Disputes: the test card, the sandbox's bank, the list, and what the wallet shows.

use super::{Paid, paid, principal, set_faults};
use crate::app::TestApp;
use serde_json::json;
use tillbox_core::payback::DisputeStatus::{Lost, Open, Won};
use tillbox_service::payments::sandbox::Faults;
use tillbox_service::payments::{Notice, PaymentState};

/// The sandbox tells what it would tell by itself.
async fn told(app: &TestApp, provider_id: &str) {
    let merchant = principal(app).merchant_id;
    let sandbox = app.service.sandbox();
    let notice = sandbox.look_up_dispute(merchant, provider_id).await;
    let notice = notice.expect("an answer").expect("a dispute");
    let taken = app.service.take_notice(merchant, Notice::Dispute(notice));
    taken.await.expect("taken");
}

async fn open(app: &TestApp, paid: &Paid) -> String {
    let body = json!({"top_up_id": paid.top_up}).to_string();
    let opened = app.post("/v1/sandbox/disputes", "", &body).await;
    assert_eq!(opened.status, 201, "{}", opened.json());
    let id = opened.json()["provider_dispute_id"].clone();
    id.as_str().expect("an id").to_owned()
}

async fn decide(app: &TestApp, id: &str, status: &str) {
    let path = format!("/v1/sandbox/disputes/{id}/decide");
    let body = json!({ "status": status }).to_string();
    assert_eq!(app.post(&path, "", &body).await.status, 200);
    told(app, id).await;
}

#[tokio::test]
async fn r28_a_dispute_reserves_then_takes_then_gives_back() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_visa", "100").await;
    paid.debit(&app, "30").await;
    let id = open(&app, &paid).await;
    told(&app, &id).await;
    let wallet = app.get(&paid.path()).await.json();
    assert_eq!(
        (&wallet["balance"], &wallet["held"]),
        (&json!("70.00"), &json!("70.00"))
    );
    assert_eq!(wallet["available_balance"], "0.00");
    assert_eq!(wallet["status"], "active");
    // What it reserves is no hold of a caller's.
    let holds = app.get(&format!("{}/holds", paid.path())).await.json();
    assert_eq!(holds["data"], json!([]));
    let refund = app.post(&paid.refund_path(), "x", "{}").await;
    refund.problem(422, "refund_exceeds_remaining");

    decide(&app, &id, "lost").await;
    let wallet = app.get(&paid.path()).await.json();
    assert_eq!(
        (&wallet["balance"], &wallet["debt"]),
        (&json!("-30.00"), &json!("30.00"))
    );
    assert_eq!(paid.top_up(&app).await["charged_back"], "100.00");
    decide(&app, &id, "won").await;
    assert_eq!(paid.balance(&app).await, "70.00");

    let list = app.get("/v1/disputes").await.json();
    let dispute = &list["data"][0];
    assert_eq!(dispute["status"], "won");
    assert_eq!(dispute["amount"], "100.00");
    assert_eq!(dispute["top_up_id"], paid.top_up.as_str());
    assert_eq!(dispute["provider_dispute_id"], id.as_str());
    for (event_type, transaction) in [
        ("dispute.opened", json!(null)),
        ("dispute.lost", json!("chargeback")),
        ("dispute.won", json!("reversal")),
    ] {
        let path = format!("/v1/events?type={event_type}");
        let events = app.get(&path).await.json();
        let data = &events["data"][0]["data"];
        assert_eq!(data["dispute"]["id"], dispute["id"], "{events}");
        assert_eq!(data["transaction"]["reason"], transaction, "{event_type}");
    }
    app.verify();
}

#[tokio::test]
async fn r28_the_test_card_is_disputed_at_once() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_createDispute", "50").await;
    assert_eq!(paid.balance(&app).await, "50.00");
    let merchant = principal(&app).merchant_id;
    let sandbox = app.service.sandbox();
    let disputes = sandbox.disputes_of(merchant, paid.top_up_id()).await;
    let disputes = disputes.expect("an answer");
    assert_eq!(disputes.len(), 1);
    told(&app, &disputes[0].provider_id).await;
    assert_eq!(app.get(&paid.path()).await.json()["held"], "50.00");
}

#[tokio::test]
async fn r28_the_wallet_is_frozen_where_the_merchant_says_so() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_visa", "50").await;
    let patch = app
        .patch("/v1/settings", r#"{"freeze_on_dispute":true}"#)
        .await;
    assert_eq!(patch.json()["freeze_on_dispute"], true);
    paid.tell(&app, Open, "50").await;
    assert_eq!(app.get(&paid.path()).await.json()["status"], "frozen");
    let frozen = app.get("/v1/events?type=wallet.frozen").await.json();
    assert_eq!(frozen["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn r28_a_payment_that_fails_after_it_was_credited_is_taken_back() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_visa", "50").await;
    paid.debit(&app, "20").await;
    let path = format!("/v1/sandbox/top-ups/{}/fail", paid.top_up);
    assert_eq!(app.post(&path, "", "{}").await.status, 200);
    let merchant = principal(&app).merchant_id;
    let payment = app
        .service
        .sandbox()
        .look_up(merchant, paid.top_up_id())
        .await;
    let payment = payment.expect("an answer").expect("a payment");
    assert!(matches!(payment.state, PaymentState::Failed(_)));
    for _ in 0..2 {
        let taken = app
            .service
            .take_notice(merchant, Notice::Payment(payment.clone()));
        taken.await.expect("taken");
    }
    assert_eq!(paid.balance(&app).await, "-20.00");
    // What was charged and declined before is not taken for it.
    let mut other = payment.clone();
    other.id = "pi_of_a_backup".to_owned();
    let taken = app.service.take_notice(merchant, Notice::Payment(other));
    taken.await.expect("taken");
    assert_eq!(paid.balance(&app).await, "-20.00");
    let list = app.get("/v1/disputes?status=lost").await.json();
    assert_eq!(list["data"][0]["reason"], "bank_returned_it");
    app.verify();
}

/// No notice came: the bank has taken it back all the same.
#[tokio::test]
async fn r28_sync_finds_a_payment_that_failed_after_it_was_credited() {
    let app = TestApp::start_without_worker();
    let paid = paid(&app, "pm_card_visa", "50").await;
    set_faults(
        &app,
        Faults {
            lose_notices: 10,
            ..Faults::default()
        },
    )
    .await;
    let path = format!("/v1/sandbox/top-ups/{}/fail", paid.top_up);
    assert_eq!(app.post(&path, "", "{}").await.status, 200);
    for _ in 0..2 {
        super::sync(&app, &paid).await;
        assert_eq!(paid.balance(&app).await, "0.00");
    }
    app.verify();
}

#[tokio::test]
async fn r28_a_dispute_that_is_told_before_the_payment_is_known_finds_it() {
    let app = TestApp::start_without_worker();
    let merchant = principal(&app).merchant_id;
    let first = paid(&app, "pm_card_visa", "10").await;
    let body = json!({"amount": "40"}).to_string();
    let faults = tillbox_service::payments::sandbox::Faults {
        lose_replies: 1,
        ..Default::default()
    };
    super::set_faults(&app, faults).await;
    let asked = app
        .post(&format!("{}/top-ups", first.path()), "second", &body)
        .await;
    let second = Paid {
        wallet: first.wallet.clone(),
        top_up: asked.json()["id"].as_str().expect("an id").to_owned(),
    };
    // The provider does not know it yet: it is told to come again.
    let early = app
        .service
        .sandbox()
        .look_up(merchant, second.top_up_id())
        .await;
    assert_eq!(early.expect("an answer"), None);
    app.service
        .ask_provider(second.top_up_id())
        .await
        .expect("asked");
    assert_eq!(second.balance(&app).await, "10.00");
    second.tell(&app, Lost, "40").await;
    assert_eq!(second.balance(&app).await, "10.00");
    assert_eq!(second.top_up(&app).await["charged_back"], "40.00");
    app.verify();
}

#[tokio::test]
async fn disputes_are_listed_newest_first_by_wallet_and_status() {
    let app = TestApp::start();
    let one = paid(&app, "pm_card_visa", "10").await;
    let two = paid(&app, "pm_card_visa", "20").await;
    one.tell(&app, Open, "10").await;
    two.tell(&app, Open, "20").await;
    one.tell(&app, Won, "10").await;
    let amounts = |query: String| {
        let app = &app;
        async move {
            let list = app.get(&format!("/v1/disputes{query}")).await.json();
            let rows = list["data"].as_array().expect("a list").iter();
            rows.map(|row| row["amount"].as_str().expect("text").to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(amounts(String::new()).await, ["20.00", "10.00"]);
    assert_eq!(amounts("?status=open".to_owned()).await, ["20.00"]);
    assert_eq!(amounts("?status=won".to_owned()).await, ["10.00"]);
    assert_eq!(
        amounts(format!("?wallet_id={}", one.wallet)).await,
        ["10.00"]
    );
    let page = app.get("/v1/disputes?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let query = format!("?limit=1&cursor={cursor}");
    assert_eq!(amounts(query).await, ["10.00"]);
    let unknown = app.get("/v1/disputes?wallet_id=wal_0000000000001").await;
    unknown.problem(404, "not_found");
    let wrong = app.get("/v1/disputes?status=closed").await;
    wrong.problem(400, "invalid_request");
}

/// The wallet's held value and balance, behind a notice that was lost.
async fn stands(app: &TestApp, paid: &Paid) -> (serde_json::Value, serde_json::Value) {
    let wallet = app.get(&paid.path()).await.json();
    (wallet["held"].clone(), wallet["balance"].clone())
}

#[tokio::test]
async fn r28_a_dispute_that_no_notice_told_of_is_found_and_so_is_its_end() {
    let app = TestApp::start_without_worker();
    let paid = paid(&app, "pm_card_visa", "100").await;
    let id = open(&app, &paid).await;
    assert_eq!(stands(&app, &paid).await, (json!("0.00"), json!("100.00")));
    let found = async || app.service.reconcile_disputes().await.expect("asked");
    found().await;
    assert_eq!(
        stands(&app, &paid).await,
        (json!("100.00"), json!("100.00"))
    );
    found().await;
    // The bank takes its time: by then it is asked about as it is open here.
    app.wait(40 * 86_400);
    let path = format!("/v1/sandbox/disputes/{id}/decide");
    let lost = app.post(&path, "", r#"{"status":"lost"}"#).await;
    assert_eq!(lost.status, 200);
    found().await;
    assert_eq!(stands(&app, &paid).await, (json!("0.00"), json!("0.00")));
    found().await;
    let events = app.get("/v1/events?limit=100").await.json();
    let events = events["data"].as_array().expect("events").iter();
    let told: Vec<&str> = events
        .filter_map(|event| event["type"].as_str())
        .filter(|one| one.starts_with("dispute."))
        .collect();
    assert_eq!(told, ["dispute.opened", "dispute.lost"], "each once");
    app.verify();
}

#[tokio::test]
async fn r28_the_worker_and_sync_find_lost_disputes() {
    let app = TestApp::start_without_worker();
    let first = paid(&app, "pm_card_createDispute", "50").await;
    super::sync(&app, &first).await;
    assert_eq!(stands(&app, &first).await.0, "50.00");
    let second = paid(&app, "pm_card_createDispute", "60").await;
    tokio::spawn(std::sync::Arc::clone(&app.service).run_payments());
    for _ in 0..250 {
        if stands(&app, &second).await.0 == "60.00" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it was never found");
}

/// A hold, by its id.
async fn hold(app: &TestApp, paid: &Paid, amount: &str, seconds: i64) -> String {
    let body = json!({"amount": amount, "expires_in": seconds}).to_string();
    let path = format!("{}/holds", paid.path());
    let placed = app.post(&path, &format!("hold {amount}"), &body).await;
    assert_eq!(placed.status, 201, "{}", placed.json());
    placed.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn r28_what_a_hold_sets_free_of_a_disputed_payment_is_never_spendable() {
    let app = TestApp::start();
    let paid = paid(&app, "pm_card_visa", "100").await;
    let first = hold(&app, &paid, "30", 600).await;
    let second = hold(&app, &paid, "25", 600).await;
    hold(&app, &paid, "20", 600).await;
    let id = open(&app, &paid).await;
    told(&app, &id).await;
    let all = (json!("100.00"), json!("100.00"));
    assert_eq!(stands(&app, &paid).await, all);
    // Given back by its caller.
    let path = format!("{}/holds/{first}/release", paid.path());
    assert_eq!(app.post(&path, "release", "{}").await.status, 200);
    assert_eq!(stands(&app, &paid).await, all);
    let path = format!("{}/debits", paid.path());
    let refused = app.post(&path, "debit", r#"{"amount":"0.01"}"#).await;
    refused.problem(402, "insufficient_funds");
    // Captured in part: the rest is not the customer's again.
    let path = format!("{}/holds/{second}/capture", paid.path());
    let captured = app.post(&path, "capture", r#"{"amount":"10"}"#).await;
    assert_eq!(captured.status, 201, "{}", captured.json());
    assert_eq!(stands(&app, &paid).await, (json!("90.00"), json!("90.00")));
    // A refund of what was captured comes back to the lot, and a hold that is over gives its value back.
    let spent = captured.json()["id"].as_str().expect("an id").to_owned();
    let path = format!("{}/transactions/{spent}/refund", paid.path());
    assert_eq!(app.post(&path, "refund", "{}").await.status, 201);
    app.wait(601);
    assert_eq!(stands(&app, &paid).await, all, "as read, booked or not");
    let wallet = app.get(&paid.path()).await.json();
    assert_eq!(wallet["available_balance"], "0.00");
    let holds = app.get(&format!("{}/holds", paid.path())).await.json();
    let holds = holds["data"].as_array().expect("a list").iter();
    let statuses: Vec<&str> = holds.filter_map(|one| one["status"].as_str()).collect();
    assert_eq!(statuses, ["expired", "captured", "released"]);
    // Who follows the wallet by its events is told of it.
    let events = app.get("/v1/events?type=wallet.updated").await.json();
    let last = &events["data"][0]["data"];
    assert_eq!(last["wallet"]["held"], "100.00", "{events}");
    assert_eq!(last["wallet"]["available_balance"], "0.00", "{events}");
    app.verify();

    decide(&app, &id, "lost").await;
    assert_eq!(stands(&app, &paid).await, (json!("0.00"), json!("0.00")));
    decide(&app, &id, "won").await;
    assert_eq!(stands(&app, &paid).await, (json!("0.00"), json!("100.00")));
    app.verify();
    let app = app.restart().await;
    assert_eq!(stands(&app, &paid).await, (json!("0.00"), json!("100.00")));
}

#[tokio::test]
async fn r28_what_disputes_of_one_payment_reserve_outlives_a_restart_and_the_first_of_them() {
    let app = TestApp::start_without_worker();
    let paid = paid(&app, "pm_card_visa", "100").await;
    let held = hold(&app, &paid, "100", 600).await;
    let first = open(&app, &paid).await;
    told(&app, &first).await;
    paid.tell(&app, Open, "40").await;
    let app = app.restart().await;
    let path = format!("{}/holds/{held}/release", paid.path());
    assert_eq!(app.post(&path, "release", "{}").await.status, 200);
    assert_eq!(
        stands(&app, &paid).await,
        (json!("100.00"), json!("100.00"))
    );
    decide(&app, &first, "won").await;
    assert_eq!(stands(&app, &paid).await, (json!("40.00"), json!("100.00")));
    app.verify();
    let app = app.restart().await;
    paid.tell(&app, Lost, "40").await;
    assert_eq!(stands(&app, &paid).await, (json!("0.00"), json!("60.00")));
    app.verify();
}

/// A payment fails, and the provider's notice of that is lost.
async fn fail_unheard(app: &TestApp, paid: &Paid) {
    let faults = Faults {
        lose_notices: 10,
        ..Faults::default()
    };
    set_faults(app, faults).await;
    let path = format!("/v1/sandbox/top-ups/{}/fail", paid.top_up);
    assert_eq!(app.post(&path, "", "{}").await.status, 200);
}

const HOUR: i64 = 3_600;

#[tokio::test]
async fn r28_a_payment_that_failed_after_it_was_credited_is_found_without_notice_or_sync() {
    let app = TestApp::start_without_worker();
    let paid = paid(&app, "pm_card_visa", "50").await;
    let check = async || app.service.check_credited().await.expect("asked");
    check().await;
    app.wait(HOUR);
    check().await;
    fail_unheard(&app, &paid).await;
    check().await;
    assert_eq!(paid.balance(&app).await, "50.00", "it is not due yet");
    app.wait(2 * HOUR);
    check().await;
    assert_eq!(paid.balance(&app).await, "0.00");
    let list = app.get("/v1/disputes?status=lost").await.json();
    assert_eq!(list["data"][0]["reason"], "bank_returned_it");
    app.wait(4 * HOUR);
    check().await;
    assert_eq!(paid.balance(&app).await, "0.00", "once");
    app.verify();
}

#[tokio::test]
async fn r28_a_credited_payment_is_asked_about_eleven_times_in_85_days() {
    let app = TestApp::start_without_worker();
    let (late, too_late) = (
        paid(&app, "pm_card_visa", "50").await,
        paid(&app, "pm_card_visa", "60").await,
    );
    let check = async || app.service.check_credited().await.expect("asked");
    check().await;
    for doubling in 0..10 {
        app.wait(HOUR << doubling);
        check().await;
    }
    fail_unheard(&app, &late).await;
    app.wait(HOUR << 10);
    check().await;
    assert_eq!(late.balance(&app).await, "0.00", "85 days later");
    fail_unheard(&app, &too_late).await;
    app.wait(365 * 24 * HOUR);
    check().await;
    assert_eq!(
        too_late.balance(&app).await,
        "60.00",
        "nobody asks any more"
    );
    super::sync(&app, &too_late).await;
    assert_eq!(too_late.balance(&app).await, "0.00", "but by Sync");
}

#[tokio::test]
async fn r28_the_worker_finds_a_credited_payment_that_failed() {
    let app = TestApp::start_without_worker();
    let paid = paid(&app, "pm_card_visa", "50").await;
    app.service.check_credited().await.expect("scheduled");
    fail_unheard(&app, &paid).await;
    app.wait(HOUR);
    tokio::spawn(std::sync::Arc::clone(&app.service).run_payments());
    for _ in 0..250 {
        if paid.balance(&app).await == "0.00" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it was never found");
}
