//! What clients ask of the simulated wallets: drawn from a seed, so that a seed is a whole run.

mod money_in;

use crate::client::{MERCHANT, ask, debit_of, key, wallet};
use money_in::MoneyScript;
pub(crate) use money_in::policies;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{
    Adjust, AfterCapture, CaptureHold, Command, Credit, Debit, Expiry, Force, PlaceHold, Refund,
    Usage,
};
use tillbox_core::entry::{Entry, Note, UsageFacts};
use tillbox_core::id::{EntryId, HoldId, MerchantId};
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;
use tillbox_engine::clock::MerchantClock;
use tillbox_engine::work::{Mode, Submission};

/// Wallets 1 to this.
pub(crate) const WALLETS: i64 = 3;

/// Names of what is asked, to count what was tried.
pub(crate) const OPERATIONS: [&str; 22] = [
    "credit",
    "debit",
    "forced debit",
    "hold",
    "capture",
    "release",
    "extend",
    "refund",
    "adjust",
    "usage",
    "overdraft",
    "freeze",
    "unfreeze",
    "top-up",
    "advance",
    "settle",
    "end",
    "auto-recharge",
    "resume",
    "pause",
    "alerts",
    "dry run",
];

/// The last wallet's merchant lives an hour ahead.
pub(crate) fn clock_of(number: i64) -> MerchantClock {
    MerchantClock::ahead_by(if number == WALLETS { 3_600_000_000 } else { 0 })
}

/// Numbers from a seed (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` up to `high`, both included.
    pub(crate) fn roll(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low + 1).expect("high is not below low");
        low + i64::try_from(self.next() % width).expect("a small number")
    }

    /// Whether so many in a hundred come up.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.roll(1, 100) <= percent
    }

    pub(crate) fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(among.len()).expect("a short list") - 1;
        if last < 0 {
            return None;
        }
        among.get(usize::try_from(self.roll(0, last)).expect("not negative"))
    }
}

/// One request of a client.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) operation: &'static str,
    pub(crate) submission: Submission,
}

