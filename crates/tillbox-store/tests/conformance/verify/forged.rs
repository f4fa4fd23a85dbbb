//! Changes by a forger, who hashes the chain anew: only what the rows mean gives them away.

use super::{breaks, sound, sound_with_freed};
use tillbox_core::amount::Amount;
use tillbox_core::debt::DebtSpan;
use tillbox_core::entry::{Entry, EntryKind, Hash, LogHead, encode_body};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{EntryId, WalletId};
use tillbox_core::payback::{DisputeStatus, Payback, PayoutStatus};
use tillbox_core::reason::Reason;
use tillbox_core::top_up::TopUpStatus;
use tillbox_store::sqlite::{self, Connection};

const STATE: &str = "the stored state is what the log comes to";
const AS_PAID: &str = "a top-up is credited with what was paid and given";
const LOTS: &str = "stored lots are what the log comes to";
const TOP_UPS: &str = "stored top-ups are what the log comes to";
const REFUNDS: &str = "refunds are stored beside the log";
const GIVEN: &str = "what of a row is of what was given is what its sums say";
const AS_MOVED: &str = "what goes back of a payment is what its rows moved";
const ENDS: &str = "a payout is opened by the debit that pays for it, and ends once";
const FORWARD: &str = "a dispute goes forward";
const AT_ONCE: &str = "what is set free of a disputed payment is reserved by the row behind it";
const CLAIMED: &str = "a dispute reserves no more of what is set free than it may take";
const WITHIN: &str = "what goes back of a payment is never more than was credited";
const STORED: &str = "what is stored of what went back is what the log comes to";
const PAYOUTS: &str = "stored payouts are what the log comes to";
const DISPUTES: &str = "stored disputes are what the log comes to";
const PAYMENTS: &str = "payments of debt are stored beside the log";

/// Changes rows of the first wallet, writes them back, and hashes its chain anew, as a forger would.
fn forge(change: impl FnOnce(&mut Vec<Entry>)) -> impl FnOnce(&Connection) {
    move |connection| {
        let wallet = WalletId::from_number(1);
        let mut rows = sqlite::log::read(connection, wallet, 0, usize::MAX).expect("rows");
        change(&mut rows);
        let mut head = [0; 32];
        for row in &mut rows {
            row.hash = row.chained_after(&head);
            head = row.hash;
            let mut body = Vec::new();
            encode_body(row, &mut body);
            let sql = "UPDATE log SET version = ?2, seq = ?3, amount = ?4, balance_after = ?5, at = ?6, body = ?7, hash = ?8 WHERE id = ?1";
            let numbers = (
                row.id.number(),
                row.version,
                row.seq,
                row.event.amount.micros(),
                row.balance_after.micros(),
                row.at.micros(),
                body,
                row.hash,
            );
            assert_eq!(connection.execute(sql, numbers).expect("an update"), 1);
            let sql = "UPDATE wallet_log SET version = ?2 WHERE entry_id = ?1";
            let changed = connection.execute(sql, (row.id.number(), row.version));
            assert_eq!(changed.expect("an update"), 1);
        }
        hash_log_anew(connection);
        connection
            .execute(
                "UPDATE wallet_states SET head = ?1 WHERE wallet_id = 1",
                [head],
            )
            .expect("an update");
    }
}

/// Hashes the chain over the whole log anew.
fn hash_log_anew(connection: &Connection) {
    let mut commit = LogHead::EMPTY.begin();
    let sql = "SELECT id, hash, head IS NOT NULL FROM log ORDER BY id";
    let mut statement = connection.prepare(sql).expect("rows");
    let read = |row: &sqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows = statement.query_map([], read).expect("rows");
    let rows: Vec<(i64, Hash, bool)> = rows.collect::<Result<_, _>>().expect("rows");
    for (id, hash, ends) in rows {
        commit.add(EntryId::from_number(id), &hash);
        if ends {
            let head = commit.end();
            let sql = "UPDATE log SET height = ?2, head = ?3 WHERE id = ?1";
            let changed = connection.execute(sql, (id, head.height, head.hash));
            assert_eq!(changed.expect("an update"), 1);
            commit = head.begin();
        }
    }
}

fn of_kind(rows: &mut [Entry], kind: EntryKind) -> &mut Entry {
    let mut rows = rows.iter_mut();
    rows.find(|row| row.event.kind == kind)
        .expect("a row of that kind")
}

/// What has gone back of a payment, as a row of that kind says.
fn payback(rows: &mut [Entry], kind: EntryKind) -> &mut Payback {
    let payback = of_kind(rows, kind).event.payback.as_deref_mut();
    payback.expect("a row of what goes back")
}

/// Lets the dispute that was won have been of that amount.
fn disputed(rows: &mut [Entry], amount: Amount) {
    let paybacks = rows
        .iter_mut()
        .filter_map(|row| row.event.payback.as_deref_mut());
    for dispute in paybacks.flat_map(|payback| &mut payback.disputes) {
        if &*dispute.provider_id == "dp_15" {
            dispute.amount = amount;
        }
    }
}

