//! Secrets that people are given: random, shown once, and kept as hashes.

use std::sync::atomic::{AtomicU64, Ordering};

/// Makes secrets from the random bytes of the process: the n-th is a keyed hash of n, so nobody without those bytes
/// can tell one from another.
pub(crate) struct Secrets {
    key: [u8; 32],
    made: AtomicU64,
}

/// 256 bits that only the one who is given them knows. Deliberately without `Debug`: it must not reach a log.
#[derive(Clone)]
pub(crate) struct Secret([u8; 32]);

impl Secrets {
    pub(crate) fn of(random: &[u8; 32]) -> Self {
        Self {
            key: blake3::derive_key("tillbox secrets for people v1", random),
            made: AtomicU64::new(0),
        }
    }

    pub(crate) fn next(&self) -> Secret {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        Secret(*blake3::keyed_hash(&self.key, &number.to_le_bytes()).as_bytes())
    }
}

impl Secret {
    /// Reads what [`Secret::text`] wrote; anything else is no secret of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_ours = text.len() == 64
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let hash = is_ours.then(|| blake3::Hash::from_hex(text))?;
        hash.ok().map(|hash| Self(*hash.as_bytes()))
    }

    /// The text to hand out: 64 characters, fit for URLs, cookies and forms.
    pub(crate) fn text(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// What is kept instead.
    pub(crate) fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.0).as_bytes()
    }

    /// Another secret for another purpose, which tells nothing about this one.
    pub(crate) fn derive(&self, purpose: &str) -> Self {
        Self(blake3::derive_key(purpose, &self.0))
    }

    /// Whether a text is this secret, in a time that tells nothing.
    pub(crate) fn is(&self, text: &str) -> bool {
        Self::parse(text).is_some_and(|other| {
            blake3::Hash::from_bytes(self.0) == blake3::Hash::from_bytes(other.0)
        })
    }

    /// The first bytes as a number, where a secret is more than is needed.
    pub(crate) fn number(&self) -> u64 {
        self.0
            .first_chunk()
            .map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_read_back() {
        let secrets = Secrets::of(&[7; 32]);
        let (first, second) = (secrets.next(), secrets.next());
        assert_ne!(first.text(), second.text());
        assert_ne!(first.text(), Secrets::of(&[8; 32]).next().text());
        assert_ne!(first.text(), first.derive("a form").text());
        assert!(first.is(&first.text()));
        assert!(!first.is(&second.text()));
        let again = Secret::parse(&first.text()).expect("a secret");
        assert_eq!(again.hash(), first.hash());
        assert_ne!(first.hash(), first.0);
    }

    #[test]
    fn other_texts_are_no_secrets() {
        let text = Secrets::of(&[7; 32]).next().text();
        let long = format!("{text}0");
        let cut = text.get(1..).expect("a text");
        let upper = text.to_uppercase();
        for wrong in ["", "x", cut, &long, &upper, &"é".repeat(32)] {
            assert!(Secret::parse(wrong).is_none(), "{wrong:?}");
        }
    }
}
