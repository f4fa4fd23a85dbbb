//! Merchants, API keys, prices and stored answers.

use super::{FOREIGN, OURS, Plain, at, units, usd};
use crate::error::StoreError;
use crate::sqlite::answers;
use crate::sqlite::api_keys::{self, ApiKeyRow};
use crate::sqlite::merchants::{self, MerchantRow};
use crate::sqlite::prices::{self, PriceRow};
use std::sync::Arc;
use tillbox_core::currency::Currency;
use tillbox_core::entry::KeyStamp;
use tillbox_core::id::{ApiKeyId, MerchantId, PriceId};
use tillbox_core::rating::Rounding;
use tillbox_engine::port::{LedgerStore, Remembered, StoredAnswer};

fn merchant(id: MerchantId) -> MerchantRow {
    MerchantRow {
        id,
        name: "Shop".to_owned(),
        live: true,
        settings: "{}".to_owned(),
        clock_offset_us: 0,
        created_at: at(3),
    }
}

#[test]
fn settings_and_clock_are_a_merchants_own() {
    let mut plain = Plain::new();
    let (ours, foreign) = (merchant(OURS), merchant(FOREIGN));
    plain
        .write(|connection| {
            merchants::insert(connection, &ours)?;
            merchants::insert(connection, &foreign)?;
            merchants::set_settings(connection, OURS, r#"{"time_zone":"Europe/Madrid"}"#)?;
            merchants::set_clock_offset(connection, OURS, 77)
        })
        .expect("writes");
    let ours = MerchantRow {
        settings: r#"{"time_zone":"Europe/Madrid"}"#.to_owned(),
        clock_offset_us: 77,
        ..ours
    };
    assert_eq!(
        plain.read(|connection| merchants::get(connection, OURS)),
        Some(ours.clone())
    );
    assert_eq!(plain.read(merchants::list), [ours, foreign]);
    let nobody = MerchantId::from_number(3);
    assert_eq!(
        plain.read(|connection| merchants::get(connection, nobody)),
        None
    );
}

#[test]
fn a_revoked_key_opens_nothing() {
    let mut plain = Plain::new();
    let key = |id: i64, merchant_id, byte| ApiKeyRow {
        id: ApiKeyId::from_number(id),
        merchant_id,
        name: "Server".to_owned(),
        hash: [byte; 32],
        hint: "cafe".to_owned(),
        scopes: "all".to_owned(),
        created_at: at(3),
        revoked_at: None,
    };
    let (ours, foreign) = (key(1, OURS, 1), key(2, FOREIGN, 2));
    plain
        .write(|connection| {
            api_keys::insert(connection, &ours)?;
            api_keys::insert(connection, &foreign)
        })
        .expect("writes");
    assert_eq!(
        plain.read(|connection| api_keys::find(connection, [1; 32])),
        Some(ours.clone())
    );
    assert_eq!(
        plain.read(|connection| api_keys::find(connection, [9; 32])),
        None
    );
    assert_eq!(
        plain.read(api_keys::active),
        [ours.clone(), foreign.clone()]
    );

    let mut revoke = |merchant, id| {
        plain
            .write(|connection| api_keys::revoke(connection, merchant, id, at(9)))
            .expect("writes")
    };
    assert!(!revoke(FOREIGN, ours.id), "a foreign merchant's key");
    assert!(revoke(OURS, ours.id));
    assert!(!revoke(OURS, ours.id), "it was void before");
    assert_eq!(
        plain.read(|connection| api_keys::find(connection, [1; 32])),
        None
    );
    assert_eq!(plain.read(api_keys::active), [foreign]);
}

fn price(id: i64, key: &str, currency: Currency) -> PriceRow {
    PriceRow {
        merchant_id: OURS,
        id: PriceId::from_number(id),
        key: key.to_owned(),
        currency,
        unit: "minute".to_owned(),
        unit_amount: units(2),
        per: 60,
        billing_increment: 6,
        minimum_units: 30,
        rounding: Rounding::Up,
        meter: key.to_owned(),
        description: Some("Voice".to_owned()),
        billing_note: None,
        version: 0,
        created_at: at(3),
    }
}

#[test]
fn r31_a_change_is_a_new_version_and_one_is_current() {
    let mut plain = Plain::new();
    let eur = Currency::parse("EUR").expect("a currency");
    let mut add = |row: PriceRow| {
        plain
            .write(|connection| prices::insert(connection, row))
            .expect("writes")
    };
    let first = add(price(1, "voice", usd()));
    let second = add(price(2, "voice", usd()));
    let euro = add(price(3, "voice", eur));
    let text = add(price(4, "text", usd()));
    let foreign = add(PriceRow {
        merchant_id: FOREIGN,
        ..price(5, "voice", usd())
    });
    let third = add(price(6, "voice", usd()));
    let versions = [&first, &second, &euro, &text, &foreign, &third].map(|row| row.version);
    assert_eq!(versions, [1, 2, 1, 1, 1, 3]);

    let current = |merchant, key: &str, currency| {
        plain.read(|connection| prices::current(connection, merchant, key, currency))
    };
    assert_eq!(current(OURS, "voice", usd()), Some(third.clone()));
    assert_eq!(current(OURS, "voice", eur), Some(euro.clone()));
    assert_eq!(current(OURS, "text", eur), None);
    assert_eq!(current(FOREIGN, "text", usd()), None);

    let exists = |merchant, key: &str| {
        plain.read(|connection| prices::key_exists(connection, merchant, key))
    };
    assert!(exists(OURS, "text"));
    assert!(!exists(OURS, "data"));
    assert!(!exists(FOREIGN, "text"));

    let get = |merchant, id| plain.read(|connection| prices::get(connection, merchant, id));
    assert_eq!(
        get(OURS, first.id),
        Some(first.clone()),
        "old versions stay"
    );
    assert_eq!(get(FOREIGN, first.id), None);

    let list = |merchant, before, rows| {
        plain.read(|connection| prices::list(connection, merchant, before, rows))
    };
    assert_eq!(
        list(OURS, None, 10),
        [third.clone(), text.clone(), euro.clone()]
    );
    assert_eq!(list(OURS, None, 2), [third, text.clone()]);
    assert_eq!(list(OURS, Some(text.id), 2), [euro]);
    assert_eq!(list(FOREIGN, None, 10), [foreign]);
    assert_eq!(plain.read(prices::all_current).len(), 4);
}

#[test]
fn an_answer_is_found_by_its_key_and_stored_once() {
    let mut plain = Plain::new();
    let answer = StoredAnswer {
        key: KeyStamp {
            key: [4; 16],
            fingerprint: [5; 16],
        },
        status: 201,
        body: b"{}".as_slice().into(),
    };
    plain
        .write(|connection| answers::insert(connection, &answer))
        .expect("writes");
    assert_eq!(
        plain.read(|connection| answers::find(connection, [4; 16])),
        Some(answer.clone())
    );
    assert_eq!(
        plain.read(|connection| answers::find(connection, [6; 16])),
        None
    );
    let again = plain.write(|connection| answers::insert(connection, &answer));
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
}

/// Keys of the whole merchant are used by plain writes and by the ledger: each must see what the other answered.
#[test]
fn an_answer_of_a_plain_write_is_known_to_the_ledger_at_once() {
    let mut ledger = super::Ledger::new();
    let answer = StoredAnswer {
        key: KeyStamp {
            key: [7; 16],
            fingerprint: [1; 16],
        },
        status: 201,
        body: Arc::from(b"{}".as_slice()),
    };
    let found = ledger.writer.load_keys(&[[7; 16]]).expect("loads");
    assert!(matches!(found.as_slice(), [None]));
    let stored = answer.clone();
    ledger.plain(move |connection| answers::insert(connection, &stored));
    let found = ledger.writer.load_keys(&[[7; 16]]).expect("loads");
    assert!(
        matches!(found.as_slice(), [Some(Remembered::Answer(found))] if *found == answer),
        "{found:?}"
    );
}
