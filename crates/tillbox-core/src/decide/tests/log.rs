//! Format 1 of a row's body and the chain over it: bytes and hashes that must never change.

mod money_back;
mod money_in;

use super::book::{Book, new_wallet};
use super::*;
use crate::command::Usage;
use crate::debt::DebtSpan;
use crate::entry::{
    Actor, Entry, EntryKind, Event, HoldChange, KeyStamp, Part, Stamp, UsageFacts, decode_body,
    encode_body, seal,
};
use crate::hold::HoldStatus;
use crate::id::{ApiKeyId, InvoiceId, LotId, TopUpId};
use crate::lot::{DrawKey, Lot};
use crate::wallet::{WalletState, WalletStatus};
use proptest::prelude::*;
use std::fmt::Write;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

fn note(text: &str) -> Note {
    Note {
        description: Some(text.into()),
        reference: None,
        metadata: Some("{\"a\":1}".into()),
    }
}

fn sealed(event: Event, actor: Actor) -> Entry {
    let state = WalletState::new(new_wallet(WalletStatus::Active));
    let stamp = Stamp {
        id: EntryId::from_number(1_000),
        at: at(0),
        actor,
        key: Some(KeyStamp {
            key: [1; 16],
            fingerprint: [2; 16],
        }),
        salt: [3; 16],
    };
    seal(&state, event, stamp)
}

fn body(entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_body(entry, &mut bytes);
    bytes
}

fn check_vector(entry: &Entry, wanted_body: &str, wanted_hash: &str) {
    let bytes = body(entry);
    let event = &entry.event;
    let read = decode_body(
        &bytes,
        event.kind,
        event.reason,
        event.amount,
        event.note.clone(),
    );
    assert_eq!(read, Ok((entry.actor, event.clone())));
    assert_eq!(hex(&bytes), wanted_body);
    assert_eq!(hex(&entry.hash), wanted_hash);
}

fn micros(micros: i64) -> Amount {
    Amount::from_micros(micros)
}

/// Every field set, numbers of both signs and of one to ten bytes.
fn full() -> Entry {
    let key = DrawKey {
        priority: 100,
        expires_at: at(1),
        withdrawable: true,
        created_at: at(-1),
        id: LotId::from_number(i64::MAX),
    };
    let event = Event {
        reason: Some(Reason::Usage),
        amount: micros(-43),
        parts: vec![
            Part {
                lot: key,
                funding: FundingType::Cash,
                amount: micros(-63),
                held: micros(64),
                pays_debt_from: Some(Amount::MAX_BALANCE),
            },
            Part {
                lot: DrawKey {
                    expires_at: Timestamp::NEVER,
                    ..key
                },
                funding: FundingType::Promotional,
                amount: micros(-40),
                held: Amount::ZERO,
                pays_debt_from: None,
            },
        ],
        lots: vec![Lot {
            id: LotId::from_number(5),
            funding: FundingType::ManualAdjustment,
            withdrawable: true,
            priority: 0,
            expires_at: None,
            created_at: at(0),
            amount: Amount::MAX_SINGLE,
            cost_basis: micros(1),
            source: EntryId::from_number(6),
            succeeds: Some(LotId::from_number(4)),
            remaining: micros(300),
            held: micros(2),
        }],
        debt_made: Some(DebtSpan {
            from: micros(128),
            amount: micros(7),
        }),
        debt_canceled: vec![DebtSpan {
            from: micros(64),
            amount: micros(4),
        }],
        hold: Some(HoldChange {
            id: HoldId::from_number(8),
            amount: micros(90),
            captured: micros(50),
            released: micros(40),
            overdraft: micros(-9),
            expires_at: at(3),
            placed_at: at(2),
            invoice_id: Some(InvoiceId::from_number(10)),
            status: HoldStatus::Captured,
        }),
        usage: Some(UsageFacts {
            price_key: "appel-é".into(),
            quantity: 61,
            billed_quantity: 120,
        }),
        refund_of: Some(EntryId::from_number(11)),
        top_up_id: Some(TopUpId::from_number(12)),
        status: Some(WalletStatus::Frozen),
        overdraft_limit: Some(micros(13)),
        effective_at: Some(at(-2)),
        ..Event::new(EntryKind::Usage, note("call to Zürich"))
    };
    sealed(event, Actor::ApiKey(ApiKeyId::from_number(14)))
}

