//! What the simulation asks of a store: what outlives its process, and how to die.

use crate::model::Model;
use std::sync::Arc;
use tillbox_core::audit::WalletAudit;
use tillbox_core::entry::Entry;
use tillbox_core::id::WalletId;
use tillbox_core::wallet::WalletState;
use tillbox_engine::port::{Batch, CommitError, LedgerStore};

/// What is durable, whatever becomes of the engine over it.
pub(crate) trait Disk: Sized {
    type Store: Mortal;

    /// Nothing in it.
    fn new() -> Self;

    /// A store over what is durable, when the one before is gone.
    fn open(&mut self) -> Self::Store;

    /// The highest number that any id carries.
    fn highest_id(&self) -> i64;

    /// Whether the wallet was opened, as far as is durable.
    fn has_wallet(&self, wallet: WalletId) -> bool;

    /// The durable rows of a wallet behind a version, in their order.
    fn rows_behind(&self, wallet: WalletId, version: u64) -> Vec<Arc<Entry>>;

    /// What the store keeps beside the state is what the model holds.
    fn compare(&self, wallet: WalletId, model: &Model);

    /// Everything that is durable holds every rule. The engine has ended; `states` are what it showed last.
    fn audit(&mut self, audits: Vec<(WalletAudit, WalletState)>);
}

/// A store whose process can die.
pub(crate) trait Mortal: LedgerStore {
    /// The process dies at this moment: what is durable now is what the next one finds.
    fn die(&mut self);

    /// The power fails within this commit: some part of what it writes reaches the disk, by `chance`.
    fn die_in_commit(&mut self, batch: &Batch<'_>, chance: u64) -> Result<(), CommitError>;
}
