//! After a storm: everything comes to its end, and is what it should be.

use super::{Storm, cents, text};
use serde_json::Value;
use tillbox_core::id::TopUpId;
use tillbox_service::payments::Notice;
use tillbox_service::payments::sandbox::Faults;
use tillbox_store::sqlite::{Connection, sandbox};

impl Storm {
    /// Nothing fails any more. Gives how many payments were made.
    pub(super) async fn calm(mut self, seed: u64) -> usize {
        let merchant = self.merchant();
        let set = self.app.service.sandbox();
        let set = set.set_faults(merchant, Faults::default()).await;
        set.expect("set");
        let by_notices = seed.is_multiple_of(2);
        // Recharges follow what others bring to an end.
        for _ in 0..12 {
            // Payouts are told late, and the worker waits between two looks.
            self.app.wait(61);
            for notice in std::mem::take(&mut self.late) {
                let taken = self.app.service.take_notice(merchant, notice).await;
                taken.expect("taken");
            }
            for (id, _) in self.top_ups.clone() {
                // What was never asked for nobody tells of: that is the worker's in any case.
                let known = self.app.service.sandbox().look_up(merchant, id).await;
                match known.expect("an answer") {
                    Some(payment) if by_notices => {
                        let notice = Notice::Payment(payment);
                        let taken = self.app.service.take_notice(merchant, notice).await;
                        taken.expect("taken");
                    }
                    _ => drop(self.app.service.ask_provider(id).await.expect("asked")),
                }
                let disputes = self.app.service.sandbox().disputes_of(merchant, id).await;
                for dispute in disputes.expect("told") {
                    let notice = Notice::Dispute(dispute);
                    let taken = self.app.service.take_notice(merchant, notice).await;
                    taken.expect("taken");
                }
            }
            for payout in self.payouts.clone() {
                let asked = self.app.service.ask_about_payout(merchant, payout).await;
                asked.expect("asked");
            }
            self.look().await;
        }
        self.expect_order().await
    }

    /// What the provider charged is what was credited, once; and the books balance.
    async fn expect_order(&self) -> usize {
        let mut paid = 0;
        for payer in 0..self.payers.len() {
            let rows = self.transactions_of(payer).await;
            for one in self.top_ups_of(payer).await {
                let id = TopUpId::parse(text(&one["id"])).expect("an id");
                let charges = self.charges_of(id);
                assert!(charges.len() <= 1, "charged twice: {one}");
                let is_credit = |row: &&Value| {
                    let reasons = ["top_up", "auto_recharge"];
                    row["status"] == "completed"
                        && row["top_up_id"] == one["id"]
                        && reasons.contains(&text(&row["reason"]))
                };
                let credits: Vec<i64> = rows
                    .iter()
                    .filter(is_credit)
                    .map(|row| cents(&row["amount"]))
                    .collect();
                assert_eq!(credits, charges, "each payment is credited once: {one}");
                paid += charges.len();
                let status = if charges.is_empty() {
                    "failed"
                } else {
                    "succeeded"
                };
                assert_eq!(one["status"], status, "it has come to its end: {one}");
                assert!(cents(&one["refunded"]) <= charges.iter().sum());
            }
        }
        let report = self.app.get("/v1/reports/trial-balance").await.json();
        assert_eq!(report["totals"][0]["balance"], "0.00", "{report}");
        self.app.verify();
        paid
    }

    async fn transactions_of(&self, payer: usize) -> Vec<Value> {
        let path = format!("{}/transactions?limit=100", self.payers[payer].path());
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.app.get(&format!("{path}{cursor}")).await.json();
            rows.extend(page["data"].as_array().expect("a list").clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    /// What the provider has charged for a top-up, in cents: each payment of its own.
    fn charges_of(&self, id: TopUpId) -> Vec<i64> {
        let connection = Connection::open(self.app.database()).expect("the database");
        let merchant = self.merchant();
        let payments = sandbox::about(&connection, merchant, "payment", id.number());
        let payments = payments.expect("payments").into_iter();
        let read = |body: String| serde_json::from_str::<Value>(&body).expect("JSON");
        payments
            .map(|object| read(object.body))
            .filter(|payment| payment["state"] == "succeeded")
            .map(|payment| payment["charged"].as_i64().expect("micro-units") / 10_000)
            .collect()
    }
}
