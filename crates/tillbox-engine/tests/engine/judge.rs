//! Whether what the engine answered, and what is durable, is right: the model reads along.

use crate::client::{MERCHANT, wait, wallet};
use crate::model::{Follow, Model, wide};
use crate::plan::Plan;
use crate::script::{Asked, clock_of, policies};
use crate::simulation::World;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tillbox_core::audit::WalletAudit;
use tillbox_core::entry::{Entry, EntryKind};
use tillbox_core::id::EntryId;
use tillbox_core::reason::Reason;
use tillbox_core::recharge::RechargeState;
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::TopUpStatus;
use tillbox_core::wallet::WalletState;
use tillbox_engine::memory::MemoryStore;
use tillbox_engine::port::LedgerStore;
use tillbox_engine::work::{Answer, Mode, Outcome, SubmitError};

impl World {
    /// Follows the round beside its durable rows.
    pub(crate) fn judge(
        &mut self,
        round: &[Asked],
        answers: &[Answer],
        plan: &Plan,
        now: Timestamp,
    ) {
        let mut rows: BTreeMap<i64, VecDeque<Arc<Entry>>> = BTreeMap::new();
        for (number, model) in &self.models {
            let store = self.durable.look();
            let fresh = store.entries_of(wallet(*number));
            let fresh = fresh.filter(|row| row.version > model.version);
            rows.insert(*number, fresh.cloned().collect());
        }
        for (asked, answer) in round.iter().zip(answers) {
            let number = asked.submission.wallet_id.number();
            let rows = rows.get_mut(&number).expect("one of the wallets");
            let now = clock_of(number).time(now);
            self.book_due(number, rows, now);
            self.judge_one(asked, answer, rows, plan, now);
            self.book_due(number, rows, now);
        }
        for (number, rows) in rows {
            assert!(
                rows.is_empty(),
                "wallet {number} has rows that nobody asked for: {rows:?}"
            );
        }
    }

    /// Follows rows of what was due.
    fn book_due(&mut self, number: i64, rows: &mut VecDeque<Arc<Entry>>, now: Timestamp) {
        let is_due = |row: &Entry| {
            matches!(
                row.event.kind,
                EntryKind::HoldExpired | EntryKind::LotExpired | EntryKind::RechargeChanged
            ) && row.key.is_none()
        };
        while let Some(row) = rows.pop_front_if(|row| is_due(row)) {
            let model = self.models.get_mut(&number).expect("a model");
            let at = now.max(model.last_at);
            let moved = model.book_one_due(at).expect("the row was due");
            follow(model, &row, at, moved.amount, moved.moves_money);
            self.book_what_follows(number, rows, at);
        }
    }

    /// Follows rows that a row brings by itself: a discount, and a charge that is due then.
    fn book_what_follows(&mut self, number: i64, rows: &mut VecDeque<Arc<Entry>>, at: Timestamp) {
        let model = self.models.get_mut(&number).expect("a model");
        let bonus = std::mem::take(&mut model.owed_bonus);
        if bonus > 0 {
            let row = rows.pop_front().expect("a discount is a row");
            assert_eq!(row.event.reason, Some(Reason::Bonus));
            let moved = model.bonus(bonus, at, row.id);
            follow(model, &row, at, moved.amount, moved.moves_money);
        }
        let Some(follows) = model.what_follows(at) else {
            return;
        };
        let row = rows.pop_front().expect("what follows is a row");
        let event = &row.event;
        match (follows, &event.top_up) {
            (Follow::Charge(amount), Some(top_up)) => {
                assert_eq!(event.kind, EntryKind::TopUpOpened);
                assert_eq!(top_up.reason, Reason::AutoRecharge);
                assert_eq!(wide(top_up.amount), amount, "what is charged");
                model.charge(event.top_up_id.expect("its id"), amount, at);
                self.script.learn_top_up(number, &row);
            }
            (Follow::Skipped, None) => assert_eq!(event.kind, EntryKind::RechargeChanged),
            _ => panic!("{follows:?}, but {row:?}"),
        }
        follow(model, &row, at, 0, false);
    }

