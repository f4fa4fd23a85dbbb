//! What happens in a storm.

use super::{Storm, principal};
use serde_json::json;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, OpenTopUp};
use tillbox_core::entry::Note;
use tillbox_core::id::{EntryId, TopUpId};
use tillbox_core::payback::DisputeStatus;
use tillbox_core::reason::Reason;
use tillbox_core::top_up::Channel;
use tillbox_service::payments::Notice;
use tillbox_service::payments::sandbox::Faults;
use tillbox_service::{Mode, Operation};

impl Storm {
    pub(super) async fn step(mut self) -> Self {
        match self.dice.below(100) {
            0..=9 => self.open_top_up().await,
            10..=34 => self.debit().await,
            35..=52 => self.ask().await,
            53..=62 => self.notice().await,
            63..=68 => self.late_notice().await,
            69..=71 => self.come_back().await,
            72..=74 => self.sync().await,
            75..=79 => self.set_faults().await,
            80..=84 => self.refund().await,
            85..=88 => self.ask_about_payout().await,
            89..=92 => self.bank().await,
            93..=95 => self.wait(),
            96..=97 => return self.stop_while_a_notice_comes().await,
            _ => {
                self.tell(|| "the process ends, and another begins".to_owned());
                self.app = self.app.restart().await;
            }
        }
        self
    }

    /// Ids of things are as old as they say: the service makes one, of something that is not used besides.
    async fn fresh_number(&self) -> i64 {
        let body = json!({"name": "Nobody"}).to_string();
        let made = self.app.post("/v1/customers", "", &body).await.json();
        let id = made["id"].as_str().expect("an id");
        let id = tillbox_core::id::CustomerId::parse(id).expect("an id");
        id.number()
    }

    async fn open_top_up(&mut self) {
        let number = self.fresh_number().await;
        let payer = self.dice.below(self.payers.len());
        let cents = i64::try_from(500 + self.dice.below(4_000)).expect("a small number");
        let payer = &self.payers[payer];
        let open = OpenTopUp {
            id: TopUpId::from_number(number),
            amount: Amount::from_micros(cents * 10_000),
            reason: Reason::TopUp,
            channel: Channel::Saved,
            method: Some(payer.method),
            note: Note::default(),
        };
        let operation = Operation {
            wallet_id: payer.wallet,
            command: Command::OpenTopUp(open),
            key: None,
            mode: Mode::Commit,
        };
        let who = principal(&self.app);
        let opened = self.app.service.submit(&who, operation).await.is_ok();
        self.tell(|| format!("top-up of {cents} cents: {opened}"));
    }

    async fn debit(&mut self) {
        let payer = self.dice.below(self.payers.len());
        let units = 1 + self.dice.below(14);
        let path = format!("{}/debits", self.payers[payer].path());
        let body = json!({"amount": units.to_string()}).to_string();
        let key = self.next_key();
        let answer = self.app.post(&path, &key, &body).await;
        let may = [201, 402, 409].contains(&answer.status);
        assert!(may, "{}", answer.json());
        self.tell(|| format!("debit of {units} on {payer}: {}", answer.status));
    }

    fn one_of_the_newest(&mut self) -> Option<TopUpId> {
        let newest = self.top_ups.len().saturating_sub(8);
        self.dice.pick(&self.top_ups[newest..]).map(|(id, _)| *id)
    }

    /// The worker takes its next step; at times twice at once.
    async fn ask(&mut self) {
        let Some(id) = self.one_of_the_newest() else {
            return;
        };
        let twice = self.dice.below(5) == 0;
        let service = &self.app.service;
        let learnt = if twice {
            let (one, other) = tokio::join!(service.ask_provider(id), service.ask_provider(id));
            format!("{one:?} and {other:?}")
        } else {
            format!("{:?}", service.ask_provider(id).await)
        };
        self.tell(|| format!("the worker asks about {id}: {learnt}"));
    }

    /// The provider tells how a payment stands: at once, twice, or later.
    async fn notice(&mut self) {
        let Some(id) = self.one_of_the_newest() else {
            return;
        };
        let merchant = self.merchant();
        let known = self.app.service.sandbox().look_up(merchant, id).await;
        let Some(payment) = known.expect("an answer") else {
            return;
        };
        let times = self.dice.below(4);
        self.tell(|| format!("notice of {id}, {times} times: {:?}", payment.state));
        if times == 0 {
            self.late.push(Notice::Payment(payment));
            return;
        }
        for _ in 1..=times.min(2) {
            let notice = Notice::Payment(payment.clone());
            let taken = self.app.service.take_notice(merchant, notice).await;
            taken.expect("taken");
        }
    }

    async fn late_notice(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let place = self.dice.below(self.late.len());
        let notice = self.late.swap_remove(place);
        self.tell(|| format!("late notice: {notice:?}"));
        let merchant = self.merchant();
        let taken = self.app.service.take_notice(merchant, notice).await;
        taken.expect("taken");
    }

