//! What goes wrong in a round.

use tillbox_core::entry::KeyStamp;

/// What may go wrong in a round.
pub(crate) const FAULTS: [&str; 9] = [
    "bad row",
    "refused",
    "answer lost",
    "write lost",
    "crash before",
    "crash within",
    "crash after",
    "crash at load",
    "load failed",
];

/// What becomes of a commit or a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written.
    Written,
    /// It fails, for certain.
    Refused,
    /// It is written, and the answer is lost.
    AnswerLost,
    /// It is not written, and nobody can know.
    WriteLost,
    /// The process dies before it is written.
    CrashBefore,
    /// The power fails while it is written.
    Torn { chance: u64 },
    /// The process dies when it is written.
    CrashAfter,
}

/// The fault of the present round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) fault: &'static str,
    /// Commits that still fail, or loads that still go well before it strikes.
    pub(crate) after: i64,
    /// Decides what a torn commit leaves.
    pub(crate) chance: u64,
    /// The row that can't be written.
    pub(crate) bad: Option<KeyStamp>,
    /// Whether the process came to an end.
    pub(crate) struck: bool,
}

impl Plan {
    pub(crate) fn fate_of_commit(&mut self, keys: impl Iterator<Item = KeyStamp>) -> Fate {
        let mut keys = keys;
        if let Some(bad) = self.bad {
            let is_in = keys.any(|key| key == bad);
            return if is_in { Fate::Refused } else { Fate::Written };
        }
        let fate = match self.fault {
            "refused" => {
                // So many attempts fail: the batch, its halves, and so on.
                self.after -= 1;
                return if self.after >= 0 {
                    Fate::Refused
                } else {
                    Fate::Written
                };
            }
            "answer lost" => Fate::AnswerLost,
            "write lost" => Fate::WriteLost,
            "crash before" => Fate::CrashBefore,
            "crash within" => Fate::Torn {
                chance: self.chance,
            },
            "crash after" => Fate::CrashAfter,
            _ => return Fate::Written,
        };
        self.struck = true;
        fate
    }

    pub(crate) fn fate_of_load(&mut self) -> Option<Fate> {
        let fate = match self.fault {
            "load failed" => Fate::Refused,
            "crash at load" => Fate::CrashBefore,
            _ => return None,
        };
        self.after -= 1;
        if self.after != -1 {
            return None;
        }
        self.struck = fate == Fate::CrashBefore;
        Some(fate)
    }
}
