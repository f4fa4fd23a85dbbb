//! Rating: what a quantity costs. Integers all the way, rounded once (R4, P1).

use crate::amount::Amount;

/// How a cost that falls between two micro-units is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearer one, a half upwards.
    #[default]
    HalfUp,
    /// Upwards.
    Up,
    /// Downwards.
    Down,
}

impl Rounding {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::HalfUp, Self::Up, Self::Down];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HalfUp => "half_up",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What rating needs of a price. Quantities, increment and minimum are in the same unit; of calls: seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The cost of `per` units, at least zero.
    pub unit_amount: Amount,
    /// For how many units that is, at least 1.
    pub per: i64,
    /// Billed quantities are multiples of this, at least 1.
    pub billing_increment: i64,
    /// No use is billed as less than this, at least 0.
    pub minimum_units: i64,
    /// The one rounding.
    pub rounding: Rounding,
}

/// What a quantity comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rated {
    /// Units billed: the quantity rounded up to the increment, at least the minimum.
    pub billed_quantity: i64,
    /// What they cost.
    pub cost: Amount,
}

impl Rate {
    /// Rates a quantity of at least zero. None when the cost is beyond the largest amount.
    pub fn rate(&self, quantity: i64) -> Option<Rated> {
        let increment = i128::from(self.billing_increment.max(1));
        let steps = i128::from(quantity)
            .checked_add(increment.checked_sub(1)?)?
            .checked_div(increment)?;
        let billed = steps
            .checked_mul(increment)?
            .max(i128::from(self.minimum_units));
        let per = i128::from(self.per.max(1));
        let exact = billed.checked_mul(i128::from(self.unit_amount.micros()))?;
        let (whole, rest) = (exact.checked_div(per)?, exact.checked_rem(per)?);
        let rounds_up = match self.rounding {
            Rounding::HalfUp => rest.checked_mul(2)? >= per,
            Rounding::Up => rest > 0,
            Rounding::Down => false,
        };
        let micros = i64::try_from(whole.checked_add(i128::from(rounds_up))?).ok()?;
        let cost = Amount::from_micros(micros);
        let billed_quantity = i64::try_from(billed).ok()?;
        (cost <= Amount::MAX_SINGLE).then_some(Rated {
            billed_quantity,
            cost,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(unit: &str, per: i64, increment: i64, minimum: i64, rounding: Rounding) -> Rate {
        let unit_amount = Amount::parse(unit).expect("an amount");
        Rate {
            unit_amount,
            per,
            billing_increment: increment,
            minimum_units: minimum,
            rounding,
        }
    }

    fn check(rate: Rate, quantity: i64, billed: i64, cost: &str) {
        let cost = Amount::parse(cost).expect("an amount");
        assert_eq!(
            rate.rate(quantity),
            Some(Rated {
                billed_quantity: billed,
                cost
            }),
            "{rate:?} × {quantity}"
        );
    }

    #[test]
    fn r4_calls_are_billed_by_increment_and_minimum() {
        let voice = rate("0.014", 60, 60, 60, Rounding::HalfUp);
        check(voice, 0, 60, "0.014");
        check(voice, 5, 60, "0.014");
        check(voice, 60, 60, "0.014");
        check(voice, 61, 120, "0.028");
        check(rate("0.014", 60, 6, 30, Rounding::HalfUp), 31, 36, "0.0084");
        check(rate("0.01", 3600, 1, 0, Rounding::HalfUp), 1, 1, "0.000003");
    }

    #[test]
    fn r4_a_million_tokens_are_rounded_once() {
        let price = |rounding| rate("0.15", 1_000_000, 1, 0, rounding);
        check(price(Rounding::HalfUp), 1_234_567, 1_234_567, "0.185185");
        check(price(Rounding::Up), 1_234_567, 1_234_567, "0.185186");
        check(price(Rounding::Down), 1_234_570, 1_234_570, "0.185185");
        check(price(Rounding::HalfUp), 1_234_570, 1_234_570, "0.185186");
        check(price(Rounding::HalfUp), 3, 3, "0");
        check(price(Rounding::Up), 3, 3, "0.000001");
        check(price(Rounding::HalfUp), 0, 0, "0");
    }

    #[test]
    fn a_cost_beyond_the_largest_amount_is_none() {
        assert_eq!(
            rate("1000000000000", 1, 1, 0, Rounding::HalfUp).rate(2),
            None
        );
        assert_eq!(
            rate("1000000000000", 1, i64::MAX, 0, Rounding::HalfUp).rate(i64::MAX),
            None
        );
    }

    proptest! {
        /// The rule in other words, on wide integers: nearest, up or down of billed × unit ÷ per.
        #[test]
        fn r4_cost_is_the_rounded_quotient(unit in 0..1_000_000_000_i64, per in 1..5_000_000_i64, quantity in 0..10_000_000_i64, increment in 1..4_000_i64, minimum in 0..10_000_i64) {
            let exact = |billed: i64| i128::from(billed) * i128::from(unit);
            for rounding in Rounding::ALL {
                let rate = Rate { unit_amount: Amount::from_micros(unit), per, billing_increment: increment, minimum_units: minimum, rounding };
                let rated = rate.rate(quantity).expect("in range");
                prop_assert!(rated.billed_quantity >= quantity.max(minimum));
                prop_assert!(rated.billed_quantity == minimum || (rated.billed_quantity % increment == 0 && rated.billed_quantity - quantity < increment));
                let error = i128::from(rated.cost.micros()) * i128::from(per) - exact(rated.billed_quantity);
                let holds = match rounding {
                    Rounding::HalfUp => 2 * error.abs() <= i128::from(per) && 2 * error != -i128::from(per),
                    Rounding::Up => (0..i128::from(per)).contains(&error),
                    Rounding::Down => (0..i128::from(per)).contains(&-error),
                };
                prop_assert!(holds, "{rounding:?}");
            }
        }

        /// Splitting one use into several never gains more than what the one rounding of each part gives:
        /// a micro-unit a part when rounding down, half of one when rounding to the nearer.
        #[test]
        fn r4_splitting_never_gains_beyond_the_rounding(unit in 0..1_000_000_i64, per in 1..2_000_000_i64, parts in prop::collection::vec(0..1_000_000_i64, 1..20), increment in 1..100_i64) {
            let total: i64 = parts.iter().sum();
            let count = i64::try_from(parts.len()).expect("few");
            for (rounding, gain) in [(Rounding::Up, 0), (Rounding::HalfUp, count), (Rounding::Down, count)] {
                let rate = Rate { unit_amount: Amount::from_micros(unit), per, billing_increment: increment, minimum_units: 0, rounding };
                let whole = rate.rate(total).expect("in range").cost.micros();
                let split: i64 = parts.iter().map(|part| rate.rate(*part).expect("in range").cost.micros()).sum();
                prop_assert!(whole - split <= gain, "{rounding:?}: {whole} whole, {split} split");
            }
        }
    }
}
