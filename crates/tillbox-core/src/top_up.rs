//! Top-ups: money on its way in. The table of what may follow what is [`TopUpStatus::may_become`].
//!
//! A top-up is opened in a commit before the payment provider is asked, and ends in one: as a credit, or failed, or
//! canceled. A payment that succeeds after its top-up was given up is credited all the same: the provider has the
//! money. So every payment makes at most one credit, and every success makes one.

use crate::amount::Amount;
use crate::id::PaymentMethodId;
use crate::reason::Reason;
use crate::time::Timestamp;

/// How a top-up stands (T3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TopUpStatus {
    /// A hosted page waits for the customer.
    Pending,
    /// The bank waits for the customer.
    RequiresAction,
    /// The provider was asked to charge; the outcome is not known yet.
    Processing,
    /// Paid and credited.
    Succeeded,
    /// Not paid.
    Failed,
    /// Given up before it was paid.
    Canceled,
}

impl TopUpStatus {
    /// Every status, in the order of their codes.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::RequiresAction,
        Self::Processing,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
    ];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The number in the log; never reused for another meaning.
    pub const fn code(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::RequiresAction => 1,
            Self::Processing => 2,
            Self::Succeeded => 3,
            Self::Failed => 4,
            Self::Canceled => 5,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// Whether it may still be paid.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::RequiresAction | Self::Processing
        )
    }

    /// What may follow. Success is final; it alone may follow an end, as the provider has the money then.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => !matches!(next, Self::Pending),
            Self::RequiresAction => !matches!(next, Self::Pending | Self::RequiresAction),
            Self::Processing => !matches!(next, Self::Pending | Self::Processing),
            Self::Succeeded => false,
            Self::Failed | Self::Canceled => matches!(next, Self::Succeeded),
        }
    }
}

/// How a top-up is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// From a saved card, at once.
    Saved,
    /// On the provider's hosted page.
    Checkout,
    /// On the same page, by whoever holds the link.
    Link,
}

impl Channel {
    /// Every channel, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Saved, Self::Checkout, Self::Link];

    /// The number in the log; never reused for another meaning.
    pub const fn code(self) -> u8 {
        match self {
            Self::Saved => 0,
            Self::Checkout => 1,
            Self::Link => 2,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.code() == code)
    }
}

/// A top-up as it stands after a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// What was asked for, before discounts.
    pub amount: Amount,
    /// Why: a top-up, an auto-recharge, or the activation.
    pub reason: Reason,
    /// How it is paid.
    pub channel: Channel,
    /// The saved method to charge; none: the customer's default when it is charged, or a hosted page.
    pub method: Option<PaymentMethodId>,
    /// Tried in this order when that is declined.
    pub backups: Vec<PaymentMethodId>,
    /// How it stands.
    pub status: TopUpStatus,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What was charged; zero until it succeeded.
    pub charged: Amount,
    /// The provider's id of the payment.
    pub payment_id: Option<Box<str>>,
    /// The provider's code of why it failed.
    pub failure: Option<Box<str>>,
}

impl TopUp {
    /// Whether a lot of what was given follows that of what was charged; where nothing was charged it is the only one.
    pub fn has_bonus(&self) -> bool {
        self.discount().is_positive() && !self.charged.is_zero()
    }

    /// What the provider gave on top of what was charged; a lot of its own (R26).
    pub fn discount(&self) -> Amount {
        match self.status {
            TopUpStatus::Succeeded => self.amount - self.charged,
            TopUpStatus::Pending
            | TopUpStatus::RequiresAction
            | TopUpStatus::Processing
            | TopUpStatus::Failed
            | TopUpStatus::Canceled => Amount::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table: a row for each status, what may follow it, in the order of the codes.
    #[test]
    fn a_top_up_goes_forward_and_only_success_follows_an_end() {
        use TopUpStatus::{Canceled, Failed, Pending, Processing, RequiresAction, Succeeded};
        let table: [(TopUpStatus, &[TopUpStatus]); 6] = [
            (
                Pending,
                &[RequiresAction, Processing, Succeeded, Failed, Canceled],
            ),
            (RequiresAction, &[Processing, Succeeded, Failed, Canceled]),
            (Processing, &[RequiresAction, Succeeded, Failed, Canceled]),
            (Succeeded, &[]),
            (Failed, &[Succeeded]),
            (Canceled, &[Succeeded]),
        ];
        for (status, expected) in table {
            let following = TopUpStatus::ALL
                .into_iter()
                .filter(|next| status.may_become(*next));
            assert_eq!(following.collect::<Vec<_>>(), expected, "{status:?}");
            assert_eq!(TopUpStatus::from_code(status.code()), Some(status));
        }
    }
}
