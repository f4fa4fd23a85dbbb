//! Balances of the past, and what was spent.

use super::{FOREIGN, Ledger, OURS, at, units, usd};
use crate::sqlite::history::{BESIDE_SPENDING, balances_before, spent_since};
use crate::sqlite::lots;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Adjust, Command, DebitRecord, Refund};
use tillbox_core::entry::{EntryKind, Note};
use tillbox_core::id::WalletId;
use tillbox_core::reason::Reason;

fn spent(ledger: &Ledger, wallet: WalletId, from: i64) -> Amount {
    ledger.read(|connection| spent_since(connection, OURS, wallet, at(from)))
}

#[test]
fn the_index_leaves_out_what_is_spending_and_its_refunds() {
    for reason in Reason::ALL {
        let is_left_out = (7..=12).contains(&reason.code());
        assert_eq!(reason.is_spending(), is_left_out, "{reason:?}");
    }
    assert_eq!(EntryKind::Refund.code(), 4);
    let ledger = Ledger::new();
    let steps: Vec<String> = ledger.read(|connection| {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {BESIDE_SPENDING}"))?;
        let steps = statement.query_map([1, 1, 1], |row| row.get(3))?;
        Ok(steps.collect::<rusqlite::Result<_>>()?)
    });
    assert_eq!(
        steps,
        ["SEARCH log USING INDEX log_beside_spending (wallet_id=? AND version>?)"]
    );
}

#[test]
fn spending_is_what_was_debited_less_what_was_given_back() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    let other = ledger.open(OURS, 2, usd());
    assert_eq!(spent(&ledger, wallet, 0), Amount::ZERO);
    ledger.credit(wallet, None);
    ledger.credit(other, None);
    ledger.debit(other, Reason::Usage, "another wallet's");
    ledger.now = at(2_000);
    let first = ledger.debit(wallet, Reason::Usage, "a");
    ledger.now = at(3_000);
    ledger.debit(wallet, Reason::Subscription, "b");
    ledger.credit(wallet, None);
    ledger.place_hold(wallet, "Seat");
    ledger.now = at(5_000);
    ledger.run(
        wallet,
        &Command::Adjust(Adjust {
            amount: -units(3),
            note: Note::default(),
        }),
    );
    assert_eq!(spent(&ledger, wallet, 0), units(2));
    assert_eq!(spent(&ledger, wallet, 2_000), units(2), "from is inclusive");
    assert_eq!(spent(&ledger, wallet, 2_001), units(1));
    assert_eq!(spent(&ledger, wallet, 5_001), Amount::ZERO);

    ledger.now = at(6_000);
    let record = DebitRecord {
        event: first.event.clone(),
        refunded: Amount::ZERO,
        debt_payments: Vec::new(),
        lots: ledger.read(|connection| lots::list(connection, OURS, wallet, None, 10)),
    };
    ledger.run(
        wallet,
        &Command::Refund(Refund {
            debit_id: first.id,
            amount: None,
            grace_days: 30,
            debit: Some(Box::new(record)),
            note: Note::default(),
        }),
    );
    assert_eq!(spent(&ledger, wallet, 0), units(1));
    assert_eq!(
        spent(&ledger, wallet, 6_000),
        -units(1),
        "of earlier spending"
    );
    let foreign = ledger.read(|connection| spent_since(connection, FOREIGN, wallet, at(0)));
    assert_eq!(foreign, Amount::ZERO);
}

#[test]
fn balances_are_those_right_before_each_instant() {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    ledger.credit(wallet, None);
    ledger.now = at(2_000);
    ledger.debit(wallet, Reason::Usage, "a");
    ledger.debit(wallet, Reason::Usage, "b");
    let instants = [999, 1_000, 1_001, 2_000, 2_001, i64::MAX].map(at);
    let found = ledger.read(|connection| balances_before(connection, OURS, wallet, &instants));
    assert_eq!(found, [0, 0, 10, 10, 8, 8].map(units));
    let foreign = ledger.read(|connection| balances_before(connection, FOREIGN, wallet, &instants));
    assert_eq!(foreign, [units(0); 6]);
}
