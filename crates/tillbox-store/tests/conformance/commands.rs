//! Commands in short.

use crate::books::units;
use tillbox_core::amount::Amount;
use tillbox_core::command::{
    AfterCapture, CaptureHold, Command, Credit, Debit, Expiry, Force, PlaceHold, Refund,
};
use tillbox_core::entry::Note;
use tillbox_core::id::{EntryId, HoldId};
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;

pub(crate) fn credit(amount: i64, funding: FundingType) -> Command {
    Command::Credit(Credit::new(units(amount), funding))
}

pub(crate) fn expiring_credit(amount: i64, seconds: i64) -> Command {
    Command::Credit(Credit {
        expiry: Some(Expiry::InSeconds(seconds)),
        ..Credit::new(units(amount), FundingType::Promotional)
    })
}

pub(crate) fn debit(amount: i64) -> Command {
    Command::Debit(Debit {
        amount: units(amount),
        reason: Reason::Purchase,
        force: None,
        note: note("a purchase"),
    })
}

pub(crate) fn forced_debit(amount: i64) -> Command {
    Command::Debit(Debit {
        amount: units(amount),
        reason: Reason::Usage,
        force: Some(Force { floor: None }),
        note: Note::default(),
    })
}

pub(crate) fn hold(amount: i64, seconds: i64) -> Command {
    Command::PlaceHold(PlaceHold {
        amount: units(amount),
        expiry: Expiry::InSeconds(seconds),
        invoice_id: None,
        note: note("a hold"),
    })
}

pub(crate) fn capture(hold_id: HoldId, amount: Option<Amount>, after: AfterCapture) -> Command {
    Command::CaptureHold(CaptureHold {
        hold_id,
        amount,
        after,
        note: Note::default(),
    })
}

pub(crate) fn refund(debit_id: EntryId, amount: Option<Amount>) -> Command {
    Command::Refund(Refund {
        debit_id,
        amount,
        grace_days: 30,
        debit: None,
        note: Note::default(),
    })
}

pub(crate) fn note(description: &str) -> Note {
    Note {
        description: Some(description.into()),
        reference: Some("order-7".into()),
        metadata: Some("{\"á\":1}".into()),
    }
}
