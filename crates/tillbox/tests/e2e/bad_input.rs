//! Bodies that are wrong: each gets the right problem, says where, and changes nothing.
//!
//! The tables are data: `no_amounts.txt` holds JSON values that are no positive amount, one a line; `bad_bodies.tsv`
//! holds path, body and the pointer of the problem. A short path is one of the wallet; `HOLD`, `DEBIT` and `CUSTOMER`
//! stand for ids; `*` is any pointer, but one.

use crate::client::{Client, Request, fresh_key};
use crate::given::{debit, hold, price_per_message, state_of, wallet_with};
use crate::scenario::data_directory;
use crate::server::Server;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A wallet with one of everything, and what a refused request must leave as it was.
struct Stage {
    server: Server,
    client: Client,
    wallet: String,
    customer: String,
    hold: String,
    debit: String,
    before: Value,
}

impl Stage {
    fn new() -> Self {
        let server = Server::start();
        let client = server.client();
        price_per_message(&client, "sms", "0.05");
        let wallet = wallet_with(&client, "20.00");
        let debit = debit(&client, &wallet, "2.00");
        let hold = hold(&client, &wallet, "3.00");
        let before = state_of(&client, &wallet);
        let customer = before["wallet"]["customer_id"].as_str();
        let customer = customer.expect("a customer").to_owned();
        Self {
            server,
            client,
            wallet,
            customer,
            hold,
            debit,
            before,
        }
    }

    fn filled(&self, text: &str) -> String {
        text.replace("HOLD", &self.hold)
            .replace("DEBIT", &self.debit)
            .replace("CUSTOMER", &self.customer)
    }

    fn path(&self, short: &str) -> String {
        if short.starts_with('/') {
            return short.to_owned();
        }
        format!("/v1/wallets/{}/{}", self.wallet, self.filled(short))
    }

    /// Posts the text, and expects `invalid_request` with this pointer.
    fn refuse(&self, path: &str, body: &str, pointer: &str) {
        let request = Request::new("POST", path).json_text(body).key(&fresh_key());
        self.refuse_request(&request, body, pointer);
    }

    fn refuse_request(&self, request: &Request, body: &str, pointer: &str) {
        let shown: String = body.chars().take(120).collect();
        let answer = self.client.send(request);
        let problem = answer.json();
        let found = problem["errors"][0]["pointer"].as_str();
        let right_place = if pointer == "*" {
            found.is_some()
        } else {
            found == Some(pointer)
        };
        assert!(
            answer.status == 400 && answer.code() == "invalid_request" && right_place,
            "{shown}\nexpected a problem at {pointer}: {answer}"
        );
    }

    /// Nothing changed, and the books are right.
    fn finish(self) {
        assert_eq!(state_of(&self.client, &self.wallet), self.before);
        for list in ["/v1/wallets", "/v1/customers", "/v1/prices"] {
            assert_eq!(self.client.list(list).len(), 1, "{list}");
        }
        self.server.verify();
    }
}

