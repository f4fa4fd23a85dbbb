//! The journal, line by line.

use super::{advance, as_csv, balances, book, journal, lines, read, shown, wallet_in};
use crate::app::TestApp;
use serde_json::{Value, json};

#[tokio::test]
async fn each_transaction_is_told_by_balanced_lines() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let gift = json!({"amount": "2.00", "funding_type": "promotional"});
    let gift = book(&app, &wallet, "credits", gift).await;
    let debit = book(
        &app,
        &wallet,
        "debits",
        json!({"amount": "15.00", "force": true}),
    )
    .await;
    let credit = json!({"amount": "5.00", "funding_type": "cash"});
    let credit = book(&app, &wallet, "credits", credit).await;
    let refund = format!("transactions/{debit}/refund");
    let refund = book(&app, &wallet, &refund, json!({"amount": "1.00"})).await;

    let page = read(&app, "/v1/journal").await;
    assert_eq!(
        (&page["has_more"], &page["next_cursor"]),
        (&json!(false), &Value::Null)
    );
    let fields = ["transaction_id", "account", "debit", "credit", "reason"];
    let expected = [
        format!("{refund} revenue 1.00 0.00 refund"),
        format!("{refund} liability_promotional 0.00 1.00 refund"),
        format!("{credit} payment_clearing 5.00 0.00 top_up"),
        format!("{credit} liability_cash 0.00 5.00 top_up"),
        format!("{credit} liability_cash 3.00 0.00 top_up"),
        format!("{credit} receivable 0.00 3.00 top_up"),
        format!("{debit} liability_promotional 2.00 0.00 usage"),
        format!("{debit} revenue 0.00 2.00 usage"),
        format!("{debit} liability_cash 10.00 0.00 usage"),
        format!("{debit} revenue 0.00 10.00 usage"),
        format!("{debit} receivable 3.00 0.00 usage"),
        format!("{debit} revenue 0.00 3.00 usage"),
        format!("{gift} promotional_expense 2.00 0.00 promotional"),
        format!("{gift} liability_promotional 0.00 2.00 promotional"),
    ];
    let all = shown(&page, &fields);
    assert_eq!(all[..14], expected);
    assert_eq!(
        all.len(),
        16,
        "and the cash that the wallet was opened with"
    );
    let first = &page["data"][2];
    assert_eq!(first["wallet_id"], wallet.as_str());
    assert_eq!(first["currency"], "USD");
    assert!(
        first["lot_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("lot_"))
    );
    assert!(
        first["date"]
            .as_str()
            .is_some_and(|date| date.starts_with("2026-05-31T12:"))
    );
    assert_eq!(page["data"][10]["lot_id"], Value::Null, "debt has no lot");
    app.verify();
}

#[tokio::test]
async fn pages_of_any_size_give_what_the_csv_gives() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    for amount in ["1.00", "2.00", "3.00", "9.00"] {
        let debit = json!({"amount": amount, "force": true});
        book(&app, &wallet, "debits", debit).await;
    }
    let credit = json!({"amount": "20.00", "funding_type": "cash"});
    book(&app, &wallet, "credits", credit).await;
    let whole = journal(&app, "", 100).await;
    for limit in [1, 2, 3, 5, 7] {
        assert_eq!(journal(&app, "", limit).await, whole, "by {limit}");
    }
    let csv = as_csv(&app, "/v1/journal").await;
    assert_eq!(
        csv.header("content-disposition"),
        "attachment; filename=\"journal.csv\""
    );
    assert_eq!(csv.body, app.get("/v1/journal.csv").await.body);
    let mut oldest_first: Vec<Vec<&Value>> = Vec::new();
    for line in &whole {
        match oldest_first.last_mut() {
            Some(group) if group[0]["transaction_id"] == line["transaction_id"] => group.push(line),
            _ => oldest_first.push(vec![line]),
        }
    }
    let told: Vec<String> = oldest_first
        .iter()
        .rev()
        .flatten()
        .map(|line| {
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            let fields = [
                "date",
                "transaction_id",
                "wallet_id",
                "account",
                "debit",
                "credit",
                "currency",
                "reason",
                "lot_id",
            ];
            fields.map(text).join(",")
        })
        .collect();
    let csv = lines(&csv);
    assert_eq!(
        csv[0],
        "date,transaction_id,wallet_id,account,debit,credit,currency,reason,lot_id"
    );
    assert_eq!(csv[1..], told);
}

