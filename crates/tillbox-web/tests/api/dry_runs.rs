//! R45: every write of value can be tried. The routes come from the `OpenAPI` document, so that a new one has to be
//! tried here, or has to say why there is nothing to try.

use crate::app::{KEY, TestApp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;
use tillbox_core::id::WalletId;
use tillbox_store::sqlite::Connection;

/// A write of value, and how it is tried. `{…}` in path and body stand for what [`World`] has made.
pub(crate) struct Case {
    pub(crate) route: &'static str,
    pub(crate) body: Value,
    status: u16,
    /// What a dry run leaves null, as JSON pointers.
    nulls: &'static [&'static str],
}

fn case(route: &'static str, body: Value, status: u16, nulls: &'static [&'static str]) -> Case {
    Case {
        route,
        body,
        status,
        nulls,
    }
}

pub(crate) fn cases() -> Vec<Case> {
    const ROW: &[&str] = &["/id", "/hash"];
    let recharge = json!({"enabled": true, "threshold": "20.00", "amount": "25.00"});
    let saved = json!({"amount": "25.00"});
    let page = json!({"success_url": "https://a.example/", "cancel_url": "https://a.example/"});
    vec![
        case(
            "POST /v1/wallets",
            json!({"customer_id": "{customer}", "currency": "EUR", "initial_credit": {"amount": "5.00", "funding_type": "cash"}}),
            201,
            &["/id"],
        ),
        case(
            "POST /v1/wallets/{pending}/activate",
            json!({}),
            200,
            &["/id", "/activation/top_up_id"],
        ),
        case(
            "POST /v1/wallets/{wallet}/adjustments",
            json!({"amount": "-1.00", "reason_text": "Typo"}),
            201,
            ROW,
        ),
        case(
            "POST /v1/wallets/{wallet}/credits",
            json!({"amount": "1.00", "funding_type": "promotional"}),
            201,
            ROW,
        ),
        case(
            "POST /v1/wallets/{wallet}/debits",
            json!({"amount": "1.00"}),
            201,
            ROW,
        ),
        case(
            "POST /v1/wallets/{wallet}/freeze",
            json!({"reason": "Asked for"}),
            200,
            &["/id"],
        ),
        case(
            "POST /v1/wallets/{frozen}/unfreeze",
            json!({}),
            200,
            &["/id"],
        ),
        case(
            "POST /v1/wallets/{wallet}/holds",
            json!({"amount": "1.00"}),
            201,
            &["/id"],
        ),
        case(
            "POST /v1/wallets/{wallet}/holds/{hold}/capture",
            json!({"amount": "1.00"}),
            201,
            ROW,
        ),
        case(
            "POST /v1/wallets/{wallet}/holds/{hold}/release",
            json!({}),
            200,
            &[],
        ),
        case(
            "POST /v1/wallets/{wallet}/holds/{hold}/extend",
            json!({"expires_in": 4_000}),
            200,
            &[],
        ),
        case(
            "POST /v1/wallets/{wallet}/transactions/{debit}/refund",
            json!({"amount": "1.00"}),
            201,
            ROW,
        ),
        case(
            "POST /v1/wallets/{wallet}/usage",
            json!({"price": "sms", "quantity": 3}),
            201,
            &["/transaction/id", "/transaction/hash"],
        ),
        case(
            "POST /v1/wallets/{wallet}/top-ups",
            saved.clone(),
            201,
            &["/id", "/transaction_id", "/payment_intent_id"],
        ),
        case(
            "POST /v1/wallets/{wallet}/top-ups",
            json!({"amount": "25.00", "checkout": page}),
            201,
            &["/id", "/checkout_url"],
        ),
        case(
            "POST /v1/wallets/{wallet}/top-ups/{top_up}/cancel",
            json!({}),
            200,
            &[],
        ),
        case(
            "POST /v1/wallets/{payer}/top-ups/{paid}/refund",
            json!({"amount": "5.00"}),
            201,
            ROW,
        ),
        case(
            "POST /v1/wallets/{wallet}/payment-links",
            saved,
            201,
            &["/url", "/top_up_id"],
        ),
        case(
            "POST /v1/wallets/{wallet}/payment-links",
            json!({}),
            201,
            &["/url"],
        ),
        case(
            "POST /v1/wallets/{wallet}/withdrawals",
            json!({"amount": "1.00"}),
            201,
            ROW,
        ),
        case(
            "PATCH /v1/wallets/{spare}/lots/{lot}",
            json!({"expires_at": "2027-05-31T12:00:00Z"}),
            200,
            &[],
        ),
        case(
            "POST /v1/wallets/{spare}/lots/{lot}/void",
            json!({}),
            201,
            ROW,
        ),
        case(
            "POST /v1/wallets/{spare}/close",
            json!({"refund": "manual"}),
            200,
            &["/id"],
        ),
        case("PUT /v1/wallets/{wallet}/auto-recharge", recharge, 200, &[]),
        case(
            "POST /v1/wallets/{paused}/auto-recharge/resume",
            json!({}),
            200,
            &[],
        ),
    ]
}

/// Writes that move and reserve nothing: there is nothing to try. Batches are tried operation by operation.
const NO_VALUE: &[&str] = &[
    "DELETE /v1/api-keys/{}",
    "DELETE /v1/customers/{}",
    "DELETE /v1/customers/{}/payment-methods/{}",
    "PATCH /v1/customers/{}",
    "PATCH /v1/settings",
    "PATCH /v1/wallets/{}",
    "POST /v1/api-keys",
    "POST /v1/batches",
    "POST /v1/customers",
    "POST /v1/customers/{}/payment-methods",
    "POST /v1/customers/{}/payment-methods/{}/default",
    "POST /v1/payments/{}/webhook",
    "POST /v1/portal-sessions",
    "POST /v1/prices",
    "POST /v1/sandbox/disputes",
    "POST /v1/sandbox/disputes/{}/decide",
    "POST /v1/sandbox/top-ups/{}/fail",
    "POST /v1/test-clock/advance",
    "POST /v1/wallets/{}/sync",
    "PUT /v1/sandbox/faults",
    "PUT /v1/wallets/{}/alerts",
];

/// The route without the names of what stands in its path.
fn nameless(route: &str) -> String {
    let named = |step: &str| step.starts_with('{');
    let steps = route
        .split('/')
        .map(|step| if named(step) { "{}" } else { step });
    steps.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn r45_every_write_of_the_document_is_tried_here_or_moves_nothing() {
    let app = TestApp::start();
    let document = app.get("/openapi.json").await.json();
    let mut tried: BTreeSet<String> = NO_VALUE.iter().map(|route| nameless(route)).collect();
    tried.extend(cases().iter().map(|case| nameless(case.route)));
    let mut writes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let route = nameless(&format!("{} {path}", method.to_uppercase()));
            if method == "get" {
                continue;
            }
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let name = schema["$ref"].as_str().unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default();
            let body = &document["components"]["schemas"][name]["properties"];
            let has = !body["dry_run"].is_null();
            let is_exempt = NO_VALUE.contains(&route.as_str());
            assert_ne!(has, is_exempt, "{route} takes dry_run, or is in NO_VALUE");
            writes.insert(route);
        }
    }
    assert_eq!(writes, tried);
}

