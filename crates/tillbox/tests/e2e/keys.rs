//! `tillbox keys`: made and voided while no server runs, and good with the next one.

use crate::client::Request;
use crate::server::Server;
use serde_json::Value;

#[test]
fn keys_are_made_listed_and_voided_without_a_server() {
    let mut server = Server::start();
    let database = server.database_url();
    let keys = |server: &Server, words: &[&str]| {
        let mut all = vec!["keys", "--json", "--database", &database];
        all.extend(words);
        server.run(&all)
    };
    let busy = keys(&server, &["list"]);
    assert_eq!(busy.status.code(), Some(1));
    let why = String::from_utf8_lossy(&busy.stderr).into_owned();
    assert!(why.contains("POST /v1/api-keys"), "{why}");
    server.terminate();

    let read = |output: std::process::Output| -> Value {
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let made = read(keys(
        &server,
        &["create", "--name", "Reports", "--scopes", "read"],
    ));
    let (id, key) = (
        made["id"].as_str().expect("an id"),
        made["key"].as_str().expect("a key"),
    );
    let listed = read(keys(&server, &["list"]));
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    assert!(!listed.to_string().contains(key), "a key is shown once");
    let wrong = keys(
        &server,
        &["create", "--name", "x", "--scopes", "everything"],
    );
    assert_eq!(wrong.status.code(), Some(1));

    let bearer = format!("Bearer {key}");
    let by_key = |method: &str, path: &str| {
        Request::new(method, path)
            .without_bearer()
            .header("authorization", &bearer)
    };
    server.restart();
    let client = server.client();
    client.send(&by_key("GET", "/v1/wallets")).is(200);
    client
        .send(&by_key("POST", "/v1/customers"))
        .refused(403, "forbidden");
    server.terminate();

    read(keys(&server, &["revoke", id]));
    assert_eq!(keys(&server, &["revoke", id]).status.code(), Some(1));
    server.restart();
    let client = server.client();
    client
        .send(&by_key("GET", "/v1/wallets"))
        .refused(401, "unauthenticated");
    let done = client.get("/v1/audit-log").is(200);
    assert!(done.text().contains("api_key.revoked"));
    let help = server.run(&["keys", "--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("revoke"));
}
