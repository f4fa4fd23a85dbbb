//! Generated input over HTTP: bodies of every write, keys, ids in paths, cursors, signatures, and texts that come out
//! again as CSV. Nothing panics, nothing is answered 500, what is refused is told in the form of every problem and
//! changes nothing, and in the end the ledger holds.
//!
//! Some hundred cases each by default; `TILLBOX_FUZZ_CASES=n` is a long form, `TILLBOX_FUZZ_SEED=n` begins elsewhere.

use crate::app::{Answer, TestApp, request};
use crate::dice::Dice;
use crate::dry_runs::{World, cases};
use axum::body::Body;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;
use tillbox_store::sqlite::Connection;

/// Values that parsers and sums go wrong at.
const NASTY: [&str; 30] = [
    "null",
    "true",
    "0",
    "-1",
    "1e400",
    "-0.0",
    "9223372036854775808",
    "18446744073709551616",
    "\"\"",
    "\"0\"",
    "\"-0.01\"",
    "\"0.000001\"",
    "\"0.0000001\"",
    "\"1000000000000.000001\"",
    "\"99999999999999999999\"",
    "\"1e3\"",
    "\"１\"",
    "\"NaN\"",
    "\" 1.00\"",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"\\u202e=cmd|' /C calc'!A0\"",
    "\"9999-12-31T23:59:59Z\"",
    "\"0000-00-00T00:00:00Z\"",
    "\"wal_zzzzzzzzzzzzz\"",
    "\"../../etc/passwd\"",
    "[]",
    "{}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    "{\"a\":{\"b\":{\"c\":{\"d\":{}}}}}",
];

fn from_environment(name: &str) -> Option<usize> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

fn rounds(standard: usize) -> usize {
    from_environment("TILLBOX_FUZZ_CASES").unwrap_or(standard)
}

fn dice() -> Dice {
    let seed = from_environment("TILLBOX_FUZZ_SEED").unwrap_or(1);
    Dice::new(u64::try_from(seed).expect("a number"))
}

/// Writes that move no value, beside those that can be tried.
fn plain_writes() -> Vec<(&'static str, Value)> {
    let pages = json!({"success_url": "https://a.example/", "cancel_url": "https://a.example/"});
    let operation = json!({"op": "credit", "wallet_id": "{wallet}", "amount": "1.00", "funding_type": "cash", "idempotency_key": "b1"});
    vec![
        (
            "POST /v1/customers",
            json!({"name": "Acme", "email": "a@b.example", "metadata": {"tier": "gold"}}),
        ),
        (
            "PATCH /v1/customers/{customer}",
            json!({"metadata": {"tier": "gold"}}),
        ),
        (
            "PATCH /v1/wallets/{wallet}",
            json!({"name": "Main", "overdraft_limit": "3.00"}),
        ),
        (
            "PATCH /v1/settings",
            json!({"low_balance_thresholds": ["1.00"], "refund_grace_days": 30}),
        ),
        (
            "POST /v1/prices",
            json!({"key": "call", "currency": "USD", "unit": "minute", "unit_amount": "0.0075", "increment": 60}),
        ),
        (
            "POST /v1/api-keys",
            json!({"name": "Worker", "scopes": ["read"]}),
        ),
        (
            "POST /v1/portal-sessions",
            json!({"customer_id": "{customer}"}),
        ),
        (
            "POST /v1/customers/{customer}/payment-methods",
            json!({"token": "pm_card_visa"}),
        ),
        (
            "PUT /v1/wallets/{wallet}/alerts",
            json!({"enabled": true, "thresholds": ["15.00", "2.00"], "channels": ["banner"], "emails": []}),
        ),
        (
            "POST /v1/batches",
            json!({"operations": [operation.clone(), operation]}),
        ),
        (
            "POST /v1/sandbox/disputes",
            json!({"top_up_id": "{paid}", "amount": "1.00"}),
        ),
        ("PUT /v1/sandbox/faults", json!({"lose_replies": 0})),
        (
            "POST /v1/sandbox/disputes/{dispute}/decide",
            json!({"status": "won"}),
        ),
        (
            "POST /v1/sandbox/top-ups/{second}/fail",
            json!({"code": "bank_returned_it"}),
        ),
        ("POST /v1/wallets/{payer}/sync", json!({})),
        (
            "POST /v1/wallets",
            json!({"customer_id": "{lonely}", "currency": "EUR"}),
        ),
        (
            "POST /v1/customers/{customer}/payment-methods/{method}/default",
            json!({}),
        ),
        (
            "DELETE /v1/customers/{customer}/payment-methods/{method}",
            json!({}),
        ),
        ("DELETE /v1/customers/{lonely}", json!({})),
        ("DELETE /v1/customers/{customer}", json!({})),
        ("DELETE /v1/api-keys/{api_key}", json!({})),
        (
            "POST /v1/wallets/{wallet}/payment-links",
            json!({"amount": "12.00", "success_url": pages["success_url"]}),
        ),
    ]
}

/// What deletes use up, some of each, and payments for the sandbox's bank: by the name that stands for one of them.
struct Spares(Vec<(&'static str, Vec<String>)>);

impl Spares {
    async fn make(world: &World) -> Self {
        let mut all: Vec<(&str, Vec<String>)> = Vec::new();
        for (name, path, body, id) in [
            ("{lonely}", "/v1/customers", json!({"name": "Lonely"}), "id"),
            (
                "{api_key}",
                "/v1/api-keys",
                json!({"name": "Old", "scopes": ["read"]}),
                "id",
            ),
            (
                "{method}",
                "/v1/customers/{customer}/payment-methods",
                json!({"token": "pm_card_mastercard"}),
                "id",
            ),
            (
                "{second}",
                "/v1/wallets/{payer}/top-ups",
                json!({"amount": "20.00"}),
                "id",
            ),
            (
                "{dispute}",
                "/v1/sandbox/disputes",
                json!({"top_up_id": "{second}", "amount": "1.00"}),
                "provider_dispute_id",
            ),
        ] {
            let mut ids = Vec::new();
            for number in 0..5 {
                let (path, mut body) = (world.filled(path), world.filled(&body.to_string()));
                for (name, ids) in &all {
                    body = body.replace(name, &ids[number]);
                }
                let key = format!("{name} {number}");
                let made = world.app.post(&path, &key, &body).await;
                assert_eq!(made.status, 201, "{}", made.json());
                let made = made.json()[id].as_str().expect("an id").to_owned();
                ids.push(made);
            }
            all.push((name, ids));
        }
        Self(all)
    }

    /// The text with one of each in the place of its name.
    fn filled(&self, dice: &mut Dice, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, ids) in &self.0 {
            if text.contains(name) {
                text = text.replace(name, dice.pick(ids).expect("some"));
            }
        }
        text
    }
}

/// Changes one thing somewhere in the body.
fn mutate(dice: &mut Dice, value: &mut Value) {
    let nasty = || NASTY.map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
    let goes_in = dice.below(3) > 0;
    match value {
        Value::Object(fields) if goes_in && !fields.is_empty() => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let name = dice.pick(&names).expect("some").clone();
            match dice.below(8) {
                0 => drop(fields.remove(&name)),
                1 => drop(fields.insert(format!("{name}_"), json!(1))),
                _ => mutate(dice, fields.get_mut(&name).expect("it is there")),
            }
        }
        Value::Array(items) if goes_in && !items.is_empty() => {
            let place = dice.below(items.len());
            if dice.below(6) == 0 {
                let copy = items[place].clone();
                items.extend(std::iter::repeat_n(copy, 300));
            } else {
                mutate(dice, &mut items[place]);
            }
        }
        other => *other = dice.pick(&nasty()).expect("some").clone(),
    }
}

/// Changes bytes of a text, so that it is mostly no JSON.
fn garble(dice: &mut Dice, text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=dice.below(3) {
        if bytes.is_empty() {
            break;
        }
        let place = dice.below(bytes.len());
        match dice.below(4) {
            0 => bytes.truncate(place),
            1 => drop(bytes.remove(place)),
            2 => bytes.insert(place, b"{}[]\",:\\\0\xff"[dice.below(10)]),
            _ => bytes[place] ^= 1 << dice.below(8),
        }
    }
    bytes
}

/// Bytes as they stand in a URL.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "%{byte:02X}").expect("a text grows");
    }
    text
}

