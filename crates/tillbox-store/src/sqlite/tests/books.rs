//! The books: sums that trail the log, and rows as the journal reads them.

use super::snapshots::{busy, fold_all};
use super::{FOREIGN, Ledger, OURS, at, units, usd};
use crate::error::StoreError;
use crate::sqlite::books::lines::{self, Order, Stretch};
use crate::sqlite::books::sums::{self, Sums};
use crate::sqlite::books::tally::{Counted, PostingKey, TransactionKey};
use crate::sqlite::books::{self, Booked, Span, fold};
use crate::sqlite::walk::PastStates;
use std::sync::Arc;
use tillbox_core::command::{Command, Credit};
use tillbox_core::currency::Currency;
use tillbox_core::entry::Entry;
use tillbox_core::journal::postings;
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;

const ALL: Stretch = Stretch {
    behind: 0,
    through: i64::MAX,
};

/// Two merchants, two currencies, a row each seven minutes.
fn some_hours() -> (Ledger, Vec<Arc<Entry>>) {
    let mut ledger = Ledger::new();
    let yen = Currency::parse("JPY").expect("a currency");
    let wallets = [
        (ledger.open(OURS, 1, usd()), true),
        (ledger.open(FOREIGN, 2, usd()), false),
        (ledger.open(OURS, 3, yen), true),
    ];
    let mut ours = Vec::new();
    for round in 0..20 {
        for (wallet, is_ours) in wallets {
            ledger.now = ledger.now.plus_seconds(7 * 60);
            let row = match round % 4 {
                0 => {
                    let funding = FundingType::ALL[round / 4 % 5];
                    ledger.run(wallet, &Command::Credit(Credit::new(units(9), funding)))
                }
                _ => ledger.debit(wallet, Reason::Usage, "r"),
            };
            ours.extend(is_ours.then_some(row));
        }
    }
    (ledger, ours)
}

/// What rows add up to, the long way round.
fn summed(rows: &[Arc<Entry>], span: Span, currencies: impl Fn(&Entry) -> Currency) -> Sums {
    let mut sums = Sums::default();
    let is_in =
        |at: Timestamp| span.from.is_none_or(|from| from <= at) && span.to.is_none_or(|to| at < to);
    for row in rows.iter().filter(|row| is_in(row.at)) {
        let (currency, reason) = (currencies(row), row.event.reason);
        for posting in postings(&row.event, None) {
            let key = PostingKey {
                currency,
                reason,
                debit: posting.debit,
                credit: posting.credit,
            };
            *sums.postings.entry(key).or_default() += posting.amount.into();
        }
        let key = TransactionKey {
            currency,
            kind: row.event.kind,
            reason: reason.expect("a transaction"),
            price_key: "".into(),
        };
        let counted: &mut Counted = sums.transactions.entry(key).or_default();
        counted.transactions += 1;
        counted.amount += row.event.amount.into();
    }
    sums
}

fn of_span(ledger: &Ledger, span: Span) -> Sums {
    let found = ledger.read(|connection| sums::of_spans(connection, OURS, &[span]));
    found.into_iter().next().expect("one")
}

#[test]
fn sums_of_any_span_are_those_of_its_rows() {
    let (mut ledger, rows) = some_hours();
    let yen = rows[1].wallet_id;
    let currencies = |row: &Entry| {
        if row.wallet_id == yen {
            Currency::parse("JPY").expect("a currency")
        } else {
            usd()
        }
    };
    fold_all(&mut ledger);
    let quarter = 900_000_000;
    let ends = [0, 1, 2, 5, 6, 20, 21].map(|count| count * quarter);
    let near = |end: i64| [end, end + 1_000, end + 421_000_000].map(at);
    let instants: Vec<Option<Timestamp>> = std::iter::once(None)
        .chain(ends.into_iter().flat_map(near).map(Some))
        .collect();
    let mut some = 0;
    for from in &instants {
        for to in &instants {
            let span = Span {
                from: *from,
                to: *to,
            };
            let found = of_span(&ledger, span);
            assert_eq!(found, summed(&rows, span, currencies), "{span:?}");
            some += usize::from(found != Sums::default());
        }
    }
    assert!(some > 100, "{some}");
    let (first, last) = ledger
        .read(|connection| sums::booked_between(connection, OURS))
        .expect("rows");
    assert!(first <= rows[0].at && rows[39].at <= last);
}

#[test]
fn what_remains_of_lots_is_what_wallets_hold() {
    let (mut ledger, rows) = some_hours();
    fold_all(&mut ledger);
    let (mut lots, _, through) =
        ledger.read(|connection| sums::of_lots(connection, OURS, Span::default()));
    assert_eq!(through, ledger.read(books::head));
    for currency in [usd(), Currency::parse("JPY").expect("a currency")] {
        for funding in FundingType::ALL {
            let wallets = ledger
                .states
                .values()
                .filter(|state| state.merchant_id == OURS);
            let open = wallets
                .filter(|state| state.currency == currency)
                .flat_map(|state| state.lots().filter(|lot| lot.funding == funding));
            let expected: i64 = open.map(|lot| lot.remaining.micros()).sum();
            let found = lots
                .iter()
                .filter(|(key, _)| (key.currency, key.funding) == (currency, funding));
            let found: i128 = found.map(|(_, total)| total.micros()).sum();
            assert_eq!(found, i128::from(expected), "{currency} {funding:?}");
        }
    }
    // All taken back, nothing is left.
    let all = read(&ledger, Span::default(), ALL, Order::OldestFirst, 100);
    assert_eq!(all.len(), rows.len());
    for row in &all {
        sums::take_back(&mut lots, row);
    }
    assert!(lots.values().all(|total| total.is_zero()), "{lots:?}");
}

