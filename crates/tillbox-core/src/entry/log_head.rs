//! The head of a whole log: one height and one hash to keep outside of the database.
//!
//! A wallet's chain shows that its rows are whole, not that none are missing behind the last. So the rows of all
//! wallets are chained once more, commit by commit, in the order of their ids:
//! `hash = BLAKE3(hash before ‖ hashes of the commit's rows ‖ height, 8 bytes)`. Whoever knows one pair of height and
//! hash can tell whether a log still reaches it, and by the same rows. A row costs half a block of BLAKE3.

use super::Hash;
use crate::id::EntryId;

/// Where a log stands behind one of its commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// How many rows there are.
    pub height: u64,
    /// The last of them; number 0 before the first.
    pub last: EntryId,
    /// Chained over all of them.
    pub hash: Hash,
}

impl LogHead {
    /// Before the first row.
    pub const EMPTY: Self = Self {
        height: 0,
        last: EntryId::from_number(0),
        hash: [0; 32],
    };

    /// Begins a commit on top of it.
    pub fn begin(self) -> CommitHash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.hash);
        CommitHash {
            head: self,
            rows: 0,
            hasher,
        }
    }

    /// The head behind a commit of these rows, in the order of their ids; the same head where there are none.
    #[must_use]
    pub fn after<'a>(self, rows: impl IntoIterator<Item = (EntryId, &'a Hash)>) -> Self {
        let mut commit = self.begin();
        for (id, hash) in rows {
            commit.add(id, hash);
        }
        commit.end()
    }
}

/// The rows of one commit, as they come.
#[derive(Clone, Debug)]
pub struct CommitHash {
    head: LogHead,
    rows: u64,
    hasher: blake3::Hasher,
}

impl CommitHash {
    /// Takes the next row.
    pub fn add(&mut self, id: EntryId, hash: &Hash) {
        self.hasher.update(hash);
        self.head.last = id;
        self.rows = self.rows.saturating_add(1);
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The head behind it.
    pub fn end(mut self) -> LogHead {
        if self.rows > 0 {
            self.head.height = self.head.height.saturating_add(self.rows);
            self.hasher.update(&self.head.height.to_be_bytes());
            self.head.hash = *self.hasher.finalize().as_bytes();
        }
        self.head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u8) -> (EntryId, Hash) {
        (EntryId::from_number(i64::from(number)), [number; 32])
    }

    fn after(head: LogHead, rows: &[(EntryId, Hash)]) -> LogHead {
        head.after(rows.iter().map(|(id, hash)| (*id, hash)))
    }

    #[test]
    fn each_row_its_order_and_its_commit_are_in_the_head() {
        let [one, two, three] = [row(1), row(2), row(3)];
        let whole = after(after(LogHead::EMPTY, &[one, two]), &[three]);
        assert_eq!((whole.height, whole.last), (3, three.0));
        let others = [
            after(LogHead::EMPTY, &[one, two]),
            after(after(LogHead::EMPTY, &[two, one]), &[three]),
            after(after(LogHead::EMPTY, &[one]), &[two, three]),
            after(after(LogHead::EMPTY, &[one, row(4)]), &[three]),
        ];
        for other in others {
            assert_ne!(other.hash, whole.hash);
        }
        assert_eq!(after(whole, &[]), whole);
    }

    /// A vector: it never changes, as anchors of running servers rest on it.
    #[test]
    fn the_hash_is_what_the_format_says() {
        let mut bytes = vec![0; 32];
        bytes.extend([1; 32]);
        bytes.extend([2; 32]);
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 2]);
        let head = after(LogHead::EMPTY, &[row(1), row(2)]);
        assert_eq!(head.hash, *blake3::hash(&bytes).as_bytes());
    }
}
