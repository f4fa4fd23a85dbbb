//! What callers put into the queue, and what they get back.

use crate::clock::MerchantClock;
use crate::port::{OpenedWallet, StoredAnswer};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tillbox_core::command::{Command, Credit};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Actor, Entry, KeyStamp};
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::policy::Policies;
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tokio::sync::oneshot;

/// Whether a command is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is carried out.
    Commit,
    /// It is only answered (R45).
    DryRun,
}

/// Writes an answer that is stored whole: gets the wallet as it stands after the command, and the command's rows.
pub type AnswerWriter =
    Arc<dyn Fn(&WalletState, &[Arc<Entry>], Timestamp) -> (u16, Vec<u8>) + Send + Sync>;

/// A command for a wallet.
#[derive(Clone)]
pub struct Submission {
    /// Who owns the wallet; another merchant's is not found.
    pub merchant_id: MerchantId,
    /// The wallet.
    pub wallet_id: WalletId,
    /// What is asked.
    pub command: Command,
    /// Under which key.
    pub key: Option<KeyStamp>,
    /// Who asks.
    pub actor: Actor,
    /// The merchant's time.
    pub clock: MerchantClock,
    /// What the merchant's settings say.
    pub policies: Arc<Policies>,
    /// The instant to decide at, where it is not now: what a test clock books at its own due instants.
    pub at: Option<Timestamp>,
    /// Whether it is meant.
    pub mode: Mode,
    /// For commands that answer with more than their row.
    pub answer: Option<AnswerWriter>,
}

/// A wallet to open, perhaps with value.
#[derive(Clone)]
pub struct OpenSubmission {
    /// The wallet; its `created_at` and `outbox_id` are set in the lane.
    pub opened: OpenedWallet,
    /// Its first value.
    pub credit: Option<Credit>,
    /// Under which key.
    pub key: Option<KeyStamp>,
    /// Who asks.
    pub actor: Actor,
    /// The merchant's time.
    pub clock: MerchantClock,
    /// What the merchant's settings say.
    pub policies: Arc<Policies>,
    /// Whether it is meant.
    pub mode: Mode,
    /// Writes the answer.
    pub answer: AnswerWriter,
}

/// What a command came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A row; the answer is built from its values.
    Row {
        /// The row.
        entry: Arc<Entry>,
        /// The wallet's currency.
        currency: Currency,
        /// Whether it was there before.
        replayed: bool,
    },
    /// An answer that is stored whole.
    Answer {
        /// The answer; its key is zero where none was given.
        answer: StoredAnswer,
        /// Whether it was there before.
        replayed: bool,
    },
    /// Nothing was due.
    NothingDue,
}

/// Why there is no outcome.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubmitError {
    /// A rule says no. Nothing was stored.
    #[error("{rejection}")]
    Rejected {
        /// Which.
        rejection: Rejection,
        /// The wallet's currency, if there is a wallet.
        currency: Option<Currency>,
    },
    /// The queue is full, or the store refused the write. Nothing was stored.
    #[error("overloaded: {0}")]
    Overloaded(String),
    /// It may be done or not. The same key will tell.
    #[error("the outcome is unknown")]
    OutcomeUnknown,
    /// The process is stopping. Nothing was stored.
    #[error("shutting down")]
    ShuttingDown,
}

/// What is told to the caller.
pub type Answer = Result<Outcome, SubmitError>;

/// Looks at a wallet once all that was decided about it is durable.
pub(crate) type View = Box<dyn FnOnce(Result<(&WalletState, Timestamp), SubmitError>) + Send>;

/// One piece of work for a lane.
pub(crate) enum Work<P> {
    Command(Box<Submission>, Reply),
    Many(Vec<(Submission, Reply)>),
    Open(Box<OpenSubmission>, Reply),
    /// Wallets whose tables are read next.
    Show(Vec<WalletId>, Reply),
    Read {
        merchant_id: MerchantId,
        wallet_id: WalletId,
        clock: MerchantClock,
        view: View,
    },
    Plain(P),
    Stop,
}

impl<P> Work<P> {
    /// How many places it takes in the queue.
    pub(crate) fn commands(&self) -> usize {
        match self {
            Self::Many(many) => many.len(),
            Self::Command(..)
            | Self::Open(..)
            | Self::Show(..)
            | Self::Read { .. }
            | Self::Plain(_) => 1,
            Self::Stop => 0,
        }
    }
}

/// Where an answer goes.
pub(crate) enum Reply {
    One(oneshot::Sender<Answer>),
    Place(Arc<Gathered>, usize),
}

#[cfg(tillbox_bugs)]
impl Reply {
    /// Whether the caller has hung up.
    pub(crate) fn is_gone(&self) -> bool {
        match self {
            Self::One(sender) => sender.is_closed(),
            Self::Place(gathered, _) => {
                let told = gathered.told.lock().unwrap_or_else(PoisonError::into_inner);
                told.sender.as_ref().is_some_and(oneshot::Sender::is_closed)
            }
        }
    }
}

#[cfg(tillbox_bugs)]
impl SubmitError {
    /// What a planted bug tells of a write that failed.
    pub(crate) fn wants_funds() -> Self {
        let nothing = tillbox_core::amount::Amount::ZERO;
        Self::Rejected {
            rejection: Rejection::InsufficientFunds {
                required: nothing,
                available: nothing,
                next_release_at: None,
                recharge: tillbox_core::rejection::RechargeBrief::default(),
            },
            currency: None,
        }
    }
}

impl Reply {
    pub(crate) fn send(self, answer: Answer) {
        match self {
            // A caller that has gone changes nothing.
            Self::One(sender) => drop(sender.send(answer)),
            Self::Place(gathered, place) => gathered.put(place, answer),
        }
    }
}

/// Answers so far, and who waits for them.
struct Told {
    answers: Vec<Answer>,
    sender: Option<oneshot::Sender<Vec<Answer>>>,
}

/// The answers of many commands, told when the last is there.
pub(crate) struct Gathered {
    told: Mutex<Told>,
    missing: AtomicUsize,
}

impl Gathered {
    pub(crate) fn new(count: usize, sender: oneshot::Sender<Vec<Answer>>) -> Self {
        let answers = vec![Err(SubmitError::ShuttingDown); count];
        Self {
            told: Mutex::new(Told {
                answers,
                sender: Some(sender),
            }),
            missing: AtomicUsize::new(count),
        }
    }

    fn put(&self, place: usize, answer: Answer) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = told.answers.get_mut(place) {
            *slot = answer;
        }
        if self.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            let answers = std::mem::take(&mut told.answers);
            if let Some(sender) = told.sender.take() {
                drop(sender.send(answers));
            }
        }
    }
}
