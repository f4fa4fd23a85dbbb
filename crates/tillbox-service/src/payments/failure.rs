//! What a provider's decline code means for auto-recharge (A5).

use tillbox_core::recharge::FailureClass;

/// Codes after which a card is never charged again by itself.
const HARD: &[&str] = &[
    "account_closed",
    "expired_card",
    "fraudulent",
    "invalid_account",
    "lost_card",
    "merchant_blacklist",
    "new_account_information_available",
    "pickup_card",
    "restricted_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "security_violation",
    "stolen_card",
    "stop_payment_order",
    "do_not_try_again",
    "payment_method_unavailable",
];
/// The provider's own faults.
const OUTAGE: &[&str] = &[
    "processing_error",
    "issuer_not_available",
    "reenter_transaction",
];

/// The class of a decline code; what is unknown may pass, and is tried again.
pub(crate) fn failure_class(code: &str) -> FailureClass {
    if code == "authentication_required" {
        FailureClass::AuthenticationRequired
    } else if HARD.contains(&code) {
        FailureClass::Hard
    } else if OUTAGE.contains(&code) {
        FailureClass::ProviderOutage
    } else {
        FailureClass::Soft
    }
}

/// A decline, for a person.
pub(crate) fn decline_words(code: &str) -> &'static str {
    match code {
        "insufficient_funds" => "The card has not enough funds.",
        _ => "The card was declined. Try another card.",
    }
}
