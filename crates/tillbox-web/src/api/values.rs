//! Values in bodies: amounts, currencies, texts, data. Each refuses what the contract refuses.

use super::problem::Problem;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::fmt;
use tillbox_core::amount::{Amount, AmountError};
use tillbox_core::currency::Currency;
use tillbox_core::time::Timestamp;
use tillbox_service::MetadataChange;
use utoipa::ToSchema;

/// Reads a string and nothing else, without copying it where it can be borrowed.
struct TextVisitor<F>(F, &'static str);

impl<T, F: FnOnce(&str) -> Result<T, String>> Visitor<'_> for TextVisitor<F> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.1)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

pub(super) fn read_text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(TextVisitor(read, expected))
}

const A_DECIMAL: &str = "a decimal string such as \"12.50\"";

/// Stands for any amount beyond the largest one: it is well formed, and refused in its turn (R42).
pub(crate) const BEYOND: Amount = Amount::from_micros(Amount::MAX_SINGLE.micros() + 1);

/// A well-formed amount that is perhaps beyond the largest one: that is another error than a wrong form.
fn read_amount<'de, D: Deserializer<'de>>(
    deserializer: D,
    allowed: fn(&str) -> Option<&'static str>,
) -> Result<Amount, D::Error> {
    read_text(deserializer, A_DECIMAL, |text| {
        let parsed = match Amount::parse(text) {
            Ok(amount) => amount,
            Err(AmountError::TooLarge) if text.starts_with('-') => -BEYOND,
            Err(AmountError::TooLarge) => BEYOND,
            Err(error @ AmountError::Form) => return Err(error.to_string()),
        };
        allowed(text).map_or(Ok(parsed), |wrong| Err(wrong.to_owned()))
    })
}

fn is_zero(text: &str) -> bool {
    !text.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

/// An amount in a body.
pub(crate) trait Money: Sized {
    /// The amount, for a command: the ledger refuses one that is beyond the largest.
    fn amount(self) -> Amount;

    /// The amount, unless it is beyond the largest one (R4).
    fn get(self) -> Result<Amount, Problem> {
        let amount = self.amount();
        if amount.abs() < BEYOND {
            Ok(amount)
        } else {
            Err(Problem::out_of_range(None, Some(Amount::MAX_SINGLE), None))
        }
    }
}

macro_rules! amounts {
    ($($(#[$doc:meta])* $name:ident, $pattern:literal, $refuses:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
        #[schema(value_type = String, pattern = $pattern, example = "12.50")]
        pub(crate) struct $name(Amount);

        impl Money for $name {
            fn amount(self) -> Amount {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read_amount(deserializer, $refuses).map(Self)
            }
        }
    )*};
}

amounts! {
    /// An amount above zero.
    Positive, r"^(0|[1-9][0-9]{0,12})(\.[0-9]{1,6})?$", |text| if text.starts_with('-') || is_zero(text) { Some("must be above zero") } else { None };
    /// An amount of at least zero.
    NotNegative, r"^(0|[1-9][0-9]{0,12})(\.[0-9]{1,6})?$", |text| if text.starts_with('-') { Some("must not be negative") } else { None };
    /// An amount that is not zero.
    NotZero, r"^-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,6})?$", |text| if is_zero(text) { Some("must not be zero") } else { None };
}

/// An ISO 4217 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, pattern = "^[A-Z]{3}$", example = "USD")]
pub(crate) struct CurrencyCode(pub(crate) Currency);

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "a currency code such as \"USD\"", |text| {
            Currency::parse(text)
                .map(Self)
                .map_err(|error| error.to_string())
        })
    }
}

/// An instant in RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-05-31T12:00:00Z")]
pub(crate) struct Instant(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(
            deserializer,
            "an instant such as \"2026-05-31T12:00:00Z\"",
            |text| {
                Timestamp::parse(text)
                    .map(Self)
                    .map_err(|error| error.to_string())
            },
        )
    }
}

