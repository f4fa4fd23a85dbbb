//! A month of 200 customers through the batch endpoint, killed with -9 halfway: at the end every wallet equals the books
//! that `recomputation` keeps over the same rows, and the same rows with the same keys change nothing.

use crate::answer::Outcome;
use crate::client::{Client, Request};
use crate::recomputation::{Books, Expected, decimal};
use crate::server::Server;
use crate::usage_month::{self, CUSTOMERS};
use crate::usage_rows::{Kind, PRICES, Rounding, Row};
use crate::wait;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const BATCH: usize = 1_000;
/// Three batches in a row are interrupted, each after another while.
const KILL_AFTER: [Duration; 3] = [
    Duration::from_millis(4),
    Duration::from_millis(15),
    Duration::from_millis(40),
];

#[test]
fn a_month_of_usage_survives_a_kill_and_equals_its_recomputation() {
    let rows = usage_month::rows();
    let mut server = Server::start();
    let mut month = Month::begin(&server.client(), &rows);
    month.load_until(&server.client(), rows.len() / 2);

    let mut unanswered = 0;
    for pause in KILL_AFTER {
        let batch = month.next_batch();
        let answer = send_and_kill(&mut server, &batch.request(), pause);
        server.restart();
        if let Some(results) = answer {
            month.book(&batch, results);
        } else {
            unanswered += 1;
            let results = send(&server.client(), &batch);
            month.book_resent(&batch, results);
        }
    }
    assert!(unanswered > 0, "no batch was interrupted");
    server.verify();

    month.load_until(&server.client(), rows.len());
    month.expect_plausible();
    month.expect_equal_wallets(&server.client());
    server.verify();

    month.expect_that_all_rows_again_change_nothing(&server.client());
    month.expect_equal_wallets(&server.client());
    server.verify();
}

/// Some rows, as they are sent in one request.
struct Batch {
    rows: Vec<usize>,
    operations: Vec<Value>,
}

impl Batch {
    fn request(&self) -> Request {
        Request::new("POST", "/v1/batches").json(&json!({"operations": self.operations}))
    }
}

fn send(client: &Client, batch: &Batch) -> Vec<Outcome> {
    let results = client.send(&batch.request()).is(200).results();
    assert_eq!(results.len(), batch.rows.len());
    results
}

/// Kills the server a while after the request was sent; the results, if they came before.
fn send_and_kill(server: &mut Server, request: &Request, pause: Duration) -> Option<Vec<Outcome>> {
    let client = server.client();
    // The connection stands before the clock runs.
    client.get("/v1/settings").is(200);
    let answered = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let answer = client.try_send(request).ok();
            answered.store(true, Ordering::Release);
            answer
        });
        // Either way the server is killed now; whether an answer came is the sender's to say.
        let _answered: Option<()> =
            wait::at_most(pause, || answered.load(Ordering::Acquire).then_some(()));
        server.kill9();
        let answer = sender.join().expect("the sender ends");
        answer.map(|answer| answer.is(200).results())
    })
}

/// The state of the load: what is sent, what was answered, and the books beside it.
struct Month<'a> {
    rows: &'a [Row],
    wallets: Vec<String>,
    books: Books,
    hold_ids: BTreeMap<usize, String>,
    /// The next row to send.
    next: usize,
    /// Each operation that was answered, with the answer that counts.
    answered: Vec<(usize, Value, Outcome)>,
}

impl<'a> Month<'a> {
    fn begin(client: &Client, rows: &'a [Row]) -> Self {
        for price in &PRICES {
            let rounding = match price.rounding {
                Rounding::HalfUp => "half_up",
                Rounding::Up => "up",
            };
            let body = json!({
                "key": price.key, "unit": price.unit, "unit_amount": decimal(price.micros.into()),
                "currency": "USD", "per": price.per, "billing_increment": price.increment,
                "minimum_units": price.minimum, "rounding": rounding,
            });
            client.post("/v1/prices", &body).is(201);
        }
        Self {
            rows,
            wallets: open_wallets(client),
            books: Books::new(),
            hold_ids: BTreeMap::new(),
            next: 0,
            answered: Vec::new(),
        }
    }

    fn load_until(&mut self, client: &Client, end: usize) {
        while self.next < end {
            let batch = self.next_batch();
            let results = send(client, &batch);
            self.book(&batch, results);
        }
    }

