//! Changes made with SQL alone, as by an accident or a careless hand.

use super::{breaks, sound};
use crate::commands::debit;
use crate::stores::TestStore;
use tillbox_core::id::WalletId;
use tillbox_engine::port::LedgerStore;
use tillbox_store::sqlite::{self, Connection};

const STATE: &str = "the stored state is what the log comes to";
const LOTS: &str = "stored lots are what the log comes to";
const TOP_UPS: &str = "stored top-ups are what the log comes to";
const PAYBACKS: &str = "what is stored of what went back is what the log comes to";
const PAYOUTS: &str = "stored payouts are what the log comes to";
const DISPUTES: &str = "stored disputes are what the log comes to";
const HOLDS: &str = "stored holds are what the log comes to";
const CHAIN: &str = "the chain holds";
const LOG_CHAIN: &str = "the log's chain holds";
const BALANCE: &str = "balance after = balance before + amount";
const KEYS: &str = "every key leads to its row";
const REFUNDS: &str = "refunds are stored beside the log";
const TOLD: &str = "each row is found by its merchant";
const OPENINGS: &str = "each opening is told of once, before the rows";
const OWN: &str = "each row is one of its wallet's";
const WARNINGS: &str = "each warning of an expiry is its lot's";
const PAYMENTS: &str = "payments of debt are stored beside the log";

type Case = (&'static str, &'static str, &'static [&'static str]);

/// What is done to a part of a run of keys that has several.
macro_rules! in_a_part {
    ($what:literal) => {
        concat!(
            $what,
            " WHERE id = (SELECT min(id) FROM key_runs WHERE length(pairs) > 24)"
        )
    };
}

/// Runs a statement that changes one row or more.
fn sql(text: &str) -> impl FnOnce(&Connection) {
    move |connection| {
        assert!(
            connection.execute(text, []).expect(text) > 0,
            "{text} met no row"
        );
    }
}

