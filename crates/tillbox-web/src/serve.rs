//! The accept loop: HTTP/1.1 with every wait bounded, and a stop that finishes what was begun.

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tillbox_service::Service;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// How long a client may take to send the head of a request; an idle connection is closed after it, too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
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
    mut stopped: watch::Receiver<bool>,
    within: Duration,
) -> std::io::Result<()> {
    let router = crate::router(service);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = graceful.watch(connection(stream, router.clone()));
                tokio::spawn(async move {
                    // What a client does to its connection is not our fault.
                    drop(connection.await);
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
            }
        }
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

type Connection =
    hyper::server::conn::http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>>;

fn connection(stream: TcpStream, router: Router) -> Connection {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .pipeline_flush(true);
    builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}
