//! Lists: pages that stay stable while rows are added, cursors bound to their filters, and the list as CSV.

use crate::client::{Client, Request};
use crate::given::{debit, wallet, wallet_with};
use crate::server::Server;
use serde_json::{Value, json};

fn numbers(page: &Value) -> Vec<u64> {
    let rows = page["data"].as_array().expect("a list has data");
    rows.iter()
        .map(|row| row["seq"].as_u64().expect("a seq"))
        .collect()
}

fn next(page: &Value) -> String {
    assert_eq!(page["has_more"], true);
    page["next_cursor"].as_str().expect("a cursor").to_owned()
}

#[test]
fn pages_are_stable_while_rows_are_added() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "100.00");
    for _ in 0..29 {
        debit(&client, &wallet, "1.00");
    }
    let path = format!("/v1/wallets/{wallet}/transactions");
    let first = client.get(&path).is(200).json();
    assert_eq!(
        numbers(&first),
        (11..=30).rev().collect::<Vec<u64>>(),
        "20 by default"
    );

    for _ in 0..3 {
        debit(&client, &wallet, "1.00");
    }
    let rest = client
        .get(&format!("{path}?cursor={}", next(&first)))
        .is(200)
        .json();
    assert_eq!(numbers(&rest), (1..=10).rev().collect::<Vec<u64>>());
    assert_eq!(
        (&rest["has_more"], &rest["next_cursor"]),
        (&json!(false), &Value::Null)
    );

    let mut seen = Vec::new();
    let mut page = client.get(&format!("{path}?limit=7")).is(200).json();
    loop {
        seen.extend(numbers(&page));
        if page["has_more"] == false {
            break;
        }
        page = client
            .get(&format!("{path}?limit=7&cursor={}", next(&page)))
            .is(200)
            .json();
    }
    assert_eq!(seen, (1..=33).rev().collect::<Vec<u64>>());
}

#[test]
fn a_page_that_ends_with_the_list_has_no_more() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "100.00");
    for _ in 0..3 {
        debit(&client, &wallet, "1.00");
    }
    let page = client.get(&format!("/v1/wallets/{wallet}/transactions?limit=4"));
    let page = page.is(200).json();
    assert_eq!(numbers(&page), [4, 3, 2, 1]);
    assert_eq!(
        (&page["has_more"], &page["next_cursor"]),
        (&json!(false), &Value::Null)
    );
}

#[test]
fn a_cursor_is_bound_to_its_filters() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "100.00");
    for _ in 0..3 {
        debit(&client, &wallet, "1.00");
    }
    let path = format!("/v1/wallets/{wallet}/transactions");
    let all = next(&client.get(&format!("{path}?limit=1")).is(200).json());
    let debits = next(
        &client
            .get(&format!("{path}?limit=1&type=debit"))
            .is(200)
            .json(),
    );
    // The limit is no filter.
    client.get(&format!("{path}?limit=2&cursor={all}")).is(200);
    let followed = client.get(&format!("{path}?type=debit&cursor={debits}"));
    assert_eq!(numbers(&followed.is(200).json()), [3, 2]);

    let mut forged = all.clone();
    forged.truncate(all.len() - 1);
    let flipped = format!("{forged}{}", if all.ends_with('A') { 'B' } else { 'A' });
    let other_list = format!("/v1/wallets?cursor={all}");
    for refused in [
        format!("{path}?type=debit&cursor={all}"),
        format!("{path}?cursor={debits}"),
        format!("{path}?type=credit&cursor={debits}"),
        format!("{path}?cursor={forged}"),
        format!("{path}?cursor={flipped}"),
        format!("{path}?cursor={all}x"),
        format!("{path}?cursor=1"),
        format!("{path}?cursor="),
        format!("{path}?cursor=%27%20OR%201%3D1"),
        other_list,
    ] {
        let problem = client.get(&refused).refused(400, "invalid_request").json();
        assert_eq!(problem["errors"][0]["parameter"], "cursor", "{refused}");
    }
}

