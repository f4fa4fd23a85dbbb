//! Money as people read it: by the language's form, in full where it is less than a minor unit, never as 0.00 where it
//! is something. English writes "−$1,234.50", Spanish "−1.234,50 US$".

use super::currencies::symbol;
use askama::filters::HtmlSafe;
use std::fmt;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::reason::Language;

/// A sum of money in the form of a language. Its text has digits, signs and the currency, and no markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Money {
    /// "−", "+" or nothing.
    sign: &'static str,
    symbol: String,
    is_symbol_first: bool,
    /// With separators of thousands.
    whole: String,
    decimal_mark: char,
    /// As many as the currency has, or none in short forms.
    decimals: String,
    /// What is finer than the currency's minor unit.
    micros: String,
    /// The plain form of the contract, for programs.
    value: String,
}

/// In which form money of a wallet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MoneyForm {
    pub(crate) currency: Currency,
    pub(crate) language: Language,
}

impl MoneyForm {
    pub(crate) const fn new(currency: Currency, language: Language) -> Self {
        Self { currency, language }
    }

    /// The mark between units and decimals.
    pub(crate) const fn decimal_mark(self) -> char {
        match self.language {
            Language::En => '.',
            Language::Es => ',',
        }
    }

    /// The mark between thousands.
    pub(crate) const fn thousands_mark(self) -> char {
        match self.language {
            Language::En => ',',
            Language::Es => '.',
        }
    }

    pub(crate) const fn is_symbol_first(self) -> bool {
        matches!(self.language, Language::En)
    }

    pub(crate) fn symbol(self) -> String {
        symbol(self.currency, self.language)
    }

    /// An amount, with a minus where it is below zero.
    pub(crate) fn money(self, amount: Amount) -> Money {
        let value = amount.display(self.currency);
        let digits = value.trim_start_matches('-');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let own = usize::try_from(self.currency.decimals()).unwrap_or(0);
        let (decimals, micros) = fraction.split_at(own.min(fraction.len()));
        Money {
            sign: if amount.is_negative() { "−" } else { "" },
            symbol: self.symbol(),
            is_symbol_first: self.is_symbol_first(),
            whole: grouped(whole, self.thousands_mark()),
            decimal_mark: self.decimal_mark(),
            decimals: decimals.to_owned(),
            micros: micros.to_owned(),
            value,
        }
    }

    /// The same, with a plus where it is above zero.
    pub(crate) fn signed(self, amount: Amount) -> Money {
        let sign = if amount.is_positive() { "+" } else { "−" };
        let sign = if amount.is_zero() { "" } else { sign };
        Money {
            sign,
            ..self.money(amount)
        }
    }

    /// An amount that needs no decimals where it has none: "$25".
    pub(crate) fn short(self, amount: Amount) -> Money {
        let money = self.money(amount);
        if money.micros.is_empty() && money.decimals.bytes().all(|digit| digit == b'0') {
            Money {
                decimals: String::new(),
                ..money
            }
        } else {
            money
        }
    }

    /// An amount as people type it into a field whose currency stands beside it: "25", "25.50", "25,50".
    pub(crate) fn typed(self, amount: Amount) -> String {
        let money = self.short(amount);
        let fraction = format!("{}{}", money.decimals, money.micros);
        let whole = money.value.split('.').next().unwrap_or_default();
        if fraction.is_empty() {
            whole.to_owned()
        } else {
            format!("{whole}{}{fraction}", money.decimal_mark)
        }
    }
}

/// Digits in groups of three.
pub(crate) fn grouped(digits: &str, mark: char) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

impl Money {
    fn fraction(&self) -> String {
        if self.decimals.is_empty() && self.micros.is_empty() {
            String::new()
        } else {
            format!("{}{}", self.decimal_mark, self.decimals)
        }
    }

    /// How many decimals it has beyond the currency's own.
    pub(crate) fn micro_digits(&self) -> usize {
        self.micros.len()
    }

