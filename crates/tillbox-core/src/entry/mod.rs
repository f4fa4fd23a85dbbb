//! The log's rows. An [`Event`] is what a command decided; sealed with its place in the wallet's chain it
//! is an [`Entry`], one row of the log. Rows that move money are the wallet's transactions.
//!
//! Every event says in one way what moved: its `parts` change lots, `debt` grows or shrinks, and
//! `amount = Σ parts.amount − debt made + debt paid or canceled`. Balances, lists, the journal and the
//! audit are all read off these.

mod codec;
mod log_head;
mod seal;

pub use codec::{
    CodecError, decode_body, decode_payback, decode_standing, decode_state, encode_body,
    encode_payback, encode_standing, encode_state,
};
pub use log_head::{CommitHash, LogHead};
pub use seal::{Stamp, commit_to, seal};

use crate::alerts::AlertsChange;
use crate::amount::Amount;
use crate::debt::DebtSpan;
use crate::hold::{Hold, HoldStatus};
use crate::id::{ApiKeyId, CustomerId, EntryId, HoldId, InvoiceId, LotId, TopUpId, WalletId};
use crate::lot::{DrawKey, FundingType, Lot};
use crate::payback::Payback;
use crate::reason::{Language, Reason};
use crate::recharge::Recharge;
use crate::time::Timestamp;
use crate::top_up::TopUp;
use crate::wallet::WalletStatus;

/// A hash of the chain.
pub type Hash = [u8; 32];

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal;)*) => {
        /// What kind of row it is; [`Reason`] says why money moved, this says by which rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EntryKind {
            $($(#[$doc])* $variant,)*
        }

        impl EntryKind {
            /// Every kind, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number in the log; never reused for another meaning.
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code),* }
            }

            /// Back from the number in the log.
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.code() == code)
            }
        }
    };
}

kinds! {
    /// Value in, as a lot.
    Credit = 1;
    /// Value out.
    Debit = 2;
    /// A correction.
    Adjustment = 3;
    /// A debit given back.
    Refund = 4;
    /// Rated usage, debited; also usage rated to zero, which moves nothing.
    Usage = 5;
    /// Value reserved.
    HoldPlaced = 6;
    /// Reserved value spent.
    HoldCaptured = 7;
    /// Reserved value given back by a person.
    HoldReleased = 8;
    /// A later end for a hold.
    HoldExtended = 9;
    /// Reserved value given back by the clock.
    HoldExpired = 10;
    /// Value past its date.
    LotExpired = 11;
    /// Spending stopped.
    Frozen = 12;
    /// Spending allowed again.
    Unfrozen = 13;
    /// Another overdraft limit.
    PolicyChanged = 14;
    /// A top-up begun, by a person or by auto-recharge.
    TopUpOpened = 15;
    /// A top-up that waits for something else.
    TopUpAdvanced = 16;
    /// A top-up that failed or was given up; one that succeeded is a credit.
    TopUpEnded = 17;
    /// Auto-recharge set, paused, resumed, held back by a limit, or over its back-off.
    RechargeChanged = 18;
    /// Other thresholds of low-balance alerts.
    AlertsChanged = 19;
    /// In use without a first payment.
    Activated = 20;
    /// Another expiry for a lot.
    LotChanged = 30;
    /// What no hold reserves of a lot, taken back.
    LotVoided = 31;
    /// Value paid out to the customer.
    Withdrawn = 32;
    /// Value given up when the wallet is closed.
    Forfeited = 33;
    /// The wallet is over.
    Closed = 34;
    /// Value taken to be paid back to the card.
    TopUpRefunded = 40;
    /// A payout that was paid back, or that a person has to pay; one that failed is a reversal.
    PayoutEnded = 41;
    /// Value given back that a payout or a dispute had taken.
    Reversed = 42;
    /// A dispute told of: value reserved, or set free, or nothing to take.
    DisputeChanged = 43;
    /// Value taken by a dispute.
    ChargedBack = 44;
}

/// What one lot gained or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The lot.
    pub lot: DrawKey,
    /// The lot's origin, for the answer.
    pub funding: FundingType,
    /// Signed change of what remains of it.
    pub amount: Amount,
    /// Signed change of what holds reserve of it.
    pub held: Amount,
    /// Set when `amount` (then negative) paid debt: the offset of the oldest debt that it paid. Such a part
    /// is a late allocation of the debits that made this debt (R6).
    pub pays_debt_from: Option<Amount>,
}

impl Part {
    /// The span of debt that this part paid.
    pub fn debt_paid(&self) -> Option<DebtSpan> {
        self.pays_debt_from.map(|from| DebtSpan {
            from,
            amount: -self.amount,
        })
    }
}

