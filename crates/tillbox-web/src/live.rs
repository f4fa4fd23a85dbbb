//! Server-sent events: answers that stay open and tell what is new.
//!
//! A stream is woken by commits, asks its source what is new, and writes that. What the client does not take is not
//! asked for: a slow reader holds what one look gave, and the connection's own limit ([`crate::wire`]) cuts it off. Once it has caught up it asks at most every [`PACE`], however busy the ledger is. It ends when
//! the server stops, when the ledger ends, and when its source fails; clients come back with what they saw last.

use crate::api::problem::Problem;
use axum::body::{Body, Bytes};
use axum::extract::Extension;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Interval, MissedTickBehavior, Sleep};

/// A silent stream says that it lives: proxies close what is silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The least time between two looks of a stream that has caught up.
const PACE: Duration = Duration::from_millis(100);
/// Streams at the same time: each may look ten times a second.
const STREAMS: usize = 500;
/// Clients come back after so many milliseconds.
const FIRST_WORDS: &[u8] = b"retry: 2000\n\n";
const SIGN_OF_LIFE: &[u8] = b": still here\n\n";

/// What streams share: the place for each, and the server's stop. Handed to handlers by [`crate::serve()`].
#[derive(Clone)]
pub(crate) struct Streams {
    stopped: watch::Receiver<bool>,
    places: Arc<Semaphore>,
}

impl Streams {
    pub(crate) fn new(stopped: watch::Receiver<bool>) -> Self {
        Self {
            stopped,
            places: Arc::new(Semaphore::new(STREAMS)),
        }
    }
}

/// A message: its id, the name of what it tells, and one line of data.
pub(crate) fn message(id: impl Display, name: &str, data: &[u8]) -> Vec<u8> {
    let mut message = format!("id: {id}\nevent: {name}\ndata: ").into_bytes();
    message.extend_from_slice(data);
    message.extend_from_slice(b"\n\n");
    message
}

/// What a look gave.
pub(crate) struct News {
    /// What is written; empty where nothing is new.
    pub(crate) bytes: Vec<u8>,
    /// Whether there may be more at once.
    pub(crate) has_more: bool,
}

/// Answers with a stream. `look` gives what is new since the last look, with what it is called with next time; none
/// ends the stream.
pub(crate) fn stream<S, F, R>(
    streams: Option<Extension<Streams>>,
    committed: watch::Receiver<u64>,
    source: S,
    look: F,
) -> Result<Response, Problem>
where
    S: Send + 'static,
    F: Fn(S) -> R + Send + Sync + 'static,
    R: Future<Output = Option<(S, News)>> + Send + 'static,
{
    let (stopped, place) = match streams {
        Some(Extension(streams)) => {
            let place = Arc::clone(&streams.places).try_acquire_owned();
            let place = place.map_err(|_full| Problem::overloaded("too many streams are open"))?;
            (Some(streams.stopped), Some(place))
        }
        None => (None, None),
    };
    let mut paced = tokio::time::interval(PACE);
    paced.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let flow = Flow {
        source,
        look,
        committed,
        stopped,
        pace: paced,
        heartbeat: Box::pin(tokio::time::sleep(HEARTBEAT)),
        stands: Stands::Begins,
        _place: place,
    };
    let chunks = futures_util::stream::unfold(flow, |flow| async {
        let (chunk, flow) = flow.chunk().await?;
        Some((Ok::<_, Infallible>(Bytes::from(chunk)), flow))
    });
    let mut response = Body::from_stream(chunks).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // For nginx, which gathers answers otherwise.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// Where a stream stands.
enum Stands {
    /// Nothing was written yet.
    Begins,
    /// There may be something to tell at once.
    Behind,
    /// All was told.
    CaughtUp,
    /// Something was committed since.
    Woken,
}

struct Flow<S, F> {
    source: S,
    look: F,
    committed: watch::Receiver<u64>,
    stopped: Option<watch::Receiver<bool>>,
    pace: Interval,
    heartbeat: Pin<Box<Sleep>>,
    stands: Stands,
    _place: Option<OwnedSemaphorePermit>,
}

impl<S, F, R> Flow<S, F>
where
    F: Fn(S) -> R,
    R: Future<Output = Option<(S, News)>>,
{
    /// What is written next; none when the stream ends.
    async fn chunk(mut self) -> Option<(Vec<u8>, Self)> {
        loop {
            if self.heartbeat.is_elapsed() {
                self.heartbeat = Box::pin(tokio::time::sleep(HEARTBEAT));
                return Some((SIGN_OF_LIFE.to_vec(), self));
            }
            self.stands = match self.stands {
                Stands::Begins => {
                    self.stands = Stands::Behind;
                    return Some((FIRST_WORDS.to_vec(), self));
                }
                Stands::Behind => {
                    // What is committed from here on may be missed by this look, and wakes for another.
                    self.committed.mark_unchanged();
                    let looked = (self.look)(self.source);
                    let (source, news) = tokio::select! {
                        looked = looked => looked?,
                        () = stop(self.stopped.as_mut()) => return None,
                    };
                    self.source = source;
                    if !news.bytes.is_empty() {
                        self.heartbeat = Box::pin(tokio::time::sleep(HEARTBEAT));
                        self.stands = Stands::Behind;
                        return Some((news.bytes, self));
                    }
                    if news.has_more {
                        Stands::Behind
                    } else {
                        Stands::CaughtUp
                    }
                }
                Stands::CaughtUp => tokio::select! {
                    () = stop(self.stopped.as_mut()) => return None,
                    () = self.heartbeat.as_mut() => Stands::CaughtUp,
                    // An error means that the ledger has ended.
                    changed = self.committed.changed() => changed.ok().map(|()| Stands::Woken)?,
                },
                Stands::Woken => tokio::select! {
                    () = stop(self.stopped.as_mut()) => return None,
                    () = self.heartbeat.as_mut() => Stands::Woken,
                    _ = self.pace.tick() => Stands::Behind,
                },
            }
        }
    }
}

/// Returns when the server stops.
async fn stop(stopped: Option<&mut watch::Receiver<bool>>) {
    match stopped {
        // An error means that nobody can stop it any more, which is a stop too.
        Some(stopped) => drop(stopped.wait_for(|stopped| *stopped).await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    async fn nothing_new(_source: ()) -> Option<((), News)> {
        let news = News {
            bytes: Vec::new(),
            has_more: false,
        };
        Some(((), news))
    }

    #[tokio::test]
    async fn a_stream_more_than_there_are_places_is_refused_until_one_ends() {
        let (_stop, stopped) = watch::channel(false);
        let (_count, committed) = watch::channel(0);
        let streams = Streams {
            stopped,
            places: Arc::new(Semaphore::new(1)),
        };
        let open = || {
            let streams = Some(Extension(streams.clone()));
            stream(streams, committed.clone(), (), nothing_new)
        };
        let first = open().expect("a place");
        let refused = open().expect_err("no place is left");
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        drop(first);
        open().expect("its place is free again");
    }
}
