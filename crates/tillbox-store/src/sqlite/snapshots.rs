//! Snapshots: wallets as they stood behind some of their rows, so that the past need not be replayed from the first.
//!
//! They trail the log: whoever folds it ([`super::books::fold`]) takes them. None is trusted. One that is read must be
//! whole (its checksum), of the row that it says (its head is that row's hash, its balance that row's), or it is passed
//! over for the one before, and in the end for the first row; `verify` replays the log and compares all of each.

use super::walk::{PastStates, Steps, Walk};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use tillbox_core::entry::{decode_state, encode_state};
use tillbox_core::id::{MerchantId, WalletId};
use tillbox_core::wallet::WalletState;

/// A wallet's rows between two snapshots, at least: replaying so many takes a few milliseconds.
pub(super) const EVERY: u64 = 1_000;
/// Bytes that snapshots may take for each row of the log: a large state is kept more rarely.
const BYTES_PER_ROW: u64 = 128;
/// Rows that taking the snapshots of one wallet may replay. Where they do not reach, the next time goes on from there.
const STEPS: usize = 50_000;

/// A wallet behind one of its rows, as it is stored.
pub(super) struct Snapshot {
    wallet: WalletId,
    version: u64,
    state: Vec<u8>,
}

/// Whether one may be taken behind a row of that version.
pub(super) fn is_due(version: u64) -> bool {
    version.is_multiple_of(EVERY)
}

/// Takes what is due of a wallet, up to the row of version `through`.
pub(super) fn take(
    connection: &Connection,
    past: &PastStates,
    walk: &mut Walk,
    merchant: MerchantId,
    wallet: WalletId,
    through: u64,
) -> Result<Vec<Snapshot>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT coalesce(max(version), 0) FROM snapshots WHERE wallet_id = ?1")?;
    let mut last: u64 = statement.query_row([wallet.number()], |row| row.get(0))?;
    let mut taken = Vec::new();
    let mut steps = Steps(STEPS);
    let first = last - last % EVERY + EVERY;
    for version in (first..=through).step_by(usize::try_from(EVERY).unwrap_or(usize::MAX)) {
        let Some(state) = walk.at(connection, past, merchant, wallet, version, &mut steps)? else {
            break;
        };
        let state = encode_state(state);
        let size = u64::try_from(state.len()).unwrap_or(u64::MAX);
        if version - last >= size / BYTES_PER_ROW {
            last = version;
            taken.push(Snapshot {
                wallet,
                version,
                state,
            });
        }
    }
    Ok(taken)
}

pub(super) fn write(connection: &Connection, snapshots: &[Snapshot]) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO snapshots (wallet_id, version, checksum, state) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for snapshot in snapshots {
        statement.execute(params![
            snapshot.wallet.number(),
            snapshot.version,
            blake3::hash(&snapshot.state).as_bytes(),
            snapshot.state
        ])?;
    }
    Ok(())
}

/// The wallet at its last snapshot up to a version that holds against the log; none where there is no such.
pub(super) fn nearest(
    connection: &Connection,
    wallet: WalletId,
    through: u64,
) -> Result<Option<WalletState>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT version, checksum, state FROM snapshots WHERE wallet_id = ?1 AND version <= ?2 ORDER BY version DESC",
    )?;
    let through = i64::try_from(through).unwrap_or(i64::MAX);
    let mut rows = statement.query([wallet.number(), through])?;
    while let Some(row) = rows.next()? {
        let (version, checksum): (u64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        match read(
            connection,
            wallet,
            version,
            &checksum,
            row.get_ref(2)?.as_blob().unwrap_or_default(),
        )? {
            Ok(state) => return Ok(Some(state)),
            Err(why) => {
                tracing::error!(%wallet, version, why, "a snapshot is wrong and was passed over: run `tillbox verify`");
            }
        }
    }
    Ok(None)
}

/// A snapshot as it is stored, whatever it says.
pub(super) struct Stored {
    checksum: Vec<u8>,
    state: Vec<u8>,
}

impl Stored {
    /// Whether it is of that state, whole.
    pub(super) fn is_of(&self, state: &WalletState) -> bool {
        self.state == encode_state(state)
            && blake3::hash(&self.state).as_bytes().as_slice() == self.checksum
    }
}

/// The snapshot behind a row of that version.
pub(super) fn stored(
    connection: &Connection,
    wallet: WalletId,
    version: u64,
) -> Result<Option<Stored>, StoreError> {
    let sql = "SELECT checksum, state FROM snapshots WHERE wallet_id = ?1 AND version = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![wallet.number(), version], |row| {
        Ok(Stored {
            checksum: row.get(0)?,
            state: row.get(1)?,
        })
    });
    Ok(found.optional()?)
}

/// Whether a wallet has any behind its last row, or behind one that has none.
pub(super) fn has_others(
    connection: &Connection,
    wallet: WalletId,
    last: u64,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM snapshots WHERE wallet_id = ?1 AND (version > ?2 OR version % ?3 <> 0))";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![wallet.number(), last, EVERY], |row| row.get(0))?)
}

/// A snapshot held against its row, or what is wrong with it.
fn read(
    connection: &Connection,
    wallet: WalletId,
    version: u64,
    checksum: &[u8],
    bytes: &[u8],
) -> Result<Result<WalletState, &'static str>, StoreError> {
    if blake3::hash(bytes).as_bytes().as_slice() != checksum {
        return Ok(Err("its bytes are not those that were written"));
    }
    let Ok(state) = decode_state(bytes) else {
        return Ok(Err("it is not readable"));
    };
    let mut statement = connection.prepare_cached(
        "SELECT hash, balance_after FROM log_of_wallets WHERE wallet_id = ?1 AND version = ?2",
    )?;
    let row: Option<([u8; 32], i64)> = statement
        .query_row(params![wallet.number(), version], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let is_behind_its_row = row == Some((state.head, state.balance.micros()));
    if state.id != wallet || state.version != version || !is_behind_its_row {
        return Ok(Err("it is not of the row that it names"));
    }
    Ok(Ok(state))
}
