//! Whether what the engine answered, and what is durable, is right: the model reads along.

use crate::client::{MERCHANT, wallet};
use crate::disk::Disk;
use crate::model::{Follow, Model, wide};
use crate::plan::Plan;
use crate::script::{Asked, clock_of, policies, whole_answer};
use crate::world::{Done, World, look};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tillbox_core::command::Command;
use tillbox_core::entry::{Actor, Entry, EntryKind, Note};
use tillbox_core::id::EntryId;
use tillbox_core::reason::Reason;
use tillbox_core::recharge::RechargeState;
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tillbox_engine::work::{Answer, Mode, Outcome, SubmitError};

/// The durable rows of a wallet that nobody has asked for yet, and the last of those that were due.
#[derive(Default)]
struct Rows {
    left: VecDeque<Arc<Entry>>,
    last_due: Option<Arc<Entry>>,
}

impl<D: Disk> World<D> {
    /// Follows the round beside its durable rows.
    pub(crate) fn judge(
        &mut self,
        round: &[Asked],
        answers: &[Answer],
        plan: &Plan,
        now: Timestamp,
    ) {
        let mut rows: BTreeMap<i64, Rows> = BTreeMap::new();
        for (number, model) in &self.models {
            let fresh = self.disk.rows_behind(wallet(*number), model.version);
            let audit = self.audits.get_mut(number).expect("an audit");
            for row in &fresh {
                audit.feed(row);
            }
            let fresh = Rows {
                left: fresh.into(),
                last_due: None,
            };
            rows.insert(*number, fresh);
        }
        for (asked, answer) in round.iter().zip(answers) {
            let submission = &asked.submission;
            let number = submission.wallet_id.number();
            self.tell(|| {
                let command = format!("{:?}", submission.command);
                let command = command.replace(&format!("{:?}", Note::default()), "…");
                let (what, came) = (asked.operation, in_short(answer));
                format!("  {what} on {number}: {command} -> {came}")
            });
            let rows = rows.get_mut(&number).expect("one of the wallets");
            let now = submission.at.unwrap_or(clock_of(number).time(now));
            let writes = self.may_book(asked, answer);
            if writes {
                self.book_due(number, rows, now);
            }
            let is_done = self.judge_one(asked, answer, rows, plan, now);
            if writes {
                self.book_due(number, rows, now);
            }
            if is_done && submission.answer.is_some() {
                self.keep_answer(asked, answer);
            }
        }
        for (number, rows) in rows {
            assert!(
                rows.left.is_empty(),
                "wallet {number} has rows that nobody asked for: {:?}",
                rows.left
            );
        }
    }

    /// Whether what was due may have been booked for the request.
    fn may_book(&self, asked: &Asked, answer: &Answer) -> bool {
        let submission = &asked.submission;
        let is_known = || {
            let key = submission.key.map(|stamp| stamp.key);
            key.is_some_and(|key| self.keys.contains_key(&key))
        };
        submission.mode == Mode::Commit
            && match answer {
                Ok(Outcome::Row { replayed, .. } | Outcome::Answer { replayed, .. }) => !replayed,
                // Also where it came to nothing later, as something could not be read.
                Ok(Outcome::NothingDue)
                | Err(SubmitError::OutcomeUnknown | SubmitError::Overloaded(_)) => true,
                Err(SubmitError::Rejected { .. }) => {
                    submission.merchant_id == MERCHANT && !is_known()
                }
                Err(SubmitError::ShuttingDown) => false,
            }
    }

    /// Follows rows of what was due.
    fn book_due(&mut self, number: i64, rows: &mut Rows, now: Timestamp) {
        let is_due = |row: &Entry, at: Timestamp| {
            let expired = [EntryKind::HoldExpired, EntryKind::LotExpired];
            let kind = row.event.kind;
            let is_told = expired.contains(&kind) || kind == EntryKind::RechargeChanged;
            row.actor == Actor::System && row.at == at && is_told
        };
        loop {
            let at = now.max(self.models[&number].last_at);
            let Some(row) = rows.left.pop_front_if(|row| is_due(row, at)) else {
                break;
            };
            let model = self.models.get_mut(&number).expect("a model");
            let moved = model.book_one_due(at).expect("the row was due");
            follow(model, &row, at, moved.amount, moved.moves_money);
            self.book_what_follows(number, rows, at);
            rows.last_due = Some(row);
        }
    }

