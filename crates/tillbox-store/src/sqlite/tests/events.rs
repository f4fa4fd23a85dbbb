//! What events are derived from: pages in order and whole, and what a page costs at most.

use super::{FOREIGN, Ledger, OURS, Plain, at, usd};
use crate::sqlite::events::{
    Fact, FactFilter, FactPage, head, is_of, outbox_query, read, stretch_query, version_at,
};
use crate::sqlite::outbox::{self, OutboxRow, WALLET_UPDATED, names};
use crate::sqlite::stretches::BITS;
use tillbox_core::entry::EntryKind;
use tillbox_core::id::{MerchantId, OutboxId, WalletId};
use tillbox_core::reason::Reason;

fn page(
    ledger: &Ledger,
    merchant: MerchantId,
    filter: &FactFilter,
    after: i64,
    rows: usize,
) -> FactPage {
    ledger.read(|connection| read(connection, merchant, filter, after, rows))
}

/// All rows, by pages of that size.
fn all(ledger: &Ledger, merchant: MerchantId, filter: &FactFilter, rows: usize) -> Vec<i64> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = page(ledger, merchant, filter, after, rows);
        assert!(page.facts.len() <= rows);
        found.extend(page.facts.iter().map(Fact::row));
        assert!(page.is_last || page.through > after, "it gets further");
        after = page.through;
        if page.is_last {
            return found;
        }
    }
}

/// Gives a wallet a name, as the service does.
fn rename(ledger: &mut Ledger, wallet: WalletId, name: &str) -> i64 {
    let id = ledger.next_id();
    let row = OutboxRow {
        id: OutboxId::from_number(id),
        merchant_id: OURS,
        wallet_id: Some(wallet),
        event_type: WALLET_UPDATED.to_owned(),
        at: at(id),
        data: names(Some(name), r#"{"b":1,"a":2}"#),
    };
    ledger.plain(move |connection| outbox::insert(connection, &row));
    id
}

#[test]
fn rows_of_log_and_outbox_come_once_in_the_order_of_their_ids() {
    let mut ledger = Ledger::new();
    let (first, second) = (ledger.open(OURS, 1, usd()), ledger.open(OURS, 2, usd()));
    let foreign = ledger.open(FOREIGN, 1, usd());
    let mut expected = vec![first.number() + 1, second.number() + 1];
    let mut of_second = vec![second.number() + 1];
    let mut renamed = Vec::new();
    for number in 1..=12 {
        // Some in the same stretch, some far from each other.
        ledger
            .last_id
            .set((number / 3) * (1 << (BITS + 2)) + 1_000 * number);
        for wallet in [first, second, foreign] {
            let row = ledger.credit(wallet, None).id.number();
            expected.extend((wallet != foreign).then_some(row));
            of_second.extend((wallet == second).then_some(row));
        }
        let row = rename(&mut ledger, second, "Two");
        expected.push(row);
        of_second.push(row);
        renamed.push(row);
    }
    let everything = FactFilter::default();
    let of_wallet = FactFilter {
        wallet: Some(second),
        ..everything.clone()
    };
    let of_outbox = FactFilter {
        kinds: Some(Vec::new()),
        outbox_type: Some(WALLET_UPDATED),
        ..everything.clone()
    };
    for rows in [1, 2, 3, 5, 100] {
        assert_eq!(all(&ledger, OURS, &everything, rows), expected, "by {rows}");
        assert_eq!(all(&ledger, OURS, &of_wallet, rows), of_second, "by {rows}");
        assert_eq!(all(&ledger, OURS, &of_outbox, rows), renamed, "by {rows}");
    }
    assert_eq!(all(&ledger, FOREIGN, &everything, 100).len(), 13);
    assert_eq!(
        all(&ledger, FOREIGN, &of_wallet, 100),
        [0_i64; 0],
        "it is not theirs"
    );
    let last = expected.last().copied().expect("rows");
    let end = page(&ledger, OURS, &everything, last, 5);
    assert!(end.is_last && end.facts.is_empty());
    assert_eq!(end.through, ledger.read(head));
    for (merchant, row, is_theirs) in [
        (OURS, last, true),
        (FOREIGN, last, false),
        (OURS, last + 1, false),
    ] {
        assert_eq!(
            ledger.read(|connection| is_of(connection, merchant, row)),
            is_theirs
        );
    }
}

#[test]
fn a_filter_that_matches_little_gets_a_short_page_and_gets_on() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    ledger.credit(wallet, None);
    for number in 1..250 {
        ledger.last_id.set(number << BITS);
        ledger.credit(wallet, None);
    }
    ledger.last_id.set(300 << BITS);
    let debit = ledger.debit(wallet, Reason::Usage, "r");
    let filter = FactFilter {
        kinds: Some(vec![EntryKind::Debit]),
        outbox_type: Some("wallet.payment_made"),
        ..FactFilter::default()
    };
    let first = page(&ledger, OURS, &filter, 0, 20);
    assert!(!first.is_last && first.facts.is_empty());
    assert_eq!(first.through >> BITS, 99, "a hundred stretches");
    assert_eq!(all(&ledger, OURS, &filter, 20), [debit.id.number()]);
    // What lies beyond what was looked at waits for its turn.
    rename(&mut ledger, wallet, "Last");
    let everything = all(&ledger, OURS, &FactFilter::default(), 1_000);
    assert_eq!(everything.len(), 1 + 250 + 1 + 1);
    assert!(everything.is_sorted_by(|one, next| one < next));
}

