//! The list of transactions, with top-ups that have not succeeded in their place (R2).

use super::{FOREIGN, Ledger, OURS, at, units, usd};
use crate::sqlite::listing::{ListFilter, Listed, ListedStatus, What, of_merchant, of_wallet};
use crate::sqlite::top_ups::Unsucceeded;
use crate::sqlite::transactions::TransactionFilter;
use tillbox_core::command::{Command, EndTopUp, OpenTopUp, SettleTopUp, TopUpEnd};
use tillbox_core::entry::Note;
use tillbox_core::id::{EntryId, MerchantId, TopUpId, WalletId};
use tillbox_core::reason::{Reason, TransactionType};
use tillbox_core::recharge::FailureClass;
use tillbox_core::top_up::Channel;

/// Ids are drawn before their commands are queued, so their order says nothing.
fn open(ledger: &mut Ledger, wallet: WalletId, id: i64) -> TopUpId {
    let id = TopUpId::from_number(id);
    let open = OpenTopUp {
        id,
        amount: units(7),
        reason: Reason::TopUp,
        channel: Channel::Checkout,
        method: None,
        note: Note::default(),
    };
    ledger.run(wallet, &Command::OpenTopUp(open));
    id
}

fn end(ledger: &mut Ledger, wallet: WalletId, id: TopUpId, end: TopUpEnd) {
    let end = EndTopUp {
        top_up_id: id,
        end,
        payment_id: None,
        record: None,
    };
    ledger.run(wallet, &Command::EndTopUp(end));
}

fn settle(ledger: &mut Ledger, wallet: WalletId, id: TopUpId) {
    let settle = SettleTopUp {
        top_up_id: id,
        charged: units(7),
        payment_id: "pi_1".into(),
        record: None,
        note: Note::default(),
    };
    ledger.run(wallet, &Command::SettleTopUp(settle));
}

fn failed() -> TopUpEnd {
    TopUpEnd::Failed {
        code: "generic_decline".into(),
        class: FailureClass::Soft,
    }
}

/// What a row is, in a word: the seq of a transaction, or the number and status of a top-up.
fn word(listed: &Listed) -> String {
    match &listed.what {
        What::Transaction(entry) => entry.seq.expect("a transaction").to_string(),
        What::TopUp(row) => {
            let status = ListedStatus::of_top_up(row.top_up.status);
            format!("{} {}", row.id.number(), status.name())
        }
    }
}

fn words(
    ledger: &Ledger,
    merchant: MerchantId,
    wallet: WalletId,
    filter: &ListFilter,
    rows: usize,
) -> Vec<String> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page =
            ledger.read(|connection| of_wallet(connection, merchant, wallet, filter, before, rows));
        let Some(last) = page.last() else {
            return found;
        };
        before = Some(last.version);
        found.extend(page.iter().map(word));
    }
}

fn of_all(ledger: &Ledger, merchant: MerchantId, filter: &ListFilter, rows: usize) -> Vec<String> {
    let (mut found, mut before): (_, Option<EntryId>) = (Vec::new(), None);
    loop {
        let page =
            ledger.read(|connection| of_merchant(connection, merchant, filter, before, rows));
        let Some(last) = page.last() else {
            return found;
        };
        before = Some(last.row);
        found.extend(page.iter().map(word));
    }
}

/// Transactions 1 to 4, and top-ups between them: one is pending, two have failed, and the one that has succeeded is
/// the last transaction.
fn history() -> (Ledger, WalletId) {
    let mut ledger = Ledger::new();
    let wallet = ledger.open(OURS, 1, usd());
    ledger.credit(wallet, None);
    ledger.now = at(2_000);
    let first = open(&mut ledger, wallet, 90);
    ledger.debit(wallet, Reason::Usage, "a");
    ledger.now = at(3_000);
    let second = open(&mut ledger, wallet, 80);
    open(&mut ledger, wallet, 95);
    let third = open(&mut ledger, wallet, 70);
    ledger.debit(wallet, Reason::Usage, "b");
    ledger.now = at(4_000);
    end(&mut ledger, wallet, first, failed());
    end(&mut ledger, wallet, second, TopUpEnd::Canceled);
    settle(&mut ledger, wallet, third);
    (ledger, wallet)
}

fn filter(status: Option<ListedStatus>) -> ListFilter {
    ListFilter {
        status,
        ..ListFilter::default()
    }
}

