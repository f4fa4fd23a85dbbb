//! Lots that change or are taken back, wallets that end, and wallets that are opened behind them.

use super::{Asked, CUSTOMERS, Request, Script, clock_of, writer};
use crate::client::{new_wallet, opening, units};
use tillbox_core::command::{ChangeLot, Close, Command, VoidLot};
use tillbox_core::entry::{Note, PayoutWay};
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletStatus;
use tillbox_engine::work::{Mode, OpenSubmission};

impl Script {
    /// A wallet came into being.
    pub(crate) fn learn_opening(&mut self, number: i64) {
        let customer = self.customer_of(number);
        (customer.opened, customer.is_open) = (number, true);
    }

    /// Who has no wallet asks for one; others rarely.
    pub(super) fn opening(&mut self, now: Timestamp) -> Option<Asked> {
        let customer = self.dice.roll(1, CUSTOMERS);
        let has_one = self.customer_of(customer).is_open;
        let percent = if has_one { 2 } else { 40 };
        self.dice.chance(percent).then(|| self.open(customer, now))
    }

    fn open(&mut self, customer: i64, now: Timestamp) -> Asked {
        let asked_for = &mut self.customer_of(customer).asked_for;
        let number = match *asked_for {
            0 => customer,
            last => last + CUSTOMERS,
        };
        *asked_for = number;
        let waits = self.dice.chance(if customer == CUSTOMERS { 65 } else { 8 });
        let status = if waits {
            WalletStatus::PendingActivation
        } else {
            WalletStatus::Active
        };
        let overdraft = units(if customer == 1 { 0 } else { 10 });
        let has_credit = self.dice.chance(40);
        let dry = self.dice.chance(8);
        let (actor, key) = self.caller();
        let open = OpenSubmission {
            credit: has_credit.then(|| self.credit(now)),
            key: Some(key),
            actor,
            clock: clock_of(number),
            policies: self.policies_of(number),
            mode: if dry { Mode::DryRun } else { Mode::Commit },
            answer: writer(),
            ..opening(new_wallet(number, customer, status, overdraft))
        };
        Asked {
            operation: if dry { "dry run" } else { "open" },
            is_altered: false,
            hangs_up: false,
            request: Request::Open(Box::new(open)),
        }
    }

    pub(super) fn way_out(&mut self, now: Timestamp) -> (&'static str, Command) {
        match self.dice.roll(0, 99) {
            0..=44 => {
                let hour = 3_600_000_000;
                let hours = now.micros() / hour + self.dice.roll(-2, 200);
                let change = ChangeLot {
                    lot_id: self.lot(),
                    expires_at: self
                        .dice
                        .chance(80)
                        .then(|| Timestamp::from_micros(hours * hour)),
                };
                ("change lot", Command::ChangeLot(change))
            }
            45..=79 => {
                let void = VoidLot {
                    lot_id: self.lot(),
                    note: Note::default(),
                };
                ("void lot", Command::VoidLot(void))
            }
            _ => {
                let close = Close {
                    way: *self.dice.pick(&PayoutWay::ALL).expect("some"),
                    payments: Vec::new(),
                };
                ("close", Command::Close(close))
            }
        }
    }
}