    async fn come_back(&mut self) {
        if let Some(id) = self.one_of_the_newest() {
            self.app.service.come_back(id).await.expect("told");
            self.tell(|| format!("the customer of {id} comes back"));
        }
    }

    async fn sync(&mut self) {
        let payer = self.dice.below(self.payers.len());
        let wallet = self.payers[payer].wallet;
        let who = principal(&self.app);
        let synced = self.app.service.sync_wallet(&who, wallet).await;
        synced.expect("told");
        self.tell(|| format!("somebody syncs {payer}"));
    }

    async fn set_faults(&mut self) {
        let few = |dice: usize| u32::try_from(dice).expect("a small number");
        let codes = ["card_declined", "insufficient_funds", "processing_error"];
        let faults = Faults {
            lose_replies: few(self.dice.below(4)),
            decline_next: few(self.dice.below(3)),
            decline_code: self.dice.pick(&codes).map(|code| (*code).to_owned()),
            decline_refunds: few(self.dice.below(2)),
            delay_refunds_seconds: if self.dice.below(2) == 0 { 0 } else { 60 },
            ..Faults::default()
        };
        self.tell(|| format!("{faults:?}"));
        let merchant = self.merchant();
        let set = self.app.service.sandbox().set_faults(merchant, faults);
        set.await.expect("set");
    }

    async fn refund(&mut self) {
        let Some((id, payer)) = self.dice.pick(&self.paid).copied() else {
            return;
        };
        let body = if self.dice.below(2) == 0 {
            json!({})
        } else {
            json!({"amount": (1 + self.dice.below(5)).to_string()})
        };
        let path = format!("{}/top-ups/{id}/refund", self.payers[payer].path());
        let key = self.next_key();
        let answer = self.app.post(&path, &key, &body.to_string()).await;
        let may = [201, 409, 422].contains(&answer.status);
        assert!(may, "{}", answer.json());
        if answer.status == 201 {
            let row = answer.json();
            let row = EntryId::parse(super::text(&row["id"])).expect("an id");
            self.payouts.push(row);
        }
        self.tell(|| format!("refund of {id} on {payer}: {}", answer.status));
    }

    async fn ask_about_payout(&mut self) {
        let Some(payout) = self.dice.pick(&self.payouts).copied() else {
            return;
        };
        let merchant = self.merchant();
        let asked = self.app.service.ask_about_payout(merchant, payout).await;
        let learnt = asked.expect("asked");
        self.tell(|| format!("the worker asks about payout {payout}: {learnt:?}"));
    }

    /// A bank disputes, decides, or takes back; what it tells comes at once, or late.
    async fn bank(&mut self) {
        let Some((id, _)) = self.dice.pick(&self.paid).copied() else {
            return;
        };
        let merchant = self.merchant();
        let sandbox = self.app.service.sandbox();
        let known = sandbox.disputes_of(merchant, id).await.expect("told");
        let (what, decides) = (self.dice.below(4), self.dice.below(3));
        match (known.last(), what) {
            (_, 0) => {
                let opened = sandbox.open_dispute(merchant, id, None).await;
                opened.expect("told");
            }
            (Some(last), _) => {
                let status = DisputeStatus::ALL[1 + decides.min(1)];
                let told = sandbox.decide_dispute(merchant, &last.provider_id, status);
                told.await.expect("told");
            }
            (None, _) => {}
        }
        let stand = sandbox.disputes_of(merchant, id).await.expect("told");
        for dispute in stand {
            let notice = Notice::Dispute(dispute);
            self.tell(|| format!("{notice:?}"));
            if self.dice.below(3) == 0 {
                self.late.push(notice);
            } else {
                let taken = self.app.service.take_notice(merchant, notice).await;
                taken.expect("taken");
            }
        }
    }

    fn wait(&mut self) {
        let seconds = [10, 60, 600, 4_000][self.dice.below(4)];
        self.tell(|| format!("{seconds} seconds pass"));
        self.app.wait(seconds);
    }

    /// A notice that finds the process stopping is not taken: the provider sends it again.
    async fn stop_while_a_notice_comes(mut self) -> Self {
        let merchant = self.merchant();
        let mut untaken = Vec::new();
        self.app.service.stop();
        for (id, _) in self.top_ups.clone() {
            let known = self.app.service.sandbox().look_up(merchant, id).await;
            let Ok(Some(payment)) = known else { continue };
            let notice = Notice::Payment(payment);
            let taken = self.app.service.take_notice(merchant, notice.clone());
            if taken.await.is_err() {
                untaken.push(notice);
            }
        }
        self.tell(|| format!("{} notices find the process stopping", untaken.len()));
        self.late.extend(untaken);
        self.app = self.app.restart().await;
        self
    }
}
