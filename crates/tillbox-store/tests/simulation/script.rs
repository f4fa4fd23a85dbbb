//! What clients ask of the simulated wallets: drawn from a seed, so that a seed is a whole run.

mod money_in;

use crate::client::{MERCHANT, ask, debit_of, key, wallet};
use crate::dice::Dice;
use crate::model::wide;
use money_in::MoneyScript;
pub(crate) use money_in::policies;
use std::collections::HashMap;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{
    Adjust, AfterCapture, CaptureHold, Command, Credit, Debit, Expiry, Force, PlaceHold, Refund,
    Usage, Withdraw,
};
use tillbox_core::entry::{Actor, Entry, Note, UsageFacts};
use tillbox_core::id::{ApiKeyId, EntryId, HoldId, MerchantId};
use tillbox_core::lot::FundingType;
use tillbox_core::policy::Policies;
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tillbox_engine::clock::MerchantClock;
use tillbox_engine::work::{AnswerWriter, Mode, Submission};

/// Wallets 1 to this.
pub(crate) const WALLETS: i64 = 4;

/// Names of what is asked, to count what was tried.
pub(crate) const OPERATIONS: [&str; 25] = [
    "credit",
    "debit",
    "forced debit",
    "hold",
    "capture",
    "release",
    "extend",
    "refund",
    "adjust",
    "withdrawal",
    "usage",
    "overdraft",
    "freeze",
    "unfreeze",
    "activate",
    "top-up",
    "advance",
    "settle",
    "end",
    "auto-recharge",
    "resume",
    "pause",
    "alerts",
    "sweep",
    "dry run",
];

fn writer() -> AnswerWriter {
    Arc::new(|state: &WalletState, _rows, _now| {
        let (balance, held) = (wide(state.balance), wide(state.held));
        (200, whole_answer(state.version, balance, held).into_bytes())
    })
}

/// The last wallet's merchant lives an hour ahead, and tries things with its clock.
pub(crate) fn clock_of(number: i64) -> MerchantClock {
    MerchantClock::ahead_by(if number == WALLETS { 3_600_000_000 } else { 0 })
}

/// Of these, half store their answer whole.
const STORED_WHOLE: [&str; 8] = [
    "overdraft",
    "freeze",
    "unfreeze",
    "activate",
    "auto-recharge",
    "resume",
    "pause",
    "alerts",
];

/// What a command that stores its answer whole answers.
pub(crate) fn whole_answer(version: u64, balance: i128, held: i128) -> String {
    format!("{version} {balance} {held}")
}

/// One request of a client.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) operation: &'static str,
    /// Whether its key was first used for another request.
    pub(crate) is_altered: bool,
    /// Whether the caller hangs up before it hears an answer.
    pub(crate) hangs_up: bool,
    pub(crate) submission: Submission,
}

