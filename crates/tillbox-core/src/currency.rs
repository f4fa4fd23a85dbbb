//! Currencies of ISO 4217, by their three capitals.

use std::fmt;

/// An ISO 4217 currency: its code, and the decimals of its minor unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

/// The text names no currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 4217 currency code in capitals, such as \"USD\"")]
pub struct UnknownCurrency;

impl Currency {
    /// Reads a code in capitals. Codes without a minor unit of their own (metals, tests) are refused.
    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        let bytes: [u8; 3] = code
            .as_bytes()
            .try_into()
            .map_err(|_not_three| UnknownCurrency)?;
        if !bytes.iter().all(u8::is_ascii_uppercase) {
            return Err(UnknownCurrency);
        }
        let known = iso_currency::Currency::from_code(code).ok_or(UnknownCurrency)?;
        let exponent = known.exponent().ok_or(UnknownCurrency)?;
        let decimals = u8::try_from(exponent).map_err(|_too_many| UnknownCurrency)?;
        Ok(Self {
            code: bytes,
            decimals,
        })
    }

    /// The three capitals.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("???")
    }

    /// Decimals of the minor unit: JPY 0, USD 2, KWD 3.
    pub fn decimals(self) -> u32 {
        u32::from(self.decimals)
    }

    /// Micro-units in one minor unit: USD 10,000.
    pub fn minor_unit_micros(self) -> i64 {
        10_i64
            .checked_pow(6_u32.saturating_sub(self.decimals()))
            .unwrap_or(1)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_codes_and_decimals() {
        for (code, decimals) in [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)] {
            assert_eq!(Currency::parse(code).expect(code).decimals(), decimals);
        }
        for code in ["usd", "US", "USDX", "ZZZ", "", "XAU", "ÜS"] {
            assert_eq!(Currency::parse(code), Err(UnknownCurrency), "{code}");
        }
    }
}
