//! What waits to be told before value expires: each of a lot that is there, at one of its instants, and one for each lot.
//!
//! Whether one that is missing was told is not known: the clock by which it was told is stored nowhere.

use super::report::WARNINGS;
use super::{Report, Scope, Violation, in_snapshot};
use crate::error::StoreError;
use rusqlite::{Connection, params};
use tillbox_core::id::{LotId, WalletId};

/// A stretch of warnings behind one, with whether each is right. 86,400,000,000: microseconds in a day.
const STRETCH: &str = "SELECT w.merchant_id, w.at, w.lot_id, w.wallet_id, coalesce(l.wallet_id = w.wallet_id \
     AND a.merchant_id = w.merchant_id AND (l.expires_at - w.at) IN (86400000000, 7 * 86400000000, 30 * 86400000000) \
     AND (SELECT count(*) FROM lot_warnings o WHERE o.merchant_id = w.merchant_id AND o.lot_id = w.lot_id AND o.at IN \
     (l.expires_at - 86400000000, l.expires_at - 7 * 86400000000, l.expires_at - 30 * 86400000000)) = 1, 0) \
     FROM lot_warnings w LEFT JOIN lots l ON l.id = w.lot_id LEFT JOIN wallets a ON a.id = w.wallet_id \
     WHERE (w.merchant_id, w.at, w.lot_id) > (?1, ?2, ?3) AND w.merchant_id <= ?4 \
     ORDER BY w.merchant_id, w.at, w.lot_id LIMIT ?5";

/// Checks all warnings of a scope, `rows` in a snapshot.
pub(super) fn check(
    connection: &Connection,
    scope: Scope,
    rows: usize,
    report: &mut Report,
) -> Result<(), StoreError> {
    let (mut last, to) = match scope {
        Scope::All => ((i64::MIN, i64::MIN, i64::MIN), i64::MAX),
        Scope::Merchant(merchant) => {
            let number = merchant.number();
            ((number, i64::MIN, i64::MIN), number)
        }
    };
    loop {
        let mut read = 0;
        in_snapshot(connection, |connection| {
            let mut statement = connection.prepare_cached(STRETCH)?;
            let limit = super::super::limit(rows);
            let mut found = statement.query(params![last.0, last.1, last.2, to, limit])?;
            while let Some(row) = found.next()? {
                last = (row.get(0)?, row.get(1)?, row.get(2)?);
                read += 1;
                if !row.get::<_, bool>(4)? {
                    report.add(Violation {
                        invariant: WARNINGS,
                        wallet: Some(WalletId::from_number(row.get(3)?)),
                        version: None,
                        detail: format!("of {} at {}", LotId::from_number(last.2), last.1),
                    });
                }
            }
            Ok(())
        })?;
        if read < rows {
            return Ok(());
        }
    }
}
