//! The server is killed, or its disk fails, at the n-th system call of a kind, in a script of all commands: what was
//! answered is there, what was not is there at most once and the retry tells, and a failing disk is never a refusal.
//!
//! Short by default. The long form goes through every n of a range, for each call and each fault:
//! `TILLBOX_SYSCALLS=1..2000 cargo test -p tillbox --test e2e -- syscalls::`; `TILLBOX_SYSCALLS_ONLY=fsync:KILL`
//! picks one kind. It needs strace.

use crate::answer::Answer;
use crate::client::{Client, Request};
use crate::server::{Injection, Server};
use crate::wait;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A call, what becomes of it, and the n of the short form. Calls are counted for each thread; that of the ledger does
/// most of them.
const FAULTS: &[(&str, &str, &[usize])] = &[
    ("pwrite64", "KILL", &[25, 150]),
    ("fsync", "KILL", &[4, 29]),
    ("pwrite64", "EIO", &[40]),
    ("pwrite64", "ENOSPC", &[60]),
    ("fsync", "EIO", &[9]),
    ("fsync", "ENOSPC", &[]),
    ("rename", "KILL", &[1]),
    ("rename", "EIO", &[]),
    ("rename", "ENOSPC", &[2]),
];

/// How long the sandbox may take to tell of what its banks do: it tries again for a while.
const TOLD_WITHIN: Duration = Duration::from_mins(1);

/// Every command that there is, in one story. `{name}` stands for what an earlier step saved. `AWAIT` looks until the
/// named values are there.
const SCRIPT: &str = r#"
POST /v1/customers {"name":"Acme"} 201 cus=id
PATCH /v1/customers/{cus} {"metadata":{"tier":"gold"}} 200
POST /v1/wallets {"customer_id":"{cus}","currency":"USD","name":"Main"} 201 wal=id
PATCH /v1/settings {"low_balance_thresholds":["1.00"]} 200
POST /v1/prices {"key":"sms","currency":"USD","unit":"message","unit_amount":"0.0075"} 201
POST /v1/wallets/{wal}/credits {"amount":"20.00","funding_type":"cash","description":"cash"} 201 credit=id
POST /v1/wallets/{wal}/credits {"amount":"5.00","funding_type":"promotional","expires_at":"2099-01-01T00:00:00Z"} 201
POST /v1/wallets/{wal}/debits {"amount":"2.50","description":"first"} 201 debit=id
POST /v1/wallets/{wal}/transactions/{debit}/refund {"amount":"1.00"} 201
POST /v1/wallets/{wal}/usage {"price":"sms","quantity":4} 201
POST /v1/wallets/{wal}/adjustments {"amount":"-0.25","reason_text":"goodwill"} 201
POST /v1/wallets/{wal}/holds {"amount":"4.00","expires_in":3600} 201 hold=id
POST /v1/wallets/{wal}/holds/{hold}/extend {"expires_in":7200} 200
POST /v1/wallets/{wal}/holds/{hold}/capture {"amount":"1.50","final":false} 201
POST /v1/wallets/{wal}/holds/{hold}/release {} 200
POST /v1/wallets/{wal}/debits {"amount":"9999.00"} 402
POST /v1/wallets/{wal}/freeze {"reason":"review"} 200
POST /v1/wallets/{wal}/unfreeze {} 200
PATCH /v1/wallets/{wal} {"overdraft_limit":"3.00"} 200
PUT /v1/wallets/{wal}/alerts {"enabled":true,"thresholds":["15.00","2.00"],"channels":["banner"],"emails":[]} 200
POST /v1/customers/{cus}/payment-methods {"token":"pm_card_visa"} 201
POST /v1/wallets/{wal}/top-ups {"amount":"10.00"} 201 top=id
PUT /v1/wallets/{wal}/auto-recharge {"enabled":true,"threshold":"5.00","amount":"25.00"} 200
POST /v1/wallets/{wal}/debits {"amount":"24.00","description":"below the threshold"} 201
POST /v1/wallets/{wal}/payment-links {"amount":"12.00"} 201
POST /v1/portal-sessions {"customer_id":"{cus}"} 201
POST /v1/batches {"operations":[{"op":"credit","wallet_id":"{wal}","amount":"1.00","funding_type":"cash","idempotency_key":"b1"},{"op":"debit","wallet_id":"{wal}","amount":"0.50","idempotency_key":"b2"}]} 200
POST /v1/wallets/{wal}/debits {"amount":"0.10","description":"last"} 201
POST /v1/customers {"name":"Disputed"} 201 cus2=id
POST /v1/wallets {"customer_id":"{cus2}","currency":"USD"} 201 wal2=id
POST /v1/customers/{cus2}/payment-methods {"token":"pm_card_createDispute"} 201
POST /v1/wallets/{wal2}/top-ups {"amount":"30.00"} 201
AWAIT /v1/disputes {"/data/0/status":"open"} 200 disp=/data/0/provider_dispute_id
POST /v1/wallets/{wal2}/credits {"amount":"4.00","funding_type":"promotional"} 201
POST /v1/sandbox/disputes/{disp}/decide {"status":"lost"} 200
AWAIT /v1/disputes {"/data/0/status":"lost"} 200
POST /v1/sandbox/disputes/{disp}/decide {"status":"won"} 200
AWAIT /v1/disputes {"/data/0/status":"won"} 200
POST /v1/customers {"name":"Leaving"} 201 cus3=id
POST /v1/wallets {"customer_id":"{cus3}","currency":"USD"} 201 wal3=id
POST /v1/customers/{cus3}/payment-methods {"token":"pm_card_visa"} 201
POST /v1/wallets/{wal3}/top-ups {"amount":"40.00"} 201 top3=id
POST /v1/wallets/{wal3}/top-ups/{top3}/refund {"amount":"10.00"} 201
POST /v1/wallets/{wal3}/sync {} 200
POST /v1/wallets/{wal3}/credits {"amount":"5.00","funding_type":"promotional"} 201 lot=/lots/0/lot_id
PATCH /v1/wallets/{wal3}/lots/{lot} {"expires_at":"2098-01-01T00:00:00Z"} 200
POST /v1/wallets/{wal3}/lots/{lot}/void {"description":"Given twice"} 201
POST /v1/wallets/{wal3}/withdrawals {"amount":"4.00"} 201
POST /v1/wallets/{wal3}/credits {"amount":"3.00","funding_type":"promotional"} 201
POST /v1/wallets/{wal3}/debits {"amount":"1.25"} 201
POST /v1/wallets/{wal3}/close {"refund":"original"} 200
POST /v1/wallets/{wal3}/sync {} 200
POST /v1/wallets/{wal3}/debits {"amount":"1.00"} 409
"#;

