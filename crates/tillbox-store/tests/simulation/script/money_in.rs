//! What is asked of top-ups, auto-recharge and alerts: also what a provider says, once, twice, late or never.

use super::{Asked, Script, freezes};
use crate::client::key;
use crate::model::{BONUS_DAYS, MAXIMUM, MAXIMUM_BALANCE, MINIMUM, Model, narrow};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tillbox_core::alerts::{AlertsChange, Source};
use tillbox_core::amount::Amount;
use tillbox_core::command::{AdvanceTopUp, Command, EndTopUp, OpenTopUp};
use tillbox_core::command::{SetRecharge, SettleTopUp, TopUpEnd};
use tillbox_core::entry::{Entry, EntryKind, KeyStamp, Note};
use tillbox_core::id::{PaymentMethodId, TopUpId};
use tillbox_core::lot::FundingType;
use tillbox_core::policy::{Policies, Policy};
use tillbox_core::reason::Reason;
use tillbox_core::recharge::{FailureClass, PauseReason, RechargeSettings, Refill, TopUpLimits};
use tillbox_core::top_up::{Channel, TopUpStatus};
use tillbox_engine::work::Submission;

/// Top-ups that can be named, and what was asked for and whose they are.
#[derive(Default)]
pub(crate) struct MoneyScript {
    opened: Vec<TopUpId>,
    known: HashMap<TopUpId, (i64, Amount)>,
    next: i64,
}

/// What a wallet's merchant allows.
pub(crate) fn policies(wallet: i64) -> Arc<Policies> {
    let amount = |micros: i128| Amount::from_micros(micros.try_into().expect("a small amount"));
    let standard = Policy {
        top_up_limits: TopUpLimits {
            minimum: amount(MINIMUM),
            maximum: Some(amount(MAXIMUM)),
            maximum_balance: Some(amount(MAXIMUM_BALANCE)),
        },
        expiry_days: [(FundingType::Promotional, BONUS_DAYS)].into(),
        freeze_on_dispute: freezes(wallet),
        ..Policy::default()
    };
    Arc::new(Policies {
        standard,
        ..Policies::default()
    })
}

/// The key of a payment that was made: the top-up itself.
fn settlement_key(id: TopUpId) -> KeyStamp {
    key(id.number().unsigned_abs() | 1 << 63, 1)
}

fn settle(top_up_id: TopUpId, charged: Amount) -> SettleTopUp {
    SettleTopUp {
        top_up_id,
        charged,
        payment_id: "pay".into(),
        record: None,
        note: Note::default(),
    }
}

fn end(top_up_id: TopUpId, end: TopUpEnd) -> EndTopUp {
    EndTopUp {
        top_up_id,
        end,
        payment_id: None,
        record: None,
    }
}

impl Script {
    /// A top-up was opened, by whomever.
    pub(super) fn notice_top_up(&mut self, wallet: i64, row: &Entry) {
        if row.event.kind == EntryKind::TopUpOpened
            && let (Some(id), Some(top_up)) = (row.event.top_up_id, &row.event.top_up)
        {
            self.money.opened.push(id);
            self.money.known.insert(id, (wallet, top_up.amount));
        }
    }

    /// The wallet that is meant, mostly, and the key of a payment: the top-up itself.
    pub(super) fn placed(&mut self, command: &Command, any: i64) -> (i64, Option<KeyStamp>) {
        let id = match command {
            Command::AdvanceTopUp(advance) => advance.top_up_id,
            Command::EndTopUp(end) => end.top_up_id,
            Command::SettleTopUp(settle) => settle.top_up_id,
            Command::RefundTopUp(refund) => refund.top_up_id,
            Command::EndPayout(end) => end.top_up_id,
            Command::LearnDispute(learn) => learn.top_up_id,
            _ => return (any, None),
        };
        let astray = self.dice.chance(5);
        match self.money.known.get(&id) {
            Some((wallet, _)) if !astray => {
                let is_paid = matches!(command, Command::SettleTopUp(_));
                // Where another learns of it besides, the key is another.
                let by_top_up = is_paid && self.dice.chance(70);
                (*wallet, by_top_up.then(|| settlement_key(id)))
            }
            Some(_) | None => (any, None),
        }
    }

