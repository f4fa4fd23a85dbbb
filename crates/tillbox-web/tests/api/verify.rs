//! The self-audit over HTTP: it is of the merchant's own wallets, and names what is broken.

use crate::app::TestApp;
use tillbox_store::sqlite::Connection;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_names_the_rule_that_is_broken() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let debits = format!("/v1/wallets/{wallet}/debits");
    assert_eq!(
        app.post(&debits, "one", r#"{"amount":"1.00"}"#)
            .await
            .status,
        201
    );

    let sound = app.get("/v1/verify").await;
    assert_eq!(sound.status, 200);
    let sound = sound.json();
    let rules = sound["rules"].as_array().expect("rules");
    assert!(rules.len() > 30, "{sound}");
    assert!(rules.iter().all(|rule| rule["ok"] == true), "{sound}");
    let counts = ["ok", "rows", "wallets", "height"].map(|name| sound[name].to_string());
    assert_eq!(counts, ["true", "2", "1", "2"]);
    assert_eq!(sound["head"].as_str().expect("a hash").len(), 64);

    let writer = Connection::open(app.database()).expect("opens");
    let forged = "UPDATE log SET description = 'another' WHERE version = 2; UPDATE log SET salt = zeroblob(16) WHERE version = 2";
    writer.execute_batch(forged).expect("forged");
    drop(writer);
    let broken = app.get("/v1/verify").await.json();
    assert_eq!(broken["ok"], false);
    let rules = broken["rules"].as_array().expect("rules");
    let broken: Vec<_> = rules.iter().filter(|rule| rule["ok"] == false).collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(broken[0]["rule"], "the chain holds");
    assert_eq!(broken[0]["violation"]["wallet_id"], wallet.as_str());
    assert_eq!(broken[0]["violation"]["version"], 2);

    // Whole again, as the app's own audit at its end demands.
    let writer = Connection::open(app.database()).expect("opens");
    let mended = "UPDATE log SET description = NULL, salt = NULL WHERE version = 2";
    writer.execute_batch(mended).expect("mended");
}