/// How a hold stands after the row. Enough to print the hold as it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldChange {
    /// The hold.
    pub id: HoldId,
    /// What it was placed with.
    pub amount: Amount,
    /// What was spent of it.
    pub captured: Amount,
    /// What was given back of it.
    pub released: Amount,
    /// Signed change of what it reserves on the overdraft.
    pub overdraft: Amount,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The invoice that it waits for.
    pub invoice_id: Option<InvoiceId>,
    /// How it stands.
    pub status: HoldStatus,
}

impl HoldChange {
    /// The hold as it is before anything is reserved for it.
    pub(crate) fn placed(&self) -> Hold {
        Hold {
            captured: Amount::ZERO,
            released: Amount::ZERO,
            status: HoldStatus::Open,
            ..self.to_hold()
        }
    }

    /// The hold as the row tells it, without what it still reserves: whole once it has ended.
    pub fn to_hold(&self) -> Hold {
        Hold {
            id: self.id,
            amount: self.amount,
            captured: self.captured,
            released: self.released,
            expires_at: self.expires_at,
            placed_at: self.placed_at,
            invoice_id: self.invoice_id,
            status: self.status,
            parts: Vec::new(),
            overdraft: Amount::ZERO,
        }
    }

    /// What it still reserves.
    pub fn remaining(&self) -> Amount {
        self.amount - self.captured - self.released
    }
}

/// What was used, and what was billed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageFacts {
    /// The key of the price.
    pub price_key: Box<str>,
    /// Units used.
    pub quantity: i64,
    /// Units billed, after increment and minimum.
    pub billed_quantity: i64,
}

/// Another expiry for a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotChange {
    /// The lot, by its place before this row.
    pub lot: DrawKey,
    /// From when on it can't be spent; none never.
    pub expires_at: Option<Timestamp>,
}

impl LotChange {
    /// The lot's place behind this row.
    pub fn key(&self) -> DrawKey {
        DrawKey {
            expires_at: self.expires_at.unwrap_or(Timestamp::NEVER),
            ..self.lot
        }
    }
}

/// By which way value is paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayoutWay {
    /// By the merchant, outside of all this: by bank.
    Manual,
    /// To the payment that it came from, by the payment provider.
    Original,
}

impl PayoutWay {
    /// Every way, in the order of their codes.
    pub const ALL: [Self; 2] = [Self::Manual, Self::Original];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Original => "original",
        }
    }

    /// The number in the log.
    pub const fn code(self) -> u8 {
        match self {
            Self::Manual => 0,
            Self::Original => 1,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.code() == code)
    }
}

/// Where a withdrawal goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// By which way.
    pub way: PayoutWay,
    /// The provider's id of the payment that the value came from, where it is one.
    pub payment_id: Option<Box<str>>,
}

/// Who caused a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The clock.
    System,
    /// Whoever held this API key.
    ApiKey(ApiKeyId),
    /// The customer, on a page.
    Customer(CustomerId),
}

/// Free text of a row: committed to by the chain through a salt, so that it can be erased (R50).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// For people.
    pub description: Option<Box<str>>,
    /// The caller's own reference.
    pub reference: Option<Box<str>>,
    /// The caller's own data: a JSON object, as it was sent but without white space.
    pub metadata: Option<Box<str>>,
}

impl Note {
    /// Whether there is nothing to commit to.
    pub fn is_empty(&self) -> bool {
        self.description.is_none() && self.reference.is_none() && self.metadata.is_none()
    }
}

/// The shape of the answers that new rows give (R44). A row keeps the one that it was made with, and is printed in it
/// for ever: an answer that shall look different gets the next number, and the printers keep the old one beside it.
pub const SHAPE: u8 = 1;

/// What a command decided: everything that changes, and nothing that was there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The shape in which its answer is printed.
    pub shape: u8,
    /// By which rule.
    pub kind: EntryKind,
    /// Why money moved; none when nothing moved.
    pub reason: Option<Reason>,
    /// Signed change of the balance.
    pub amount: Amount,
    /// What each lot gained or lost, in order.
    pub parts: Vec<Part>,
    /// Lots that come into the state: new ones, and spent ones that a refund opens again. They come with
    /// what they had before this row.
    pub lots: Vec<Lot>,
    /// Debt that this row made.
    pub debt_made: Option<DebtSpan>,
    /// Unpaid debt that this row canceled.
    pub debt_canceled: Vec<DebtSpan>,
    /// The hold that it is about.
    pub hold: Option<HoldChange>,
    /// What was used.
    pub usage: Option<UsageFacts>,
    /// The transaction that it gives back.
    pub refund_of: Option<EntryId>,
    /// The top-up that it is about.
    pub top_up_id: Option<TopUpId>,
    /// That top-up as it stands after it, when it changed.
    pub top_up: Option<Box<TopUp>>,
    /// What has gone back of that top-up's payment, when it changed.
    pub payback: Option<Box<Payback>>,
    /// Auto-recharge as it stands after it, when it changed.
    pub recharge: Option<Box<Recharge>>,
    /// The thresholds of low-balance alerts after it, when they changed.
    pub alerts: Option<AlertsChange>,
    /// The lot that got another expiry.
    pub lot_change: Option<LotChange>,
    /// Where a withdrawal goes.
    pub destination: Option<Destination>,
    /// The wallet's status after it, when it changed.
    pub status: Option<WalletStatus>,
    /// The overdraft limit after it, when it changed.
    pub overdraft_limit: Option<Amount>,
    /// When it fell due, if it was booked later than that (R10).
    pub effective_at: Option<Timestamp>,
    /// Free text.
    pub note: Note,
}

