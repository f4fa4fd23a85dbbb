//! What the engine shows, and what is durable, beside what the model holds.

use crate::client::wallet;
use crate::disk::Disk;
use crate::model::{Model, wide};
use crate::script::{clock_of, policies};
use crate::world::{World, look};
use tillbox_core::recharge::RechargeState;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;

impl<D: Disk> World<D> {
    /// What the engine shows, and what is durable, is what the model holds.
    pub(crate) fn compare(&self, now: Timestamp) -> Vec<WalletState> {
        let shown = look(self);
        for (number, model) in &self.models {
            let id = wallet(*number);
            let state = shown.iter().find(|state| state.id == id);
            let state = state.expect("it was read");
            assert_eq!(state.check(), Ok(()));
            let now = clock_of(*number).time(now).max(model.last_at);
            if model.is_due(now) {
                // Reads show what is due as if it were booked.
                let mut due = model.clone();
                due.book_all_due(now);
                compare_sums(state, &due);
            } else {
                assert_eq!((state.version, state.seq), (model.version, model.seq));
                compare_sums(state, model);
                compare_money_in(model, state);
            }
            self.disk.compare(id, model);
        }
        shown
    }
}

fn compare_sums(state: &WalletState, model: &Model) {
    assert_eq!(state.status, model.status, "status");
    assert_eq!(wide(state.balance), model.balance(), "balance");
    assert_eq!(wide(state.held), model.held(), "held");
    assert_eq!(wide(state.debt.total()), model.debt(), "debt");
    assert_eq!(wide(state.available()), model.available(), "available");
    let lots = state.lots().map(|lot| {
        let sums = (wide(lot.amount), wide(lot.remaining), wide(lot.held));
        (lot.priority, lot.expires_at, lot.withdrawable, sums)
    });
    let open = (0..model.lots.len()).filter(|at| model.lots[*at].remaining > 0);
    let mut order: Vec<usize> = open.collect();
    order.sort_by_key(|lot| model.order(*lot));
    let expected = order.iter().map(|at| &model.lots[*at]).map(|lot| {
        let sums = (lot.amount, lot.remaining, lot.held);
        (lot.priority, lot.expires, lot.withdrawable, sums)
    });
    assert!(lots.eq(expected), "open lots: {state:?}");
    let holds = state.holds().map(|hold| {
        let sums = [hold.remaining(), hold.captured, hold.released].map(wide);
        (hold.id, hold.expires_at, sums)
    });
    let expected = model.open_holds().map(|(id, hold)| {
        let sums = [hold.remaining, hold.captured, hold.released];
        (*id, hold.expires, sums)
    });
    assert!(holds.eq(expected), "open holds: {state:?}");
}

/// Top-ups, auto-recharge and alerts are what the model holds.
fn compare_money_in(model: &Model, state: &WalletState) {
    let open = state
        .top_ups()
        .map(|(id, one)| (id, (wide(one.amount), one.status)));
    let expected = model.top_ups.iter().filter(|(_, one)| one.status.is_open());
    let expected = expected.map(|(id, one)| (*id, (one.amount, one.status)));
    assert!(open.eq(expected), "open top-ups: {state:?}");
    assert_eq!(wide(state.pending_top_ups), model.pending(), "pending");
    let alerts = state.alerts.thresholds.iter();
    let alerts = alerts.map(|alert| (wide(alert.threshold), alert.armed));
    assert_eq!(alerts.collect::<Vec<_>>(), model.alerts, "alerts");
    assert_eq!(state.recharge.is_some(), model.recharge.is_some());
    let (Some(kept), Some(one)) = (&state.recharge, &model.recharge) else {
        return;
    };
    let standing = match (one.paused, one.until) {
        (Some(reason), _) => RechargeState::Paused(reason),
        (None, Some(until)) => RechargeState::CoolingDown { until },
        (None, None) => RechargeState::Armed,
    };
    assert_eq!(
        (
            kept.is_enabled,
            kept.state,
            kept.charge.map(|charge| charge.top_up_id)
        ),
        (one.enabled, standing, one.charge),
        "auto-recharge"
    );
    assert_eq!(kept.warned_percent, one.warned, "warned of the cap");
    let month = policies(1).month(model.last_at);
    assert_eq!(
        wide(kept.charged_in(month)),
        model.charged_in_month_of(model.last_at),
        "charged in the month"
    );
}
