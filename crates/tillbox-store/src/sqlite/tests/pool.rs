//! Reads: bounded in number, in waiting and in work, and never writing.

use super::Plain;
use crate::error::StoreError;
use crate::sqlite::pool::{Limits, ReadPool};
use crate::sqlite::{Connection, path_of};
use std::time::Duration;

const ENDLESS: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// Some million instructions: within the limit, if each read has it for itself.
const LONG: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT count(*) FROM n";

fn pool(plain: &Plain, connections: usize) -> ReadPool {
    let path = path_of(&plain.folder.url()).expect("a path");
    let limits = Limits {
        connections,
        wait: Duration::from_millis(1),
        steps: 2,
    };
    ReadPool::new(path, limits)
}

fn number(connection: &Connection, sql: &str) -> Result<i64, StoreError> {
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

#[test]
fn a_long_read_is_cut_off_and_the_next_one_starts_afresh() {
    let plain = Plain::new();
    let pool = pool(&plain, 1);
    for _ in 0..3 {
        let cut = pool.read(|connection| number(connection, ENDLESS));
        let Err(StoreError::Unavailable(why)) = cut else {
            panic!("{cut:?}");
        };
        assert!(why.contains("interrupt"), "{why}");
        let long = pool.read(|connection| number(connection, LONG));
        assert_eq!(long.expect("reads"), 100_000);
    }
}

#[test]
fn a_read_waits_no_longer_than_it_is_told() {
    let plain = Plain::new();
    let pool = pool(&plain, 2);
    let third = pool.read(|_first| {
        pool.read(|_second| Ok(pool.read(|connection| number(connection, "SELECT 1"))))
    });
    let third = third.expect("two may read");
    assert!(
        matches!(&third, Err(StoreError::Unavailable(why)) if why.contains("in use")),
        "{third:?}"
    );
    assert_eq!(
        pool.read(|connection| number(connection, "SELECT 1"))
            .expect("free again"),
        1
    );
}

#[test]
fn a_panic_gives_the_connection_back() {
    let plain = Plain::new();
    let pool = pool(&plain, 1);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        pool.read(|_connection| -> Result<(), StoreError> { panic!("a reader's fault") })
    }));
    assert!(panicked.is_err());
    assert_eq!(
        pool.read(|connection| number(connection, "SELECT 1"))
            .expect("reads"),
        1
    );
}

#[test]
fn a_failed_opening_takes_no_place() {
    let plain = Plain::new();
    let pool = pool(&plain, 1);
    let away = plain.folder.0.join("away.db");
    std::fs::rename(plain.folder.file(), &away).expect("moves");
    assert!(pool.read(|_connection| Ok(())).is_err());
    std::fs::rename(&away, plain.folder.file()).expect("moves back");
    pool.read(|_connection| Ok(())).expect("reads");
}

#[test]
fn a_reader_cannot_write() {
    let plain = Plain::new();
    let written = plain.store.read(|connection| {
        connection.execute_batch("INSERT INTO merchants VALUES (1, 'M', 0, '{}', 0, 0)")?;
        Ok(())
    });
    assert!(written.is_err());
}
