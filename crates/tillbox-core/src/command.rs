//! Commands: what callers ask of one wallet. Everything outside the state that a decision needs (rates,
//! settings, what the store remembers of an old debit) is part of the command.

use crate::alerts::AlertsChange;
use crate::amount::Amount;
use crate::debt::DebtSpan;
use crate::entry::{Entry, Event, Note, PayoutWay, UsageFacts};
use crate::id::{EntryId, HoldId, InvoiceId, LotId, PaymentMethodId, TopUpId};
use crate::lot::{DrawKey, FundingType, Lot};
use crate::payback::{DisputeStatus, Payback, Payout};
use crate::reason::Reason;
use crate::recharge::{FailureClass, PauseReason, RechargeSettings};
use crate::time::Timestamp;
use crate::top_up::{Channel, TopUp, TopUpStatus};
use crate::wallet::WalletState;

/// What is asked of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Value in.
    Credit(Credit),
    /// Value out.
    Debit(Debit),
    /// A correction by an operator.
    Adjust(Adjust),
    /// A debit given back.
    Refund(Refund),
    /// Another expiry for a lot.
    ChangeLot(ChangeLot),
    /// A lot taken back.
    VoidLot(VoidLot),
    /// Value paid out.
    Withdraw(Withdraw),
    /// The wallet is over.
    Close(Close),
    /// Value reserved.
    PlaceHold(PlaceHold),
    /// Reserved value spent.
    CaptureHold(CaptureHold),
    /// Reserved value given back.
    ReleaseHold {
        /// The hold.
        hold_id: HoldId,
    },
    /// A later end for a hold.
    ExtendHold {
        /// The hold.
        hold_id: HoldId,
        /// The new end.
        expiry: Expiry,
    },
    /// Rated usage, debited.
    Usage(Usage),
    /// Spending stopped.
    Freeze {
        /// Why, for people.
        note: Note,
    },
    /// Spending allowed again.
    Unfreeze,
    /// In use, without a first payment.
    Activate,
    /// Another overdraft limit.
    SetOverdraftLimit(Amount),
    /// Money asked for, before the payment provider is.
    OpenTopUp(OpenTopUp),
    /// A payment that waits for something else.
    AdvanceTopUp(AdvanceTopUp),
    /// A payment that failed or was given up.
    EndTopUp(EndTopUp),
    /// A payment that succeeded.
    SettleTopUp(SettleTopUp),
    /// A payment refunded to the card.
    RefundTopUp(RefundTopUp),
    /// What the provider says of a payout.
    EndPayout(EndPayout),
    /// What the provider says of a dispute.
    LearnDispute(LearnDispute),
    /// Auto-recharge, as the customer wants it.
    SetRecharge(SetRecharge),
    /// Auto-recharge tries again.
    ResumeRecharge,
    /// Auto-recharge stops until somebody resumes it.
    PauseRecharge(PauseReason),
    /// Thresholds of low-balance alerts.
    SetAlerts(AlertsChange),
    /// Nothing but booking what is due.
    BookDue,
}

/// Money asked for. What the merchant allows comes with the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTopUp {
    /// Its id, which the payment will carry.
    pub id: TopUpId,
    /// Above zero, in whole minor units.
    pub amount: Amount,
    /// A top-up or the activation.
    pub reason: Reason,
    /// How it is paid.
    pub channel: Channel,
    /// The saved method to charge; none on a hosted page.
    pub method: Option<PaymentMethodId>,
    /// Free text, for the credit too.
    pub note: Note,
}

/// A payment that waits for something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvanceTopUp {
    /// The top-up.
    pub top_up_id: TopUpId,
    /// For what it waits: the bank's customer, or the outcome.
    pub to: TopUpStatus,
    /// The provider's id of the payment.
    pub payment_id: Option<Box<str>>,
    /// What the store remembers of a top-up that is not open; the engine fills it in.
    pub record: Option<Box<TopUp>>,
}

/// How a payment ended that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopUpEnd {
    /// It was declined.
    Failed {
        /// The provider's code.
        code: Box<str>,
        /// What that means for auto-recharge.
        class: FailureClass,
    },
    /// It was given up.
    Canceled,
}

/// A payment that failed or was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndTopUp {
    /// The top-up.
    pub top_up_id: TopUpId,
    /// How it ended.
    pub end: TopUpEnd,
    /// The provider's id of the payment.
    pub payment_id: Option<Box<str>>,
    /// What the store remembers of a top-up that is not open; the engine fills it in.
    pub record: Option<Box<TopUp>>,
}