    /// In running text and in tables: decimals beyond the currency's own can hang outside the column.
    pub(crate) fn html(&self) -> Markup {
        let micros = if self.micros.is_empty() {
            String::new()
        } else {
            format!(r#"<span class="micro">{}</span>"#, self.micros)
        };
        let (before, behind) = self.symbol_places();
        Markup(format!(
            r#"<span class="money">{}{before}{}{}{micros}{behind}</span>"#,
            self.sign,
            self.whole,
            self.fraction()
        ))
    }

    /// The one number that a page is about: currency and decimals step back.
    pub(crate) fn large(&self) -> Markup {
        let piece = |(style, text): (&str, String)| match style {
            "" => text,
            style => format!(r#"<span class="{style}">{text}</span>"#),
        };
        let pieces: String = self.pieces().into_iter().map(piece).collect();
        let long = if self.whole.len() + self.micros.len() > 6 {
            " data-long"
        } else {
            ""
        };
        Markup(format!(
            r#"<data class="money money-xl" value="{}"{long}>{pieces}</data>"#,
            self.value
        ))
    }

    /// Its pieces in their order, each with its style: the currency, the units, the decimals.
    pub(crate) fn pieces(&self) -> Vec<(&'static str, String)> {
        let symbol = ("cur", self.symbol.clone());
        let units = ("", format!("{}{}", self.sign, self.whole));
        let mut pieces = if self.is_symbol_first {
            let sign = ("", self.sign.to_owned());
            vec![sign, symbol.clone(), ("", self.whole.clone())]
        } else {
            vec![units]
        };
        let fraction = format!("{}{}", self.fraction(), self.micros);
        pieces.push(("dec", fraction));
        if !self.is_symbol_first {
            pieces.push(symbol);
        }
        pieces.retain(|(_, text)| !text.is_empty());
        pieces
    }

    /// What stands before the digits and behind them.
    fn symbol_places(&self) -> (String, String) {
        let is_letters = self.symbol.chars().all(char::is_alphabetic);
        match (self.is_symbol_first, is_letters) {
            (true, true) => (format!("{}\u{a0}", self.symbol), String::new()),
            (true, false) => (self.symbol.clone(), String::new()),
            (false, _) => (String::new(), format!("\u{a0}{}", self.symbol)),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, behind) = self.symbol_places();
        write!(
            formatter,
            "{}{before}{}{}{}{behind}",
            self.sign,
            self.whole,
            self.fraction(),
            self.micros
        )
    }
}

/// Markup that this crate made of digits and its own words alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Markup(pub(super) String);

impl HtmlSafe for Markup {}

impl fmt::Display for Markup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(currency: &str, language: Language) -> MoneyForm {
        MoneyForm::new(Currency::parse(currency).expect("a currency"), language)
    }

    fn money(text: &str) -> Amount {
        Amount::parse(text).expect("an amount")
    }

    #[test]
    fn each_language_has_its_form() {
        for (amount, currency, en, es) in [
            ("1234.5", "USD", "$1,234.50", "1.234,50 US$"),
            ("-0.24", "USD", "−$0.24", "−0,24 US$"),
            ("0", "USD", "$0.00", "0,00 US$"),
            ("1234567.89", "EUR", "€1,234,567.89", "1.234.567,89 €"),
            ("1000", "JPY", "¥1,000", "1.000 JPY"),
            ("1.5", "KWD", "KWD 1.500", "1,500 KWD"),
            ("999", "MXN", "MX$999.00", "999,00 MXN"),
        ] {
            assert_eq!(
                form(currency, Language::En)
                    .money(money(amount))
                    .to_string()
                    .replace('\u{a0}', " "),
                en
            );
            assert_eq!(
                form(currency, Language::Es)
                    .money(money(amount))
                    .to_string()
                    .replace('\u{a0}', " "),
                es
            );
        }
    }

    #[test]
    fn what_is_less_than_a_minor_unit_is_shown_in_full() {
        let form = form("USD", Language::En);
        assert_eq!(form.money(money("0.0075")).to_string(), "$0.0075");
        assert_eq!(form.money(money("0.000001")).to_string(), "$0.000001");
        assert_eq!(form.signed(money("0.0075")).to_string(), "+$0.0075");
        let yen = MoneyForm::new(Currency::parse("JPY").expect("JPY"), Language::En);
        assert_eq!(yen.money(money("0.5")).to_string(), "¥0.5");
    }

    #[test]
    fn signs_are_there_where_they_say_something() {
        let form = form("USD", Language::En);
        assert_eq!(form.signed(money("50")).to_string(), "+$50.00");
        assert_eq!(form.signed(money("-50")).to_string(), "−$50.00");
        assert_eq!(form.signed(Amount::ZERO).to_string(), "$0.00");
    }

    #[test]
    fn short_forms_drop_decimals_that_say_nothing() {
        let form = form("USD", Language::En);
        assert_eq!(form.short(money("25")).to_string(), "$25");
        assert_eq!(form.short(money("25.5")).to_string(), "$25.50");
        assert_eq!(form.typed(money("1000")), "1000");
        assert_eq!(form.typed(money("25.5")), "25.50");
        let spanish = MoneyForm::new(form.currency, Language::Es);
        assert_eq!(spanish.typed(money("25.5")), "25,50");
    }

    #[test]
    fn markup_has_the_digits_and_nothing_else() {
        let form = form("USD", Language::En);
        assert_eq!(
            form.signed(money("-0.0075")).html().to_string(),
            r#"<span class="money">−$0.00<span class="micro">75</span></span>"#
        );
        assert_eq!(
            form.money(money("18.42")).large().to_string(),
            r#"<data class="money money-xl" value="18.42"><span class="cur">$</span>18<span class="dec">.42</span></data>"#
        );
    }
}
