//! Where in the log a merchant has rows: what makes its list of transactions, and its events, fast on a server that is
//! busy with others.
//!
//! The log is in the order of its ids, and an id holds the second in which it was made. A table names, for each
//! merchant, the stretches of about a second in which it has rows, and whether its list shows one of them; its list
//! walks those, its events walk all, and neither anything else. An
//! index by merchant would be exact, but each row would dirty a page of its own merchant: of 1,000 merchants on
//! 200,000 wallets it took about two fifths of the inserts away (a third to a half, run by run), these rows nothing
//! that could be told from noise. A page without filters reads at most what the whole server wrote in as many seconds
//! as the page has rows; a filter that matches little reads on, until it is cut off as any long read is.

use rusqlite::Connection;
use tillbox_core::entry::{Entry, EntryKind};
use tillbox_core::id::{EntryId, MerchantId};

/// Ids in a stretch, as a power of two: an id counts 2²¹ to the millisecond, so this is 1.024 s.
pub(super) const BITS: u32 = 31;

/// The stretch that an id lies in.
pub(super) fn of(id: EntryId) -> i64 {
    id.number() >> BITS
}

/// Whether a list of transactions may show the row: a transaction, or a top-up that has not succeeded (R2).
pub(super) fn is_listed(entry: &Entry) -> bool {
    entry.event.moves_money() || entry.event.kind == EntryKind::TopUpOpened
}

/// Names the stretches of `entries`.
pub(super) fn write<'a>(
    connection: &Connection,
    entries: impl Iterator<Item = (MerchantId, &'a Entry)>,
) -> rusqlite::Result<()> {
    let mut touched: Vec<[i64; 3]> = entries
        .map(|(merchant, entry)| {
            let listed = i64::from(is_listed(entry));
            [merchant.number(), of(entry.id), listed]
        })
        .collect();
    touched.sort_unstable();
    touched.dedup();
    let mut insert = connection.prepare_cached(
        "INSERT INTO log_stretches (merchant_id, stretch, listed) VALUES (?1, ?2, ?3) \
         ON CONFLICT DO UPDATE SET listed = 1 WHERE listed < excluded.listed",
    )?;
    for stretch in touched {
        insert.execute(stretch)?;
    }
    Ok(())
}