/// Free text of at most `MAX` characters, without control and bidi-override characters.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String)]
pub(crate) struct Text<const MAX: usize>(pub(crate) String);

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "a text", |text| match check_text(text, MAX) {
            Ok(()) => Ok(Self(text.to_owned())),
            Err(why) => Err(why),
        })
    }
}

/// Says what is wrong with a text.
pub(crate) fn check_text(text: &str, max: usize) -> Result<(), String> {
    let is_bidi = |character: char| matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}');
    if text.chars().any(char::is_control) {
        return Err("must not hold control characters".to_owned());
    }
    if text.chars().any(is_bidi) {
        return Err("must not hold characters that change the direction of text".to_owned());
    }
    if text.chars().count() > max {
        return Err(format!("must have at most {max} characters"));
    }
    Ok(())
}

impl<const MAX: usize> From<Words<MAX>> for Text<MAX> {
    fn from(Words(text): Words<MAX>) -> Self {
        Self(text)
    }
}

/// A text that says something.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, min_length = 1)]
pub(crate) struct Words<const MAX: usize>(pub(crate) String);

impl<'de, const MAX: usize> Deserialize<'de> for Words<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::<MAX>::deserialize(deserializer)?;
        if text.trim().is_empty() {
            Err(D::Error::custom("must not be empty"))
        } else {
            Ok(Self(text))
        }
    }
}

/// At most `MAX` values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpTo<const MAX: usize, T>(pub(crate) Vec<T>);

impl<'de, const MAX: usize, T: Deserialize<'de>> Deserialize<'de> for UpTo<MAX, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::deserialize(deserializer)?;
        if values.len() > MAX {
            return Err(D::Error::custom(format!("must have at most {MAX} values")));
        }
        Ok(Self(values))
    }
}

/// A colour such as `#0a7d5a`, kept in small letters.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, pattern = "^#[0-9a-fA-F]{6}$", example = "#0a7d5a")]
pub(crate) struct HexColor(pub(crate) String);

impl<'de> Deserialize<'de> for HexColor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "a color such as \"#0a7d5a\"", |text| {
            let digits = text.strip_prefix('#').unwrap_or_default();
            if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                Ok(Self(text.to_ascii_lowercase()))
            } else {
                Err("must be a color such as \"#0a7d5a\"".to_owned())
            }
        })
    }
}

/// The caller's own data: at most 50 keys, values that are texts, numbers, true, false or null. Kept as JSON with
/// sorted keys.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = Object)]
pub(crate) struct Metadata(pub(crate) String);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = deserializer.deserialize_map(UniqueNames)?;
        check_metadata(&map).map_err(D::Error::custom)?;
        serde_json::to_string(&map)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// Reads an object and refuses a name that stands in it twice.
struct UniqueNames;

impl<'de> Visitor<'de> for UniqueNames {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            map.insert(name, value);
        }
        Ok(map)
    }
}

fn check_metadata(map: &Map<String, Value>) -> Result<(), String> {
    if map.len() > 50 {
        return Err("must have at most 50 keys".to_owned());
    }
    for (key, value) in map {
        check_text(key, 40).map_err(|why| format!("a key {why}"))?;
        match value {
            Value::String(text) => check_text(text, 500).map_err(|why| format!("{key} {why}"))?,
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::Array(_) | Value::Object(_) => {
                return Err(format!(
                    "{key} must be a text, a number, true, false or null"
                ));
            }
        }
    }
    Ok(())
}

/// Data of a merge patch: null clears it, an object is merged.
pub(crate) fn merged(metadata: Option<Metadata>) -> MetadataChange {
    metadata.map_or(MetadataChange::Clear, |metadata| {
        MetadataChange::Merge(metadata.0)
    })
}

/// A field of a merge patch that can't be cleared: absent leaves, null is refused, a value replaces.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A field of a merge patch: absent leaves, null clears, a value replaces.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) fn patch<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
