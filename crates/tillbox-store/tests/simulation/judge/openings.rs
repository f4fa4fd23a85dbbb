//! Openings of wallets: one that is open for each customer and currency.

use super::Rows;
use crate::client::{MERCHANT, wallet};
use crate::disk::Disk;
use crate::model::{Model, wide};
use crate::plan::Plan;
use crate::script::{Asked, clock_of, customer_of, freezes, whole_answer};
use crate::world::{Done, World};
use std::collections::BTreeMap;
use tillbox_core::audit::WalletAudit;
use tillbox_core::command::Command;
use tillbox_core::id::EntryId;
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletStatus;
use tillbox_engine::work::{Answer, Mode, OpenSubmission, Outcome, SubmitError};

impl<D: Disk> World<D> {
    pub(super) fn judge_opening(
        &mut self,
        asked: &Asked,
        open: &OpenSubmission,
        answer: &Answer,
        rows: &mut BTreeMap<i64, Rows>,
        plan: &Plan,
        now: Timestamp,
    ) {
        let number = open.opened.wallet.id.number();
        let at = clock_of(number).time(now);
        match answer {
            Ok(Outcome::Answer { replayed: true, .. }) => {
                self.judge_replay(asked, answer);
                self.seen.count(asked.operation, "replayed");
            }
            Ok(Outcome::Answer { answer, .. }) => {
                let expected = match open.mode {
                    Mode::DryRun => self.opened(open, at).map(|(_, answer)| answer),
                    Mode::Commit => Ok(self.carry_out_opening(asked, open, rows, at)),
                };
                let expected = expected.expect("it was right to accept it");
                assert_eq!(&*answer.body, expected.as_bytes(), "a new wallet");
                self.seen.count(asked.operation, "done");
            }
            Ok(other) => panic!("an opening answers with the wallet: {other:?}"),
            Err(SubmitError::Rejected { rejection, .. }) => {
                let key = open.key.filter(|_| open.mode == Mode::Commit);
                let expected = if key.is_some_and(|key| self.keys.contains_key(&key.key)) {
                    assert!(asked.is_altered, "the same request is replayed");
                    Rejection::KeyReused
                } else {
                    self.opened(open, at).expect_err("it should be opened")
                };
                assert_eq!(*rejection, expected, "{open:?}", open = open.opened);
                self.seen.count(asked.operation, "rejected");
            }
            Err(SubmitError::Overloaded(why)) => self.judge_overload(asked, why, plan),
            Err(SubmitError::OutcomeUnknown) => {
                assert!(plan.struck || asked.hangs_up, "nothing happened");
                let is_new = !self.models.contains_key(&number);
                let is_there = self.disk.has_wallet(wallet(number)) && is_new;
                if asked.hangs_up && is_new && !is_there && open.mode == Mode::Commit {
                    let refused = self.opened(open, at);
                    refused.expect_err("it was dropped as its caller hung up");
                }
                self.unanswered(asked, plan);
                if is_there {
                    self.carry_out_opening(asked, open, rows, at);
                    self.seen.count(asked.operation, "done unheard");
                }
            }
            Err(SubmitError::ShuttingDown) => panic!("nobody stopped it"),
        }
    }

    /// The wallet as it comes into being, and what is answered; or why not.
    fn opened(&self, open: &OpenSubmission, at: Timestamp) -> Result<(Model, String), Rejection> {
        let new = &open.opened.wallet;
        let of_customer = |number: i64| customer_of(number) == customer_of(new.id.number());
        let mut known = self
            .models
            .iter()
            .filter(|(number, _)| of_customer(**number));
        if known.any(|(_, model)| model.status != WalletStatus::Closed) {
            let why = "the customer has an open wallet in this currency";
            return Err(Rejection::Conflict(why));
        }
        let freezes = freezes(new.id.number());
        let mut model = Model::new(new.status, wide(new.overdraft_limit), freezes);
        let Some(credit) = &open.credit else {
            return Ok((model, whole_answer(0, 0, 0)));
        };
        let id = EntryId::from_number(i64::MAX);
        let moved = model.run(&Command::Credit(credit.clone()), at, id)?;
        Ok((model, whole_answer(1, moved.amount, 0)))
    }

    /// It is there: with its first value, or without any row.
    fn carry_out_opening(
        &mut self,
        asked: &Asked,
        open: &OpenSubmission,
        rows: &mut BTreeMap<i64, Rows>,
        at: Timestamp,
    ) -> String {
        let (new, number) = (open.opened.wallet, open.opened.wallet.id.number());
        assert_eq!(new.merchant_id, MERCHANT);
        assert!(self.disk.has_wallet(new.id), "what is answered is durable");
        let (_, answer) = self.opened(open, at).expect("it should be refused");
        let empty = Model::new(new.status, wide(new.overdraft_limit), freezes(number));
        self.models.insert(number, empty);
        self.audits.insert(number, WalletAudit::new(new.id));
        let mut fresh = self.fresh_rows(number);
        if let Some(credit) = &open.credit {
            let row = fresh.left.pop_front().expect("its first value is durable");
            assert_eq!((row.actor, row.key), (open.actor, None));
            let model = self.models.get_mut(&number).expect("a model");
            let moved = model.run(&Command::Credit(credit.clone()), at, row.id);
            self.follow(number, &row, at, moved.expect("it was accepted before"));
        }
        rows.insert(number, fresh);
        let key = open.key.expect("clients use keys").key;
        let twice = self.keys.insert(key, Done::Answer(answer.clone()));
        assert!(twice.is_none(), "a key did something twice");
        self.script.learn_opening(number);
        self.script.learn(asked);
        answer
    }
}
