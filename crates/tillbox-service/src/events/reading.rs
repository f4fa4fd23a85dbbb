//! One page of events on its way: facts are read in order, and each is told with the state behind it.
//!
//! | phase | what it does | cost |
//! |---|---|---|
//! | facts | rows of log and outbox behind the position, in one snapshot | what the page shows |
//! | state | each wallet's state before its row, by replaying ([`Walk`]) | the rows since whoever followed it last |
//! | events | the table says which ([`of_row`]); resources are taken from the state behind the row | a look-up or two |
//!
//! A read ends where it has replayed [`STEPS`] rows or has found nothing in what it may look at; the next goes on from
//! there, so that no read holds its connection for long.

use super::event::{Event, EventData, sequence};
use super::table::{kinds_of, of_row};
use super::told::{Told, expired_lot};
use super::{EventFilter, EventType, lot_expiring, payment_method};
use crate::wallets::WalletView;
use std::collections::HashMap;
use std::sync::Arc;
use tillbox_core::entry::Entry;
use tillbox_core::id::{EventId, MerchantId, WalletId};
use tillbox_core::policy::Policies;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tillbox_store::StoreError;
use tillbox_store::sqlite::events::{self, Fact, FactFilter};
use tillbox_store::sqlite::outbox::{self, OutboxRow, WalletAsAt};
use tillbox_store::sqlite::{Connection, PastStates, Steps, Walk};

/// Rows that one read may replay.
const STEPS: usize = 20_000;

/// How far a read came.
pub(super) enum Reached {
    /// The page is full, and there is more.
    Full,
    /// There is nothing more.
    End,
    /// Neither: another read goes on.
    Partly,
}

/// A page on its way.
pub(super) struct Reading {
    merchant: MerchantId,
    filter: EventFilter,
    facts: FactFilter,
    policies: Arc<Policies>,
    limit: usize,
    /// All up to here is told.
    pub(super) position: EventId,
    pub(super) events: Vec<Event>,
    /// Wallets to show before the next read, as their tables trail their rows.
    pub(super) behind: Vec<WalletId>,
    /// Up to which row they were shown so far.
    shown: HashMap<WalletId, i64>,
    walk: Walk,
    names: HashMap<WalletId, WalletAsAt>,
}

impl Reading {
    pub(super) fn new(
        merchant: MerchantId,
        filter: EventFilter,
        policies: Arc<Policies>,
        after: EventId,
        limit: usize,
    ) -> Self {
        Self {
            merchant,
            filter,
            facts: FactFilter {
                wallet: filter.wallet,
                kinds: filter.event_type.map(kinds_of),
                outbox_type: filter.event_type.map(EventType::name),
            },
            policies,
            limit,
            position: after,
            events: Vec::new(),
            behind: Vec::new(),
            shown: HashMap::new(),
            walk: Walk::default(),
            names: HashMap::new(),
        }
    }

    /// Reads on.
    pub(super) fn read(
        &mut self,
        connection: &Connection,
        past: &PastStates,
    ) -> Result<Reached, StoreError> {
        let reached = self.take_facts(connection, past)?;
        if !matches!(reached, Reached::Full) {
            self.walk.remember(past);
        }
        Ok(reached)
    }

    fn take_facts(
        &mut self,
        connection: &Connection,
        past: &PastStates,
    ) -> Result<Reached, StoreError> {
        let row = self.position.row();
        let after = if self.position == EventId::last_of(row) {
            row
        } else {
            // The row may have more to tell.
            row.saturating_sub(1)
        };
        let page = events::read(
            connection,
            self.merchant,
            &self.facts,
            after,
            self.limit + 2,
        )?;
        let mut steps = Steps(STEPS);
        let rows: Vec<_> = page
            .facts
            .iter()
            .map(|fact| (fact.wallet(), fact.row()))
            .collect();
        for (place, fact) in page.facts.into_iter().enumerate() {
            let row = fact.row();
            let taken = match fact {
                Fact::Entry(entry) => {
                    self.take_entry(connection, past, &Arc::new(*entry), &mut steps)?
                }
                // Only once its wallet was shown it is known which of its rows came before.
                Fact::Outbox(row) if !self.was_shown(&row) => {
                    self.show(rows.get(place..).unwrap_or_default());
                    return Ok(Reached::Partly);
                }
                Fact::Outbox(row) => self.take_outbox(connection, past, &row, &mut steps)?,
            };
            if self.walk.is_behind() {
                self.show(rows.get(place..).unwrap_or_default());
                return Ok(Reached::Partly);
            }
            match taken {
                Reached::End => self.position = self.position.max(EventId::last_of(row)),
                Reached::Full | Reached::Partly => return Ok(taken),
            }
        }
        self.position = self.position.max(EventId::last_of(page.through));
        Ok(if page.is_last {
            Reached::End
        } else {
            Reached::Partly
        })
    }

    /// Whether the tables of the row's wallet were brought up to it.
    fn was_shown(&self, row: &OutboxRow) -> bool {
        let shown = |wallet| self.shown.get(&wallet).copied().unwrap_or(i64::MIN);
        row.wallet_id
            .is_none_or(|wallet| shown(wallet) >= row.id.number())
    }

