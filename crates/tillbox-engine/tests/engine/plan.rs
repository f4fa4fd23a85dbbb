//! What goes wrong in a round of the simulation.

use crate::faulty::Fate;
use tillbox_core::entry::KeyStamp;

/// What may go wrong in a round.
pub(crate) const FAULTS: [&str; 7] = [
    "bad row",
    "refused",
    "answer lost",
    "write lost",
    "crash before",
    "crash after",
    "load failed",
];

/// The fault of the present round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) fault: &'static str,
    /// Commits that still go well before it strikes, or loads.
    pub(crate) after: i64,
    /// The row that can't be written.
    pub(crate) bad: Option<KeyStamp>,
    pub(crate) struck: bool,
}

impl Plan {
    pub(crate) fn fate(&mut self, keys: impl Iterator<Item = KeyStamp>) -> Fate {
        if let Some(bad) = self.bad {
            let mut keys = keys;
            return if keys.any(|key| key == bad) {
                Fate::Refused
            } else {
                Fate::Written
            };
        }
        let fate = match self.fault {
            "refused" => Fate::Refused,
            "answer lost" => Fate::AnswerLost,
            "write lost" => Fate::WriteLost,
            "crash before" => Fate::CrashBefore,
            "crash after" => Fate::CrashAfter,
            _ => return Fate::Written,
        };
        if self.fault == "refused" {
            // So many attempts fail: the batch, its halves, and so on.
            self.after -= 1;
            return if self.after >= 0 { fate } else { Fate::Written };
        }
        self.struck = true;
        fate
    }

    pub(crate) fn fails_load(&mut self) -> bool {
        if self.fault != "load failed" {
            return false;
        }
        self.after -= 1;
        self.after == -1
    }
}