/// The same of a ledger in which a dispute has reserved what was set free.
pub(super) const OF_FREED: &[Case] = &[
    (
        "disputed-more",
        |rows| disputed(rows, Amount::from_micros(18_000_000)),
        &[AT_ONCE, STORED, DISPUTES],
    ),
    (
        "disputed-less",
        |rows| disputed(rows, Amount::from_micros(1)),
        &[CLAIMED, STORED, DISPUTES],
    ),
];

type Case = (&'static str, fn(&mut Vec<Entry>), &'static [&'static str]);

/// Changes that a forger makes.
pub(super) const FORGED: &[Case] = &[
    (
        "refunded-less",
        |rows| payback(rows, EntryKind::TopUpRefunded).refunded -= Amount::from_micros(1),
        &[AS_MOVED],
    ),
    (
        "refunded-too-much",
        |rows| payback(rows, EntryKind::PayoutEnded).refunded += Amount::MAX_SINGLE,
        &[WITHIN, AS_MOVED],
    ),
    (
        "never-paid-back",
        |rows| {
            let payout = &mut payback(rows, EntryKind::PayoutEnded).payout;
            payout.as_mut().expect("a payout").status = PayoutStatus::Pending;
        },
        &[ENDS, PAYOUTS],
    ),
    (
        "payout-more",
        |rows| {
            let payout = &mut payback(rows, EntryKind::TopUpRefunded).payout;
            payout.as_mut().expect("a payout").amount += Amount::from_micros(1);
        },
        &[ENDS],
    ),
    (
        "given-as-money",
        |rows| payback(rows, EntryKind::TopUpRefunded).given_moved += Amount::from_micros(1),
        &[GIVEN],
    ),
    (
        "dispute-reopened",
        |rows| {
            let mut last = rows.iter_mut().rev();
            let won = last.find_map(|row| {
                let payback = row.event.payback.as_deref_mut()?;
                let mut disputes = payback.disputes.iter_mut();
                disputes.find(|dispute| dispute.status == DisputeStatus::Won)
            });
            won.expect("a dispute that was won").status = DisputeStatus::Open;
        },
        &[FORWARD, STORED, DISPUTES, STATE, AT_ONCE],
    ),
    (
        "nothing-said",
        |rows| of_kind(rows, EntryKind::ChargedBack).event.payback = None,
        &[
            AS_MOVED,
            GIVEN,
            "a top-up is credited with what was paid and given",
            "refunds of a debit never pass the debit",
        ],
    ),
    (
        "gap",
        |rows| rows.last_mut().expect("a row").version += 1,
        &["versions have no gaps", STATE],
    ),
    (
        "seq",
        |rows| {
            let last = rows.last_mut().expect("a row");
            last.seq = last.seq.map(|seq| seq + 1);
        },
        &["transactions are numbered without gaps", STATE],
    ),
    (
        "time",
        |rows| {
            let place = rows
                .iter()
                .position(|row| row.event.kind == EntryKind::Debit)
                .expect("a debit");
            rows[place].at = rows[place].at.plus_seconds(-1);
        },
        &["time never goes backwards"],
    ),
    (
        "after",
        |rows| {
            of_kind(rows, EntryKind::HoldPlaced).balance_after += Amount::from_micros(1);
        },
        &["balance after = balance before + amount"],
    ),
    (
        "amount",
        |rows| {
            for row in rows.iter_mut().skip(2) {
                row.balance_after += Amount::from_micros(1);
            }
            rows[2].event.amount += Amount::from_micros(1);
        },
        &[
            "amount = sum of its parts",
            "balance = Σ remaining of lots − debt",
            STATE,
        ],
    ),
    (
        "unknown-lot",
        |rows| {
            let debit = of_kind(rows, EntryKind::Debit);
            debit.event.parts[0].lot.created_at = debit.at.plus_seconds(9);
        },
        &["parts name lots that the log opened"],
    ),
    (
        "lot-filled",
        |rows| {
            rows[0].event.lots[0].remaining = Amount::from_micros(1);
        },
        &["a lot is opened once, empty"],
    ),
    (
        "lot-bounds",
        |rows| {
            rows[0].event.lots[0].amount -= Amount::from_micros(1);
            rows[0].event.lots[0].cost_basis -= Amount::from_micros(1);
        },
        &["0 ≤ held ≤ remaining ≤ amount of each lot"],
    ),
    (
        "expired",
        |rows| {
            let lot = &mut rows[1].event.lots[0];
            let before = lot.draw_key();
            lot.expires_at = Some(lot.created_at);
            let after = lot.draw_key();
            let parts = rows.iter_mut().flat_map(|row| &mut row.event.parts);
            for part in parts.filter(|part| part.lot == before) {
                part.lot = after;
            }
        },
        &["no value of an expired lot, unless a hold reserved it before"],
    ),
    (
        "over-expiry",
        |rows| {
            let row = of_kind(rows, EntryKind::LotExpired);
            row.event.effective_at = None;
            row.event.parts[0].amount += Amount::from_micros(1);
        },
        &[
            "amount = sum of its parts",
            "expiry takes the unheld remainder of its lot",
        ],
    ),
    (
        "over-captured",
        |rows| {
            let row = of_kind(rows, EntryKind::HoldCaptured);
            let hold = row.event.hold.as_mut().expect("a hold");
            hold.captured = hold.amount + Amount::from_micros(1);
        },
        &["captured + released ≤ hold, and the rest is reserved"],
    ),
    (
        "ended-twice",
        |rows| {
            let ended = rows.iter().rev().find_map(|row| {
                row.event
                    .hold
                    .filter(|hold| hold.status != HoldStatus::Open)
            });
            let mut again = ended.expect("a hold that ended");
            again.status = HoldStatus::Released;
            rows.last_mut().expect("a row").event.hold = Some(again);
        },
        &["a hold ends once"],
    ),
    (
        "debt",
        |rows| {
            let forced = rows
                .iter_mut()
                .find(|row| row.event.debt_made.is_some())
                .expect("a debt");
            forced.event.debt_made.as_mut().expect("a debt").from += Amount::from_micros(1);
        },
        &["debt is made, paid and canceled in order"],
    ),
    (
        "range",
        |rows| {
            rows[0].event.amount = Amount::from_micros(i64::MIN);
            rows[0].event.parts[0].amount = Amount::from_micros(i64::MAX);
            rows[0].event.parts[0].held = Amount::from_micros(i64::MIN);
            rows[0].event.parts[0].pays_debt_from = Some(Amount::from_micros(i64::MAX));
        },
        &[
            "amount = sum of its parts",
            "balance after = balance before + amount",
            "debt is made, paid and canceled in order",
            PAYMENTS,
        ],
    ),
    (
        "discount-lost",
        |rows| {
            let mut bonuses = rows.iter_mut();
            let bonus = bonuses.find(|row| row.event.reason == Some(Reason::Bonus));
            bonus.expect("a discount").event.top_up_id = None;
        },
        &[AS_PAID],
    ),
    (
        "discount-more",
        |rows| {
            let mut credits = rows.iter_mut().filter_map(|row| row.event.top_up.as_mut());
            let credited = credits.find(|one| one.status == TopUpStatus::Succeeded);
            credited.expect("a payment").charged += Amount::from_micros(1);
        },
        &[AS_PAID, TOP_UPS],
    ),
    (
        "over-the-cap",
        |rows| {
            let begun = rows.iter_mut().rev();
            let mut begun = begun.filter(|row| row.event.kind == EntryKind::TopUpOpened);
            let recharge = begun.find_map(|row| row.event.recharge.as_mut());
            let recharge = recharge.expect("a charge");
            recharge.month_charged += recharge.settings.monthly_cap.expect("a cap");
        },
        // What goes back behind it says how auto-recharge stands.
        &["at most one recharge in flight, within its cap"],
    ),
    (
        "refund-of",
        |rows| {
            of_kind(rows, EntryKind::Refund).event.refund_of = Some(EntryId::from_number(5));
        },
        &["refunds of a debit never pass the debit", REFUNDS],
    ),
    (
        "cost-basis",
        |rows| {
            rows[0].event.lots[0].cost_basis -= Amount::from_micros(1);
        },
        &["the cost basis of a lot is its amount if its type is paid for, otherwise zero"],
    ),
    (
        "out-of-range",
        |rows| {
            let debit = of_kind(rows, EntryKind::Debit);
            debit.event.parts[0].amount = Amount::from_micros(i64::MAX);
        },
        &["amount = sum of its parts", "amounts stay in range"],
    ),
    (
        "credited-twice",
        |rows| {
            let credits = rows
                .iter_mut()
                .filter(|row| row.event.kind == EntryKind::Credit);
            let mut of_one = credits.filter(|row| row.event.top_up_id.is_some());
            let first = of_one.next().expect("a settled top-up");
            let again = of_one.next().expect("its discount");
            again.event.top_up.clone_from(&first.event.top_up);
        },
        &["at most one credit per payment", AS_PAID, TOP_UPS],
    ),
    (
        "top-up-changed",
        |rows| {
            let advanced = of_kind(rows, EntryKind::TopUpAdvanced);
            let top_up = advanced.event.top_up.as_mut().expect("a top-up");
            top_up.amount += Amount::from_micros(1);
        },
        &["a top-up goes forward", AS_PAID],
    ),
    (
        "owed-beside-value",
        |rows| {
            let made = rows.iter().filter_map(|row| row.event.debt_made);
            let owed_to = made.map(|span| span.from + span.amount).max();
            let last = rows.last_mut().expect("a debit");
            last.event.parts.clear();
            last.event.debt_made = Some(DebtSpan {
                from: owed_to.expect("a debt"),
                amount: Amount::ZERO - last.event.amount,
            });
        },
        &["debt > 0 ⇒ no unheld value", LOTS, STATE],
    ),
];

#[test]
fn each_forged_row_is_named() {
    let books = sound();
    for (name, change, rules) in FORGED {
        breaks(&books, name, forge(*change), rules);
    }
}

#[test]
fn r28_each_forged_row_of_what_was_set_free_is_named() {
    let books = sound_with_freed();
    for (name, change, rules) in OF_FREED {
        breaks(&books, name, forge(*change), rules);
    }
}
