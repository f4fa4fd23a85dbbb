//! Events: what they tell, pages of the feed, the stream.

mod feed;
mod stream;
mod tells;

use crate::app::TestApp;
use serde_json::{Value, json};

/// Posts with a key of its own, and gives the answer's body.
async fn post(app: &TestApp, path: &str, body: Value) -> Value {
    let key = format!("{path} {body}");
    let answer = app.post(path, &key, &body.to_string()).await;
    assert!(
        (200..300).contains(&answer.status),
        "{path}: {}",
        answer.json()
    );
    answer.json()
}

/// All events, by pages of that size: each once, in order, whatever the size.
async fn all(app: &TestApp, filter: &str, limit: usize) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/events?limit={limit}{filter}{cursor}");
        let page = app.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.json());
        let page = page.json();
        let data = page["data"].as_array().expect("events");
        assert!(data.len() <= limit);
        events.extend(data.iter().cloned());
        assert_eq!(page["has_more"], json!(page["next_cursor"].is_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return events,
        }
    }
}

/// The types of events, in their order.
fn types(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().expect("a type"))
        .collect()
}

/// The events behind those that were there before.
async fn since(app: &TestApp, last: &mut String) -> Vec<Value> {
    let after = if last.is_empty() {
        String::new()
    } else {
        format!("&after={last}")
    };
    let page = app
        .get(&format!("/v1/events?limit=100{after}"))
        .await
        .json();
    let events = page["data"].as_array().expect("events").clone();
    if let Some(event) = events.last() {
        event["id"].as_str().expect("an id").clone_into(last);
    }
    events
}
