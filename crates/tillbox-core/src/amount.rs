//! Money as exact integers: [`Amount`] counts micro-units (10⁻⁶) of a currency that the wallet names.
//!
//! A single amount is at most 10¹² units and a balance at most 9·10¹² units either way (R4), so every
//! balance fits an `i64` of micro-units (9·10¹⁸ < 2⁶³). Whoever takes an amount from outside checks it
//! against these bounds once; after that an overflow means a corrupt state, and the operators stop the
//! process rather than book it.

use crate::currency::Currency;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// Micro-units in one unit of a currency.
pub const MICROS_PER_UNIT: i64 = 1_000_000;

/// A signed sum of money in micro-units of its wallet's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

/// Why a text is no amount; the message tells a caller what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not of the form `-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,6})?`.
    #[error("must be a decimal string such as \"12.50\": up to 13 digits, then up to 6 decimals")]
    Form,
    /// Well formed, but beyond the largest amount of R4.
    #[error("is beyond the largest amount, 1000000000000")]
    TooLarge,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest single amount (R4): 10¹² units.
    pub const MAX_SINGLE: Self = Self(1_000_000_000_000_000_000);
    /// The largest balance, either way (R4): 9·10¹² units.
    pub const MAX_BALANCE: Self = Self(9_000_000_000_000_000_000);

    /// From micro-units.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// In micro-units.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// True above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// True below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// True at zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or nothing when it leaves the range of an `i64`.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or nothing when it leaves the range of an `i64`.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The difference, kept within the range: for comparisons with limits, never for booking.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The amount without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        if self.is_negative() { -self } else { self }
    }

    /// Rounded towards zero to whole minor units of the currency, as cards have them.
    #[must_use]
    pub fn whole_minor_units(self, currency: Currency) -> Self {
        let unit = currency.minor_unit_micros();
        let rest = self.0.checked_rem(unit).unwrap_or(0);
        Self(self.0.saturating_sub(rest))
    }

    /// The part above zero: the amount itself, or zero.
    #[must_use]
    pub fn or_zero(self) -> Self {
        self.max(Self::ZERO)
    }

    /// Reads the form of the HTTP contract. Refuses exponents, leading zeros, a plus sign, white space
    /// and more than six decimals.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if (1..=6).contains(&fraction.len()) => (whole, fraction),
            Some(_) => return Err(AmountError::Form),
            None => (digits, ""),
        };
        let well_formed = (1..=13).contains(&whole.len())
            && (whole.len() == 1 || !whole.starts_with('0'))
            && whole
                .bytes()
                .chain(fraction.bytes())
                .all(|byte| byte.is_ascii_digit());
        if !well_formed {
            return Err(AmountError::Form);
        }
        let mut micros: i64 = 0;
        let padding = std::iter::repeat_n(b'0', 6_usize.saturating_sub(fraction.len()));
        for byte in whole.bytes().chain(fraction.bytes()).chain(padding) {
            let digit = i64::from(byte.saturating_sub(b'0'));
            micros = micros
                .checked_mul(10)
                .and_then(|shifted| shifted.checked_add(digit))
                .ok_or(AmountError::TooLarge)?;
        }
        let amount = Self(if negative {
            micros.saturating_neg()
        } else {
            micros
        });
        if amount.abs() > Self::MAX_SINGLE {
            Err(AmountError::TooLarge)
        } else {
            Ok(amount)
        }
    }

    /// Prints with at least the currency's own decimals and no needless zeros beyond them.
    pub fn display(self, currency: Currency) -> String {
        let mut text = String::with_capacity(24);
        self.write_to(currency, &mut text);
        text
    }

    /// Appends what [`Amount::display`] prints.
    pub fn write_to(self, currency: Currency, out: &mut String) {
        let magnitude = self.0.unsigned_abs();
        let unit = MICROS_PER_UNIT.unsigned_abs();
        let whole = magnitude.checked_div(unit).unwrap_or(0);
        if self.is_negative() {
            out.push('-');
        }
        push_digits(whole, 1, out);
        push_fraction(magnitude.checked_rem(unit).unwrap_or(0), currency, out);
    }
}

/// A sum over many wallets in micro-units: it may leave the range of an [`Amount`], as what a merchant turns over in
/// a small currency does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Total(i128);

impl Total {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From micro-units.
    pub const fn from_micros(micros: i128) -> Self {
        Self(micros)
    }

    /// In micro-units.
    pub const fn micros(self) -> i128 {
        self.0
    }

