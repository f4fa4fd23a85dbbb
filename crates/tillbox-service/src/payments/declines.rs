//! What a provider's decline code means: to a person ([`DeclineCause`], T6), and to auto-recharge ([`failure_class`], A5).
//!
//! A card that was reported lost or stolen is named to nobody: whoever holds it is told to try another one, as the card
//! schemes ask for.

use tillbox_core::reason::Language;
use tillbox_core::recharge::FailureClass;

/// Why a payment was declined, as far as a person can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeclineCause {
    /// The account has too little, or the card is at its limit.
    InsufficientFunds,
    /// The card is past its date.
    Expired,
    /// The bank stopped it.
    BlockedByBank,
    /// A number, date or code was wrong.
    WrongDetails,
    /// The card does not pay abroad, in this currency, or for this.
    InternationalRestriction,
    /// The bank wants to ask the customer.
    AuthenticationRequired,
    /// The payment system failed, not the card.
    TryAgainLater,
    /// There is no card, or it was removed.
    NoCard,
    /// Anything else.
    TryAnotherCard,
}

impl DeclineCause {
    /// Every cause.
    pub const ALL: [Self; 9] = [
        Self::InsufficientFunds,
        Self::Expired,
        Self::BlockedByBank,
        Self::WrongDetails,
        Self::InternationalRestriction,
        Self::AuthenticationRequired,
        Self::TryAgainLater,
        Self::NoCard,
        Self::TryAnotherCard,
    ];

    /// Of a provider's code; what is unknown is a reason to try another card.
    pub fn of(code: &str) -> Self {
        match code {
            "insufficient_funds"
            | "card_velocity_exceeded"
            | "withdrawal_count_limit_exceeded"
            | "amount_too_large" => Self::InsufficientFunds,
            "expired_card" => Self::Expired,
            "approve_with_id"
            | "call_issuer"
            | "do_not_honor"
            | "do_not_try_again"
            | "fraudulent"
            | "no_action_taken"
            | "not_permitted"
            | "restricted_card"
            | "revocation_of_all_authorizations"
            | "revocation_of_authorization"
            | "security_violation"
            | "service_not_allowed"
            | "stop_payment_order"
            | "transaction_not_allowed" => Self::BlockedByBank,
            "incorrect_address"
            | "incorrect_cvc"
            | "incorrect_number"
            | "incorrect_pin"
            | "incorrect_zip"
            | "invalid_account"
            | "invalid_cvc"
            | "invalid_expiry_month"
            | "invalid_expiry_year"
            | "invalid_number"
            | "invalid_pin"
            | "new_account_information_available"
            | "pin_try_exceeded" => Self::WrongDetails,
            "card_not_supported" | "currency_not_supported" => Self::InternationalRestriction,
            "authentication_required"
            | "authentication_not_handled"
            | "offline_pin_required"
            | "online_or_offline_pin_required" => Self::AuthenticationRequired,
            "issuer_not_available"
            | "processing_error"
            | "reenter_transaction"
            | "try_again_later" => Self::TryAgainLater,
            "payment_method_unavailable" => Self::NoCard,
            _ => Self::TryAnotherCard,
        }
    }

