//! The books, added up anew from the log: sums that reports read must be what the rows come to.
//!
//! Rows are added up to where the log is folded, a snapshot for each stretch; a running writer folds on meanwhile. So
//! the last snapshot adds what was folded since, and compares in that same snapshot. Memory: the sums themselves.

use super::super::books::fold::read_on;
use super::super::books::folded_to;
use super::super::books::tally::Tally;
use super::report::BOOKS;
use super::{Report, Violation, in_snapshot};
use crate::error::StoreError;
use rusqlite::Connection;

/// Adds up the log, a snapshot for each `rows`, and compares.
pub(super) fn check(
    connection: &Connection,
    rows: usize,
    report: &mut Report,
) -> Result<(), StoreError> {
    match compare(connection, rows, report) {
        // A row that can't be read was named where its wallet was read.
        Err(StoreError::Corrupt { what }) if report.violations.is_empty() => {
            found(what, report);
            Ok(())
        }
        Err(StoreError::Corrupt { .. }) => Ok(()),
        other => other,
    }
}

fn compare(connection: &Connection, rows: usize, report: &mut Report) -> Result<(), StoreError> {
    let through = folded_to(connection)?;
    let mut tally = Tally::default();
    let mut after = 0;
    loop {
        let next = in_snapshot(connection, |connection| {
            read_on(connection, after, through, rows, |row| tally.add(row))
        })?;
        match next {
            Some(last) => after = last,
            None => break,
        }
    }
    in_snapshot(connection, |connection| {
        let folded = folded_to(connection)?;
        let mut after = through;
        while let Some(last) = read_on(connection, after, folded, rows, |row| tally.add(row))? {
            after = last;
        }
        if let Some(difference) = tally.differs_from(&Tally::stored(connection)?) {
            found(difference, report);
        }
        Ok(())
    })
}

fn found(detail: String, report: &mut Report) {
    report.add(Violation {
        invariant: BOOKS,
        wallet: None,
        version: None,
        detail,
    });
}
