//! What clients ask of the simulated wallets: drawn from a seed, so that a seed is a whole run.

mod money_back;
mod money_in;
mod spending;
mod ways_out;

use crate::client::{MERCHANT, ask, key, wallet};
use crate::dice::Dice;
use crate::model::wide;
use money_back::MoneyBackScript;
use money_in::MoneyScript;
pub(crate) use money_in::policies;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Expiry};
use tillbox_core::entry::{Actor, Entry, EntryKind, KeyStamp};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{ApiKeyId, EntryId, HoldId, LotId, MerchantId};
use tillbox_core::policy::Policies;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tillbox_engine::clock::MerchantClock;
use tillbox_engine::work::{AnswerWriter, Mode, OpenSubmission, Submission};

/// Customers, each with one open wallet at a time: wallet 1 is the first customer's, 2 the second's, and on they go
/// around.
pub(crate) const CUSTOMERS: i64 = 4;

/// Names of what is asked, to count what was tried.
pub(crate) const OPERATIONS: [&str; 32] = [
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
    "open",
    "close",
    "change lot",
    "void lot",
    "card refund",
    "payout end",
    "dispute",
    "sweep",
    "dry run",
];

fn writer() -> AnswerWriter {
    Arc::new(|state: &WalletState, _rows, _now| {
        let (balance, held) = (wide(state.balance), wide(state.held));
        (200, whole_answer(state.version, balance, held).into_bytes())
    })
}

/// Whose wallet it is: 1 to [`CUSTOMERS`].
pub(crate) fn customer_of(wallet: i64) -> i64 {
    (wallet - 1).rem_euclid(CUSTOMERS) + 1
}

/// The last customer's merchant lives an hour ahead, and tries things with its clock.
pub(crate) fn clock_of(wallet: i64) -> MerchantClock {
    let is_ahead = customer_of(wallet) == CUSTOMERS;
    MerchantClock::ahead_by(if is_ahead { 3_600_000_000 } else { 0 })
}

/// Whether a dispute freezes the wallet, by its merchant's settings.
pub(crate) fn freezes(wallet: i64) -> bool {
    customer_of(wallet) == 2
}

/// Of these, half store their answer whole.
const STORED_WHOLE: [&str; 9] = [
    "close",
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
    pub(crate) request: Request,
}

/// What is asked.
#[derive(Clone)]
pub(crate) enum Request {
    Command(Box<Submission>),
    Open(Box<OpenSubmission>),
}

impl std::fmt::Debug for Request {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command(one) => write!(out, "{:?} on {}", one.command, one.wallet_id.number()),
            Self::Open(one) => write!(out, "{:?}, {:?}", one.opened.wallet, one.credit),
        }
    }
}

impl Asked {
    fn command(operation: &'static str, submission: Submission) -> Self {
        Self {
            operation,
            is_altered: false,
            hangs_up: false,
            request: Request::Command(Box::new(submission)),
        }
    }

    pub(crate) fn key(&self) -> Option<KeyStamp> {
        match &self.request {
            Request::Command(one) => one.key,
            Request::Open(one) => one.key,
        }
    }

    fn key_mut(&mut self) -> Option<&mut KeyStamp> {
        match &mut self.request {
            Request::Command(one) => one.key.as_mut(),
            Request::Open(one) => one.key.as_mut(),
        }
    }
}

fn customer(number: i64) -> (i64, Customer) {
    let customer = Customer {
        asked_for: 0,
        opened: 0,
        is_open: false,
        policies: policies(number),
    };
    (number, customer)
}

/// Draws requests, and remembers what they can name.
pub(crate) struct Script {
    pub(crate) dice: Dice,
    next_key: u64,
    holds: Vec<HoldId>,
    debits: Vec<EntryId>,
    lots: Vec<LotId>,
    /// In which wallets they are.
    owners: HashMap<i64, i64>,
    answered: Vec<Asked>,
    /// By their numbers.
    customers: BTreeMap<i64, Customer>,
    pub(crate) money: MoneyScript,
    back: MoneyBackScript,
}

