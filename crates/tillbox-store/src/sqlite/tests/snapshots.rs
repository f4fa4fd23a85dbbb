//! Snapshots: they shorten the way to the past, and never change it.

use super::{Ledger, OURS, at, units, usd};
use crate::sqlite::books::fold;
use crate::sqlite::snapshots::{EVERY, nearest};
use crate::sqlite::walk::{PastStates, Steps, Walk};
use crate::sqlite::{Connection, past};
use std::collections::BTreeMap;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{AfterCapture, CaptureHold, Command, Credit, Debit, Expiry, PlaceHold};
use tillbox_core::decide::{Context, as_of, decide, due};
use tillbox_core::entry::{Actor, Entry, Note, Stamp, encode_state, seal};
use tillbox_core::id::{EntryId, HoldId, LotId, WalletId};
use tillbox_core::lot::FundingType;
use tillbox_core::policy::Policies;
use tillbox_core::reason::Reason;
use tillbox_core::wallet::WalletState;
use tillbox_engine::port::{Batch, HoldWrite, LotWrite};

/// A wallet with so many rows, in one commit, a second after the other: gifts that expire, holds that are captured and
/// that end, debits.
pub(super) fn busy(rows: usize) -> (Ledger, WalletId, Vec<Arc<Entry>>) {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    let entries = go_on(&mut ledger, wallet, rows);
    (ledger, wallet, entries)
}

/// So many further rows of it.
pub(super) fn go_on(ledger: &mut Ledger, wallet: WalletId, rows: usize) -> Vec<Arc<Entry>> {
    let mut state = ledger.states.remove(&wallet).expect("an open wallet");
    let mut entries: Vec<Arc<Entry>> = Vec::with_capacity(rows);
    let mut written = Written::default();
    while entries.len() < rows {
        let number = usize::try_from(state.version).expect("few rows");
        let mut event = due(&state, ledger.now);
        if event.is_none() {
            ledger.now = ledger.now.plus_seconds(1);
            event = due(&state, ledger.now);
        }
        let event = event.unwrap_or_else(|| decided(ledger, &state, &command(&state, number)));
        let stamp = Stamp {
            id: EntryId::from_number(ledger.next_id()),
            at: ledger.now,
            actor: Actor::System,
            key: None,
            salt: [9; 16],
        };
        let entry = seal(&state, with_source(event, stamp.id), stamp);
        state.apply(&entry);
        written.add(&entry, &state);
        entries.push(Arc::new(entry));
    }
    let (lots, holds) = written.of(wallet, &state);
    ledger.commit(&Batch {
        opened: &[],
        entries: &entries,
        wallets: &[&state],
        lots: &lots,
        holds: &holds,
        top_ups: &[],
        answers: &[],
        shown: &[],
    });
    ledger.states.insert(wallet, state);
    entries
}

fn decided(ledger: &Ledger, state: &WalletState, command: &Command) -> tillbox_core::entry::Event {
    let next_id = || ledger.next_id();
    let policies = Policies::default();
    let context = Context {
        now: ledger.now,
        entry_id: EntryId::from_number(ledger.last_id.get() + 1),
        next_id: &next_id,
        policies: &policies,
    };
    decide(state, command, &context).expect("an allowed command")
}

/// The decision named the id that its row would have; a lot is of the row that it got.
fn with_source(mut event: tillbox_core::entry::Event, id: EntryId) -> tillbox_core::entry::Event {
    for lot in &mut event.lots {
        lot.source = id;
    }
    event
}

fn command(state: &WalletState, number: usize) -> Command {
    let note = Note::default();
    let hold = state.holds().last().map(|hold| hold.id);
    match (number % 10, hold) {
        (0, _) => Command::Credit(Credit {
            expiry: (number % 20 == 10).then_some(Expiry::InSeconds(120)),
            ..Credit::new(units(40), FundingType::ALL[number / 10 % 5])
        }),
        (4, _) if state.available() >= units(3) => Command::PlaceHold(PlaceHold {
            amount: units(3),
            expiry: Expiry::InSeconds(40),
            invoice_id: None,
            note,
        }),
        (7, Some(hold_id)) => Command::CaptureHold(CaptureHold {
            hold_id,
            amount: Some(units(1)),
            after: AfterCapture::StayOpen,
            note,
        }),
        _ => Command::Debit(Debit {
            amount: units(5),
            reason: Reason::Usage,
            force: Some(tillbox_core::command::Force { floor: None }),
            note,
        }),
    }
}

/// What a commit writes of lots and holds: each once, as it stands in the end.
#[derive(Default)]
struct Written {
    made: Vec<tillbox_core::lot::Lot>,
    lots: BTreeMap<LotId, tillbox_core::lot::DrawKey>,
    holds: BTreeMap<HoldId, tillbox_core::entry::HoldChange>,
}

impl Written {
    fn add(&mut self, entry: &Entry, _state: &WalletState) {
        self.made.extend(entry.event.lots.iter().cloned());
        let parts = entry.event.parts.iter();
        self.lots.extend(parts.map(|part| (part.lot.id, part.lot)));
        self.holds
            .extend(entry.event.hold.map(|hold| (hold.id, hold)));
    }