    /// The rows from the next on: up to a thousand, ending before one that needs the id of a hold in the same batch.
    fn next_batch(&mut self) -> Batch {
        let mut batch = Batch {
            rows: Vec::new(),
            operations: Vec::new(),
        };
        let mut placed = BTreeSet::new();
        while self.next < self.rows.len() && batch.rows.len() < BATCH {
            let row = &self.rows[self.next];
            if let Kind::Hold { hold, .. } = row.kind {
                placed.insert(hold);
            } else if crate::recomputation::hold_of(row).is_some_and(|hold| placed.contains(&hold))
            {
                break;
            }
            // What belongs to a hold that was refused is never sent.
            if self.books.knows_hold_of(row) {
                batch.rows.push(self.next);
                batch.operations.push(self.operation(self.next));
            }
            self.next += 1;
        }
        batch
    }

    fn operation(&self, index: usize) -> Value {
        let row = &self.rows[index];
        let amount = |micros: &i64| decimal((*micros).into());
        let mut operation = match &row.kind {
            Kind::TopUp { micros } => {
                json!({"op": "credit", "amount": amount(micros), "funding_type": "cash"})
            }
            Kind::Gift { micros } => {
                json!({"op": "credit", "amount": amount(micros), "funding_type": "promotional"})
            }
            Kind::Rental { micros } => {
                json!({"op": "debit", "amount": amount(micros), "reason": "subscription", "description": "Number rental"})
            }
            Kind::Purchase { micros } => {
                json!({"op": "debit", "amount": amount(micros), "reason": "purchase", "description": "A2P 10DLC approval"})
            }
            Kind::Usage {
                price, quantity, ..
            } => {
                json!({"op": "usage", "price": PRICES[*price].key, "quantity": quantity})
            }
            Kind::Hold { micros, .. } => {
                json!({"op": "hold", "amount": amount(micros), "expires_in": 2_592_000})
            }
            Kind::Capture {
                micros, is_final, ..
            } => {
                json!({"op": "capture", "amount": amount(micros), "final": is_final})
            }
            Kind::Release { .. } => json!({"op": "release"}),
        };
        operation["wallet_id"] = json!(self.wallets[row.customer]);
        operation["idempotency_key"] = json!(format!("2026-11/{index:05}"));
        if let Some(hold) = crate::recomputation::hold_of(row) {
            operation["hold_id"] = json!(self.hold_ids[&hold]);
        }
        operation
    }

    /// Books an answered batch: each row must have come to what the books say.
    fn book(&mut self, batch: &Batch, results: Vec<Outcome>) {
        for ((index, operation), result) in batch.rows.iter().zip(&batch.operations).zip(results) {
            let expected = self.books.book(&self.rows[*index]);
            assert!(!result.replayed, "row {index} was never sent before");
            self.accept(*index, operation, result, expected);
        }
    }

    /// Books a batch that was interrupted and sent again. What is replayed was done the first time, in the order given;
    /// a refused row stored nothing, so it was tried anew behind all of them.
    fn book_resent(&mut self, batch: &Batch, results: Vec<Outcome>) {
        let replayed = |position: &usize| results[*position].replayed;
        let customer = |position: usize| self.rows[batch.rows[position]].customer;
        let mut last_done = BTreeMap::new();
        for position in (0..batch.rows.len()).filter(replayed) {
            last_done.insert(customer(position), position);
        }
        let mut expectations = BTreeMap::new();
        for (position, result) in results.iter().enumerate() {
            let row = &self.rows[batch.rows[position]];
            if result.replayed {
                expectations.insert(position, self.books.book(row));
            } else if last_done
                .get(&row.customer)
                .is_some_and(|last| position < *last)
            {
                // A later row of the wallet was done, so this one was reached, and must have been refused.
                let expected = self.books.book(row);
                assert!(
                    !expected.is_done(),
                    "row {} was lost: {row:?}",
                    batch.rows[position]
                );
            }
        }
        for (position, result) in results.into_iter().enumerate() {
            let index = batch.rows[position];
            let expected = expectations.get(&position).copied();
            let expected = expected.unwrap_or_else(|| self.books.book(&self.rows[index]));
            self.accept(index, &batch.operations[position], result, expected);
        }
    }

