//! Identifiers: a 63-bit number inside, a prefix and thirteen characters outside.
//!
//! The number is made by one generator per process from the clock and a counter, so it rises with time:
//! rows are appended in its order, and a public id sorts as its number does. One number names one thing
//! in the log: the id of a transaction is the id of its row.

use std::fmt;

/// Crockford's alphabet in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters that 63 bits take at five bits each.
const LENGTH: usize = 13;

/// The text is no id of the kind asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no id of this kind")]
pub struct MalformedId;

fn encode(prefix: &str, number: i64) -> String {
    let mut text = String::with_capacity(prefix.len().saturating_add(LENGTH).saturating_add(1));
    text.push_str(prefix);
    text.push('_');
    for place in (0..LENGTH).rev() {
        let shift = u32::try_from(place.saturating_mul(5)).unwrap_or(0);
        let five = number.unsigned_abs().checked_shr(shift).unwrap_or(0) & 31;
        let index = usize::try_from(five).unwrap_or(0);
        text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
    }
    text
}

fn decode(prefix: &str, text: &str) -> Result<i64, MalformedId> {
    let rest = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or(MalformedId)?;
    if rest.len() != LENGTH {
        return Err(MalformedId);
    }
    let mut number: i64 = 0;
    for byte in rest.bytes() {
        let five = ALPHABET
            .iter()
            .position(|letter| *letter == byte)
            .ok_or(MalformedId)?;
        let five = i64::try_from(five).map_err(|_too_large| MalformedId)?;
        number = number
            .checked_mul(32)
            .and_then(|shifted| shifted.checked_add(five))
            .ok_or(MalformedId)?;
    }
    Ok(number)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// From the number inside.
            pub const fn from_number(number: i64) -> Self {
                Self(number)
            }

            /// The number inside, at least zero.
            pub const fn number(self) -> i64 {
                self.0
            }

            /// Reads the public form.
            pub fn parse(text: &str) -> Result<Self, MalformedId> {
                decode($prefix, text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&encode($prefix, self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }
    )*};
}

ids! {
    /// A tenant of the server.
    MerchantId = "mer";
    /// Whoever owns wallets.
    CustomerId = "cus";
    /// A wallet.
    WalletId = "wal";
    /// A row of the log; of a money-moving row it is the transaction's id.
    EntryId = "txn";
    /// A lot: value of one origin.
    LotId = "lot";
    /// A hold: reserved value.
    HoldId = "hld";
    /// A price.
    PriceId = "prc";
    /// An API key.
    ApiKeyId = "key";
    /// A top-up.
    TopUpId = "top";
    /// A saved way to pay.
    PaymentMethodId = "pm";
    /// A dispute: a payment that the bank takes back.
    DisputeId = "dsp";
    /// An invoice.
    InvoiceId = "inv";
    /// A row of the outbox: what has happened that is no row of the log.
    OutboxId = "out";
    /// An entry of the audit log.
    AuditId = "aud";
}

/// An event: the row of the log or the outbox that it tells of, and its place among the events of that row. Public ids
/// sort as the rows and places do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    row: i64,
    place: u16,
}

impl EventId {
    /// What stands before the underscore.
    pub const PREFIX: &'static str = "evt";
    /// Places that the events of one row may have: two characters.
    pub const PLACES: u16 = 1_024;

    /// The event of a row at a place below [`Self::PLACES`].
    pub const fn new(row: i64, place: u16) -> Self {
        assert!(place < Self::PLACES, "a row has no event at this place");
        Self { row, place }
    }

    /// Behind all events of a row.
    pub const fn last_of(row: i64) -> Self {
        Self {
            row,
            place: Self::PLACES.saturating_sub(1),
        }
    }

    /// The number of the row.
    pub const fn row(self) -> i64 {
        self.row
    }

    /// The place among its events.
    pub const fn place(self) -> u16 {
        self.place
    }

    /// Reads the public form.
    pub fn parse(text: &str) -> Result<Self, MalformedId> {
        let end = text.len().saturating_sub(2);
        let (row, place) = text.split_at_checked(end).ok_or(MalformedId)?;
        let mut number: u16 = 0;
        for byte in place.bytes() {
            let five = ALPHABET.iter().position(|letter| *letter == byte);
            let five = five.and_then(|five| u16::try_from(five).ok());
            number = number
                .saturating_mul(32)
                .saturating_add(five.ok_or(MalformedId)?);
        }
        Ok(Self {
            row: decode(Self::PREFIX, row)?,
            place: number,
        })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |five: u16| {
            let letter = ALPHABET.get(usize::from(five & 31)).copied();
            char::from(letter.unwrap_or(b'0'))
        };
        formatter.write_str(&encode(Self::PREFIX, self.row))?;
        write!(
            formatter,
            "{}{}",
            letter(self.place.checked_shr(5).unwrap_or(0)),
            letter(self.place)
        )
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_no_id() {
        let good = WalletId::from_number(7).to_string();
        assert_eq!(good, "wal_0000000000007");
        for text in [
            "",
            "wal",
            "wal_",
            "wal_7",
            "txn_0000000000007",
            "wal_000000000000u",
            "wal_000000000000A",
            "wal_zzzzzzzzzzzzz",
            "wal_00000000000é",
        ] {
            assert_eq!(WalletId::parse(text), Err(MalformedId), "{text}");
        }
    }

    #[test]
    fn an_event_reads_back_and_sorts_by_its_row_and_its_place() {
        let events = [(7, 0), (7, 31), (7, 32), (8, 0), (1 << 40, 1_023)];
        let events = events.map(|(row, place)| EventId::new(row, place));
        let texts = events.map(|event| event.to_string());
        assert_eq!(texts[2], "evt_000000000000710");
        assert!(texts.is_sorted());
        for (event, text) in events.iter().zip(&texts) {
            assert_eq!(EventId::parse(text), Ok(*event));
        }
        for text in [
            "",
            "e",
            "evt_",
            "evt_0000000000007",
            "evt_00000000000070",
            "evt_00000000000070u",
            "evt_0000000000007é",
            "txn_000000000000700",
        ] {
            assert_eq!(EventId::parse(text), Err(MalformedId), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_and_sorts_by_its_number(a in 0..=i64::MAX, b in 0..=i64::MAX) {
            let (left, right) = (EntryId::from_number(a), EntryId::from_number(b));
            prop_assert_eq!(EntryId::parse(&left.to_string()), Ok(left));
            prop_assert_eq!(left.to_string().cmp(&right.to_string()), a.cmp(&b));
        }
    }
}
