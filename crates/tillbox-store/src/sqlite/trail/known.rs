//! What is known of wallets beside their tables.

use super::Behind;
use foldhash::{HashMap, HashMapExt};
use std::collections::BTreeSet;
use std::ops::Bound;
use tillbox_core::id::WalletId;

/// Wallets that are remembered though nothing of them waits, some 30 bytes each.
const MOST: usize = 1 << 20;

/// Up to which version the log has rows of wallets that were written lately, and what waits of those that are behind.
pub(super) struct Wallets {
    known: HashMap<WalletId, Known>,
    /// Those that are behind.
    order: BTreeSet<WalletId>,
}

struct Known {
    version: u64,
    behind: Option<Box<Behind>>,
}

impl Wallets {
    pub(super) fn new() -> Self {
        Self {
            known: HashMap::new(),
            order: BTreeSet::new(),
        }
    }

    /// The last version in the log; none where it has to be looked up.
    pub(super) fn version(&self, id: WalletId) -> Option<u64> {
        self.known.get(&id).map(|known| known.version)
    }

    /// What waits of a wallet; none where nothing does.
    pub(super) fn behind(&self, id: WalletId) -> Option<&Behind> {
        self.known.get(&id)?.behind.as_deref()
    }

    pub(super) fn behind_mut(&mut self, id: WalletId) -> Option<&mut Behind> {
        self.known.get_mut(&id)?.behind.as_deref_mut()
    }

    /// Those that are behind, in their order, from the one that follows.
    pub(super) fn following(&self, id: WalletId) -> impl Iterator<Item = (WalletId, &Behind)> {
        let next = (Bound::Excluded(id), Bound::Unbounded);
        let ids = self.order.range(next);
        ids.filter_map(|id| Some((*id, self.behind(*id)?)))
    }

    /// All that are behind, in their order.
    pub(super) fn all_behind(&self) -> Vec<WalletId> {
        self.order.iter().copied().collect()
    }

    /// Rows of a wallet up to the version of its stored state wait no more, nor do any where it has none. Gives how many
    /// are left.
    pub(super) fn catch_up(&mut self, id: WalletId, stored: Option<u64>) -> usize {
        let Some(behind) = self.behind_mut(id) else {
            return 0;
        };
        behind
            .rows
            .retain(|row| stored.is_some_and(|stored| row.version > stored));
        let left = behind.rows.len();
        if left == 0 {
            self.fold(id, None);
        }
        left
    }

    /// A wallet has rows up to `version` that wait: with all that waits of it.
    pub(super) fn wait(&mut self, id: WalletId, version: u64) -> &mut Behind {
        let known = self.known.entry(id).or_insert(Known {
            version,
            behind: None,
        });
        known.version = version;
        known.behind.get_or_insert_with(|| {
            self.order.insert(id);
            Box::default()
        })
    }

    /// All of a wallet is in its tables, up to `version`, or, where that is not told, what waited. Gives how many rows
    /// wait no more.
    pub(super) fn fold(&mut self, id: WalletId, version: Option<u64>) -> usize {
        if self.known.len() >= MOST {
            self.known.retain(|_, known| known.behind.is_some());
        }
        if let Some(version) = version {
            let new = || Known {
                version,
                behind: None,
            };
            self.known.entry(id).or_insert_with(new).version = version;
        }
        let behind = self
            .known
            .get_mut(&id)
            .and_then(|known| known.behind.take());
        let Some(behind) = behind else {
            return 0;
        };
        self.order.remove(&id);
        behind.rows.len()
    }
}
