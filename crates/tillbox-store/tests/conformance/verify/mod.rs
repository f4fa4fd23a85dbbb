//! The self-audit, audited: on a copy of a sound database each change breaks a rule, and `verify` names it.

mod derived;
mod forged;
mod trailing;

use crate::books::{Books, units};
use crate::commands::{advance, alerts, declined, recharge, settle, top_up};
use crate::commands::{capture, credit, debit, expiring_credit, forced_debit, hold, refund};
use crate::commands::{dispute, end_payout, refund_to_card, release};
use crate::stores::{Sqlite, TestStore};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tillbox_core::command::{AfterCapture, Command};
use tillbox_core::entry::Entry;
use tillbox_core::id::{MerchantId, TopUpId, WalletId};
use tillbox_core::lot::FundingType;
use tillbox_core::payback::DisputeStatus;
use tillbox_core::recharge::FailureClass;
use tillbox_core::top_up::{Channel, TopUpStatus};
use tillbox_store::sqlite::Connection;
use tillbox_store::sqlite::verify::{
    Limits, Report, Scope, rules_of_all, rules_of_one, verify, verify_within,
};

/// A database with a row of every kind, in two wallets.
fn sound() -> Books<Sqlite> {
    let mut books = Books::with_wallets(Sqlite::new("verify"), 2);
    for wallet in [1, 2] {
        let mut run = |command: &Command| books.run(wallet, command).expect("a command");
        run(&credit(10, FundingType::Cash));
        run(&expiring_credit(5, 100));
        let spent = run(&debit(3));
        let first = run(&hold(4, 50)).event.hold.expect("a hold").id;
        let second = run(&hold(6, 500)).event.hold.expect("a hold").id;
        run(&capture(first, Some(units(1)), AfterCapture::StayOpen));
        run(&debit(6));
        run(&forced_debit(30));
        run(&credit(8, FundingType::Promotional));
        run(&refund(spent.id, Some(units(2))));
        run(&capture(second, Some(units(2)), AfterCapture::End));
        books.now = books.now.plus_seconds(60);
        let mut run = |command: &Command| books.run(wallet, command).expect("a command");
        run(&credit(60, FundingType::Cash));
        run(&expiring_credit(7, 100));
        run(&hold(9, 1_000));
        run(&expiring_credit(2, 150));
        run(&expiring_credit(1, 40 * 86_400));
        books.now = books.now.plus_seconds(200);
        let mut run = |command: &Command| books.run(wallet, command).expect("a command");
        pay_in(wallet, &mut run);
        pay_back(wallet, &mut run);
        run(&Command::SetOverdraftLimit(units(3)));
        run(&debit(1));
    }
    books.commit_and_compare();
    books.store.ledger().fold_keys().expect("keys are folded");
    books
}

/// A hold has set free what a dispute then reserves, a part of it.
fn sound_with_freed() -> Books<Sqlite> {
    let mut books = Books::with_wallets(Sqlite::new("verify-freed"), 2);
    let mut run = |command: &Command| books.run(1, command).expect("a command");
    run(&top_up(15, 20, Channel::Link));
    run(&settle(TopUpId::from_number(15), units(18)));
    let all = run(&hold(20, 900)).event.hold.expect("a hold").id;
    run(&dispute(15, DisputeStatus::Open, 10));
    run(&release(all));
    run(&dispute(15, DisputeStatus::Lost, 10));
    run(&dispute(15, DisputeStatus::Won, 10));
    run(&debit(1));
    books.commit_and_compare();
    books.store.ledger().fold_keys().expect("keys are folded");
    books
}

/// Rows of each kind of what goes back of payments.
fn pay_back(wallet: i64, run: &mut impl FnMut(&Command) -> Arc<Entry>) {
    let [first, second] = [4, 5].map(|place| wallet * 10 + place);
    for id in [first, second] {
        run(&top_up(id, 20, Channel::Link));
        run(&settle(TopUpId::from_number(id), units(18)));
    }
    let refund = run(&refund_to_card(first, Some(5)));
    run(&end_payout(first, refund.id, None));
    let refund = run(&refund_to_card(first, Some(4)));
    run(&end_payout(first, refund.id, Some("lost_card")));
    run(&dispute(second, DisputeStatus::Open, 18));
    run(&dispute(second, DisputeStatus::Lost, 18));
    run(&dispute(second, DisputeStatus::Won, 18));
    run(&dispute(first, DisputeStatus::Lost, 13));
}

/// Rows of each kind of top-ups, auto-recharge and alerts.
fn pay_in(wallet: i64, run: &mut impl FnMut(&Command) -> Arc<Entry>) {
    let id = |place: i64| TopUpId::from_number(wallet * 10 + place);
    run(&alerts(&[5, 1_000]));
    run(&top_up(id(1).number(), 20, Channel::Checkout));
    run(&advance(id(1), TopUpStatus::Processing));
    run(&settle(id(1), units(15)));
    run(&top_up(id(2).number(), 10, Channel::Saved));
    run(&declined(id(2), FailureClass::Soft));
    run(&top_up(id(3).number(), 10, Channel::Saved));
    run(&recharge(500, 10, Some(900)));
}

fn audit_of(path: &Path, scope: Scope, limits: Limits) -> Report {
    let mut go_on = |_progress| ControlFlow::Continue(());
    verify_within(path, scope, limits, &mut go_on).expect("the audit runs")
}

fn audit(path: &Path) -> Report {
    verify(path, &mut |_progress| {}).expect("the audit runs")
}

