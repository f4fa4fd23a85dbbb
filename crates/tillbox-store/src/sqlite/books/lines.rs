//! Rows of a merchant as the books see them, in the order of the log or against it.
//!
//! Where a span is given, the quarters say between which rows it lies, so that an old month is found as fast as the
//! newest. All rows up to what is folded are in a quarter; a caller folds first, and reads up to there.

use super::{BOOKED_COLUMNS, Booked, Span, booked_from_row, slot_of, with_reversed};
use crate::error::StoreError;
use crate::sqlite::query::Query;
use crate::sqlite::stretches::{self, BITS};
use rusqlite::Connection;
use tillbox_core::id::{EntryId, MerchantId};
use tillbox_core::time::Timestamp;

/// Which way rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they were booked.
    OldestFirst,
    /// The last one first.
    NewestFirst,
}

/// Rows behind one, up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The row before the first.
    pub behind: i64,
    /// The last.
    pub through: i64,
}

/// Rows of a merchant within a stretch and booked in a span, at most so many.
pub fn rows(
    connection: &Connection,
    merchant: MerchantId,
    span: Span,
    stretch: Stretch,
    order: Order,
    most: usize,
) -> Result<Vec<Booked>, StoreError> {
    let Some((first, last)) = ids_of(connection, merchant, span)? else {
        return Ok(Vec::new());
    };
    let within = Stretch {
        behind: stretch.behind.max(first.saturating_sub(1)),
        through: stretch.through.min(last),
    };
    let rows = query(merchant, span, within, order, most).read(connection, booked_from_row)?;
    rows.into_iter()
        .map(|row| with_reversed(connection, row))
        .collect()
}

/// The first and the last row that may lie in a span; none where none does.
fn ids_of(
    connection: &Connection,
    merchant: MerchantId,
    span: Span,
) -> Result<Option<(i64, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT min(first_id), max(last_id) FROM book_slots WHERE merchant_id = ?1 AND slot BETWEEN ?2 AND ?3",
    )?;
    let first = span.from.map_or(i64::MIN, slot_of);
    let last = span.to.map_or(i64::MAX, |to| {
        slot_of(Timestamp::from_micros(to.micros().saturating_sub(1)))
    });
    let ids: (Option<i64>, Option<i64>) = statement
        .query_row([merchant.number(), first, last], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(ids.0.zip(ids.1))
}

pub(in super::super) fn query(
    merchant: MerchantId,
    span: Span,
    within: Stretch,
    order: Order,
    most: usize,
) -> Query {
    // CROSS JOIN keeps the order of the tables: stretches, their rows, each row's wallet.
    let select = format!(
        "SELECT {BOOKED_COLUMNS} FROM log_stretches s \
         CROSS JOIN log ON log.id BETWEEN s.stretch << {BITS} AND (s.stretch << {BITS}) + {LAST} \
         CROSS JOIN wallets w ON w.id = log.wallet_id \
         WHERE log.merchant_id = s.merchant_id AND",
        LAST = (1_i64 << BITS) - 1
    );
    let stretch_of = |id: i64| stretches::of(EntryId::from_number(id));
    let mut query = Query::new(&select, "s.merchant_id = {}", merchant.number());
    query.and("s.stretch >= {}", stretch_of(within.behind));
    query.and("s.stretch <= {}", stretch_of(within.through));
    query.and("log.id > {}", within.behind);
    query.and("log.id <= {}", within.through);
    if let Some(from) = span.from {
        query.and("log.at >= {}", from.micros());
    }
    if let Some(to) = span.to {
        query.and("log.at < {}", to.micros());
    }
    let order = match order {
        Order::OldestFirst => "s.stretch, log.id",
        Order::NewestFirst => "s.stretch DESC, log.id DESC",
    };
    query.first(order, most)
}
