//! Payments in a storm: what customers, the provider, the worker and crashes do, drawn from a seed, one after the other.
//! Replies are lost, notices are lost, doubled, late, or come while the process stops; cards are declined; refunds and
//! disputes come in between. When it is over, the poller alone or the provider's notices alone must bring all of it to
//! its end: each payment credited once, none lost, nothing charged twice, one recharge in flight at a time and within its
//! cap, and books that balance.
//!
//! `TILLBOX_STORM_SEEDS=n` sets how many seeds are run, `TILLBOX_STORM_SEED=n` runs one and tells what happened.

mod calm;
mod steps;

use crate::app::TestApp;
use crate::dice::Dice;
use serde_json::{Value, json};
use tillbox_core::id::{EntryId, MerchantId, PaymentMethodId, TopUpId, WalletId};
use tillbox_service::Principal;
use tillbox_service::payments::Notice;

/// Seeds of the short form.
const SEEDS: u64 = 8;
/// Steps of a storm.
const STEPS: usize = 120;
/// What auto-recharge may charge in a month, in cents.
const CAP: i64 = 12_000;
/// Cards of the wallets, one each.
const CARDS: [&str; 4] = [
    "pm_card_visa",
    "pm_card_timeoutThenSuccess",
    "pm_card_createDispute",
    "pm_card_processingError",
];

/// A wallet with a card and auto-recharge.
struct Payer {
    wallet: WalletId,
    method: PaymentMethodId,
}

impl Payer {
    fn path(&self) -> String {
        format!("/v1/wallets/{}", self.wallet)
    }
}

struct Storm {
    app: TestApp,
    dice: Dice,
    payers: Vec<Payer>,
    /// Top-ups that somebody opened, recharges too, and by whom; and payouts.
    top_ups: Vec<(TopUpId, usize)>,
    payouts: Vec<EntryId>,
    /// Top-ups that were credited.
    paid: Vec<(TopUpId, usize)>,
    /// What the provider has told to nobody yet.
    late: Vec<Notice>,
    /// Requests so far, for their keys.
    requests: usize,
    told: Option<Vec<String>>,
}

fn principal(app: &TestApp) -> Principal {
    app.service.authenticate(crate::app::KEY).expect("the key")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// An amount of the API in cents.
fn cents(value: &Value) -> i64 {
    let (units, rest) = text(value).split_once('.').expect("two decimals");
    format!("{units}{rest}").parse().expect("whole cents")
}

impl Storm {
    async fn new(seed: u64, tells: bool) -> Self {
        let app = TestApp::start_without_worker();
        let settings = json!({"low_balance_thresholds": ["1.00"]}).to_string();
        assert_eq!(app.patch("/v1/settings", &settings).await.status, 200);
        let mut storm = Self {
            app,
            dice: Dice::new(seed),
            payers: Vec::new(),
            top_ups: Vec::new(),
            payouts: Vec::new(),
            paid: Vec::new(),
            late: Vec::new(),
            requests: 0,
            told: tells.then(Vec::new),
        };
        for card in CARDS {
            let payer = storm.payer(card).await;
            storm.payers.push(payer);
        }
        storm
    }

    async fn payer(&self, card: &str) -> Payer {
        let app = &self.app;
        let wallet = app.wallet_with("60.00").await;
        let path = format!("/v1/wallets/{wallet}");
        let customer = app.get(&path).await.json()["customer_id"].clone();
        let methods = format!("/v1/customers/{}/payment-methods", text(&customer));
        let body = json!({ "token": card }).to_string();
        let method = app.post(&methods, "", &body).await.json();
        let cap = format!("{}.00", CAP / 100);
        let body =
            json!({"enabled": true, "threshold": "40.00", "amount": "20.00", "monthly_cap": cap});
        let recharge = format!("{path}/auto-recharge");
        let saved = app.put(&recharge, &body.to_string()).await;
        assert_eq!(saved.status, 200);
        Payer {
            wallet: WalletId::parse(&wallet).expect("an id"),
            method: PaymentMethodId::parse(text(&method["id"])).expect("an id"),
        }
    }

    fn merchant(&self) -> MerchantId {
        principal(&self.app).merchant_id
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(what());
        }
    }

    fn next_key(&mut self) -> String {
        self.requests += 1;
        format!("storm-{}", self.requests)
    }

    /// Top-ups of a wallet, newest first.
    async fn top_ups_of(&self, payer: usize) -> Vec<Value> {
        let path = format!("{}/top-ups?limit=100", self.payers[payer].path());
        let list = self.app.get(&path).await.json();
        assert_eq!(list["has_more"], false, "one page has them all");
        list["data"].as_array().expect("a list").clone()
    }

    /// At any time: one recharge in flight, within the cap. Learns of those that were opened.
    async fn look(&mut self) {
        for payer in 0..self.payers.len() {
            let all = self.top_ups_of(payer).await;
            let recharges = || all.iter().filter(|one| one["reason"] == "auto_recharge");
            let with = |status: &str| recharges().filter(|one| one["status"] == status).count();
            let under_way = with("processing") + with("requires_action") + with("pending");
            assert!(under_way <= 1, "recharges in flight: {all:?}");
            let counts = ["processing", "requires_action", "succeeded"];
            let counted = recharges().filter(|one| counts.contains(&text(&one["status"])));
            let sum: i64 = counted.map(|one| cents(&one["amount"])).sum();
            assert!(sum <= CAP, "the cap is passed: {all:?}");
            for one in &all {
                let id = TopUpId::parse(text(&one["id"])).expect("an id");
                if !self.top_ups.contains(&(id, payer)) {
                    self.top_ups.push((id, payer));
                }
                if one["status"] == "succeeded" && !self.paid.contains(&(id, payer)) {
                    self.paid.push((id, payer));
                }
            }
        }
    }
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// Gives how many payments were made and refunds asked for.
async fn run(seed: u64, tells: bool) -> (usize, usize) {
    let mut storm = Storm::new(seed, tells).await;
    for _ in 0..STEPS {
        storm = storm.step().await;
        storm.look().await;
    }
    let told = storm.told.take();
    for line in told.into_iter().flatten() {
        eprintln!("{line}");
    }
    let refunds = storm.payouts.len();
    (storm.calm(seed).await, refunds)
}

#[tokio::test]
async fn no_storm_loses_or_doubles_a_payment() {
    if let Some(seed) = from_environment("TILLBOX_STORM_SEED") {
        run(seed, true).await;
        return;
    }
    let (mut paid, mut refunded) = (0, 0);
    let seeds = from_environment("TILLBOX_STORM_SEEDS").unwrap_or(SEEDS);
    for seed in 1..=seeds {
        eprintln!("to replay it: TILLBOX_STORM_SEED={seed}");
        let (payments, refunds) = run(seed, false).await;
        paid += payments;
        refunded += refunds;
    }
    eprintln!("{seeds} seeds, {paid} payments, {refunded} refunds");
    let few = usize::try_from(seeds).expect("a small number");
    assert!(paid >= 3 * few && refunded >= few, "too little happened");
}