fn copy(books: &Books<Sqlite>, name: &str) -> (PathBuf, Connection) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}-broken-{name}.db", std::process::id()));
    drop(std::fs::remove_file(&path));
    let source = Connection::open(books.store.path()).expect("opens");
    let target = path.to_str().expect("a path");
    source.execute("VACUUM INTO ?1", [target]).expect("a copy");
    let copy = Connection::open(&path).expect("opens");
    copy.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA journal_mode = WAL;")
        .expect("pragmas");
    (path, copy)
}

/// Changes of rows that are no merchant's, or not this one's any more.
const OF_NO_MERCHANT: [&str; 3] = ["key-more", "refund-more", "warning-astray"];

/// Makes `change` in a copy, and expects exactly these rules to be named.
fn breaks(books: &Books<Sqlite>, name: &str, change: impl FnOnce(&Connection), rules: &[&str]) {
    let (path, connection) = copy(books, name);
    change(&connection);
    // As it is, with hardly any memory, and of the one merchant.
    let little = Limits {
        rows: 7,
        wallets: 1,
        memory: 5_000,
    };
    let ours = Scope::Merchant(MerchantId::from_number(1));
    for (scope, limits, checked) in [
        (Scope::All, Limits::default(), rules_of_all()),
        (Scope::All, little, rules_of_all()),
        (ours, Limits::default(), rules_of_one()),
    ] {
        let report = audit_of(&path, scope, limits);
        let found = report.violations.iter().map(|found| found.invariant);
        let mut found: Vec<&str> = found.collect();
        found.sort_unstable();
        assert!(found.iter().all(|rule| checked.contains(rule)), "{report}");
        let mut rules = rules.to_vec();
        rules.retain(|rule| checked.contains(rule));
        if scope != Scope::All {
            // It looks up less, and so may name what is broken otherwise.
            let is_ours = !OF_NO_MERCHANT.contains(&name) && !rules.is_empty();
            assert_eq!(found.is_empty(), !is_ours, "{name} in {scope:?}: {report}");
            continue;
        }
        rules.sort_unstable();
        assert_eq!(found, rules, "{name} in {scope:?}: {report}");
    }
    drop(connection);
    for ending in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{ending}", path.display())));
    }
}

/// A rule that nothing breaks may be no rule at all.
#[test]
fn each_rule_is_broken_by_some_change() {
    let changes = [derived::BESIDE, derived::LOG].concat();
    let by_sql = changes.iter().flat_map(|(_, _, rules)| *rules);
    let forged = [forged::FORGED, forged::OF_FREED].concat();
    let by_forgers = forged.iter().flat_map(|(_, _, rules)| *rules);
    let broken: Vec<&str> = by_sql.chain(by_forgers).copied().collect();
    let elsewhere = [
        // The anchor's own tests break it: a copy has none.
        "the log reaches its anchor",
        // `trailing.rs` breaks them behind a fold.
        "the books are what the log comes to",
        "snapshots are what the log comes to",
        // The core's tests of these commands forge their rows.
        "a closed wallet is empty, and only late payments come and go back",
        "a lot that is open and not past its date gets another",
        "a payment that goes back came in",
        "value is withdrawn from withdrawable lots, and a void takes all that is unheld of one",
    ];
    for rule in rules_of_all() {
        assert!(
            broken.contains(&rule) || elsewhere.contains(&rule),
            "nothing breaks {rule:?}"
        );
    }
}

#[test]
fn a_sound_database_has_no_violations() {
    let mut books = sound();
    let mut last = None;
    let report = verify(books.store.path(), &mut |progress| last = Some(progress));
    let report = report.expect("the audit runs");
    assert_eq!(report.violations, vec![], "{report}");
    let rows = [1, 2].map(|id| books.store.log(WalletId::from_number(id)).len());
    let rows = u64::try_from(rows.iter().sum::<usize>()).expect("a count");
    assert_eq!((report.rows, report.wallets), (rows, 2));
    let last = last.expect("progress");
    assert_eq!((last.rows, last.rows_total), (rows, rows));
    assert!(report.to_json().contains("\"ok\":true"));
}

/// Long enough for several snapshots of one wallet, whose state moves while its rows are read, and for merges of keys while
/// an audit of the one merchant looks them up.
#[test]
fn a_running_writer_makes_no_violations() {
    let mut books = Books::with_wallets(Sqlite::new("verify-beside"), 2);
    let path = books.store.path().to_owned();
    books
        .run(1, &credit(1_000_000, FundingType::Cash))
        .expect("a credit");
    books.commit().expect("a commit");
    let largest = std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for _ in 0..600 {
                for _ in 0..40 {
                    books.run(1, &debit(1)).expect("a debit");
                }
                books
                    .run(2, &credit(1, FundingType::Cash))
                    .expect("a credit");
                books.commit().expect("a commit");
            }
            // The files stay until the last audit is done.
            books
        });
        let ours = Scope::Merchant(MerchantId::from_number(1));
        while !writer.is_finished() {
            for scope in [Scope::All, ours] {
                let report = audit_of(&path, scope, Limits::default());
                assert_eq!(report.violations, vec![], "{report}");
            }
        }
        let books = writer.join().expect("the writer ends");
        let report = audit(&path);
        drop(books);
        assert_eq!(report.violations, vec![], "{report}");
        report.rows
    });
    assert_eq!(largest, 1 + 600 * 41);
}
