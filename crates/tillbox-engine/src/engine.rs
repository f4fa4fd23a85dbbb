//! The handle that callers hold: submits work and waits for the answer.

use crate::clock::{Clock, MerchantClock};
use crate::lane::{Lane, LaneEnd};
use crate::port::LedgerStore;
use crate::queue::{Entrance, bounded};
use crate::work::{Answer, Gathered, OpenSubmission, Reply, Submission, SubmitError, Work};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::id_source::IdSource;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tokio::sync::{oneshot, watch};

/// What a lane is started with.
#[derive(Clone)]
pub struct Options {
    /// The system's clock.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<IdSource>,
    /// A secret of this process, from which salts are made.
    pub salt_key: [u8; 32],
    /// Commands that may wait, each of many counted; one more is refused.
    pub queue: usize,
    /// Commands that one commit takes at most.
    pub batch: usize,
    /// Bytes that cached wallets may take.
    pub cache_bytes: usize,
    /// The runtime that callers wait in: it lives as long as they do. Without it the lane wakes each of them itself.
    pub runtime: Option<tokio::runtime::Handle>,
}

/// What became of work that the lane took and never answered, as it died over it: that may be done or not.
const UNHEARD: SubmitError = SubmitError::OutcomeUnknown;

/// What the writer has done since it was started, for whoever watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Commits, of batches and of plain writes.
    pub commits: u64,
    /// Commands that a rule refused.
    pub refused: u64,
    /// Commands that found the queue full.
    pub turned_away: u64,
    /// Commands that wait now.
    pub waiting: usize,
}

/// The writer of a ledger. Clones share it.
pub struct Engine<S: LedgerStore> {
    queue: Entrance<S::Plain>,
    top_ups: watch::Receiver<u64>,
    committed: watch::Receiver<u64>,
    refused: Arc<AtomicU64>,
}

impl<S: LedgerStore> Clone for Engine<S> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            top_ups: self.top_ups.clone(),
            committed: self.committed.clone(),
            refused: Arc::clone(&self.refused),
        }
    }
}

impl<S: LedgerStore> Engine<S> {
    /// Starts the lane on a thread of its own. The handle ends with how the lane ended.
    pub fn start(store: S, options: Options) -> std::io::Result<(Self, JoinHandle<LaneEnd>)> {
        let (queue, work) = bounded(options.queue);
        let ((moved, top_ups), (count, committed)) = (watch::channel(0), watch::channel(0));
        let refused = Arc::<AtomicU64>::default();
        let lane = Lane::new(store, options, moved, count, Arc::clone(&refused));
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || lane.run(&work))?;
        let engine = Self {
            queue,
            top_ups,
            committed,
            refused,
        };
        Ok((engine, thread))
    }

    /// Submits a command and waits until it is durable or refused. A caller that goes away changes nothing.
    pub async fn submit(&self, submission: Submission) -> Answer {
        let (sender, receiver) = oneshot::channel();
        self.send(Work::Command(Box::new(submission), Reply::One(sender)))?;
        receiver.await.unwrap_or(Err(UNHEARD))
    }

    /// Submits several, in order; each stands alone. Answers come in the same order.
    pub async fn submit_many(&self, submissions: Vec<Submission>) -> Vec<Answer> {
        if submissions.is_empty() {
            return Vec::new();
        }
        let count = submissions.len();
        let (sender, receiver) = oneshot::channel();
        let gathered = Arc::new(Gathered::new(count, sender));
        let placed = submissions.into_iter().enumerate();
        let work = placed
            .map(|(place, one)| (one, Reply::Place(Arc::clone(&gathered), place)))
            .collect();
        drop(gathered);
        let failed = |error: SubmitError| vec![Err(error); count];
        match self.send(Work::Many(work)) {
            Ok(()) => receiver.await.unwrap_or_else(|_gone| failed(UNHEARD)),
            Err(error) => failed(error),
        }
    }

    /// Opens a wallet.
    pub async fn open_wallet(&self, open: OpenSubmission) -> Answer {
        let (sender, receiver) = oneshot::channel();
        self.send(Work::Open(Box::new(open), Reply::One(sender)))?;
        receiver.await.unwrap_or(Err(UNHEARD))
    }

    /// Brings what is stored of wallets up to their last rows, for whoever reads their tables next. All that was
    /// answered before is in them then.
    pub async fn show(&self, wallets: Vec<WalletId>) -> Result<(), SubmitError> {
        let (sender, receiver) = oneshot::channel();
        self.send(Work::Show(wallets, Reply::One(sender)))?;
        receiver.await.unwrap_or(Err(UNHEARD)).map(drop)
    }

    /// Looks at a wallet as of now: what is due is booked in what `look` sees, and all of it is durable.
    pub async fn read<T: Send + 'static>(
        &self,
        merchant_id: MerchantId,
        wallet_id: WalletId,
        clock: MerchantClock,
        look: impl FnOnce(&WalletState, Timestamp) -> T + Send + 'static,
    ) -> Result<T, SubmitError> {
        let (sender, receiver) = oneshot::channel();
        let view = Box::new(
            move |seen: Result<(&WalletState, Timestamp), SubmitError>| {
                drop(sender.send(seen.map(|(state, now)| look(state, now))));
            },
        );
        self.send(Work::Read {
            merchant_id,
            wallet_id,
            clock,
            view,
        })?;
        receiver.await.unwrap_or(Err(UNHEARD))
    }

    /// Queues a write of plain tables; it tells its outcome itself.
    pub fn plain(&self, write: S::Plain) -> Result<(), SubmitError> {
        self.send(Work::Plain(write))
    }

    /// Rises with each commit that opened or moved a top-up: what the payment worker wakes by.
    pub fn top_ups_moved(&self) -> watch::Receiver<u64> {
        self.top_ups.clone()
    }

    /// Rises with each commit, of a batch or of plain writes, to wake those that follow the store; ends with the
    /// lane. It says that there is something new, not what: that is in the store.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.committed.clone()
    }

    /// What it has done, and what waits.
    pub fn figures(&self) -> Figures {
        Figures {
            commits: *self.committed.borrow(),
            refused: self.refused.load(Ordering::Relaxed),
            turned_away: self.queue.turned_away(),
            waiting: self.queue.waiting(),
        }
    }

    /// Lets the lane finish what is queued, and end.
    pub fn stop(&self) {
        self.queue.stop();
    }

    fn send(&self, work: Work<S::Plain>) -> Result<(), SubmitError> {
        self.queue.send(work)
    }
}
