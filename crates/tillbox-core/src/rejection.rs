//! Refusals: why a command did nothing, in their order of precedence (R42).

use crate::amount::Amount;
use crate::hold::HoldStatus;
use crate::id::{HoldId, LotId};
use crate::payback::{DisputeStatus, PayoutStatus};
use crate::recharge::Standing;
use crate::time::Timestamp;
use crate::top_up::TopUpStatus;
use crate::wallet::WalletStatus;

/// Why a command was refused. The order of the variants is the order in which rules are checked: what the
/// command names, then state, then limits, then funds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No such wallet of this merchant.
    #[error("no such wallet")]
    WalletNotFound,
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The hold is not open in the state; the engine asks the store and says what became of it.
    #[error("the hold is not among the open ones")]
    HoldUnknown(HoldId),
    /// No such hold of this wallet.
    #[error("no such hold")]
    HoldNotFound,
    /// The lot is not open in the state; the engine asks the store whether there ever was one.
    #[error("the lot is not among the open ones")]
    LotUnknown(LotId),
    /// No such lot of this wallet.
    #[error("no such lot")]
    LotNotFound,
    /// No such transaction of this wallet.
    #[error("no such transaction")]
    TransactionNotFound,
    /// No such top-up of this wallet.
    #[error("no such top-up")]
    TopUpNotFound,
    /// The wallet's status does not allow it.
    #[error("the wallet is {}", .0.name())]
    WalletNotActive(WalletStatus),
    /// The hold has ended.
    #[error("the hold is {}", .0.name())]
    HoldNotOpen(HoldStatus),
    /// The top-up stands where this can't follow.
    #[error("the top-up is {}", .0.name())]
    TopUpNotOpen(TopUpStatus),
    /// The payout has ended, or was told of already.
    #[error("the payout is {}", .0.name())]
    PayoutNotOpen(PayoutStatus),
    /// The dispute has gone further already.
    #[error("the dispute is {}", .0.name())]
    DisputeNotOpen(DisputeStatus),
    /// There is nothing to charge.
    #[error("the customer has no payment method: add one first")]
    PaymentMethodRequired,
    /// Transactions of that kind are not refunded to the wallet (R29).
    #[error("transactions of this reason are not refundable")]
    NotRefundable,
    /// Anything else that the state does not allow.
    #[error("{0}")]
    Conflict(&'static str),
    /// An instant outside its bounds.
    #[error("the instant must lie between {earliest} and {latest}")]
    ExpiryOutOfRange {
        /// The first instant allowed.
        earliest: Timestamp,
        /// The last instant allowed.
        latest: Timestamp,
    },
    /// An amount outside its bounds; bounds that do not exist are none.
    #[error("the amount is out of range")]
    AmountOutOfRange {
        /// The least.
        minimum: Option<Amount>,
        /// The most.
        maximum: Option<Amount>,
    },
    /// Cards are charged in whole minor units of the currency.
    #[error("the amount must be in whole minor units of the currency")]
    NotWholeMinorUnits,
    /// A target below the threshold would charge for ever.
    #[error("the target must be at least the threshold")]
    TargetBelowThreshold,
    /// The wallet has as many open lots or holds as it may have (R49).
    #[error("the wallet has too many open {0}")]
    TooMany(&'static str),
    /// More than what remains of the hold.
    #[error("the capture exceeds what remains of the hold")]
    CaptureExceedsHold {
        /// What remains.
        remaining: Amount,
    },
    /// More than what remains of the debit.
    #[error("the refund exceeds what remains of the debit")]
    RefundExceedsRemaining {
        /// What remains.
        remaining: Amount,
    },
    /// More than may be paid out (R8).
    #[error("the amount exceeds what may be paid out")]
    NotWithdrawable {
        /// What may be.
        withdrawable: Amount,
    },
    /// Not enough available.
    #[error("the wallet has not enough available")]
    InsufficientFunds {
        /// What was asked for.
        required: Amount,
        /// What could be had.
        available: Amount,
        /// When the next hold gives value back.
        next_release_at: Option<Timestamp>,
        /// Why auto-recharge has not helped.
        recharge: RechargeBrief,
    },
}

/// How auto-recharge stands, for a caller who ran out of funds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RechargeBrief {
    /// Whether it is on.
    pub is_enabled: bool,
    /// How it stands.
    pub standing: Standing,
    /// Why it does not charge now; none where it does, or is off.
    pub reason: Option<&'static str>,
}
