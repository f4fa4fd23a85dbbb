//! The process: health, the `OpenAPI` document, the first key, a clean stop, the lock on the database, exit codes.

use crate::client::{Client, Request};
use crate::given::{amount_of, debit, wallet_with};
use crate::random::Random;
use crate::server::{BOOTSTRAP_KEY, Server, text_of};
use crate::wait;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[test]
fn health_and_documents_need_no_key() {
    let server = Server::start();
    let client = server.client();
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        client
            .send(&Request::new("GET", path).without_bearer())
            .is(200);
    }
    let wrong = Request::new("GET", "/healthz").header("authorization", "Bearer wrong");
    client.send(&wrong.without_bearer()).is(200);
    client
        .send(&Request::new("GET", "/metrics").without_bearer())
        .is(404);
}

#[test]
fn the_openapi_document_names_every_path() {
    let server = Server::start();
    let document = server.client().get("/openapi.json").is(200).json();
    let version = document["openapi"].as_str().expect("a version");
    assert!(version.starts_with("3.1"), "{version}");
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = BTreeSet::new();
    for (path, methods) in paths {
        // The names of the parameters are the document's own.
        let segments = path
            .split('/')
            .map(|part| if part.starts_with('{') { "{}" } else { part });
        let path = segments.collect::<Vec<_>>().join("/");
        for (method, operation) in methods.as_object().expect("methods") {
            if let Some(responses) = operation["responses"].as_object() {
                for (status, response) in responses {
                    assert!(
                        response["description"].is_string(),
                        "{method} {path} {status}"
                    );
                }
            }
            operations.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    for operation in [
        "POST /v1/customers",
        "GET /v1/customers",
        "GET /v1/customers/{}",
        "PATCH /v1/customers/{}",
        "DELETE /v1/customers/{}",
        "POST /v1/wallets",
        "GET /v1/wallets",
        "GET /v1/wallets/{}",
        "PATCH /v1/wallets/{}",
        "GET /v1/wallets/{}/balance",
        "GET /v1/wallets/{}/lots",
        "POST /v1/wallets/{}/freeze",
        "POST /v1/wallets/{}/unfreeze",
        "POST /v1/wallets/{}/credits",
        "POST /v1/wallets/{}/debits",
        "POST /v1/wallets/{}/adjustments",
        "POST /v1/wallets/{}/usage",
        "POST /v1/wallets/{}/holds",
        "GET /v1/wallets/{}/holds",
        "GET /v1/wallets/{}/holds/{}",
        "POST /v1/wallets/{}/holds/{}/capture",
        "POST /v1/wallets/{}/holds/{}/release",
        "POST /v1/wallets/{}/holds/{}/extend",
        "GET /v1/wallets/{}/transactions",
        "GET /v1/wallets/{}/transactions.csv",
        "GET /v1/wallets/{}/transactions/{}",
        "POST /v1/wallets/{}/transactions/{}/refund",
        "GET /v1/transactions",
        "POST /v1/batches",
        "POST /v1/prices",
        "GET /v1/prices",
        "GET /v1/settings",
        "PATCH /v1/settings",
        "GET /v1/test-clock",
        "POST /v1/test-clock/advance",
    ] {
        assert!(
            operations.contains(operation),
            "{operation} is not in the document"
        );
    }
}

#[test]
fn a_stop_under_load_finishes_what_it_answers() {
    let mut server = Server::start();
    let wallet = wallet_with(&server.client(), "1000.00");
    let answered = AtomicUsize::new(0);
    let keys: Vec<String> = std::thread::scope(|scope| {
        let (answered, wallet, server) = (&answered, &wallet, &mut server);
        let threads: Vec<_> = (0..8_u64)
            .map(|seed| {
                let client = server.client();
                scope.spawn(move || debit_until_refused(&client, wallet, seed, answered))
            })
            .collect();
        let loaded = wait::at_most(Duration::from_secs(30), || {
            (answered.load(Ordering::Relaxed) > 100).then_some(())
        });
        server.terminate();
        assert!(loaded.is_some(), "no load came about");
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("keys"))
            .collect()
    });
    server.restart();
    let client = server.client();
    let rows = client.list(&format!("/v1/wallets/{wallet}/transactions?type=debit"));
    let found: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row["reference"].as_str())
        .collect();
    for key in &keys {
        assert!(
            found.contains(key.as_str()),
            "answered, and yet not there: {key}"
        );
    }
    assert_eq!(found.len(), rows.len(), "each debit once");
    server.verify();
}

