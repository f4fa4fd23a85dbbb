//! The accept loop: HTTP/1.1 with every wait bounded ([`crate::wire`]), and a stop that finishes what was begun.

use crate::live::Streams;
use crate::metrics;
use crate::unread::Unread;
use crate::wire::{Progress, Wire};
use axum::Router;
use axum::extract::Extension;
use axum::http::Request;
use axum::http::header::{CONNECTION, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use std::sync::Arc;
use std::time::Duration;
use tillbox_service::Service;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Service as _;

/// The largest head of a request.
const HEAD_BYTES: usize = 32 * 1024;
/// Connections at the same time; more wait to be accepted.
const CONNECTIONS: usize = 10_000;
/// A pause after a failed accept (too many open files), so that the loop does not spin.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// Serves until `stopped` turns true, then lets requests finish for at most `within`.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    stopped: watch::Receiver<bool>,
    within: Duration,
) -> std::io::Result<()> {
    let router = crate::router(service).layer(Extension(Streams::new(stopped.clone())));
    run(listener, router, stopped, within).await
}

/// The same for `/metrics`, on a listener of its own: who may see the figures is for the network to say.
pub async fn serve_metrics(
    listener: TcpListener,
    service: Arc<Service>,
    stopped: watch::Receiver<bool>,
    within: Duration,
) -> std::io::Result<()> {
    run(listener, metrics::router(service), stopped, within).await
}

async fn run(
    listener: TcpListener,
    router: Router,
    mut stopped: watch::Receiver<bool>,
    within: Duration,
) -> std::io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            // An error here means that nobody can stop it any more, which is a stop too.
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let progress = Progress::default();
        let wire = Wire::new(stream, progress.clone());
        let router = router.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            progress.request_begins();
            let (progress, unread) = (progress.clone(), Unread::default());
            let answer = router.clone().call(request.map(|body| unread.watch(body)));
            async move {
                let mut answer = answer.await;
                if let Ok(answer) = &mut answer
                    && !unread.read_to_end().await
                {
                    progress.leaves_body();
                    let headers = answer.headers_mut();
                    headers.insert(CONNECTION, HeaderValue::from_static("close"));
                }
                progress.answer_begins();
                answer
            }
        });
        let mut builder = http1::Builder::new();
        builder.header_read_timeout(None).max_buf_size(HEAD_BYTES);
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(wire), answer));
        tokio::spawn(async move {
            // What a client does to its connection is not our fault.
            drop(connection.await);
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(within, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time");
    }
    Ok(())
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, _peer) = listener.accept().await?;
    Ok((stream, place))
}
