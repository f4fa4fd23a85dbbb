//! The `OpenAPI` document lists every route, and every route that it lists is there.

use crate::app::{TestApp, request};
use axum::body::Body;
use serde_json::Value;
use std::collections::BTreeSet;

async fn document(app: &TestApp) -> Value {
    let answer = app.get("/openapi.json").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json")
    );
    answer.json()
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().expect("an item").clone();
        methods.into_iter().map({
            let path = path.clone();
            move |(method, operation)| (method.to_uppercase(), path.clone(), operation)
        })
    };
    paths.iter().flat_map(of_path).collect()
}

/// The routes of the contract that stand so far; a route that is added is added here.
const ROUTES: &[&str] = &[
    "PUT /v1/sandbox/faults",
    "POST /v1/payments/{provider}/webhook",
    "GET /v1/sandbox/faults",
    "DELETE /v1/customers/{customer_id}",
    "DELETE /v1/customers/{customer_id}/payment-methods/{payment_method_id}",
    "GET /healthz",
    "GET /readyz",
    "GET /v1/customers",
    "GET /v1/customers/{customer_id}",
    "GET /v1/customers/{customer_id}/payment-methods",
    "GET /v1/customers/{customer_id}/payment-methods/{payment_method_id}",
    "DELETE /v1/api-keys/{api_key_id}",
    "GET /v1/api-keys",
    "POST /v1/api-keys",
    "GET /v1/audit-log",
    "GET /v1/audit-log.csv",
    "GET /v1/disputes",
    "GET /v1/events",
    "GET /v1/events/stream",
    "GET /v1/journal",
    "GET /v1/journal.csv",
    "GET /v1/prices",
    "GET /v1/prices/{price_id}",
    "GET /v1/reports/breakage",
    "GET /v1/reports/liability",
    "GET /v1/reports/revenue",
    "GET /v1/reports/spend",
    "GET /v1/reports/top-ups",
    "GET /v1/reports/trial-balance",
    "GET /v1/settings",
    "GET /v1/test-clock",
    "GET /v1/transactions",
    "GET /v1/verify",
    "GET /v1/wallets",
    "GET /v1/wallets/{wallet_id}",
    "GET /v1/wallets/{wallet_id}/alerts",
    "GET /v1/wallets/{wallet_id}/auto-recharge",
    "GET /v1/wallets/{wallet_id}/balance",
    "GET /v1/wallets/{wallet_id}/explain",
    "GET /v1/wallets/{wallet_id}/holds",
    "GET /v1/wallets/{wallet_id}/holds/{hold_id}",
    "GET /v1/wallets/{wallet_id}/lots",
    "GET /v1/wallets/{wallet_id}/lots/{lot_id}",
    "GET /v1/wallets/{wallet_id}/top-ups",
    "GET /v1/wallets/{wallet_id}/top-ups/{top_up_id}",
    "GET /v1/wallets/{wallet_id}/transactions",
    "GET /v1/wallets/{wallet_id}/transactions.csv",
    "GET /v1/wallets/{wallet_id}/transactions/{transaction_id}",
    "GET /v1/wallets/{wallet_id}/transactions/{transaction_id}/explain",
    "PATCH /v1/customers/{customer_id}",
    "PATCH /v1/settings",
    "PATCH /v1/wallets/{wallet_id}",
    "PATCH /v1/wallets/{wallet_id}/lots/{lot_id}",
    "POST /v1/batches",
    "POST /v1/customers",
    "POST /v1/portal-sessions",
    "POST /v1/customers/{customer_id}/payment-methods",
    "POST /v1/customers/{customer_id}/payment-methods/{payment_method_id}/default",
    "POST /v1/prices",
    "POST /v1/test-clock/advance",
    "POST /v1/wallets",
    "POST /v1/wallets/{wallet_id}/activate",
    "POST /v1/wallets/{wallet_id}/adjustments",
    "POST /v1/wallets/{wallet_id}/auto-recharge/resume",
    "POST /v1/wallets/{wallet_id}/close",
    "POST /v1/wallets/{wallet_id}/credits",
    "POST /v1/wallets/{wallet_id}/debits",
    "POST /v1/wallets/{wallet_id}/freeze",
    "POST /v1/wallets/{wallet_id}/holds",
    "POST /v1/wallets/{wallet_id}/holds/{hold_id}/capture",
    "POST /v1/wallets/{wallet_id}/holds/{hold_id}/extend",
    "POST /v1/wallets/{wallet_id}/holds/{hold_id}/release",
    "POST /v1/wallets/{wallet_id}/lots/{lot_id}/void",
    "POST /v1/wallets/{wallet_id}/payment-links",
    "POST /v1/wallets/{wallet_id}/sync",
    "POST /v1/wallets/{wallet_id}/top-ups",
    "POST /v1/wallets/{wallet_id}/top-ups/{top_up_id}/cancel",
    "POST /v1/wallets/{wallet_id}/top-ups/{top_up_id}/refund",
    "POST /v1/sandbox/disputes",
    "POST /v1/sandbox/disputes/{provider_dispute_id}/decide",
    "POST /v1/sandbox/top-ups/{top_up_id}/fail",
    "POST /v1/wallets/{wallet_id}/transactions/{transaction_id}/refund",
    "POST /v1/wallets/{wallet_id}/unfreeze",
    "POST /v1/wallets/{wallet_id}/usage",
    "POST /v1/wallets/{wallet_id}/withdrawals",
    "PUT /v1/wallets/{wallet_id}/alerts",
    "PUT /v1/wallets/{wallet_id}/auto-recharge",
];

