//! Pages of the feed: whole and in order, whatever their size; filters; positions.

use super::{all, post, types};
use crate::app::TestApp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

async fn some_history(app: &TestApp) -> [String; 2] {
    let wallets = [
        app.wallet_with("50.00").await,
        app.wallet_with("80.00").await,
    ];
    for turn in 0..6 {
        for wallet in &wallets {
            let path = format!("/v1/wallets/{wallet}");
            post(
                app,
                &format!("{path}/debits"),
                json!({"amount": "1.00", "reference": turn.to_string()}),
            )
            .await;
            if turn % 2 == 0 {
                post(
                    app,
                    &format!("{path}/holds"),
                    json!({"amount": "0.50", "reference": turn.to_string()}),
                )
                .await;
                let name = json!({"name": format!("Number {turn}")}).to_string();
                assert_eq!(app.patch(&path, &name).await.status, 200);
            }
        }
    }
    wallets
}

fn ids(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["id"].as_str().expect("an id"))
        .collect()
}

#[tokio::test]
async fn every_event_comes_once_and_in_order_by_pages_of_any_size() {
    let app = TestApp::start();
    let [wallet, _] = some_history(&app).await;
    let whole = all(&app, "", 100).await;
    assert!(ids(&whole).is_sorted_by(|one, next| one < next));
    let mut sequences: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &whole {
        let Some(sequence) = event["sequence"].as_u64() else {
            continue;
        };
        let wallet = event["wallet_id"].as_str().expect("a wallet");
        let before = sequences.insert(wallet, sequence).unwrap_or(0);
        assert!(before < sequence, "{event}");
    }
    let seqs = whole
        .iter()
        .filter(|event| event["type"] == "transaction.created");
    let seqs: BTreeSet<String> = seqs
        .map(|event| {
            format!(
                "{} {}",
                event["wallet_id"], event["data"]["transaction"]["seq"]
            )
        })
        .collect();
    assert_eq!(seqs.len(), 14, "each transaction");
    for limit in [1, 2, 3, 7, 20] {
        assert_eq!(all(&app, "", limit).await, whole, "by {limit}");
        let of_wallet = all(&app, &format!("&wallet_id={wallet}"), limit).await;
        let expected = whole.iter().filter(|event| event["wallet_id"] == *wallet);
        assert_eq!(
            of_wallet,
            expected.cloned().collect::<Vec<_>>(),
            "by {limit}"
        );
        for kind in [
            "wallet.updated",
            "hold.created",
            "transaction.created",
            "lot.expired",
        ] {
            let of_kind = all(&app, &format!("&type={kind}"), limit).await;
            let expected = whole.iter().filter(|event| event["type"] == kind);
            assert_eq!(
                of_kind,
                expected.cloned().collect::<Vec<_>>(),
                "{kind} by {limit}"
            );
        }
    }
}

#[tokio::test]
async fn a_feed_goes_on_behind_any_event() {
    let app = TestApp::start();
    some_history(&app).await;
    let whole = all(&app, "", 100).await;
    let app = app.restart().await;
    for (place, event) in whole.iter().enumerate() {
        let id = event["id"].as_str().expect("an id");
        let page = app
            .get(&format!("/v1/events?after={id}&limit=3"))
            .await
            .json();
        let rest = &whole[place + 1..];
        let expected = &rest[..rest.len().min(3)];
        assert_eq!(page["data"].as_array().expect("events"), expected);
        assert_eq!(page["has_more"], rest.len() > 3, "behind {id}");
    }
}

#[tokio::test]
async fn positions_and_filters_that_are_none_are_refused_in_form() {
    let app = TestApp::start();
    let [wallet, _] = some_history(&app).await;
    let page = app
        .get(&format!("/v1/events?limit=2&wallet_id={wallet}"))
        .await
        .json();
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    for after in ["after", "cursor"] {
        let rest = app
            .get(&format!("/v1/events?wallet_id={wallet}&{after}={cursor}"))
            .await;
        assert_eq!(rest.status, 200, "{}", rest.json());
        for refused in [
            format!("/v1/events?{after}={cursor}"),
            format!("/v1/events?{after}={cursor}&wallet_id={wallet}&type=wallet.updated"),
            format!("/v1/events?{after}={cursor}0&wallet_id={wallet}"),
            format!("/v1/events?{after}="),
        ] {
            let problem = app.get(&refused).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["parameter"], after, "{refused}");
        }
    }
    let both = format!("/v1/events?after={cursor}&cursor={cursor}&wallet_id={wallet}");
    app.get(&both).await.problem(400, "invalid_request");
    let unknown = app.get("/v1/events?type=wallet.sold").await;
    let problem = unknown.problem(400, "invalid_request");
    let message = problem["errors"][0]["message"].as_str().expect("a message");
    assert!(message.contains("wallet.topped_up, "), "{message}");
    for not_found in [
        "/v1/events?after=evt_0",
        "/v1/events?after=evt_000000000000700",
        "/v1/events?wallet_id=wal_0000000000007",
        "/v1/events?wallet_id=x",
        "/v1/events/stream?after=evt_0",
        "/v1/events/stream?wallet_id=wal_0000000000007",
    ] {
        app.get(not_found).await.problem(404, "not_found");
    }
    for refused in [
        "/v1/events?limit=0",
        "/v1/events?since=1",
        "/v1/events/stream?limit=5",
    ] {
        app.get(refused).await.problem(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_feed_that_is_read_while_it_grows_misses_nothing() {
    let app = TestApp::start();
    let wallet = app.wallet_with("50.00").await;
    let debits = async {
        for number in 0..40 {
            let body = json!({"amount": "0.01", "reference": number.to_string()});
            post(&app, &format!("/v1/wallets/{wallet}/debits"), body).await;
        }
    };
    let follow = async {
        let (mut events, mut after): (Vec<Value>, String) = (Vec::new(), String::new());
        while events.len() < 83 {
            let page = app.get(&format!("/v1/events?limit=3{after}")).await.json();
            let data = page["data"].as_array().expect("events");
            events.extend(data.iter().cloned());
            if let Some(last) = events.last() {
                after = format!("&after={}", last["id"].as_str().expect("an id"));
            }
            tokio::task::yield_now().await;
        }
        events
    };
    let ((), followed) = tokio::join!(debits, follow);
    let whole = all(&app, "", 100).await;
    assert_eq!(types(&whole).len(), 83);
    assert_eq!(followed, whole);
}
