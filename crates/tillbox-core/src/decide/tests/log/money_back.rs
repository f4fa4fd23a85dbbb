//! The same for what goes back of payments: refunds to cards, payouts and disputes.

use super::*;
use crate::entry::{Destination, PayoutWay, decode_payback, encode_payback};
use crate::id::DisputeId;
use crate::payback::{Chargeback, Dispute, DisputeStatus, Payback, Payout, PayoutStatus};

fn dispute(number: i64, status: DisputeStatus) -> Dispute {
    Dispute {
        id: DisputeId::from_number(number),
        provider_id: "dp-é".into(),
        status,
        amount: micros(70),
        reason: Some("fraudulent".into()),
        hold_id: Some(HoldId::from_number(31)),
        opened_at: at(-3),
    }
}

pub(super) fn full_payback() -> Payback {
    Payback {
        charged: micros(1_000),
        given: micros(100),
        lot: LotId::from_number(300),
        bonus_lot: Some(LotId::from_number(301)),
        lapsed: micros(5),
        refunded: micros(64),
        clawed: micros(63),
        charged_back: micros(128),
        given_charged_back: micros(60),
        chargebacks: vec![Chargeback {
            entry_id: EntryId::from_number(32),
            left: micros(127),
        }],
        disputes: vec![
            dispute(33, DisputeStatus::Open),
            Dispute {
                reason: None,
                hold_id: None,
                ..dispute(34, DisputeStatus::Won)
            },
        ],
        reserves_freed: false,
        payout: Some(Payout {
            debit_id: EntryId::from_number(35),
            amount: micros(64),
            clawed: micros(63),
            status: PayoutStatus::Failed,
            failure: Some("lost_card".into()),
        }),
        moved: Some(DisputeId::from_number(34)),
        given_moved: micros(-58),
    }
}

fn small_payback() -> Payback {
    Payback {
        bonus_lot: None,
        chargebacks: Vec::new(),
        disputes: Vec::new(),
        payout: None,
        moved: None,
        given_moved: Amount::ZERO,
        ..full_payback()
    }
}

fn going_back(payback: Payback, destination: Option<Destination>) -> Entry {
    let event = Event {
        top_up_id: Some(TopUpId::from_number(12)),
        payback: Some(Box::new(payback)),
        destination,
        ..Event::new(EntryKind::DisputeChanged, Note::default())
    };
    sealed(event, Actor::System)
}

#[test]
fn format_1_of_money_back_never_changes() {
    let original = Destination {
        way: PayoutWay::Original,
        payment_id: Some("pay".into()),
    };
    check_vector(
        &going_back(full_payback(), Some(original)),
        "0180100006000018010103706179d00fc801d804da040a80017e8002780140fe0102420564702dc3a9008c01010a\
         6672617564756c656e743e80e5d586e5c5b206440564702dc3a9028c01000180e5d586e5c5b206014680017e0201\
         096c6f73745f636172644473",
        "c8452fa61667a030bb15d6170cc9d911afed888c7058863dc89fd910400a8567",
    );
    check_vector(
        &going_back(small_payback(), None),
        "0180100004000018d00fc801d804010a80017e8002780000000100",
        "bded4c61eb324998fc2c96ec52ee6c99690cdaf8fdee7ff3c6f3a530824bc3e3",
    );
}

/// Rows of before value that is set free was reserved stay as they are; the newer ones have a bit of their own.
#[test]
fn r28_rows_that_reserve_what_is_set_free_say_so() {
    let before = small_payback();
    let newer = Payback {
        reserves_freed: true,
        ..small_payback()
    };
    check_vector(
        &going_back(newer.clone(), None),
        "0180100004000018d00fc801d804010a80017e8002780000020100",
        "9a67d460132ee28984f1f801ea343a00e002b2f41604c4aea451b1e781dfe7f8",
    );
    let (before, newer) = (going_back(before, None), going_back(newer, None));
    assert_ne!(before.hash, newer.hash);
}

#[test]
fn every_word_of_money_back_reads_back() {
    for status in PayoutStatus::ALL {
        for of_dispute in DisputeStatus::ALL {
            let mut payback = full_payback();
            payback.disputes[0].status = of_dispute;
            if let Some(payout) = &mut payback.payout {
                payout.status = status;
            }
            let entry = going_back(payback.clone(), None);
            let kind = entry.event.kind;
            let read = decode_body(&body(&entry), kind, None, Amount::ZERO, Note::default());
            assert_eq!(read, Ok((entry.actor, entry.event)));
            assert_eq!(decode_payback(&encode_payback(&payback)), Ok(payback));
        }
    }
}

#[test]
fn a_cut_or_lengthened_body_of_money_back_is_refused() {
    let bytes = body(&going_back(full_payback(), None));
    assert!(read(&bytes));
    for end in 0..bytes.len() {
        assert!(!read(&bytes[..end]), "cut to {end} bytes");
    }
    assert!(!read(&[bytes.as_slice(), &[0]].concat()));
    let bytes = encode_payback(&full_payback());
    for end in 0..bytes.len() {
        assert!(decode_payback(&bytes[..end]).is_err(), "cut to {end} bytes");
    }
    assert!(decode_payback(&[bytes.as_slice(), &[0]].concat()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// One byte changed at any place is refused or read as something, without a panic.
    #[test]
    fn a_changed_byte_of_money_back_never_panics(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = body(&going_back(full_payback(), None));
        let at = place.index(bytes.len());
        bytes[at] = byte;
        read(&bytes);
        let mut bytes = encode_payback(&full_payback());
        let at = place.index(bytes.len());
        bytes[at] = byte;
        drop(decode_payback(&bytes));
    }
}
