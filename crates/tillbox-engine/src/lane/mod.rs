//! A lane: one thread that owns some wallets and the store, and runs batches.
//!
//! | phase | what it does | cost |
//! |---|---|---|
//! | gather | drains the queue, up to `batch` commands, without lingering, at most half of one wallet's ([`gather`]) | – |
//! | load | missing wallets in one call, keys in one call | one look-up a key |
//! | decide | each command in order: key, due, decide, apply ([`desk`]) | about a microsecond |
//! | commit | one transaction, one fsync | bounds the batch rate |
//! | answer | replies, then views, then plain writes | – |
//!
//! As if one by one: a command sees all that came before it in the batch. A definite failure undoes the
//! batch (touched wallets are forgotten and loaded anew) and tries its halves, so that one bad command fails
//! alone. An unknown outcome ends the lane; everybody in it and in the queue is told so.

mod cache;
mod desk;
mod gather;
mod pending;
mod remembered;

use crate::engine::Options;
use crate::port::{CommitError, LedgerStore};
use crate::queue::Exit;
use crate::work::{Answer, OpenSubmission, Outcome, Reply, Submission, SubmitError, View, Work};
use cache::Cache;
use desk::{Decided, Desk};
use gather::{Backlog, Gathering};
use pending::Pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tillbox_core::decide;
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::rejection::Rejection;
use tillbox_core::seeded_bug;
use tokio::sync::watch;

/// So many callers are woken by the lane itself.
const FEW: usize = 4;

/// How a lane ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneEnd {
    /// It was asked to, or nobody can submit any more.
    Stopped,
    /// A commit's outcome is unknown: the process must end and read the store anew.
    Poisoned(String),
}

pub(crate) struct Lane<S: LedgerStore> {
    store: S,
    options: Options,
    cache: Cache,
    top_ups: watch::Sender<u64>,
    committed: watch::Sender<u64>,
    refused: Arc<AtomicU64>,
}

/// A piece of a batch, kept until the batch is settled, as it may have to be decided again.
enum Item {
    Command(Box<Submission>),
    Open(Box<OpenSubmission>),
    Show(Vec<WalletId>),
}

/// Callers that are told their answers when it is dropped, so that none is forgotten.
struct Told(Vec<((Item, Reply), Answer)>);

impl Drop for Told {
    fn drop(&mut self) {
        for ((_, reply), answer) in self.0.drain(..) {
            reply.send(answer);
        }
    }
}

struct Read {
    merchant_id: MerchantId,
    wallet_id: WalletId,
    clock: crate::clock::MerchantClock,
    view: View,
}

impl<S: LedgerStore> Lane<S> {
    pub(crate) fn new(
        store: S,
        options: Options,
        top_ups: watch::Sender<u64>,
        committed: watch::Sender<u64>,
        refused: Arc<AtomicU64>,
    ) -> Self {
        let cache = Cache::new(options.cache_bytes);
        Self {
            store,
            options,
            cache,
            top_ups,
            committed,
            refused,
        }
    }

    pub(crate) fn run(mut self, queue: &Exit<S::Plain>) -> LaneEnd {
        let mut backlog = Backlog::default();
        while let Some(gathering) = backlog.gather(queue, self.options.batch) {
            let stop = gathering.stop;
            if let Err(why) = self.run_batch(gathering) {
                tracing::error!(%why, "the outcome of a commit is unknown: the ledger stops");
                backlog.refuse(&SubmitError::OutcomeUnknown);
                while let Some(work) = queue.try_recv() {
                    refuse(work, &SubmitError::OutcomeUnknown);
                }
                return LaneEnd::Poisoned(why);
            }
            if stop {
                while let Some(work) = queue.try_recv() {
                    refuse(work, &SubmitError::ShuttingDown);
                }
                return LaneEnd::Stopped;
            }
        }
        LaneEnd::Stopped
    }

    /// Runs all of a gathering; an error is an unknown outcome.
    fn run_batch(&mut self, gathering: Gathering<S::Plain>) -> Result<(), String> {
        let Gathering {
            mut items,
            reads,
            plain,
            ..
        } = gathering;
        while !items.is_empty() {
            self.settle(&mut items)?;
        }
        self.look(reads);
        if !plain.is_empty() {
            match self.store.run_plain(plain) {
                Ok(()) => self.count_commit(),
                Err(CommitError::NothingWritten(_)) => {}
                Err(CommitError::OutcomeUnknown(why)) => return Err(why),
            }
        }
        self.cache.shrink();
        Ok(())
    }