#[test]
fn r2_top_ups_stand_where_they_were_opened_until_they_succeed() {
    let (mut ledger, wallet) = history();
    let expected = ["4", "3", "95 pending", "80 failed", "2", "90 failed", "1"];
    for rows in [1, 2, 3, 10] {
        assert_eq!(
            words(&ledger, OURS, wallet, &filter(None), rows),
            expected,
            "by {rows}"
        );
        assert_eq!(
            of_all(&ledger, OURS, &filter(None), rows),
            expected,
            "by {rows}"
        );
    }
    let foreign = ledger.open(FOREIGN, 1, usd());
    open(&mut ledger, foreign, 60);
    assert!(words(&ledger, FOREIGN, wallet, &filter(None), 10).is_empty());
    assert_eq!(of_all(&ledger, FOREIGN, &filter(None), 10), ["60 pending"]);
    assert_eq!(of_all(&ledger, OURS, &filter(None), 10), expected);
}

#[test]
fn r2_a_page_goes_on_whatever_becomes_of_its_top_ups() {
    let (mut ledger, wallet) = history();
    let page =
        ledger.read(|connection| of_wallet(connection, OURS, wallet, &filter(None), None, 3));
    let last = page.last().expect("a row");
    assert_eq!(word(last), "95 pending");
    settle(&mut ledger, wallet, TopUpId::from_number(95));
    let before = Some(last.version);
    let rest =
        ledger.read(|connection| of_wallet(connection, OURS, wallet, &filter(None), before, 10));
    let rest: Vec<String> = rest.iter().map(word).collect();
    assert_eq!(rest, ["80 failed", "2", "90 failed", "1"]);
    let now = words(&ledger, OURS, wallet, &filter(None), 10);
    assert_eq!(
        now,
        ["5", "4", "3", "80 failed", "2", "90 failed", "1"],
        "its transaction stands for it"
    );
}

#[test]
fn r2_filters_are_asked_of_top_ups_too() {
    let (ledger, wallet) = history();
    let of = |filter: ListFilter| {
        let found = words(&ledger, OURS, wallet, &filter, 2);
        assert_eq!(of_all(&ledger, OURS, &filter, 2), found);
        found
    };
    assert_eq!(
        of(filter(Some(ListedStatus::Completed))),
        ["4", "3", "2", "1"]
    );
    assert_eq!(of(filter(Some(ListedStatus::Pending))), ["95 pending"]);
    assert_eq!(
        of(filter(Some(ListedStatus::Failed))),
        ["80 failed", "90 failed"]
    );
    let narrowed = |transactions| ListFilter {
        transactions,
        status: None,
    };
    let kind = |kind| TransactionFilter {
        transaction_type: Some(kind),
        ..TransactionFilter::default()
    };
    let credits = ["4", "95 pending", "80 failed", "90 failed", "1"];
    assert_eq!(of(narrowed(kind(TransactionType::Credit))), credits);
    assert_eq!(of(narrowed(kind(TransactionType::Debit))), ["3", "2"]);
    let reason = |reason| TransactionFilter {
        reason: Some(reason),
        ..TransactionFilter::default()
    };
    assert_eq!(of(narrowed(reason(Reason::TopUp))), credits[..4]);
    assert_eq!(of(narrowed(reason(Reason::AutoRecharge))), [""; 0]);
    let time = TransactionFilter {
        from: Some(at(2_000)),
        to: Some(at(3_000)),
        ..TransactionFilter::default()
    };
    assert_eq!(of(narrowed(time)), ["2", "90 failed"]);
    let reference = TransactionFilter {
        reference: Some("a".to_owned()),
        ..TransactionFilter::default()
    };
    assert_eq!(of(narrowed(reference)), ["2"]);
}

#[test]
fn top_ups_of_a_list_are_found_by_their_index() {
    let (ledger, wallet) = history();
    let of = Unsucceeded {
        merchant: OURS,
        status: Some(ListedStatus::Failed),
        filter: &TransactionFilter::default(),
    };
    let steps = ledger.read(|connection| of.of_wallet_query(wallet, Some(5), 20).plan(connection));
    assert_eq!(
        steps,
        "SEARCH t USING INDEX top_ups_listed_by_wallet (wallet_id=?)\n\
         SEARCH log USING INTEGER PRIMARY KEY (rowid=?)"
    );
    let row = Some(EntryId::from_number(5));
    let steps = ledger.read(|connection| of.of_merchant_query(row, 20).plan(connection));
    assert_eq!(
        steps,
        "SEARCH t USING INDEX top_ups_listed (merchant_id=? AND opened_by<?)\n\
         SEARCH log USING INTEGER PRIMARY KEY (rowid=?)\n\
         SEARCH w USING INTEGER PRIMARY KEY (rowid=?)"
    );
}
