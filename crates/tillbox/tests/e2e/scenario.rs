//! Runs scenarios: what the server must answer, as data in `tests/data`.
//!
//! A file is a list of `{"name", "steps"}`; each scenario runs against a fresh server with an empty database and
//! one test merchant, and `tillbox verify` must find nothing after its last step. A step is
//! `{"do": "METHOD /path", "body", "key": "idempotency key" | null, "headers", "expect": 200, "match", "text": [],
//! "header": {}, "save": {"name": "path.in.answer"}, "eventually": seconds}`.
//! `{name}` is replaced by what was saved, and `{name+60}` by the saved instant 60 seconds later. POSTs carry a fresh
//! key unless one is given (`null`: none). `match` is described in `matching.rs`; `text` lists parts of the answer's
//! text; `eventually` repeats the step until it holds.

use crate::answer::Answer;
use crate::client::{Client, Request, fresh_key};
use crate::matching::mismatch;
use crate::server::Server;
use crate::wait;
use jiff::{SignedDuration, Timestamp};
use regex_lite::{Captures, Regex};
use serde_json::{Map, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

/// What a step may say; anything else is a slip of the pen.
const STEP_FIELDS: [&str; 11] = [
    "do",
    "body",
    "form",
    "key",
    "headers",
    "expect",
    "match",
    "text",
    "header",
    "save",
    "eventually",
];

pub(crate) fn data_directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Runs all scenarios of a file, and reports all that failed together.
#[track_caller]
pub(crate) fn run_file(name: &str) {
    let path = data_directory().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).expect("the scenarios can be read");
    let scenarios: Vec<Value> = serde_json::from_str(&text).expect("the scenarios are JSON");
    assert!(!scenarios.is_empty(), "no scenario in {name}");
    let failures: Vec<String> = scenarios.iter().filter_map(failure_of).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// How the scenario fails, if it does. A panic of the harness is a failure of this scenario alone.
fn failure_of(scenario: &Value) -> Option<String> {
    let name = scenario["name"].as_str().expect("a scenario has a name");
    let outcome = catch_unwind(AssertUnwindSafe(|| run(scenario)));
    let failure = outcome.unwrap_or_else(|panic| Err(words_of(panic.as_ref())));
    failure.err().map(|words| format!("{name}\n  {words}"))
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|&words| words.to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}

fn run(scenario: &Value) -> Result<(), String> {
    let server = Server::start();
    let client = server.client();
    let mut saved = Map::new();
    let steps = scenario["steps"].as_array().expect("a scenario has steps");
    for (index, step) in steps.iter().enumerate() {
        let seconds = step["eventually"].as_u64().unwrap_or(0);
        let mut last = String::new();
        let held = wait::at_most(Duration::from_secs(seconds), || {
            run_step(&client, step, &mut saved)
                .map_err(|words| last = words)
                .ok()
        });
        if held.is_none() {
            return Err(format!("step {}, {}: {last}", index + 1, step["do"]));
        }
    }
    server.verify();
    Ok(())
}

fn run_step(client: &Client, step: &Value, saved: &mut Map<String, Value>) -> Result<(), String> {
    let request = request_of(step, saved);
    let answer = client.send(&request);
    check(step, &answer, saved)?;
    let wanted = step["save"].as_object().cloned().unwrap_or_default();
    for (name, path) in wanted {
        let path = path.as_str().expect("a path to save").replace('.', "/");
        let found = answer.json().pointer(&format!("/{path}")).cloned();
        let found = found.ok_or_else(|| format!("nothing to save at {path} of {answer}"))?;
        saved.insert(name, found);
    }
    Ok(())
}

fn request_of(step: &Value, saved: &Map<String, Value>) -> Request {
    let fields = step.as_object().expect("a step is an object");
    for name in fields.keys() {
        assert!(
            STEP_FIELDS.contains(&name.as_str()),
            "a step has no field {name}"
        );
    }
    let line = filled_text(step["do"].as_str().expect("a step does something"), saved);
    let (method, address) = line.split_once(' ').expect("METHOD /path");
    // A page that the server has named is on the server.
    let after_scheme = address
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    let path = after_scheme.unwrap_or(address);
    let mut request = Request::new(method, path);
    for (name, value) in step["headers"].as_object().cloned().unwrap_or_default() {
        request = request.header(&name, value.as_str().expect("a header is text"));
    }
    match fields.get("key") {
        Some(Value::String(key)) => request = request.key(key),
        Some(Value::Null) => {}
        Some(other) => panic!("{other} is no key"),
        None if method == "POST" => request = request.key(&fresh_key()),
        None => {}
    }
    match (fields.get("body"), fields.get("form")) {
        (Some(body), _) => request.json(&filled(body, saved)),
        // As a browser sends it from the page itself.
        (None, Some(form)) => request
            .without_bearer()
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .bytes(filled_text(form.as_str().expect("a form is text"), saved).as_bytes()),
        (None, None) => request,
    }
}

fn check(step: &Value, answer: &Answer, saved: &Map<String, Value>) -> Result<(), String> {
    let status = step.get("expect").map_or(Some(200), Value::as_u64);
    if status != Some(u64::from(answer.status)) {
        return Err(format!("expected {status:?}, found {answer}"));
    }
    if let Some(expected) = step.get("match") {
        let expected = filled(expected, saved);
        if let Some(words) = mismatch(&expected, Some(&answer.json()), "") {
            return Err(format!("{words}\n  in {answer}"));
        }
    }
    for part in step["text"].as_array().cloned().unwrap_or_default() {
        let part = filled_text(part.as_str().expect("a text"), saved);
        if !answer.text().contains(&part) {
            return Err(format!("no {part:?}\n  in {answer}"));
        }
    }
    for (name, expected) in step["header"].as_object().cloned().unwrap_or_default() {
        let found = answer.header(&name).map(Value::from);
        if let Some(words) = mismatch(&expected, found.as_ref(), &name) {
            return Err(words);
        }
    }
    Ok(())
}

/// The value with what was saved put in; a text that is one name alone becomes the saved value itself.
fn filled(value: &Value, saved: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            let name = text
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match name.and_then(|name| saved.get(name)) {
                Some(whole) => whole.clone(),
                None => Value::String(filled_text(text, saved)),
            }
        }
        Value::Array(items) => items.iter().map(|item| filled(item, saved)).collect(),
        Value::Object(fields) => {
            let filled_fields = fields
                .iter()
                .map(|(name, field)| (name.clone(), filled(field, saved)));
            Value::Object(filled_fields.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn filled_text(text: &str, saved: &Map<String, Value>) -> String {
    let name = Regex::new(r"\{([a-z][a-z0-9_]*)(?:\+([0-9]+))?\}").expect("a pattern");
    let put_in = |found: &Captures| {
        let name = &found[1];
        let value = saved
            .get(name)
            .unwrap_or_else(|| panic!("{name} was not saved"));
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        match found.get(2) {
            Some(seconds) => later(&value, seconds.as_str()),
            None => value,
        }
    };
    name.replace_all(text, put_in).into_owned()
}

/// The instant so many seconds later, in whole seconds, so that no server's precision matters.
fn later(instant: &str, seconds: &str) -> String {
    let instant: Timestamp = instant.parse().expect("a saved instant");
    let seconds = seconds.parse().expect("a number of seconds");
    let moved = instant.as_second();
    let whole = Timestamp::from_second(moved).expect("an instant");
    (whole + SignedDuration::from_secs(seconds)).to_string()
}

#[cfg(test)]
mod tests {
    use super::filled;
    use serde_json::{Map, Value, json};

    fn saved() -> Map<String, Value> {
        let saved = json!({"wal": "wal_1", "n": 3, "now": "2026-11-30T23:59:30.25Z"});
        saved.as_object().cloned().expect("an object")
    }

    #[test]
    fn saved_values_are_put_in() {
        let template = json!({"a": "{n}", "b": ["/{wal}/x-{n}"], "c": true});
        assert_eq!(
            filled(&template, &saved()),
            json!({"a": 3, "b": ["/wal_1/x-3"], "c": true})
        );
    }

    #[test]
    fn saved_instants_can_be_moved() {
        assert_eq!(
            filled(&json!("{now+60}"), &saved()),
            json!("2026-12-01T00:00:30Z")
        );
    }
}
