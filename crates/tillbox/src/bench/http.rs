//! Load over HTTP/1.1: as lean a client as can be, since it shares the cores with the server.

use super::server::Server;
use super::stopwatch;
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::time::Duration;
use tillbox_core::time::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is asked for, over and over.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// One debit a request.
    Debit,
    /// So many debits a request.
    Batch(usize),
    /// The balance.
    Balance,
    /// The balance as of an instant between these.
    Past(Timestamp, Timestamp),
}

impl Kind {
    pub(crate) fn operations(self) -> usize {
        match self {
            Self::Debit | Self::Balance | Self::Past(..) => 1,
            Self::Batch(size) => size,
        }
    }
}

/// One connection that is kept open.
struct Connection {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
    random: Random,
}

impl Connection {
    async fn open(server: &Server) -> Result<Self> {
        let stream = TcpStream::connect(server.address()).await?;
        stream.set_nodelay(true)?;
        let head = format!(
            "Host: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
            server.address(),
            server.key()
        );
        Ok(Self {
            stream,
            head,
            buffer: Vec::with_capacity(65_536),
            random: Random::new()?,
        })
    }

    /// Sends a request and reads the whole answer; gives its body.
    async fn call(&mut self, method: &str, path: &str, body: &str) -> Result<&[u8]> {
        let key = self.random.key();
        let length = body.len();
        let mut request = String::with_capacity(512 + length);
        write!(
            request,
            "{method} {path} HTTP/1.1\r\n{}Idempotency-Key: {key}\r\nContent-Length: {length}\r\n\r\n{body}",
            self.head
        )?;
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            let Some(end) = find(&self.buffer, b"\r\n\r\n") else {
                continue;
            };
            let (length, ok) = read_head(&self.buffer[..end])?;
            let start = end + 4;
            while self.buffer.len() < start + length {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    bail!("the server closed the connection");
                }
            }
            let body = &self.buffer[start..start + length];
            if ok {
                return Ok(body);
            }
            bail!(
                "{method} {path} was answered: {}",
                String::from_utf8_lossy(body)
            );
        }
    }
}

/// Content length, and whether the status is a success.
fn read_head(head: &[u8]) -> Result<(usize, bool)> {
    let head = std::str::from_utf8(head).context("the head is not text")?;
    let ok = head.starts_with("HTTP/1.1 2");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    Ok((length.context("no content length")?, ok))
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Keys as random as a caller's (splitmix64), each from a seed of its own, so that none is used twice.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Result<Self> {
        crate::serve::random::<8>().map(|seed| Self(u64::from_ne_bytes(seed)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    fn key(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}

/// Calls over `connections` for as long as `length`; gives the latency of each call.
pub(crate) async fn run(
    server: &Server,
    wallets: &[String],
    connections: usize,
    kind: Kind,
    length: Duration,
) -> Result<Vec<Duration>> {
    let workers = (0..connections).map(|_| async move {
        let mut connection = Connection::open(server).await?;
        let mut latencies = Vec::with_capacity(65_536);
        let end = stopwatch() + length;
        loop {
            let wallet = &wallets[connection.random.below(wallets.len())];
            let (method, path, body) = match kind {
                Kind::Debit => (
                    "POST",
                    format!("/v1/wallets/{wallet}/debits"),
                    r#"{"amount":"0.0075","description":"SMS to +1 555 0100"}"#.to_owned(),
                ),
                Kind::Balance => (
                    "GET",
                    format!("/v1/wallets/{wallet}/balance"),
                    String::new(),
                ),
                Kind::Past(from, to) => {
                    let length = usize::try_from(to.micros().saturating_sub(from.micros()))?;
                    let behind = i64::try_from(connection.random.below(length))?;
                    let at = Timestamp::from_micros(from.micros().saturating_add(behind));
                    (
                        "GET",
                        format!("/v1/wallets/{wallet}/balance?at={at}"),
                        String::new(),
                    )
                }
                Kind::Batch(size) => {
                    let random = &mut connection.random;
                    let chosen: Vec<&String> = (0..size)
                        .map(|_| &wallets[random.below(wallets.len())])
                        .collect();
                    (
                        "POST",
                        "/v1/batches".to_owned(),
                        batch_body(random, chosen.into_iter()),
                    )
                }
            };
            let started = stopwatch();
            if started >= end {
                return anyhow::Ok(latencies);
            }
            let answer = connection.call(method, &path, &body).await?;
            if let Kind::Batch(size) = kind {
                check_batch(answer, size)?;
            }
            latencies.push(started.elapsed());
        }
    });
    Ok(join_all(workers).await?.into_iter().flatten().collect())
}

/// Debits each wallet once, in batches, so that the server knows them all; gives how long it took.
pub(crate) async fn debit_each(
    server: &Server,
    wallets: &[String],
    connections: usize,
    size: usize,
) -> Result<Duration> {
    let started = stopwatch();
    let share = wallets.len().div_ceil(connections.max(1)).max(1);
    let workers = wallets.chunks(share).map(|share| async move {
        let mut connection = Connection::open(server).await?;
        for wallets in share.chunks(size) {
            let body = batch_body(&mut connection.random, wallets.iter());
            let answer = connection.call("POST", "/v1/batches", &body).await?;
            check_batch(answer, wallets.len())?;
        }
        anyhow::Ok(())
    });
    join_all(workers).await?;
    Ok(started.elapsed())
}

/// Since when there is a wallet, and until when it has been told of.
pub(crate) async fn life_of(server: &Server, wallet: &str) -> Result<(Timestamp, Timestamp)> {
    let mut connection = Connection::open(server).await?;
    let mut instant = async |path: String, field: &str| {
        let answer = connection.call("GET", &path, "").await?;
        let body: serde_json::Value = serde_json::from_slice(answer)?;
        let text = body[field].as_str().context("no instant")?;
        Ok::<_, anyhow::Error>(Timestamp::parse(text)?)
    };
    let begin = instant(format!("/v1/wallets/{wallet}"), "created_at").await?;
    let end = instant(format!("/v1/wallets/{wallet}/balance"), "as_of").await?;
    Ok((begin, end))
}

/// A debit on each of the wallets.
fn batch_body<'a>(random: &mut Random, wallets: impl Iterator<Item = &'a String>) -> String {
    let mut body = String::with_capacity(wallets.size_hint().0 * 180);
    body.push_str(r#"{"operations":["#);
    for (number, wallet) in wallets.enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let key = random.key();
        let operation = format!(
            r#"{comma}{{"op":"debit","wallet_id":"{wallet}","idempotency_key":"{key}","amount":"0.0075","description":"SMS to +1 555 0100"}}"#
        );
        body.push_str(&operation);
    }
    body.push_str("]}");
    body
}

fn check_batch(answer: &[u8], size: usize) -> Result<()> {
    let text = std::str::from_utf8(answer)?;
    let done = text.matches(r#""status":201"#).count();
    if done == size {
        Ok(())
    } else {
        bail!(
            "{done} of {size} operations were done: {}",
            text.chars().take(400).collect::<String>()
        )
    }
}

async fn join_all<T, F: Future<Output = Result<T>>>(
    workers: impl Iterator<Item = F>,
) -> Result<Vec<T>> {
    futures_util::future::try_join_all(workers).await
}