    /// True at zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Prints as [`Amount::display`] does.
    pub fn display(self, currency: Currency) -> String {
        let magnitude = self.0.unsigned_abs();
        let unit = u128::from(MICROS_PER_UNIT.unsigned_abs());
        let whole = magnitude.checked_div(unit).unwrap_or(0);
        let fraction = magnitude.checked_rem(unit).unwrap_or(0);
        let sign = if self.0 < 0 { "-" } else { "" };
        let mut text = format!("{sign}{whole}");
        push_fraction(u64::try_from(fraction).unwrap_or(0), currency, &mut text);
        text
    }
}

impl From<Amount> for Total {
    fn from(amount: Amount) -> Self {
        Self(i128::from(amount.0))
    }
}

impl Add for Total {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.checked_add(other.0).expect(CORRUPT))
    }
}

impl Sub for Total {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.checked_sub(other.0).expect(CORRUPT))
    }
}

impl Neg for Total {
    type Output = Self;
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl AddAssign for Total {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Total {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::ZERO, Add::add)
    }
}

/// Appends millionths of a unit: the currency's own decimals, and no needless zeros beyond them.
fn push_fraction(micros: u64, currency: Currency, out: &mut String) {
    let mut fraction = micros;
    let mut decimals: u32 = 6;
    while decimals > currency.decimals() && fraction.is_multiple_of(10) {
        fraction = fraction.checked_div(10).unwrap_or(0);
        decimals = decimals.saturating_sub(1);
    }
    if decimals > 0 {
        out.push('.');
        push_digits(fraction, decimals, out);
    }
}

/// Appends `number` in decimal, padded with zeros on the left to at least `width` digits.
fn push_digits(mut number: u64, width: u32, out: &mut String) {
    let mut digits = [0_u8; 20];
    let mut used: u32 = 0;
    for slot in digits.iter_mut().rev() {
        if number == 0 && used >= width {
            break;
        }
        let digit = u8::try_from(number.checked_rem(10).unwrap_or(0)).unwrap_or(0);
        *slot = b'0'.saturating_add(digit);
        number = number.checked_div(10).unwrap_or(0);
        used = used.saturating_add(1);
    }
    out.extend(
        digits
            .iter()
            .skip_while(|digit| **digit == 0)
            .map(|digit| char::from(*digit)),
    );
}

const CORRUPT: &str = "an amount left its range: the state is corrupt";

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.checked_add(other).expect(CORRUPT)
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.checked_sub(other).expect(CORRUPT)
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.checked_neg().expect(CORRUPT))
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd(text: &str) -> String {
        Amount::parse(text)
            .expect("an amount")
            .display(Currency::parse("USD").expect("USD"))
    }

    #[test]
    fn prints_the_currencys_decimals_and_no_needless_zeros() {
        assert_eq!(usd("12.5"), "12.50");
        assert_eq!(usd("0.0075"), "0.0075");
        assert_eq!(usd("-0.000001"), "-0.000001");
        assert_eq!(usd("1000000000000"), "1000000000000.00");
        let jpy = Currency::parse("JPY").expect("JPY");
        let kwd = Currency::parse("KWD").expect("KWD");
        assert_eq!(Amount::from_micros(999_500_000).display(jpy), "999.5");
        assert_eq!(Amount::from_micros(12_000_000).display(jpy), "12");
        assert_eq!(Amount::from_micros(12_000_000).display(kwd), "12.000");
        let beyond = Total::from_micros(-90_000_000_000_000_500_000);
        assert_eq!(beyond.display(jpy), "-90000000000000.5");
    }

    #[test]
    fn refuses_other_forms() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            "1.",
            ".5",
            "1e3",
            "1,0",
            " 1",
            "1 ",
            "0.0000001",
            "10000000000000000",
            "--1",
            "1.-5",
            "٣",
        ] {
            assert_eq!(Amount::parse(text), Err(AmountError::Form), "{text:?}");
        }
        assert_eq!(
            Amount::parse("1000000000000.000001"),
            Err(AmountError::TooLarge)
        );
        assert_eq!(Amount::parse("9999999999999"), Err(AmountError::TooLarge));
    }

    proptest! {
        #[test]
        fn parsing_reads_back_what_was_printed(micros in -1_000_000_000_000_000_000_i64..=1_000_000_000_000_000_000) {
            for code in ["USD", "JPY", "KWD"] {
                let currency = Currency::parse(code).expect("a currency");
                let amount = Amount::from_micros(micros);
                prop_assert_eq!(Amount::parse(&amount.display(currency)), Ok(amount));
                prop_assert_eq!(Total::from(amount).display(currency), amount.display(currency));
            }
        }
    }
}
