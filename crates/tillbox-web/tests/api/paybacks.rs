//! Refunds of top-ups to the card, and disputes, over HTTP and in every order (R27, R28).

mod closing;
mod disputes;
mod orders;
mod refunds;

use crate::app::TestApp;
use serde_json::{Value, json};
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::id::TopUpId;
use tillbox_core::payback::DisputeStatus;
use tillbox_service::Principal;
use tillbox_service::payments::sandbox::Faults;
use tillbox_service::payments::{DisputeNotice, Notice};

/// A wallet with a payment.
struct Paid {
    wallet: String,
    top_up: String,
}

impl Paid {
    fn path(&self) -> String {
        format!("/v1/wallets/{}", self.wallet)
    }

    fn refund_path(&self) -> String {
        format!("{}/top-ups/{}/refund", self.path(), self.top_up)
    }

    fn top_up_id(&self) -> TopUpId {
        TopUpId::parse(&self.top_up).expect("an id")
    }

    async fn balance(&self, app: &TestApp) -> Value {
        app.get(&self.path()).await.json()["balance"].clone()
    }

    async fn top_up(&self, app: &TestApp) -> Value {
        let path = format!("{}/top-ups/{}", self.path(), self.top_up);
        app.get(&path).await.json()
    }

    /// Reason and amount of each transaction, oldest first.
    async fn transactions(&self, app: &TestApp) -> Vec<(String, String)> {
        let path = format!("{}/transactions?limit=100", self.path());
        let list = app.get(&path).await.json();
        let rows = list["data"].as_array().expect("a list").iter().rev();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        rows.map(|row| (text(&row["reason"]), text(&row["amount"])))
            .collect()
    }

    async fn debit(&self, app: &TestApp, amount: &str) {
        let body = json!({"amount": amount}).to_string();
        let path = format!("{}/debits", self.path());
        let key = format!("debit {amount}");
        assert_eq!(app.post(&path, &key, &body).await.status, 201);
    }

    /// The provider tells how a dispute of the payment stands.
    async fn tell(&self, app: &TestApp, status: DisputeStatus, amount: &str) {
        let notice = DisputeNotice {
            top_up_id: self.top_up_id(),
            provider_id: "dp_1".to_owned(),
            status,
            amount: Amount::parse(amount).expect("an amount"),
            currency: Currency::parse("USD").expect("a currency"),
            reason: Some("fraudulent".to_owned()),
        };
        let merchant = principal(app).merchant_id;
        let taken = app.service.take_notice(merchant, Notice::Dispute(notice));
        taken.await.expect("taken");
    }
}

fn principal(app: &TestApp) -> Principal {
    app.service.authenticate(crate::app::KEY).expect("the key")
}

async fn set_faults(app: &TestApp, faults: Faults) {
    let merchant = principal(app).merchant_id;
    let set = app.service.sandbox().set_faults(merchant, faults).await;
    set.expect("set");
}

/// A wallet with a payment of so much by that card.
async fn paid(app: &TestApp, card: &str, amount: &str) -> Paid {
    let customer = app.post("/v1/customers", "", r#"{"name":"Acme"}"#).await;
    let customer = customer.json()["id"].as_str().expect("an id").to_owned();
    let body = json!({"customer_id": customer, "currency": "USD"}).to_string();
    let wallet = app.post("/v1/wallets", "", &body).await.json();
    let wallet = wallet["id"].as_str().expect("an id").to_owned();
    let body = json!({"token": card}).to_string();
    let path = format!("/v1/customers/{customer}/payment-methods");
    assert_eq!(app.post(&path, "", &body).await.status, 201);
    let body = json!({"amount": amount}).to_string();
    let path = format!("/v1/wallets/{wallet}/top-ups");
    let top_up = app.post(&path, "top-up", &body).await;
    assert_eq!(top_up.status, 201, "{}", top_up.json());
    let top_up = top_up.json();
    let paid = Paid {
        wallet,
        top_up: top_up["id"].as_str().expect("an id").to_owned(),
    };
    if top_up["status"] != "succeeded" {
        let id = paid.top_up_id();
        app.service.ask_provider(id).await.expect("asked");
    }
    paid
}

/// The provider is asked about all that is open.
async fn sync(app: &TestApp, paid: &Paid) {
    let path = format!("{}/sync", paid.path());
    assert_eq!(app.post(&path, "", "{}").await.status, 200);
}