    /// What happened, and what to do, in two sentences.
    pub const fn words(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::InsufficientFunds, Language::En) => {
                "The card has too little money or has reached its limit. Add money to it, choose a smaller amount, or use another card."
            }
            (Self::InsufficientFunds, Language::Es) => {
                "La tarjeta no tiene saldo suficiente o llegó a su límite. Ingrese dinero en ella, elija un importe menor o use otra tarjeta."
            }
            (Self::Expired, Language::En) => {
                "The card has expired. Add the new one that your bank sent you, or use another card."
            }
            (Self::Expired, Language::Es) => {
                "La tarjeta ha caducado. Añada la nueva que le envió su banco o use otra tarjeta."
            }
            (Self::BlockedByBank, Language::En) => {
                "The bank blocked the payment. Ask your bank to allow it, or use another card."
            }
            (Self::BlockedByBank, Language::Es) => {
                "El banco bloqueó el pago. Pida a su banco que lo autorice o use otra tarjeta."
            }
            (Self::WrongDetails, Language::En) => {
                "The card number, expiry date or security code is wrong. Check them and add the card again."
            }
            (Self::WrongDetails, Language::Es) => {
                "El número, la fecha de caducidad o el código de seguridad no son correctos. Compruébelos y vuelva a añadir la tarjeta."
            }
            (Self::InternationalRestriction, Language::En) => {
                "The card does not allow international payments like this one. Ask your bank to allow them, or use another card."
            }
            (Self::InternationalRestriction, Language::Es) => {
                "La tarjeta no permite pagos internacionales como este. Pida a su banco que los autorice o use otra tarjeta."
            }
            (Self::AuthenticationRequired, Language::En) => {
                "The bank wants you to confirm the payment. Pay again and confirm it when your bank asks."
            }
            (Self::AuthenticationRequired, Language::Es) => {
                "El banco quiere que confirme el pago. Pague de nuevo y confírmelo cuando su banco se lo pida."
            }
            (Self::TryAgainLater, Language::En) => {
                "The payment could not be made just now; the card is not the reason. Try again in a few minutes."
            }
            (Self::TryAgainLater, Language::Es) => {
                "El pago no se pudo realizar en este momento, pero no por la tarjeta. Inténtelo de nuevo en unos minutos."
            }
            (Self::NoCard, Language::En) => {
                "There is no card that could be charged. Add a card and try again."
            }
            (Self::NoCard, Language::Es) => {
                "No hay ninguna tarjeta a la que cobrar. Añada una tarjeta e inténtelo de nuevo."
            }
            (Self::TryAnotherCard, Language::En) => {
                "The card was declined and the bank gave no reason. Try another card, or ask your bank."
            }
            (Self::TryAnotherCard, Language::Es) => {
                "La tarjeta fue rechazada y el banco no dio ningún motivo. Pruebe con otra tarjeta o consulte a su banco."
            }
        }
    }
}

/// A decline, for a person.
pub fn decline_words(code: &str, language: Language) -> &'static str {
    DeclineCause::of(code).words(language)
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_code_has_a_cause_that_a_person_can_act_on() {
        for (code, cause) in [
            ("insufficient_funds", DeclineCause::InsufficientFunds),
            ("expired_card", DeclineCause::Expired),
            ("do_not_honor", DeclineCause::BlockedByBank),
            ("incorrect_cvc", DeclineCause::WrongDetails),
            (
                "currency_not_supported",
                DeclineCause::InternationalRestriction,
            ),
            (
                "authentication_required",
                DeclineCause::AuthenticationRequired,
            ),
            ("processing_error", DeclineCause::TryAgainLater),
            ("payment_method_unavailable", DeclineCause::NoCard),
            ("generic_decline", DeclineCause::TryAnotherCard),
            ("a code of tomorrow", DeclineCause::TryAnotherCard),
            ("", DeclineCause::TryAnotherCard),
        ] {
            assert_eq!(DeclineCause::of(code), cause, "{code}");
        }
    }

    #[test]
    fn a_lost_or_stolen_card_is_named_to_nobody() {
        for code in ["lost_card", "stolen_card", "pickup_card"] {
            assert_eq!(DeclineCause::of(code), DeclineCause::TryAnotherCard);
            assert_eq!(failure_class(code), FailureClass::Hard);
        }
    }

    #[test]
    fn no_two_causes_share_their_words() {
        let mut seen = HashSet::new();
        for cause in DeclineCause::ALL {
            for language in [Language::En, Language::Es] {
                assert!(seen.insert(cause.words(language)), "{cause:?}");
            }
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_faults_of_the_provider_do_not_count() {
        for (code, class) in [
            ("account_closed", FailureClass::Hard),
            ("do_not_try_again", FailureClass::Hard),
            (
                "authentication_required",
                FailureClass::AuthenticationRequired,
            ),
            ("processing_error", FailureClass::ProviderOutage),
            ("insufficient_funds", FailureClass::Soft),
            ("a code of tomorrow", FailureClass::Soft),
        ] {
            assert_eq!(failure_class(code), class, "{code}");
        }
    }
}
