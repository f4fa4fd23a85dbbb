//! Transactions: filters, pages, and whose they are.

use super::{FOREIGN, Ledger, OURS, at, usd};
use crate::error::StoreError;
use crate::sqlite::Connection;
use crate::sqlite::listing::{ListFilter, Listed, of_merchant};
use crate::sqlite::stretches::BITS;
use crate::sqlite::transactions::{TransactionFilter, get, list, list_merchant_query, list_query};
use std::sync::Arc;
use tillbox_core::entry::Entry;
use tillbox_core::id::{EntryId, MerchantId, WalletId};
use tillbox_core::reason::{Reason, TransactionType};

fn list_merchant(
    connection: &Connection,
    merchant: MerchantId,
    filter: &TransactionFilter,
    before: Option<EntryId>,
    rows: usize,
) -> Result<Vec<Listed>, StoreError> {
    let filter = ListFilter {
        transactions: filter.clone(),
        status: None,
    };
    of_merchant(connection, merchant, &filter, before, rows)
}

fn all() -> TransactionFilter {
    TransactionFilter::default()
}

/// A credit at 1,000, a hold at 2,000, then debits at 3,000, 3,000, 5,000 and 7,000.
fn history(ledger: &mut Ledger, wallet: WalletId) -> Vec<Arc<Entry>> {
    let mut rows = vec![ledger.credit(wallet, None)];
    ledger.now = at(2_000);
    ledger.place_hold(wallet, "Seat");
    for (now, reason, reference) in [
        (3_000, Reason::Usage, "a"),
        (3_000, Reason::Purchase, "b"),
        (5_000, Reason::Usage, "b"),
        (7_000, Reason::Subscription, "c"),
    ] {
        ledger.now = at(now);
        rows.push(ledger.debit(wallet, reason, reference));
    }
    rows
}

fn seqs(
    ledger: &Ledger,
    merchant: MerchantId,
    wallet: WalletId,
    filter: &TransactionFilter,
    before: Option<u64>,
    rows: usize,
) -> Vec<u64> {
    let found = ledger.read(|connection| list(connection, merchant, wallet, filter, before, rows));
    found.iter().filter_map(|entry| entry.seq).collect()
}

#[test]
fn a_transaction_is_its_wallets_and_its_merchants_alone() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    let other = ledger.open(OURS, 2, usd());
    let rows = history(&mut ledger, wallet);
    let find =
        |merchant, wallet, id| ledger.read(|connection| get(connection, merchant, wallet, id));
    assert_eq!(find(OURS, wallet, rows[2].id).as_ref(), Some(&*rows[2]));
    assert_eq!(find(FOREIGN, wallet, rows[2].id), None);
    assert_eq!(find(OURS, other, rows[2].id), None);
    let held = ledger.states[&wallet].holds().next().expect("a hold").id;
    let row = tillbox_core::id::EntryId::from_number(held.number());
    assert_eq!(find(OURS, wallet, row), None, "a hold is no transaction");
    assert!(seqs(&ledger, FOREIGN, wallet, &all(), None, 10).is_empty());
    let foreign = ledger.read(|connection| list_merchant(connection, FOREIGN, &all(), None, 10));
    assert!(foreign.is_empty());
}

#[test]
fn each_filter_narrows_and_all_of_them_together() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    history(&mut ledger, wallet);
    let of = |filter: TransactionFilter| seqs(&ledger, OURS, wallet, &filter, None, 10);
    let from = |micros| TransactionFilter {
        from: Some(at(micros)),
        ..all()
    };
    let to = |micros| TransactionFilter {
        to: Some(at(micros)),
        ..all()
    };
    assert_eq!(of(all()), [5, 4, 3, 2, 1]);
    assert_eq!(of(from(3_000)), [5, 4, 3, 2], "from is inclusive");
    assert_eq!(of(from(3_001)), [5, 4]);
    assert_eq!(of(from(0)), [5, 4, 3, 2, 1]);
    assert!(of(from(7_001)).is_empty());
    assert_eq!(of(to(3_000)), [1], "to is exclusive");
    assert_eq!(of(to(3_001)), [3, 2, 1]);
    assert!(of(to(1_000)).is_empty());
    assert_eq!(of(to(i64::MAX)), [5, 4, 3, 2, 1]);
    assert_eq!(
        of(TransactionFilter {
            from: Some(at(2_000)),
            ..to(5_000)
        }),
        [3, 2]
    );
    assert!(
        of(TransactionFilter {
            from: Some(at(5_000)),
            ..to(3_000)
        })
        .is_empty()
    );
    let reason = |reason| TransactionFilter {
        reason: Some(reason),
        ..all()
    };
    assert_eq!(of(reason(Reason::Usage)), [4, 2]);
    assert!(of(reason(Reason::Refund)).is_empty());
    let kind = |kind| TransactionFilter {
        transaction_type: Some(kind),
        ..all()
    };
    assert_eq!(of(kind(TransactionType::Credit)), [1]);
    assert_eq!(of(kind(TransactionType::Debit)), [5, 4, 3, 2]);
    assert!(
        of(TransactionFilter {
            reason: Some(Reason::Usage),
            ..kind(TransactionType::Credit)
        })
        .is_empty()
    );
    let reference = |text: &str| TransactionFilter {
        reference: Some(text.to_owned()),
        ..all()
    };
    assert_eq!(of(reference("b")), [4, 3]);
    assert!(of(reference("' OR 1=1 --")).is_empty());
    assert_eq!(
        of(TransactionFilter {
            from: Some(at(4_000)),
            reason: Some(Reason::Usage),
            ..reference("b")
        }),
        [4]
    );
}

