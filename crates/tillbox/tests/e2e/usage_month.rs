//! A plausible month of a reseller's 200 customers, made from a seed: the same rows on every machine.
//!
//! Call centres, senders of campaigns, hotels, makers of AI applications and small offices, each with its habits: hours
//! of the day, durations that are mostly short and sometimes very long, bursts of messages, rentals on the first, top-ups
//! that come too late for some. Whole numbers only, so that no platform's floating point matters.

use crate::random::Random;
use crate::usage_rows::{Kind, PRICES, Row, line};

pub(crate) const CUSTOMERS: usize = 200;
const DAYS: u64 = 30;
const DAY: u64 = 86_400;
const DOLLAR: i64 = 1_000_000;

/// The month, in order of time.
pub(crate) fn rows() -> Vec<Row> {
    let mut month = Month {
        random: Random::new(202_611),
        rows: Vec::new(),
        holds: 0,
        customer: 0,
    };
    for customer in 0..CUSTOMERS {
        month.customer = customer;
        month.standing_costs();
        match customer % 10 {
            0 | 1 => month.call_centre(),
            2..=4 => month.campaigns(),
            5 | 6 => month.hotel(),
            7 => month.ai_application(),
            _ => month.office(),
        }
    }
    // Stable, so that what one customer did within a second stays in order.
    month.rows.sort_by_key(|row| row.second);
    month.rows
}

struct Month {
    random: Random,
    rows: Vec<Row>,
    holds: usize,
    customer: usize,
}

impl Month {
    fn push(&mut self, second: u64, kind: Kind) {
        let second = second.min(DAYS * DAY - 1);
        self.rows.push(Row {
            second,
            customer: self.customer,
            kind,
        });
    }

    fn usage(&mut self, second: u64, price: usize, quantity: u64, hold: Option<usize>) {
        let quantity = i64::try_from(quantity).expect("a quantity");
        self.push(
            second,
            Kind::Usage {
                price,
                quantity,
                hold,
            },
        );
    }

    /// A second of that day, mostly in business hours.
    fn moment(&mut self, day: u64) -> u64 {
        const WEIGHTS: [u64; 24] = [
            1, 1, 1, 1, 1, 2, 4, 8, 16, 24, 26, 24, 20, 18, 22, 24, 22, 18, 12, 8, 6, 4, 2, 1,
        ];
        let mut dice = self.random.below(WEIGHTS.iter().sum());
        let mut hour = 0;
        for weight in WEIGHTS {
            if dice < weight {
                break;
            }
            dice -= weight;
            hour += 1;
        }
        day * DAY + hour * 3_600 + self.random.below(3_600)
    }

    /// Seconds of a call: the sixteenths of a log-normal distribution around a minute and a half.
    fn duration(&mut self) -> u64 {
        const SIXTEENTHS: [u64; 17] = [
            1, 18, 27, 36, 45, 56, 67, 80, 95, 113, 135, 163, 199, 253, 337, 513, 4_200,
        ];
        let slot = self.random.index(16);
        self.random.between(SIXTEENTHS[slot], SIXTEENTHS[slot + 1])
    }

    /// The first payment, the numbers rented on the first, a gift for some, something bought by a few.
    fn standing_costs(&mut self) {
        let first = self.random.below(1_800);
        let dollars = [10, 10, 10, 25, 25, 50][self.random.index(6)];
        self.push(
            first,
            Kind::TopUp {
                micros: dollars * DOLLAR,
            },
        );
        for number in 0..self.random.between(1, 3) {
            let micros = [1_150_000, 1_150_000, 2_150_000, 6_000_000][self.random.index(4)];
            self.push(3_600 + number, Kind::Rental { micros });
        }
        if self.random.chance(20) {
            let moment = self.moment(3);
            self.push(moment, Kind::Gift { micros: 5 * DOLLAR });
        }
        if self.random.chance(10) {
            let moment = self.moment(5);
            self.push(
                moment,
                Kind::Purchase {
                    micros: 10 * DOLLAR,
                },
            );
        }
    }

    fn top_ups(&mut self, least: u64, most: u64, dollars: i64) {
        for _ in 0..self.random.between(least, most) {
            let day = self.random.between(2, 26);
            let moment = self.moment(day);
            self.push(
                moment,
                Kind::TopUp {
                    micros: dollars * DOLLAR,
                },
            );
        }
    }