/// What the cases are tried on.
pub(crate) struct World {
    pub(crate) app: TestApp,
    names: Vec<(&'static str, String)>,
}

fn id_of(value: &Value) -> String {
    let id = value["id"].as_str();
    id.unwrap_or_else(|| panic!("no id in {value}")).to_owned()
}

impl World {
    pub(crate) async fn make() -> Self {
        let app = TestApp::start();
        let price =
            json!({"key": "sms", "unit": "message", "unit_amount": "0.05", "currency": "USD"});
        app.post("/v1/prices", "", &price.to_string()).await;
        let wallet = app.wallet_with("10.00").await;
        let of = |end: &str| format!("/v1/wallets/{wallet}/{end}");
        let customer = app.get(&format!("/v1/wallets/{wallet}")).await.json();
        let customer = customer["customer_id"].as_str().expect("an id").to_owned();
        let methods = |customer: &str| format!("/v1/customers/{customer}/payment-methods");
        let card = r#"{"token":"pm_card_visa"}"#;
        app.post(&methods(&customer), "", card).await;
        let debit = app.post(&of("debits"), "d", r#"{"amount":"2.00"}"#).await;
        let hold = app.post(&of("holds"), "h", r#"{"amount":"2.00"}"#).await;
        let page = json!({"amount": "10.00", "checkout": {"success_url": "https://a.example/", "cancel_url": "https://a.example/"}});
        let top_up = app.post(&of("top-ups"), "t", &page.to_string()).await;
        let payer = app.wallet_with("1.00").await;
        let owner = app.get(&format!("/v1/wallets/{payer}")).await.json();
        let owner = methods(owner["customer_id"].as_str().expect("an id"));
        app.post(&owner, "", card).await;
        let path = format!("/v1/wallets/{payer}/top-ups");
        let paid = app.post(&path, "p", r#"{"amount":"20.00"}"#).await;
        let spare = app.wallet_with("10.00").await;
        let frozen = app.wallet_with("10.00").await;
        app.post(
            &format!("/v1/wallets/{frozen}/freeze"),
            "",
            r#"{"reason":"Asked"}"#,
        )
        .await;
        let paused = app.wallet_with("50.00").await;
        let owner = app.get(&format!("/v1/wallets/{paused}")).await.json();
        let stolen = methods(owner["customer_id"].as_str().expect("an id"));
        app.post(&stolen, "", r#"{"token":"pm_card_stolen"}"#).await;
        let recharge = json!({"enabled": true, "threshold": "20.00", "amount": "25.00"});
        let path = format!("/v1/wallets/{paused}/auto-recharge");
        app.put(&path, &recharge.to_string()).await;
        app.post(
            &format!("/v1/wallets/{paused}/debits"),
            "d",
            r#"{"amount":"40.00"}"#,
        )
        .await;
        let who = app.service.authenticate(KEY).expect("a caller");
        let id = WalletId::parse(&paused).expect("an id");
        let settled = app.service.wait_for_charges(&who, id).await;
        settled.expect("the charge is over");
        assert_eq!(app.get(&path).await.json()["state"], "paused");
        app.patch("/v1/settings", r#"{"activation_charge":"25.00"}"#)
            .await;
        let owner = app
            .post("/v1/customers", "", r#"{"name":"New"}"#)
            .await
            .json();
        app.post(&methods(&id_of(&owner)), "", card).await;
        let pending = json!({"customer_id": owner["id"], "currency": "USD"});
        let pending = app.post("/v1/wallets", "", &pending.to_string()).await;
        app.patch("/v1/settings", r#"{"activation_charge":null}"#)
            .await;
        app.patch("/v1/settings", r#"{"activation_charge":"25.00"}"#)
            .await;
        let lots = app.get(&format!("/v1/wallets/{spare}/lots")).await.json();
        let names = vec![
            ("{lot}", id_of(&lots["data"][0])),
            ("{spare}", spare),
            ("{customer}", customer),
            ("{wallet}", wallet.clone()),
            ("{pending}", id_of(&pending.json())),
            ("{frozen}", frozen),
            ("{paused}", paused),
            ("{debit}", id_of(&debit.json())),
            ("{hold}", id_of(&hold.json())),
            ("{top_up}", id_of(&top_up.json())),
            ("{payer}", payer),
            ("{paid}", id_of(&paid.json())),
        ];
        Self { app, names }
    }

    pub(crate) fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.names {
            text = text.replace(name, value);
        }
        text
    }

    async fn send(&self, case: &Case, body: &Value, key: &str) -> (u16, Value) {
        let (method, path) = case.route.split_once(' ').expect("a route");
        let (path, body) = (self.filled(path), self.filled(&body.to_string()));
        let answer = match method {
            "POST" => self.app.post(&path, key, &body).await,
            "PUT" => self.app.put(&path, &body).await,
            "PATCH" => self.app.patch(&path, &body).await,
            other => panic!("{other}"),
        };
        (answer.status, answer.json())
    }

    /// All that is stored, as text.
    fn stored(&self) -> String {
        let connection = Connection::open(self.app.database()).expect("opens");
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
        let mut tables = connection.prepare(tables).expect("prepares");
        let tables = tables.query_map([], |row| row.get::<_, String>(0));
        let tables: Vec<String> = tables.expect("reads").flatten().collect();
        let mut text = String::new();
        for table in tables {
            let mut rows = connection
                .prepare(&format!("SELECT * FROM {table}"))
                .expect("prepares");
            let columns = rows.column_count();
            let mut rows = rows.query([]).expect("reads");
            while let Some(row) = rows.next().expect("reads") {
                for column in 0..columns {
                    let value = row.get_ref(column).expect("a value");
                    write!(text, "{table} {value:?} ").expect("writes");
                }
                text.push('\n');
            }
        }
        text
    }
}

#[tokio::test]
async fn r45_a_dry_run_answers_as_the_call_would_and_writes_nothing() {
    let world = World::make().await;
    let before = world.stored();
    for (place, case) in cases().iter().enumerate() {
        let route = case.route;
        let mut dry = case.body.clone();
        dry["dry_run"] = json!(true);
        for key in ["", &format!("case-{place}")] {
            let (status, answer) = world.send(case, &dry, key).await;
            assert_eq!(status, case.status, "{route}: {answer}");
            assert_eq!(answer["dry_run"], true, "{route}: {answer}");
            for pointer in case.nulls {
                let found = answer.pointer(pointer);
                assert_eq!(found, Some(&Value::Null), "{route} {pointer}: {answer}");
            }
        }
        assert!(world.stored() == before, "{route} has written something");
    }
}

#[tokio::test]
async fn r45_the_call_itself_has_the_status_that_the_dry_run_told_under_the_same_key() {
    for (place, case) in cases().iter().enumerate() {
        let world = World::make().await;
        let before = world.stored();
        let key = format!("case-{place}");
        let mut dry = case.body.clone();
        dry["dry_run"] = json!(true);
        let (told, _) = world.send(case, &dry, &key).await;
        let (status, answer) = world.send(case, &case.body, &key).await;
        assert_eq!(status, told, "{}: {answer}", case.route);
        assert!(answer["dry_run"].is_null(), "{}: {answer}", case.route);
        assert!(world.stored() != before, "{} wrote nothing", case.route);
    }
}

#[tokio::test]
async fn r45_each_operation_of_a_batch_can_be_tried() {
    let world = World::make().await;
    let before = world.stored();
    let operations = json!({"operations": [
        {"op": "debit", "wallet_id": "{wallet}", "amount": "1.00", "dry_run": true},
        {"op": "credit", "wallet_id": "{wallet}", "amount": "1.00", "funding_type": "cash", "dry_run": true},
        {"op": "hold", "wallet_id": "{wallet}", "amount": "1.00", "dry_run": true},
        {"op": "capture", "wallet_id": "{wallet}", "hold_id": "{hold}", "dry_run": true, "idempotency_key": "k"},
        {"op": "release", "wallet_id": "{wallet}", "hold_id": "{hold}", "dry_run": true},
        {"op": "usage", "wallet_id": "{wallet}", "price": "sms", "quantity": 3, "dry_run": true},
    ]});
    let body = world.filled(&operations.to_string());
    let answer = world.app.post("/v1/batches", "", &body).await.json();
    let statuses: Vec<&Value> = answer["results"]
        .as_array()
        .expect("results")
        .iter()
        .inspect(|result| assert_eq!(result["body"]["dry_run"], true, "{result}"))
        .map(|result| &result["status"])
        .collect();
    assert_eq!(statuses, [201, 201, 201, 201, 200, 201]);
    assert!(world.stored() == before, "something was written");
}

#[tokio::test]
async fn r45_trying_auto_recharge_tells_what_it_would_charge() {
    let world = World::make().await;
    let of = |threshold: &str| {
        let body =
            json!({"enabled": true, "threshold": threshold, "amount": "25.00", "dry_run": true});
        let path = world.filled("/v1/wallets/{wallet}/auto-recharge");
        (path, body.to_string())
    };
    for (threshold, charge) in [
        ("20.00", json!("25.00")),
        ("40.00", json!("50.00")),
        ("5.00", Value::Null),
    ] {
        let (path, body) = of(threshold);
        let answer = world.app.put(&path, &body).await.json();
        assert_eq!(answer["would_charge"], charge, "{answer}");
        assert_eq!(answer["threshold"], threshold);
        assert_eq!(answer["enabled"], true);
    }
    let path = world.filled("/v1/wallets/{paused}/auto-recharge/resume");
    let answer = world
        .app
        .post(&path, "", r#"{"dry_run":true}"#)
        .await
        .json();
    assert_eq!(answer["would_charge"], "25.00");
    assert_eq!(answer["state"], "armed");
}
