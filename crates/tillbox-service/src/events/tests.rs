//! Random commands on one wallet, and what its rows tell: each thing once, nothing else, in rising order.

mod paybacks;
mod saved;

use super::event::sequence;
use super::table::{is_bonus, kinds_of, of_row};
use super::types::EventType;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::cell::Cell;
use std::collections::BTreeSet;
use tillbox_core::alerts::{AlertsChange, Source};
use tillbox_core::amount::Amount;
use tillbox_core::command::{
    Adjust, AdvanceTopUp, AfterCapture, CaptureHold, ChangeLot, Close, Command, Credit, Debit,
    EndTopUp, Expiry, OpenTopUp, PlaceHold, SetRecharge, SettleTopUp, TopUpEnd, Usage, VoidLot,
    Withdraw,
};
use tillbox_core::currency::Currency;
use tillbox_core::decide::{self, Context, Following, decide, due};
use tillbox_core::entry::{
    Actor, Entry, EntryKind, Event, Note, PayoutWay, Stamp, UsageFacts, seal,
};
use tillbox_core::id::{
    CustomerId, EntryId, HoldId, LotId, MerchantId, PaymentMethodId, TopUpId, WalletId,
};
use tillbox_core::lot::FundingType;
use tillbox_core::policy::{Policies, Policy};
use tillbox_core::reason::{Language, Reason, TransactionType};
use tillbox_core::recharge::{FailureClass, PauseReason, RechargeSettings, Refill, TopUpLimits};
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::{Channel, TopUpStatus};
use tillbox_core::wallet::{NewWallet, WalletState, WalletStatus};

/// What one row told.
struct Told {
    entry: Entry,
    types: Vec<EventType>,
    was_low: (bool, bool),
}

/// A wallet that is run as the engine runs it.
struct Book {
    state: WalletState,
    now: Timestamp,
    policies: Policies,
    last_id: Cell<i64>,
    /// The id that the row will carry which is being decided.
    entry_id: Cell<Option<i64>>,
    told: Vec<Told>,
}

fn units(units: i64) -> Amount {
    Amount::from_micros(units * 1_000_000)
}

impl Book {
    fn new() -> Self {
        let wallet = NewWallet {
            id: WalletId::from_number(1),
            merchant_id: MerchantId::from_number(2),
            customer_id: CustomerId::from_number(3),
            currency: Currency::parse("USD").expect("a currency"),
            language: Language::En,
            status: WalletStatus::PendingActivation,
            overdraft_limit: units(10),
        };
        let policy = Policy {
            top_up_limits: TopUpLimits {
                minimum: units(1),
                maximum: Some(units(500)),
                maximum_balance: Some(units(1_500)),
            },
            low_balance_thresholds: vec![units(20)],
            ..Policy::default()
        };
        Self {
            state: WalletState::new(wallet),
            now: Timestamp::from_micros(1_767_225_600_000_000),
            policies: Policies {
                standard: policy,
                ..Policies::default()
            },
            last_id: Cell::new(100),
            entry_id: Cell::new(None),
            told: Vec::new(),
        }
    }

