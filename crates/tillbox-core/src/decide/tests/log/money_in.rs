//! The same for top-ups, auto-recharge and alerts.

use super::money_back::full_payback;
use super::*;
use crate::alerts::{Alert, Alerts, AlertsChange, Source};
use crate::entry::{Destination, LotChange, PayoutWay, decode_standing, encode_standing};
use crate::id::PaymentMethodId;
use crate::recharge::{
    Charge, Month, PauseReason, Recharge, RechargeSettings, RechargeState, Refill, Skip,
};
use crate::top_up::{Channel, TopUp, TopUpStatus};
use std::collections::BTreeMap;

fn settings(refill: Refill, monthly_cap: Option<Amount>) -> RechargeSettings {
    RechargeSettings {
        threshold: micros(-300),
        refill,
        monthly_cap,
    }
}

fn full_recharge() -> Recharge {
    Recharge {
        method: Some(PaymentMethodId::from_number(21)),
        backups: vec![PaymentMethodId::from_number(22)],
        state: RechargeState::CoolingDown { until: at(9) },
        failures: 2,
        charge: Some(Charge {
            top_up_id: TopUpId::from_number(12),
            amount: micros(64),
            month: Month::new(2027, 1),
        }),
        month: Month::new(2026, 12),
        month_charged: micros(128),
        warned_percent: 90,
        skipped: Some(Skip::MaximumBalance),
        ..Recharge::new(true, settings(Refill::UpTo(micros(70)), Some(micros(71))))
    }
}

fn full_top_up() -> TopUp {
    TopUp {
        amount: micros(1_000),
        reason: Reason::AutoRecharge,
        channel: Channel::Link,
        method: Some(PaymentMethodId::from_number(23)),
        backups: vec![PaymentMethodId::from_number(24); 2],
        status: TopUpStatus::Failed,
        opened_at: at(-3),
        charged: micros(63),
        payment_id: Some("pay-é".into()),
        failure: Some("expired_card".into()),
    }
}

fn row(top_up: TopUp, recharge: Recharge, alerts: AlertsChange) -> Entry {
    let event = Event {
        top_up_id: Some(TopUpId::from_number(12)),
        top_up: Some(Box::new(top_up)),
        recharge: Some(Box::new(recharge)),
        alerts: Some(alerts),
        ..Event::new(EntryKind::TopUpEnded, Note::default())
    };
    sealed(event, Actor::System)
}

#[test]
fn format_1_of_money_in_never_changes() {
    let alerts = AlertsChange {
        source: Source::Wallet,
        thresholds: vec![micros(5), micros(500)],
    };
    check_vector(
        &row(full_top_up(), full_recharge(), alerts),
        "011c10000018d00f02022e0230300480e5d586e5c5b2067e01067061792dc3a9010c657870697265645f636172\
         6401d704018c018e012a012c0180d18e92e5c5b206020118800188fc0286fc0280025a0201020ae807",
        "f5ffa65883b78f8c6f397855a538eb0dc1a7f9a6c8e4c46f02bf2be89a11c3d2",
    );
    let top_up = TopUp {
        method: None,
        backups: Vec::new(),
        payment_id: None,
        failure: None,
        ..full_top_up()
    };
    let recharge = Recharge::new(false, settings(Refill::Fixed(micros(70)), None));
    let alerts = AlertsChange {
        source: Source::Off,
        thresholds: Vec::new(),
    };
    check_vector(
        &row(top_up, recharge, alerts),
        "011c10000018d00f020201000480e5d586e5c5b2067e000000d704008c01ffff9ff6f4acdbe01b010000000000\
         0000000200",
        "5a9a98ccc377163d2a57722180a2d6367ae40152008cce0fb6e1e37ee8efb3a9",
    );
}