#[test]
fn format_1_never_changes() {
    let empty = sealed(
        Event::new(EntryKind::Unfrozen, Note::default()),
        Actor::System,
    );
    check_vector(
        &empty,
        "0100000000",
        "3ad31f32d09392a0afc34a96b36d9b4dad6e85d1f5f71e7a8668068348e354f0",
    );
    check_vector(
        &full(),
        "0103ff1c02648089be8ae5c5b2060180f7c988e5c5b206feffffffffffffffff01017d8001018080a0a89c94b6e6f901\
         64010180f7c988e5c5b206feffffffffffffffff01024f0000010a050100018080c489e5c5b2068080a0f6f4acdbe01b\
         020c08d8040480020e0180010810b401645011809bb28ce5c5b2068092b88be5c5b206140108617070656c2dc3a97af0\
         011618021a80eecf87e5c5b206",
        "c756a361970056128c0905d85d3acd9f13426f21f8eb53a4441f0b4f1fe36782",
    );
}

/// The bytes under the hash, laid out by hand.
#[test]
fn the_hash_is_over_the_row_before_the_columns_and_the_body() {
    let entry = full();
    let text = [
        [3; 16].as_slice(),
        &[0, 0, 0, 0, 0, 0, 0, 16],
        "call to Zürich".as_bytes(),
        &[0; 8],
        &[0, 0, 0, 0, 0, 0, 0, 8],
        b"{\"a\":1}",
    ]
    .concat();
    let bytes = [
        [0; 32].as_slice(),
        &1_000_i64.to_be_bytes(),
        &1_i64.to_be_bytes(),
        &1_800_000_000_000_000_i64.to_be_bytes(),
        &(-43_i64).to_be_bytes(),
        &(-43_i64).to_be_bytes(),
        &1_u64.to_be_bytes(),
        &1_u64.to_be_bytes(),
        &[5, 7],
        &[1; 16],
        &[2; 16],
        blake3::hash(&text).as_bytes(),
        &body(&entry),
    ]
    .concat();
    assert_eq!(&entry.hash, blake3::hash(&bytes).as_bytes());
}

#[test]
fn the_chain_of_a_wallet_never_changes() {
    let mut book = Book::after([limit(3), cash(5), given(2), hold(4, 60), debit(5)]);
    let id = HoldId::from_number(104);
    book.now = at(30);
    book.ok(capture(id, Some(2), AfterCapture::End));
    book.ok(Command::Usage(Usage {
        cost: Amount::ZERO,
        facts: UsageFacts {
            price_key: "sms".into(),
            quantity: 0,
            billed_quantity: 0,
        },
        hold_id: None,
        force: None,
        note: note("nothing"),
    }));
    assert_eq!(
        hex(&book.state.head),
        "1895ed59037024a25d1fe56ef94a156e2c2e45bdf9a57a0c3475042dfb9472ce"
    );
    assert_eq!((book.state.version, book.state.seq), (7, 4));
}

type Change = fn(&mut Entry);

#[test]
fn each_column_and_the_body_are_in_the_hash() {
    let entry = full();
    let previous = [0; 32];
    let wanted = entry.chained_after(&previous);
    assert_eq!(wanted, entry.hash);
    assert_ne!(entry.chained_after(&[1; 32]), wanted, "the row before");
    let columns: [(&str, Change); 12] = [
        ("id", |row| row.id = EntryId::from_number(1_001)),
        ("wallet", |row| {
            row.wallet_id = crate::id::WalletId::from_number(2);
        }),
        ("version", |row| row.version += 1),
        ("seq", |row| row.seq = None),
        ("time", |row| row.at = at(1)),
        ("balance", |row| row.balance_after += micros(1)),
        ("amount", |row| row.event.amount += micros(1)),
        ("kind", |row| row.event.kind = EntryKind::Debit),
        ("reason", |row| row.event.reason = Some(Reason::Overage)),
        ("key", |row| row.key = None),
        ("actor", |row| row.actor = Actor::System),
        ("text", |row| row.note_commitment = Some([0; 32])),
    ];
    for (name, change) in columns {
        let mut changed = entry.clone();
        change(&mut changed);
        assert_ne!(changed.chained_after(&previous), wanted, "{name}");
    }
}

#[test]
fn r50_an_erased_text_keeps_the_chain_and_a_changed_one_is_found() {
    let entry = full();
    assert!(entry.note_holds());
    let mut changed = entry.clone();
    changed.event.note.description = Some("call to Bern".into());
    assert!(!changed.note_holds());
    let mut blanked = entry.clone();
    blanked.event.note = Note::default();
    assert!(!blanked.note_holds(), "text without its salt, or neither");
    let mut erased = blanked;
    erased.salt = None;
    assert!(erased.note_holds());
    assert_eq!(erased.chained_after(&[0; 32]), entry.hash);
    let mut moved = entry.clone();
    moved.event.note.reference = moved.event.note.description.take();
    assert!(!moved.note_holds(), "a text in another field");
    let mut emptied = entry;
    emptied.event.note.reference = Some("".into());
    assert!(!emptied.note_holds(), "no text is not an empty text");
}