/// The keys that were answered with 201. At the end the server says 503, or closes the connection.
fn debit_until_refused(
    client: &Client,
    wallet: &str,
    seed: u64,
    answered: &AtomicUsize,
) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut keys = Vec::new();
    loop {
        let key = random.key();
        let body = json!({"amount": "0.01", "reference": key});
        let path = format!("/v1/wallets/{wallet}/debits");
        let Ok(answer) = client.try_send(&Request::new("POST", &path).json(&body).key(&key)) else {
            return keys;
        };
        answer.check_conventions();
        if answer.status == 503 {
            return keys;
        }
        assert_eq!(answer.status, 201, "{answer}");
        keys.push(key);
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_idle_server_stops_at_once_with_open_connections() {
    let mut server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "5.00");
    // The client keeps its connection open.
    assert_eq!(amount_of(&client, &wallet, "balance"), "5.00");
    server.terminate();
    server.restart();
    assert_eq!(amount_of(&server.client(), &wallet, "balance"), "5.00");
}

#[test]
fn a_second_process_on_the_same_database_is_refused() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "5.00");
    let (status, words) = server.serve_a_second_time();
    assert_eq!(status.code(), Some(1), "{words}");
    let told = ["another", "already", "in use", "locked"];
    assert!(
        told.iter().any(|word| words.contains(word)),
        "no clear message: {words}"
    );
    assert!(!words.contains("panicked"), "{words}");
    debit(&client, &wallet, "1.00");
    assert_eq!(amount_of(&client, &wallet, "balance"), "4.00");
    server.verify();
}

#[test]
fn verify_runs_beside_a_server_and_without_one() {
    let mut server = Server::start();
    let wallet = wallet_with(&server.client(), "50.00");
    std::thread::scope(|scope| {
        let client = server.client();
        let (server, wallet) = (&server, &wallet);
        let debits =
            scope.spawn(move || (0..40).for_each(|_| drop(debit(&client, wallet, "1.00"))));
        (0..3).for_each(|_| server.verify());
        debits.join().expect("all debits succeed");
    });
    server.terminate();
    server.verify();
    server.restart();
    assert_eq!(amount_of(&server.client(), &wallet, "balance"), "10.00");
}

#[test]
fn exit_codes_tell_wrong_usage_from_refusal() {
    let server = Server::start();
    for wrong in [
        &["frobnicate"][..],
        &["serve", "--frobnicate"],
        &["verify", "--database"],
        &["serve", "extra"],
    ] {
        let output = server.run(wrong);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{wrong:?}: {}",
            text_of(&output)
        );
        assert!(!output.stderr.is_empty(), "{wrong:?} says nothing");
    }
    for right in [
        &["--help"][..],
        &["serve", "--help"],
        &["verify", "--help"],
        &["--version"],
    ] {
        let output = server.run(right);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{right:?}: {}",
            text_of(&output)
        );
        assert!(!output.stdout.is_empty(), "{right:?} says nothing");
    }
    let nowhere = format!(
        "sqlite:{}/nothing/here.db",
        server.database_file().display()
    );
    for refused in [
        &["verify", "--database", &nowhere][..],
        &["verify", "--database", "mysql://x"],
        &["serve", "--public-url", "wallet.example.com"],
        &["serve", "--public-url", "https://example.com/wallet"],
    ] {
        let output = server.run(refused);
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{}",
            text_of(&output)
        );
        assert!(!output.stderr.is_empty(), "{refused:?} says nothing");
    }
}

/// The first thing in the text that looks like an API key.
fn key_in(text: &str) -> Option<&str> {
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.find(|word| word.starts_with("tb_test_") || word.starts_with("tb_live_"))
}

#[test]
fn without_a_bootstrap_key_the_first_start_prints_one_once() {
    let mut server = Server::start_with_bootstrap_key(None);
    let words = server.output_text();
    let key = key_in(&words)
        .unwrap_or_else(|| panic!("no key in: {words}"))
        .to_owned();
    server.client_with_key(&key).get("/v1/settings").is(200);
    server.terminate();
    server.restart();
    assert_eq!(key_in(&server.output_text()), None, "printed again");
    server.client_with_key(&key).get("/v1/settings").is(200);
}

#[test]
fn a_bootstrap_key_counts_for_an_empty_database_only() {
    let mut server = Server::start();
    let other = "tb_test_another0123456789abcdefgh";
    server
        .client_with_key(other)
        .get("/v1/settings")
        .refused(401, "unauthenticated");
    server.kill9();
    server.restart_with_bootstrap_key(other);
    server
        .client_with_key(other)
        .get("/v1/settings")
        .refused(401, "unauthenticated");
    server
        .client_with_key(BOOTSTRAP_KEY)
        .get("/v1/settings")
        .is(200);
    assert!(
        !server.output_text().contains(BOOTSTRAP_KEY),
        "a key is in the log"
    );
}

#[test]
fn a_short_or_malformed_bootstrap_key_is_refused() {
    for key in [
        "tb_test_short",
        "tb_test_",
        "e2e0123456789abcdefghijk0123456789",
    ] {
        let (status, words) = Server::refused_start(key);
        assert!(
            matches!(status.code(), Some(1 | 2)),
            "{key}: {status} {words}"
        );
        assert!(
            words.contains("TILLBOX_BOOTSTRAP_KEY"),
            "no clear message: {words}"
        );
    }
}