/// A payment that succeeded: never refused, whatever has become of the wallet (R24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleTopUp {
    /// The top-up.
    pub top_up_id: TopUpId,
    /// What was charged; what is missing to the top-up's amount is the provider's discount (R26).
    pub charged: Amount,
    /// The provider's id of the payment.
    pub payment_id: Box<str>,
    /// What the store remembers of a top-up that is not open; the engine fills it in.
    pub record: Option<Box<TopUp>>,
    /// Free text.
    pub note: Note,
}

/// A payment refunded to the card, wholly or in part (R27).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundTopUp {
    /// The top-up.
    pub top_up_id: TopUpId,
    /// Above zero, rounded down to whole minor units; none is all that can be refunded.
    pub amount: Option<Amount>,
    /// What the store remembers of the payment; the engine fills it in.
    pub record: Option<Box<PaymentRecord>>,
    /// Free text.
    pub note: Note,
}

/// What the provider says of a payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndPayout {
    /// The payment that it goes back to.
    pub top_up_id: TopUpId,
    /// The transaction that took the value.
    pub debit_id: EntryId,
    /// How it ended.
    pub end: PayoutEnd,
    /// How long value lives that returns to an expired lot (R11).
    pub grace_days: i64,
    /// What the store remembers of the payment; the engine fills it in.
    pub record: Option<Box<PaymentRecord>>,
}

/// How a payout ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayoutEnd {
    /// It was paid back.
    Succeeded,
    /// It certainly was not.
    Failed {
        /// The provider's code.
        code: Box<str>,
    },
}

/// What the provider says of a dispute: in any order, any number of times. A payment that failed after it was credited
/// is told as one that was lost (R28).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnDispute {
    /// The payment that is disputed.
    pub top_up_id: TopUpId,
    /// What the provider calls the dispute.
    pub provider_id: Box<str>,
    /// How it stands.
    pub status: DisputeStatus,
    /// What the bank takes.
    pub amount: Amount,
    /// Why.
    pub reason: Option<Box<str>>,
    /// How long value lives that returns to an expired lot (R11).
    pub grace_days: i64,
    /// What the store remembers of the payment; the engine fills it in.
    pub record: Option<Box<PaymentRecord>>,
}

/// What the store remembers of a payment, and of what went back of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRecord {
    /// The top-up.
    pub top_up: TopUp,
    /// What has gone back so far; none where nothing was charged, or nothing yet.
    pub payback: Option<Payback>,
    /// The payout that a command names.
    pub payout: Option<Payout>,
    /// The transaction that may have to be reversed: of that payout, else the last by which a dispute took value.
    pub debit: Option<DebitRecord>,
}

impl PaymentRecord {
    /// Takes in a row that booked what was due after the record was read. `before` is the state that it was sealed on.
    pub fn follow(&mut self, before: &WalletState, row: &Entry) {
        if let Some(payback) = &mut self.payback {
            match row.event.payback.as_deref() {
                Some(behind) if behind.lot == payback.lot => *payback = behind.standing(),
                _ => payback.follow(&row.event),
            }
        }
        if let Some(debit) = &mut self.debit {
            debit.follow(before, row);
        }
    }
}

/// Auto-recharge, as the customer wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRecharge {
    /// On or off.
    pub is_enabled: bool,
    /// When and how much.
    pub settings: RechargeSettings,
    /// The saved method to charge; none: the default.
    pub method: Option<PaymentMethodId>,
    /// Tried in this order when that is declined.
    pub backups: Vec<PaymentMethodId>,
    /// Whether there is anything to charge.
    pub has_method: bool,
}

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// So many seconds after the commit's instant.
    InSeconds(i64),
    /// At that instant.
    At(Timestamp),
}

impl Expiry {
    /// The instant, counted from `now`.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::InSeconds(seconds) => now.plus_seconds(seconds),
            Self::At(instant) => instant,
        }
    }
}

/// Value in, as one lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Above zero.
    pub amount: Amount,
    /// Its origin.
    pub funding: FundingType,
    /// Why.
    pub reason: Reason,
    /// 0 to 100.
    pub priority: u8,
    /// From when on it can't be spent; none: as the merchant's settings say.
    pub expiry: Option<Expiry>,
    /// The balance that it must not pass, a setting.
    pub maximum_balance: Option<Amount>,
    /// Free text.
    pub note: Note,
}

/// Value out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debit {
    /// Above zero.
    pub amount: Amount,
    /// Why.
    pub reason: Reason,
    /// Set for usage already delivered (R7).
    pub force: Option<Force>,
    /// Free text.
    pub note: Note,
}

/// Leave to go below zero for usage already delivered (R7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Force {
    /// The debt that may not be passed; none is no limit.
    pub floor: Option<Amount>,
}

