//! What trails the log, so that a commit of spending writes little more than its rows.
//!
//! A debit of one of 200,000 wallets would dirty a page each of `wallet_log`, `wallet_states` and `lots`: measured,
//! some 12 KiB were written for each. So rows that only spend ([`only_spends`]) are written to the log alone; what
//! they change is in memory, and is folded into the tables in the order of wallets, a slice with every commit, so that
//! neighbours share their pages.
//!
//! - **A wallet is folded whole**: its missing rows in `wallet_log`, its lots and its state, in one transaction. All
//!   that is stored of it but the log stands at the version of its `wallet_states`, and what is behind that only
//!   spends.
//! - **What is not folded is found**: the state of a wallet that is behind comes from memory ([`Trail::now`]), and
//!   whoever reads its tables asks for it to be folded first (`Batch::shown`).
//! - A row of any other kind folds its wallet with it, as does the last of [`MOST_BEHIND`] rows: a hot wallet shares
//!   its pages with itself.
//! - `folded_to` in the database: all rows up to that id are folded. It moves at the end of each pass over the
//!   wallets. The log behind it is read at start, and tells which wallets are behind; their states are made again
//!   from their rows when they are first needed.
//! - **The version is the lock.** The log alone can't tell that a version is taken, so each batch is held against
//!   the last known version of each wallet, and `wallet_log` is unique.

mod known;
mod touched;

use super::ledger::{expect_one, load_wallet};
use super::rows::{ENTRY_COLUMNS, corrupt, entry_from_row};
use super::state_row::{self, StateRow, StateWriter};
use crate::error::StoreError;
use foldhash::HashSet;
use rusqlite::{CachedStatement, Connection};
use tillbox_core::id::{LotId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_engine::port::Batch;

use known::Wallets;
pub(super) use touched::LotWriter;
use touched::{LotNow, RowAt, Touched, lots_now, only_spends, touched_by};

/// Rows that may be behind: more share pages better, take more memory (16 bytes each, and about 400 for each wallet
/// that is behind), and are read at start.
pub(super) const LENGTH: usize = 524_288;
/// Rows of one wallet that may be behind.
const MOST_BEHIND: usize = 64;

/// All wallets that are behind the log.
pub(super) struct Trail {
    wallets: Wallets,
    /// Rows that are not folded.
    rows: usize,
    /// Rows of the log behind `folded_to`.
    tail: usize,
    /// How many of either there may be.
    length: usize,
    /// The last row of the log.
    head: i64,
    pass: Pass,
}

/// A pass over the wallets that are behind, in their order. At its end all rows are folded that were there when it
/// began.
struct Pass {
    /// Where it stands.
    after: WalletId,
    /// The last row when it began.
    through: i64,
    /// Rows since then.
    rows: usize,
}

/// A wallet that is behind the log.
#[derive(Default)]
pub(super) struct Behind {
    /// Its rows that are not folded, in order.
    rows: Vec<RowAt>,
    /// How it stands behind the last of them; none until it is first needed after a start.
    last: Option<Last>,
}

/// How a wallet stands.
struct Last {
    state: StateRow,
    lots: Vec<LotNow>,
}

/// What a commit does with the trail; it counts once the commit has succeeded.
pub(super) struct Plan<'a> {
    touched: Vec<Touched<'a>>,
    /// Wallets that are folded and that the batch does not touch.
    slice: Vec<WalletId>,
    /// Where the pass stands then; none at its end.
    after: Option<WalletId>,
    head: i64,
    rows: usize,
}

impl Trail {
    /// Reads from the log's tail which wallets are behind.
    pub(super) fn load(connection: &Connection, length: usize) -> Result<Self, StoreError> {
        let folded_to: i64 =
            connection.query_row("SELECT folded_to FROM trail_fold", [], |row| row.get(0))?;
        let mut statement = connection
            .prepare("SELECT id, wallet_id, version FROM log WHERE id > ?1 ORDER BY id")?;
        let mut found = statement.query([folded_to])?;
        let mut trail = Self {
            wallets: Wallets::new(),
            rows: 0,
            tail: 0,
            length,
            head: folded_to,
            pass: Pass {
                after: WalletId::from_number(i64::MIN),
                through: folded_to,
                rows: 0,
            },
        };
        while let Some(row) = found.next()? {
            let (id, version) = (row.get(0)?, row.get(2)?);
            trail.head = id;
            trail.tail += 1;
            let behind = trail
                .wallets
                .wait(WalletId::from_number(row.get(1)?), version);
            behind.rows.push(RowAt { version, id });
        }
        // In the order of wallets, so that neighbours share their pages.
        for wallet in trail.wallets.all_behind() {
            let stored = state_row::version(connection, wallet)?;
            trail.rows += trail.wallets.catch_up(wallet, stored);
        }
        trail.pass.through = trail.head;
        Ok(trail)
    }