#[test]
fn pages_join_without_gap_or_repetition_while_rows_are_added() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    history(&mut ledger, wallet);
    let debits = TransactionFilter {
        transaction_type: Some(TransactionType::Debit),
        from: Some(at(3_000)),
        ..all()
    };
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = ledger.read(|connection| list(connection, OURS, wallet, &debits, before, 1));
        let Some(last) = page.last() else { break };
        before = Some(last.version);
        seen.extend(page.iter().filter_map(|entry| entry.seq));
        if seen.len() < 3 {
            ledger.debit(wallet, Reason::Usage, "later");
        }
    }
    assert_eq!(seen, [5, 4, 3, 2]);
}

#[test]
fn a_merchants_transactions_come_from_all_its_wallets() {
    let mut ledger = Ledger::new();
    let first = ledger.open(OURS, 1, usd());
    let jpy = tillbox_core::currency::Currency::parse("JPY").expect("a currency");
    let second = ledger.open(OURS, 1, jpy);
    let foreign = ledger.open(FOREIGN, 1, usd());
    let mut rows = Vec::new();
    for _ in 0..2 {
        rows.push(ledger.credit(first, None).id);
        ledger.credit(foreign, None);
        rows.push(ledger.credit(second, None).id);
        ledger.place_hold(second, "Seat");
    }
    rows.push(ledger.debit(second, Reason::Usage, "x").id);
    rows.reverse();
    let page = |merchant, filter: &TransactionFilter, before, limit| {
        ledger.read(|connection| list_merchant(connection, merchant, filter, before, limit))
    };
    let ids = |filter: &TransactionFilter, before, limit| {
        let found = page(OURS, filter, before, limit);
        found.iter().map(|row| row.row).collect::<Vec<_>>()
    };
    assert_eq!(ids(&all(), None, 10), rows);
    assert_eq!(ids(&all(), None, 2), rows[..2]);
    assert_eq!(ids(&all(), Some(rows[1]), 2), rows[2..4]);
    let debits = TransactionFilter {
        transaction_type: Some(TransactionType::Debit),
        ..all()
    };
    assert_eq!(ids(&debits, None, 10), rows[..1]);
    let currencies: Vec<_> = page(OURS, &all(), None, 3)
        .iter()
        .map(|row| row.currency)
        .collect();
    assert_eq!(currencies, [jpy, jpy, usd()]);
    assert_eq!(page(FOREIGN, &all(), None, 10).len(), 2);
}

#[test]
fn a_merchants_list_looks_at_its_own_stretches_of_the_log_alone() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    let foreign = ledger.open(FOREIGN, 1, usd());
    let stretch = 1 << BITS;
    let mut rows = Vec::new();
    for (number, owner) in [
        (5, wallet),
        (6, foreign),
        (7, wallet),
        (8, foreign),
        (9, wallet),
    ] {
        // Two at the end of a stretch, so that the second begins the next one.
        ledger.last_id.set(number * stretch * 2 - 3);
        for _ in 0..2 {
            let row = ledger.credit(owner, None);
            if owner == wallet {
                rows.push(row.id);
            }
        }
    }
    rows.reverse();
    let mut before = None;
    for pair in rows.chunks(2) {
        let page = ledger.read(|connection| list_merchant(connection, OURS, &all(), before, 2));
        assert!(page.iter().map(|row| row.row).eq(pair.iter().copied()));
        before = pair.last().copied();
    }
    let rest = ledger.read(|connection| list_merchant(connection, OURS, &all(), before, 2));
    assert!(rest.is_empty());

    let filter = TransactionFilter {
        transaction_type: Some(TransactionType::Debit),
        from: Some(at(1)),
        ..all()
    };
    let steps =
        ledger.read(|connection| list_merchant_query(OURS, &filter, before, 20).plan(connection));
    let expected = "SEARCH s USING PRIMARY KEY (merchant_id=? AND stretch<?)\n\
                    SEARCH log USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)\n\
                    SEARCH w USING INTEGER PRIMARY KEY (rowid=?)";
    assert_eq!(steps, expected);
}

#[test]
fn a_wallets_list_walks_its_index_backwards() {
    let ledger = Ledger::new();
    let filter = TransactionFilter {
        transaction_type: Some(TransactionType::Debit),
        reference: Some("a".to_owned()),
        ..all()
    };
    let wallet = WalletId::from_number(7);
    let steps =
        ledger.read(|connection| list_query(OURS, wallet, &filter, 1..9, 20).plan(connection));
    assert_eq!(
        steps,
        "SEARCH w USING PRIMARY KEY (wallet_id=? AND version>? AND version<?)\nSEARCH log USING INTEGER PRIMARY KEY (rowid=?)"
    );
}