    fn call_centre(&mut self) {
        self.top_ups(3, 6, 25);
        for day in 0..DAYS {
            let weekend = day % 7 >= 5;
            let calls = if weekend {
                self.random.between(2, 8)
            } else {
                self.random.between(15, 34)
            };
            for _ in 0..calls {
                let (moment, duration) = (self.moment(day), self.duration());
                let price = self.random.index(4);
                self.usage(moment, price, duration, None);
            }
        }
    }

    /// Bursts of messages; some reserve the whole campaign first and give back the rest.
    fn campaigns(&mut self) {
        self.top_ups(1, 4, 25);
        for _ in 0..self.random.between(3, 5) {
            let day = self.random.below(DAYS - 1);
            let mut moment = self.moment(day);
            let price = [4, 4, 5, 6][self.random.index(4)];
            let messages = self.random.between(40, 120);
            let hold = self.random.chance(35).then(|| {
                let most = i64::try_from(messages * 3).expect("a count");
                self.hold(moment, most * PRICES[price].micros)
            });
            for _ in 0..messages {
                moment += self.random.below(3);
                let segments = [1, 1, 1, 2, 2, 3][self.random.index(6)];
                self.usage(moment, price, segments, hold);
            }
            if let Some(hold) = hold {
                self.push(moment + 1, Kind::Release { hold });
            }
        }
    }

    fn hotel(&mut self) {
        self.top_ups(0, 2, 10);
        for day in 0..DAYS {
            for _ in 0..self.random.between(2, 9) {
                let moment = self.moment(day);
                let price = self.random.index(3) + 6;
                self.usage(moment, price, 1, None);
            }
        }
    }

    fn ai_application(&mut self) {
        self.top_ups(0, 3, 10);
        for day in 0..DAYS {
            for _ in 0..self.random.between(3, 12) {
                let moment = self.moment(day);
                let price = self.random.index(2) + 9;
                let tokens = self.random.between(1, 40) * self.random.between(1, 2_500);
                self.usage(moment, price, tokens, None);
            }
        }
    }

    /// Some of everything, and orders that are reserved first and captured when they are sent.
    fn office(&mut self) {
        self.top_ups(0, 2, 10);
        for day in 0..DAYS {
            for _ in 0..self.random.below(4) {
                let moment = self.moment(day);
                let price = self.random.index(9);
                let quantity = if price < 4 { self.duration() } else { 1 };
                self.usage(moment, price, quantity, None);
            }
            if self.random.chance(8) {
                self.order(day);
            }
        }
    }

    fn order(&mut self, day: u64) {
        let moment = self.moment(day);
        let cents = self.random.between(150, 900);
        let part = |share: u64| i64::try_from(cents * share).expect("cents") * 1_000;
        let hold = self.hold(moment, part(10));
        match self.random.below(4) {
            0 => self.push(moment + 1_800, Kind::Release { hold }),
            1 => {
                let first = Kind::Capture {
                    hold,
                    micros: part(3),
                    is_final: false,
                };
                self.push(moment + 900, first);
                self.push(
                    moment + 1_800,
                    Kind::Capture {
                        hold,
                        micros: part(5),
                        is_final: true,
                    },
                );
            }
            2 => self.push(
                moment + 600,
                Kind::Capture {
                    hold,
                    micros: part(7),
                    is_final: true,
                },
            ),
            _ => self.push(
                moment + 600,
                Kind::Capture {
                    hold,
                    micros: part(10),
                    is_final: true,
                },
            ),
        }
    }

    fn hold(&mut self, second: u64, micros: i64) -> usize {
        let hold = self.holds;
        self.holds += 1;
        self.push(second, Kind::Hold { hold, micros });
        hold
    }
}

#[test]
fn the_month_is_the_same_on_every_machine() {
    let rows = rows();
    assert!(rows.len() >= 50_000, "{} rows", rows.len());
    // The beginning is top-ups and rentals, so that the middle tells more.
    let mut sample: Vec<String> = vec!["second,customer,kind,what,quantity,micros,hold".to_owned()];
    sample.extend(rows.iter().take(25).map(line));
    sample.extend(rows.iter().skip(rows.len() / 2).take(25).map(line));
    let sample = sample.join("\n") + "\n";
    let stored = crate::scenario::data_directory().join("usage_month_sample.csv");
    let stored = std::fs::read_to_string(stored).expect("the sample can be read");
    if sample != stored {
        let found = concat!(env!("CARGO_TARGET_TMPDIR"), "/usage_month_sample.csv");
        std::fs::write(found, &sample).expect("the sample can be written");
        panic!("the generator changed; what it makes now is in {found}");
    }
}
