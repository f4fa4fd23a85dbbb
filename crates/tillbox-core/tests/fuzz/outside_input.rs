//! Whatever comes from outside, as text or as bytes: it never panics, never takes more memory than it is long, and what
//! is read is printed as it was.
//!
//! Two thousand cases each by default; `TILLBOX_FUZZ_CASES=5000000 cargo test --release -p tillbox-core --test fuzz` is a
//! long form. A failure prints its case, and `PROPTEST_RNG_SEED` begins elsewhere.

use proptest::prelude::*;
use std::collections::BTreeMap;
use tillbox_core::alerts::{Alert, Alerts};
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::entry::{EntryKind, Note, decode_body, decode_standing, encode_standing};
use tillbox_core::id::{EntryId, WalletId};
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;

fn cases() -> ProptestConfig {
    let cases = std::env::var("TILLBOX_FUZZ_CASES");
    ProptestConfig::with_cases(cases.map_or(2_000, |text| text.parse().expect("a number")))
}

/// Texts that are nearly right: where parsers go wrong.
fn nearly(alphabet: &'static str) -> impl Strategy<Value = String> {
    let chars: Vec<char> = alphabet.chars().collect();
    let near = prop::collection::vec(prop::sample::select(chars), 0..40);
    let near = near.prop_map(|chars| chars.into_iter().collect::<String>());
    prop_oneof![8 => near, 1 => any::<String>()]
}

/// The form of an amount, written down again.
fn is_amount(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole)
        && all_digits(part)
        && whole.len() <= 13
        && part.len() <= 6
        && (whole == "0" || !whole.starts_with('0'))
}

/// A number of one to three bytes.
fn number() -> impl Strategy<Value = Vec<u8>> {
    let more = prop::collection::vec(128_u8.., 0..3);
    (more, 0..128_u8).prop_map(|(mut bytes, last)| {
        bytes.push(last);
        bytes
    })
}

/// A part of a row that pays no debt.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let key = (any::<u8>(), number(), 0..2_u8, number(), number());
    (key, 1..4_u8, number(), number()).prop_map(|(key, funding, amount, held)| {
        let (priority, expires_at, withdrawable, created_at, id) = key;
        let mut bytes = vec![priority];
        bytes.extend(expires_at);
        bytes.push(withdrawable);
        bytes.extend([created_at, id].concat());
        bytes.push(funding);
        bytes.extend([amount, held].concat());
        bytes.push(0);
        bytes
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn amounts(text in prop_oneof![nearly("-+0123456789.eE_ ,"), "-?(0|[1-9][0-9]{0,13})(\\.[0-9]{1,7})?"]) {
        match Amount::parse(&text) {
            Ok(amount) => {
                prop_assert!(is_amount(&text), "{text:?} is none");
                let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
                let digits: i128 = format!("{whole}{part:0<6}").parse().expect("digits");
                prop_assert_eq!(i128::from(amount.micros()), digits);
            }
            Err(_refused) if is_amount(&text) => {
                let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
                let digits: i128 = format!("{whole}{part:0<6}").parse().expect("digits");
                prop_assert!(digits.abs() > i128::from(Amount::MAX_SINGLE.micros()), "{text:?} is one");
            }
            Err(_refused) => {}
        }
    }

    #[test]
    fn ids_are_read_as_they_are_printed_and_no_other_text_is_one(text in nearly("waltxn_0123456789abcdefghjkmnpqrstvwxyzILOU-"), number in 0_i64..) {
        let id = WalletId::from_number(number);
        prop_assert_eq!(WalletId::parse(&id.to_string()).expect("an id"), id);
        if let Ok(read) = WalletId::parse(&text) {
            prop_assert_eq!(read.to_string(), text.clone());
        }
        if let Ok(read) = EntryId::parse(&text) {
            prop_assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn instants_and_currencies(text in nearly("0123456789-:.TtZz+ USDEJPYusd")) {
        if let Ok(at) = Timestamp::parse(&text) {
            prop_assert_eq!(Timestamp::parse(&at.to_string()).expect("an instant"), at);
        }
        if let Ok(currency) = Currency::parse(&text) {
            prop_assert_eq!(currency.code(), text);
        }
    }

    #[test]
    fn bodies_of_rows(kind in prop::sample::select(EntryKind::ALL.to_vec()), flags in any::<[u8; 2]>(), rest in prop::collection::vec(any::<u8>(), 0..400)) {
        for bytes in [rest.clone(), [&[1, flags[0] & 63, flags[1]], rest.as_slice()].concat()] {
            let read = decode_body(&bytes, kind, Some(Reason::Usage), Amount::ZERO, Note::default());
            if let Ok((_, event)) = read {
                prop_assert!((event.parts.len() + event.lots.len()) * 8 <= bytes.len());
                prop_assert!(event.parts.capacity() + event.lots.capacity() <= bytes.len().max(8));
            }
        }
    }

    /// Bodies that are right are read whole, and one changed byte does no harm.
    #[test]
    fn bodies_that_are_nearly_right(parts in prop::collection::vec(part(), 0..5), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = vec![1, 0, 0, u8::try_from(parts.len()).expect("few")];
        bytes.extend(parts.iter().flatten());
        bytes.push(0);
        let read = |bytes: &[u8]| decode_body(bytes, EntryKind::Debit, Some(Reason::Usage), Amount::ZERO, Note::default());
        let (_, event) = read(&bytes).expect("a body");
        prop_assert_eq!(event.parts.len(), parts.len());
        let place = place.index(bytes.len());
        bytes[place] = byte;
        drop(read(&bytes));
        bytes.truncate(place);
        prop_assert!(read(&bytes).is_err(), "cut short");
    }

    #[test]
    fn standings(bytes in prop::collection::vec(any::<u8>(), 0..200), thresholds in prop::collection::vec((any::<i64>(), any::<bool>()), 0..5), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        drop(decode_standing(Some(&bytes)));
        let alerts = Alerts {
            thresholds: thresholds
                .iter()
                .map(|(micros, armed)| Alert { threshold: Amount::from_micros(*micros), armed: *armed })
                .collect(),
            ..Alerts::default()
        };
        if let Some(mut right) = encode_standing(None, &alerts, &BTreeMap::new()) {
            prop_assert_eq!(decode_standing(Some(&right)), Ok((None, alerts, BTreeMap::new())));
            let place = place.index(right.len());
            right[place] = byte;
            drop(decode_standing(Some(&right)));
        }
    }
}