impl Event {
    /// An event that changes nothing yet.
    pub fn new(kind: EntryKind, note: Note) -> Self {
        Self {
            shape: SHAPE,
            kind,
            reason: None,
            amount: Amount::ZERO,
            parts: Vec::new(),
            lots: Vec::new(),
            debt_made: None,
            debt_canceled: Vec::new(),
            hold: None,
            usage: None,
            refund_of: None,
            top_up_id: None,
            top_up: None,
            payback: None,
            recharge: None,
            alerts: None,
            lot_change: None,
            destination: None,
            status: None,
            overdraft_limit: None,
            effective_at: None,
            note,
        }
    }

    /// A transaction that nobody described is described by its reason (L2).
    pub(crate) fn described(mut self, language: Language) -> Self {
        if let (Some(reason), None) = (self.reason, &self.note.description) {
            self.note.description = Some(reason.default_description(language).into());
        }
        self
    }

    /// Signed change of what holds reserve.
    pub fn held_change(&self) -> Amount {
        let lots: Amount = self.parts.iter().map(|part| part.held).sum();
        lots + self.hold.map_or(Amount::ZERO, |hold| hold.overdraft)
    }

    /// The same, of a row that may be anything: none where it is out of range.
    pub(crate) fn checked_held_change(&self) -> Option<Amount> {
        let overdraft = self.hold.map_or(Amount::ZERO, |hold| hold.overdraft);
        let mut parts = self.parts.iter();
        parts.try_fold(overdraft, |sum, part| sum.checked_add(part.held))
    }

    /// Whether it is a transaction.
    pub fn moves_money(&self) -> bool {
        self.reason.is_some()
    }

    /// What the parts and the debt add up to: always `amount`.
    pub fn balance_of_parts(&self) -> Amount {
        let lots: Amount = self.parts.iter().map(|part| part.amount).sum();
        let paid: Amount = self
            .parts
            .iter()
            .filter_map(Part::debt_paid)
            .map(|span| span.amount)
            .sum();
        let canceled: Amount = self.debt_canceled.iter().map(|span| span.amount).sum();
        let made = self.debt_made.map_or(Amount::ZERO, |span| span.amount);
        lots + paid + canceled - made
    }

    /// What came from lots or went to them by the row itself, in the order drawn: without the shares that
    /// only paid debt or only changed what is held.
    pub fn own_parts(&self) -> impl Iterator<Item = &Part> {
        self.parts
            .iter()
            .filter(|part| part.pays_debt_from.is_none() && !part.amount.is_zero())
    }
}

/// The idempotency key of a command: who asks again gets the same answer (L10, R43).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyStamp {
    /// Hash of scope and key.
    pub key: [u8; 16],
    /// Hash of the request as it was parsed.
    pub fingerprint: [u8; 16],
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Rises over the whole log.
    pub id: EntryId,
    /// Whose row it is.
    pub wallet_id: WalletId,
    /// Its number among the wallet's rows, from 1, without gaps (R1).
    pub version: u64,
    /// Its number among the wallet's transactions, from 1, without gaps; none when no money moved.
    pub seq: Option<u64>,
    /// When it was booked; never earlier than the row before.
    pub at: Timestamp,
    /// The balance after it.
    pub balance_after: Amount,
    /// Who caused it.
    pub actor: Actor,
    /// The key under which it answers again.
    pub key: Option<KeyStamp>,
    /// What happened.
    pub event: Event,
    /// Hides the free text in the chain; none where there is no text, or where it was erased.
    pub salt: Option<[u8; 16]>,
    /// What the chain holds of the free text: stays when the text is erased.
    pub note_commitment: Option<[u8; 32]>,
    /// The chain after this row.
    pub hash: Hash,
}

impl Entry {
    /// The balance before it.
    pub fn balance_before(&self) -> Amount {
        self.balance_after - self.event.amount
    }

    /// The lot that it made, if it made one.
    pub fn made_lot(&self) -> Option<LotId> {
        self.event
            .lots
            .iter()
            .find(|lot| lot.source == self.id)
            .map(|lot| lot.id)
    }
}
