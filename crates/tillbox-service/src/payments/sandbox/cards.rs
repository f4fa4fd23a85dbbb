//! Test cards: a token names one, and the card decides what becomes of a charge.

/// What becomes of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It succeeds.
    Succeeds,
    /// It is declined with that code.
    Declines(&'static str),
    /// The bank asks the customer; who is not there is declined.
    Asks,
    /// It succeeds, and the customer's bank disputes it at once.
    SucceedsDisputed,
    /// It succeeds at once, and nobody is told: neither by reply nor by notice.
    SucceedsUnheard,
}

/// A test card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestCard {
    /// What names it in the API.
    pub token: &'static str,
    /// Such as `visa`.
    pub brand: &'static str,
    /// The last four digits, for people.
    pub last4: &'static str,
    /// The last month in which it is good.
    pub expires: &'static str,
    /// What becomes of a charge.
    pub behaviour: Behaviour,
}

const fn card(
    token: &'static str,
    brand: &'static str,
    last4: &'static str,
    behaviour: Behaviour,
) -> TestCard {
    TestCard {
        token,
        brand,
        last4,
        expires: "2030-12",
        behaviour,
    }
}

/// Every test card.
pub const CARDS: &[TestCard] = &[
    card("pm_card_visa", "visa", "4242", Behaviour::Succeeds),
    card(
        "pm_card_mastercard",
        "mastercard",
        "4444",
        Behaviour::Succeeds,
    ),
    card(
        "pm_card_authenticationRequired",
        "visa",
        "3184",
        Behaviour::Asks,
    ),
    card(
        "pm_card_chargeDeclined",
        "visa",
        "0002",
        Behaviour::Declines("generic_decline"),
    ),
    card(
        "pm_card_chargeDeclinedInsufficientFunds",
        "visa",
        "9995",
        Behaviour::Declines("insufficient_funds"),
    ),
    TestCard {
        expires: "2024-12",
        ..card(
            "pm_card_expired",
            "visa",
            "0069",
            Behaviour::Declines("expired_card"),
        )
    },
    card(
        "pm_card_stolen",
        "visa",
        "9979",
        Behaviour::Declines("stolen_card"),
    ),
    card(
        "pm_card_doNotHonor",
        "visa",
        "0019",
        Behaviour::Declines("do_not_honor"),
    ),
    card(
        "pm_card_incorrectCvc",
        "visa",
        "0127",
        Behaviour::Declines("incorrect_cvc"),
    ),
    card(
        "pm_card_notSupportedAbroad",
        "visa",
        "0028",
        Behaviour::Declines("currency_not_supported"),
    ),
    card(
        "pm_card_processingError",
        "visa",
        "0119",
        Behaviour::Declines("processing_error"),
    ),
    card(
        "pm_card_timeoutThenSuccess",
        "visa",
        "0077",
        Behaviour::SucceedsUnheard,
    ),
    card(
        "pm_card_createDispute",
        "visa",
        "0259",
        Behaviour::SucceedsDisputed,
    ),
];

/// The card that a token names.
pub(super) fn by_token(token: &str) -> Option<&'static TestCard> {
    CARDS.iter().find(|card| card.token == token)
}