struct Step {
    method: String,
    path: String,
    body: String,
    expected: u16,
    save: Option<(String, String)>,
}

fn script() -> Vec<Step> {
    let steps = SCRIPT.lines().filter(|line| !line.is_empty());
    let steps = steps.map(|line| {
        let (method, rest) = line.split_once(' ').expect("a method");
        let (path, rest) = rest.split_once(' ').expect("a path");
        let (body, rest) = rest.rsplit_once("} ").expect("a body");
        let (expected, save) = rest.split_once(' ').unwrap_or((rest, ""));
        let save = save.split_once('=');
        Step {
            method: method.to_owned(),
            path: path.to_owned(),
            body: format!("{body}}}"),
            expected: expected.parse().expect("a status"),
            save: save.map(|(name, field)| (name.to_owned(), field.to_owned())),
        }
    });
    steps.collect()
}

/// The story as far as it went.
#[derive(Default)]
struct Told {
    saved: BTreeMap<String, String>,
    answers: Vec<Answer>,
}

impl Told {
    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.saved {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    fn request(&self, place: usize, step: &Step) -> Request {
        let body: Value = serde_json::from_str(&self.fill(&step.body)).expect("JSON");
        let request = Request::new(&step.method, &self.fill(&step.path)).json(&body);
        // What only sets a state has no key: it is set again.
        if step.method == "POST" && !step.path.ends_with("/batches") {
            request.key(&format!("step-{place}"))
        } else {
            request
        }
    }

    /// Goes on until all is answered, or the server fails.
    #[track_caller]
    fn go_on(&mut self, client: &Client, steps: &[Step]) -> bool {
        for (place, step) in steps.iter().enumerate().skip(self.answers.len()) {
            let answer = match step.method.as_str() {
                "AWAIT" => self.wait(client, step),
                _ => client.try_send(&self.request(place, step)).ok(),
            };
            let Some(answer) = answer else {
                return false;
            };
            answer.check_conventions();
            // A batch says it of each operation.
            let is_unknown = |result: &Value| result["status"] == 503;
            let of_batch = step.path.ends_with("/batches").then(|| answer.json());
            let results = of_batch
                .as_ref()
                .and_then(|body| body["results"].as_array());
            if answer.status == 503 || results.is_some_and(|all| all.iter().any(is_unknown)) {
                return false;
            }
            let answer = answer.is(step.expected);
            if let Some((name, field)) = &step.save {
                let body = answer.json();
                let value = if field.starts_with('/') {
                    body.pointer(field)
                } else {
                    body.get(field)
                };
                let value = value.and_then(Value::as_str).expect("an id").to_owned();
                self.saved.insert(name.clone(), value);
            }
            self.answers.push(answer);
        }
        true
    }

    /// Looks until what the step names is there; none where the server fails.
    #[track_caller]
    fn wait(&self, client: &Client, step: &Step) -> Option<Answer> {
        let wanted: BTreeMap<String, Value> = serde_json::from_str(&step.body).expect("JSON");
        let look = Request::new("GET", &self.fill(&step.path));
        wait::until(TOLD_WITHIN, &step.path, || {
            let Ok(answer) = client.try_send(&look) else {
                return Some(None);
            };
            if answer.status != 200 {
                return Some(Some(answer));
            }
            let body = answer.json();
            let is_there = |(at, value): (&String, &Value)| body.pointer(at) == Some(value);
            wanted.iter().all(is_there).then_some(Some(answer))
        })
    }

    /// Each answered write is there: asked again under its key it gives the same bytes.
    #[track_caller]
    fn expect_replays(&self, client: &Client, steps: &[Step]) {
        for (place, (step, first)) in steps.iter().zip(&self.answers).enumerate() {
            // A refusal stores nothing; settings are as they are now. Top-ups are told as they are now (R25), and links
            // lead to where the server listens now.
            // What a bank is told is not told again: it may have been told another thing since.
            let changes = [
                "/top-ups",
                "/sync",
                "/decide",
                "/portal-sessions",
                "/payment-links",
            ];
            let is_kept = step.method == "POST" && step.expected < 300;
            if !is_kept || changes.iter().any(|end| step.path.ends_with(end)) {
                continue;
            }
            let again = client.send(&self.request(place, step)).is(step.expected);
            // A batch says of each operation whether it was done before.
            let again = again
                .text()
                .replace("\"replayed\":true", "\"replayed\":false");
            assert_eq!(again, first.text(), "step {place}");
        }
    }
}

fn has_strace() -> bool {
    let asked = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

/// How the wallets stand once all is told.
fn outcome(client: &Client, told: &Told) -> Vec<String> {
    let of_wallet = |name: &str| {
        let path = told.fill(&format!("/v1/wallets/{name}"));
        let wallet = client.get(&path).is(200).json();
        let transactions = client.list(&format!("{path}/transactions"));
        let texts = ["status", "balance", "held"].map(|field| wallet[field].to_string());
        format!("{}, {} transactions", texts.join(" "), transactions.len())
    };
    ["{wal}", "{wal2}", "{wal3}"].map(of_wallet).to_vec()
}

#[track_caller]
fn survives(injection: Injection, wanted: &[String]) -> bool {
    let steps = script();
    let mut server = Server::start();
    server.terminate();
    let mut told = Told::default();
    let mut is_whole = false;
    if server.start_injected(&injection) {
        let client = server.client();
        is_whole = told.go_on(&client, &steps);
    }
    let answered = told.answers.len();
    server.kill9();
    server.restart();
    server.verify();
    let client = server.client();
    told.expect_replays(&client, &steps);
    assert!(
        told.go_on(&client, &steps),
        "{injection:?} behind step {answered}"
    );
    assert_eq!(
        outcome(&client, &told),
        wanted,
        "{injection:?} at step {answered}"
    );
    server.verify();
    is_whole
}

#[test]
fn a_fault_at_any_system_call_loses_nothing_and_does_nothing_twice() {
    assert!(has_strace(), "strace is needed: apt-get install strace");
    let steps = script();
    let server = Server::start();
    let mut told = Told::default();
    assert!(told.go_on(&server.client(), &steps));
    let wanted = outcome(&server.client(), &told);
    drop(server);

    let range = std::env::var("TILLBOX_SYSCALLS").ok();
    let range = range.map(|text| {
        let (begin, end) = text.split_once("..").expect("FROM..TO");
        let number = |text: &str| text.parse::<usize>().expect("a number");
        number(begin)..=number(end)
    });
    let only = std::env::var("TILLBOX_SYSCALLS_ONLY").ok();
    for (call, fault, short) in FAULTS {
        if only
            .as_ref()
            .is_some_and(|only| *only != format!("{call}:{fault}"))
        {
            continue;
        }
        let places: Vec<usize> = match &range {
            Some(range) => range.clone().collect(),
            None => short.to_vec(),
        };
        let mut in_vain = 0;
        for place in places {
            eprintln!("{fault} at {call} {place}");
            let injection = Injection { call, fault, place };
            // Behind the last call of the script nothing fails any more.
            in_vain = if survives(injection, &wanted) {
                in_vain + 1
            } else {
                0
            };
            if in_vain == 5 {
                break;
            }
        }
    }
}
