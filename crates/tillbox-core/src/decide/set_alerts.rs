//! Thresholds of low-balance alerts: a wallet's own instead of the merchant's (N1).

use super::require_status;
use crate::alerts::{AlertsChange, Source};
use crate::entry::{EntryKind, Event, Note};
use crate::rejection::Rejection;
use crate::wallet::{WalletState, WalletStatus};

/// Thresholds that a wallet may have.
const MAX_THRESHOLDS: usize = 10;

pub(super) fn decide(state: &WalletState, change: &AlertsChange) -> Result<Event, Rejection> {
    require_status(
        state,
        &[
            WalletStatus::PendingActivation,
            WalletStatus::Active,
            WalletStatus::Frozen,
        ],
    )?;
    if change.thresholds.len() > MAX_THRESHOLDS {
        return Err(Rejection::TooMany("thresholds"));
    }
    let mut thresholds = change.thresholds.clone();
    thresholds.sort_unstable();
    thresholds.dedup();
    if change.source == Source::Off {
        thresholds.clear();
    }
    Ok(Event {
        alerts: Some(AlertsChange {
            source: change.source,
            thresholds,
        }),
        ..Event::new(EntryKind::AlertsChanged, Note::default())
    })
}
