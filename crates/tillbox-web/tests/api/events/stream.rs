//! The stream, over real connections.

use super::{all, post, types};
use crate::app::{KEY, TestApp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

struct Served {
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn over(app: &TestApp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = watch::channel(false);
        let within = Duration::from_secs(5);
        let service = Arc::clone(&app.service);
        let server = tokio::spawn(tillbox_web::serve(listener, service, stopped, within));
        Self {
            address,
            stop,
            server,
        }
    }

    async fn end(self) {
        self.stop.send(true).expect("the server waits for it");
        self.server.await.expect("no panic").expect("served");
    }
}

/// A client of a stream that is open.
struct Client {
    lines: BufReader<TcpStream>,
    head: String,
}

/// One message, as it came.
#[derive(Debug)]
struct Message {
    id: String,
    name: String,
    data: Value,
}

impl Client {
    async fn open(served: &Served, query: &str, last_seen: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(served.address)
            .await
            .expect("a connection");
        let last_seen = last_seen.map_or(String::new(), |id| format!("last-event-id: {id}\r\n"));
        let request = format!(
            "GET /v1/events/stream{query} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n{last_seen}\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut client = Self {
            lines: BufReader::new(stream),
            head: String::new(),
        };
        while !client.head.ends_with("\r\n\r\n") {
            client
                .lines
                .read_line(&mut client.head)
                .await
                .expect("a head");
        }
        client
    }

    /// The next line of the stream, without the frames of its chunks; none at its end.
    async fn line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).await.expect("a line") == 0 {
                return None;
            }
            if !line.ends_with("\r\n") {
                return Some(line.trim_end().to_owned());
            }
            if line == "0\r\n" {
                return None;
            }
        }
    }

    /// The next message; comments and the like are passed over.
    async fn message(&mut self) -> Option<Message> {
        let mut fields = std::collections::BTreeMap::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                if let Some(data) = fields.remove("data") {
                    let take = |fields: &mut std::collections::BTreeMap<String, String>, name| {
                        fields.remove(name).unwrap_or_default()
                    };
                    return Some(Message {
                        id: take(&mut fields, "id"),
                        name: take(&mut fields, "event"),
                        data: serde_json::from_str(&data).expect("JSON"),
                    });
                }
                fields.clear();
            } else if let Some((name, value)) =
                line.split_once(": ").filter(|(name, _)| !name.is_empty())
            {
                fields.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    async fn messages(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            let message = self.message().await.expect("the stream is open");
            assert_eq!(message.data["id"], message.id);
            assert_eq!(message.data["type"], message.name);
            events.push(message.data);
        }
        events
    }
}

#[tokio::test]
async fn a_stream_tells_what_happens_from_now_on_and_goes_on_behind_what_was_seen() {
    let app = TestApp::start();
    let served = Served::over(&app).await;
    let wallet = app.wallet_with("50.00").await;
    let debits = format!("/v1/wallets/{wallet}/debits");
    let mut client = Client::open(&served, "", None).await;
    assert!(client.head.starts_with("HTTP/1.1 200"), "{}", client.head);
    assert!(
        client.head.contains("content-type: text/event-stream\r\n"),
        "{}",
        client.head
    );
    assert!(
        client.head.contains("cache-control: no-store\r\n"),
        "{}",
        client.head
    );
    assert_eq!(client.line().await.as_deref(), Some("retry: 2000"));
    post(&app, &debits, json!({"amount": "1.00"})).await;
    let live = client.messages(2).await;
    assert_eq!(types(&live), ["transaction.created", "wallet.payment_made"]);
    drop(client);
    post(&app, &debits, json!({"amount": "2.00"})).await;

    let whole = all(&app, "", 100).await;
    assert_eq!(whole[3..5], live, "the same as in the feed");
    let first = live[0]["id"].as_str().expect("an id");
    let seen = live[1]["id"].as_str().expect("an id");
    let mut again = Client::open(&served, &format!("?after={first}"), Some(seen)).await;
    assert_eq!(
        again.messages(2).await,
        whole[5..],
        "what was seen last is newer than the address"
    );
    let mut behind = Client::open(&served, &format!("?after={first}"), None).await;
    assert_eq!(behind.messages(3).await, whole[4..]);
    post(&app, &debits, json!({"amount": "3.00"})).await;
    let next = behind.messages(2).await;
    assert_eq!(again.messages(2).await, next);
    served.end().await;
    assert!(
        again.message().await.is_none(),
        "the stream has ended with the server"
    );
}

