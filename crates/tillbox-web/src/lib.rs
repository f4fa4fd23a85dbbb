//! The HTTP API. [`router()`] is the whole map of URLs; each resource has a file of its own under `api/v1`, which
//! parses, calls the service and prints. Every error leaves through `api/problem.rs`.

mod api;
mod assets;
mod charts;
mod docs;
mod live;
mod metrics;
mod portal;
mod router;
mod sandbox;
mod serve;
mod unread;
mod wire;
mod words;

pub use router::{openapi, router};
pub use serve::{serve, serve_metrics};
