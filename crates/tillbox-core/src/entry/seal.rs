//! Sealing: gives an event its place in the wallet's chain.
//!
//! `hash = BLAKE3(hash before ‖ head of the row ‖ body)`, where the head is the columns that the store
//! keeps beside the body, and the free text takes part as `BLAKE3(salt ‖ texts)`: who erases salt and text
//! keeps the commitment, and the chain holds (R50).

use super::{Actor, Entry, Event, Hash, KeyStamp, Note, encode_body};
use crate::id::EntryId;
use crate::time::Timestamp;
use crate::wallet::WalletState;

/// What a row gets from outside: its id, its time, who caused it, under which key.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// The row's id, higher than any before.
    pub id: EntryId,
    /// When it is booked.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// The key under which it answers again.
    pub key: Option<KeyStamp>,
    /// Random bytes that hide the free text.
    pub salt: [u8; 16],
}

/// The next row of the wallet. The state is not changed: [`WalletState::apply`] does that.
pub fn seal(state: &WalletState, event: Event, stamp: Stamp) -> Entry {
    let moves = event.moves_money();
    assert_eq!(
        event.balance_of_parts(),
        event.amount,
        "parts and debt add up to the amount"
    );
    let (salt, note_commitment) = if event.note.is_empty() {
        (None, None)
    } else {
        (Some(stamp.salt), Some(commit_to(&event.note, &stamp.salt)))
    };
    let mut entry = Entry {
        id: stamp.id,
        wallet_id: state.id,
        version: state.version.saturating_add(1),
        seq: moves.then(|| state.seq.saturating_add(1)),
        at: stamp.at,
        balance_after: state.balance + event.amount,
        actor: stamp.actor,
        key: stamp.key,
        event,
        salt,
        note_commitment,
        hash: [0; 32],
    };
    entry.hash = entry.chained_after(&state.head);
    entry
}

impl Entry {
    /// The hash that this row must carry when the one before carries `previous`.
    pub fn chained_after(&self, previous: &Hash) -> Hash {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(previous);
        for number in [
            self.id.number(),
            self.wallet_id.number(),
            self.at.micros(),
            self.balance_after.micros(),
            self.event.amount.micros(),
        ] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes.extend_from_slice(&self.seq.unwrap_or(0).to_be_bytes());
        bytes.push(self.event.kind.code());
        bytes.push(self.event.reason.map_or(0, crate::reason::Reason::code));
        let (key, fingerprint) = self
            .key
            .map_or(([0; 16], [0; 16]), |stamp| (stamp.key, stamp.fingerprint));
        bytes.extend_from_slice(&key);
        bytes.extend_from_slice(&fingerprint);
        bytes.extend_from_slice(&self.note_commitment.unwrap_or([0; 32]));
        encode_body(self, &mut bytes);
        *blake3::hash(&bytes).as_bytes()
    }

    /// Whether the free text is the one that the chain holds; an erased text holds too.
    pub fn note_holds(&self) -> bool {
        match (&self.salt, &self.note_commitment) {
            (Some(salt), Some(commitment)) => commit_to(&self.event.note, salt) == *commitment,
            (None, _) => self.event.note.is_empty(),
            (Some(_), None) => false,
        }
    }
}

/// What the chain holds of the free text.
pub fn commit_to(note: &Note, salt: &[u8; 16]) -> [u8; 32] {
    // One call over all bytes is several times faster than one for each.
    let mut whole = Vec::with_capacity(128);
    whole.extend_from_slice(salt);
    for text in [&note.description, &note.reference, &note.metadata] {
        let bytes = text.as_deref().map_or(&[][..], str::as_bytes);
        let present = u64::from(text.is_some());
        let length = u64::try_from(bytes.len())
            .unwrap_or(u64::MAX)
            .saturating_add(present);
        whole.extend_from_slice(&length.to_be_bytes());
        whole.extend_from_slice(bytes);
    }
    *blake3::hash(&whole).as_bytes()
}