#[tokio::test]
async fn the_document_is_the_list_of_routes() {
    let app = TestApp::start();
    let document = document(&app).await;
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1"))
    );
    let listed: BTreeSet<String> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let expected: BTreeSet<String> = ROUTES.iter().map(|route| (*route).to_owned()).collect();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn every_call_has_a_name_of_its_own() {
    let app = TestApp::start();
    let document = document(&app).await;
    let operations = operations(&document);
    let names: BTreeSet<&str> = operations
        .iter()
        .map(|(method, path, operation)| {
            let name = operation["operationId"].as_str();
            name.unwrap_or_else(|| panic!("{method} {path} has no name"))
        })
        .collect();
    assert_eq!(names.len(), operations.len(), "{names:?}");
    assert!(names.contains("post_wallets_by_id_debits"), "{names:?}");
}

#[tokio::test]
async fn every_route_wants_a_key_and_exists() {
    let app = TestApp::start();
    for (method, path, operation) in operations(&document(&app).await) {
        // A provider's notice has a signature in place of a key.
        if path.ends_with("/webhook") {
            continue;
        }
        let url = url_of(&path);
        let anonymous = axum::http::Request::builder()
            .method(method.as_str())
            .uri(&url)
            .body(Body::empty())
            .expect("a request");
        let anonymous = app.send(anonymous).await;
        if url.starts_with("/v1/") {
            anonymous.problem(401, "unauthenticated");
        } else {
            assert_eq!(anonymous.status, 200, "{url}");
            assert_eq!(operation["security"], serde_json::json!([{}]), "{url}");
        }
        let unknown = request(&method, &format!("{url}?no_such=1"))
            .header("content-type", "application/json");
        let unknown = app
            .send(unknown.body(Body::from("{}")).expect("a request"))
            .await;
        assert_eq!(
            unknown.problem(400, "invalid_request")["errors"][0]["parameter"],
            "no_such",
            "{method} {url}"
        );
    }
}

