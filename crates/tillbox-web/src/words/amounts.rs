//! Amounts as people type them: "25", "25.5", "25,50", "$1,000.00", "1.000,00 US$".

use super::Words;
use super::money::MoneyForm;
use tillbox_core::amount::Amount;

/// Why a text is no amount that can be acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Nothing was typed.
    Empty,
    /// It is no number, or too long.
    NotANumber,
    /// It could be a thousand or one with three decimals.
    Ambiguous,
}

impl MoneyForm {
    /// What was typed, or what is wrong with it, for whoever typed it.
    pub(crate) fn read_or_say(self, typed: &str, words: Words) -> Result<Amount, String> {
        self.read(typed).map_err(|why| match why {
            Unreadable::Empty => words.amount_missing().to_owned(),
            Unreadable::NotANumber => words.amount_unreadable(self.example()),
            Unreadable::Ambiguous => words.amount_ambiguous(typed, self.example()),
        })
    }

    /// An amount as it may be typed.
    pub(crate) fn example(self) -> String {
        self.typed(Amount::from_micros(25_500_000))
    }

    /// Reads what was typed. Either mark may stand before the decimals, as phones offer the one or the other; the
    /// language decides only where both readings make sense, and where it can't, nothing is guessed.
    pub(crate) fn read(self, typed: &str) -> Result<Amount, Unreadable> {
        let symbol = self.symbol();
        let code = self.currency.code();
        let text: String = typed
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '\'')
            .collect();
        let text = [symbol.as_str(), code, "$"]
            .iter()
            .fold(text.as_str(), |text, name| {
                let text = text.strip_prefix(name).unwrap_or(text);
                text.strip_suffix(name).unwrap_or(text)
            });
        if text.is_empty() {
            return Err(Unreadable::Empty);
        }
        if !text.contains(|letter: char| letter.is_ascii_digit()) {
            return Err(Unreadable::NotANumber);
        }
        let (whole, fraction) = match text.rfind(['.', ',']) {
            None => (text.to_owned(), ""),
            Some(place) => self.split(text, place)?,
        };
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let plain = if fraction.is_empty() {
            whole.to_owned()
        } else {
            format!("{whole}.{fraction}")
        };
        let is_plain = plain
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let amount = Amount::parse(&plain).ok().filter(|_| is_plain);
        amount.ok_or(Unreadable::NotANumber)
    }

    /// The digits before the decimals, without marks, and the decimals. `place` is that of the last mark.
    fn split(self, text: &str, place: usize) -> Result<(String, &str), Unreadable> {
        let (before, behind) = text.split_at(place);
        let mark = if behind.starts_with('.') { '.' } else { ',' };
        let behind = &behind[1..];
        let other = if mark == '.' { ',' } else { '.' };
        if before.contains(mark) {
            // The same mark twice can only part thousands.
            let is_grouped = !before.contains(other);
            return is_grouped
                .then(|| ungrouped(text, mark))
                .flatten()
                .map(|digits| (digits, ""))
                .ok_or(Unreadable::NotANumber);
        }
        if before.contains(other) {
            let digits = ungrouped(before, other).ok_or(Unreadable::NotANumber)?;
            return Ok((digits, behind));
        }
        let could_be_thousands =
            behind.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0');
        let is_thousands = could_be_thousands && mark == self.thousands_mark();
        if is_thousands {
            Ok((format!("{before}{behind}"), ""))
        } else if could_be_thousands && self.currency.decimals() < 3 {
            Err(Unreadable::Ambiguous)
        } else {
            Ok((before.to_owned(), behind))
        }
    }
}

/// Digits in groups of three, without their marks.
fn ungrouped(text: &str, mark: char) -> Option<String> {
    let mut groups = text.split(mark);
    let first = groups
        .next()
        .filter(|first| (1..=3).contains(&first.len()))?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tillbox_core::currency::Currency;
    use tillbox_core::reason::Language;

    fn read(typed: &str, currency: &str, language: Language) -> Result<String, Unreadable> {
        let currency = Currency::parse(currency).expect("a currency");
        let amount = MoneyForm::new(currency, language).read(typed)?;
        Ok(amount.display(currency))
    }

    #[test]
    fn amounts_are_read_as_people_type_them() {
        for (typed, en, es) in [
            ("25", "25.00", "25.00"),
            ("25.5", "25.50", "25.50"),
            ("25,50", "25.50", "25.50"),
            ("25.", "25.00", "25.00"),
            (",50", "0.50", "0.50"),
            ("007", "7.00", "7.00"),
            (" 25 ", "25.00", "25.00"),
            ("1,234.50", "1234.50", "1234.50"),
            ("1.234,50", "1234.50", "1234.50"),
            ("1,234,567", "1234567.00", "1234567.00"),
            ("1 000", "1000.00", "1000.00"),
            ("1000,00", "1000.00", "1000.00"),
            ("0.0075", "0.0075", "0.0075"),
            ("0,075", "0.075", "0.075"),
            ("$25", "25.00", "25.00"),
            ("USD 25", "25.00", "25.00"),
        ] {
            assert_eq!(
                read(typed, "USD", Language::En).as_deref(),
                Ok(en),
                "{typed}"
            );
            assert_eq!(
                read(typed, "USD", Language::Es).as_deref(),
                Ok(es),
                "{typed}"
            );
        }
        assert_eq!(
            read("25,50 US$", "USD", Language::Es).as_deref(),
            Ok("25.50")
        );
        assert_eq!(read("25,50 €", "EUR", Language::Es).as_deref(), Ok("25.50"));
    }

    #[test]
    fn a_thousand_is_not_guessed() {
        assert_eq!(read("1,000", "USD", Language::En).as_deref(), Ok("1000.00"));
        assert_eq!(read("1.000", "USD", Language::Es).as_deref(), Ok("1000.00"));
        assert_eq!(
            read("1.000", "USD", Language::En),
            Err(Unreadable::Ambiguous)
        );
        assert_eq!(
            read("1,000", "USD", Language::Es),
            Err(Unreadable::Ambiguous)
        );
        assert_eq!(read("1.500", "KWD", Language::En).as_deref(), Ok("1.500"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for typed in [
            "abc",
            "-5",
            "+5",
            "1e3",
            "1.2.3",
            "1,23,456",
            "12,34.5.6",
            "٢٥",
            "25 dollars",
            "--",
            ".",
            "12345678901234",
            "0.0000001",
            "<b>",
        ] {
            assert_eq!(
                read(typed, "USD", Language::En),
                Err(Unreadable::NotANumber),
                "{typed}"
            );
        }
        assert_eq!(read("  ", "USD", Language::En), Err(Unreadable::Empty));
        assert_eq!(read("$", "USD", Language::En), Err(Unreadable::Empty));
    }
}
