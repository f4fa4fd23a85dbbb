//! Fingerprints: whether two requests under one key are the same (R43).
//!
//! Taken of the parsed request before defaults, rating and clocks, so "100" and "100.00" are the same request, and a
//! debit in a batch is the same as one alone. An absent field is none, not its default. The form must never change:
//! keys live for ever.

use tillbox_core::amount::Amount;
use tillbox_core::entry::Note;
use tillbox_core::time::Timestamp;

/// Collects fields in the order in which the operation names them.
pub(crate) struct Fingerprint(Vec<u8>);

impl Fingerprint {
    /// Of an operation, such as `debit`.
    pub(crate) fn of(operation: &str) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(operation.as_bytes());
        Self(bytes)
    }

    pub(crate) fn text(self, name: &str, value: Option<&str>) -> Self {
        self.field(name, value.map(str::as_bytes))
    }

    /// The words of a command.
    pub(crate) fn note(self, note: &Note) -> Self {
        self.text("description", note.description.as_deref())
            .text("reference", note.reference.as_deref())
            .text("metadata", note.metadata.as_deref())
    }

    pub(crate) fn amount(self, name: &str, value: Option<Amount>) -> Self {
        self.number(name, value.map(Amount::micros))
    }

    pub(crate) fn instant(self, name: &str, value: Option<Timestamp>) -> Self {
        self.number(name, value.map(Timestamp::micros))
    }

    pub(crate) fn flag(self, name: &str, value: Option<bool>) -> Self {
        self.number(name, value.map(i64::from))
    }

    pub(crate) fn number(self, name: &str, value: Option<i64>) -> Self {
        self.field(
            name,
            value
                .map(i64::to_be_bytes)
                .as_ref()
                .map(<[u8; 8]>::as_slice),
        )
    }

    fn field(mut self, name: &str, value: Option<&[u8]>) -> Self {
        if let Some(value) = value {
            self.0.push(0);
            self.0.extend_from_slice(name.as_bytes());
            self.0.push(0);
            self.0
                .extend_from_slice(&u64::try_from(value.len()).unwrap_or(u64::MAX).to_be_bytes());
            self.0.extend_from_slice(value);
        }
        self
    }

    pub(crate) fn finish(self) -> [u8; 16] {
        let mut short = [0; 16];
        short.copy_from_slice(&blake3::hash(&self.0).as_bytes()[..16]);
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r43_fields_count_by_name_value_and_presence() {
        let debit = || Fingerprint::of("debit").amount("amount", Some(Amount::from_micros(1)));
        let plain = debit().finish();
        let others = [
            debit().text("description", Some("")).finish(),
            debit()
                .text("description", Some("a"))
                .text("reference", Some("b"))
                .finish(),
            debit().text("description", Some("ab")).finish(),
            debit().text("reference", Some("a")).finish(),
            Fingerprint::of("debit")
                .amount("amount", Some(Amount::from_micros(2)))
                .finish(),
            Fingerprint::of("credit")
                .amount("amount", Some(Amount::from_micros(1)))
                .finish(),
        ];
        assert!(others.iter().all(|other| *other != plain));
        assert_eq!(debit().text("description", None).finish(), plain);
    }
}