/// Draws requests, and remembers what they can name.
pub(crate) struct Script {
    pub(crate) dice: Dice,
    next_key: u64,
    holds: Vec<HoldId>,
    debits: Vec<EntryId>,
    /// Whose they are.
    owners: HashMap<i64, i64>,
    answered: Vec<Asked>,
    pub(crate) money: MoneyScript,
    policies: Arc<Policies>,
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            next_key: 1,
            holds: Vec::new(),
            debits: Vec::new(),
            owners: HashMap::new(),
            answered: Vec::new(),
            money: MoneyScript::default(),
            policies: policies(),
        }
    }

    /// A request was answered by a row; later ones may name it, or ask the same again.
    pub(crate) fn learn(&mut self, asked: &Asked, entry: &Arc<Entry>) {
        let owner = asked.submission.wallet_id.number();
        if let Some(hold) = entry.event.hold
            && asked.operation == "hold"
        {
            self.holds.push(hold.id);
            self.owners.insert(hold.id.number(), owner);
        }
        // A few that are no debits, too: they are refused.
        if entry.event.amount.is_negative() || entry.version.is_multiple_of(16) {
            self.debits.push(entry.id);
            self.owners.insert(entry.id.number(), owner);
        }
        self.learn_top_up(owner, entry);
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
                again.is_altered = true;
            }
            return again;
        }
        if self.dice.chance(4) {
            let number = self.dice.roll(1, WALLETS);
            let mut sweep = self.sweep(number);
            // A test clock books at the due instants on its way.
            let is_test = number == WALLETS && self.dice.chance(50);
            let seconds = self.dice.roll(0, 100_000);
            let at = clock_of(number).time(now).plus_seconds(seconds);
            sweep.submission.at = is_test.then_some(at);
            return sweep;
        }
        let (operation, command) = if self.dice.chance(30) {
            self.money_in()
        } else {
            self.command(now)
        };
        let dry = self.dice.chance(8);
        let stranger = self.dice.chance(2);
        let whole = self.dice.chance(50) && STORED_WHOLE.contains(&operation);
        let astray = self.dice.chance(10);
        let owner = self.owner(&command).filter(|_| !astray);
        let any = owner.unwrap_or(self.dice.roll(1, WALLETS));
        let (number, own_key) = self.placed(&command, any);
        let asked = self.submission(number, command);
        Asked {
            operation: if dry { "dry run" } else { operation },
            is_altered: false,
            hangs_up: false,
            submission: Submission {
                merchant_id: if stranger {
                    MerchantId::from_number(2)
                } else {
                    MERCHANT
                },
                key: own_key.or(asked.key),
                mode: if dry { Mode::DryRun } else { Mode::Commit },
                answer: whole.then(writer),
                ..asked
            },
        }
    }

    /// Asks for what is due to be booked, as the sweep does.
    pub(crate) fn sweep(&mut self, number: i64) -> Asked {
        Asked {
            operation: "sweep",
            is_altered: false,
            hangs_up: false,
            submission: Submission {
                key: None,
                ..self.submission(number, Command::BookDue)
            },
        }
    }

    /// A command under a new key, by a caller of its own, so that its row can be told from others.
    pub(super) fn submission(&mut self, number: i64, command: Command) -> Submission {
        self.next_key += 1;
        let caller = i64::try_from(self.next_key).expect("a small number");
        Submission {
            wallet_id: wallet(number),
            clock: clock_of(number),
            actor: Actor::ApiKey(ApiKeyId::from_number(caller)),
            key: Some(key(self.next_key, 1)),
            policies: Arc::clone(&self.policies),
            ..ask(command)
        }
    }

    fn command(&mut self, now: Timestamp) -> (&'static str, Command) {
        let note = Note::default;
        match self.dice.roll(0, 99) {
            0..=17 => ("credit", Command::Credit(self.credit(now))),
            18..=19 => {
                let amount = self.amount(20);
                let note = note();
                ("withdrawal", Command::Withdraw(Withdraw { amount, note }))
            }
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
                    amount: self.part(15),
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
                    debit_id: self.debit(),
                    amount: self.part(10),
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
            96..=98 => ("unfreeze", Command::Unfreeze),
            _ => ("activate", Command::Activate),
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

    /// Some of it, all of it, or at times less than nothing.
    fn part(&mut self, most_units: i64) -> Option<Amount> {
        match self.dice.roll(0, 19) {
            0 => Some(Amount::ZERO),
            1 => Some(-self.amount(most_units)),
            2..=12 => Some(self.amount(most_units)),
            _ => None,
        }
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

    fn debit(&mut self) -> EntryId {
        let newest = self.debits.len().saturating_sub(12);
        let found = self.dice.pick(&self.debits[newest..]).copied();
        found.unwrap_or(EntryId::from_number(1))
    }

    /// Whose it is what the command names.
    fn owner(&self, command: &Command) -> Option<i64> {
        let number = match command {
            Command::Refund(refund) => refund.debit_id.number(),
            Command::CaptureHold(capture) => capture.hold_id.number(),
            Command::ReleaseHold { hold_id } | Command::ExtendHold { hold_id, .. } => {
                hold_id.number()
            }
            Command::Usage(usage) => usage.hold_id?.number(),
            _ => return None,
        };
        self.owners.get(&number).copied()
    }
}
