//! The queue before a lane, bounded by the commands that wait in it, however they are packed.

use crate::work::{SubmitError, Work};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// A queue in which at most `limit` commands wait. An empty one takes any work, so that a large piece is never
/// refused for ever.
pub(crate) fn bounded<P>(limit: usize) -> (Entrance<P>, Exit<P>) {
    let (sender, receiver) = channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let entrance = Entrance {
        sender,
        waiting: Arc::clone(&waiting),
        turned_away: Arc::default(),
        limit,
    };
    (entrance, Exit { receiver, waiting })
}

/// Where callers put work.
pub(crate) struct Entrance<P> {
    sender: Sender<Work<P>>,
    waiting: Arc<AtomicUsize>,
    turned_away: Arc<AtomicU64>,
    limit: usize,
}

impl<P> Clone for Entrance<P> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            waiting: Arc::clone(&self.waiting),
            turned_away: Arc::clone(&self.turned_away),
            limit: self.limit,
        }
    }
}

impl<P> Entrance<P> {
    /// Puts work into the queue, without waiting.
    pub(crate) fn send(&self, work: Work<P>) -> Result<(), SubmitError> {
        let commands = work.commands();
        let before = self.waiting.fetch_add(commands, Ordering::Relaxed);
        if before > 0 && before.saturating_add(commands) > self.limit {
            self.waiting.fetch_sub(commands, Ordering::Relaxed);
            let turned_away = u64::try_from(commands).unwrap_or(u64::MAX);
            self.turned_away.fetch_add(turned_away, Ordering::Relaxed);
            return Err(SubmitError::Overloaded("the queue is full".to_owned()));
        }
        self.sender
            .send(work)
            .map_err(|_ended| SubmitError::ShuttingDown)
    }

    /// Commands that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Commands that found the queue full.
    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Tells the lane to end behind what is queued; a lane that has ended needs no telling.
    pub(crate) fn stop(&self) {
        drop(self.sender.send(Work::Stop));
    }
}

/// Where the lane takes it.
pub(crate) struct Exit<P> {
    receiver: Receiver<Work<P>>,
    waiting: Arc<AtomicUsize>,
}

impl<P> Exit<P> {
    /// The next piece of work; none when nobody can send any more.
    pub(crate) fn recv(&self) -> Option<Work<P>> {
        self.receiver.recv().ok().map(|work| self.taken(work))
    }

    /// The next piece of work, if one waits.
    pub(crate) fn try_recv(&self) -> Option<Work<P>> {
        self.receiver.try_recv().ok().map(|work| self.taken(work))
    }

    /// Counts commands that were taken as waiting again.
    pub(crate) fn hold(&self, commands: usize) {
        self.waiting.fetch_add(commands, Ordering::Relaxed);
    }

    /// Counts them no more.
    pub(crate) fn let_go(&self, commands: usize) {
        self.waiting.fetch_sub(commands, Ordering::Relaxed);
    }

    fn taken(&self, work: Work<P>) -> Work<P> {
        self.waiting.fetch_sub(work.commands(), Ordering::Relaxed);
        work
    }
}