    /// Asks for the wallets of rows to be shown before the next read.
    fn show(&mut self, rows: &[(Option<WalletId>, i64)]) {
        let wallets = rows
            .iter()
            .filter_map(|(wallet, row)| Some(((*wallet)?, *row)));
        for (wallet, row) in wallets {
            self.shown.insert(wallet, row);
            self.behind.push(wallet);
        }
    }

    /// Whether an event is one that is asked for and was not told.
    fn is_wanted(&self, row: i64, event_type: EventType) -> bool {
        EventId::new(row, event_type.place()) > self.position
            && self
                .filter
                .event_type
                .is_none_or(|wanted| wanted == event_type)
    }

    fn take_entry(
        &mut self,
        connection: &Connection,
        past: &PastStates,
        entry: &Arc<Entry>,
        steps: &mut Steps,
    ) -> Result<Reached, StoreError> {
        let Some(before) = self
            .walk
            .before(connection, past, self.merchant, entry, steps)?
        else {
            return Ok(Reached::Partly);
        };
        let (types, changes) = of_row(before, entry);
        let expired = expired_lot(before, entry);
        let row = entry.id.number();
        let wanted: Vec<EventType> = types
            .into_iter()
            .filter(|event_type| self.is_wanted(row, *event_type))
            .collect();
        let room = self.limit - self.events.len();
        if !wanted.is_empty() && wanted.len() >= room {
            // Whoever goes on behind the last event of this page begins before its row.
            self.walk.remember(past);
        }
        if !wanted.is_empty() && room == 0 {
            return Ok(Reached::Full);
        }
        let Some(after) = self.walk.apply(entry) else {
            return Ok(Reached::Partly);
        };
        let after = Arc::clone(after);
        if wanted.is_empty() {
            return Ok(Reached::End);
        }
        let wallet = self.wallet_as_was(connection, &after, row, entry.at)?;
        let told = Told {
            connection,
            merchant: self.merchant,
            policies: &self.policies,
            wallet,
            state: &after,
            entry,
            changes: &changes,
            expired,
        };
        for event_type in wanted.iter().take(room) {
            let event = Event {
                id: EventId::new(row, event_type.place()),
                event_type: *event_type,
                created_at: entry.at,
                merchant_id: self.merchant,
                wallet_id: Some(entry.wallet_id),
                sequence: Some(sequence(entry.version, *event_type)),
                data: told.data(*event_type)?,
            };
            self.events.push(event);
        }
        Ok(if wanted.len() > room {
            Reached::Full
        } else {
            Reached::End
        })
    }

    fn take_outbox(
        &mut self,
        connection: &Connection,
        past: &PastStates,
        row: &OutboxRow,
        steps: &mut Steps,
    ) -> Result<Reached, StoreError> {
        let number = row.id.number();
        let event_type = EventType::from_name(&row.event_type);
        let event_type = event_type.ok_or_else(|| StoreError::Corrupt {
            what: format!(
                "the outbox has an event of the unknown type {:?}",
                row.event_type
            ),
        })?;
        if !self.is_wanted(number, event_type) {
            return Ok(Reached::End);
        }
        if self.events.len() >= self.limit {
            self.walk.remember(past);
            return Ok(Reached::Full);
        }
        let mut data = EventData::default();
        if let Some(wallet) = row.wallet_id {
            let version = events::version_at(connection, wallet, number)?;
            let state = self
                .walk
                .at(connection, past, self.merchant, wallet, version, steps)?;
            let Some(state) = state.cloned() else {
                return Ok(Reached::Partly);
            };
            if event_type == EventType::LotExpiring {
                let (lot, days_left) = lot_expiring::read(&state, &row.data)?;
                (data.lot, data.days_left) = (lot, Some(days_left));
            }
            data.wallet = Some(self.wallet_as_was(connection, &state, number, row.at)?);
        } else {
            data.payment_method = payment_method::read(connection, self.merchant, &row.data)?;
        }
        self.events.push(Event {
            id: EventId::new(number, event_type.place()),
            event_type,
            created_at: row.at,
            merchant_id: self.merchant,
            wallet_id: row.wallet_id,
            sequence: None,
            data,
        });
        Ok(Reached::End)
    }

    /// A wallet as it was right after a row, by the name that it had then.
    fn wallet_as_was(
        &mut self,
        connection: &Connection,
        state: &WalletState,
        row: i64,
        at: Timestamp,
    ) -> Result<Arc<WalletView>, StoreError> {
        let known = self.names.get(&state.id);
        let known = known.filter(|known| known.until.is_none_or(|until| row < until));
        let named = if let Some(known) = known {
            known.wallet.clone()
        } else {
            let named = outbox::wallet_as_at(connection, self.merchant, state.id, row)?;
            let named = named.ok_or_else(|| StoreError::Corrupt {
                what: format!("{} has rows and is not there", state.id),
            })?;
            let wallet = named.wallet.clone();
            self.names.insert(state.id, named);
            wallet
        };
        Ok(Arc::new(WalletView::as_was(named, state, at)))
    }
}
