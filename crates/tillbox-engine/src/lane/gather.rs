//! What goes into the next batch: all that waits, up to a bound, in order.
//!
//! A wallet gets at most half of a batch while others wait: what it sent beyond that stays behind, in its order, and
//! the queue is looked through for others. Where there are none the batch is filled up with it.

use super::{Item, Read};
use crate::queue::Exit;
use crate::work::{Reply, SubmitError, Work};
use foldhash::{HashMap, HashMapExt};
use std::collections::VecDeque;
use tillbox_core::id::WalletId;

/// What a batch was gathered into.
pub(super) struct Gathering<P> {
    pub(super) items: Vec<(Item, Reply)>,
    pub(super) reads: Vec<Read>,
    pub(super) plain: Vec<P>,
    pub(super) stop: bool,
}

/// What stays behind for later batches. It still counts as waiting in the queue.
#[derive(Default)]
pub(super) struct Backlog(VecDeque<(Item, Reply)>);

impl Backlog {
    /// Drains backlog and queue, up to `batch` commands, and waits only where there is nothing; none when nobody can
    /// send any more.
    pub(super) fn gather<P>(&mut self, queue: &Exit<P>, batch: usize) -> Option<Gathering<P>> {
        let mut gathering = Gathering {
            items: Vec::new(),
            reads: Vec::new(),
            plain: Vec::new(),
            stop: false,
        };
        let mut shares = Shares::of(batch);
        let waiting = self.0.len();
        for (item, reply) in std::mem::take(&mut self.0) {
            self.place(item, reply, &mut gathering, &mut shares, batch);
        }
        queue.let_go(waiting - self.0.len());
        let mut next = if waiting == 0 {
            Some(queue.recv()?)
        } else {
            None
        };
        while gathering.taken() < batch {
            let Some(work) = next.take().or_else(|| queue.try_recv()) else {
                break;
            };
            let before = self.0.len();
            if self.take(work, &mut gathering, &mut shares) {
                gathering.stop = true;
                break;
            }
            queue.hold(self.0.len() - before);
        }
        let room = if gathering.stop {
            self.0.len()
        } else {
            self.0.len().min(batch.saturating_sub(gathering.taken()))
        };
        gathering.items.extend(self.0.drain(..room));
        queue.let_go(room);
        Some(gathering)
    }

    /// Tells all of it that it will not be done.
    pub(super) fn refuse(&mut self, error: &SubmitError) {
        for (_, reply) in self.0.drain(..) {
            reply.send(Err(error.clone()));
        }
    }

    /// Takes one piece of work; true where that is to stop.
    fn take<P>(
        &mut self,
        work: Work<P>,
        gathering: &mut Gathering<P>,
        shares: &mut Shares,
    ) -> bool {
        match work {
            Work::Command(submission, reply) => {
                self.place(
                    Item::Command(submission),
                    reply,
                    gathering,
                    shares,
                    usize::MAX,
                );
            }
            Work::Many(many) => {
                for (one, reply) in many {
                    let item = Item::Command(Box::new(one));
                    self.place(item, reply, gathering, shares, usize::MAX);
                }
            }
            Work::Open(open, reply) => gathering.items.push((Item::Open(open), reply)),
            Work::Show(wallets, reply) => gathering.items.push((Item::Show(wallets), reply)),
            Work::Read {
                merchant_id,
                wallet_id,
                clock,
                view,
            } => gathering.reads.push(Read {
                merchant_id,
                wallet_id,
                clock,
                view,
            }),
            Work::Plain(write) => gathering.plain.push(write),
            Work::Stop => return true,
        }
        false
    }

    /// Puts a command into the batch, or leaves it behind where its wallet has its share or the batch is full.
    fn place<P>(
        &mut self,
        item: Item,
        reply: Reply,
        gathering: &mut Gathering<P>,
        shares: &mut Shares,
        batch: usize,
    ) {
        if gathering.taken() < batch && shares.admit(&gathering.items, &item) {
            gathering.items.push((item, reply));
        } else {
            self.0.push_back((item, reply));
        }
    }
}

impl<P> Gathering<P> {
    fn taken(&self) -> usize {
        self.items.len() + self.reads.len() + self.plain.len()
    }
}

/// How much of the batch each wallet has. Counted only once a wallet can have its share.
struct Shares {
    share: usize,
    counts: HashMap<WalletId, usize>,
}

impl Shares {
    fn of(batch: usize) -> Self {
        Self {
            share: batch.div_ceil(2),
            counts: HashMap::new(),
        }
    }

    /// Whether there is room for one more command of its wallet beside `taken`.
    fn admit(&mut self, taken: &[(Item, Reply)], item: &Item) -> bool {
        let Some(wallet) = item.wallet_id().filter(|_| taken.len() >= self.share) else {
            return true;
        };
        if self.counts.is_empty() {
            for wallet in taken.iter().filter_map(|(item, _)| item.wallet_id()) {
                *self.counts.entry(wallet).or_default() += 1;
            }
        }
        let count = self.counts.entry(wallet).or_default();
        let admits = *count < self.share;
        *count += usize::from(admits);
        admits
    }
}