    /// Decides, commits and answers from the front of `items`; what must wait for this commit stays. Each round settles
    /// an item, or books some of what is due before it.
    fn settle(&mut self, items: &mut Vec<(Item, Reply)>) -> Result<(), String> {
        let wallets = items.iter().filter_map(|(item, _)| item.wallet_id());
        if let Err(error) = self.cache.load(&mut self.store, wallets) {
            answer_all(items, &SubmitError::Overloaded(error.to_string()));
            return Ok(());
        }
        let (pending, answers) = match self.decide_all(items) {
            Ok(decided) => decided,
            Err(error) => {
                answer_all(items, &SubmitError::Overloaded(error.to_string()));
                return Ok(());
            }
        };
        let committed = if pending.is_empty() {
            Ok(())
        } else {
            let written = pending.commit(&mut self.store, &self.cache);
            written.inspect(|()| self.count_commit())
        };
        match committed {
            Ok(()) => {
                self.cache.count(pending.touched());
                if pending.moves_top_ups() {
                    self.top_ups.send_modify(|commits| *commits += 1);
                }
                self.count_refused(&answers);
                let taken = items.drain(..answers.len());
                self.tell(Told(taken.zip(answers).collect()));
                Ok(())
            }
            Err(CommitError::NothingWritten(why)) => {
                self.cache.forget(pending.touched());
                // None where the first is still behind what is due before it.
                if answers.len() <= 1 {
                    tracing::warn!(%why, "a command could not be written");
                    let (_, reply) = items.remove(0);
                    seeded_bug!(FailedWriteIsRefusal: {
                        reply.send(Err(SubmitError::wants_funds()));
                        return Ok(())
                    });
                    reply.send(Err(SubmitError::Overloaded(why)));
                    return Ok(());
                }
                let mut half: Vec<_> = items.drain(..answers.len() / 2).collect();
                while !half.is_empty() {
                    self.settle(&mut half)?;
                }
                Ok(())
            }
            Err(CommitError::OutcomeUnknown(why)) => {
                answer_all(items, &SubmitError::OutcomeUnknown);
                Err(why)
            }
        }
    }

    /// Answers callers: many of them in the runtime that they wait in, where waking a task is cheap.
    fn tell(&self, told: Told) {
        match &self.options.runtime {
            Some(runtime) if told.0.len() > FEW => drop(runtime.spawn(async move { drop(told) })),
            Some(_) | None => drop(told),
        }
    }

    fn count_refused(&self, answers: &[Answer]) {
        let refused = |answer: &&Answer| matches!(answer, Err(SubmitError::Rejected { .. }));
        let count = answers.iter().filter(refused).count();
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.refused.fetch_add(count, Ordering::Relaxed);
    }

    fn count_commit(&self) {
        self.committed.send_modify(|commits| *commits += 1);
    }

    /// Decides items in order until one must wait for the commit of those before it.
    fn decide_all(
        &mut self,
        items: &[(Item, Reply)],
    ) -> Result<(Pending, Vec<Answer>), crate::port::LoadError> {
        let mut pending = Pending::default();
        pending.look_up_keys(
            &mut self.store,
            items.iter().filter_map(|(item, _)| item.key()),
        )?;
        let mut answers = Vec::with_capacity(items.len());
        for (item, _reply) in items {
            seeded_bug!(CanceledWithCaller: if _reply.is_gone() {
                answers.push(Err(SubmitError::ShuttingDown));
                continue;
            });
            let system_now = self.options.clock.now();
            let mut desk = Desk {
                store: &mut self.store,
                cache: &mut self.cache,
                pending: &mut pending,
                options: &self.options,
                system_now,
            };
            let decided = match item {
                Item::Command(submission) => desk.command(submission),
                Item::Open(open) => desk.open(open),
                Item::Show(wallets) => {
                    for wallet in wallets {
                        desk.show(*wallet);
                    }
                    Ok(Decided::Answer(Ok(Outcome::NothingDue)))
                }
            };
            match decided {
                Ok(Decided::Answer(answer)) => answers.push(answer),
                Ok(Decided::AfterCommit) => break,
                Err(error) => answers.push(Err(SubmitError::Overloaded(error.to_string()))),
            }
        }
        Ok((pending, answers))
    }

    fn look(&mut self, reads: Vec<Read>) {
        if reads.is_empty() {
            return;
        }
        let wallets = reads.iter().map(|read| read.wallet_id);
        let loaded = self.cache.load(&mut self.store, wallets);
        let system_now = self.options.clock.now();
        for Read {
            merchant_id,
            wallet_id,
            clock,
            view,
        } in reads
        {
            if let Err(error) = &loaded {
                view(Err(SubmitError::Overloaded(error.to_string())));
                continue;
            }
            match self
                .cache
                .get(wallet_id)
                .filter(|state| state.merchant_id == merchant_id)
            {
                Some(state) => {
                    let now = clock.time(system_now).max(state.last_at);
                    if state.next_due_at().is_some_and(|due| due <= now) {
                        view(Ok((&decide::as_of(state, now), now)));
                    } else {
                        view(Ok((state, now)));
                    }
                }
                None => view(Err(SubmitError::Rejected {
                    rejection: Rejection::WalletNotFound,
                    currency: None,
                })),
            }
        }
    }
}

impl Item {
    /// The wallet that it is about, where that must be loaded.
    fn wallet_id(&self) -> Option<WalletId> {
        match self {
            Self::Command(submission) => Some(submission.wallet_id),
            Self::Open(open) => Some(open.opened.wallet.id),
            Self::Show(_) => None,
        }
    }

    fn key(&self) -> Option<[u8; 16]> {
        match self {
            Self::Command(submission) => submission.key.map(|stamp| stamp.key),
            Self::Open(open) => open.key.map(|stamp| stamp.key),
            Self::Show(_) => None,
        }
    }
}

fn answer_all(items: &mut Vec<(Item, Reply)>, error: &SubmitError) {
    for (_, reply) in items.drain(..) {
        reply.send(Err(error.clone()));
    }
}

fn refuse<P>(work: Work<P>, error: &SubmitError) {
    match work {
        Work::Command(_, reply) | Work::Open(_, reply) | Work::Show(_, reply) => {
            reply.send(Err(error.clone()));
        }
        Work::Many(many) => many
            .into_iter()
            .for_each(|(_, reply)| reply.send(Err(error.clone()))),
        Work::Read { view, .. } => view(Err(error.clone())),
        // A plain write that is dropped tells its caller so itself.
        Work::Plain(write) => drop(write),
        Work::Stop => {}
    }
}
