//! Wallets in memory: least recently used go first, counted in bytes.

use crate::port::{LedgerStore, LoadError};
use lru::LruCache;
use tillbox_core::id::WalletId;
use tillbox_core::wallet::WalletState;

pub(crate) struct Cache {
    wallets: LruCache<WalletId, Cached>,
    bytes: usize,
    limit: usize,
}

struct Cached {
    state: WalletState,
    counted: usize,
}

impl Cache {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            wallets: LruCache::unbounded(),
            bytes: 0,
            limit,
        }
    }

    /// Loads those of `ids` that are missing, in one call. Those that the store does not know stay missing.
    pub(crate) fn load<S: LedgerStore>(
        &mut self,
        store: &mut S,
        ids: impl Iterator<Item = WalletId>,
    ) -> Result<(), LoadError> {
        let mut missing: Vec<WalletId> = ids.filter(|id| !self.wallets.contains(id)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_unstable();
        missing.dedup();
        for state in store.load_wallets(&missing)?.into_iter().flatten() {
            self.insert(state);
        }
        Ok(())
    }

    pub(crate) fn insert(&mut self, state: WalletState) {
        let counted = state.size_bytes();
        self.bytes += counted;
        if let Some(replaced) = self.wallets.put(state.id, Cached { state, counted }) {
            self.bytes -= replaced.counted;
        }
    }

    pub(crate) fn get(&mut self, id: WalletId) -> Option<&WalletState> {
        self.wallets.get(&id).map(|cached| &cached.state)
    }

    pub(crate) fn get_mut(&mut self, id: WalletId) -> Option<&mut WalletState> {
        self.wallets.get_mut(&id).map(|cached| &mut cached.state)
    }

    pub(crate) fn peek(&self, id: WalletId) -> Option<&WalletState> {
        self.wallets.peek(&id).map(|cached| &cached.state)
    }

    /// Counts wallets anew that changed.
    pub(crate) fn count(&mut self, ids: &[WalletId]) {
        for id in ids {
            if let Some(cached) = self.wallets.peek_mut(id) {
                let size = cached.state.size_bytes();
                self.bytes = self.bytes - cached.counted + size;
                cached.counted = size;
            }
        }
    }

    /// Forgets wallets whose changes were not written.
    pub(crate) fn forget(&mut self, ids: &[WalletId]) {
        for id in ids {
            if let Some(cached) = self.wallets.pop(id) {
                self.bytes -= cached.counted;
            }
        }
    }

    /// Drops the least recently used until the rest fits.
    pub(crate) fn shrink(&mut self) {
        while self.bytes > self.limit && self.wallets.len() > 1 {
            if let Some((_, cached)) = self.wallets.pop_lru() {
                self.bytes -= cached.counted;
            }
        }
    }
}