    /// Whether a wallet is behind the log.
    pub(super) fn has(&self, wallet: WalletId) -> bool {
        self.wallets.behind(wallet).is_some()
    }

    /// The state row of a wallet that is behind, and its lots as they stand then. What is stored is left out where
    /// nothing remains of it.
    pub(super) fn now(&self, wallet: WalletId, stored: &mut Vec<Lot>) -> Option<StateRow> {
        let last = self.wallets.behind(wallet)?.last.as_ref()?;
        for lot in stored.iter_mut() {
            last.patch(lot);
        }
        stored.retain(|lot| lot.remaining.is_positive());
        Some(last.state.clone())
    }

    /// Brings one lot of a wallet to how it stands now.
    pub(super) fn patch(&self, wallet: WalletId, lot: &mut Lot) {
        if let Some(last) = self
            .wallets
            .behind(wallet)
            .and_then(|one| one.last.as_ref())
        {
            last.patch(lot);
        }
    }

    /// Makes the state of a wallet again that was behind when the store was opened.
    pub(super) fn recall(
        &mut self,
        connection: &Connection,
        wallet: WalletId,
    ) -> Result<(), StoreError> {
        let Some(behind) = self.wallets.behind(wallet).filter(|one| one.last.is_none()) else {
            return Ok(());
        };
        let mut state = load_wallet(connection, None, wallet)?
            .ok_or_else(|| corrupt(format!("{wallet} has rows and is not there")))?;
        let sql = format!("SELECT {ENTRY_COLUMNS} FROM log WHERE id = ?1");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut drawn = Vec::new();
        for row in &behind.rows {
            let mut found = statement.query_and_then([row.id], entry_from_row)?;
            let entry = found
                .next()
                .ok_or_else(|| corrupt(format!("{wallet} has lost the row {}", row.id)))??;
            if entry.version != state.version.saturating_add(1) || !only_spends(&entry) {
                let what = format!(
                    "{wallet} can't be followed behind version {}",
                    state.version
                );
                return Err(corrupt(what));
            }
            state.apply(&entry);
            drawn.extend(entry.event.parts.iter().map(|part| part.lot));
        }
        let last = Last {
            state: StateRow::of(&state),
            lots: lots_now(&state, &drawn),
        };
        if let Some(behind) = self.wallets.behind_mut(wallet) {
            behind.last = Some(last);
        }
        Ok(())
    }

