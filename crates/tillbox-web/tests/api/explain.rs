//! L13: a balance and a transaction open into terms that add up to what the other resources say.

use crate::app::TestApp;
use serde_json::{Value, json};

/// Micro-units of an amount as it is printed.
fn micros(value: &Value) -> i64 {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("no amount: {value}"));
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let whole: i64 = whole.trim_start_matches('-').parse().expect("digits");
    let decimals: i64 = format!("{decimals:0<6}").parse().expect("digits");
    sign * (whole * 1_000_000 + decimals)
}

fn total(list: &Value, field: &str) -> i64 {
    let list = list.as_array().expect("a list").iter();
    list.map(|item| micros(&item[field])).sum()
}

/// What is explained is what the balance says, and all terms add up.
async fn check_balance(app: &TestApp, wallet: &str, query: &str) {
    let of = |what: &str| format!("/v1/wallets/{wallet}/{what}{query}");
    let balance = app.get(&of("balance")).await.json();
    let explained = app.get(&of("explain")).await.json();
    for name in [
        "balance",
        "held",
        "available_balance",
        "debt",
        "pending_top_ups",
    ] {
        let sum = &explained[name];
        assert_eq!(sum["amount"], balance[name], "{name} of {explained}");
        let terms = total(&sum["terms"], "amount");
        assert_eq!(terms, micros(&sum["amount"]), "{name} of {explained}");
    }
    let withdrawable = &explained["withdrawable"];
    assert_eq!(withdrawable["amount"], balance["withdrawable"]);
    let lesser = micros(&withdrawable["unheld_on_withdrawable_lots"])
        .min(micros(&withdrawable["balance_less_held"]).max(0));
    assert_eq!(micros(&withdrawable["amount"]), lesser, "{explained}");
    let lots = &explained["lots"];
    assert_eq!(
        total(lots, "remaining") - micros(&balance["debt"]),
        micros(&balance["balance"]),
        "{explained}"
    );
    let by_type = balance["by_funding_type"].as_object().expect("types");
    for (funding, amount) in by_type {
        let lots = lots.as_array().expect("lots").iter();
        let lots = lots.filter(|lot| lot["funding_type"] == **funding);
        let sum: i64 = lots.map(|lot| micros(&lot["remaining"])).sum();
        assert_eq!(sum, micros(amount), "{funding} of {explained}");
    }
    assert_eq!(
        total(&explained["debts"], "amount"),
        micros(&balance["debt"])
    );
    let holds = &explained["holds"];
    assert_eq!(total(holds, "remaining"), micros(&balance["held"]));
    let mut on_lots = 0;
    for hold in holds.as_array().expect("holds") {
        let parts = total(&hold["lots"], "amount");
        on_lots += parts;
        assert_eq!(
            parts + micros(&hold["overdraft"]),
            micros(&hold["remaining"])
        );
    }
    assert_eq!(on_lots, total(lots, "held"), "{explained}");
}

