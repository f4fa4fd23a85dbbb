//! The books of the month, kept a second time: plain whole numbers over the rows, with no code of the project.

use crate::usage_month::CUSTOMERS;
use crate::usage_rows::{Kind, PRICES, Rounding, Row};
use std::collections::BTreeMap;

/// One wallet, in millionths of a dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wallet {
    pub(crate) balance: i128,
    pub(crate) held: i128,
    /// How many transactions moved it.
    pub(crate) transactions: u64,
}

struct Hold {
    remaining: i128,
    is_open: bool,
}

/// All wallets and the holds that were placed.
pub(crate) struct Books {
    pub(crate) wallets: Vec<Wallet>,
    holds: BTreeMap<usize, Hold>,
}

/// How a row must be answered: the status, and the signed amount of its transaction if it makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) status: u16,
    pub(crate) moved: Option<i128>,
}

impl Expected {
    pub(crate) fn is_done(self) -> bool {
        self.status < 300
    }
}

impl Books {
    pub(crate) fn new() -> Self {
        Self {
            wallets: vec![Wallet::default(); CUSTOMERS],
            holds: BTreeMap::new(),
        }
    }

    /// Whether the row can be sent at all: what belongs to a refused hold can't.
    pub(crate) fn knows_hold_of(&self, row: &Row) -> bool {
        hold_of(row).is_none_or(|hold| self.holds.contains_key(&hold))
    }

    /// Books the row, or refuses it and leaves everything as it was.
    pub(crate) fn book(&mut self, row: &Row) -> Expected {
        let wallet = &mut self.wallets[row.customer];
        let available = wallet.balance - wallet.held;
        match &row.kind {
            Kind::TopUp { micros } | Kind::Gift { micros } => wallet.moved(i128::from(*micros)),
            Kind::Rental { micros } | Kind::Purchase { micros } => {
                wallet.spend(i128::from(*micros), available)
            }
            Kind::Usage {
                price,
                quantity,
                hold: None,
            } => wallet.spend(cost(*price, *quantity), available),
            Kind::Usage {
                price,
                quantity,
                hold: Some(hold),
            } => {
                let hold = self
                    .holds
                    .get_mut(hold)
                    .expect("rows of refused holds are not booked");
                wallet.capture(hold, cost(*price, *quantity), false)
            }
            Kind::Hold { hold, micros } => {
                let micros = i128::from(*micros);
                if micros > available {
                    return refused(402);
                }
                wallet.held += micros;
                self.holds.insert(
                    *hold,
                    Hold {
                        remaining: micros,
                        is_open: true,
                    },
                );
                Expected {
                    status: 201,
                    moved: None,
                }
            }
            Kind::Capture {
                hold,
                micros,
                is_final,
            } => {
                let hold = self
                    .holds
                    .get_mut(hold)
                    .expect("rows of refused holds are not booked");
                wallet.capture(hold, i128::from(*micros), *is_final)
            }
            Kind::Release { hold } => {
                let hold = self
                    .holds
                    .get_mut(hold)
                    .expect("rows of refused holds are not booked");
                if !hold.is_open {
                    return refused(409);
                }
                wallet.held -= hold.remaining;
                *hold = Hold {
                    remaining: 0,
                    is_open: false,
                };
                Expected {
                    status: 200,
                    moved: None,
                }
            }
        }
    }
}

impl Wallet {
    fn moved(&mut self, micros: i128) -> Expected {
        self.balance += micros;
        self.transactions += 1;
        Expected {
            status: 201,
            moved: Some(micros),
        }
    }

    fn spend(&mut self, micros: i128, available: i128) -> Expected {
        if micros == 0 {
            return Expected {
                status: 201,
                moved: None,
            };
        }
        if micros > available {
            refused(402)
        } else {
            self.moved(-micros)
        }
    }

    fn capture(&mut self, hold: &mut Hold, micros: i128, is_final: bool) -> Expected {
        if !hold.is_open {
            return refused(409);
        }
        if micros > hold.remaining {
            return refused(422);
        }
        if micros == 0 {
            return Expected {
                status: 201,
                moved: None,
            };
        }
        let kept = if is_final { 0 } else { hold.remaining - micros };
        self.held -= hold.remaining - kept;
        *hold = Hold {
            remaining: kept,
            is_open: kept > 0,
        };
        self.moved(-micros)
    }
}

fn refused(status: u16) -> Expected {
    Expected {
        status,
        moved: None,
    }
}

/// The hold that a row needs to have been placed.
pub(crate) fn hold_of(row: &Row) -> Option<usize> {
    match row.kind {
        Kind::Usage { hold, .. } => hold,
        Kind::Capture { hold, .. } | Kind::Release { hold } => Some(hold),
        Kind::TopUp { .. }
        | Kind::Gift { .. }
        | Kind::Rental { .. }
        | Kind::Purchase { .. }
        | Kind::Hold { .. } => None,
    }
}

/// What so many units cost: rounded up to the increment, at least the minimum, rounded once to a micro-unit.
fn cost(price: usize, quantity: i64) -> i128 {
    let price = &PRICES[price];
    let (increment, per) = (i128::from(price.increment), i128::from(price.per));
    let started = (i128::from(quantity) + increment - 1) / increment * increment;
    let billed = started.max(i128::from(price.minimum));
    let exact = billed * i128::from(price.micros);
    match price.rounding {
        Rounding::HalfUp => (2 * exact + per) / (2 * per),
        Rounding::Up => (exact + per - 1) / per,
    }
}

/// Millionths as a decimal text with two decimals, and more only where needed.
pub(crate) fn decimal(micros: i128) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (whole, rest) = (micros.abs() / 1_000_000, micros.abs() % 1_000_000);
    let digits = format!("{rest:06}");
    let needed = digits.trim_end_matches('0').len().max(2);
    format!("{sign}{whole}.{}", &digits[..needed])
}

#[cfg(test)]
mod tests {
    use super::{cost, decimal};

    #[test]
    fn costs_worked_out_by_hand() {
        assert_eq!(cost(0, 5), 14_000, "60/60: one minute at least");
        assert_eq!(cost(0, 61), 28_000);
        assert_eq!(cost(2, 37), 17_150, "6/6: 42 s of 0.0245 a minute");
        assert_eq!(cost(3, 31), 11_340, "30/6: 36 s of 0.0189 a minute");
        assert_eq!(cost(3, 1), 9_450);
        assert_eq!(cost(4, 3), 22_500);
        assert_eq!(
            cost(9, 7),
            2,
            "0.15 a million: 1.05 micro-units, rounded up"
        );
    }

    #[test]
    fn texts_of_amounts() {
        assert_eq!(decimal(12_500_000), "12.50");
        assert_eq!(decimal(7_500), "0.0075");
        assert_eq!(decimal(-1), "-0.000001");
        assert_eq!(decimal(0), "0.00");
    }
}