    /// Decides what is folded with a batch.
    pub(super) fn plan<'a>(
        &mut self,
        connection: &Connection,
        batch: &Batch<'a>,
    ) -> Result<Plan<'a>, StoreError> {
        let mut touched = touched_by(batch);
        let rows = batch.entries.len();
        let (mut slice, after) = self.next_slice(rows);
        slice.extend(batch.shown.iter().filter(|id| self.has(**id)));
        let mut chosen: HashSet<WalletId> = slice.iter().copied().collect();
        chosen.extend(batch.shown);
        for one in &mut touched {
            let id = one.state.id;
            self.recall(connection, id)?;
            let behind = self.wallets.behind(id);
            let behind = behind.map_or(0, |behind| behind.rows.len());
            let all = behind + one.rows.len();
            one.is_folded |= one.rows.is_empty() || all > MOST_BEHIND || chosen.contains(&id);
            chosen.remove(&id);
        }
        slice.sort_unstable();
        slice.dedup();
        slice.retain(|id| chosen.contains(id));
        for id in &slice {
            self.recall(connection, *id)?;
        }
        Ok(Plan {
            touched,
            slice,
            after,
            head: batch
                .entries
                .last()
                .map_or(self.head, |entry| entry.id.number()),
            rows,
        })
    }

    /// The wallets that come next in the pass, so many that what is behind does not grow; and where that leads.
    fn next_slice(&self, added: usize) -> (Vec<WalletId>, Option<WalletId>) {
        let mut slice = Vec::new();
        if self.rows + added <= self.length && self.tail + added <= self.length.saturating_mul(2) {
            return (slice, Some(self.pass.after));
        }
        let most = (added + added / 4 + 1).max(self.length / 4096);
        let mut rows = 0;
        for (id, behind) in self.wallets.following(self.pass.after) {
            if rows >= most {
                let after = slice.last().copied();
                return (slice, after);
            }
            rows += behind.rows.len();
            slice.push(id);
        }
        (slice, None)
    }

    /// Writes what is folded, as part of the batch's transaction and behind its rows.
    pub(super) fn write(&self, connection: &Connection, plan: &Plan<'_>) -> rusqlite::Result<()> {
        for one in &plan.touched {
            self.check_versions(connection, one)?;
        }
        let mut folds: Vec<Fold<'_>> = Vec::new();
        let touched = plan.touched.iter().filter(|one| one.is_folded);
        folds.extend(touched.map(|one| Fold {
            id: one.state.id,
            touched: Some(one),
        }));
        folds.extend(plan.slice.iter().map(|id| Fold {
            id: *id,
            touched: None,
        }));
        folds.sort_unstable_by_key(|fold| fold.id);
        let mut folder = Folder::new(connection)?;
        for fold in &folds {
            self.fold(&mut folder, fold)?;
        }
        if plan.after.is_none() {
            connection
                .prepare_cached("UPDATE trail_fold SET folded_to = ?1")?
                .execute([self.pass.through])?;
        }
        Ok(())
    }

    /// The rows of a wallet follow the last one that is known, without a gap.
    fn check_versions(&self, connection: &Connection, one: &Touched<'_>) -> rusqlite::Result<()> {
        if one.rows.is_empty() {
            return Ok(());
        }
        let id = one.state.id;
        let mut last = match self.wallets.version(id) {
            Some(version) => version,
            None => state_row::version(connection, id)?.unwrap_or(0),
        };
        for row in &one.rows {
            expect_one(usize::from(row.version == last + 1))?;
            last = row.version;
        }
        expect_one(usize::from(one.state.version == last))
    }

    fn fold(&self, folder: &mut Folder<'_>, fold: &Fold<'_>) -> rusqlite::Result<()> {
        let behind = self.wallets.behind(fold.id);
        let waiting = behind.map_or(&[][..], |behind| &behind.rows);
        let added = fold.touched.map_or(&[][..], |one| &one.rows);
        for row in waiting.iter().chain(added) {
            let values = (fold.id.number(), row.version, row.id);
            folder.rows.execute(values)?;
        }
        let last = behind.and_then(|behind| behind.last.as_ref());
        // Lots that the batch touches are written by it, behind this.
        for lot in last.map_or(&[][..], |last| &last.lots) {
            folder.lots.write(lot.id, lot.remaining, lot.held)?;
        }
        match (fold.touched, last) {
            (Some(one), _) => folder.states.write(&StateRow::of(one.state)),
            (None, Some(last)) => folder.states.write(&last.state),
            (None, None) => expect_one(0),
        }
    }

    /// The commit succeeded.
    pub(super) fn committed(&mut self, plan: Plan<'_>) {
        self.head = plan.head;
        self.tail += plan.rows;
        self.pass.rows += plan.rows;
        for id in &plan.slice {
            self.rows -= self.wallets.fold(*id, None);
        }
        for one in plan.touched {
            if one.is_folded {
                self.rows -= self.wallets.fold(one.state.id, Some(one.state.version));
                continue;
            }
            self.rows += one.rows.len();
            let behind = self.wallets.wait(one.state.id, one.state.version);
            behind.rows.extend(one.rows);
            let mut lots = behind.last.take().map_or_else(Vec::new, |last| last.lots);
            for lot in lots_now(one.state, &one.drawn) {
                match lots.iter_mut().find(|known| known.id == lot.id) {
                    Some(known) => *known = lot,
                    None => lots.push(lot),
                }
            }
            behind.last = Some(Last {
                state: StateRow::of(one.state),
                lots,
            });
        }
        if let Some(after) = plan.after {
            self.pass.after = after;
            return;
        }
        self.tail = self.pass.rows;
        self.pass = Pass {
            after: WalletId::from_number(i64::MIN),
            through: self.head,
            rows: 0,
        };
    }
}

struct Fold<'a> {
    id: WalletId,
    touched: Option<&'a Touched<'a>>,
}

/// The statements that fold.
struct Folder<'a> {
    rows: CachedStatement<'a>,
    lots: LotWriter<'a>,
    states: StateWriter<'a>,
}

impl<'a> Folder<'a> {
    fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            rows: connection.prepare_cached(
                "INSERT INTO wallet_log (wallet_id, version, entry_id) VALUES (?1, ?2, ?3)",
            )?,
            lots: LotWriter::new(connection)?,
            states: StateWriter::new(connection)?,
        })
    }
}

impl Plan<'_> {
    /// Lots whose last form waits in memory: the batch does not write them.
    pub(super) fn lots_behind(&self) -> HashSet<LotId> {
        let trailing = self.touched.iter().filter(|one| !one.is_folded);
        let drawn = trailing.flat_map(|one| &one.drawn);
        drawn.map(|key| key.id).collect()
    }
}

impl Last {
    fn patch(&self, lot: &mut Lot) {
        if let Some(now) = self.lots.iter().find(|now| now.id == lot.id) {
            (lot.remaining, lot.held) = (now.remaining, now.held);
        }
    }
}