/// Where what is done leaves a row.
const TABLES: [&str; 11] = [
    "log",
    "outbox",
    "answers",
    "audit_log",
    "customers",
    "wallets",
    "prices",
    "api_keys",
    "payment_methods",
    "top_ups",
    "sandbox_objects",
];

/// Watches the database from outside.
struct Watch(Connection);

impl Watch {
    fn of(app: &TestApp) -> Self {
        Self(Connection::open(app.database()).expect("the database"))
    }

    /// What stays as long as nobody does anything. Rows of the log may be folded at any time.
    fn version(&self) -> Vec<i64> {
        let counts = TABLES.map(|table| format!("SELECT count(*) FROM {table}"));
        let read = |sql: String| self.0.query_row(&sql, [], |row| row.get(0));
        counts.map(|sql| read(sql).expect("a number")).to_vec()
    }

    /// The same, once what a request has started behind its answer is over.
    async fn settled(&self) -> Vec<i64> {
        let mut last = self.version();
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(15)).await;
            let now = self.version();
            if now == last {
                return now;
            }
            last = now;
        }
    }
}

/// Whatever was asked: the answer is one, and a refusal has the form of every problem.
#[track_caller]
fn check(answer: &Answer, about: &str) {
    assert!(
        answer.status < 500,
        "{} for {about}: {:?}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    if answer.status >= 400 {
        let code = answer.json()["code"].as_str().expect("a code").to_owned();
        answer.problem(answer.status, &code);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_every_write_are_taken_or_refused_whole() {
    let (world, mut dice) = (World::make().await, dice());
    let tried = cases();
    let tried = tried.iter().map(|case| (case.route, case.body.clone()));
    let corpus: Vec<(&str, Value)> = tried.chain(plain_writes()).collect();
    let ids = [
        "%00",
        "wal_%F0%9F%98%80",
        "-",
        "txn_zzzzzzzzzzzzz",
        "wal_0000000000000",
    ];
    let keys = ["", "k", "\u{e9}", &"x".repeat(300), " ", "a\tb"];
    let (mut taken, mut refused) = (0, 0);
    let mut deleted = BTreeSet::new();
    let spares = Spares::make(&world).await;
    let watch = Watch::of(&world.app);
    let mut before = watch.settled().await;
    for round in 0..rounds(1_200) {
        let (route, body) = dice.pick(&corpus).expect("some");
        let (method, path) = route.split_once(' ').expect("a route");
        let mut path = spares.filled(&mut dice, &world.filled(path));
        if dice.below(12) == 0 {
            let steps: Vec<&str> = path.split('/').collect();
            let place = dice.below(steps.len());
            let id = dice.pick(&ids).expect("some");
            let steps = steps.iter().enumerate();
            let steps = steps.map(|(at, step)| if at == place && at > 1 { id } else { *step });
            path = steps.collect::<Vec<_>>().join("/");
        }
        let text = spares.filled(&mut dice, &world.filled(&body.to_string()));
        let mut body = serde_json::from_str(&text).expect("JSON");
        for _ in 0..dice.below(3) {
            mutate(&mut dice, &mut body);
        }
        let text = body.to_string();
        let bytes = if dice.below(5) == 0 {
            garble(&mut dice, &text)
        } else {
            text.into_bytes()
        };
        let key = if dice.below(10) == 0 {
            (*dice.pick(&keys).expect("some")).to_owned()
        } else {
            format!("fuzz-{round}")
        };
        let about = format!("{method} {path} {:?}", String::from_utf8_lossy(&bytes));
        let ask = |key: &str| {
            let asked = request(method, &path)
                .header("content-type", "application/json")
                .header("idempotency-key", key.as_bytes());
            asked.body(Body::from(bytes.clone()))
        };
        let Ok(sent) = ask(&key) else { continue };
        let answer = world.app.send(sent).await;
        check(&answer, &about);
        // A payment that is declined is told as one that was begun.
        if answer.status < 400 || answer.status == 402 {
            taken += 1;
            if method == "DELETE" {
                deleted.insert(*route);
            }
            before = watch.settled().await;
        } else {
            refused += 1;
            // On a busy machine a payment that was begun before may end only now. A refusal that writes does so again.
            for again in 1.. {
                let now = watch.version();
                if now == before {
                    break;
                }
                assert!(
                    again < 4,
                    "{} for {about}: {before:?}, then {now:?}",
                    answer.status
                );
                before = watch.settled().await;
                let sent = ask(&format!("fuzz-{round}-{again}")).expect("a request");
                world.app.send(sent).await;
            }
        }
    }
    assert!(
        taken * 10 > rounds(1_200),
        "{taken} taken, {refused} refused"
    );
    assert!(
        refused * 10 > rounds(1_200),
        "{taken} taken, {refused} refused"
    );
    // A customer with a wallet is never deleted; all else is.
    assert!(rounds(1_200) < 1_200 || deleted.len() == 3, "{deleted:?}");
    world.app.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cursors_and_filters_are_taken_or_refused() {
    let (world, mut dice) = (World::make().await, dice());
    let lists = [
        "/v1/wallets/{wallet}/transactions",
        "/v1/wallets/{wallet}/top-ups",
        "/v1/wallets/{wallet}/holds",
        "/v1/wallets/{wallet}/lots",
        "/v1/wallets",
        "/v1/customers",
        "/v1/transactions",
        "/v1/events",
        "/v1/prices",
        "/v1/journal",
        "/v1/audit-log",
        "/v1/disputes",
    ];
    let mut cursors = vec!["AAAA".to_owned()];
    for list in lists {
        let page = world
            .app
            .get(&format!("{}?limit=1", world.filled(list)))
            .await;
        cursors.extend(page.json()["next_cursor"].as_str().map(str::to_owned));
    }
    assert!(cursors.len() > 4, "{cursors:?}");
    let values = [
        "",
        "0",
        "-1",
        "1",
        "100",
        "101",
        "99999999999999999999",
        "2026-05-31",
        "2026-02-30",
        "9999-12-31T23:59:59.999999Z",
        "usage",
        "%00",
        "completed",
        "a,b",
        "%E2%80%AE",
    ];
    let names = [
        "limit",
        "cursor",
        "from",
        "to",
        "at",
        "type",
        "reason",
        "status",
        "wallet_id",
        "x",
        "after",
    ];
    let watch = Watch::of(&world.app);
    let before = watch.settled().await;
    for _ in 0..rounds(600) {
        let path = world.filled(dice.pick(&lists).expect("some"));
        let cursor = dice.pick(&cursors).expect("some").clone();
        let cursor = if dice.below(2) == 0 {
            cursor
        } else {
            escaped(&garble(&mut dice, &cursor))
        };
        let mut path = format!("{path}?cursor={cursor}");
        for _ in 0..dice.below(3) {
            let (name, value) = (
                dice.pick(&names).expect("some"),
                dice.pick(&values).expect("some"),
            );
            path = format!("{path}&{name}={value}");
        }
        check(&world.app.get(&path).await, &path);
    }
    assert_eq!(watch.version(), before, "who reads writes nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_of_notices_that_are_nearly_right_are_refused() {
    let (world, mut dice) = (World::make().await, dice());
    let now = world.app.service.now().micros() / 1_000_000;
    let watch = Watch::of(&world.app);
    let before = watch.settled().await;
    for _ in 0..rounds(400) {
        let digits = (0..64).map(|_| char::from(b"0123456789abcdef"[dice.below(16)]));
        let hex: String = digits.collect();
        let signature = format!("t={now},v1={hex}");
        let signature = match dice.below(3) {
            0 => signature.into_bytes(),
            _ => garble(&mut dice, &signature),
        };
        let notice = json!({"type": "payment", "payment": {"id": "pi_1", "top_up_id": world.filled("{top_up}")}});
        let sent = request("POST", "/v1/payments/sandbox/webhook")
            .header("content-type", "application/json")
            .header("sandbox-signature", signature)
            .body(Body::from(garble(&mut dice, &notice.to_string())));
        let Ok(sent) = sent else { continue };
        let answer = world.app.send(sent).await;
        check(&answer, "a notice");
        assert!(
            answer.status >= 400,
            "a notice that nobody signed was taken"
        );
    }
    assert_eq!(watch.version(), before, "what is refused changes nothing");
}

/// The fields of CSV, read as a spreadsheet does.
fn fields(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field).trim_end_matches('\r').to_owned());
                rows.push(std::mem::take(&mut row));
            }
            other => field.push(other),
        }
    }
    assert!(
        !quoted && row.is_empty() && field.is_empty(),
        "it ends with a line"
    );
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_come_out_as_csv_as_they_went_in_and_never_as_formulas() {
    let (app, mut dice) = (TestApp::start(), dice());
    let wallet = app.wallet_with("1.00").await;
    let path = format!("/v1/wallets/{wallet}");
    let pieces = [
        "=1+1", "+", "-2", "@SUM", "\t", "\r\n", "\"", ",", ";", "é", "😀", "\u{202e}", " ", "'",
        "a", "|", "\n",
    ];
    let mut texts = Vec::new();
    for round in 0..rounds(150).min(2_000) {
        let text: String = (0..=dice.below(5))
            .map(|_| *dice.pick(&pieces).expect("some"))
            .collect();
        let body =
            json!({"amount": "0.01", "funding_type": "cash", "description": text}).to_string();
        let answer = app
            .post(&format!("{path}/credits"), &format!("c{round}"), &body)
            .await;
        check(&answer, &text);
        if answer.status == 201 {
            let kept = answer.json()["description"]
                .as_str()
                .expect("text")
                .to_owned();
            texts.push(kept);
        }
    }
    assert!(texts.len() > 20, "{texts:?}");
    let answer = app.get(&format!("{path}/transactions.csv")).await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).expect("UTF-8");
    let rows = fields(text.trim_start_matches('\u{feff}'));
    let place = rows[0].iter().position(|name| name == "description");
    let place = place.expect("a column of descriptions");
    let mut found: Vec<String> = rows[1..].iter().map(|row| row[place].clone()).collect();
    for one in &found {
        assert!(
            !one.starts_with(['=', '+', '-', '@', '\t', '\r']),
            "{one:?} is a formula"
        );
    }
    assert!(
        rows.iter().all(|row| row.len() == rows[0].len()),
        "each row has all fields"
    );
    let guarded = |text: &String| match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text.clone(),
    };
    let mut expected: Vec<String> = texts.iter().map(guarded).collect();
    found.sort_unstable();
    found.retain(|text| expected.contains(text));
    expected.sort_unstable();
    assert_eq!(found, expected, "texts");
}
