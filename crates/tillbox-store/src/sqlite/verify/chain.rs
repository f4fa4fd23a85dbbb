//! The chain over the whole log, and the anchor that it must reach.

use super::super::anchor::{self, Standing};
use super::Report;
use super::report::{ANCHOR, LOG_CHAIN};
use crate::error::StoreError;
use rusqlite::Connection;
use std::path::Path;
use tillbox_core::entry::{CommitHash, Hash, LogHead};
use tillbox_core::id::EntryId;

/// Follows the rows of all wallets in the order of their ids.
pub(super) struct LogChain {
    commit: CommitHash,
}

impl LogChain {
    pub(super) fn new() -> Self {
        Self {
            commit: LogHead::EMPTY.begin(),
        }
    }

    /// Takes the next row, and the head that it carries.
    pub(super) fn add(
        &mut self,
        id: i64,
        hash: Option<Hash>,
        head: Option<(u64, Hash)>,
        report: &mut Report,
    ) {
        let last = EntryId::from_number(id);
        self.commit.add(last, &hash.unwrap_or_default());
        let Some((height, hash)) = head else {
            return;
        };
        let stored = LogHead { height, last, hash };
        let commit = std::mem::replace(&mut self.commit, stored.begin());
        if commit.end() != stored {
            report.found(
                LOG_CHAIN,
                format!("up to row {height} ({last}), a row is missing, added or another"),
            );
        }
    }

    /// Says whether rows are left over behind the last commit.
    pub(super) fn end(&self, report: &mut Report) {
        if self.commit.rows() > 0 {
            let detail = format!("{} rows behind the last commit", self.commit.rows());
            report.found(LOG_CHAIN, detail);
        }
    }
}

/// Whether the log reaches what is anchored beside it, if anything is.
pub(super) fn check_anchor(
    path: &Path,
    connection: &Connection,
    report: &mut Report,
) -> Result<(), StoreError> {
    match anchor::compare(path, connection) {
        Ok(Standing::NotAnchored) => {}
        Ok(Standing::Reaches(anchored)) => report.anchored = Some(anchored.height),
        Ok(Standing::Differs { anchored, log }) => {
            report.anchored = Some(anchored.height);
            let (anchored, height) = (anchored.height, log.height);
            let detail =
                format!("{anchored} rows are anchored; the log has {height}, and not these");
            report.found(ANCHOR, detail);
        }
        Err(StoreError::Corrupt { what }) => report.found(ANCHOR, what),
        Err(other) => return Err(other),
    }
    Ok(())
}