    fn of(self, wallet_id: WalletId, state: &WalletState) -> (Vec<LotWrite>, Vec<HoldWrite>) {
        let made = self.made.into_iter();
        let made = made.map(|lot| LotWrite::Opened { wallet_id, lot });
        let changed = self.lots.into_iter().map(|(id, key)| {
            let open = state.lot(&key);
            LotWrite::Changed {
                id,
                remaining: open.map_or(Amount::ZERO, |lot| lot.remaining),
                held: open.map_or(Amount::ZERO, |lot| lot.held),
                expires_at: None,
            }
        });
        let holds = self.holds.into_iter().map(|(id, change)| HoldWrite {
            wallet_id,
            hold: state.hold(id).cloned().unwrap_or_else(|| change.to_hold()),
        });
        (made.chain(changed).collect(), holds.collect())
    }
}

/// Folds all of the log, with the snapshots that are due.
pub(super) fn fold_all(ledger: &mut Ledger) {
    let past = PastStates::new(1 << 20);
    while let Some(folded) = ledger.read(|connection| fold::read(connection, &past, 700)) {
        ledger.plain(move |connection| fold::write(connection, &folded));
    }
}

fn versions(connection: &Connection) -> Vec<u64> {
    let mut statement = connection
        .prepare("SELECT version FROM snapshots ORDER BY version")
        .expect("a statement");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("versions")
}

/// The wallet at each of some instants.
fn pasts(ledger: &Ledger, wallet: WalletId) -> Vec<WalletState> {
    let instants = (0..33).map(|place| at(1_000).plus_seconds(place * 71));
    let state_at = |instant| {
        let state = ledger.read(|connection| past::state_at(connection, OURS, wallet, instant));
        state.expect("a wallet")
    };
    instants.map(state_at).collect()
}

#[track_caller]
fn demand_same(found: &[WalletState], expected: &[WalletState]) {
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(found == expected, "at {place}: {found:?} for {expected:?}");
    }
}

/// Rows that a fresh walk replays to stand behind a version.
fn replays(ledger: &Ledger, wallet: WalletId, version: u64) -> usize {
    let past = PastStates::new(1 << 20);
    ledger.read(|connection| {
        let mut steps = Steps(100_000);
        Walk::default().at(connection, &past, OURS, wallet, version, &mut steps)?;
        Ok(100_000 - steps.0)
    })
}

#[test]
fn the_past_is_the_same_with_snapshots_and_without() {
    let (mut ledger, wallet, entries) = busy(2_600);
    let mut state = ledger
        .read(|connection| past::initial(connection, OURS, wallet))
        .expect("a wallet");
    let mut told = Vec::new();
    for place in 0..33 {
        let instant = at(1_000).plus_seconds(place * 71);
        let first = usize::try_from(state.version).expect("few");
        for entry in entries[first..]
            .iter()
            .take_while(|entry| entry.at <= instant)
        {
            state.apply(entry);
        }
        told.push(as_of(&state, instant));
    }
    assert!(told.iter().any(|state| state.holds().len() > 0));
    demand_same(&pasts(&ledger, wallet), &told);
    assert_eq!(replays(&ledger, wallet, 2_500), 2_500);
    fold_all(&mut ledger);
    assert_eq!(
        ledger.read(|connection| Ok(versions(connection))),
        [1_000, 2_000]
    );
    demand_same(&pasts(&ledger, wallet), &told);
    assert_eq!(replays(&ledger, wallet, 2_500), 500);
    assert_eq!(replays(&ledger, wallet, 2_000), 0);
    assert_eq!(replays(&ledger, wallet, 1_999), 999);
    ledger.plain(|connection| {
        connection.execute("DELETE FROM snapshots", [])?;
        Ok(())
    });
    demand_same(&pasts(&ledger, wallet), &told);

    // They come back as the wallet goes on.
    go_on(&mut ledger, wallet, 500);
    fold_all(&mut ledger);
    let found = ledger.read(|connection| Ok(versions(connection)));
    assert_eq!(found, [1_000, 2_000, 3_000]);
    demand_same(&pasts(&ledger, wallet), &told);
}

#[test]
fn a_snapshot_that_does_not_hold_against_the_log_is_passed_over() {
    let (mut ledger, wallet, _) = busy(2_100);
    fold_all(&mut ledger);
    let told = pasts(&ledger, wallet);
    let state = ledger
        .read(|connection| nearest(connection, wallet, 2_000))
        .expect("a snapshot");
    assert_eq!(state.version, 2 * EVERY);
    let mut richer = state.clone();
    richer.balance += units(1);
    let mut other_row = state;
    other_row.head = [7; 32];
    let forged = |state: &WalletState| {
        let bytes = encode_state(state);
        (blake3::hash(&bytes).as_bytes().to_vec(), bytes)
    };
    let (sound_sum, mut flipped) = forged(&richer);
    flipped[40] ^= 1;
    for (name, (checksum, bytes)) in [
        ("a flipped bit", (sound_sum, flipped)),
        ("another balance", forged(&richer)),
        ("another row", forged(&other_row)),
        (
            "no state",
            (blake3::hash(b"x").as_bytes().to_vec(), b"x".to_vec()),
        ),
    ] {
        ledger.plain(move |connection| {
            connection.execute(
                "UPDATE snapshots SET checksum = ?1, state = ?2 WHERE version = 2000",
                rusqlite::params![checksum, bytes],
            )?;
            Ok(())
        });
        let used = ledger.read(|connection| nearest(connection, wallet, 2_050));
        assert_eq!(used.map(|state| state.version), Some(EVERY), "{name}");
        demand_same(&pasts(&ledger, wallet), &told);
    }
}
