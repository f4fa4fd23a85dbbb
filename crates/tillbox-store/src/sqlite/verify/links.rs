//! What leads back to the log: every key and every refund must have its row.

use super::{Report, Violation, in_snapshot};
use crate::error::StoreError;
use rusqlite::{Connection, params};

const KEYS: &str = "SELECT k.key, l.id IS NOT NULL, a.key IS NOT NULL FROM keys k \
     LEFT JOIN log l ON l.id = k.entry_id AND l.key = k.key LEFT JOIN answers a ON a.key = k.key \
     WHERE k.key > ?1 ORDER BY k.key LIMIT ?2";
const REFUNDS: &str = "SELECT r.entry_id, l.id IS NOT NULL FROM refunds r \
     LEFT JOIN log l ON l.id = r.entry_id AND l.kind = ?3 \
     WHERE r.entry_id > ?1 ORDER BY r.entry_id LIMIT ?2";

/// Goes through both tables, a snapshot for each `rows`.
pub(super) fn check(
    connection: &Connection,
    rows: usize,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut after = Vec::new();
    while let Some(last) = in_snapshot(connection, |connection| {
        keys(connection, &after, rows, report)
    })? {
        after = last;
    }
    let mut after = i64::MIN;
    while let Some(last) = in_snapshot(connection, |connection| {
        refunds(connection, after, rows, report)
    })? {
        after = last;
    }
    Ok(())
}

fn keys(
    connection: &Connection,
    after: &[u8],
    most: usize,
    report: &mut Report,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached(KEYS)?;
    let mut rows = statement.query(params![after, super::super::limit(most)])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let key: Vec<u8> = row.get(0)?;
        if !row.get::<_, bool>(1)? {
            found(
                "every key leads to its row",
                format!("{key:02x?} leads to none"),
                report,
            );
        }
        if row.get::<_, bool>(2)? {
            let detail = format!("{key:02x?} has both");
            found("a key has a row or an answer", detail, report);
        }
        last = Some(key);
    }
    Ok(last)
}

fn refunds(
    connection: &Connection,
    after: i64,
    most: usize,
    report: &mut Report,
) -> Result<Option<i64>, StoreError> {
    let kind = tillbox_core::entry::EntryKind::Refund.code();
    let mut statement = connection.prepare_cached(REFUNDS)?;
    let mut rows = statement.query(params![after, super::super::limit(most), kind])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if !row.get::<_, bool>(1)? {
            let detail = format!("a refund names row {id}, which is none");
            found("refunds are stored beside the log", detail, report);
        }
        last = Some(id);
    }
    Ok(last)
}

fn found(invariant: &'static str, detail: String, report: &mut Report) {
    report.add(Violation {
        invariant,
        wallet: None,
        version: None,
        detail,
    });
}