    /// The answer that is stored whole is what the wallet was then, and is kept for whoever asks again.
    fn keep_answer(&mut self, asked: &Asked, answer: &Answer) {
        let submission = &asked.submission;
        let model = &self.models[&submission.wallet_id.number()];
        let expected = whole_answer(model.version, model.balance(), model.held());
        if let Ok(Outcome::Answer { answer, .. }) = answer {
            assert_eq!(&*answer.body, expected.as_bytes(), "an answer stored whole");
        }
        let key = submission.key.expect("it has a key");
        let twice = self.keys.insert(key.key, Done::Answer(expected));
        assert!(twice.is_none(), "a key did something twice");
    }

    /// Follows rows that a row brings by itself: a discount, and a charge that is due then.
    fn book_what_follows(&mut self, number: i64, rows: &mut Rows, at: Timestamp) {
        let model = self.models.get_mut(&number).expect("a model");
        let bonus = std::mem::take(&mut model.owed_bonus);
        if bonus > 0 {
            let row = rows.left.pop_front().expect("a discount is a row");
            assert_eq!(row.event.reason, Some(Reason::Bonus));
            let moved = model.bonus(bonus, at, row.id);
            follow(model, &row, at, moved.amount, moved.moves_money);
        }
        let Some(follows) = model.what_follows(at) else {
            return;
        };
        let row = rows.left.pop_front().expect("what follows is a row");
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

    /// Judges one answer; true where the request was carried out now.
    fn judge_one(
        &mut self,
        asked: &Asked,
        answer: &Answer,
        rows: &mut Rows,
        plan: &Plan,
        now: Timestamp,
    ) -> bool {
        let submission = &asked.submission;
        let number = submission.wallet_id.number();
        let model = &self.models[&number];
        let at = now.max(model.last_at);
        let is_sweep = matches!(submission.command, Command::BookDue);
        let is_mine = |row: &Arc<Entry>| row.actor == submission.actor;
        match answer {
            Ok(Outcome::Row { entry, .. }) if is_sweep => {
                assert_eq!(rows.last_due.as_ref(), Some(entry), "the last that was due");
                self.seen.count(asked.operation, "done");
                false
            }
            Ok(Outcome::NothingDue) if is_sweep => {
                assert!(!model.is_due(at), "something is due");
                self.seen.count(asked.operation, "done");
                false
            }
            Ok(Outcome::Row { replayed: true, .. } | Outcome::Answer { replayed: true, .. }) => {
                self.judge_replay(asked, answer);
                self.seen.count(asked.operation, "replayed");
                false
            }
            Ok(outcome) if submission.mode == Mode::DryRun => {
                let mut model = model.clone();
                while model.book_one_due(at).is_some() {}
                let moved = model.run(&submission.command, at, EntryId::from_number(i64::MAX));
                let moved = moved.expect("the dry run was right to accept it");
                if let Outcome::Row { entry, .. } = outcome {
                    let (amount, balance) = (entry.event.amount, entry.balance_after);
                    assert_eq!(wide(amount), moved.amount, "what it would move");
                    assert_eq!(wide(balance), model.balance(), "what it would leave");
                }
                self.seen.count(asked.operation, "done");
                false
            }
            Ok(outcome) => {
                let row = rows.left.pop_front_if(|row| is_mine(row));
                let row = row.expect("what is answered is durable");
                if let Outcome::Row { entry, .. } = outcome {
                    assert_eq!(*entry, row, "what is answered is durable");
                }
                self.carry_out(asked, &row, rows, at);
                self.seen.count(asked.operation, "done");
                true
            }
            Err(SubmitError::Rejected { rejection, .. }) => {
                self.judge_refusal(asked, rejection, at);
                self.seen.count(asked.operation, "rejected");
                false
            }
            Err(SubmitError::Overloaded(why)) => {
                // A row of it would be left over in the end.
                if let Some(bad) = plan.bad {
                    let key = submission.key.map(|stamp| stamp.key);
                    assert_eq!(key, Some(bad.key), "a bad row fails alone");
                }
                let faults = ["bad row", "refused", "load failed"];
                assert!(faults.contains(&plan.fault), "{why}");
                self.unanswered(asked, plan);
                false
            }
            Err(SubmitError::OutcomeUnknown) => {
                assert!(
                    plan.struck || asked.hangs_up,
                    "nothing happened that makes it unknown"
                );
                let row = rows.left.pop_front_if(|row| is_mine(row));
                if row.is_none() && asked.hangs_up {
                    self.expect_nothing(asked, at);
                }
                self.unanswered(asked, plan);
                let Some(row) = row else {
                    return false;
                };
                self.carry_out(asked, &row, rows, at);
                self.seen.count(asked.operation, "done unheard");
                true
            }
            Err(SubmitError::ShuttingDown) => panic!("nobody stopped it"),
        }
    }

    fn judge_replay(&self, asked: &Asked, answer: &Answer) {
        let key = asked.submission.key.expect("only a key is replayed");
        match (self.keys.get(&key.key), answer) {
            (Some(Done::Row(first)), Ok(Outcome::Row { entry, .. })) => {
                assert_eq!(first, entry, "a replay is the first answer");
                assert_eq!(first.key, Some(key), "for the same request");
            }
            (Some(Done::Answer(first)), Ok(Outcome::Answer { answer, .. })) => {
                assert_eq!(
                    &*answer.body,
                    first.as_bytes(),
                    "a replay is the first answer"
                );
                assert_eq!(answer.key, key, "for the same request");
            }
            _ => panic!("replayed, but not what was done: {answer:?}"),
        }
    }

    fn unanswered(&mut self, asked: &Asked, plan: &Plan) {
        let what = if asked.hangs_up {
            "hung up"
        } else {
            plan.fault
        };
        self.seen.count(asked.operation, what);
        self.unanswered.push_back(Asked {
            hangs_up: false,
            ..asked.clone()
        });
    }

    /// Whose caller hung up has no row: then it was to be refused, or was done before.
    fn expect_nothing(&self, asked: &Asked, at: Timestamp) {
        let submission = &asked.submission;
        let key = submission.key.map(|stamp| stamp.key);
        let is_known = key.is_some_and(|key| self.keys.contains_key(&key));
        let writes = submission.mode == Mode::Commit && submission.merchant_id == MERCHANT;
        if !writes || is_known || matches!(submission.command, Command::BookDue) {
            return;
        }
        let mut model = self.models[&submission.wallet_id.number()].clone();
        let outcome = model.run(&submission.command, at, EntryId::from_number(i64::MAX));
        outcome.expect_err("it was dropped as its caller hung up");
    }

    /// The row is there: the model must come to the same.
    fn carry_out(&mut self, asked: &Asked, row: &Arc<Entry>, rows: &mut Rows, at: Timestamp) {
        let submission = &asked.submission;
        assert_eq!(
            submission.merchant_id, MERCHANT,
            "a stranger's request did something"
        );
        if submission.answer.is_none() {
            assert_eq!(row.key, submission.key, "the row carries the key");
            let key = submission.key.expect("clients use keys").key;
            let twice = self.keys.insert(key, Done::Row(Arc::clone(row)));
            assert!(twice.is_none(), "a key did something twice");
        }
        let number = submission.wallet_id.number();
        let model = self.models.get_mut(&number).expect("a model");
        assert!(!model.is_due(at), "what is due is booked before");
        let moved = model.run(&submission.command, at, row.id);
        let moved = moved.unwrap_or_else(|why| panic!("it should be refused: {why:?}"));
        follow(model, row, at, moved.amount, moved.moves_money);
        self.script.learn(asked, row);
        self.book_what_follows(number, rows, at);
    }

    fn judge_refusal(&self, asked: &Asked, rejection: &Rejection, at: Timestamp) {
        let submission = &asked.submission;
        let commits = submission.mode == Mode::Commit;
        let key = submission.key.filter(|_| commits);
        let known = key.and_then(|key| self.keys.get(&key.key));
        let expected = if submission.merchant_id != MERCHANT {
            Rejection::WalletNotFound
        } else if known.is_some() {
            assert!(asked.is_altered, "the same request is replayed");
            Rejection::KeyReused
        } else {
            let mut model = self.models[&submission.wallet_id.number()].clone();
            while model.book_one_due(at).is_some() {
                assert!(!commits, "what is due is booked beside a refusal");
            }
            let id = EntryId::from_number(i64::MAX);
            let outcome = model.run(&submission.command, at, id);
            outcome.expect_err("it should not be refused")
        };
        assert_eq!(*rejection, expected, "{:?}", submission.command);
    }

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
                while due.book_one_due(now).is_some() {}
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

/// An answer as a line of the trace.
fn in_short(answer: &Answer) -> String {
    match answer {
        Ok(Outcome::Row {
            entry, replayed, ..
        }) => format!(
            "{}row {} {:?}, balance {}",
            if *replayed { "again: " } else { "" },
            entry.version,
            entry.event.kind,
            entry.balance_after.micros()
        ),
        Ok(Outcome::Answer { answer, replayed }) => format!(
            "{}answer {:?}",
            if *replayed { "again: " } else { "" },
            String::from_utf8_lossy(&answer.body)
        ),
        Ok(Outcome::NothingDue) => "nothing due".to_owned(),
        Err(error) => error.to_string(),
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
    let month = policies().month(model.last_at);
    assert_eq!(
        wide(kept.charged_in(month)),
        model.charged_in_month_of(model.last_at),
        "charged in the month"
    );
}