    fn accept(&mut self, index: usize, operation: &Value, result: Outcome, expected: Expected) {
        let row = &self.rows[index];
        let body = result.json();
        assert_eq!(
            result.status, expected.status,
            "row {index}, {row:?}: {body}"
        );
        if expected.is_done() {
            let transaction = if matches!(row.kind, Kind::Usage { .. }) {
                &body["transaction"]
            } else {
                &body
            };
            let moves_nothing = matches!(row.kind, Kind::Hold { .. } | Kind::Release { .. });
            let amount = if moves_nothing {
                &Value::Null
            } else {
                &transaction["amount"]
            };
            let moved = expected
                .moved
                .map_or(Value::Null, |micros| json!(decimal(micros)));
            assert_eq!(*amount, moved, "row {index}, {row:?}: {body}");
        }
        if let (Kind::Hold { hold, .. }, true) = (&row.kind, expected.is_done()) {
            let id = body["id"].as_str().expect("a hold's id").to_owned();
            self.hold_ids.insert(*hold, id);
        }
        self.answered.push((index, operation.clone(), result));
    }

    /// The month is worth its name: every kind of row, wallets that ran dry, holds that were refused.
    fn expect_plausible(&self) {
        let with_status = |status: u16| {
            self.answered
                .iter()
                .filter(|row| row.2.status == status)
                .count()
        };
        let (done, short, released) = (with_status(201), with_status(402), with_status(200));
        assert!(
            self.answered.len() >= 50_000,
            "{} rows were sent",
            self.answered.len()
        );
        assert!(
            done > 40_000 && short > 1_000 && released > 30,
            "{done} done, {short} short, {released} released"
        );
        assert_eq!(done + short + released, self.answered.len());
        assert!(self.answered.len() < self.rows.len(), "no hold was refused");
    }

    #[track_caller]
    fn expect_equal_wallets(&self, client: &Client) {
        for (id, books) in self.wallets.iter().zip(&self.books.wallets) {
            let wallet = client.get(&format!("/v1/wallets/{id}")).is(200);
            let shown = ["balance", "held", "available_balance"].map(|name| wallet.string(name));
            let expected = [books.balance, books.held, books.balance - books.held].map(decimal);
            assert_eq!(shown, expected, "{wallet}");
            let last = client
                .get(&format!("/v1/wallets/{id}/transactions?limit=1"))
                .is(200)
                .json();
            assert_eq!(last["data"][0]["seq"], books.transactions, "{id}");
            assert_eq!(last["data"][0]["balance_after"], expected[0].as_str());
        }
    }

    /// Every row again with its key. The wallets are frozen first, so that a refused row, which stored nothing, is not
    /// done now; what was done is answered before the wallet's state is looked at.
    fn expect_that_all_rows_again_change_nothing(&mut self, client: &Client) {
        let read = |id: &String| client.get(&format!("/v1/wallets/{id}")).is(200).json();
        for id in &self.wallets {
            let reason = json!({"reason": "End of the month"});
            client
                .post(&format!("/v1/wallets/{id}/freeze"), &reason)
                .is(200);
        }
        let before: Vec<Value> = self.wallets.iter().map(read).collect();
        for chunk in self.answered.chunks(BATCH) {
            let operations: Vec<&Value> = chunk.iter().map(|row| &row.1).collect();
            let request =
                Request::new("POST", "/v1/batches").json(&json!({"operations": operations}));
            let results = client.send(&request).is(200).results();
            for ((index, _, first), again) in chunk.iter().zip(results) {
                if first.is_done() {
                    assert!(again.replayed, "row {index}: {}", again.body);
                    assert_eq!(
                        (again.status, &again.body),
                        (first.status, &first.body),
                        "row {index}"
                    );
                } else {
                    assert_eq!(again.status, 409, "row {index}: {}", again.body);
                    assert_eq!(again.json()["code"], "wallet_not_active");
                }
            }
        }
        let after: Vec<Value> = self.wallets.iter().map(read).collect();
        assert_eq!(after, before);
    }
}

/// A customer and a wallet for each, made by some threads at once; in the order of the customers.
fn open_wallets(client: &Client) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let open = |number: usize| {
        let customer =
            json!({"name": format!("Customer {number}"), "external_id": format!("c-{number}")});
        let customer = client.post("/v1/customers", &customer).is(201).id();
        let wallet = json!({"customer_id": customer, "currency": "USD"});
        (number, client.post("/v1/wallets", &wallet).is(201).id())
    };
    let work = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers
            .take_while(|number| *number < CUSTOMERS)
            .map(open)
            .collect::<Vec<_>>()
    };
    let opened: BTreeMap<usize, String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("wallets"))
            .collect()
    });
    opened.into_values().collect()
}
