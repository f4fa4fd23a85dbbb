//! Load from several threads with a journal of what was asked and what was answered, until the server is gone.

use crate::answer::Outcome;
use crate::client::{Client, Request};
use crate::random::Random;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a write asks for; amounts in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Credit,
    Debit,
    Hold,
    Capture { hold: String, is_final: bool },
    Release { hold: String },
}

/// One write of value, under its own key.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) wallet: String,
    pub(crate) kind: Kind,
    pub(crate) cents: u64,
    /// The idempotency key, and the description by which the effect is found again.
    pub(crate) key: String,
}

/// One request: a write alone, or a batch of them; without outcomes when the connection broke.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) writes: Vec<Write>,
    is_batch: bool,
    pub(crate) outcomes: Option<Vec<Outcome>>,
}

impl Write {
    fn body(&self) -> Value {
        let amount = format!("{}.{:02}", self.cents / 100, self.cents % 100);
        match &self.kind {
            Kind::Credit => {
                json!({"amount": amount, "funding_type": "cash", "description": self.key})
            }
            Kind::Debit => json!({"amount": amount, "description": self.key}),
            Kind::Hold => json!({"amount": amount, "expires_in": 86_400, "description": self.key}),
            Kind::Capture { is_final, .. } => {
                json!({"amount": amount, "final": is_final, "description": self.key})
            }
            Kind::Release { .. } => json!({}),
        }
    }

    fn path(&self) -> String {
        let wallet = format!("/v1/wallets/{}", self.wallet);
        match &self.kind {
            Kind::Credit => format!("{wallet}/credits"),
            Kind::Debit => format!("{wallet}/debits"),
            Kind::Hold => format!("{wallet}/holds"),
            Kind::Capture { hold, .. } => format!("{wallet}/holds/{hold}/capture"),
            Kind::Release { hold } => format!("{wallet}/holds/{hold}/release"),
        }
    }

    /// The same write, asked alone.
    pub(crate) fn alone(&self) -> Attempt {
        Attempt {
            writes: vec![self.clone()],
            is_batch: false,
            outcomes: None,
        }
    }

    fn operation(&self) -> Value {
        let mut operation = self.body();
        let (op, hold) = match &self.kind {
            Kind::Credit => ("credit", None),
            Kind::Debit => ("debit", None),
            Kind::Hold => ("hold", None),
            Kind::Capture { hold, .. } => ("capture", Some(hold)),
            Kind::Release { hold } => ("release", Some(hold)),
        };
        operation["op"] = json!(op);
        operation["wallet_id"] = json!(self.wallet);
        operation["idempotency_key"] = json!(self.key);
        if let Some(hold) = hold {
            operation["hold_id"] = json!(hold);
        }
        operation
    }
}

impl Attempt {
    /// Sends the request, for the first time or again; `None` when the connection broke.
    pub(crate) fn send(&self, client: &Client) -> Option<Vec<Outcome>> {
        if self.is_batch {
            let operations: Vec<Value> = self.writes.iter().map(Write::operation).collect();
            let body = json!({"operations": operations});
            let answer = client
                .try_send(&Request::new("POST", "/v1/batches").json(&body))
                .ok()?;
            return Some(answer.is(200).results());
        }
        let write = &self.writes[0];
        let request = Request::new("POST", &write.path())
            .json(&write.body())
            .key(&write.key);
        let answer = client.try_send(&request).ok()?;
        answer.check_conventions();
        Some(vec![answer.outcome()])
    }
}

/// One thread's stream of random writes on shared wallets and on holds of its own.
pub(crate) struct Worker {
    client: Client,
    random: Random,
    wallets: Vec<String>,
    /// Wallet and id of each.
    holds: Vec<(String, String)>,
}

impl Worker {
    pub(crate) fn new(client: Client, seed: u64, wallets: &[String]) -> Self {
        Self {
            client,
            random: Random::new(seed),
            wallets: wallets.to_vec(),
            holds: Vec::new(),
        }
    }

    /// Writes until the server is gone; the last attempt has no outcome.
    pub(crate) fn run(mut self, answered: &AtomicUsize) -> Vec<Attempt> {
        let mut journal = Vec::new();
        loop {
            let is_batch = self.random.chance(10);
            let length = if is_batch {
                self.random.between(2, 40)
            } else {
                1
            };
            let writes = (0..length).map(|_| self.next_write()).collect();
            let mut attempt = Attempt {
                writes,
                is_batch,
                outcomes: None,
            };
            attempt.outcomes = attempt.send(&self.client);
            let Some(outcomes) = &attempt.outcomes else {
                journal.push(attempt);
                return journal;
            };
            for (write, outcome) in attempt.writes.iter().zip(outcomes) {
                if write.kind == Kind::Hold && outcome.is_done() {
                    let id = outcome.json()["id"]
                        .as_str()
                        .expect("a hold's id")
                        .to_owned();
                    self.holds.push((write.wallet.clone(), id));
                }
            }
            journal.push(attempt);
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn next_write(&mut self) -> Write {
        let key = self.random.key();
        let cents = self.random.between(1, 300);
        let dice = self.random.below(100);
        if dice < 25 && !self.holds.is_empty() {
            // A hold that ended is refused when it is chosen again; that belongs to the load.
            let chosen = self.random.index(self.holds.len());
            let (wallet, hold) = self.holds[chosen].clone();
            let kind = match dice {
                0..=4 => Kind::Release { hold },
                5..=9 => Kind::Capture {
                    hold,
                    is_final: true,
                },
                _ => Kind::Capture {
                    hold,
                    is_final: false,
                },
            };
            return Write {
                wallet,
                kind,
                cents: cents / 5 + 1,
                key,
            };
        }
        let wallet = self.wallets[self.random.index(self.wallets.len())].clone();
        let kind = match dice {
            0..=59 => Kind::Debit,
            60..=84 => Kind::Credit,
            _ => Kind::Hold,
        };
        Write {
            wallet,
            kind,
            cents,
            key,
        }
    }
}
