//! Wallets on their way through their logs: how each stood before a row that is told of.
//!
//! Whoever follows events needs the state behind each row. A walk replays the rows of a wallet in order, so that
//! rows told of one after the other cost one step each; where it begins, and where it ends, it shares with other
//! walks through [`PastStates`], so that following costs the new rows alone. A wallet that nobody followed lately is
//! replayed from its last snapshot before, a bounded stretch at a time.

use super::rows::corrupt;
use super::{past, snapshots, state_row};
use crate::error::StoreError;
use lru::LruCache;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tillbox_core::entry::Entry;
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::wallet::WalletState;

/// States that are kept of one wallet: for so many followers at different places.
const PER_WALLET: usize = 4;
/// Bytes that the states of one walk take: more wallets than fit are put down and taken up again.
const WALK_BYTES: usize = 32 << 20;

/// States of wallets as they were, least recently used first out, bounded by bytes.
pub struct PastStates(Mutex<Kept>);

struct Kept {
    wallets: LruCache<WalletId, Vec<One>>,
    bytes: usize,
    limit: usize,
}

struct One {
    state: Arc<WalletState>,
    bytes: usize,
}

impl PastStates {
    /// Keeps at most so many bytes.
    pub fn new(limit: usize) -> Self {
        Self(Mutex::new(Kept {
            wallets: LruCache::unbounded(),
            bytes: 0,
            limit,
        }))
    }

    /// The latest that is known of a wallet up to a version.
    fn nearest(&self, wallet: WalletId, version: u64) -> Option<Arc<WalletState>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let states = kept.wallets.get_mut(&wallet)?;
        let fitting = states.iter().enumerate();
        let fitting = fitting.filter(|(_, one)| one.state.version <= version);
        let (place, _) = fitting.max_by_key(|(_, one)| one.state.version)?;
        // The last is the one that was used last.
        let one = states.remove(place);
        let state = Arc::clone(&one.state);
        states.push(one);
        Some(state)
    }

    fn keep(&self, state: &Arc<WalletState>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = state.size_bytes();
        let one = One {
            state: Arc::clone(state),
            bytes,
        };
        let states = kept.wallets.get_or_insert_mut(state.id, Vec::new);
        let known = states
            .iter()
            .position(|known| known.state.version == state.version);
        let out = known.or((states.len() >= PER_WALLET).then_some(0));
        let freed = out.map_or(0, |place| states.remove(place).bytes);
        states.push(one);
        kept.bytes = kept.bytes + bytes - freed;
        while kept.bytes > kept.limit
            && let Some((_, states)) = kept.wallets.pop_lru()
        {
            kept.bytes -= states.iter().map(|one| one.bytes).sum::<usize>();
        }
    }
}

/// Wallets on their way. It outlives the reads that it takes: where one ends early, the next goes on.
#[derive(Default)]
pub struct Walk {
    states: HashMap<WalletId, Arc<WalletState>>,
    bytes: usize,
    is_behind: bool,
}

/// Rows that one read may still replay.
pub struct Steps(pub usize);

impl Walk {
    /// How a wallet stood before its row `row`; none where the steps do not reach there, or where the wallet's tables
    /// trail the row ([`Walk::is_behind`]), so that another read must go on. Rows of one wallet come in their order.
    pub fn before(
        &mut self,
        connection: &Connection,
        past: &PastStates,
        merchant: MerchantId,
        row: &Entry,
        steps: &mut Steps,
    ) -> Result<Option<&Arc<WalletState>>, StoreError> {
        let through = row.version.saturating_sub(1);
        self.at(connection, past, merchant, row.wallet_id, through, steps)
    }

    /// The same, right after its row of version `through`.
    pub fn at(
        &mut self,
        connection: &Connection,
        past: &PastStates,
        merchant: MerchantId,
        wallet: WalletId,
        through: u64,
        steps: &mut Steps,
    ) -> Result<Option<&Arc<WalletState>>, StoreError> {
        if !self.states.contains_key(&wallet) {
            let known = past.nearest(wallet, through);
            let state = match known {
                Some(state) if through - state.version < snapshots::EVERY => state,
                known => {
                    let stored = past::nearest(connection, merchant, wallet, through)?
                        .ok_or_else(|| corrupt(format!("{wallet} has rows and is not there")))?;
                    let ahead = known.filter(|known| known.version > stored.version);
                    ahead.unwrap_or_else(|| Arc::new(stored))
                }
            };
            self.take(state, past);
        }
        let Some(state) = self.states.get_mut(&wallet) else {
            return Ok(None);
        };
        if state.version < through {
            let state = Arc::make_mut(state);
            let replayed = past::advance(connection, state, through, steps.0)?;
            steps.0 = steps.0.saturating_sub(replayed);
            if state.version < through && steps.0 > 0 {
                self.is_behind =
                    state_row::version(connection, wallet)?.is_some_and(|stored| stored < through);
                if self.is_behind {
                    return Ok(None);
                }
                let gap = format!("{wallet} has no row behind version {}", state.version);
                return Err(corrupt(gap));
            }
        }
        Ok(Some(&*state).filter(|state| state.version == through))
    }

    /// Whether the last wallet that was asked for trails its rows; it must be shown before another read goes on.
    pub fn is_behind(&mut self) -> bool {
        std::mem::take(&mut self.is_behind)
    }

    fn take(&mut self, state: Arc<WalletState>, past: &PastStates) {
        let bytes = state.size_bytes();
        if self.bytes + bytes > WALK_BYTES {
            self.remember(past);
            self.states.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.states.insert(state.id, state);
    }

    /// Moves a wallet behind the row that was asked for, and gives how it stands then.
    pub fn apply(&mut self, row: &Entry) -> Option<&Arc<WalletState>> {
        let state = self.states.get_mut(&row.wallet_id)?;
        Arc::make_mut(state).apply(row);
        Some(state)
    }

    /// Keeps where the wallets stand now, for whoever goes on from here.
    pub fn remember(&self, past: &PastStates) {
        for state in self.states.values() {
            past.keep(state);
        }
    }
}
