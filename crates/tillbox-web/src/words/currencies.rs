//! Currencies as people write and call them. One that is not here is written by its code, which is always clear.

use tillbox_core::currency::Currency;
use tillbox_core::reason::Language;

/// Code, symbol in English, symbol in Spanish, names of the plural. Symbols as in the Unicode CLDR.
const KNOWN: &[(&str, &str, &str, &str, &str)] = &[
    ("USD", "$", "US$", "US dollars", "dólares estadounidenses"),
    ("EUR", "€", "€", "euros", "euros"),
    ("GBP", "£", "GBP", "British pounds", "libras esterlinas"),
    ("JPY", "¥", "JPY", "Japanese yen", "yenes"),
    ("MXN", "MX$", "MXN", "Mexican pesos", "pesos mexicanos"),
    (
        "CAD",
        "CA$",
        "CAD",
        "Canadian dollars",
        "dólares canadienses",
    ),
    (
        "AUD",
        "A$",
        "AUD",
        "Australian dollars",
        "dólares australianos",
    ),
    (
        "NZD",
        "NZ$",
        "NZD",
        "New Zealand dollars",
        "dólares neozelandeses",
    ),
    ("CHF", "CHF", "CHF", "Swiss francs", "francos suizos"),
    ("BRL", "R$", "BRL", "Brazilian reals", "reales brasileños"),
    ("COP", "COP", "COP", "Colombian pesos", "pesos colombianos"),
    ("CLP", "CLP", "CLP", "Chilean pesos", "pesos chilenos"),
    ("ARS", "ARS", "ARS", "Argentine pesos", "pesos argentinos"),
    ("PEN", "PEN", "PEN", "Peruvian soles", "soles peruanos"),
    ("INR", "₹", "INR", "Indian rupees", "rupias indias"),
    ("CNY", "CN¥", "CNY", "Chinese yuan", "yuanes"),
    ("SEK", "SEK", "SEK", "Swedish kronor", "coronas suecas"),
    ("NOK", "NOK", "NOK", "Norwegian kroner", "coronas noruegas"),
    ("DKK", "DKK", "DKK", "Danish kroner", "coronas danesas"),
    ("PLN", "PLN", "PLN", "Polish zlotys", "eslotis"),
    ("KWD", "KWD", "KWD", "Kuwaiti dinars", "dinares kuwaitíes"),
];

fn find(
    currency: Currency,
) -> Option<&'static (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
)> {
    KNOWN.iter().find(|known| known.0 == currency.code())
}

/// What stands beside the digits.
pub(crate) fn symbol(currency: Currency, language: Language) -> String {
    let known = find(currency).map(|known| match language {
        Language::En => known.1,
        Language::Es => known.2,
    });
    known.unwrap_or(currency.code()).to_owned()
}

/// What the currency is called, in the plural.
pub(crate) fn name(currency: Currency, language: Language) -> String {
    let known = find(currency).map(|known| match language {
        Language::En => known.3,
        Language::Es => known.4,
    });
    known.unwrap_or(currency.code()).to_owned()
}
