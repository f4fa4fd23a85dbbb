//! How balances are usually kept, for `tillbox bench` to measure beside the ledger: a transaction for each debit. No
//! part of the ledger; it takes a database of its own.

use super::{path_of, prepare_writer};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, params};

/// A database with a balance for each wallet and a row for each debit.
pub struct RowLock(Connection);

impl RowLock {
    /// A new database, which must not be there, with wallets 0 to `wallets` - 1.
    pub fn create(url: &str, wallets: i64) -> Result<Self, StoreError> {
        let connection = Connection::open(path_of(url)?)?;
        prepare_writer(&connection)?;
        connection.execute_batch(
            "CREATE TABLE wallets (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL, seq INTEGER NOT NULL);
             CREATE TABLE transactions (id INTEGER PRIMARY KEY, wallet_id INTEGER NOT NULL, seq INTEGER NOT NULL, \
                amount INTEGER NOT NULL, balance_after INTEGER NOT NULL, key BLOB NOT NULL UNIQUE);
             CREATE UNIQUE INDEX transactions_by_wallet ON transactions (wallet_id, seq);",
        )?;
        connection.execute(
            "WITH RECURSIVE n (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM n WHERE id + 1 < ?1) \
             INSERT INTO wallets SELECT id, 1000000000000, 0 FROM n",
            [wallets],
        )?;
        Ok(Self(connection))
    }

    /// Takes an amount off a balance, once for each key; durable when it returns.
    pub fn debit(&mut self, wallet: i64, key: [u8; 16], amount: i64) -> Result<(), StoreError> {
        let tx = self
            .0
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let known: Option<i64> = tx
            .prepare_cached("SELECT id FROM transactions WHERE key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        if known.is_none() {
            let (balance, seq): (i64, i64) = tx
                .prepare_cached("SELECT balance, seq FROM wallets WHERE id = ?1")?
                .query_row([wallet], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let after = balance - amount;
            if after < 0 {
                return Err(StoreError::Conflict("the balance does not suffice"));
            }
            tx.prepare_cached("UPDATE wallets SET balance = ?2, seq = ?3 WHERE id = ?1")?
                .execute([wallet, after, seq + 1])?;
            tx.prepare_cached(
                "INSERT INTO transactions (wallet_id, seq, amount, balance_after, key) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![wallet, seq + 1, -amount, after, key])?;
        }
        Ok(tx.commit()?)
    }
}
