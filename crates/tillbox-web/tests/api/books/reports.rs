//! The reports, and how they tie to each other.

use super::{advance, as_csv, balances, book, journal, lines, read, shown, wallet_in};
use crate::app::TestApp;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// Three days: money in, gifts, spending at a price, a refund, debt, a correction, value lost.
async fn three_days(app: &TestApp) -> String {
    let price = json!({"key": "=sms", "unit": "message", "unit_amount": "0.50", "currency": "USD"});
    let price = app.post("/v1/prices", "", &price.to_string()).await;
    assert_eq!(price.status, 201, "{}", price.json());
    let wallet = wallet_in(app, "USD").await;
    let credit = async |amount: &str, funding: &str, days: i64| {
        let body = json!({"amount": amount, "funding_type": funding,
            "expires_at": format!("2026-06-{days:02}T00:00:00Z")});
        book(app, &wallet, "credits", body).await
    };
    credit("100.00", "cash", 30).await;
    credit("10.00", "promotional", 2).await;
    credit("6.00", "refund", 2).await;
    // 4.00 of the gift.
    book(
        app,
        &wallet,
        "usage",
        json!({"price": "=sms", "quantity": 8}),
    )
    .await;
    advance(app, DAY).await;
    // What is left of the gift: 6.00, then 1.00 of the refund.
    let debit = book(
        app,
        &wallet,
        "debits",
        json!({"amount": "7.00", "reason": "purchase"}),
    )
    .await;
    advance(app, DAY).await;
    // 5.00 of the refund have expired. What is given back to the gift gets a grace.
    let refund = format!("transactions/{debit}/refund");
    book(app, &wallet, &refund, json!({"amount": "2.00"})).await;
    let correction = json!({"amount": "-1.00", "reason_text": "counted twice"});
    book(app, &wallet, "adjustments", correction).await;
    let forced = json!({"amount": "104.00", "force": true});
    book(app, &wallet, "debits", forced).await;
    wallet
}

#[tokio::test]
async fn reports_tell_three_days() {
    let app = TestApp::start();
    let wallet = three_days(&app).await;

    let trial = read(&app, "/v1/reports/trial-balance").await;
    let fields = ["account", "kind", "debit", "credit", "balance"];
    let expected = [
        "payment_clearing asset 100.00 0.00 100.00",
        "receivable asset 3.00 0.00 3.00",
        "liability_cash liability 100.00 100.00 0.00",
        "liability_promotional liability 12.00 12.00 0.00",
        "liability_refund liability 6.00 6.00 0.00",
        "revenue income 2.00 115.00 -113.00",
        "breakage income 0.00 5.00 -5.00",
        "refund_expense expense 6.00 0.00 6.00",
        "promotional_expense expense 10.00 0.00 10.00",
        "adjustments expense 0.00 1.00 -1.00",
    ];
    assert_eq!(shown(&trial, &fields), expected);
    let totals =
        json!([{"currency": "USD", "debit": "239.00", "credit": "239.00", "balance": "0.00"}]);
    assert_eq!(trial["totals"], totals);

    let revenue = read(&app, "/v1/reports/revenue").await;
    assert_eq!(revenue["time_zone"], "UTC");
    let fields = [
        "period",
        "recognized",
        "paid",
        "given",
        "on_credit",
        "deferred_revenue",
    ];
    let expected = [
        "2026-05-31 4.00 0.00 4.00 0.00 106.00",
        "2026-06-01 7.00 1.00 6.00 0.00 105.00",
        "2026-06-02 102.00 99.00 0.00 3.00 0.00",
    ];
    assert_eq!(shown(&revenue, &fields), expected);
    let month = read(&app, "/v1/reports/revenue?by=month&from=2026-06-01").await;
    assert_eq!(
        shown(&month, &fields),
        ["2026-06 109.00 100.00 6.00 3.00 0.00"]
    );

    let breakage = read(&app, "/v1/reports/breakage").await;
    let fields = [
        "period",
        "reason",
        "transactions",
        "breakage",
        "promotional_reversal",
    ];
    assert_eq!(shown(&breakage, &fields), ["2026-06-02 expiry 1 5.00 0.00"]);

    let top_ups = read(&app, "/v1/reports/top-ups").await;
    let fields = [
        "period",
        "reason",
        "transactions",
        "amount",
        "paid",
        "given",
    ];
    assert_eq!(
        shown(&top_ups, &fields),
        ["2026-05-31 top_up 1 100.00 100.00 0.00"]
    );

    let spend = read(&app, "/v1/reports/spend").await;
    let fields = [
        "period",
        "reason",
        "price",
        "transactions",
        "quantity",
        "billed_quantity",
        "amount",
    ];
    let expected = [
        "2026-05-31 usage =sms 1 8 8 4.00",
        "2026-06-01 purchase null 1 0 0 7.00",
        "2026-06-02 usage null 1 0 0 104.00",
        "2026-06-02 refund null 1 0 0 -2.00",
    ];
    assert_eq!(shown(&spend, &fields), expected);

    let balance = read(&app, &format!("/v1/wallets/{wallet}/balance")).await;
    assert_eq!(balance["debt"], "3.00");
    app.verify();
}

