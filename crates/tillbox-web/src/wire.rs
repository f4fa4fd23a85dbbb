//! A connection's bytes, with limits of time: 60 s idle between requests, 10 s for a request's head, 30 s without
//! progress while writing. A body's limit stands in `api/body.rs`.
//!
//! Where the connection ends though more of a request is to come, what still comes is read and dropped first, within
//! limits: closing the socket at once would have the system reset the connection, and the answer might be lost.
//!
//! What the HTTP library answers by itself, to a head that is no HTTP, has no body; it is replaced by problem details,
//! so that every error is of this form from the first byte on. All other bytes pass through as they are.

use crate::api::problem::Problem;
use crate::api::request_id;
use axum::http::StatusCode;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// How long a connection may be silent between requests.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// How long the head of a request may take from its first byte.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take nothing of what is written to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long what still comes of an answered request is waited for before the socket is closed.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// How much of it is read.
const LINGER_BYTES: usize = 8 << 20;
/// The library's own answers are shorter.
const LIBRARY_ANSWER_BYTES: usize = 256;

/// Between requests.
const IDLE: u8 = 0;
/// Some of a request's head has been read.
const HEAD: u8 = 1;
/// A request is being answered.
const REQUEST: u8 = 2;

/// Where a connection stands; shared by its bytes and its requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<Standing>);

#[derive(Debug, Default)]
struct Standing {
    stands: AtomicU8,
    /// Whether the body of the last request was not read to its end.
    is_unread: AtomicBool,
}

impl Progress {
    /// A request's head has been read.
    pub(crate) fn request_begins(&self) {
        self.0.stands.store(REQUEST, Ordering::Relaxed);
        self.0.is_unread.store(false, Ordering::Relaxed);
    }

    /// Nobody reads the rest of its body.
    pub(crate) fn leaves_body(&self) {
        self.0.is_unread.store(true, Ordering::Relaxed);
    }

    /// Its answer is ready: what is read next is the next request.
    pub(crate) fn answer_begins(&self) {
        self.0.stands.store(IDLE, Ordering::Relaxed);
    }

    fn stands(&self) -> u8 {
        self.0.stands.load(Ordering::Relaxed)
    }

    /// Bytes came; whether they are the first of a head.
    fn bytes_came(&self) -> bool {
        let (before, after) = (IDLE, HEAD);
        self.0
            .stands
            .compare_exchange(before, after, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

/// The connection.
pub(crate) struct Wire {
    stream: TcpStream,
    progress: Progress,
    /// Made once for a connection, then only moved: most waits end long before it.
    reading: Option<Pin<Box<Sleep>>>,
    /// What `reading` is set for; none: it is to be set again.
    reading_for: Option<u8>,
    writing: Option<Pin<Box<Sleep>>>,
    replacement: Option<Replacement>,
    /// Set once the last byte is written and what still comes is read.
    lingering: Option<Lingering>,
}

/// Until when what still comes is read, and how much of it.
struct Lingering {
    until: Pin<Box<Sleep>>,
    bytes: usize,
}

/// An answer that stands in for one of the library's.
struct Replacement {
    bytes: Vec<u8>,
    written: usize,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, progress: Progress) -> Self {
        Self {
            stream,
            progress,
            reading: None,
            reading_for: None,
            writing: None,
            replacement: None,
            lingering: None,
        }
    }

    /// Whether reading has waited too long, by where the connection stands.
    fn read_is_late(&mut self, context: &mut Context<'_>) -> bool {
        let stands = self.progress.stands();
        let limit = match stands {
            IDLE => IDLE_TIMEOUT,
            HEAD => HEAD_TIMEOUT,
            _ => {
                self.reading_for = None;
                return false;
            }
        };
        let sleep = self
            .reading
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if self.reading_for.replace(stands) != Some(stands) {
            sleep.as_mut().reset(after(limit));
        }
        sleep.as_mut().poll(context).is_ready()
    }

    /// Watches a write's progress. The wait for the next request counts from the last byte written, also where the
    /// library began to read before it wrote.
    fn after_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.writing = None;
            if let Some(sleep) = &mut self.reading
                && self.progress.stands() == IDLE
            {
                sleep.as_mut().reset(after(IDLE_TIMEOUT));
                self.reading_for = Some(IDLE);
            }
            return written;
        }
        let sleep = self
            .writing
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_TIMEOUT)));
        if sleep.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }

    /// Reads and drops what still comes of a request that was answered before its end.
    fn linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let lingering = self.lingering.get_or_insert_with(|| Lingering {
            until: Box::pin(tokio::time::sleep(LINGER_TIMEOUT)),
            bytes: 0,
        });
        let mut scratch = [0; 16 * 1024];
        while lingering.bytes < LINGER_BYTES {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    lingering.bytes += buffer.filled().len();
                }
                // The client is done, or gone.
                Poll::Ready(Ok(()) | Err(_)) => return Poll::Ready(()),
                Poll::Pending => return lingering.until.as_mut().poll(context),
            }
        }
        Poll::Ready(())
    }

    /// Writes what stands in for the library's answer; ready once all of it is written.
    fn write_replacement(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(replacement) = &mut self.replacement {
            let rest = replacement.bytes.get(replacement.written..);
            let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
                self.replacement = None;
                break;
            };
            let written = Pin::new(&mut self.stream).poll_write(context, rest);
            match std::task::ready!(self.after_write(context, written)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    if let Some(replacement) = &mut self.replacement {
                        replacement.written += count;
                    }
                }
                Err(why) => return Poll::Ready(Err(why)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The instant that far from now.
#[expect(
    clippy::disallowed_methods,
    reason = "a socket's waits are no time of a merchant's"
)]
fn after(limit: Duration) -> Instant {
    Instant::now() + limit
}

