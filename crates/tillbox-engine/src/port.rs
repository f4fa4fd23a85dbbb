//! What the engine needs of a store. Two stores keep it: memory, for tests and simulation, and SQLite.

use std::sync::Arc;
use tillbox_core::command::{DebitRecord, PaymentRecord};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Actor, Entry, KeyStamp};
use tillbox_core::hold::{Hold, HoldStatus};
use tillbox_core::id::{
    CustomerId, EntryId, HoldId, LotId, MerchantId, OutboxId, TopUpId, WalletId,
};
use tillbox_core::lot::Lot;
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::TopUp;
use tillbox_core::wallet::{NewWallet, WalletState};

/// The store's side of the ledger. One thread owns it; calls block.
pub trait LedgerStore: Send + 'static {
    /// A write of plain tables that runs on the ledger's thread.
    type Plain: Send + 'static;

    /// The states of wallets, in the order asked; none where there is no such wallet.
    fn load_wallets(&mut self, ids: &[WalletId]) -> Result<Vec<Option<WalletState>>, LoadError>;

    /// What was answered under keys, in the order asked.
    fn load_keys(&mut self, keys: &[[u8; 16]]) -> Result<Vec<Option<Remembered>>, LoadError>;

    /// How a hold of that wallet stands, ended ones too.
    fn load_hold_status(
        &mut self,
        wallet: WalletId,
        hold: HoldId,
    ) -> Result<Option<HoldStatus>, LoadError>;

    /// What is needed to refund a debit of that wallet; none if it has no such transaction.
    fn load_debit(
        &mut self,
        wallet: WalletId,
        debit: EntryId,
    ) -> Result<Option<DebitRecord>, LoadError>;

    /// A top-up of that wallet, ended ones too.
    fn load_top_up(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
    ) -> Result<Option<TopUp>, LoadError>;

    /// Whether the wallet ever had that lot.
    fn has_lot(&mut self, wallet: WalletId, lot: LotId) -> Result<bool, LoadError>;

    /// The rows that lots came in with, in the order asked: of a lot that stands for an expired one, that of the
    /// first of them.
    fn load_origins(&mut self, lots: &[LotId]) -> Result<Vec<Option<Arc<Entry>>>, LoadError>;

    /// A payment of that wallet, and what went back of it: with the payout that `payout` names, if one is named.
    fn load_payment(
        &mut self,
        wallet: WalletId,
        top_up: TopUpId,
        payout: Option<EntryId>,
    ) -> Result<Option<PaymentRecord>, LoadError>;

    /// The wallet of that customer and currency that is not closed.
    fn find_open_wallet(
        &mut self,
        merchant: MerchantId,
        customer: CustomerId,
        currency: Currency,
    ) -> Result<Option<WalletId>, LoadError>;

    /// Whether what is stored of a wallet may trail its rows, so that whoever reads its tables must have them
    /// brought up to date first (see [`Batch::shown`]). Everything that is loaded here is up to date.
    fn trails(&self, _wallet: WalletId) -> bool {
        false
    }

    /// Writes a batch in one transaction, durable when it returns.
    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), CommitError>;

    /// Runs writes of plain tables in one transaction, and tells each its outcome: one that fails changes
    /// nothing and takes no other with it. An error here is one of the commit itself.
    fn run_plain(&mut self, writes: Vec<Self::Plain>) -> Result<(), CommitError>;
}

/// What a key was used for.
#[derive(Clone, Debug)]
pub enum Remembered {
    /// A row: its answer is built from its values (R44).
    Entry(Arc<Entry>),
    /// An answer that is stored whole.
    Answer(StoredAnswer),
}

impl Remembered {
    /// The fingerprint of the request that it answered.
    pub fn fingerprint(&self) -> Option<[u8; 16]> {
        match self {
            Self::Entry(entry) => entry.key.map(|key| key.fingerprint),
            Self::Answer(answer) => Some(answer.key.fingerprint),
        }
    }
}

/// An answer that is stored whole, in the commit of its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// Under which key, for which request.
    pub key: KeyStamp,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Arc<[u8]>,
}

/// A wallet that a batch opens.
#[derive(Clone, Debug)]
pub struct OpenedWallet {
    /// What the ledger knows of it.
    pub wallet: NewWallet,
    /// Its name, for people.
    pub name: Option<String>,
    /// The caller's own data, a JSON object.
    pub metadata: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// The row of the outbox that tells of it.
    pub outbox_id: OutboxId,
    /// Who opened it.
    pub opened_by: Actor,
    /// The number of the call that asked for it.
    pub request: Option<u64>,
}

/// What one commit writes. States, lots and holds come in their last form, each once.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Wallets that come into being, before anything else.
    pub opened: &'a [OpenedWallet],
    /// Rows of the log, in order.
    pub entries: &'a [Arc<Entry>],
    /// The states behind them; also of opened wallets without rows.
    pub wallets: &'a [&'a WalletState],
    /// Lots that they touched.
    pub lots: &'a [LotWrite],
    /// Holds that they touched.
    pub holds: &'a [HoldWrite],
    /// Top-ups that they touched.
    pub top_ups: &'a [TopUpWrite],
    /// Answers that are stored whole.
    pub answers: &'a [StoredAnswer],
    /// Wallets whose tables are read next: none of them trails its rows any more once this is written.
    pub shown: &'a [WalletId],
}

/// What becomes of a lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LotWrite {
    /// A new lot.
    Opened {
        /// Its wallet.
        wallet_id: WalletId,
        /// As it stands after the batch.
        lot: Lot,
    },
    /// A lot that was there.
    Changed {
        /// The lot.
        id: LotId,
        /// What remains of it.
        remaining: tillbox_core::amount::Amount,
        /// What holds reserve of it.
        held: tillbox_core::amount::Amount,
        /// Its expiry, where that has changed.
        expires_at: Option<Option<Timestamp>>,
    },
}

/// What becomes of a hold: inserted, or replaced where it was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldWrite {
    /// Its wallet.
    pub wallet_id: WalletId,
    /// As it stands after the batch.
    pub hold: Hold,
}

/// What becomes of a top-up: inserted, or replaced where it was there. One that has succeeded is never replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUpWrite {
    /// Its wallet.
    pub wallet_id: WalletId,
    /// The top-up.
    pub id: TopUpId,
    /// As it stands after the batch.
    pub top_up: TopUp,
    /// The row that opened it, if the batch did.
    pub opened_by: Option<EntryId>,
    /// The transaction that credited it, if the batch did.
    pub credited_by: Option<EntryId>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A read failed; nothing is known.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store could not be read: {0}")]
pub struct LoadError(pub String);

/// A commit did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing was written, for certain.
    #[error("nothing was written: {0}")]
    NothingWritten(String),
    /// It may be written or not. The store must not be used any more.
    #[error("the outcome of a commit is unknown: {0}")]
    OutcomeUnknown(String),
}