/// The journal, the trial balance, the liability by age, the deferred revenue and the wallets say the same.
#[tokio::test]
async fn reports_tie_to_each_other_and_to_the_wallets() {
    let app = TestApp::start();
    three_days(&app).await;
    let other = app.wallet_with("25.00").await;
    book(&app, &other, "debits", json!({"amount": "5.00"})).await;
    let yen = wallet_in(&app, "JPY").await;
    book(
        &app,
        &yen,
        "credits",
        json!({"amount": "900", "funding_type": "cash"}),
    )
    .await;
    book(&app, &yen, "debits", json!({"amount": "250"})).await;

    let told = balances(&journal(&app, "", 100).await);
    let trial = read(&app, "/v1/reports/trial-balance").await;
    let data = trial["data"].as_array().expect("data").iter();
    let trial: Vec<_> = data
        .map(|line| {
            let text = |field: &str| line[field].as_str().expect("a text").to_owned();
            let micros = tillbox_core::amount::Amount::parse(&text("balance")).expect("an amount");
            ((text("currency"), text("account")), micros.micros())
        })
        .filter(|(_, balance)| *balance != 0)
        .collect();
    let told: Vec<_> = told.into_iter().collect();
    let sorted = {
        let mut trial = trial.clone();
        trial.sort();
        trial
    };
    assert_eq!(sorted, told);

    let liability = read(&app, "/v1/reports/liability").await;
    let fields = [
        "currency",
        "funding_type",
        "days_0_to_30",
        "days_over_365",
        "total",
    ];
    assert_eq!(
        shown(&liability, &fields),
        ["JPY cash 650 0 650", "USD cash 20.00 0.00 20.00"]
    );
    let totals = json!([
        {"currency": "JPY", "liability": "650", "deferred_revenue": "650", "receivable": "0"},
        {"currency": "USD", "liability": "20.00", "deferred_revenue": "20.00", "receivable": "3.00"},
    ]);
    assert_eq!(liability["totals"], totals);
    let revenue = read(&app, "/v1/reports/revenue?by=month&from=2026-06-01").await;
    let fields = ["period", "currency", "recognized", "deferred_revenue"];
    assert_eq!(
        shown(&revenue, &fields),
        ["2026-06 JPY 250 650", "2026-06 USD 114.00 20.00"]
    );

    // As of a past instant: what was booked since is not there.
    let then = read(&app, "/v1/reports/liability?at=2026-06-01T00:00:00Z").await;
    let fields = ["currency", "funding_type", "days_0_to_30", "total"];
    assert_eq!(
        shown(&then, &fields),
        [
            "USD cash 100.00 100.00",
            "USD promotional 6.00 6.00",
            "USD refund 6.00 6.00",
        ]
    );
    assert_eq!(then["as_of"], "2026-06-01T00:00:00.000000Z");
    assert_eq!(then["totals"][0]["receivable"], "0.00");
    advance(&app, 40 * DAY).await;
    let later = read(&app, "/v1/reports/liability").await;
    let fields = ["currency", "days_0_to_30", "days_31_to_60", "total"];
    assert_eq!(
        shown(&later, &fields),
        ["JPY 0 650 650", "USD 0.00 20.00 20.00"]
    );
}

#[tokio::test]
async fn a_merchant_without_anything_has_empty_books() {
    let app = TestApp::start();
    wallet_in(&app, "USD").await;
    let journal = read(&app, "/v1/journal").await;
    assert_eq!(
        journal,
        json!({"data": [], "has_more": false, "next_cursor": null})
    );
    let trial = read(&app, "/v1/reports/trial-balance").await;
    assert_eq!(
        trial,
        json!({"from": null, "to": null, "data": [], "totals": []})
    );
    for report in ["liability", "revenue", "breakage", "top-ups", "spend"] {
        let path = format!("/v1/reports/{report}");
        assert_eq!(
            read(&app, &path).await["data"],
            Value::Array(Vec::new()),
            "{path}"
        );
        assert_eq!(
            lines(&as_csv(&app, &path).await).len(),
            1,
            "{path}: a header"
        );
    }
    assert_eq!(lines(&as_csv(&app, "/v1/journal").await).len(), 1);
}

#[tokio::test]
async fn reports_are_csv_too_and_no_text_is_a_formula() {
    let app = TestApp::start();
    three_days(&app).await;
    let spend = as_csv(&app, "/v1/reports/spend").await;
    assert_eq!(
        spend.header("content-disposition"),
        "attachment; filename=\"spend.csv\""
    );
    assert_eq!(
        lines(&spend),
        [
            "period,currency,reason,price,transactions,quantity,billed_quantity,amount",
            "2026-05-31,USD,usage,'=sms,1,8,8,4.00",
            "2026-06-01,USD,purchase,,1,0,0,7.00",
            "2026-06-02,USD,usage,,1,0,0,104.00",
            "2026-06-02,USD,refund,,1,0,0,-2.00",
        ]
    );
    let expected = [
        (
            "trial-balance",
            "payment_clearing,asset,USD,100.00,0.00,100.00",
        ),
        ("liability", ""),
        ("revenue", "2026-05-31,USD,4.00,0.00,4.00,0.00,106.00"),
        ("breakage", "2026-06-02,USD,expiry,1,5.00,0.00"),
        ("top-ups", "2026-05-31,USD,top_up,1,100.00,100.00,0.00"),
    ];
    for (report, first) in expected {
        let csv = lines(&as_csv(&app, &format!("/v1/reports/{report}")).await);
        assert_eq!(csv.get(1).map_or("", String::as_str), first, "{report}");
    }
}

/// Sums that a restart finds are those that were there, and nothing is added twice.
#[tokio::test]
async fn a_restart_changes_no_report() {
    let app = TestApp::start();
    three_days(&app).await;
    let paths = [
        "trial-balance",
        "liability",
        "revenue",
        "breakage",
        "top-ups",
        "spend",
    ];
    let mut before = Vec::new();
    for path in paths {
        before.push(read(&app, &format!("/v1/reports/{path}")).await["data"].clone());
    }
    let app = app.restart().await;
    for (path, before) in paths.iter().zip(before) {
        let after = read(&app, &format!("/v1/reports/{path}")).await;
        assert_eq!(after["data"], before, "{path}");
    }
    app.verify();
}
