//! The feed of events: whole against the ledger, also when the server is killed while it is followed; the stream ends
//! with the server.

use crate::client::{Client, Request};
use crate::crash::load_until_killed;
use crate::given::{debit, wallet_with};
use crate::random::Random;
use crate::server::{BOOTSTRAP_KEY, Server};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Whoever reads the feed as it grows, and goes on behind what was read last.
#[derive(Default)]
struct Follower {
    events: Vec<Value>,
}

impl Follower {
    /// Reads one page; whether there is more, none when the connection broke.
    fn read(&mut self, client: &Client) -> Option<bool> {
        let after = self.events.last().map_or(String::new(), |last| {
            format!("&after={}", last["id"].as_str().expect("an id"))
        });
        let request = Request::new("GET", &format!("/v1/events?limit=50{after}"));
        let page = client.try_send(&request).ok()?.is(200).json();
        self.events
            .extend(page["data"].as_array().expect("events").clone());
        page["has_more"].as_bool()
    }

    fn until_the_server_is_gone(mut self, client: &Client) -> Self {
        while self.read(client).is_some() {}
        self
    }

    fn read_to_the_end(&mut self, client: &Client) {
        while self.read(client).expect("the server answers") {}
    }
}

fn texts<'a>(events: &'a [Value], kind: &str, pointer: &str) -> Vec<&'a str> {
    let of_kind = events.iter().filter(|event| event["type"] == kind);
    of_kind
        .map(|event| {
            event
                .pointer(pointer)
                .and_then(Value::as_str)
                .expect("a text")
        })
        .collect()
}

/// Each transaction, hold and wallet is told of once, and nothing else is.
#[track_caller]
fn expect_whole(client: &Client, events: &[Value], wallets: &[String]) {
    let ids: Vec<&str> = events
        .iter()
        .map(|event| event["id"].as_str().expect("an id"))
        .collect();
    assert!(
        ids.is_sorted_by(|one, next| one < next),
        "each once, in order"
    );
    let mut sequences: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events {
        if let Some(sequence) = event["sequence"].as_u64() {
            let wallet = event["wallet_id"].as_str().expect("a wallet");
            let before = sequences.insert(wallet, sequence).unwrap_or(0);
            assert!(before < sequence, "{event}");
        }
    }
    let mut created = texts(events, "wallet.created", "/wallet_id");
    created.sort_unstable();
    let mut expected: Vec<&str> = wallets.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(created, expected);
    let mut transactions = Vec::new();
    let mut holds = Vec::new();
    for wallet in wallets {
        transactions.extend(client.list(&format!("/v1/wallets/{wallet}/transactions")));
        holds.extend(client.list(&format!("/v1/wallets/{wallet}/holds")));
    }
    let told: BTreeMap<&str, &Value> = events
        .iter()
        .filter(|event| event["type"] == "transaction.created")
        .map(|event| &event["data"]["transaction"])
        .map(|transaction| (transaction["id"].as_str().expect("an id"), transaction))
        .collect();
    assert_eq!(told.len(), transactions.len());
    for transaction in &transactions {
        let id = transaction["id"].as_str().expect("an id");
        assert_eq!(told.get(id), Some(&transaction), "the same as in the list");
    }
    let placed: BTreeSet<&str> = texts(events, "hold.created", "/data/hold/id")
        .into_iter()
        .collect();
    let listed = holds.iter().map(|hold| hold["id"].as_str().expect("an id"));
    assert_eq!(placed, listed.collect());
    for kind in ["released", "captured"] {
        let ended = events
            .iter()
            .filter(|event| event["type"] == format!("hold.{kind}"));
        let ended = ended
            .map(|event| &event["data"]["hold"])
            .filter(|hold| hold["status"] == kind);
        let ended: BTreeSet<&str> = ended
            .map(|hold| hold["id"].as_str().expect("an id"))
            .collect();
        let listed = holds.iter().filter(|hold| hold["status"] == kind);
        let listed = listed.map(|hold| hold["id"].as_str().expect("an id"));
        assert_eq!(ended, listed.collect(), "{kind}");
    }
}

#[test]
fn killed_while_it_is_followed_the_feed_tells_of_each_row_once() {
    let mut server = Server::start();
    let client = server.client();
    let wallets: Vec<String> = (0..4).map(|_| wallet_with(&client, "50.00")).collect();
    let mut random = Random::new(11);
    let mut follower = Follower::default();
    for _round in 0..2 {
        let client = server.client();
        let following = std::thread::spawn(move || follower.until_the_server_is_gone(&client));
        load_until_killed(&mut server, &wallets, &mut random);
        follower = following.join().expect("a follower");
        server.restart();
    }
    let client = server.client();
    follower.read_to_the_end(&client);
    let whole = client.list("/v1/events");
    assert_eq!(follower.events.len(), whole.len());
    assert!(
        follower.events == whole,
        "what was read before the crashes is still so"
    );
    expect_whole(&client, &whole, &wallets);
    server.verify();
}

#[test]
fn a_stream_ends_with_the_server_and_goes_on_with_the_next() {
    let mut server = Server::start();
    let client = server.client();
    let wallet = wallet_with(&client, "50.00");
    let mut stream = Stream::open(&server, None);
    debit(&client, &wallet, "1.00");
    let seen = stream.next().expect("an event");
    assert_eq!(seen["type"], "transaction.created");
    server.terminate();
    let rest = stream.next().expect("what was under way");
    assert_eq!(rest["type"], "wallet.payment_made");
    assert_eq!(stream.next(), None, "the stream was closed");

    server.restart();
    let mut stream = Stream::open(&server, seen["id"].as_str());
    assert_eq!(stream.next(), Some(rest), "as it was told before");
    debit(&server.client(), &wallet, "2.00");
    let next = stream.next().expect("an event");
    assert_eq!(next["data"]["transaction"]["amount"], json!("-2.00"));
    server.kill9();
}

/// A client of the stream.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(server: &Server, last_seen: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a timeout");
        let last_seen = last_seen.map_or(String::new(), |id| format!("last-event-id: {id}\r\n"));
        let request = format!(
            "GET /v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {BOOTSTRAP_KEY}\r\n{last_seen}\r\n"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut stream = Self(BufReader::new(stream));
        // Behind these words the stream has its place.
        while stream.line().expect("a head") != "retry: 2000" {}
        stream
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line).expect("a line in time") {
            0 => None,
            _ => Some(line.trim_end().to_owned()),
        }
    }

    /// The data of the next event; none at the end of the stream.
    fn next(&mut self) -> Option<Value> {
        loop {
            let line = self.line()?;
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).expect("JSON"));
            }
        }
    }
}
