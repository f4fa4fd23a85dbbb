//! What is asked of value that is there: spent, reserved, given back, corrected.

use super::Script;
use crate::client::debit_of;
use tillbox_core::amount::Amount;
use tillbox_core::command::{
    Adjust, AfterCapture, CaptureHold, Command, Credit, Debit, Force, PlaceHold, Refund, Usage,
    Withdraw,
};
use tillbox_core::entry::{Note, UsageFacts};
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;

impl Script {
    pub(super) fn command(&mut self, now: Timestamp) -> (&'static str, Command) {
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
            96..=97 => ("unfreeze", Command::Unfreeze),
            _ => ("activate", Command::Activate),
        }
    }

    pub(super) fn credit(&mut self, now: Timestamp) -> Credit {
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
}
