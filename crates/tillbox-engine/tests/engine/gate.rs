//! Commits that wait until a test lets them go on, and requests that are in the queue but not awaited yet.

use crate::faulty::{Durable, Fate, FaultyStore};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Waker};

/// Holds back each commit of a store.
pub(crate) struct Gate {
    begun: Receiver<()>,
    fates: Sender<Fate>,
}

/// A store whose commits wait at a gate. Without a gate they go through.
pub(crate) fn gated(durable: &Durable) -> (FaultyStore, Gate) {
    let (arrive, begun) = channel();
    let (fates, fate) = channel();
    let store = FaultyStore::new(
        durable,
        move |_| {
            arrive.send(()).unwrap_or_default();
            fate.recv().unwrap_or(Fate::Written)
        },
        |_| false,
    );
    (store, Gate { begun, fates })
}

impl Gate {
    /// Returns when a commit has come to the gate.
    pub(crate) fn wait_for_commit(&self) {
        self.begun.recv().expect("the lane lives");
    }

    /// Lets all further commits through, and tells of each.
    pub(crate) fn open(self) -> Receiver<()> {
        self.begun
    }

    /// Tells the one commit that waits what becomes of it.
    pub(crate) fn allow(&self, fate: Fate) {
        self.fates.send(fate).expect("the lane lives");
    }
}

/// A request that is in the queue.
pub(crate) struct Queued<'a, T>(Pin<Box<dyn Future<Output = T> + 'a>>);

/// Puts a request into the queue, and does not wait for its answer.
pub(crate) fn queued<'a, T>(request: impl Future<Output = T> + 'a) -> Queued<'a, T> {
    let mut queued = Queued(Box::pin(request));
    assert!(queued.is_pending(), "it was answered at once");
    queued
}

impl<'a, T> Queued<'a, T> {
    /// Whether there is no answer yet.
    pub(crate) fn is_pending(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        matches!(self.0.as_mut().poll(&mut context), Poll::Pending)
    }

    /// To wait for its answer.
    pub(crate) fn into_inner(self) -> Pin<Box<dyn Future<Output = T> + 'a>> {
        self.0
    }
}
