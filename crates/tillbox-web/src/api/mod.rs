//! Conventions of the API, a file each, and the resources under `v1`.

pub(crate) mod addresses;
pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod csv;
pub(crate) mod feed;
pub(crate) mod fingerprint;
pub(crate) mod page;
pub(crate) mod problem;
pub(crate) mod request_id;
pub(crate) mod v1;
pub(crate) mod values;
