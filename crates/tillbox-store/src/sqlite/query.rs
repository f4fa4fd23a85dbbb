//! Lists: a SELECT to which each filter that is asked for adds its condition.
//!
//! A filter that is not asked for leaves no trace in the SQL, so that the planner sees which index serves. There
//! are few texts: all of them stay in the cache of statements.

use crate::error::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

/// A SELECT with its values, newest first.
pub(super) struct Query {
    sql: String,
    values: Vec<Value>,
}

impl Query {
    /// Begins with a text that ends behind WHERE, and its first condition: `{}` stands for the value.
    pub(super) fn new(select_where: &str, condition: &str, value: impl Into<Value>) -> Self {
        let mut query = Self {
            sql: format!("{select_where} "),
            values: Vec::new(),
        };
        query.push(condition, value.into());
        query
    }

    /// Narrows it: `{}` in the condition stands for the value.
    pub(super) fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.sql.push_str(" AND ");
        self.push(condition, value.into());
    }

    /// Narrows it by a condition that needs no value.
    pub(super) fn and_plain(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    /// The first `rows` of it, by `order`.
    pub(super) fn first(mut self, order: &str, rows: usize) -> Self {
        self.sql.push_str(" ORDER BY ");
        self.sql.push_str(order);
        self.push(" LIMIT {}", super::limit(rows).into());
        self
    }

    /// Reads them.
    pub(super) fn read<T>(
        self,
        connection: &Connection,
        from_row: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = connection.prepare_cached(&self.sql)?;
        statement
            .query_and_then(params_from_iter(self.values), from_row)?
            .collect()
    }

    /// How SQLite would run it, a step a line.
    #[cfg(test)]
    pub(super) fn plan(self, connection: &Connection) -> Result<String, StoreError> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", self.sql))?;
        let steps =
            statement.query_map(params_from_iter(self.values), |row| row.get::<_, String>(3))?;
        Ok(steps.collect::<rusqlite::Result<Vec<_>>>()?.join("\n"))
    }

    fn push(&mut self, condition: &str, value: Value) {
        self.values.push(value);
        let place = format!("?{}", self.values.len());
        self.sql.push_str(&condition.replace("{}", &place));
    }
}
