//! Instants: whole microseconds since 1970 in UTC, read and written as RFC 3339 with a `Z`.

use std::fmt;

/// A point in time in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an instant such as \"2026-05-31T12:00:00Z\"")]
pub struct MalformedTimestamp;

impl Timestamp {
    /// Later than any instant that can be written.
    pub const NEVER: Self = Self(i64::MAX);

    /// From microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// In microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// So many seconds later (or earlier); stays within the range.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// So many days of 24 hours later; stays within the range.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Reads RFC 3339; any offset is accepted and taken to UTC. More than microseconds are cut off.
    pub fn parse(text: &str) -> Result<Self, MalformedTimestamp> {
        let instant: jiff::Timestamp = text.parse().map_err(|_why| MalformedTimestamp)?;
        Ok(Self(instant.as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    /// `2026-05-31T12:00:00.123456Z`: always six decimals, so that texts sort as instants do.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(formatter, "{instant:.6}"),
            Err(_out_of_range) => formatter.write_str("never"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc_3339() {
        let instant = Timestamp::parse("2026-05-31T14:00:00.5+02:00").expect("an instant");
        assert_eq!(instant.to_string(), "2026-05-31T12:00:00.500000Z");
        assert_eq!(Timestamp::parse("2026-05-31"), Err(MalformedTimestamp));
        assert_eq!(Timestamp::parse("soon"), Err(MalformedTimestamp));
    }
}
