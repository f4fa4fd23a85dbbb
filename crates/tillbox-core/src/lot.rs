//! Lots: value of one origin, and the one order in which value is drawn.

use crate::amount::Amount;
use crate::id::{EntryId, LotId};
use crate::time::Timestamp;

/// Where the value of a lot came from; decides whether it may be paid out (L3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FundingType {
    /// Paid in by the customer.
    Cash,
    /// Given by the merchant.
    Promotional,
    /// Redeemed from a code.
    CodeRedemption,
    /// Given instead of a refund to a card.
    Refund,
    /// Corrected by an operator.
    ManualAdjustment,
}

impl FundingType {
    /// Every funding type, in the order of their codes.
    pub const ALL: [Self; 5] = [
        Self::Cash,
        Self::Promotional,
        Self::CodeRedemption,
        Self::Refund,
        Self::ManualAdjustment,
    ];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Promotional => "promotional",
            Self::CodeRedemption => "code_redemption",
            Self::Refund => "refund",
            Self::ManualAdjustment => "manual_adjustment",
        }
    }

    /// The number in the log; never reused for another meaning.
    pub const fn code(self) -> u8 {
        match self {
            Self::Cash => 1,
            Self::Promotional => 2,
            Self::CodeRedemption => 3,
            Self::Refund => 4,
            Self::ManualAdjustment => 5,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|funding| funding.code() == code)
    }

    /// Whether value of this type was paid for: then the cost basis of a lot is its amount, otherwise it was given,
    /// and the cost basis is zero (R12).
    pub const fn is_paid_for(self) -> bool {
        match self {
            Self::Cash | Self::Refund => true,
            Self::Promotional | Self::CodeRedemption | Self::ManualAdjustment => false,
        }
    }

    /// Whether a lot of this type may be paid out, unless its source says otherwise.
    pub const fn withdrawable(self) -> bool {
        match self {
            Self::Cash | Self::Refund | Self::ManualAdjustment => true,
            Self::Promotional | Self::CodeRedemption => false,
        }
    }
}

/// The place of a lot in the draw order (L4): the derived order of the fields is the rule, and the id
/// makes it total. A lot that never expires carries [`Timestamp::NEVER`], so it comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DrawKey {
    /// 0 is drawn first; 50 unless said otherwise.
    pub priority: u8,
    /// Sooner is drawn first.
    pub expires_at: Timestamp,
    /// What can't be paid out is drawn first (`false` sorts before `true`).
    pub withdrawable: bool,
    /// Older is drawn first.
    pub created_at: Timestamp,
    /// Settles what is left.
    pub id: LotId,
}

/// Value of one origin. Everything but `remaining` and `held` is fixed when the lot is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Its id.
    pub id: LotId,
    /// Its origin.
    pub funding: FundingType,
    /// Whether it may be paid out.
    pub withdrawable: bool,
    /// 0 to 100; 0 is drawn first.
    pub priority: u8,
    /// From this instant on it is never spent, except what was held before.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it was made with.
    pub amount: Amount,
    /// What was paid for it: its amount, or zero if it was given.
    pub cost_basis: Amount,
    /// The transaction that made it.
    pub source: EntryId,
    /// The expired lot that this one stands for (R11).
    pub succeeds: Option<LotId>,
    /// What has not been spent, expired or taken back; held value is part of it.
    pub remaining: Amount,
    /// The part of `remaining` that open holds reserve.
    pub held: Amount,
}

/// The priority of a lot that was given none.
pub const DEFAULT_PRIORITY: u8 = 50;

impl Lot {
    /// Its place in the draw order.
    pub fn draw_key(&self) -> DrawKey {
        DrawKey {
            priority: self.priority,
            expires_at: self.expires_at.unwrap_or(Timestamp::NEVER),
            withdrawable: self.withdrawable,
            created_at: self.created_at,
            id: self.id,
        }
    }

    /// The part that no hold reserves.
    pub fn unheld(&self) -> Amount {
        self.remaining - self.held
    }

    /// Whether it is past its expiry at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}
