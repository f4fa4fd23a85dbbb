//! What an answer leaves unread of its request's body, such as a refusal of the credential. It is read once the answer is
//! made, where it is not much, so that the next request stands behind it; else the answer says that the connection ends.

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// How much of a body that nobody reads is read at most.
const REST_BYTES: usize = 64 * 1024;
/// How long that may hold up the answer.
const REST_TIMEOUT: Duration = Duration::from_millis(200);

/// A request's body whose rest, where nobody reads it, is read once the answer is made: the client may send its next
/// request behind it then. `None`: it was read to its end.
#[derive(Clone, Default)]
pub(crate) struct Unread(Arc<Mutex<Option<Incoming>>>);

impl Unread {
    /// The body, watched.
    pub(crate) fn watch(&self, body: Incoming) -> WatchedBody {
        WatchedBody {
            body: Some(body),
            unread: self.clone(),
        }
    }

    /// Reads what is left; false where that is too much, or takes too long.
    pub(crate) async fn read_to_end(&self) -> bool {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = left else { return true };
        let read = async {
            let mut bytes = 0_usize;
            while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
            {
                let Ok(frame) = frame else { return false };
                bytes = bytes.saturating_add(frame.data_ref().map_or(0, Bytes::len));
                if bytes > REST_BYTES {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(REST_TIMEOUT, read)
            .await
            .unwrap_or(false)
    }
}

/// A body that leaves its rest to [`Unread`].
pub(crate) struct WatchedBody {
    /// There until it is dropped.
    body: Option<Incoming>,
    unread: Unread,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(context);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            *self.unread.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