/// Draws requests, and remembers what they can name.
pub(crate) struct Script {
    pub(crate) dice: Dice,
    next_key: u64,
    holds: Vec<HoldId>,
    moves: Vec<EntryId>,
    answered: Vec<Asked>,
    pub(crate) money: MoneyScript,
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            next_key: 1,
            holds: Vec::new(),
            moves: Vec::new(),
            answered: Vec::new(),
            money: MoneyScript::default(),
        }
    }

    /// A request was answered by a row; later ones may name it, or ask the same again.
    pub(crate) fn learn(&mut self, asked: &Asked, entry: &Arc<Entry>) {
        if let Some(hold) = entry.event.hold
            && asked.operation == "hold"
        {
            self.holds.push(hold.id);
        }
        if entry.seq.is_some() {
            self.moves.push(entry.id);
        }
        self.learn_top_up(asked.submission.wallet_id.number(), entry);
        self.answered.push(asked.clone());
    }

    /// The next request at that time.
    pub(crate) fn ask(&mut self, now: Timestamp) -> Asked {
        if self.dice.chance(10)
            && let Some(before) = self.dice.pick(&self.answered)
        {
            let mut again = before.clone();
            if self.dice.chance(30)
                && let Some(stamp) = &mut again.submission.key
            {
                stamp.fingerprint = [2; 16];
            }
            return again;
        }
        let (operation, command) = if self.dice.chance(30) {
            self.money_in()
        } else {
            self.command(now)
        };
        let dry = self.dice.chance(8);
        let stranger = self.dice.chance(2);
        let any = self.dice.roll(1, WALLETS);
        self.next_key += 1;
        let (number, own_key) = self.placed(&command, any);
        Asked {
            operation: if dry { "dry run" } else { operation },
            submission: Submission {
                wallet_id: wallet(number),
                clock: clock_of(number),
                merchant_id: if stranger {
                    MerchantId::from_number(2)
                } else {
                    MERCHANT
                },
                key: Some(own_key.unwrap_or(key(self.next_key, 1))),
                policies: policies(),
                mode: if dry { Mode::DryRun } else { Mode::Commit },
                ..ask(command)
            },
        }
    }

    fn command(&mut self, now: Timestamp) -> (&'static str, Command) {
        let note = Note::default;
        match self.dice.roll(0, 99) {
            0..=19 => ("credit", Command::Credit(self.credit(now))),
            20..=32 => {
                let reasons = [Reason::Usage, Reason::Purchase, Reason::InvoicePayment];
                let reason = *self.dice.pick(&reasons).expect("some");
                let debit = debit_of(self.amount(30), None);
                ("debit", Command::Debit(Debit { reason, ..debit }))
            }
            33..=39 => {
                let floor = self.dice.chance(50).then(|| self.amount(40));
                let debit = debit_of(self.amount(40), Some(Force { floor }));
                ("forced debit", Command::Debit(debit))
            }
            40..=51 => {
                let hold = PlaceHold {
                    amount: self.amount(25),
                    expiry: self.expiry(now, 31),
                    invoice_id: None,
                    note: note(),
                };
                ("hold", Command::PlaceHold(hold))
            }
            52..=60 => {
                let stay = self.dice.chance(50);
                let capture = CaptureHold {
                    hold_id: self.hold(),
                    amount: self.dice.chance(60).then(|| self.amount(15)),
                    after: if stay {
                        AfterCapture::StayOpen
                    } else {
                        AfterCapture::End
                    },
                    note: note(),
                };
                ("capture", Command::CaptureHold(capture))
            }
            61..=65 => (
                "release",
                Command::ReleaseHold {
                    hold_id: self.hold(),
                },
            ),
            66..=69 => {
                let (hold_id, expiry) = (self.hold(), self.expiry(now, 31));
                ("extend", Command::ExtendHold { hold_id, expiry })
            }
            70..=80 => {
                let refund = Refund {
                    debit_id: self.named_move(),
                    amount: self.dice.chance(60).then(|| self.amount(10)),
                    grace_days: 30,
                    debit: None,
                    note: note(),
                };
                ("refund", Command::Refund(refund))
            }
            81..=84 => {
                let amount = self.amount(15);
                let amount = if self.dice.chance(60) {
                    -amount
                } else {
                    amount
                };
                (
                    "adjust",
                    Command::Adjust(Adjust {
                        amount,
                        note: note(),
                    }),
                )
            }
            85..=90 => ("usage", Command::Usage(self.usage())),
            91..=92 => {
                let limit = if self.dice.chance(40) {
                    Amount::ZERO
                } else {
                    self.amount(20)
                };
                ("overdraft", Command::SetOverdraftLimit(limit))
            }
            93..=95 => ("freeze", Command::Freeze { note: note() }),
            _ => ("unfreeze", Command::Unfreeze),
        }
    }

    fn credit(&mut self, now: Timestamp) -> Credit {
        let funding = *self.dice.pick(&FundingType::ALL).expect("some");
        let priority = self.dice.roll(0, 3) * 30;
        Credit {
            priority: priority.try_into().expect("at most 90"),
            expiry: self.dice.chance(60).then(|| self.expiry(now, 40)),
            maximum_balance: self.dice.chance(10).then(|| self.amount(60)),
            ..Credit::new(self.amount(40), funding)
        }
    }

    fn usage(&mut self) -> Usage {
        let hold_id = self.dice.chance(50).then(|| self.hold());
        let force = hold_id.is_none() && self.dice.chance(30);
        let free = self.dice.chance(15);
        Usage {
            cost: if free { Amount::ZERO } else { self.amount(10) },
            facts: UsageFacts {
                price_key: "calls".into(),
                quantity: 61,
                billed_quantity: 120,
            },
            hold_id,
            force: force.then_some(Force { floor: None }),
            note: Note::default(),
        }
    }

    pub(super) fn amount(&mut self, most_units: i64) -> Amount {
        // Halves of units meet often, so that sums come out even and odd.
        Amount::from_micros(self.dice.roll(1, most_units * 2) * 500_000)
    }

    fn expiry(&mut self, now: Timestamp, most_days: i64) -> Expiry {
        if self.dice.chance(20) {
            // At times in the past, and often at the same instant as another's.
            let hour = 3_600_000_000;
            let hours = now.micros() / hour + self.dice.roll(-1, 24);
            return Expiry::At(Timestamp::from_micros(hours * hour));
        }
        let long = self.dice.chance(30);
        Expiry::InSeconds(if long {
            self.dice.roll(1, most_days) * 86_400
        } else {
            self.dice.roll(60, 7_200)
        })
    }

    /// Mostly one of the newest; sometimes one that never was.
    fn hold(&mut self) -> HoldId {
        let newest = self.holds.len().saturating_sub(8);
        let found = self.dice.pick(&self.holds[newest..]).copied();
        found.unwrap_or(HoldId::from_number(1))
    }

    fn named_move(&mut self) -> EntryId {
        let newest = self.moves.len().saturating_sub(12);
        let found = self.dice.pick(&self.moves[newest..]).copied();
        found.unwrap_or(EntryId::from_number(1))
    }
}