#[test]
fn holds_and_lots_are_lists_newest_first() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet(&client, "USD");
    let mut lots = Vec::new();
    let mut holds = Vec::new();
    for _ in 0..3 {
        let credit = json!({"amount": "1.00", "funding_type": "cash"});
        let credit = client
            .post(&format!("/v1/wallets/{wallet}/credits"), &credit)
            .is(201);
        lots.push(credit.json()["lots"][0]["lot_id"].clone());
        let hold = client.post(
            &format!("/v1/wallets/{wallet}/holds"),
            &json!({"amount": "0.50"}),
        );
        holds.push(hold.is(201).json()["id"].clone());
    }
    lots.reverse();
    holds.reverse();
    let ids = |path: &str| -> Vec<Value> {
        let rows = client.list(&format!("/v1/wallets/{wallet}/{path}"));
        rows.iter().map(|row| row["id"].clone()).collect()
    };
    assert_eq!(ids("lots"), lots);
    assert_eq!(ids("holds"), holds);
    let page = client
        .get(&format!("/v1/wallets/{wallet}/holds?limit=2"))
        .is(200)
        .json();
    let rest = client.get(&format!(
        "/v1/wallets/{wallet}/holds?cursor={}",
        next(&page)
    ));
    assert_eq!(rest.is(200).json()["data"][0]["id"], holds[2]);
}

/// The records of a CSV text, by RFC 4180.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = vec![vec![String::new()]];
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let record = records.last_mut().expect("a record");
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                record.last_mut().expect("a field").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(String::new()),
            '\r' if !quoted => {}
            '\n' if !quoted => records.push(vec![String::new()]),
            other => record.last_mut().expect("a field").push(other),
        }
    }
    assert_eq!(
        records.pop(),
        Some(vec![String::new()]),
        "the text ends with a line's end"
    );
    records
}

fn csv(client: &Client, path: &str) -> Vec<Vec<String>> {
    let request = Request::new("GET", path).header("accept", "text/csv");
    let answer = client.send(&request).is(200);
    assert!(
        answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/csv"))
    );
    records(&answer.text())
}

#[test]
fn the_csv_holds_every_row_of_the_list() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "100.00");
    let operation = |index: usize| {
        json!({
            "op": "debit", "wallet_id": wallet, "idempotency_key": format!("row-{index}"),
            "amount": "0.0125", "reference": format!("call-{index}"),
        })
    };
    let operations: Vec<Value> = (0..450).map(operation).collect();
    client
        .post("/v1/batches", &json!({"operations": operations}))
        .is(200);

    let path = format!("/v1/wallets/{wallet}/transactions");
    let rows = csv(&client, &path);
    let (header, rows) = rows.split_first().expect("a header");
    let columns = "date,type,reason,description,amount,currency,balance_before,balance_after,status,\
                   reference,payment_intent_id,id";
    assert_eq!(header.join(","), columns);
    let listed = client.list(&path);
    assert_eq!((rows.len(), listed.len()), (451, 451));
    for (row, listed) in rows.iter().zip(&listed) {
        let name_of = |column: &str| {
            if column == "date" {
                "created_at"
            } else {
                column
            }
            .to_owned()
        };
        for (column, cell) in header.iter().zip(row) {
            let expected = listed[name_of(column)].as_str().unwrap_or_default();
            assert_eq!(cell, expected, "{column} of {listed}");
        }
    }
    let of_suffix = csv(&client, &format!("{path}.csv"));
    assert_eq!(of_suffix[1..], *rows);
    let credits = csv(&client, &format!("{path}.csv?type=credit"));
    assert_eq!(credits.len(), 2);
}

#[test]
fn text_in_the_csv_is_no_formula_and_amounts_are_as_they_are() {
    let server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "100.00");
    let texts = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "=HYPERLINK(\"x\",\"y\")",
        "plain, \"quoted\"",
    ];
    for text in texts {
        let body = json!({"amount": "1.00", "description": text, "reference": text});
        client
            .post(&format!("/v1/wallets/{wallet}/debits"), &body)
            .is(201);
    }
    let rows = csv(&client, &format!("/v1/wallets/{wallet}/transactions"));
    let debits = rows[1..=texts.len()].iter().rev();
    for (row, text) in debits.zip(texts) {
        assert_eq!(row[4], "-1.00");
        for cell in [&row[3], &row[9]] {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell}"
            );
            assert!(cell.ends_with(text), "{cell} for {text}");
        }
    }
}
