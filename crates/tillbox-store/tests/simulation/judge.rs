//! Whether what the engine answered, and what is durable, is right: the model reads along.

mod compare;
mod openings;

use crate::client::{MERCHANT, wallet};
use crate::disk::Disk;
use crate::model::{Model, Moved, wide};
use crate::plan::Plan;
use crate::script::{Asked, Request, clock_of, whole_answer};
use crate::world::{Done, World};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tillbox_core::command::Command;
use tillbox_core::entry::{Actor, Entry, EntryKind, Note};
use tillbox_core::id::EntryId;
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletStatus;
use tillbox_engine::work::{Answer, Mode, Outcome, Submission, SubmitError};

/// Faults that answer for certain that nothing was done.
const FAILS: [&str; 3] = ["bad row", "refused", "load failed"];

/// The durable rows of a wallet that nobody has asked for yet, and the last of those that were due.
#[derive(Default)]
struct Rows {
    left: VecDeque<Arc<Entry>>,
    last_due: Option<Arc<Entry>>,
    /// The wallet before rows of what was due that stand behind a request that came to nothing: they are its own, or
    /// of a later one, and then a dry run between the two saw none of them.
    perhaps_later: Option<Model>,
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
        let known: Vec<i64> = self.models.keys().copied().collect();
        for number in known {
            rows.insert(number, self.fresh_rows(number));
        }
        for (asked, answer) in round.iter().zip(answers) {
            self.tell(|| {
                let what = format!("{:?}", asked.request);
                let what = what.replace(&format!("{:?}", Note::default()), "…");
                format!("  {}: {what} -> {}", asked.operation, in_short(answer))
            });
            match &asked.request {
                Request::Open(open) => {
                    self.judge_opening(asked, open, answer, &mut rows, plan, now);
                }
                Request::Command(submission) => {
                    self.judge_command(asked, submission, answer, &mut rows, plan, now);
                }
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

    /// The durable rows behind those that the model has seen.
    fn fresh_rows(&mut self, number: i64) -> Rows {
        let fresh = self
            .disk
            .rows_behind(wallet(number), self.models[&number].version);
        let audit = self.audits.get_mut(&number).expect("an audit");
        for row in &fresh {
            audit.feed(row);
        }
        Rows {
            left: fresh.into(),
            last_due: None,
            perhaps_later: None,
        }
    }

    fn judge_command(
        &mut self,
        asked: &Asked,
        submission: &Submission,
        answer: &Answer,
        rows: &mut BTreeMap<i64, Rows>,
        plan: &Plan,
        now: Timestamp,
    ) {
        let number = submission.wallet_id.number();
        let Some(rows) = rows.get_mut(&number) else {
            self.judge_on_nothing(asked, answer, plan);
            return;
        };
        let now = submission.at.unwrap_or(clock_of(number).time(now));
        let writes = self.may_book(submission, answer);
        if writes {
            let before = matches!(answer, Err(SubmitError::Overloaded(_)))
                .then(|| (self.models[&number].clone(), rows.left.len()));
            self.book_due(number, rows, now);
            let followed = before.filter(|(_, left)| rows.left.len() < *left);
            rows.perhaps_later = followed.map(|(before, _)| before);
        }
        let is_done = self.judge_one(asked, submission, answer, rows, plan, now);
        if writes {
            self.book_due(number, rows, now);
        }
        if is_done && submission.answer.is_some() {
            self.keep_answer(submission, answer);
        }
    }

    /// There is no such wallet, and nothing is done with it.
    fn judge_on_nothing(&mut self, asked: &Asked, answer: &Answer, plan: &Plan) {
        match answer {
            Err(SubmitError::Rejected { rejection, .. }) => {
                assert_eq!(*rejection, Rejection::WalletNotFound);
                self.seen.count(asked.operation, "rejected");
            }
            Err(SubmitError::Overloaded(_)) => {
                assert!(FAILS.contains(&plan.fault), "nothing failed");
                self.unanswered(asked, plan);
            }
            Err(SubmitError::OutcomeUnknown) => self.unanswered(asked, plan),
            Ok(_) | Err(SubmitError::ShuttingDown) => panic!("no such wallet, but {answer:?}"),
        }
    }

    /// Whether what was due may have been booked for the request.
    fn may_book(&self, submission: &Submission, answer: &Answer) -> bool {
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
            self.follow(number, &row, at, moved);
            self.book_what_follows(number, rows, at);
            rows.last_due = Some(row);
        }
    }

    /// The answer that is stored whole is what the wallet was then, and is kept for whoever asks again.
    fn keep_answer(&mut self, submission: &Submission, answer: &Answer) {
        let model = &self.models[&submission.wallet_id.number()];
        let expected = whole_answer(model.version, model.balance(), model.held());
        if let Ok(Outcome::Answer { answer, .. }) = answer {
            assert_eq!(&*answer.body, expected.as_bytes(), "an answer stored whole");
        }
        let key = submission.key.expect("it has a key");
        let twice = self.keys.insert(key.key, Done::Answer(expected));
        assert!(twice.is_none(), "a key did something twice");
    }

    /// Follows rows that a row brings by itself.
    fn book_what_follows(&mut self, number: i64, rows: &mut Rows, at: Timestamp) {
        loop {
            let model = self.models.get_mut(&number).expect("a model");
            let Some(follows) = model.next_follow(at) else {
                break;
            };
            let row = rows.left.pop_front().expect("what follows is a row");
            let moved = model.run_follow(follows, &row, at);
            self.follow(number, &row, at, moved);
        }
    }

    /// The row says what the model says, in its place.
    fn follow(&mut self, number: i64, row: &Arc<Entry>, at: Timestamp, moved: Moved) {
        let model = self.models.get_mut(&number).expect("a model");
        model.version += 1;
        model.seq += u64::from(moved.moves_money);
        model.last_at = at;
        model.follow_alerts();
        model.learn_names(row);
        assert_eq!(row.version, model.version, "versions have no gaps");
        let seq = moved.moves_money.then_some(model.seq);
        assert_eq!(row.seq, seq, "numbers have no gaps");
        assert_eq!(row.at, at, "time is that of the lane");
        let amount = wide(row.event.amount);
        assert_eq!(amount, moved.amount, "what it moves: {row:?}");
        assert_eq!(wide(row.balance_after), model.balance(), "what it leaves");
        self.script.notice(number, row);
    }

    /// Judges one answer; true where the request was carried out now.
    fn judge_one(
        &mut self,
        asked: &Asked,
        submission: &Submission,
        answer: &Answer,
        rows: &mut Rows,
        plan: &Plan,
        now: Timestamp,
    ) -> bool {
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
                let answers = |model| {
                    let told = dry_run(model, submission, at);
                    told.map(|told| match outcome {
                        Outcome::Row { entry, .. } => {
                            told == (wide(entry.event.amount), wide(entry.balance_after))
                        }
                        Outcome::Answer { .. } | Outcome::NothingDue => true,
                    })
                };
                let before = rows.perhaps_later.as_ref().map(answers);
                if before != Some(Ok(true)) {
                    assert_eq!(answers(model), Ok(true), "what it would do: {outcome:?}");
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
                self.carry_out(asked, submission, &row, rows, at);
                self.seen.count(asked.operation, "done");
                true
            }
            Err(SubmitError::Rejected { rejection, .. }) => {
                self.judge_refusal(asked, submission, rejection, rows, at);
                self.seen.count(asked.operation, "rejected");
                false
            }
            Err(SubmitError::Overloaded(why)) => {
                self.judge_overload(asked, why, plan);
                false
            }
            Err(SubmitError::OutcomeUnknown) => {
                assert!(
                    plan.struck || asked.hangs_up,
                    "nothing happened that makes it unknown"
                );
                let row = rows.left.pop_front_if(|row| is_mine(row));
                if row.is_none() && asked.hangs_up {
                    self.expect_nothing(submission, at);
                }
                self.unanswered(asked, plan);
                let Some(row) = row else {
                    return false;
                };
                self.carry_out(asked, submission, &row, rows, at);
                self.seen.count(asked.operation, "done unheard");
                true
            }
            Err(SubmitError::ShuttingDown) => panic!("nobody stopped it"),
        }
    }

