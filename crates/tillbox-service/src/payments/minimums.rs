//! The least that a payment provider charges, by currency.
//!
//! The figures are those that Stripe documents for a merchant that is paid out in the currency it charges in
//! (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>). Where a charge is converted, the
//! provider asks for the equivalent in the other currency, which nobody knows beforehand: it then declines.

use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;

/// Currencies whose minimum is documented, in hundredths of a unit.
const DOCUMENTED: [(&str, i64); 24] = [
    ("AED", 200),
    ("AUD", 50),
    ("BGN", 100),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1_500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("INR", 50),
    ("JPY", 5_000),
    ("MXN", 1_000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1_000),
    ("USD", 50),
];

/// In all other currencies: one unit, in hundredths.
const ELSEWHERE: i64 = 100;
/// Micro-units in a hundredth.
const HUNDREDTH: i64 = 10_000;

/// The least that can be charged.
pub fn minimum_charge(currency: Currency) -> Amount {
    let documented = DOCUMENTED
        .iter()
        .find(|(code, _)| *code == currency.code())
        .map(|(_, hundredths)| *hundredths);
    Amount::from_micros(documented.unwrap_or(ELSEWHERE).saturating_mul(HUNDREDTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_a_minimum_in_whole_minor_units() {
        let minimum = |code: &str| {
            let currency = Currency::parse(code).expect(code);
            let minimum = minimum_charge(currency);
            assert_eq!(
                minimum.micros().rem_euclid(currency.minor_unit_micros()),
                0,
                "{code}"
            );
            minimum.display(currency)
        };
        for (code, expected) in [
            ("USD", "0.50"),
            ("GBP", "0.30"),
            ("JPY", "50"),
            ("HUF", "175.00"),
            ("KWD", "1.000"),
            ("KRW", "1"),
        ] {
            assert_eq!(minimum(code), expected, "{code}");
        }
        for (code, _) in DOCUMENTED {
            minimum(code);
        }
    }
}
