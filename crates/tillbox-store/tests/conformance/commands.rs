//! Commands in short.

use crate::books::units;
use tillbox_core::alerts::{AlertsChange, Source};
use tillbox_core::amount::Amount;
use tillbox_core::command::{
    AdvanceTopUp, AfterCapture, CaptureHold, ChangeLot, Close, Command, Credit, Debit, EndPayout,
    EndTopUp, Expiry, Force, LearnDispute, OpenTopUp, PayoutEnd, PlaceHold, Refund, RefundTopUp,
    SetRecharge, SettleTopUp, TopUpEnd, VoidLot, Withdraw,
};
use tillbox_core::entry::{Note, PayoutWay};
use tillbox_core::id::{EntryId, HoldId, LotId, PaymentMethodId, TopUpId};
use tillbox_core::lot::FundingType;
use tillbox_core::payback::DisputeStatus;
use tillbox_core::reason::Reason;
use tillbox_core::recharge::{FailureClass, RechargeSettings, Refill};
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::{Channel, TopUpStatus};

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

pub(crate) fn refund_to_card(id: i64, amount: Option<i64>) -> Command {
    Command::RefundTopUp(RefundTopUp {
        top_up_id: TopUpId::from_number(id),
        amount: amount.map(units),
        record: None,
        note: note("back to the card"),
    })
}

/// A payout that was paid back, or that failed with a code.
pub(crate) fn end_payout(id: i64, debit_id: EntryId, failure: Option<&str>) -> Command {
    let failed = |code: &str| PayoutEnd::Failed { code: code.into() };
    Command::EndPayout(EndPayout {
        top_up_id: TopUpId::from_number(id),
        debit_id,
        end: failure.map_or(PayoutEnd::Succeeded, failed),
        grace_days: 30,
        record: None,
    })
}

pub(crate) fn dispute(id: i64, status: DisputeStatus, amount: i64) -> Command {
    Command::LearnDispute(LearnDispute {
        top_up_id: TopUpId::from_number(id),
        provider_id: format!("dp_{id}").into(),
        status,
        amount: units(amount),
        reason: Some("fraudulent".into()),
        grace_days: 30,
        record: None,
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

pub(crate) fn withdraw(amount: i64) -> Command {
    Command::Withdraw(Withdraw {
        amount: units(amount),
        note: note("by bank"),
    })
}

pub(crate) fn void(lot_id: LotId) -> Command {
    Command::VoidLot(VoidLot {
        lot_id,
        note: note("a mistake"),
    })
}

pub(crate) fn expire_at(lot_id: LotId, expires_at: Option<Timestamp>) -> Command {
    Command::ChangeLot(ChangeLot { lot_id, expires_at })
}

pub(crate) fn close(way: PayoutWay) -> Command {
    let payments = Vec::new();
    Command::Close(Close { way, payments })
}

pub(crate) fn note(description: &str) -> Note {
    Note {
        description: Some(description.into()),
        reference: Some("order-7".into()),
        metadata: Some("{\"á\":1}".into()),
    }
}

pub(crate) fn top_up(number: i64, amount: i64, channel: Channel) -> Command {
    Command::OpenTopUp(OpenTopUp {
        id: TopUpId::from_number(number),
        amount: units(amount),
        reason: Reason::TopUp,
        channel,
        method: (channel == Channel::Saved).then_some(PaymentMethodId::from_number(5)),
        note: note("a top-up"),
    })
}

pub(crate) fn advance(top_up_id: TopUpId, to: TopUpStatus) -> Command {
    Command::AdvanceTopUp(AdvanceTopUp {
        top_up_id,
        to,
        payment_id: Some("pay_1".into()),
        record: None,
    })
}

pub(crate) fn settle(top_up_id: TopUpId, charged: Amount) -> Command {
    Command::SettleTopUp(SettleTopUp {
        top_up_id,
        charged,
        payment_id: "pay_2".into(),
        record: None,
        note: Note::default(),
    })
}

pub(crate) fn declined(top_up_id: TopUpId, class: FailureClass) -> Command {
    Command::EndTopUp(EndTopUp {
        top_up_id,
        end: TopUpEnd::Failed {
            code: "generic_decline".into(),
            class,
        },
        payment_id: None,
        record: None,
    })
}

pub(crate) fn recharge(threshold: i64, amount: i64, cap: Option<i64>) -> Command {
    Command::SetRecharge(SetRecharge {
        is_enabled: true,
        settings: RechargeSettings {
            threshold: units(threshold),
            refill: Refill::Fixed(units(amount)),
            monthly_cap: cap.map(units),
        },
        method: Some(PaymentMethodId::from_number(5)),
        backups: vec![PaymentMethodId::from_number(6)],
        has_method: true,
    })
}

pub(crate) fn alerts(thresholds: &[i64]) -> Command {
    Command::SetAlerts(AlertsChange {
        source: Source::Wallet,
        thresholds: thresholds.iter().copied().map(units).collect(),
    })
}

pub(crate) fn release(hold_id: HoldId) -> Command {
    Command::ReleaseHold { hold_id }
}
