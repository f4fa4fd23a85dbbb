//! Payments: what a payment provider is asked, and what it says, in words of ours.
//!
//! A payment is always about one top-up. Its id is the provider's idempotency key, and stands in the payment's
//! metadata, so that a payment can be found though its reply was lost. Whoever learns how a payment stands (the
//! reply, a notice, the return page, the poller, Sync) hands it to the same function, and the ledger credits once.

mod checks;
pub mod declines;
mod disputes;
mod drive;
pub mod learn;
mod lookups;
pub mod minimums;
pub mod page;
mod payouts;
pub mod sandbox;
mod taken;
pub(crate) mod worker;

use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::id::{CustomerId, EntryId, MerchantId, TopUpId};
use tillbox_core::payback::DisputeStatus;
use tillbox_core::time::Timestamp;

/// A way to pay, as the provider knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderMethod {
    /// The provider's id of it: what charges name.
    pub provider_id: String,
    /// Such as `visa`.
    pub brand: String,
    /// The last four digits, for people.
    pub last4: String,
    /// The last month in which it is good, as `2030-12`.
    pub expires: String,
}

/// Whether the customer is there to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Looking at a page, or about to: the bank may ask.
    OnSession,
    /// Not there: who would have to be asked is declined.
    OffSession,
}

/// A saved method to charge. The same key is the same charge, however often it is sent.
#[derive(Clone, Debug)]
pub struct ChargeRequest {
    /// Whose customer pays.
    pub merchant_id: MerchantId,
    /// The provider's idempotency key: the top-up, and which of its methods is tried.
    pub key: String,
    /// What it is for.
    pub top_up_id: TopUpId,
    /// Whole minor units of the currency.
    pub amount: Amount,
    /// The wallet's currency.
    pub currency: Currency,
    /// The provider's id of the method.
    pub method: String,
    /// Whether the customer is there.
    pub presence: Presence,
    /// Where the customer goes after confirming.
    pub return_url: String,
}

/// A hosted page on which the customer pays.
#[derive(Clone, Debug)]
pub struct CheckoutRequest {
    /// Whose customer pays.
    pub merchant_id: MerchantId,
    /// Whose card may be saved.
    pub customer_id: CustomerId,
    /// What it is for; also the provider's idempotency key.
    pub top_up_id: TopUpId,
    /// Whole minor units of the currency.
    pub amount: Amount,
    /// The wallet's currency.
    pub currency: Currency,
    /// What is paid for, for people.
    pub description: String,
    /// Where the customer goes once it is paid.
    pub success_url: String,
    /// Where the customer goes who turns back.
    pub cancel_url: String,
    /// Whether the page offers to save the card.
    pub save_payment_method: bool,
    /// Whether the page takes promotion codes.
    pub allow_promotion_codes: bool,
    /// In which language.
    pub locale: String,
    /// From when on the page takes no payment.
    pub expires_at: Timestamp,
}

/// A hosted page on which the customer adds a card.
#[derive(Clone, Debug)]
pub struct SetupRequest {
    /// Whose customer.
    pub merchant_id: MerchantId,
    /// Whose card.
    pub customer_id: CustomerId,
    /// Where the customer goes with a card added.
    pub success_url: String,
    /// Where the customer goes who turns back.
    pub cancel_url: String,
    /// In which language.
    pub locale: String,
}

/// A payment as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The provider's id, `pi_…`.
    pub id: String,
    /// What it is for.
    pub top_up_id: TopUpId,
    /// How it stands.
    pub state: PaymentState,
}

/// How a payment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Nobody has paid yet: the hosted page waits.
    Open,
    /// The bank asks the customer.
    RequiresAction {
        /// Where the customer confirms.
        url: String,
    },
    /// Under way.
    Processing,
    /// Paid.
    Succeeded {
        /// What was asked for, before discounts: must equal the top-up (R26).
        subtotal: Amount,
        /// What was charged.
        charged: Amount,
        /// In which currency: must be the wallet's.
        currency: Currency,
    },
    /// Not paid, and it will not be.
    Failed(Decline),
    /// Given up before it was paid.
    Canceled,
}

impl PaymentState {
    /// Whether nobody can pay it any more, or has.
    pub(crate) const fn is_over(&self) -> bool {
        match self {
            Self::Open | Self::RequiresAction { .. } | Self::Processing => false,
            Self::Succeeded { .. } | Self::Failed(_) | Self::Canceled => true,
        }
    }
}

/// Money to pay back. The same payout is the same refund, however often it is asked for.
#[derive(Clone, Debug)]
pub struct RefundRequest {
    /// Whose customer is paid back.
    pub merchant_id: MerchantId,
    /// The transaction that took the value; also the provider's idempotency key.
    pub payout: EntryId,
    /// What had been paid.
    pub top_up_id: TopUpId,
    /// The provider's id of that payment.
    pub payment_id: String,
    /// Whole minor units of the currency.
    pub amount: Amount,
    /// The wallet's currency.
    pub currency: Currency,
}

/// A refund as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The provider's id, `re_…`.
    pub id: String,
    /// The payout that it was asked for by.
    pub payout: EntryId,
    /// What is paid back: must equal the payout.
    pub amount: Amount,
    /// In which currency: must be the wallet's.
    pub currency: Currency,
    /// How it stands.
    pub state: RefundState,
}

/// How a refund stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// On its way.
    Pending,
    /// Paid back.
    Succeeded,
    /// It was not paid back, and will not be.
    Failed(Decline),
}

/// A dispute as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeNotice {
    /// The payment that is disputed.
    pub top_up_id: TopUpId,
    /// The provider's id, `dp_…`.
    pub provider_id: String,
    /// How it stands.
    pub status: DisputeStatus,
    /// What the bank takes.
    pub amount: Amount,
    /// In which currency: must be the wallet's.
    pub currency: Currency,
    /// Why, such as `fraudulent`.
    pub reason: Option<String>,
}

/// Why a payment failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// The provider's code, such as `insufficient_funds`.
    pub code: String,
}

/// What a provider tells by itself, once its signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// How a payment stands now.
    Payment(Payment),
    /// How a refund stands now.
    Refund(Refund),
    /// How a dispute stands now.
    Dispute(DisputeNotice),
    /// The customer added a card on a hosted page.
    MethodAdded {
        /// Whose it is.
        customer_id: CustomerId,
        /// The card.
        method: ProviderMethod,
    },
}

/// A call to the provider that gave no answer to build on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It may have happened: the reply was lost, late or unreadable. Never taken for a failure.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
    /// It certainly did not happen, such as a method that the provider does not know.
    #[error("the provider refused: {0}")]
    Refused(String),
}