/// Changes of what is stored beside the log.
pub(super) const BESIDE: &[Case] = &[
    (
        "balance",
        "UPDATE wallet_states SET balance = balance + 1 WHERE wallet_id = 2",
        &[STATE],
    ),
    (
        "held",
        "UPDATE wallet_states SET held = held - 1 WHERE wallet_id = 2",
        &[STATE],
    ),
    (
        "due",
        "UPDATE wallet_states SET next_due_at = NULL WHERE wallet_id = 2",
        &[STATE],
    ),
    (
        "head",
        "UPDATE wallet_states SET head = zeroblob(32) WHERE wallet_id = 2",
        &[STATE],
    ),
    (
        "no-state",
        "DELETE FROM wallet_states WHERE wallet_id = 2",
        &[STATE],
    ),
    (
        "owner",
        "UPDATE wallet_states SET merchant_id = 9 WHERE wallet_id = 2",
        &[STATE],
    ),
    (
        "closed",
        "UPDATE wallets SET closed = 1 WHERE id = 2",
        &[STATE],
    ),
    (
        "limit",
        "UPDATE wallet_states SET overdraft_limit = 1 WHERE wallet_id = 2",
        &[STATE],
    ),
    (
        "lot",
        "UPDATE lots SET remaining = remaining + 1 WHERE id = (SELECT max(id) FROM lots)",
        &[LOTS],
    ),
    (
        "warning-instant",
        "UPDATE lot_warnings SET at = at + 1 WHERE wallet_id = 2",
        &[WARNINGS],
    ),
    (
        "warning-of-another",
        "UPDATE lot_warnings SET wallet_id = 1 WHERE wallet_id = 2",
        &[WARNINGS],
    ),
    (
        "warning-of-nothing",
        "UPDATE lot_warnings SET lot_id = lot_id + 100000 WHERE wallet_id = 2",
        &[WARNINGS],
    ),
    (
        "warning-twice",
        "INSERT INTO lot_warnings SELECT merchant_id, at + 23 * 86400000000, lot_id, wallet_id FROM lot_warnings WHERE wallet_id = 2",
        &[WARNINGS],
    ),
    (
        "warning-astray",
        "UPDATE lot_warnings SET merchant_id = 9 WHERE wallet_id = 2",
        &[WARNINGS],
    ),
    (
        "lot-gone",
        "DELETE FROM lots WHERE id = (SELECT min(id) FROM lots)",
        &[LOTS],
    ),
    (
        "lot-more",
        "INSERT INTO lots SELECT 1, 2, funding, 1, 1, NULL, 1, 5, 5, 1, NULL, 5, 0, 1 FROM lots LIMIT 1",
        &[LOTS],
    ),
    (
        "lot-text",
        "UPDATE lots SET amount = 'much' WHERE id = (SELECT min(id) FROM lots)",
        &[LOTS],
    ),
    (
        "hold",
        "UPDATE holds SET captured = captured + 1 WHERE id = (SELECT max(id) FROM holds)",
        &[HOLDS],
    ),
    (
        "hold-parts",
        "UPDATE holds SET parts = x'00' WHERE id = (SELECT max(id) FROM holds)",
        &[HOLDS],
    ),
    (
        "hold-gone",
        "DELETE FROM holds WHERE id = (SELECT min(id) FROM holds)",
        &[HOLDS],
    ),
    (
        "standing-gone",
        "UPDATE wallet_states SET standing = NULL WHERE wallet_id = 2",
        &[STATE],
    ),
    (
        "standing-other",
        "UPDATE wallet_states SET standing = (SELECT standing FROM wallet_states WHERE wallet_id = 1) WHERE wallet_id = 2",
        &[STATE],
    ),
    (
        "top-up-amount",
        "UPDATE top_ups SET amount = amount + 1 WHERE id = 23",
        &[TOP_UPS],
    ),
    (
        "top-up-status",
        "UPDATE top_ups SET status = 5 WHERE id = 23",
        &[TOP_UPS],
    ),
    (
        "top-up-charged",
        "UPDATE top_ups SET charged = charged + 1 WHERE id = 21",
        &[TOP_UPS],
    ),
    (
        "top-up-uncredited",
        "UPDATE top_ups SET credited_by = NULL WHERE id = 21",
        &[TOP_UPS],
    ),
    (
        "top-up-credited-by-other",
        "UPDATE top_ups SET credited_by = credited_by + 1 WHERE id = 21",
        &[TOP_UPS],
    ),
    (
        "top-up-failure",
        "UPDATE top_ups SET failure = NULL WHERE id = 22",
        &[TOP_UPS],
    ),
    (
        "top-up-payment",
        "UPDATE top_ups SET payment_id = 'pay_9' WHERE id = 21",
        &[TOP_UPS],
    ),
    (
        "top-up-wallet",
        "UPDATE top_ups SET wallet_id = 1 WHERE id = 23",
        &[TOP_UPS],
    ),
    (
        "top-up-gone",
        "DELETE FROM top_ups WHERE id = 22",
        &[TOP_UPS],
    ),
    (
        "payback",
        "UPDATE paybacks SET body = (SELECT body FROM paybacks WHERE top_up_id = 25) WHERE top_up_id = 24",
        &[PAYBACKS],
    ),
    (
        "payback-unreadable",
        "UPDATE paybacks SET body = x'00' WHERE top_up_id = 24",
        &[PAYBACKS],
    ),
    (
        "payback-gone",
        "DELETE FROM paybacks WHERE top_up_id = 24",
        &[PAYBACKS],
    ),
    (
        "payout-amount",
        "UPDATE payouts SET amount = amount + 1 WHERE top_up_id = 24",
        &[PAYOUTS],
    ),
    (
        "payout-status",
        "UPDATE payouts SET status = 0 WHERE top_up_id = 24",
        &[PAYOUTS],
    ),
    (
        "payout-gone",
        "DELETE FROM payouts WHERE id = (SELECT max(id) FROM payouts)",
        &[PAYOUTS],
    ),
    (
        "dispute-status",
        "UPDATE disputes SET status = 1 WHERE top_up_id = 25",
        &[DISPUTES],
    ),
    (
        "dispute-gone",
        "DELETE FROM disputes WHERE top_up_id = 25",
        &[DISPUTES],
    ),
    (
        "key-gone",
        in_a_part!("UPDATE key_runs SET pairs = substr(pairs, 25)"),
        &[KEYS],
    ),
    (
        "key-more",
        "INSERT INTO key_runs VALUES (200 << 32, x'000000000000000000000000000000000000000000000005')",
        &[KEYS],
    ),
    (
        "key-moved",
        in_a_part!(
            "UPDATE key_runs SET pairs = CAST(substr(pairs, 1, 16) || zeroblob(8) || substr(pairs, 25) AS BLOB)"
        ),
        &[KEYS],
    ),
    (
        "key-twice",
        in_a_part!("INSERT INTO key_runs SELECT 200 << 32, substr(pairs, 1, 24) FROM key_runs"),
        &[KEYS],
    ),
    (
        "key-misplaced",
        in_a_part!(
            "UPDATE key_runs SET pairs = CAST(substr(pairs, 25) || substr(pairs, 1, 24) AS BLOB)"
        ),
        &[KEYS],
    ),
    (
        "key-cut",
        in_a_part!("UPDATE key_runs SET pairs = substr(pairs, 2)"),
        &[KEYS],
    ),
    (
        "answer",
        in_a_part!(
            "INSERT INTO answers SELECT substr(pairs, 1, 16), zeroblob(16), 200, '' FROM key_runs"
        ),
        &["a key has a row or an answer"],
    ),
    (
        "refund",
        "UPDATE refunds SET amount = amount - 1",
        &[REFUNDS],
    ),
    ("refund-gone", "DELETE FROM refunds", &[REFUNDS]),
    (
        "refund-more",
        "INSERT INTO refunds VALUES (77, 78, 1)",
        &[REFUNDS],
    ),
    (
        "payment",
        "UPDATE debt_payments SET lot_id = lot_id + 1",
        &[PAYMENTS],
    ),
    (
        "payment-gone",
        "DELETE FROM debt_payments WHERE wallet_id = 2 AND debt_from = 0",
        &[PAYMENTS],
    ),
    (
        "payment-more",
        "INSERT INTO debt_payments VALUES (2, 999999999, 1, 1, 1)",
        &[PAYMENTS],
    ),
    ("stretch-gone", "DELETE FROM log_stretches", &[TOLD]),
    (
        "stretch-other",
        "UPDATE log_stretches SET merchant_id = 9",
        &[TOLD],
    ),
    (
        "stretch-unlisted",
        "UPDATE log_stretches SET listed = 0",
        &[TOLD],
    ),
    (
        "opening-gone",
        "DELETE FROM outbox WHERE wallet_id = 2",
        &[OPENINGS],
    ),
    (
        "opening-twice",
        "INSERT INTO outbox SELECT 3, merchant_id, wallet_id, type, at, data FROM outbox WHERE wallet_id = 2",
        &[OPENINGS],
    ),
    (
        "opening-late",
        "UPDATE outbox SET id = 1000000000 WHERE wallet_id = 2",
        &[OPENINGS],
    ),
    (
        "merchant",
        "UPDATE log SET merchant_id = 9 WHERE wallet_id = 2 AND version = 3",
        &["every row has its merchant"],
    ),
    (
        "stretch-of-nothing",
        "INSERT INTO log_stretches VALUES (1, -5, 1)",
        &["where a merchant is said to have rows, it has one"],
    ),
    (
        "row-not-listed",
        "DELETE FROM wallet_log WHERE wallet_id = 2 AND version = 3",
        &[OWN],
    ),
    (
        "row-listed-twice",
        "INSERT INTO wallet_log SELECT 1, version + 1000, entry_id FROM wallet_log WHERE wallet_id = 2 AND version = 3",
        &[OWN],
    ),
];