#[test]
fn every_word_of_money_in_reads_back() {
    let states = PauseReason::ALL.map(RechargeState::Paused);
    let states = states.into_iter().chain([RechargeState::Armed]);
    for (place, state) in states.enumerate() {
        let recharge = Recharge {
            state,
            skipped: Skip::ALL.get(place).copied(),
            ..full_recharge()
        };
        let top_up = TopUp {
            status: TopUpStatus::ALL[place],
            channel: Channel::ALL[place % 3],
            ..full_top_up()
        };
        let alerts = AlertsChange {
            source: Source::Merchant,
            thresholds: vec![micros(1)],
        };
        let entry = row(top_up, recharge.clone(), alerts);
        let kind = entry.event.kind;
        let read = decode_body(&body(&entry), kind, None, Amount::ZERO, Note::default());
        assert_eq!(read, Ok((entry.actor, entry.event)));
        let alert = |armed| Alert {
            threshold: micros(7),
            armed,
        };
        let alerts = Alerts {
            source: Source::Wallet,
            thresholds: vec![alert(true), alert(false)],
        };
        for disputed in [
            BTreeMap::new(),
            [(TopUpId::from_number(12), full_payback())].into(),
        ] {
            let bytes = encode_standing(Some(&recharge), &alerts, &disputed);
            let read = decode_standing(bytes.as_deref());
            assert_eq!(read, Ok((Some(recharge.clone()), alerts.clone(), disputed)));
        }
    }
    let none = BTreeMap::new();
    assert_eq!(encode_standing(None, &Alerts::default(), &none), None);
    assert_eq!(decode_standing(None), Ok((None, Alerts::default(), none)));
}

#[test]
fn a_cut_or_lengthened_body_of_money_in_is_refused() {
    let alerts = AlertsChange {
        source: Source::Wallet,
        thresholds: vec![micros(5)],
    };
    let bytes = body(&row(full_top_up(), full_recharge(), alerts));
    assert!(read(&bytes));
    for end in 0..bytes.len() {
        assert!(!read(&bytes[..end]), "cut to {end} bytes");
    }
    assert!(!read(&[bytes.as_slice(), &[0]].concat()));
}

fn going_out(destination: Option<Destination>, lot_change: Option<LotChange>) -> Entry {
    let event = Event {
        top_up_id: Some(TopUpId::from_number(12)),
        destination,
        lot_change,
        ..Event::new(EntryKind::Withdrawn, Note::default())
    };
    sealed(event, Actor::System)
}

fn to(way: PayoutWay, payment_id: Option<&str>) -> Destination {
    Destination {
        way,
        payment_id: payment_id.map(Box::from),
    }
}

fn changed_lot(expires_at: Option<Timestamp>) -> LotChange {
    LotChange {
        lot: DrawKey {
            priority: 50,
            expires_at: at(1),
            withdrawable: true,
            created_at: at(-1),
            id: LotId::from_number(300),
        },
        expires_at,
    }
}

#[test]
fn format_1_of_money_out_never_changes() {
    let original = to(PayoutWay::Original, Some("pay-é"));
    check_vector(
        &going_out(Some(original), Some(changed_lot(Some(at(2))))),
        "0180100003000018328089be8ae5c5b2060180f7c988e5c5b206d8048092b88be5c5b2060101067061792dc3a9",
        "881f265b8f8e5ef508a3945ccc17a0daa153fcbae94adf0e9180b4639fc9fb0f",
    );
    let manual = to(PayoutWay::Manual, None);
    check_vector(
        &going_out(Some(manual), None),
        "01801000020000180000",
        "665a45a08cf2d013661ec2c3d67c6ebc10bce11c80773a5712cdf004cfebbadd",
    );
    check_vector(
        &going_out(None, Some(changed_lot(None))),
        "0180100001000018328089be8ae5c5b2060180f7c988e5c5b206d80401",
        "da483504ec2d0cd0ff861cdfa07351cd604d31224a744cf5e2d48a984558aa71",
    );
}

#[test]
fn a_cut_lengthened_or_newer_body_of_money_out_is_refused() {
    let original = to(PayoutWay::Original, Some("pay"));
    let bytes = body(&going_out(Some(original), Some(changed_lot(None))));
    assert!(read(&bytes));
    for end in 0..bytes.len() {
        assert!(!read(&bytes[..end]), "cut to {end} bytes");
    }
    assert!(!read(&[bytes.as_slice(), &[0]].concat()));
    // The further flags stand behind the format and the first flags.
    for further in [[0, 0], [0, 4], [128, 3]] {
        let mut other = bytes.clone();
        other[3..5].copy_from_slice(&further);
        assert!(!read(&other), "{further:?}");
    }
}