    fn judge_one(
        &mut self,
        asked: &Asked,
        answer: &Answer,
        rows: &mut VecDeque<Arc<Entry>>,
        plan: &Plan,
        now: Timestamp,
    ) {
        let submission = &asked.submission;
        let key = submission.key.expect("clients use keys");
        let number = submission.wallet_id.number();
        let model = &self.models[&number];
        let at = now.max(model.last_at);
        let mine = |row: &Arc<Entry>| row.key == Some(key);
        match answer {
            Ok(Outcome::Row {
                entry,
                replayed: true,
                ..
            }) => {
                let first = self
                    .keys
                    .get(&key.key)
                    .expect("only what was done is replayed");
                assert_eq!(first, entry, "a replay is the first answer");
                assert_eq!(first.key, Some(key), "for the same request");
                self.count(asked.operation, "replayed");
            }
            Ok(Outcome::Row { entry, .. }) if submission.mode == Mode::DryRun => {
                let mut model = model.clone();
                while model.book_one_due(at).is_some() {}
                let moved = model.run(&submission.command, at, EntryId::from_number(i64::MAX));
                let moved = moved.expect("the dry run was right to accept it");
                assert_eq!(wide(entry.event.amount), moved.amount, "what it would move");
                assert_eq!(
                    wide(entry.balance_after),
                    model.balance(),
                    "what it would leave"
                );
                self.count(asked.operation, "done");
            }
            Ok(Outcome::Row { entry, .. }) => {
                let row = rows.pop_front_if(|row| mine(row));
                assert_eq!(row.as_ref(), Some(entry), "what is answered is durable");
                self.carry_out(asked, entry, rows, at);
                self.count(asked.operation, "done");
            }
            Ok(other) => panic!("no row but {other:?}"),
            Err(SubmitError::Rejected { rejection, .. }) => {
                self.judge_refusal(asked, rejection, at);
                self.count(asked.operation, "rejected");
            }
            Err(SubmitError::Overloaded(why)) => {
                // A row of it would be left over in the end.
                if let Some(bad) = plan.bad {
                    assert_eq!(key.key, bad.key, "a bad row fails alone");
                }
                assert!(
                    ["bad row", "refused", "load failed"].contains(&plan.fault),
                    "{why}"
                );
                self.unanswered(asked, plan);
            }
            Err(SubmitError::OutcomeUnknown) => {
                if let Some(row) = rows.pop_front_if(|row| mine(row)) {
                    self.carry_out(asked, &row, rows, at);
                    self.count(asked.operation, "done unheard");
                }
                assert!(plan.struck, "nothing happened that makes it unknown");
                self.unanswered(asked, plan);
            }
            Err(SubmitError::ShuttingDown) => panic!("nobody stopped it"),
        }
    }

    fn unanswered(&mut self, asked: &Asked, plan: &Plan) {
        self.count(asked.operation, plan.fault);
        self.unanswered.push_back(asked.clone());
    }

    /// The row is there: the model must come to the same.
    fn carry_out(
        &mut self,
        asked: &Asked,
        row: &Arc<Entry>,
        rows: &mut VecDeque<Arc<Entry>>,
        at: Timestamp,
    ) {
        let submission = &asked.submission;
        let key = submission.key.expect("clients use keys");
        assert_eq!(
            submission.merchant_id, MERCHANT,
            "a stranger's request did something"
        );
        let twice = self.keys.insert(key.key, Arc::clone(row));
        assert!(twice.is_none(), "a key did something twice");
        let model = self
            .models
            .get_mut(&submission.wallet_id.number())
            .expect("a model");
        assert!(
            model.clone().book_one_due(at).is_none(),
            "what is due is booked before"
        );
        let moved = model.run(&submission.command, at, row.id);
        let moved = moved.unwrap_or_else(|why| panic!("it should be refused: {why:?}"));
        follow(model, row, at, moved.amount, moved.moves_money);
        self.script.learn(asked, row);
        self.book_what_follows(submission.wallet_id.number(), rows, at);
    }

    fn judge_refusal(&mut self, asked: &Asked, rejection: &Rejection, at: Timestamp) {
        let submission = &asked.submission;
        let commits = submission.mode == Mode::Commit;
        let key = submission.key.expect("clients use keys");
        let known = self.keys.get(&key.key).filter(|_| commits);
        let mut model = self.models[&submission.wallet_id.number()].clone();
        let expected = if submission.merchant_id != MERCHANT {
            Rejection::WalletNotFound
        } else if let Some(row) = known {
            assert_ne!(row.key, Some(key), "the same request is replayed");
            Rejection::KeyReused
        } else {
            while model.book_one_due(at).is_some() {
                assert!(!commits, "what is due is booked beside a refusal");
            }
            let id = EntryId::from_number(i64::MAX);
            let outcome = model.run(&submission.command, at, id);
            outcome.expect_err("it should not be refused")
        };
        assert_eq!(*rejection, expected, "{:?}", submission.command);
    }