#[test]
fn a_long_log_of_one_wallet_is_looked_through_in_parts() {
    let mut plain = Plain::new();
    let rows = "WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 45000) \
         INSERT INTO log (id, merchant_id, wallet_id, version, kind, reason, amount, balance_after, at, body, hash) \
         SELECT v * 10, 1, 7, v, 12, 0, 0, 0, 0, x'', x'' FROM n; \
         INSERT INTO wallet_log (wallet_id, version, entry_id) SELECT wallet_id, version, id FROM log";
    plain
        .write(|connection| Ok(connection.execute_batch(rows)?))
        .expect("writes");
    let filter = FactFilter {
        wallet: Some(WalletId::from_number(7)),
        kinds: Some(vec![EntryKind::Debit]),
        outbox_type: None,
    };
    let mut ends = Vec::new();
    let mut after = 5;
    for _ in 0..3 {
        let page = plain.read(|connection| read(connection, OURS, &filter, after, 20));
        assert!(page.facts.is_empty());
        ends.push((page.through, page.is_last));
        after = page.through;
    }
    assert_eq!(ends, [(200_000, false), (400_000, false), (450_000, true)]);
    for (row, version) in [
        (0, 0),
        (9, 0),
        (10, 1),
        (19, 1),
        (449_999, 44_999),
        (450_000, 45_000),
        (1 << 40, 45_000),
    ] {
        let wallet = WalletId::from_number(7);
        let found = plain.read(|connection| version_at(connection, wallet, row));
        assert_eq!(found, version, "at {row}");
    }
}

#[test]
fn pages_are_found_by_their_indexes() {
    let plain = Plain::new();
    let filter = FactFilter {
        kinds: Some(vec![EntryKind::Debit]),
        outbox_type: Some(WALLET_UPDATED),
        ..FactFilter::default()
    };
    let steps = plain.read(|connection| stretch_query(OURS, &filter, 4, 7, 20).plan(connection));
    assert_eq!(
        steps,
        "SEARCH log USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
    );
    for (filter, index) in [
        (filter, "outbox_by_type (merchant_id=? AND type=? AND id>?)"),
        (
            FactFilter::default(),
            "outbox_by_merchant (merchant_id=? AND id>?)",
        ),
        (
            FactFilter {
                wallet: Some(WalletId::from_number(7)),
                ..FactFilter::default()
            },
            "outbox_by_wallet (wallet_id=? AND id>?)",
        ),
    ] {
        let steps = plain.read(|connection| outbox_query(OURS, &filter, 7, 20).plan(connection));
        assert_eq!(steps, format!("SEARCH o USING INDEX {index}"));
    }
}

#[test]
fn a_wallet_is_called_as_it_was_called_then() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    let row = ledger.credit(wallet, None).id.number();
    let (one, two) = (
        rename(&mut ledger, wallet, "One"),
        rename(&mut ledger, wallet, "Two"),
    );
    let called = |row: i64| {
        let named = ledger.read(|connection| outbox::wallet_as_at(connection, OURS, wallet, row));
        let named = named.expect("a wallet");
        (
            named.wallet.name,
            named.wallet.metadata,
            named.wallet.updated_at,
            named.until,
        )
    };
    let data = r#"{"b":1,"a":2}"#.to_owned();
    assert_eq!(called(row), (None, "{}".to_owned(), at(1_000), Some(one)));
    assert_eq!(
        called(one),
        (Some("One".to_owned()), data.clone(), at(one), Some(two))
    );
    assert_eq!(
        called(two + 5),
        (Some("Two".to_owned()), data, at(two), None)
    );
    let foreign = ledger.read(|connection| outbox::wallet_as_at(connection, FOREIGN, wallet, row));
    assert_eq!(foreign, None);
}

#[test]
fn a_stretch_says_whether_a_list_of_transactions_looks_at_it() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    ledger.credit(wallet, None);
    ledger.last_id.set(5 << BITS);
    ledger.place_hold(wallet, "one");
    let stretches = |ledger: &Ledger| {
        ledger.read(|connection| {
            let sql = "SELECT stretch, listed FROM log_stretches ORDER BY stretch";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<(i64, i64)>>>()?)
        })
    };
    assert_eq!(stretches(&ledger), [(0, 1), (5, 0)]);
    ledger.debit(wallet, Reason::Usage, "r");
    ledger.place_hold(wallet, "two");
    assert_eq!(stretches(&ledger), [(0, 1), (5, 1)], "once listed, always");
}
