//! Payments that are asked about once more.

use super::Ledger;
use crate::sqlite::top_ups::to_check_sql;

#[test]
fn r28_payments_to_ask_about_are_read_off_an_index_of_those_alone() {
    let ledger = Ledger::new();
    let steps: Vec<String> = ledger.read(|connection| {
        let mut statement =
            connection.prepare(&format!("EXPLAIN QUERY PLAN {}", to_check_sql()))?;
        let steps = statement.query_map([1, 1], |row| row.get(3))?;
        Ok(steps.collect::<rusqlite::Result<_>>()?)
    });
    assert_eq!(
        steps,
        [
            "SEARCH t USING INDEX top_ups_to_check (<expr><?)",
            "SEARCH log USING INTEGER PRIMARY KEY (rowid=?)"
        ]
    );
}