    /// The provider says of every payment that is open how it ended, of every payout, and of every dispute.
    pub(crate) fn last_word_of_provider(&mut self, models: &BTreeMap<i64, Model>) -> Vec<Asked> {
        let mut words = Vec::new();
        for (number, model) in models {
            let open = model.top_ups.iter().filter(|(_, one)| one.status.is_open());
            for (id, one) in open {
                let paid = settle(*id, narrow(one.amount));
                let is_paid = self.dice.chance(70);
                let (operation, command) = if is_paid {
                    ("settle", Command::SettleTopUp(paid))
                } else {
                    ("end", Command::EndTopUp(end(*id, TopUpEnd::Canceled)))
                };
                let asked = self.submission(*number, command);
                let key = if is_paid {
                    Some(settlement_key(*id))
                } else {
                    asked.key
                };
                words.push(Asked::command(operation, Submission { key, ..asked }));
            }
            self.last_word_on_money_back(*number, model, &mut words);
        }
        words
    }

    pub(super) fn money_in(&mut self) -> (&'static str, Command) {
        match self.dice.roll(0, 99) {
            0..=19 => {
                self.money.next += 1;
                let channels = Channel::ALL;
                let open = OpenTopUp {
                    id: TopUpId::from_number(self.money.next),
                    amount: self.charge(45),
                    reason: if self.dice.chance(15) {
                        Reason::Activation
                    } else {
                        Reason::TopUp
                    },
                    channel: *self.dice.pick(&channels).expect("some"),
                    method: self
                        .dice
                        .chance(90)
                        .then(|| PaymentMethodId::from_number(1)),
                    note: Note::default(),
                };
                ("top-up", Command::OpenTopUp(open))
            }
            20..=29 => {
                let to = [TopUpStatus::RequiresAction, TopUpStatus::Processing];
                let advance = AdvanceTopUp {
                    top_up_id: self.top_up(),
                    to: *self.dice.pick(&to).expect("some"),
                    payment_id: None,
                    record: None,
                };
                ("advance", Command::AdvanceTopUp(advance))
            }
            30..=49 => {
                let top_up_id = self.top_up();
                let asked = self.money.known.get(&top_up_id);
                let asked = asked.map_or(Amount::ZERO, |(_, amount)| *amount);
                let charged = match self.dice.roll(0, 9) {
                    0 => Amount::ZERO,
                    1 => asked + Amount::from_micros(10_000),
                    2..=4 => Amount::from_micros(asked.micros() / 2),
                    _ => asked,
                };
                ("settle", Command::SettleTopUp(settle(top_up_id, charged)))
            }
            50..=64 => {
                let classes = [
                    FailureClass::Hard,
                    FailureClass::AuthenticationRequired,
                    FailureClass::Soft,
                    FailureClass::Soft,
                    FailureClass::Soft,
                    FailureClass::ProviderOutage,
                ];
                let class = *self.dice.pick(&classes).expect("some");
                let failed = TopUpEnd::Failed {
                    code: "declined".into(),
                    class,
                };
                let how = if self.dice.chance(20) {
                    TopUpEnd::Canceled
                } else {
                    failed
                };
                ("end", Command::EndTopUp(end(self.top_up(), how)))
            }
            65..=78 => ("auto-recharge", Command::SetRecharge(self.recharge())),
            79..=86 => ("resume", Command::ResumeRecharge),
            87..=91 => {
                let reason = *self.dice.pick(&PauseReason::ALL).expect("some");
                ("pause", Command::PauseRecharge(reason))
            }
            _ => {
                let source = if self.dice.chance(15) {
                    Source::Off
                } else {
                    Source::Wallet
                };
                let count = self.dice.roll(1, 3);
                let thresholds = (0..count).map(|_| self.amount(40)).collect();
                let change = AlertsChange { source, thresholds };
                ("alerts", Command::SetAlerts(change))
            }
        }
    }

    fn recharge(&mut self) -> SetRecharge {
        let refill = if self.dice.chance(60) {
            Refill::Fixed(self.charge(12))
        } else {
            Refill::UpTo(self.amount(60))
        };
        SetRecharge {
            is_enabled: self.dice.chance(90),
            settings: RechargeSettings {
                threshold: self.amount(30),
                refill,
                monthly_cap: self.dice.chance(60).then(|| self.amount(150)),
            },
            method: None,
            backups: Vec::new(),
            has_method: self.dice.chance(95),
        }
    }

    /// Mostly one that can be charged; at times too little, too much, or not in whole cents.
    fn charge(&mut self, most_units: i64) -> Amount {
        let odd = i64::from(self.dice.chance(5));
        Amount::from_micros(self.dice.roll(8, most_units * 2) * 500_000 + odd)
    }

    /// Mostly one of the newest; sometimes one that never was.
    pub(super) fn top_up(&mut self) -> TopUpId {
        let newest = self.money.opened.len().saturating_sub(6);
        let found = self.dice.pick(&self.money.opened[newest..]).copied();
        found.unwrap_or(TopUpId::from_number(i64::MAX))
    }
}