/// A correction by an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjust {
    /// Not zero.
    pub amount: Amount,
    /// Free text; the description says why.
    pub note: Note,
}

/// A debit given back, wholly or in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The transaction.
    pub debit_id: EntryId,
    /// Above zero; none is all that remains.
    pub amount: Option<Amount>,
    /// How long value lives that returns to an expired lot (R11).
    pub grace_days: i64,
    /// What the store remembers of the debit; the engine fills it in.
    pub debit: Option<Box<DebitRecord>>,
    /// Free text.
    pub note: Note,
}

/// Another expiry for a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeLot {
    /// The lot.
    pub lot_id: LotId,
    /// In the future; none never.
    pub expires_at: Option<Timestamp>,
}

/// A lot taken back: what no hold reserves of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidLot {
    /// The lot.
    pub lot_id: LotId,
    /// Free text.
    pub note: Note,
}

/// Value paid out by the merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdraw {
    /// Above zero.
    pub amount: Amount,
    /// Free text.
    pub note: Note,
}

/// The wallet is over (R39).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// By which way the payments go back.
    pub way: PayoutWay,
    /// The payments that open lots came from, oldest first; the engine fills them in.
    pub payments: Vec<SourcePayment>,
}

impl Close {
    /// Takes in a row that was booked since the payments were read: of what was due, or of this close. A payment that a
    /// row has sent back is over.
    pub fn follow(&mut self, before: &WalletState, row: &Entry) {
        let gone = row.event.reason == Some(Reason::Withdrawal);
        self.payments
            .retain(|payment| !gone || row.event.top_up_id != Some(payment.top_up_id));
        for payment in &mut self.payments {
            payment.record.follow(before, row);
        }
    }
}

/// A payment that open lots came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePayment {
    /// The top-up.
    pub top_up_id: TopUpId,
    /// Those lots.
    pub lots: Vec<DrawKey>,
    /// What the store remembers of it.
    pub record: PaymentRecord,
}

/// What the store remembers of a debit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebitRecord {
    /// What it did.
    pub event: Event,
    /// What was given back of it so far.
    pub refunded: Amount,
    /// Who paid the debt that it made, rising by offset.
    pub debt_payments: Vec<DebtPayment>,
    /// Every lot that it drew on or that paid its debt, as stored: closed ones too.
    pub lots: Vec<Lot>,
}

impl DebitRecord {
    /// Takes in a row that booked what was due after the record was read: a hold that ended may have paid the
    /// debt of the debit, and lots of it may have changed. `before` is the state that the row was sealed on.
    pub fn follow(&mut self, before: &WalletState, row: &Entry) {
        for part in &row.event.parts {
            let Some((span, made)) = part.debt_paid().zip(self.event.debt_made) else {
                continue;
            };
            if span.overlap(&made).is_none() {
                continue;
            }
            let lot_id = part.lot.id;
            self.debt_payments.push(DebtPayment { span, lot_id });
            if self.lots.iter().all(|lot| lot.id != lot_id) {
                self.lots.extend(before.lot(&part.lot).cloned());
            }
        }
        for part in &row.event.parts {
            if let Some(lot) = self.lots.iter_mut().find(|lot| lot.id == part.lot.id) {
                lot.remaining += part.amount;
                lot.held += part.held;
            }
        }
    }
}

/// A share of debt that a lot paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebtPayment {
    /// Which debt.
    pub span: DebtSpan,
    /// The lot.
    pub lot_id: LotId,
}

/// Value reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceHold {
    /// Above zero.
    pub amount: Amount,
    /// When it ends by itself.
    pub expiry: Expiry,
    /// The invoice that it waits for.
    pub invoice_id: Option<InvoiceId>,
    /// Free text.
    pub note: Note,
}

/// What becomes of the rest of a hold after a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterCapture {
    /// The rest returns.
    End,
    /// It stays reserved until nothing remains (R14).
    StayOpen,
}

/// Reserved value spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureHold {
    /// The hold.
    pub hold_id: HoldId,
    /// Above zero; none is all that remains.
    pub amount: Option<Amount>,
    /// What becomes of the rest.
    pub after: AfterCapture,
    /// Free text.
    pub note: Note,
}

/// Rated usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What it costs; zero moves nothing but keeps the key.
    pub cost: Amount,
    /// What was used and billed.
    pub facts: UsageFacts,
    /// Paid wholly from this hold, which stays open (R16).
    pub hold_id: Option<HoldId>,
    /// Set for usage already delivered (R7).
    pub force: Option<Force>,
    /// Free text.
    pub note: Note,
}