#[test]
fn r50_a_row_without_text_has_no_salt_and_takes_no_text_later() {
    let mut entry = sealed(
        Event::new(EntryKind::Frozen, Note::default()),
        Actor::System,
    );
    assert_eq!((entry.salt, entry.note_commitment), (None, None));
    assert!(entry.note_holds());
    entry.event.note = note("added later");
    assert!(!entry.note_holds());
}

#[test]
fn r1_version_numbers_every_row_and_seq_those_that_move_money() {
    let book = Book::after([limit(3), cash(5), hold(4, 60), debit(1), freeze()]);
    let numbers: Vec<_> = book
        .entries
        .iter()
        .map(|entry| (entry.version, entry.seq))
        .collect();
    assert_eq!(
        numbers,
        [(1, None), (2, Some(1)), (3, None), (4, Some(2)), (5, None)]
    );
    let balances: Vec<_> = book.entries.iter().map(Entry::balance_before).collect();
    assert_eq!(balances, [0, 0, 5, 5, 4].map(units));
}

#[test]
#[should_panic(expected = "parts and debt add up to the amount")]
fn a_row_whose_parts_do_not_add_up_is_never_sealed() {
    let event = Event {
        reason: Some(Reason::Usage),
        amount: micros(-1),
        ..Event::new(EntryKind::Debit, Note::default())
    };
    sealed(event, Actor::System);
}

#[test]
#[should_panic(expected = "a row is missing or applied twice")]
fn a_row_is_applied_once() {
    let mut book = Book::after([cash(1)]);
    let entry = book.entries[0].clone();
    book.state.apply(&entry);
}

fn read(bytes: &[u8]) -> bool {
    decode_body(bytes, EntryKind::Usage, None, Amount::ZERO, Note::default()).is_ok()
}

#[test]
fn a_cut_or_lengthened_body_is_refused() {
    let bytes = body(&full());
    assert!(read(&bytes));
    for end in 0..bytes.len() {
        assert!(!read(&bytes[..end]), "cut to {end} bytes");
    }
    assert!(!read(&[bytes.as_slice(), &[0]].concat()));
    for format in [0, 2, 255] {
        assert!(!read(&[&[format], &bytes[1..]].concat()), "format {format}");
    }
    assert!(read(&[1, 0, 0, 0, 0]));
    for flag in [0x80, 0x40, 0x20, 0x10, 8, 4] {
        assert!(!read(&[1, flag, 0, 0, 0]), "a flag of a later version");
    }
}

#[test]
fn a_length_beyond_the_bytes_is_refused_before_anything_is_made() {
    for length in [
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01].as_slice(),
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x80; 12],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        &[5],
    ] {
        assert!(!read(&[&[1, 0, 0], length].concat()), "{length:?}");
        assert!(!read(&[&[1, 0, 4, 0, 0], length].concat()), "{length:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is read is no larger than the bytes allow: each part and lot takes at least ten of them.
    #[test]
    fn garbage_never_panics_and_never_allocates_more_than_it_is(flags in any::<[u8; 2]>(), rest in prop::collection::vec(any::<u8>(), 0..300)) {
        for bytes in [rest.clone(), [&[1, flags[0] & 3, flags[1]], rest.as_slice()].concat()] {
            let read = decode_body(&bytes, EntryKind::Usage, None, Amount::ZERO, Note::default());
            if let Ok((_, event)) = read {
                prop_assert!((event.parts.len() + event.lots.len()) * 8 <= bytes.len());
                prop_assert!(event.parts.capacity() <= bytes.len().max(4));
            }
        }
    }

    /// One byte changed at any place is refused or read as something, without a panic.
    #[test]
    fn a_changed_byte_never_panics(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = body(&full());
        let place = place.index(bytes.len());
        bytes[place] = byte;
        read(&bytes);
    }

    #[test]
    fn numbers_read_back(numbers in prop::array::uniform4(any::<i64>())) {
        let event = Event {
            debt_made: Some(DebtSpan { from: micros(numbers[0]), amount: micros(numbers[1]) }),
            overdraft_limit: Some(micros(numbers[2])),
            effective_at: Some(Timestamp::from_micros(numbers[3])),
            ..Event::new(EntryKind::PolicyChanged, Note::default())
        };
        let mut entry = sealed(Event::new(EntryKind::PolicyChanged, Note::default()), Actor::System);
        entry.event = event.clone();
        let bytes = body(&entry);
        let read = decode_body(&bytes, event.kind, None, Amount::ZERO, Note::default());
        prop_assert_eq!(read, Ok((Actor::System, event)));
    }
}
