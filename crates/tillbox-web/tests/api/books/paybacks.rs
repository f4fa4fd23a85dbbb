//! Payments that go back, in the books: the bonus of a payment is no money, whatever it is taken from (R27, R28).

use super::{balances, book, journal, read, wallet_in};
use crate::app::TestApp;
use serde_json::json;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::id::TopUpId;
use tillbox_core::payback::DisputeStatus;
use tillbox_service::payments::{DisputeNotice, Notice, Payment, PaymentState};

fn units(amount: &str) -> Amount {
    Amount::parse(amount).expect("an amount")
}

/// A wallet with a payment of 110.00, of which 100.00 were charged; 30.00 are spent, the bonus first.
async fn spent(app: &TestApp) -> (String, TopUpId) {
    let wallet = wallet_in(app, "USD").await;
    let urls = json!({"success_url": "https://a.example/", "cancel_url": "https://a.example/"});
    let top_up = book(
        app,
        &wallet,
        "top-ups",
        json!({"amount": "110", "checkout": urls}),
    )
    .await;
    let id = TopUpId::parse(&top_up).expect("an id");
    let payment = Payment {
        id: "pi_1".to_owned(),
        top_up_id: id,
        state: PaymentState::Succeeded {
            subtotal: units("110"),
            charged: units("100"),
            currency: Currency::parse("USD").expect("a currency"),
        },
    };
    let merchant = app
        .service
        .authenticate(crate::app::KEY)
        .expect("the key")
        .merchant_id;
    app.service.learn(merchant, &payment).await.expect("learnt");
    book(app, &wallet, "debits", json!({"amount": "30"})).await;
    (wallet, id)
}

/// The balances of all accounts, and that the trial balance says the same.
async fn accounts(app: &TestApp) -> Vec<(String, i64)> {
    let balances = balances(&journal(app, "", 100).await);
    let report = read(app, "/v1/reports/trial-balance").await;
    let data = report["data"].as_array().expect("data");
    let mut sum = 0;
    for line in data {
        let micros = units(line["balance"].as_str().expect("an amount")).micros();
        let account = line["account"].as_str().expect("a name").to_owned();
        let known = balances.get(&("USD".to_owned(), account));
        assert_eq!(known.copied().unwrap_or(0), micros, "{line}");
        sum += micros;
    }
    assert_eq!(sum, 0, "{report}");
    let shown = balances.into_iter();
    shown
        .map(|((_, account), micros)| (account, micros / 1_000_000))
        .collect()
}

fn own(accounts: &[(&str, i64)]) -> Vec<(String, i64)> {
    let accounts = accounts.iter();
    accounts
        .map(|(account, units)| ((*account).to_owned(), *units))
        .collect()
}

#[tokio::test]
async fn r27_the_bonus_that_is_made_good_from_cash_is_no_payout() {
    let app = TestApp::start_without_worker();
    let (wallet, top_up) = spent(&app).await;
    book(
        &app,
        &wallet,
        &format!("top-ups/{top_up}/refund"),
        json!({}),
    )
    .await;
    let expected = own(&[
        ("liability_cash", -3),
        ("payment_clearing", 100),
        ("payouts", -70),
        ("promotional_expense", 3),
        ("revenue", -30),
    ]);
    assert_eq!(accounts(&app).await, expected);
    app.verify();
}

#[tokio::test]
async fn r28_a_lost_dispute_and_one_that_is_won_leave_the_books_right() {
    let app = TestApp::start_without_worker();
    let (_wallet, top_up_id) = spent(&app).await;
    let before = accounts(&app).await;
    let merchant = app
        .service
        .authenticate(crate::app::KEY)
        .expect("the key")
        .merchant_id;
    let tell = async |status| {
        let notice = DisputeNotice {
            top_up_id,
            provider_id: "dp_1".to_owned(),
            status,
            amount: units("100"),
            currency: Currency::parse("USD").expect("a currency"),
            reason: None,
        };
        let taken = app.service.take_notice(merchant, Notice::Dispute(notice));
        taken.await.expect("taken");
    };
    tell(DisputeStatus::Lost).await;
    let lost = own(&[("receivable", 30), ("revenue", -30)]);
    assert_eq!(
        accounts(&app).await,
        lost,
        "nothing was paid, and nothing given"
    );
    tell(DisputeStatus::Won).await;
    assert_eq!(accounts(&app).await, before);
    app.verify();
}
