//! The anchor beside the database: a database that has lost its end is not served, unless it is accepted; and the
//! metrics, which carry it out of the machine.

use crate::given::{debit, wallet_with};
use crate::server::Server;
use crate::wait;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::Duration;

fn copy_database(from: &Path, to: &Path) {
    fs::copy(from, to).expect("the database is copied");
}

#[test]
fn a_database_that_lost_its_end_is_served_only_when_it_is_accepted() {
    let mut server = Server::start();
    let wallet = wallet_with(&server.client(), "10.00");
    server.terminate();
    let copy = server.database_file().with_extension("copy");
    copy_database(&server.database_file(), &copy);
    server.restart();
    debit(&server.client(), &wallet, "1.00");
    server.terminate();

    copy_database(&copy, &server.database_file());
    let (status, words) = server.serve_in_vain("shorter");
    assert_eq!(status.code(), Some(1));
    assert!(words.contains("has lost its end"), "{words}");
    assert!(words.contains("serve --accept-restored"), "{words}");
    let verified = server.run(&["verify", "--database", &server.database_url()]);
    assert_eq!(verified.status.code(), Some(1), "{verified:?}");

    server.restart_with(&["--accept-restored"]);
    let shown = server
        .client()
        .get(&format!("/v1/wallets/{wallet}"))
        .is(200);
    assert_eq!(shown.string("balance"), "10.00");
    debit(&server.client(), &wallet, "2.00");
    server.terminate();
    server.restart();
    server.verify();
}

#[test]
fn the_anchor_keeps_up_while_there_are_commits() {
    let mut server = Server::start();
    let wallet = wallet_with(&server.client(), "10.00");
    debit(&server.client(), &wallet, "1.00");
    let anchor = server.database_file().with_extension("db.anchor");
    wait::until(Duration::from_secs(20), "the anchor to be written", || {
        let text = fs::read_to_string(&anchor).expect("an anchor");
        text.contains("\"height\":2,").then_some(())
    });
    server.kill9();
    server.restart();
    server.verify();
}

#[test]
fn metrics_are_on_a_listener_of_their_own() {
    let mut server = Server::start();
    server.terminate();
    server.restart_with(&["--metrics-listen", "127.0.0.1:0"]);
    let client = server.client();
    let wallet = wallet_with(&client, "10.00");
    let body = json!({"amount": "20.00"});
    client
        .post(&format!("/v1/wallets/{wallet}/debits"), &body)
        .is(402);
    let words = server.output_text();
    let url = words
        .lines()
        .find_map(|line| line.strip_prefix("Metrics are on "));
    let url = url.expect("the address is told");
    let mut answer = ureq::get(url).call().expect("an answer");
    let text = answer.body_mut().read_to_string().expect("a text");
    for line in ["tillbox_log_height 1", "tillbox_refused_commands_total 1"] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
}