    /// The durable content, and what the engine shows, are what the model holds.
    pub(crate) fn compare(&self, now: Timestamp) {
        for (number, model) in &self.models {
            let id = wallet(*number);
            let state = self.durable.state(id);
            assert_eq!(state.check(), Ok(()));
            assert_eq!((state.version, state.seq), (model.version, model.seq));
            assert_eq!(wide(state.balance), model.balance(), "balance");
            assert_eq!(wide(state.held), model.held(), "held");
            assert_eq!(wide(state.debt.total()), model.debt(), "debt");
            assert_eq!(wide(state.available()), model.available(), "available");
            let mut store = self.durable.look();
            let mut lots: Vec<_> = store.lots_of(id).collect();
            lots.sort_by_key(|lot| lot.draw_key());
            let lots = lots.iter().map(|lot| {
                let sums = (wide(lot.amount), wide(lot.remaining), wide(lot.held));
                (lot.priority, lot.expires_at, lot.withdrawable, sums)
            });
            let mut order: Vec<usize> = (0..model.lots.len()).collect();
            order.sort_by_key(|lot| model.order(*lot));
            let expected = order.iter().map(|at| &model.lots[*at]).map(|lot| {
                let sums = (lot.amount, lot.remaining, lot.held);
                (lot.priority, lot.expires, lot.withdrawable, sums)
            });
            assert_eq!(
                lots.collect::<Vec<_>>(),
                expected.collect::<Vec<_>>(),
                "lots"
            );
            let holds = store.holds_of(id).map(|hold| {
                let sums = [hold.remaining(), hold.captured, hold.released].map(wide);
                (hold.id, hold.status, hold.expires_at, sums)
            });
            let expected = model.holds.iter().map(|(id, hold)| {
                let sums = [hold.remaining, hold.captured, hold.released];
                (*id, hold.status, hold.expires, sums)
            });
            assert_eq!(
                holds.collect::<Vec<_>>(),
                expected.collect::<Vec<_>>(),
                "holds"
            );
            compare_money_in(model, &state, &mut store);
            let mut audit = WalletAudit::new(id);
            store.entries_of(id).for_each(|row| audit.feed(row));
            let opened = store.opened().find(|opened| opened.wallet.id == id);
            let audited = audit.finish(opened.expect("it was opened").wallet);
            assert_eq!(audited.violations, vec![]);
            assert_eq!(audited.state, Some(state));
            drop(store);
            let mut due = model.clone();
            let clock = clock_of(*number);
            let now = clock.time(now).max(model.last_at);
            while due.book_one_due(now).is_some() {}
            let look = |state: &tillbox_core::wallet::WalletState, _| {
                (state.balance, state.held, state.debt.total())
            };
            let seen = wait(self.engine().read(MERCHANT, id, clock, look));
            let (balance, held, debt) = seen.expect("a read");
            let expected = (due.balance(), due.held(), due.debt());
            assert_eq!((wide(balance), wide(held), wide(debt)), expected, "a read");
        }
    }
}

/// The row says what the model says, in its place.
fn follow(model: &mut Model, row: &Entry, at: Timestamp, amount: i128, moves_money: bool) {
    model.version += 1;
    model.seq += u64::from(moves_money);
    model.last_at = at;
    model.follow_alerts();
    assert_eq!(row.version, model.version, "versions have no gaps");
    assert_eq!(
        row.seq,
        moves_money.then_some(model.seq),
        "numbers have no gaps"
    );
    assert_eq!(row.at, at, "time is that of the lane");
    assert_eq!(wide(row.event.amount), amount, "what it moves: {row:?}");
    assert_eq!(wide(row.balance_after), model.balance(), "what it leaves");
}

/// Top-ups, auto-recharge and alerts are what the model holds.
fn compare_money_in(model: &Model, state: &WalletState, store: &mut MemoryStore) {
    for (id, one) in &model.top_ups {
        let known = state.top_up(*id).cloned();
        let stored = store.load_top_up(state.id, *id).expect("memory is read");
        let known = known.or(stored).expect("the top-up is kept");
        assert_eq!((wide(known.amount), known.status), (one.amount, one.status));
        let credits = store.entries_of(state.id).filter(|row| {
            row.event.top_up_id == Some(*id)
                && row.event.top_up.is_some()
                && row.event.kind == EntryKind::Credit
        });
        let paid = one.status == TopUpStatus::Succeeded;
        assert_eq!(credits.count(), usize::from(paid), "one credit per payment");
    }
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
    let month = policies().month(model.last_at);
    assert_eq!(
        wide(kept.charged_in(month)),
        model.charged_in_month_of(model.last_at),
        "charged in the month"
    );
}