/// What a hold frees may pay debt without a transaction.
#[tokio::test]
async fn r06_value_that_a_hold_frees_pays_debt_in_the_journal_too() {
    let app = TestApp::start();
    let wallet = app.wallet_with("10.00").await;
    let hold = json!({"amount": "10.00", "expires_in": 60});
    book(&app, &wallet, "holds", hold).await;
    let debit = json!({"amount": "4.00", "force": true});
    book(&app, &wallet, "debits", debit).await;
    advance(&app, 120).await;
    let page = read(&app, "/v1/journal?limit=2").await;
    let fields = ["transaction_id", "account", "debit", "credit", "reason"];
    assert_eq!(
        shown(&page, &fields),
        [
            "null liability_cash 4.00 0.00 null",
            "null receivable 0.00 4.00 null",
        ]
    );
    let all = journal(&app, "", 100).await;
    assert_eq!(
        balances(&all)
            .into_iter()
            .map(|((_, account), balance)| (account, balance))
            .collect::<Vec<_>>(),
        [
            ("liability_cash".to_owned(), -6_000_000),
            ("payment_clearing".to_owned(), 10_000_000),
            ("revenue".to_owned(), -4_000_000),
        ]
    );
}

#[tokio::test]
async fn r23_a_date_is_a_day_of_the_merchants_time_zone() {
    let app = TestApp::start();
    let settings = app
        .patch("/v1/settings", r#"{"time_zone":"America/New_York"}"#)
        .await;
    assert_eq!(settings.status, 200);
    let wallet = app.wallet_with("10.00").await;
    // 23:00 in New York, and the next day in Greenwich.
    advance(&app, 15 * 3_600).await;
    book(&app, &wallet, "debits", json!({"amount": "1.00"})).await;
    advance(&app, 2 * 3_600).await;
    book(&app, &wallet, "debits", json!({"amount": "2.00"})).await;
    let debits = async |query: &str| {
        let lines = journal(&app, query, 100).await.into_iter();
        let spent = lines.filter(|line| line["account"] == "revenue");
        spent.map(|line| line["credit"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(debits("from=2026-05-31&to=2026-05-31&").await, ["1.00"]);
    assert_eq!(debits("from=2026-06-01&").await, ["2.00"]);
    assert_eq!(debits("to=2026-05-31&").await, ["1.00"]);
    assert_eq!(debits("from=2026-06-01T00:00:00Z&").await, ["2.00", "1.00"]);
    // An instant within a quarter of an hour.
    assert_eq!(
        debits("to=2026-06-01T03:00:00Z&").await,
        Vec::<Value>::new()
    );
    assert_eq!(debits("from=2026-06-02&").await, Vec::<Value>::new());

    let csv = lines(&as_csv(&app, "/v1/journal?to=2026-05-31").await);
    assert_eq!(csv.len(), 1 + 4);
}

#[tokio::test]
async fn another_form_is_refused() {
    let app = TestApp::start();
    for path in [
        "/v1/journal?from=yesterday",
        "/v1/journal?limit=0",
        "/v1/journal?cursor=00",
        "/v1/journal?by=day",
        "/v1/journal.csv?limit=5",
        "/v1/reports/revenue?by=week",
        "/v1/reports/spend?at=2026-05-31T12:00:00Z",
        "/v1/reports/liability?at=2027-01-01T00:00:00Z",
        "/v1/reports/liability?at=2026-05-31",
        "/v1/reports/trial-balance?by=day",
    ] {
        app.get(path).await.problem(400, "invalid_request");
    }
    let unknown = crate::app::request("GET", "/v1/reports/trial-balance")
        .header("authorization", "Bearer tb_test_no")
        .body(axum::body::Body::empty());
    let mut unknown = unknown.expect("a request");
    unknown.headers_mut().remove("authorization");
    app.send(unknown).await.problem(401, "unauthenticated");
    let wallet = wallet_in(&app, "USD").await;
    book(
        &app,
        &wallet,
        "credits",
        json!({"amount": "1.00", "funding_type": "cash"}),
    )
    .await;
    book(&app, &wallet, "debits", json!({"amount": "1.00"})).await;
    let page = read(&app, "/v1/journal?limit=1").await;
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let other = format!("/v1/journal?limit=1&from=2026-01-01&cursor={cursor}");
    app.get(&other).await.problem(400, "invalid_request");
}
