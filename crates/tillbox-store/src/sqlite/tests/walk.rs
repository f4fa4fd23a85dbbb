//! Walks through the logs of wallets: the states are those of the log, and what is remembered is used.

use super::{FOREIGN, Ledger, OURS, usd};
use crate::error::StoreError;
use crate::sqlite::{Connection, PastStates, Steps, Walk, past};
use std::sync::Arc;
use tillbox_core::entry::Entry;
use tillbox_core::id::WalletId;
use tillbox_core::reason::Reason;
use tillbox_core::wallet::WalletState;

fn history(rows: usize) -> (Ledger, WalletId, Vec<Arc<Entry>>) {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    let mut entries = vec![ledger.credit(wallet, None)];
    while entries.len() < rows {
        entries.push(match entries.len() % 5 {
            0 => ledger.credit(wallet, None),
            _ => ledger.debit(wallet, Reason::Usage, "r"),
        });
    }
    (ledger, wallet, entries)
}

fn replayed(
    connection: &Connection,
    wallet: WalletId,
    through: u64,
) -> Result<WalletState, StoreError> {
    let mut state = past::initial(connection, OURS, wallet)?.expect("a wallet");
    past::advance(connection, &mut state, through, 1_000)?;
    Ok(state)
}

#[test]
fn a_walk_stands_before_each_row_as_the_log_says() {
    let (ledger, wallet, entries) = history(12);
    let past = PastStates::new(1 << 20);
    let mut walk = Walk::default();
    // Not each row is asked for: those between are replayed.
    for place in [0, 1, 4, 5, 9, 11] {
        let entry = &entries[place];
        ledger.read(|connection| {
            let mut steps = Steps(100);
            let before = walk.before(connection, &past, OURS, entry, &mut steps)?;
            let expected = replayed(connection, wallet, entry.version - 1)?;
            assert_eq!(before.map(|state| &**state), Some(&expected));
            let after = walk.apply(entry).expect("it was asked for");
            assert_eq!(**after, replayed(connection, wallet, entry.version)?);
            Ok(())
        });
    }
    let foreign = ledger.read(|connection| past::initial(connection, FOREIGN, wallet));
    assert_eq!(foreign, None);
}

#[test]
fn a_walk_that_is_cut_short_goes_on_with_the_next_read() {
    let (ledger, _, entries) = history(12);
    let past = PastStates::new(1 << 20);
    let mut walk = Walk::default();
    let mut reads = 0;
    loop {
        reads += 1;
        let reached = ledger.read(|connection| {
            let mut steps = Steps(3);
            let before = walk.before(connection, &past, OURS, &entries[11], &mut steps)?;
            Ok(before.map(|state| state.version))
        });
        if let Some(version) = reached {
            assert_eq!(version, 11);
            break;
        }
    }
    assert_eq!(reads, 4, "eleven rows by threes");
}

/// Rows that a fresh walk replays to stand before a row.
fn replays(ledger: &Ledger, past: &PastStates, entry: &Entry) -> usize {
    ledger.read(|connection| {
        let mut steps = Steps(1_000);
        let mut walk = Walk::default();
        walk.before(connection, past, OURS, entry, &mut steps)?;
        Ok(1_000 - steps.0)
    })
}

#[test]
fn a_walk_begins_where_another_ended() {
    let (ledger, _, entries) = history(12);
    let past = PastStates::new(1 << 20);
    assert_eq!(
        replays(&ledger, &past, &entries[8]),
        8,
        "nobody was there before"
    );
    ledger.read(|connection| {
        let mut walk = Walk::default();
        for place in [3, 8] {
            walk.before(connection, &past, OURS, &entries[place], &mut Steps(100))?;
            walk.remember(&past);
        }
        Ok(())
    });
    for (place, expected) in [(8, 0), (11, 3), (3, 0), (5, 2), (1, 1)] {
        assert_eq!(
            replays(&ledger, &past, &entries[place]),
            expected,
            "before row {place}"
        );
    }
}

#[test]
fn what_is_remembered_is_bounded() {
    let (mut ledger, wallet, entries) = history(12);
    let bytes = ledger.states[&wallet].size_bytes();
    let past = PastStates::new(bytes * 3);
    let remember = |ledger: &Ledger, entry: &Entry| {
        ledger.read(|connection| {
            let mut walk = Walk::default();
            walk.before(connection, &past, OURS, entry, &mut Steps(100))?;
            walk.remember(&past);
            Ok(())
        });
    };
    for entry in &entries {
        remember(&ledger, entry);
    }
    assert_eq!(replays(&ledger, &past, &entries[11]), 0, "the last is kept");
    assert!(replays(&ledger, &past, &entries[2]) > 0, "the first is not");
    for customer in 2..9 {
        let other = ledger.open(OURS, customer, usd());
        let row = ledger.credit(other, None);
        remember(&ledger, &row);
    }
    assert_eq!(
        replays(&ledger, &past, &entries[11]),
        11,
        "others came later"
    );
}

#[test]
fn a_gap_in_the_log_is_no_state() {
    let (mut ledger, _, entries) = history(6);
    ledger.plain(|connection| {
        connection.execute("DELETE FROM log WHERE version = 3", [])?;
        Ok(())
    });
    let past = PastStates::new(1 << 20);
    let walked = ledger.store.read(|connection| {
        let mut walk = Walk::default();
        let before = walk.before(connection, &past, OURS, &entries[5], &mut Steps(100))?;
        Ok(before.cloned())
    });
    assert!(
        matches!(walked, Err(StoreError::Corrupt { .. })),
        "{walked:?}"
    );
}