/// The path with a word for each of its parameters.
fn url_of(path: &str) -> String {
    let steps = path
        .split('/')
        .map(|step| if step.starts_with('{') { "x" } else { step });
    steps.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_operation_says_what_it_answers_and_every_reference_leads_somewhere() {
    let app = TestApp::start();
    let document = document(&app).await;
    for (method, path, operation) in operations(&document) {
        let responses = operation["responses"].as_object().expect("responses");
        let writes = method == "POST" || method == "PATCH";
        for status in ["401", "404", "503"].iter().chain(if writes {
            ["400", "413", "415"].iter()
        } else {
            [].iter()
        }) {
            assert!(
                responses.contains_key(*status),
                "{method} {path} does not tell of {status}"
            );
        }
        assert!(responses.values().all(|response| {
            response["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        }));
        assert!(
            operation["summary"].is_string() && operation["operationId"].is_string(),
            "{method} {path}"
        );
    }
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(
            document.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
}

fn collect_references(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                references.insert(reference.clone());
            }
            fields
                .values()
                .for_each(|field| collect_references(field, references));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_references(item, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What is printed has the fields that the document tells of, and no others.
#[tokio::test]
async fn answers_have_the_fields_of_their_schemas() {
    let app = TestApp::start();
    let price = r#"{"key":"sms","unit":"message","unit_amount":"0.05","currency":"USD"}"#;
    let price = app.post("/v1/prices", "", price).await.json();
    let wallet = app.wallet_with("10").await;
    let path = |rest: &str| format!("/v1/wallets/{wallet}{rest}");
    let customer = app.get(&path("")).await.json()["customer_id"].clone();
    let customer = customer.as_str().expect("an id");
    let methods = format!("/v1/customers/{customer}/payment-methods");
    let answers = [
        ("Price", price),
        ("Wallet", app.get(&path("")).await.json()),
        ("Balance", app.get(&path("/balance")).await.json()),
        (
            "Lot",
            app.get(&path("/lots")).await.json()["data"][0].clone(),
        ),
        (
            "Transaction",
            app.post(&path("/debits"), "d", r#"{"amount":"1"}"#)
                .await
                .json(),
        ),
        (
            "Hold",
            app.post(&path("/holds"), "h", r#"{"amount":"1"}"#)
                .await
                .json(),
        ),
        (
            "Usage",
            app.post(&path("/usage"), "u", r#"{"price":"sms","quantity":1}"#)
                .await
                .json(),
        ),
        (
            "Customer",
            app.get("/v1/customers").await.json()["data"][0].clone(),
        ),
        (
            "PaymentMethod",
            app.post(&methods, "m", r#"{"token":"pm_card_visa"}"#)
                .await
                .json(),
        ),
        (
            "TopUp",
            app.post(&path("/top-ups"), "t", r#"{"amount":"25"}"#)
                .await
                .json(),
        ),
        (
            "AutoRecharge",
            app.get(&path("/auto-recharge")).await.json(),
        ),
        ("Alerts", app.get(&path("/alerts")).await.json()),
        ("Settings", app.get("/v1/settings").await.json()),
        (
            "AuditEntry",
            app.get("/v1/audit-log").await.json()["data"][0].clone(),
        ),
        ("Clock", app.get("/v1/test-clock").await.json()),
    ];
    let document = document(&app).await;
    for (name, answer) in answers {
        let known = properties(&document, &document["components"]["schemas"][name]);
        let optional = [
            "activation",
            "dry_run",
            "effective_at",
            "plan",
            "would_charge",
        ];
        let optional = optional.map(str::to_owned);
        let printed: BTreeSet<String> = answer.as_object().expect(name).keys().cloned().collect();
        let unknown: Vec<_> = printed.difference(&known).collect();
        let missing: Vec<_> = known
            .difference(&printed)
            .filter(|field| !optional.contains(field))
            .collect();
        assert!(
            unknown.is_empty() && missing.is_empty(),
            "{name}: printed but not told {unknown:?}, told but not printed {missing:?}"
        );
    }
}

fn properties(document: &Value, schema: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Some(Value::String(reference)) = schema.get("$ref") {
        names.extend(properties(
            document,
            document
                .pointer(reference.trim_start_matches('#'))
                .expect("a schema"),
        ));
    }
    for part in ["allOf", "oneOf"] {
        for item in schema[part].as_array().into_iter().flatten() {
            names.extend(properties(document, item));
        }
    }
    names.extend(
        schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone()),
    );
    names
}