#[test]
fn each_change_of_a_derived_table_is_named() {
    let books = sound();
    for (name, text, rules) in BESIDE {
        breaks(&books, name, sql(text), rules);
    }
}

/// The last row only spends: its wallet's tables trail it.
#[test]
fn each_change_is_named_where_tables_trail_the_log() {
    let mut books = sound();
    books.run(2, &debit(1)).expect("a debit");
    books.commit().expect("a commit");
    assert!(books.store.ledger().trails(WalletId::from_number(2)));
    let last = "wallet_id = 2 AND version = (SELECT max(version) FROM log WHERE wallet_id = 2)";
    let cases: &[(&str, String, &[&str])] = &[
        (
            "trailing-hash",
            format!("UPDATE log SET hash = zeroblob(32) WHERE {last}"),
            &[CHAIN, LOG_CHAIN],
        ),
        (
            "trailing-state",
            "UPDATE wallet_states SET balance = balance + 1 WHERE wallet_id = 2".to_owned(),
            &[STATE],
        ),
        (
            "trailing-lots",
            "UPDATE lots SET remaining = remaining - 1 WHERE id = (SELECT max(id) FROM lots WHERE wallet_id = 2 AND remaining > held)".to_owned(),
            &[LOTS],
        ),
        (
            "row-behind",
            "DELETE FROM wallet_log WHERE wallet_id = 2 AND version = (SELECT max(version) FROM wallet_log WHERE wallet_id = 2)".to_owned(),
            &[OWN],
        ),
        (
            "row-of-nobody",
            "INSERT INTO log (id, merchant_id, wallet_id, version, seq, kind, reason, amount, balance_after, at, key, fingerprint, body, \
             description, reference, metadata, salt, hash) SELECT 1, merchant_id, 77, version, seq, kind, reason, amount, balance_after, at, NULL, NULL, body, \
             description, reference, metadata, salt, hash FROM log WHERE wallet_id = 2 AND version = 1".to_owned(),
            &[LOG_CHAIN, OWN, STATE],
        ),
    ];
    for (name, text, rules) in cases {
        breaks(&books, name, sql(text), rules);
    }
}