#[tokio::test]
async fn a_stream_shows_what_its_filters_let_through() {
    let app = TestApp::start();
    let served = Served::over(&app).await;
    let (ours, other) = (
        app.wallet_with("50.00").await,
        app.wallet_with("50.00").await,
    );
    let query = format!("?wallet_id={ours}&type=wallet.frozen");
    let mut client = Client::open(&served, &query, None).await;
    for wallet in [&other, &ours] {
        post(
            &app,
            &format!("/v1/wallets/{wallet}/debits"),
            json!({"amount": "1.00"}),
        )
        .await;
        post(
            &app,
            &format!("/v1/wallets/{wallet}/freeze"),
            json!({"reason": "Lost"}),
        )
        .await;
    }
    let told = client.messages(1).await;
    assert_eq!(
        (&told[0]["type"], &told[0]["wallet_id"]),
        (&json!("wallet.frozen"), &json!(ours))
    );
    served.end().await;
    assert!(client.message().await.is_none());
}

#[tokio::test]
async fn what_is_no_stream_is_a_problem() {
    let app = TestApp::start();
    let served = Served::over(&app).await;
    for (query, seen, status) in [
        ("?type=nothing", None, "400"),
        ("?after=0", None, "400"),
        ("", Some("evt_0"), "404"),
        ("", Some("evt_000000000000700"), "404"),
    ] {
        let client = Client::open(&served, query, seen).await;
        assert!(
            client.head.starts_with(&format!("HTTP/1.1 {status}")),
            "{}",
            client.head
        );
        assert!(
            client.head.contains("application/problem+json"),
            "{}",
            client.head
        );
    }
    served.end().await;
}

/// Time stands still but for waiting, so that nobody waits for real.
#[tokio::test(start_paused = true)]
async fn a_silent_stream_says_that_it_lives_and_outlives_idle_connections() {
    let app = TestApp::start();
    let served = Served::over(&app).await;
    let mut client = Client::open(&served, "", None).await;
    assert_eq!(client.line().await.as_deref(), Some("retry: 2000"));
    for _ in 0..8 {
        assert_eq!(client.line().await.as_deref(), Some(""));
        assert_eq!(client.line().await.as_deref(), Some(": still here"));
    }
    served.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_reads_is_cut_off() {
    let app = TestApp::start();
    let wallet = app.wallet_with("1000.00").await;
    for batch in 0..8 {
        let operation = |number: usize| {
            let note = "x".repeat(500);
            json!({"op": "debit", "wallet_id": wallet, "idempotency_key": format!("{batch} {number}"), "amount": "0.01", "description": note})
        };
        let operations: Vec<Value> = (0..1_000).map(operation).collect();
        post(&app, "/v1/batches", json!({"operations": operations})).await;
    }
    let served = Served::over(&app).await;
    let first = all_first(&app).await;
    let mut client = Client::open(&served, &format!("?after={first}"), None).await;
    // More than the sockets hold, and nobody takes it: thirty seconds after they are full the server gives up. Time here
    // runs ahead of the sockets, so it gets many turns.
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_secs(40)).await;
    }
    let all = 4 * 16_000;
    let mut lines = 0_usize;
    while lines < all {
        let mut line = Vec::new();
        match client.lines.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => break,
            Ok(_) => lines += 1,
        }
    }
    assert!(lines < all, "all of it came: {lines} lines");
    served.end().await;
}

async fn all_first(app: &TestApp) -> String {
    let page = app.get("/v1/events?limit=1").await.json();
    page["data"][0]["id"].as_str().expect("an id").to_owned()
}
