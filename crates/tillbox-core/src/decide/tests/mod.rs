//! Scenario tables: a book runs commands on one wallet, and tables say what each row moved and what the
//! wallet holds after it. One file per command; [`properties`] runs random commands against [`model`].

mod adjust;
mod book;
mod capture_hold;
mod change_lot;
mod close;
mod credit;
mod debit;
mod dispute;
mod dispute_reserves;
mod draw_order;
mod expire;
mod extend_hold;
mod extremes;
mod freeze;
mod invariants;
mod journal;
mod log;
mod model;
mod pair;
mod place_hold;
mod properties;
mod recharge;
mod refund;
mod refund_top_up;
mod release_hold;
mod set_alerts;
mod set_overdraft_limit;
mod steps;
mod top_ups;
mod usage;
mod void_lot;
mod withdraw;

use crate::amount::Amount;
use crate::command::{
    Adjust, AfterCapture, CaptureHold, ChangeLot, Close, Command, Credit, Debit, Expiry, Force,
    PlaceHold, Refund, VoidLot, Withdraw,
};
use crate::entry::{Note, PayoutWay};
use crate::id::{EntryId, HoldId, LotId};
use crate::lot::FundingType;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use book::Book;

const DAY: i64 = 86_400;

/// What a row of a table expects: what the log's row moved and the wallet after it, or the refusal.
type Expected<'a> = Result<(&'a str, &'a str), Rejection>;

/// Runs the rows of a table in order.
fn check(book: &mut Book, rows: &[(&str, Command, Expected<'_>)]) {
    for (name, command, expected) in rows {
        let before = book.entries.len();
        let outcome = book.run(command.clone());
        match (outcome, expected) {
            (Ok(entry), Ok((row, state))) => {
                assert_eq!(book.show_row(&entry.event), *row, "row of: {name}");
                assert_eq!(book.show(), *state, "wallet after: {name}");
            }
            (Err(rejection), Err(expected)) => {
                assert_eq!(rejection, *expected, "{name}");
                assert_eq!(book.entries.len(), before, "{name}");
            }
            (Ok(entry), Err(_)) => panic!("{name}: accepted as {}", book.show_row(&entry.event)),
            (Err(rejection), Ok(_)) => panic!("{name}: {rejection:?}"),
        }
    }
}

/// A refusal of each rule, in precedence order: what precedes has been put right in the next row.
fn check_refusals(rows: Vec<(&str, Book, Command, Rejection)>) {
    for (name, mut book, command, rejection) in rows {
        check(&mut book, &[(name, command, Err(rejection))]);
    }
}

/// Whole units.
fn units(units: i64) -> Amount {
    Amount::from_micros(units * 1_000_000)
}

/// Seconds after the start of the books.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).plus_seconds(seconds)
}

fn cash(amount: i64) -> Command {
    Command::Credit(Credit::new(units(amount), FundingType::Cash))
}

fn given(amount: i64) -> Command {
    Command::Credit(Credit::new(units(amount), FundingType::Promotional))
}

/// Cash that expires so many seconds after the start.
fn cash_until(amount: i64, end: i64) -> Command {
    Command::Credit(Credit {
        expiry: Some(Expiry::At(at(end))),
        ..Credit::new(units(amount), FundingType::Cash)
    })
}

fn debit(amount: i64) -> Command {
    Command::Debit(Debit {
        amount: units(amount),
        reason: Reason::Usage,
        force: None,
        note: Note::default(),
    })
}

fn forced(amount: i64, floor: Option<i64>) -> Command {
    Command::Debit(Debit {
        amount: units(amount),
        reason: Reason::Usage,
        force: Some(Force {
            floor: floor.map(units),
        }),
        note: Note::default(),
    })
}

fn adjust(amount: i64) -> Command {
    Command::Adjust(Adjust {
        amount: units(amount),
        note: Note::default(),
    })
}

/// A hold that ends so many seconds after it is placed.
fn hold(amount: i64, seconds: i64) -> Command {
    Command::PlaceHold(PlaceHold {
        amount: units(amount),
        expiry: Expiry::InSeconds(seconds),
        invoice_id: None,
        note: Note::default(),
    })
}

fn capture(hold_id: HoldId, amount: Option<i64>, after: AfterCapture) -> Command {
    Command::CaptureHold(CaptureHold {
        hold_id,
        amount: amount.map(units),
        after,
        note: Note::default(),
    })
}

fn release(hold_id: HoldId) -> Command {
    Command::ReleaseHold { hold_id }
}

fn extend(hold_id: HoldId, expiry: Expiry) -> Command {
    Command::ExtendHold { hold_id, expiry }
}

/// A refund; the book fills in what it remembers of the debit.
fn refund(debit_id: EntryId, amount: Option<i64>) -> Command {
    Command::Refund(Refund {
        debit_id,
        amount: amount.map(units),
        grace_days: 30,
        debit: None,
        note: Note::default(),
    })
}

fn withdraw(amount: i64) -> Command {
    Command::Withdraw(Withdraw {
        amount: units(amount),
        note: Note::default(),
    })
}

fn void(lot_id: LotId) -> Command {
    let note = Note::default();
    Command::VoidLot(VoidLot { lot_id, note })
}

/// Another expiry, so many seconds after the start.
fn expire_at(lot_id: LotId, end: Option<i64>) -> Command {
    let expires_at = end.map(at);
    Command::ChangeLot(ChangeLot { lot_id, expires_at })
}

/// A close; the book fills in which payments lots came from.
fn close(way: PayoutWay) -> Command {
    let payments = Vec::new();
    Command::Close(Close { way, payments })
}

fn limit(amount: i64) -> Command {
    Command::SetOverdraftLimit(units(amount))
}

fn freeze() -> Command {
    Command::Freeze {
        note: Note::default(),
    }
}

fn insufficient(required: i64, available: i64) -> Rejection {
    Rejection::InsufficientFunds {
        recharge: crate::rejection::RechargeBrief::default(),
        required: units(required),
        available: units(available),
        next_release_at: None,
    }
}

fn insufficient_until(required: i64, available: i64, seconds: i64) -> Rejection {
    Rejection::InsufficientFunds {
        recharge: crate::rejection::RechargeBrief::default(),
        required: units(required),
        available: units(available),
        next_release_at: Some(at(seconds)),
    }
}
