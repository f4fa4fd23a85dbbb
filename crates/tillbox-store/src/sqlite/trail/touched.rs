//! What a batch does to each of its wallets, as far as their tables may trail it.

use super::super::ledger::expect_one;
use super::MOST_BEHIND;
use foldhash::{HashMap, HashMapExt};
use rusqlite::{CachedStatement, Connection};
use tillbox_core::amount::Amount;
use tillbox_core::entry::{Entry, EntryKind, Event};
use tillbox_core::id::LotId;
use tillbox_core::lot::DrawKey;
use tillbox_core::wallet::WalletState;
use tillbox_engine::port::Batch;

/// A wallet of the batch.
pub(super) struct Touched<'a> {
    pub(super) state: &'a WalletState,
    pub(super) rows: Vec<RowAt>,
    pub(super) drawn: Vec<DrawKey>,
    pub(super) is_folded: bool,
}

/// A row of the log.
#[derive(Clone, Copy)]
pub(super) struct RowAt {
    pub(super) version: u64,
    pub(super) id: i64,
}

/// What is left of a lot.
#[derive(Clone, Copy)]
pub(super) struct LotNow {
    pub(super) id: LotId,
    pub(super) remaining: Amount,
    pub(super) held: Amount,
}

/// Whether a row changes nothing but the balance, what remains of lots, and debt that it makes: then its wallet may
/// trail. Every part of an event is named here, so that a new one is thought of.
pub(super) fn only_spends(entry: &Entry) -> bool {
    let Event {
        shape: _,
        kind,
        reason: _,
        amount: _,
        parts,
        lots,
        debt_made: _,
        debt_canceled,
        hold,
        usage: _,
        refund_of,
        top_up_id,
        top_up,
        payback,
        recharge,
        alerts,
        lot_change,
        destination,
        status,
        overdraft_limit,
        effective_at: _,
        note: _,
    } = &entry.event;
    matches!(kind, EntryKind::Debit | EntryKind::Usage)
        && parts
            .iter()
            .all(|part| part.held.is_zero() && part.pays_debt_from.is_none())
        && lots.is_empty()
        && debt_canceled.is_empty()
        && hold.is_none()
        && refund_of.is_none()
        && top_up_id.is_none()
        && top_up.is_none()
        && payback.is_none()
        && recharge.is_none()
        && alerts.is_none()
        && lot_change.is_none()
        && destination.is_none()
        && status.is_none()
        && overdraft_limit.is_none()
}

/// The wallets of a batch with their rows.
pub(super) fn touched_by<'a>(batch: &Batch<'a>) -> Vec<Touched<'a>> {
    let mut touched: Vec<Touched<'a>> = Vec::with_capacity(batch.wallets.len());
    let mut places = HashMap::with_capacity(batch.wallets.len());
    for state in batch.wallets {
        places.insert(state.id, touched.len());
        touched.push(Touched {
            state,
            rows: Vec::new(),
            drawn: Vec::new(),
            // What trails is found by the stored state: the first one is written with the wallet.
            is_folded: batch.opened.iter().any(|new| new.wallet.id == state.id),
        });
    }
    // One that draws on many lots, or has many rows, is folded at once: what waits of a wallet is small.
    for entry in batch.entries {
        let place = places.get(&entry.wallet_id);
        let Some(one) = place.and_then(|place| touched.get_mut(*place)) else {
            continue;
        };
        one.rows.push(RowAt {
            version: entry.version,
            id: entry.id.number(),
        });
        one.is_folded |= !only_spends(entry);
        if !one.is_folded {
            let parts = entry.event.parts.iter().map(|part| part.lot);
            one.drawn.extend(parts.take(MOST_BEHIND + 1));
            one.drawn.dedup();
            one.is_folded = one.drawn.len() > MOST_BEHIND;
        }
    }
    touched
}

pub(super) fn lots_now(state: &WalletState, drawn: &[DrawKey]) -> Vec<LotNow> {
    let now = |key: &DrawKey| {
        let open = state.lot(key);
        LotNow {
            id: key.id,
            remaining: open.map_or(Amount::ZERO, |lot| lot.remaining),
            held: open.map_or(Amount::ZERO, |lot| lot.held),
        }
    };
    let mut lots: Vec<LotNow> = drawn.iter().map(now).collect();
    lots.sort_unstable_by_key(|lot| lot.id);
    lots.dedup_by_key(|lot| lot.id);
    lots
}

/// Writes what is left of lots that are stored.
pub(in super::super) struct LotWriter<'a> {
    spend: CachedStatement<'a>,
    set: CachedStatement<'a>,
}

impl<'a> LotWriter<'a> {
    pub(in super::super) fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            spend: connection.prepare_cached(
                "UPDATE lots SET remaining = ?2, held = ?3 WHERE id = ?1 AND open = 1 AND ?2 > 0",
            )?,
            set: connection.prepare_cached(
                "UPDATE lots SET remaining = ?2, held = ?3, open = (?2 > 0) WHERE id = ?1",
            )?,
        })
    }

    /// One that stays open is changed without a look at the index of open lots.
    pub(in super::super) fn write(
        &mut self,
        id: LotId,
        remaining: Amount,
        held: Amount,
    ) -> rusqlite::Result<()> {
        let values = [id.number(), remaining.micros(), held.micros()];
        let changed = match self.spend.execute(values)? {
            0 => self.set.execute(values)?,
            changed => changed,
        };
        expect_one(changed)
    }
}