fn read(ledger: &Ledger, span: Span, stretch: Stretch, order: Order, most: usize) -> Vec<Booked> {
    ledger.read(|connection| lines::rows(connection, OURS, span, stretch, order, most))
}

#[test]
fn rows_are_read_either_way_and_are_the_merchants_own() {
    let (mut ledger, rows) = some_hours();
    fold_all(&mut ledger);
    let ids: Vec<i64> = rows.iter().map(|row| row.id.number()).collect();
    let found = |span, stretch, order, most| -> Vec<i64> {
        let rows = read(&ledger, span, stretch, order, most);
        rows.iter().map(|row| row.id.number()).collect()
    };
    let open = Span::default();
    assert_eq!(found(open, ALL, Order::OldestFirst, 100), ids);
    let reversed: Vec<i64> = ids.iter().rev().copied().collect();
    assert_eq!(found(open, ALL, Order::NewestFirst, 100), reversed);
    let within = Stretch {
        behind: ids[4],
        through: ids[9],
    };
    assert_eq!(found(open, within, Order::OldestFirst, 3), ids[5..8]);
    assert_eq!(found(open, within, Order::NewestFirst, 2), [ids[9], ids[8]]);
    let span = Span {
        from: Some(rows[7].at),
        to: Some(rows[12].at),
    };
    assert_eq!(found(span, ALL, Order::OldestFirst, 100), ids[7..12]);
    let never = Span {
        from: Some(at(i64::MAX)),
        to: None,
    };
    assert_eq!(
        found(never, ALL, Order::OldestFirst, 100),
        Vec::<i64>::new()
    );
}

#[test]
fn rows_are_read_without_sorting() {
    let (ledger, _) = some_hours();
    let span = Span {
        from: Some(at(5)),
        to: Some(at(1_000_000)),
    };
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let query = lines::query(OURS, span, ALL, order, 10);
        let plan = ledger.read(|connection| query.plan(connection));
        assert!(
            !plan.contains("TEMP B-TREE") && !plan.contains("SCAN"),
            "{plan}"
        );
    }
}

#[test]
fn the_log_is_folded_once_however_it_is_cut() {
    let (mut ledger, _, _) = busy(900);
    let past = PastStates::new(1 << 20);
    let tables = |ledger: &Ledger| {
        ledger.read(|connection| {
            let mut all = Vec::new();
            for table in [
                "book_postings",
                "book_transactions",
                "book_lots",
                "book_slots",
            ] {
                let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
                let columns = statement.column_count();
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    let values =
                        (0..columns).map(|place| row.get::<_, rusqlite::types::Value>(place));
                    all.push(values.collect::<Result<Vec<_>, _>>()?);
                }
            }
            Ok(all)
        })
    };
    let once = ledger.read(|connection| fold::read(connection, &past, 10_000));
    let once = once.expect("rows");
    assert_eq!(once.rows(), 900);
    let mut taken = 0;
    while let Some(folded) = ledger.read(|connection| fold::read(connection, &past, 37)) {
        taken += folded.rows();
        ledger.plain(move |connection| fold::write(connection, &folded));
    }
    assert_eq!(taken, 900);
    let by_37 = tables(&ledger);
    let late = ledger.store.read(|connection| {
        let tx = connection.unchecked_transaction()?;
        fold::write(&tx, &once)
    });
    assert!(late.is_err(), "what was folded by another is refused");
    ledger.plain(|connection| {
        for table in [
            "book_postings",
            "book_transactions",
            "book_lots",
            "book_slots",
        ] {
            connection.execute(&format!("DELETE FROM {table}"), [])?;
        }
        connection.execute("UPDATE book_fold SET folded_to = 0", [])?;
        Ok(())
    });
    ledger.plain(move |connection| fold::write(connection, &once));
    assert_eq!(tables(&ledger), by_37);
}

#[test]
fn sums_beyond_the_range_of_a_balance_are_kept() {
    let (mut ledger, _) = some_hours();
    fold_all(&mut ledger);
    ledger.plain(|connection| {
        let sql = "UPDATE book_postings SET high = 900000000000000 WHERE merchant_id = 1";
        connection.execute(sql, [])?;
        Ok(())
    });
    let sums = of_span(&ledger, Span::default());
    let most = sums.postings.values().max().expect("sums");
    assert!(most.micros() > i128::from(i64::MAX), "{most:?}");
    ledger.plain(|connection| {
        let sql = "UPDATE book_postings SET high = 9000000000000000000 WHERE merchant_id = 1";
        connection.execute(sql, [])?;
        Ok(())
    });
    let beyond = ledger
        .store
        .read(|connection| sums::of_spans(connection, OURS, &[Span::default()]));
    assert!(
        matches!(beyond, Err(StoreError::Unavailable(_))),
        "never a wrong sum"
    );
}