async fn explained(app: &TestApp, wallet: &str, transaction: &Value) -> Value {
    let id = transaction.as_str().expect("an id");
    let path = format!("/v1/wallets/{wallet}/transactions/{id}/explain");
    let answer = app.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

/// Each transaction's parts add up, its lots are those that it shows, and debt is never paid or given back twice.
async fn check_transactions(app: &TestApp, wallet: &str) {
    let path = format!("/v1/wallets/{wallet}/transactions?limit=100");
    let list = app.get(&path).await.json();
    for transaction in list["data"].as_array().expect("a list") {
        let told = explained(app, wallet, &transaction["id"]).await;
        assert_eq!(&told["transaction"], transaction);
        assert_eq!(told["amount"]["amount"], transaction["amount"]);
        let terms = &told["amount"]["terms"];
        assert_eq!(
            total(terms, "amount"),
            micros(&transaction["amount"]),
            "{told}"
        );
        let shares = |list: &Value| -> Vec<(Value, Value)> {
            let list = list.as_array().expect("lots").iter();
            list.map(|lot| (lot["lot_id"].clone(), lot["amount"].clone()))
                .collect()
        };
        assert_eq!(
            shares(&told["lots"]),
            shares(&transaction["lots"]),
            "{told}"
        );
        let made = -micros(&terms[1]["amount"]);
        assert!(total(&told["late_allocations"], "amount") <= made, "{told}");
        assert_eq!(
            total(&told["paid_debt"]["debts"], "amount"),
            micros(&told["paid_debt"]["amount"]),
            "{told}"
        );
        let refunded = micros(&told["refunded"]);
        assert_eq!(total(&told["refunds"], "amount"), refunded);
        if transaction["reason"] == "usage" {
            let left = -micros(&transaction["amount"]) - refunded;
            assert_eq!(micros(&told["refundable"]), left, "{told}");
        }
    }
}

#[tokio::test]
async fn l13_whatever_is_done_the_terms_add_up() {
    let app = TestApp::start();
    let wallet = app.wallet_with("20.00").await;
    let limit = r#"{"overdraft_limit":"15.00"}"#;
    app.patch(&format!("/v1/wallets/{wallet}"), limit).await;
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let (mut holds, mut debits) = (Vec::new(), Vec::new());
    let mut debt_seen = 0;
    for step in 0..120 {
        let amount = format!("{}.{:02}", next(9), 1 + next(99));
        let of = |end: &str| format!("/v1/wallets/{wallet}/{end}");
        let expires = if next(2) == 0 {
            "2026-05-31T13:00:00Z"
        } else {
            "2026-07-01T00:00:00Z"
        };
        let (path, body) = match next(9) {
            0 => (
                of("credits"),
                json!({"amount": amount, "funding_type": "cash", "priority": next(3)}),
            ),
            1 => (
                of("credits"),
                json!({"amount": amount, "funding_type": "promotional", "expires_at": expires}),
            ),
            2 | 3 => (of("debits"), json!({"amount": amount})),
            4 => {
                let amount = format!("{}.00", 10 + next(15));
                (of("debits"), json!({"amount": amount, "force": true}))
            }
            5 => (
                of("holds"),
                json!({"amount": amount, "expires_in": 600 + next(3_000)}),
            ),
            6 if !holds.is_empty() => {
                let hold: String =
                    holds.swap_remove(usize::try_from(next(64)).expect("small") % holds.len());
                (
                    of(&format!("holds/{hold}/capture")),
                    json!({"amount": "0.01", "final": next(2) == 0}),
                )
            }
            7 if !debits.is_empty() => {
                let debit: String =
                    debits.swap_remove(usize::try_from(next(64)).expect("small") % debits.len());
                (of(&format!("transactions/{debit}/refund")), json!({}))
            }
            _ => {
                app.wait(120);
                continue;
            }
        };
        let answer = app
            .post(&path, &format!("step-{step}"), &body.to_string())
            .await;
        if answer.status == 201 && path.ends_with("/holds") {
            holds.push(answer.json()["id"].as_str().expect("an id").to_owned());
        } else if answer.status == 201 && path.ends_with("/debits") {
            debits.push(answer.json()["id"].as_str().expect("an id").to_owned());
        }
        let balance = app.get(&of("balance")).await.json();
        debt_seen += micros(&balance["debt"]).min(1);
        check_balance(&app, &wallet, "").await;
        if step % 20 == 0 && step >= 60 {
            check_balance(&app, &wallet, "?at=2026-05-31T12:06:00Z").await;
        }
    }
    assert!(debt_seen > 10, "the script makes debt");
    check_transactions(&app, &wallet).await;
    app.verify();
}

#[tokio::test]
async fn l13_a_debit_says_which_lots_paid_in_which_order_and_why() {
    let app = TestApp::start();
    let wallet = app.wallet_with("5.00").await;
    let of = |end: &str| format!("/v1/wallets/{wallet}/{end}");
    let promo = json!({"amount": "3.00", "funding_type": "promotional", "expires_at": "2026-07-01T00:00:00Z"});
    let promo = app
        .post(&of("credits"), "p", &promo.to_string())
        .await
        .json();
    let debit = json!({"amount": "12.00", "force": true});
    let debit = app
        .post(&of("debits"), "d", &debit.to_string())
        .await
        .json();
    let credit = json!({"amount": "6.00", "funding_type": "cash"});
    let credit = app
        .post(&of("credits"), "c", &credit.to_string())
        .await
        .json();
    app.post(
        &of(&format!(
            "transactions/{}/refund",
            debit["id"].as_str().expect("an id")
        )),
        "r",
        r#"{"amount":"1.00"}"#,
    )
    .await;
    let told = explained(&app, &wallet, &debit["id"]).await;
    assert_eq!(told["order"], "draw_order");
    assert_eq!(told["lots"][0]["amount"], "-3.00");
    assert_eq!(told["lots"][0]["before_next_by"], "expires_at");
    assert_eq!(told["lots"][0]["source"]["transaction_id"], promo["id"]);
    assert_eq!(told["lots"][0]["source"]["reason"], "promotional");
    assert_eq!(told["lots"][1]["amount"], "-5.00");
    assert_eq!(told["lots"][1]["before_next_by"], Value::Null);
    let terms = json!([{"name": "lots", "amount": "-8.00"}, {"name": "debt_made", "amount": "-4.00"}, {"name": "debt_canceled", "amount": "0.00"}]);
    assert_eq!(told["amount"]["terms"], terms);
    let late = &told["late_allocations"];
    assert_eq!(late.as_array().map(Vec::len), Some(1));
    assert_eq!(late[0]["amount"], "4.00");
    assert_eq!(late[0]["paid_by"], credit["id"]);
    assert_eq!(late[0]["source"]["transaction_id"], credit["id"]);
    assert_eq!(
        (&told["refunded"], &told["refundable"]),
        (&json!("1.00"), &json!("11.00"))
    );
    let told = explained(&app, &wallet, &credit["id"]).await;
    assert_eq!(told["paid_debt"]["amount"], "4.00");
    assert_eq!(told["paid_debt"]["debts"][0]["transaction_id"], debit["id"]);
    assert_eq!(told["lots"][0]["amount"], "6.00");
}

#[tokio::test]
async fn l13_what_is_not_there_is_not_explained() {
    let app = TestApp::start();
    let wallet = app.wallet_with("5.00").await;
    let other = app.wallet_with("5.00").await;
    let list = app
        .get(&format!("/v1/wallets/{other}/transactions"))
        .await
        .json();
    let foreign = list["data"][0]["id"].as_str().expect("an id");
    let of = |id: &str| format!("/v1/wallets/{wallet}/transactions/{id}/explain");
    for path in [
        of(foreign),
        of("txn_x"),
        of(&other),
        "/v1/wallets/wal_x/explain".to_owned(),
        format!("/v1/wallets/{foreign}/explain"),
    ] {
        app.get(&path).await.problem(404, "not_found");
    }
    let path = format!("/v1/wallets/{wallet}/explain");
    for query in ["?at=2999-01-01T00:00:00Z", "?at=yesterday", "?limit=1"] {
        let answer = app.get(&format!("{path}{query}")).await;
        answer.problem(400, "invalid_request");
    }
}