/// Who has wallets.
struct Customer {
    /// The last wallet that was asked for; 0 is none.
    asked_for: i64,
    /// The last that was opened.
    opened: i64,
    /// Whether it is open.
    is_open: bool,
    policies: Arc<Policies>,
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            next_key: 1,
            holds: Vec::new(),
            debits: Vec::new(),
            lots: Vec::new(),
            owners: HashMap::new(),
            answered: Vec::new(),
            customers: (1..=CUSTOMERS).map(customer).collect(),
            money: MoneyScript::default(),
            back: MoneyBackScript::default(),
        }
    }

    /// A request was carried out: others may ask the same again.
    pub(crate) fn learn(&mut self, asked: &Asked) {
        self.answered.push(asked.clone());
    }

    /// A row was booked: later requests may name what it made.
    pub(crate) fn notice(&mut self, wallet: i64, row: &Entry) {
        if let Some(hold) = row.event.hold
            && [EntryKind::HoldPlaced, EntryKind::DisputeChanged].contains(&row.event.kind)
            && hold.status == HoldStatus::Open
        {
            self.holds.push(hold.id);
            self.owners.insert(hold.id.number(), wallet);
        }
        // A few that are no debits, too: they are refused.
        if row.event.amount.is_negative() || row.version.is_multiple_of(16) {
            self.debits.push(row.id);
            self.owners.insert(row.id.number(), wallet);
        }
        for lot in &row.event.lots {
            self.lots.push(lot.id);
            self.owners.insert(lot.id.number(), wallet);
        }
        if row.event.kind == EntryKind::Closed {
            self.customer_of(wallet).is_open = false;
        }
        self.notice_top_up(wallet, row);
        self.notice_money_back(row);
    }

    /// The next request at that time.
    pub(crate) fn ask(&mut self, now: Timestamp) -> Asked {
        if self.dice.chance(10)
            && let Some(before) = self.dice.pick(&self.answered)
        {
            let mut again = before.clone();
            if self.dice.chance(30)
                && let Some(stamp) = again.key_mut()
            {
                stamp.fingerprint = [2; 16];
                again.is_altered = true;
            }
            return again;
        }
        if let Some(opening) = self.opening(now) {
            return opening;
        }
        let any = self.any_wallet();
        if self.dice.chance(4) {
            let sweep = self.sweep(any);
            // A test clock books at the due instants on its way.
            let is_test = customer_of(any) == CUSTOMERS && self.dice.chance(50);
            let seconds = self.dice.roll(0, 100_000);
            let at = clock_of(any).time(now).plus_seconds(seconds);
            let at = is_test.then_some(at);
            return Asked::command("sweep", Submission { at, ..sweep });
        }
        let (operation, command) = match self.dice.roll(0, 99) {
            0..=26 => self.money_in(),
            27..=39 => self.money_back(),
            40..=46 => self.way_out(now),
            _ => self.command(now),
        };
        let dry = self.dice.chance(8);
        let stranger = self.dice.chance(2);
        let whole = self.dice.chance(50) && STORED_WHOLE.contains(&operation);
        let astray = self.dice.chance(10);
        let owner = self.owner(&command).filter(|_| !astray);
        let (number, own_key) = self.placed(&command, owner.unwrap_or(any));
        let asked = self.submission(number, command);
        let submission = Submission {
            merchant_id: if stranger {
                MerchantId::from_number(2)
            } else {
                MERCHANT
            },
            key: own_key.or(asked.key),
            mode: if dry { Mode::DryRun } else { Mode::Commit },
            answer: whole.then(writer),
            ..asked
        };
        Asked::command(if dry { "dry run" } else { operation }, submission)
    }

    /// Mostly the last that a customer has; at times one that may not be opened, or is over.
    fn any_wallet(&mut self) -> i64 {
        let first = self.dice.roll(1, CUSTOMERS);
        let which = self.dice.roll(0, 49);
        let customer = self.customer_of(first);
        match which {
            0 => customer.asked_for,
            1 => first,
            _ => customer.opened,
        }
    }

    /// Asks for what is due to be booked, as the sweep does.
    pub(crate) fn sweep(&mut self, number: i64) -> Submission {
        Submission {
            key: None,
            ..self.submission(number, Command::BookDue)
        }
    }

    /// The same as a request.
    pub(crate) fn sweep_of(&mut self, number: i64) -> Asked {
        let sweep = self.sweep(number);
        Asked::command("sweep", sweep)
    }

    /// A caller of its own, and its key, so that its row can be told from others.
    fn caller(&mut self) -> (Actor, KeyStamp) {
        self.next_key += 1;
        let caller = i64::try_from(self.next_key).expect("a small number");
        let actor = Actor::ApiKey(ApiKeyId::from_number(caller));
        (actor, key(self.next_key, 1))
    }

    fn policies_of(&self, number: i64) -> Arc<Policies> {
        Arc::clone(&self.customers[&customer_of(number)].policies)
    }

    /// Whose wallet it is.
    fn customer_of(&mut self, wallet: i64) -> &mut Customer {
        let number = customer_of(wallet);
        self.customers.get_mut(&number).expect("one of them")
    }

    /// A command under a new key.
    fn submission(&mut self, number: i64, command: Command) -> Submission {
        let (actor, key) = self.caller();
        Submission {
            wallet_id: wallet(number),
            clock: clock_of(number),
            actor,
            key: Some(key),
            policies: self.policies_of(number),
            ..ask(command)
        }
    }

    fn amount(&mut self, most_units: i64) -> Amount {
        // Halves of units meet often, so that sums come out even and odd; a few are no whole cents.
        let odd = if self.dice.chance(3) {
            self.dice.roll(1, 9_999)
        } else {
            0
        };
        Amount::from_micros(self.dice.roll(1, most_units * 2) * 500_000 + odd)
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

    fn lot(&mut self) -> LotId {
        let newest = self.lots.len().saturating_sub(24);
        let found = self.dice.pick(&self.lots[newest..]).copied();
        found.unwrap_or(LotId::from_number(1))
    }

    /// In which wallet it is what the command names.
    fn owner(&self, command: &Command) -> Option<i64> {
        let number = match command {
            Command::Refund(refund) => refund.debit_id.number(),
            Command::CaptureHold(capture) => capture.hold_id.number(),
            Command::ReleaseHold { hold_id } | Command::ExtendHold { hold_id, .. } => {
                hold_id.number()
            }
            Command::Usage(usage) => usage.hold_id?.number(),
            Command::ChangeLot(change) => change.lot_id.number(),
            Command::VoidLot(void) => void.lot_id.number(),
            _ => return None,
        };
        self.owners.get(&number).copied()
    }
}