    fn next_id(&self) -> i64 {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    fn book(&mut self, event: Event) -> Event {
        let stamp = Stamp {
            id: EntryId::from_number(self.entry_id.take().unwrap_or_else(|| self.next_id())),
            at: self.now,
            actor: Actor::System,
            key: None,
            salt: [1; 16],
        };
        let entry = seal(&self.state, event, stamp);
        let (types, _changes) = of_row(&self.state, &entry);
        let low_before = self.state.was_low();
        self.state.apply(&entry);
        let event = entry.event.clone();
        self.told.push(Told {
            entry,
            types,
            was_low: (low_before, self.state.was_low()),
        });
        event
    }

    /// Books a row and what follows from it.
    fn book_whole(&mut self, event: Event) {
        let row = self.book(event);
        if !decide::may_follow(&self.state, &row) {
            return;
        }
        let mut following = Following::default();
        while let Some(event) =
            self.with_context(|state, context| following.next(state, &row, context))
        {
            self.book(event);
        }
    }

    fn with_context<T>(&self, ask: impl FnOnce(&WalletState, &Context<'_>) -> T) -> T {
        let next_id = || self.next_id();
        let id = self.next_id();
        self.entry_id.set(Some(id));
        let context = Context {
            now: self.now,
            entry_id: EntryId::from_number(id),
            next_id: &next_id,
            policies: &self.policies,
        };
        ask(&self.state, &context)
    }

    fn run(&mut self, command: &Command) {
        self.book_due();
        let decided =
            |book: &Self| book.with_context(|state, context| decide(state, command, context));
        if let Ok(mut event) = decided(self) {
            while decide::goes_on(command, &event) {
                self.book_whole(event);
                event = decided(self).expect("what has begun goes on");
            }
            self.book_whole(event);
            self.book_due();
        }
    }

    fn book_due(&mut self) {
        while let Some(event) = due(&self.state, self.now) {
            self.entry_id.set(None);
            self.book_whole(event);
        }
    }

    /// One step of a random history.
    fn step(&mut self, (which, amount, pick): (u8, i64, usize)) {
        let hold = self.state.holds().nth(pick % 3).map(|hold| hold.id);
        let top_up = self
            .state
            .top_ups()
            .nth(pick % 2)
            .map(|(id, top_up)| (id, top_up.amount));
        let lot = self.state.lots().nth(pick % 3).map(|lot| lot.id);
        match (which, hold, top_up) {
            (28..30, ..) => {
                let end = self.now.plus_seconds(amount * 900);
                self.run(&way_out(which, amount, pick, lot, end));
            }
            (0, ..) => {
                self.now = self.now.plus_seconds(amount * 3_600);
                self.book_due();
            }
            (30.., ..) => {
                if let Some(command) = self.payback(which, units(amount), pick) {
                    self.run(&command);
                }
            }
            (20.., _, Some((id, asked))) => self.run(&payment(which, amount, id, asked)),
            (15..20, Some(id), _) => self.run(&of_hold(which, amount, pick, id)),
            _ => self.run(&plain(
                which,
                amount,
                pick,
                TopUpId::from_number(self.next_id()),
            )),
        }
    }
}

fn plain(which: u8, amount: i64, pick: usize, id: TopUpId) -> Command {
    let note = Note::default();
    let facts = |billed_quantity| UsageFacts {
        price_key: "k".into(),
        quantity: 1,
        billed_quantity,
    };
    match which {
        1 | 2 => {
            let funding = FundingType::ALL[pick % 5];
            Command::Credit(Credit {
                expiry: (pick.is_multiple_of(2)).then_some(Expiry::InSeconds(amount * 900)),
                ..Credit::new(units(amount), funding)
            })
        }
        3 | 4 => {
            let reasons = [Reason::Usage, Reason::Purchase, Reason::Subscription];
            Command::Debit(Debit {
                amount: units(amount),
                reason: reasons[pick % 3],
                force: None,
                note,
            })
        }
        5 => Command::Usage(Usage {
            cost: units(amount % 3),
            facts: facts(amount),
            hold_id: None,
            force: None,
            note,
        }),
        6 => Command::Adjust(Adjust {
            amount: units(if pick.is_multiple_of(2) {
                amount
            } else {
                -amount
            }),
            note,
        }),
        7 | 8 => Command::PlaceHold(PlaceHold {
            amount: units(amount),
            expiry: Expiry::InSeconds(amount * 600),
            invoice_id: None,
            note,
        }),
        9 => Command::Freeze { note },
        10 => Command::Unfreeze,
        11 => Command::SetOverdraftLimit(units(amount % 4)),
        12 => Command::SetAlerts(AlertsChange {
            source: [
                Source::Wallet,
                Source::Merchant,
                Source::Wallet,
                Source::Off,
            ][pick % 4],
            thresholds: vec![units(amount), units(5)],
        }),
        13 => Command::SetRecharge(SetRecharge {
            is_enabled: !pick.is_multiple_of(8),
            settings: RechargeSettings {
                threshold: units(30),
                refill: if pick.is_multiple_of(5) {
                    Refill::UpTo(units(60))
                } else {
                    Refill::Fixed(units(25))
                },
                monthly_cap: (pick.is_multiple_of(3)).then_some(units(30)),
            },
            method: None,
            backups: Vec::new(),
            has_method: true,
        }),
        14 if pick.is_multiple_of(2) => Command::PauseRecharge(PauseReason::ByHand),
        14 => Command::ResumeRecharge,
        _ => {
            let channel = Channel::ALL[pick % 3];
            Command::OpenTopUp(OpenTopUp {
                id,
                amount: units(amount),
                reason: if which < 20 {
                    Reason::Activation
                } else {
                    Reason::TopUp
                },
                channel,
                method: (channel == Channel::Saved).then_some(PaymentMethodId::from_number(7)),
                note,
            })
        }
    }
}

fn way_out(which: u8, amount: i64, pick: usize, lot: Option<LotId>, end: Timestamp) -> Command {
    let lot_id = lot.unwrap_or(LotId::from_number(1));
    let note = Note::default();
    match which {
        // Rarely: nothing comes behind it.
        28 if amount == 1 => Command::Close(Close {
            way: PayoutWay::ALL[pick % 2],
            payments: Vec::new(),
        }),
        29 if pick.is_multiple_of(3) => Command::VoidLot(VoidLot { lot_id, note }),
        29 => Command::ChangeLot(ChangeLot {
            lot_id,
            expires_at: (pick.is_multiple_of(2)).then_some(end),
        }),
        _ => {
            let amount = units(amount % 5 + 1);
            Command::Withdraw(Withdraw { amount, note })
        }
    }
}

fn of_hold(which: u8, amount: i64, pick: usize, hold_id: HoldId) -> Command {
    let note = Note::default();
    let facts = UsageFacts {
        price_key: "k".into(),
        quantity: 1,
        billed_quantity: 1,
    };
    match which {
        15 => Command::ReleaseHold { hold_id },
        16 => Command::ExtendHold {
            hold_id,
            expiry: Expiry::InSeconds(amount * 900),
        },
        17 => Command::Usage(Usage {
            cost: units(1),
            facts,
            hold_id: Some(hold_id),
            force: None,
            note,
        }),
        _ => Command::CaptureHold(CaptureHold {
            hold_id,
            amount: (pick.is_multiple_of(2)).then_some(units(1)),
            after: if pick.is_multiple_of(3) {
                AfterCapture::End
            } else {
                AfterCapture::StayOpen
            },
            note,
        }),
    }
}

fn payment(which: u8, amount: i64, top_up_id: TopUpId, asked: Amount) -> Command {
    let classes = [
        FailureClass::Soft,
        FailureClass::Hard,
        FailureClass::AuthenticationRequired,
        FailureClass::ProviderOutage,
    ];
    match which {
        20 | 21 => Command::AdvanceTopUp(AdvanceTopUp {
            top_up_id,
            to: if which == 20 {
                TopUpStatus::RequiresAction
            } else {
                TopUpStatus::Processing
            },
            payment_id: None,
            record: None,
        }),
        22 => Command::EndTopUp(EndTopUp {
            top_up_id,
            end: TopUpEnd::Canceled,
            payment_id: None,
            record: None,
        }),
        23 => Command::EndTopUp(EndTopUp {
            top_up_id,
            end: TopUpEnd::Failed {
                code: "generic_decline".into(),
                class: classes[usize::try_from(amount).unwrap_or(0) % 4],
            },
            payment_id: None,
            record: None,
        }),
        _ => Command::SettleTopUp(SettleTopUp {
            top_up_id,
            // All of it, some of it, or nothing at all.
            charged: match amount % 4 {
                0 => Amount::ZERO,
                1 => asked - Amount::from_micros(asked.micros() / 2),
                _ => asked,
            },
            payment_id: "pi_1".into(),
            record: None,
            note: Note::default(),
        }),
    }
}

fn histories(steps: usize) -> impl Strategy<Value = Vec<(u8, i64, usize)>> {
    prop::collection::vec((0_u8..35, 1_i64..40, 0_usize..64), steps)
}

fn run(steps: &[(u8, i64, usize)]) -> Book {
    let mut book = Book::new();
    for step in steps {
        book.step(*step);
    }
    book
}

fn count(book: &Book, event_type: EventType) -> usize {
    let told = book
        .told
        .iter()
        .filter(|told| told.types.contains(&event_type));
    told.count()
}

fn rows(book: &Book, of: impl Fn(&Event) -> bool) -> usize {
    book.told
        .iter()
        .filter(|told| of(&told.entry.event))
        .count()
}

fn is_of_type(event: &Event, of: TransactionType) -> bool {
    event
        .reason
        .is_some_and(|reason| reason.transaction_type() == of)
}

/// Each thing that the rows did is told once, nothing else is, and numbers rise.
fn demand_that_each_thing_is_told_once(book: &Book) {
    let transactions = rows(book, Event::moves_money);
    assert_eq!(count(book, EventType::TransactionCreated), transactions);
    let spent = rows(book, |event| event.reason.is_some_and(Reason::is_spending));
    assert_eq!(count(book, EventType::WalletPaymentMade), spent);
    // A bonus is told with what it came with.
    let paid_in = rows(book, |event| is_of_type(event, TransactionType::Credit));
    let bonuses = rows(book, is_bonus);
    assert_eq!(count(book, EventType::WalletToppedUp), paid_in - bonuses);

    let mut last = 0;
    for told in &book.told {
        for event_type in &told.types {
            let number = sequence(told.entry.version, *event_type);
            assert!(last < number, "{:?}", told.types);
            last = number;
            let kind = told.entry.event.kind;
            assert!(kinds_of(*event_type).contains(&kind), "{event_type:?}");
        }
        let is_free = told.entry.event.kind == EntryKind::Usage && told.entry.seq.is_none();
        assert_eq!(told.types.is_empty(), is_free, "{:?}", told.entry);
        if told.types.contains(&EventType::WalletBalanceLow) {
            assert!(told.was_low.1);
        }
    }
}

proptest! {
    #[test]
    fn r47_each_thing_is_told_once_and_in_rising_order(steps in histories(120)) {
        demand_that_each_thing_is_told_once(&run(&steps));
    }
}

/// What no row tells.
const NO_ROW: [EventType; 4] = [
    EventType::LotExpiring,
    EventType::WalletCreated,
    EventType::PaymentMethodAttached,
    EventType::PaymentMethodDetached,
];

#[test]
fn random_histories_tell_every_type_and_hold_every_kind_of_row() {
    let mut runner = TestRunner::deterministic();
    let (mut types, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..60 {
        let steps = histories(150)
            .new_tree(&mut runner)
            .expect("steps")
            .current();
        let book = run(&steps);
        for told in &book.told {
            kinds.insert(told.entry.event.kind.code());
            types.extend(told.types.iter().map(|event_type| event_type.name()));
        }
    }
    let told = EventType::ALL
        .iter()
        .filter(|event_type| !NO_ROW.contains(event_type));
    let missing: Vec<_> = told
        .filter(|event_type| !types.contains(event_type.name()))
        .collect();
    assert!(missing.is_empty(), "never told: {missing:?}");
    let missing: Vec<_> = EntryKind::ALL
        .iter()
        .filter(|kind| !kinds.contains(&kind.code()))
        .collect();
    // A refund needs what the store remembers; the merchant of these histories asks for a first charge.
    assert_eq!(missing, [&EntryKind::Refund, &EntryKind::Activated]);
}
