//! `/v1/customers/{id}/payment-methods`.

use crate::app::TestApp;
use serde_json::{Value, json};

async fn customer(app: &TestApp) -> String {
    let made = app.post("/v1/customers", "", r#"{"name":"Acme"}"#).await;
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    format!("/v1/customers/{id}/payment-methods")
}

async fn add(app: &TestApp, path: &str, token: &str) -> Value {
    let body = json!({ "token": token }).to_string();
    let added = app.post(path, "", &body).await;
    assert_eq!(added.status, 201, "{}", added.json());
    added.json()
}

fn ids(list: &Value) -> Vec<String> {
    let data = list["data"].as_array().expect("a list").iter();
    data.map(|one| one["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn the_first_is_the_default_and_another_takes_its_place() {
    let app = TestApp::start();
    let path = customer(&app).await;
    let first = add(&app, &path, "pm_card_visa").await;
    let second = add(&app, &path, "pm_card_mastercard").await;
    let id = |one: &Value| one["id"].as_str().expect("an id").to_owned();
    let (first_id, second_id) = (id(&first), id(&second));
    assert_eq!(
        (&first["brand"], &first["default"]),
        (&json!("visa"), &json!(true))
    );
    assert_eq!(
        (&second["brand"], &second["default"]),
        (&json!("mastercard"), &json!(false))
    );
    assert!(first["last4"].as_str().is_some_and(|last| last.len() == 4));
    let list = app.get(&path).await.json();
    assert_eq!(
        ids(&list),
        [second_id.clone(), first_id.clone()],
        "the newest first"
    );
    let page = app.get(&format!("{path}?limit=1")).await.json();
    assert_eq!(
        (ids(&page), &page["has_more"]),
        (vec![second_id.clone()], &json!(true))
    );
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let page = app
        .get(&format!("{path}?limit=1&cursor={cursor}"))
        .await
        .json();
    assert_eq!(
        (ids(&page), &page["has_more"]),
        (vec![first_id.clone()], &json!(false))
    );

    let made = app
        .post(&format!("{path}/{second_id}/default"), "", "{}")
        .await;
    assert_eq!((made.status, &made.json()["default"]), (200, &json!(true)));
    let get = async |id: &str| app.get(&format!("{path}/{id}")).await;
    assert_eq!(get(&first_id).await.json()["default"], false);
    assert_eq!(app.delete(&format!("{path}/{second_id}")).await.status, 204);
    get(&second_id).await.problem(404, "not_found");
    assert_eq!(
        get(&first_id).await.json()["default"],
        true,
        "the newest of the rest"
    );
    app.delete(&format!("{path}/{second_id}"))
        .await
        .problem(404, "not_found");
    assert_eq!(ids(&app.get(&path).await.json()), [first_id]);
    let told = app.get("/v1/events?limit=100").await.json();
    let told = told["data"].as_array().expect("events").iter();
    let told: Vec<&str> = told.filter_map(|event| event["type"].as_str()).collect();
    let times = |event_type: &str| told.iter().filter(|one| **one == event_type).count();
    assert_eq!(times("payment_method.attached"), 2, "{told:?}");
    assert_eq!(times("payment_method.detached"), 1, "{told:?}");
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_a_key_adds_once() {
    let app = TestApp::start();
    let path = customer(&app).await;
    for body in [
        json!({}),
        json!({"token": 1}),
        json!({"token": ""}),
        json!({"token": "pm_card_visa", "return_url": "https://a.example/"}),
        json!({"return_url": "javascript:alert(1)"}),
        json!({"token": "pm_card_visa", "x": 1}),
    ] {
        let refused = app.post(&path, "", &body.to_string()).await;
        refused.problem(400, "invalid_request");
    }
    let unknown = app.post(&path, "", r#"{"token":"pm_card_nobody"}"#).await;
    assert!((400..500).contains(&unknown.status), "{}", unknown.json());
    assert_eq!(app.get(&path).await.json()["data"], json!([]));

    let body = r#"{"token":"pm_card_visa"}"#;
    let first = app.post(&path, "add", body).await;
    let again = app.post(&path, "add", body).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!((again.status, &again.body), (201, &first.body));
    let other = app
        .post(&path, "add", r#"{"token":"pm_card_mastercard"}"#)
        .await;
    other.problem(422, "idempotency_key_reused");
    assert_eq!(ids(&app.get(&path).await.json()).len(), 1);

    // A page on which the customer adds one.
    let page = app
        .post(&path, "", r#"{"return_url":"https://shop.example/back"}"#)
        .await;
    assert_eq!(page.status, 201);
    let url = page.json()["url"].as_str().expect("an address").to_owned();
    assert!(url.contains("/sandbox/setup/"), "{url}");
}

#[tokio::test]
async fn a_method_of_another_customer_is_not_found() {
    let app = TestApp::start();
    let (path, others) = (customer(&app).await, customer(&app).await);
    let method = add(&app, &path, "pm_card_visa").await;
    let id = method["id"].as_str().expect("an id");
    for id in [id, "pm_0000000000001", "nonsense"] {
        let one = format!("{others}/{id}");
        app.get(&one).await.problem(404, "not_found");
        app.delete(&one).await.problem(404, "not_found");
        let made = app.post(&format!("{one}/default"), "", "{}").await;
        made.problem(404, "not_found");
    }
    for nobody in ["cus_0000000000001", "nonsense"] {
        let path = format!("/v1/customers/{nobody}/payment-methods");
        app.get(&path).await.problem(404, "not_found");
        let added = app.post(&path, "", r#"{"token":"pm_card_visa"}"#).await;
        added.problem(404, "not_found");
    }
    assert_eq!(app.get(&format!("{path}/{id}")).await.status, 200);
}

#[tokio::test]
async fn any_method_may_be_the_default_whichever_was_added_first() {
    let app = TestApp::start();
    let path = customer(&app).await;
    let mut methods = Vec::new();
    for token in ["pm_card_visa", "pm_card_mastercard", "pm_card_visa"] {
        methods.push(add(&app, &path, token).await["id"].clone());
    }
    for place in [2, 0, 1, 0, 2, 1] {
        let id = methods[place].as_str().expect("an id");
        let made = app
            .post(&format!("{path}/{id}/default"), &format!("{place}"), "{}")
            .await;
        assert_eq!(made.status, 200, "{}", made.json());
        let list = app.get(&path).await.json();
        let data = list["data"].as_array().expect("a list").iter();
        let defaults: Vec<&Value> = data.filter(|one| one["default"] == true).collect();
        assert_eq!(defaults.len(), 1, "{list}");
        assert_eq!(defaults[0]["id"], id);
    }
}