    fn judge_replay(&self, asked: &Asked, answer: &Answer) {
        let key = asked.key().expect("only a key is replayed");
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

    /// It failed, for certain: it must be the one that was to fail. A row of it would be left over in the end.
    fn judge_overload(&mut self, asked: &Asked, why: &str, plan: &Plan) {
        if let Some(bad) = plan.bad {
            let key = asked.key().map(|stamp| stamp.key);
            assert_eq!(key, Some(bad.key), "a bad row fails alone");
        }
        assert!(FAILS.contains(&plan.fault), "{why}");
        self.unanswered(asked, plan);
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
    fn expect_nothing(&self, submission: &Submission, at: Timestamp) {
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
    fn carry_out(
        &mut self,
        asked: &Asked,
        submission: &Submission,
        row: &Arc<Entry>,
        rows: &mut Rows,
        at: Timestamp,
    ) {
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
        self.carry_out_row(submission, row, rows, at);
        self.script.learn(asked);
        // An end is several rows of one commit.
        let is_close = matches!(submission.command, Command::Close(_));
        while is_close && self.models[&number].status != WalletStatus::Closed {
            let next = rows.left.pop_front_if(|row| row.actor == submission.actor);
            let next = next.expect("what has begun goes to its end");
            assert_eq!(next.key, None, "only the first row has the key");
            self.carry_out_row(submission, &next, rows, at);
        }
    }

    fn carry_out_row(
        &mut self,
        submission: &Submission,
        row: &Arc<Entry>,
        rows: &mut Rows,
        at: Timestamp,
    ) {
        let number = submission.wallet_id.number();
        let model = self.models.get_mut(&number).expect("a model");
        assert!(!model.is_due(at), "what is due is booked before");
        let moved = model.run(&submission.command, at, row.id);
        let moved = moved.unwrap_or_else(|why| panic!("it should be refused: {why:?}"));
        self.follow(number, row, at, moved);
        self.book_what_follows(number, rows, at);
    }

    fn judge_refusal(
        &self,
        asked: &Asked,
        submission: &Submission,
        rejection: &Rejection,
        rows: &Rows,
        at: Timestamp,
    ) {
        let commits = submission.mode == Mode::Commit;
        let key = submission.key.filter(|_| commits);
        let known = key.and_then(|key| self.keys.get(&key.key));
        let expected = if submission.merchant_id != MERCHANT {
            Rejection::WalletNotFound
        } else if known.is_some() {
            assert!(asked.is_altered, "the same request is replayed");
            Rejection::KeyReused
        } else {
            let refused_by = |model: &Model| {
                let is_due = model.clone().book_one_due(at).is_some();
                assert!(
                    !(commits && is_due),
                    "what is due is booked beside a refusal"
                );
                dry_run(model, submission, at).err()
            };
            let before = rows.perhaps_later.as_ref().filter(|_| !commits);
            if before.is_some_and(|before| refused_by(before).as_ref() == Some(rejection)) {
                return;
            }
            let now = &self.models[&submission.wallet_id.number()];
            refused_by(now).expect("it should not be refused")
        };
        assert_eq!(*rejection, expected, "{:?}", submission.command);
    }
}

/// What a request would move, and the balance behind it.
fn dry_run(
    model: &Model,
    submission: &Submission,
    at: Timestamp,
) -> Result<(i128, i128), Rejection> {
    let mut model = model.clone();
    model.book_all_due(at);
    let id = EntryId::from_number(i64::MAX);
    let moved = model.run(&submission.command, at, id)?;
    Ok((moved.amount, model.balance()))
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