/// The lines of a file of the data, without comments.
fn lines(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(data_directory().join(name)).expect("the data can be read");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[test]
fn amounts_are_decimal_strings_and_nothing_else() {
    let stage = Stage::new();
    let values = lines("no_amounts.txt");
    for (short, rest) in [
        ("debits", ""),
        ("credits", r#","funding_type":"cash""#),
        ("holds", r#","expires_in":600"#),
        ("holds/HOLD/capture", ""),
        ("transactions/DEBIT/refund", ""),
    ] {
        let path = stage.path(short);
        // A capture or a refund without an amount takes all that remains, and null may stand for that.
        let optional = short.contains("capture") || short.contains("refund");
        for amount in values.iter().filter(|value| !optional || *value != "null") {
            stage.refuse(&path, &format!(r#"{{"amount":{amount}{rest}}}"#), "/amount");
        }
    }
    stage.finish();
}

#[test]
fn an_adjustment_has_a_sign_but_no_other_form() {
    let stage = Stage::new();
    let path = stage.path("adjustments");
    let signed = [r#""-1""#, r#""-0.01""#];
    for amount in lines("no_amounts.txt") {
        if !signed.contains(&amount.as_str()) {
            let body = format!(r#"{{"amount":{amount},"reason_text":"x"}}"#);
            stage.refuse(&path, &body, "/amount");
        }
    }
    stage.finish();
}

#[test]
fn wrong_unknown_and_doubled_fields_are_pointed_at() {
    let stage = Stage::new();
    let rows = lines("bad_bodies.tsv");
    assert!(rows.len() > 60, "{} rows", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.split('\t').collect();
        let [path, body, pointer] = cells[..] else {
            panic!("no row of three cells: {row}");
        };
        stage.refuse(&stage.path(path), &stage.filled(body), pointer);
    }
    stage.finish();
}

#[test]
fn what_is_no_json_object_is_refused() {
    let stage = Stage::new();
    let path = stage.path("debits");
    let nested = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let deep = format!(r#"{{"amount":"1","metadata":{{"a":{nested}}}}}"#);
    let very_deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    for body in [
        "",
        " ",
        "{",
        "}",
        "[]",
        "5",
        "null",
        "true",
        r#""amount""#,
        "amount=1",
        "<debit/>",
        r#"{"amount":"1"}}"#,
        r#"{"amount":"1"} {"amount":"1"}"#,
        r#"{"amount":"1",}"#,
        r#"{amount:"1"}"#,
        "{'amount':'1'}",
        r#"{"amount":"1"}x"#,
        r#"{"amount":"\ud800"}"#,
        r#"{"amount":"1\q"}"#,
        "\u{feff}{\"amount\":\"1\"}",
        r#"{"amount":NaN}"#,
        "{\"amount\":\"1\u{0}\"}",
        "{\"amount\":\"1\n\"}",
        &deep,
        &very_deep,
    ] {
        stage.refuse(&path, body, "*");
    }
    for bytes in [
        &b"\xff\xfe"[..],
        b"{\"amount\":\"1\",\"description\":\"\xc3\x28\"}",
        b"\x1f\x8b\x08\x00",
    ] {
        let request = Request::new("POST", &path).header("content-type", "application/json");
        let request = request.bytes(bytes).key(&fresh_key());
        stage.refuse_request(&request, &String::from_utf8_lossy(bytes), "*");
    }
    stage.finish();
}

#[test]
fn texts_carry_no_control_or_bidi_override_characters() {
    let stage = Stage::new();
    // NUL, bell, escape, delete, a C1 control, and the two overrides of bidi text.
    let bad = ["0000", "0007", "001b", "007f", "0085", "202d", "202e"];
    for (short, template, pointer) in [
        (
            "debits",
            r#"{"amount":"1","description":"TEXT"}"#,
            "/description",
        ),
        (
            "debits",
            r#"{"amount":"1","reference":"TEXT"}"#,
            "/reference",
        ),
        ("debits", r#"{"amount":"1","metadata":{"a":"TEXT"}}"#, "*"),
        ("debits", r#"{"amount":"1","metadata":{"TEXT":"a"}}"#, "*"),
        (
            "adjustments",
            r#"{"amount":"1","reason_text":"TEXT"}"#,
            "/reason_text",
        ),
        (
            "holds",
            r#"{"amount":"1","description":"TEXT"}"#,
            "/description",
        ),
        (
            "holds/HOLD/capture",
            r#"{"description":"TEXT"}"#,
            "/description",
        ),
        ("freeze", r#"{"reason":"TEXT"}"#, "/reason"),
        ("/v1/customers", r#"{"name":"TEXT"}"#, "/name"),
        (
            "/v1/customers",
            r#"{"name":"x","external_id":"TEXT"}"#,
            "/external_id",
        ),
    ] {
        for code in bad {
            let body = template.replace("TEXT", &format!("a\\u{code}b"));
            stage.refuse(&stage.path(short), &body, pointer);
        }
    }
    stage.finish();
}

#[test]
fn metadata_has_at_most_fifty_keys() {
    let stage = Stage::new();
    let body = |count: usize| {
        let mut fields = String::new();
        for index in 0..count {
            let comma = if index == 0 { "" } else { "," };
            write!(fields, r#"{comma}"k{index}":"v""#).expect("a string takes it");
        }
        format!(r#"{{"amount":"1","metadata":{{{fields}}},"dry_run":true}}"#)
    };
    let path = stage.path("debits");
    stage.refuse(&path, &body(51), "/metadata");
    let fifty = Request::new("POST", &path).json_text(&body(50));
    stage.client.send(&fifty.key(&fresh_key())).is(201);
    stage.finish();
}

#[test]
fn batches_are_lists_of_at_most_a_thousand_operations() {
    let stage = Stage::new();
    let one = json!({
        "op": "debit", "wallet_id": stage.wallet, "idempotency_key": "same", "amount": "1",
    });
    let many = json!({"operations": vec![one; 1_001]}).to_string();
    for body in [
        r#"{"operations":[]}"#,
        r#"{"operations":{}}"#,
        r#"{"operations":"x"}"#,
        "{}",
        r#"{"ops":[]}"#,
        "[]",
        &many,
    ] {
        stage.refuse("/v1/batches", body, "*");
    }
    stage.finish();
}
