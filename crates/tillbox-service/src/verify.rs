//! The self-audit of what a merchant has, beside the writer.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tillbox_store::sqlite::verify::{Limits, Report, Scope, verify_within};

/// Bytes that wallets take which are followed at once: an audit shares the process with the ledger.
const MEMORY: u64 = 256 << 20;

/// Ends the audit when its caller goes.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Service {
    /// Audits all that the merchant has. One at a time: each reads much, and takes a core from the ledger.
    pub async fn verify(&self, who: &Principal) -> Result<Report, ServiceError> {
        let Ok(turn) = Arc::clone(&self.auditing).try_lock_owned() else {
            let why = "an audit is under way: ask again when it has ended";
            return Err(ServiceError::Overloaded(why.to_owned()));
        };
        let path = self.database.path().to_owned();
        let scope = Scope::Merchant(who.merchant_id);
        let gone = Arc::new(AtomicBool::new(false));
        let waiting = Waiting(Arc::clone(&gone));
        let audit = tokio::task::spawn_blocking(move || {
            let limits = Limits {
                memory: MEMORY,
                ..Limits::default()
            };
            let audited = verify_within(&path, scope, limits, &mut |_progress| {
                if gone.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            drop(turn);
            audited
        });
        let audited = audit.await.map_err(|_stopped| ServiceError::ShuttingDown)?;
        drop(waiting);
        Ok(audited?)
    }
}
