//! The sums and the standing of a wallet, as the table `wallet_states` has them.

use super::rows::{corrupt, pack_spans, unpack_spans};
use crate::error::StoreError;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use tillbox_core::amount::Amount;
use tillbox_core::debt::Debt;
use tillbox_core::entry::{Hash, decode_standing, encode_standing};
use tillbox_core::hold::Hold;
use tillbox_core::id::{MerchantId, TopUpId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::TopUp;
use tillbox_core::wallet::{NewWallet, WalletState, WalletStatus};

/// A row of `wallet_states`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StateRow {
    wallet_id: WalletId,
    merchant_id: MerchantId,
    status: WalletStatus,
    pub(super) version: u64,
    seq: u64,
    head: Hash,
    last_at: Timestamp,
    last_effective_at: Timestamp,
    balance: Amount,
    held: Amount,
    debt_paid_to: Amount,
    debt_owed_to: Amount,
    debt_gaps: Option<Vec<u8>>,
    overdraft_limit: Amount,
    next_due_at: Option<Timestamp>,
    standing: Option<Vec<u8>>,
}

const COLUMNS: &str = "merchant_id, status, version, seq, head, last_at, last_effective_at, balance, held, debt_paid_to, debt_owed_to, \
     debt_gaps, overdraft_limit, next_due_at, standing";

impl StateRow {
    /// As the state is now.
    pub(super) fn of(state: &WalletState) -> Self {
        Self {
            wallet_id: state.id,
            merchant_id: state.merchant_id,
            status: state.status,
            version: state.version,
            seq: state.seq,
            head: state.head,
            last_at: state.last_at,
            last_effective_at: state.last_effective_at,
            balance: state.balance,
            held: state.held,
            debt_paid_to: state.debt.paid_to(),
            debt_owed_to: state.debt.owed_to(),
            debt_gaps: pack_spans(state.debt.canceled()),
            overdraft_limit: state.overdraft_limit,
            next_due_at: state.next_due_at(),
            standing: encode_standing(state.recharge.as_deref(), &state.alerts, state.disputed()),
        }
    }

    /// As it is stored.
    pub(super) fn read(connection: &Connection, id: WalletId) -> Result<Option<Self>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM wallet_states WHERE wallet_id = ?1");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query_and_then([id.number()], |row| Self::from_row(id, row))?;
        rows.next().transpose()
    }

    fn from_row(id: WalletId, row: &Row<'_>) -> Result<Self, StoreError> {
        let amount = |column: usize| row.get(column).map(Amount::from_micros);
        let instant = |column: usize| row.get(column).map(Timestamp::from_micros);
        Ok(Self {
            wallet_id: id,
            merchant_id: MerchantId::from_number(row.get(0)?),
            status: WalletStatus::from_code(row.get(1)?)
                .ok_or_else(|| corrupt(format!("{id} has an unknown status")))?,
            version: row.get(2)?,
            seq: row.get(3)?,
            head: row.get(4)?,
            last_at: instant(5)?,
            last_effective_at: instant(6)?,
            balance: amount(7)?,
            held: amount(8)?,
            debt_paid_to: amount(9)?,
            debt_owed_to: amount(10)?,
            debt_gaps: row.get(11)?,
            overdraft_limit: amount(12)?,
            next_due_at: row.get::<_, Option<i64>>(13)?.map(Timestamp::from_micros),
            standing: row.get(14)?,
        })
    }

    /// The state that it stands for, with what is open beside it. What never changes comes from `wallet`.
    pub(super) fn into_state(
        self,
        wallet: NewWallet,
        lots: Vec<Lot>,
        holds: Vec<Hold>,
        top_ups: Vec<(TopUpId, TopUp)>,
    ) -> Result<WalletState, StoreError> {
        let id = self.wallet_id;
        let mut state = WalletState::new(NewWallet {
            status: self.status,
            overdraft_limit: self.overdraft_limit,
            ..wallet
        });
        state.version = self.version;
        state.seq = self.seq;
        state.head = self.head;
        state.last_at = self.last_at;
        state.last_effective_at = self.last_effective_at;
        state.balance = self.balance;
        let gaps = unpack_spans(self.debt_gaps.as_deref().unwrap_or_default())
            .ok_or_else(|| corrupt(format!("{id} has unreadable gaps of debt")))?;
        state.debt = Debt::restore(self.debt_paid_to, self.debt_owed_to, gaps);
        let (recharge, alerts, disputed) = decode_standing(self.standing.as_deref())
            .map_err(|why| corrupt(format!("{id} has an unreadable standing: {why}")))?;
        let state = state.with_open(lots, holds);
        let state = state.with_policy(top_ups, recharge, alerts);
        Ok(state.with_disputed(disputed))
    }
}

/// Writes states.
pub(super) struct StateWriter<'a> {
    update: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    close: CachedStatement<'a>,
}

impl<'a> StateWriter<'a> {
    pub(super) fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            update: connection.prepare_cached(
                "UPDATE wallet_states SET merchant_id = ?2, status = ?3, version = ?4, seq = ?5, head = ?6, last_at = ?7, last_effective_at = ?8, \
                 balance = ?9, held = ?10, debt_paid_to = ?11, debt_owed_to = ?12, debt_gaps = ?13, overdraft_limit = ?14, next_due_at = ?15, standing = ?16 \
                 WHERE wallet_id = ?1",
            )?,
            insert: connection.prepare_cached(
                "INSERT INTO wallet_states (wallet_id, merchant_id, status, version, seq, head, last_at, last_effective_at, balance, held, \
                 debt_paid_to, debt_owed_to, debt_gaps, overdraft_limit, next_due_at, standing) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            )?,
            close: connection.prepare_cached("UPDATE wallets SET closed = 1 WHERE id = ?1")?,
        })
    }

    /// Writes one. Wallets are there but for those that the batch opens.
    pub(super) fn write(&mut self, state: &StateRow) -> rusqlite::Result<()> {
        let values = params![
            state.wallet_id.number(),
            state.merchant_id.number(),
            state.status.code(),
            state.version,
            state.seq,
            state.head,
            state.last_at.micros(),
            state.last_effective_at.micros(),
            state.balance.micros(),
            state.held.micros(),
            state.debt_paid_to.micros(),
            state.debt_owed_to.micros(),
            state.debt_gaps,
            state.overdraft_limit.micros(),
            state.next_due_at.map(Timestamp::micros),
            state.standing
        ];
        if self.update.execute(values)? == 0 {
            self.insert.execute(values)?;
        }
        if state.status == WalletStatus::Closed {
            self.close.execute([state.wallet_id.number()])?;
        }
        Ok(())
    }
}

/// The version at which a wallet's stored state stands; none where it has none.
pub(super) fn version(connection: &Connection, id: WalletId) -> rusqlite::Result<Option<u64>> {
    let mut statement =
        connection.prepare_cached("SELECT version FROM wallet_states WHERE wallet_id = ?1")?;
    let version = statement.query_row([id.number()], |row| row.get(0));
    version.optional()
}