const TEXT: &str = "free text is what the chain holds";
const UNREADABLE: &str = "every row is readable";

/// Changes of the log itself.
pub(super) const LOG: &[Case] = &[
    (
        "described",
        "UPDATE log SET description = 'nothing' WHERE wallet_id = 2 AND version = 3",
        &[CHAIN],
    ),
    (
        "text-added",
        "UPDATE log SET description = 'more' WHERE wallet_id = 2 AND salt IS NULL",
        &[TEXT],
    ),
    (
        "key-changed",
        "UPDATE log SET fingerprint = zeroblob(16) WHERE wallet_id = 2 AND version = 3",
        &[CHAIN],
    ),
    (
        "hash",
        "UPDATE log SET hash = zeroblob(32) WHERE wallet_id = 2 AND version = 3",
        &[CHAIN, LOG_CHAIN],
    ),
    (
        "body",
        "UPDATE log SET body = x'01' WHERE wallet_id = 2 AND version = 3",
        &[UNREADABLE],
    ),
    (
        "kind",
        "UPDATE log SET kind = 99 WHERE wallet_id = 2 AND version = 3",
        &[UNREADABLE],
    ),
    (
        "amount-text",
        "UPDATE log SET amount = 'much' WHERE wallet_id = 2 AND version = 3",
        &[UNREADABLE],
    ),
    (
        "late",
        "UPDATE log SET at = at + 1 WHERE wallet_id = 2 AND version = 3",
        &[CHAIN, "time never goes backwards"],
    ),
    (
        "head",
        "UPDATE log SET head = zeroblob(32) WHERE head IS NOT NULL",
        &[LOG_CHAIN],
    ),
    (
        "head-within",
        "UPDATE log SET head = zeroblob(32) WHERE wallet_id = 2 AND version = 3",
        &[LOG_CHAIN],
    ),
    (
        "height",
        "UPDATE log SET height = height + 1 WHERE id = (SELECT max(id) FROM log)",
        &[LOG_CHAIN],
    ),
    (
        "head-gone",
        "UPDATE log SET height = NULL, head = NULL WHERE id = (SELECT max(id) FROM log)",
        &[LOG_CHAIN],
    ),
    (
        "row-gone",
        "DELETE FROM log WHERE wallet_id = 2 AND version = 3",
        &[
            BALANCE,
            CHAIN,
            KEYS,
            LOG_CHAIN,
            OWN,
            "0 ≤ held ≤ remaining ≤ amount of each lot",
            "refunds of a debit never pass the debit",
            "transactions are numbered without gaps",
            "versions have no gaps",
        ],
    ),
];

#[test]
fn each_change_of_the_log_is_named() {
    let books = sound();
    for (name, text, rules) in LOG {
        breaks(&books, name, sql(text), rules);
    }
    let erased = "the text of a row may be erased";
    breaks(
        &books,
        "erased",
        |connection| {
            let rows = sqlite::log::read(connection, WalletId::from_number(2), 2, 1).expect(erased);
            let commitment = rows[0].note_commitment.expect(erased);
            let sql = "UPDATE log SET description = NULL, reference = NULL, metadata = NULL, salt = ?1 WHERE id = ?2";
            connection
                .execute(sql, (commitment, rows[0].id.number()))
                .expect(erased);
        },
        &[],
    );
}