/// Where an answer of the library's begins, and its status. It stands last in what is written, has no body, and alone
/// has no request id. Answers of ours end in their body, so that two looks tell nearly all of them apart.
fn answer_of_the_library(bytes: &[u8]) -> Option<(usize, StatusCode)> {
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let tail_at = bytes.len().saturating_sub(LIBRARY_ANSWER_BYTES);
    let tail = bytes.get(tail_at..)?;
    let start = tail
        .windows(10)
        .rposition(|window| window == b"HTTP/1.1 4" || window == b"HTTP/1.0 4")?;
    let head = std::str::from_utf8(tail.get(start..)?).ok()?;
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next()?.get(9..12)?.parse().ok()?;
    let mut is_empty = false;
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        if name.eq_ignore_ascii_case("x-request-id") {
            return None;
        }
        is_empty |= name.eq_ignore_ascii_case("content-length") && value == "0";
    }
    let status = StatusCode::from_u16(status).ok()?;
    is_empty.then_some((tail_at + start, status))
}

/// The answer that is sent instead.
fn replacement(status: StatusCode) -> Replacement {
    let (id, body) = request_id::without_request(|| {
        (
            request_id::current(),
            Problem::unreadable_head(status).to_json().to_string(),
        )
    });
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\nx-request-id: {id}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    Replacement {
        bytes: (head + &body).into_bytes(),
        written: 0,
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                if buffer.filled().len() > before && self.progress.bytes_came() {
                    self.reading_for = None;
                }
                Poll::Ready(Ok(()))
            }
            Poll::Pending if self.read_is_late(context) => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            other => other,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = match answer_of_the_library(bytes) {
            Some((0, status)) => {
                self.progress.leaves_body();
                self.replacement = Some(replacement(status));
                return Poll::Ready(Ok(bytes.len()));
            }
            // Answers of ours stand before it: they go first, and it comes alone.
            Some((start, _status)) => bytes.get(..start).unwrap_or(bytes),
            None => bytes,
        };
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.after_write(context, written)
    }

    /// Never chosen by the library, which gathers what it writes: see `serve.rs`.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty());
        self.poll_write(context, first.map_or(&[], |slice| slice))
    }

    fn is_write_vectored(&self) -> bool {
        false
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.write_replacement(context) {
            Poll::Ready(Ok(())) => Pin::new(&mut self.stream).poll_flush(context),
            other => other,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            std::task::ready!(self.write_replacement(context))?;
            std::task::ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        if self.progress.0.is_unread.load(Ordering::Relaxed) {
            std::task::ready!(self.linger(context));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str =
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

    #[test]
    fn only_answers_without_a_request_id_are_replaced() {
        let found = answer_of_the_library(LIBRARY.as_bytes());
        assert_eq!(found, Some((0, StatusCode::BAD_REQUEST)));
        let ours = replacement(StatusCode::BAD_REQUEST).bytes;
        let text = String::from_utf8(ours.clone()).expect("text");
        assert!(text.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{text}");
        assert!(text.contains("application/problem+json"), "{text}");
        for kept in [
            text.as_str(),
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\nx-request-id: req_1\r\ncontent-length: 0\r\n\r\n",
            "{\"data\":[]}",
            "2026,HTTP/1.1 400 Bad\r\n\r\n0\r\n\r\n",
            "\r\n\r\n",
        ] {
            assert_eq!(answer_of_the_library(kept.as_bytes()), None, "{kept}");
        }
    }

    #[test]
    fn an_answer_of_the_library_is_found_behind_one_of_ours() {
        let ours = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let found = answer_of_the_library(format!("{ours}{LIBRARY}").as_bytes());
        assert_eq!(found, Some((ours.len(), StatusCode::BAD_REQUEST)));
    }
}
