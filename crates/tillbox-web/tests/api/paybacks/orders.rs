//! Who learns of a refund, in every order, and what becomes of a payment, in every order: each with a crash between any
//! two steps (R27, R28).

use super::{Paid, closing, paid, principal, set_faults};
use crate::app::TestApp;
use futures_util::StreamExt;
use serde_json::json;
use tillbox_core::id::EntryId;
use tillbox_core::payback::DisputeStatus;
use tillbox_service::payments::Notice;
use tillbox_service::payments::sandbox::Faults;

/// Cases that go forward at the same time, so that they share commits.
const TOGETHER: usize = 100;

/// All orders of one to `longest` of some steps.
fn orders<T: Copy>(steps: &[T], longest: usize) -> Vec<Vec<T>> {
    let mut all = Vec::new();
    let mut last: Vec<Vec<T>> = vec![Vec::new()];
    for _ in 0..longest {
        let longer = |order: &Vec<T>| {
            let order = order.clone();
            steps
                .iter()
                .map(move |step| [order.as_slice(), &[*step]].concat())
        };
        last = last.iter().flat_map(longer).collect();
        all.extend(last.clone());
    }
    all
}

/// How somebody learns of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The worker asks, and hears the answer; also again.
    Reply,
    /// The worker asks, and hears nothing.
    LostReply,
    /// The provider tells.
    Notice,
    /// The provider tells, twice.
    DoubledNotice,
    /// Somebody presses Sync.
    Sync,
}

const WAYS: [Way; 5] = [
    Way::Reply,
    Way::LostReply,
    Way::Notice,
    Way::DoubledNotice,
    Way::Sync,
];

/// What opens a payout.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// A refund of the top-up.
    Refund,
    /// The end of the wallet.
    Close,
}

struct Case {
    order: Vec<Way>,
    paid: Paid,
    payout: EntryId,
}

impl Case {
    async fn new(app: &TestApp, order: Vec<Way>, by: By) -> Self {
        let paid = paid(app, "pm_card_visa", "25").await;
        match by {
            By::Refund => {
                let refund = app.post(&paid.refund_path(), "refund", "{}").await;
                assert_eq!(refund.status, 201, "{}", refund.json());
            }
            By::Close => drop(closing::close(app, &paid).await),
        }
        Self {
            order,
            payout: closing::payout(app, &paid).await,
            paid,
        }
    }

    async fn step(&self, app: &TestApp, step: usize) {
        let merchant = principal(app).merchant_id;
        match self.order.get(step) {
            None => {}
            // Whether a reply is heard is set for all of them at once.
            Some(Way::Reply | Way::LostReply) => {
                let asked = app.service.ask_about_payout(merchant, self.payout);
                asked.await.expect("asked");
            }
            Some(Way::Notice) => self.notice(app).await,
            Some(Way::DoubledNotice) => {
                self.notice(app).await;
                self.notice(app).await;
            }
            Some(Way::Sync) => super::sync(app, &self.paid).await,
        }
    }

    /// The provider tells how the refund stands; of one that it does not know it tells nothing.
    async fn notice(&self, app: &TestApp) {
        let merchant = principal(app).merchant_id;
        let sandbox = app.service.sandbox();
        let refund = sandbox.look_up_refund(merchant, self.payout).await;
        if let Some(refund) = refund.expect("an answer") {
            let taken = app.service.take_notice(merchant, Notice::Refund(refund));
            taken.await.expect("taken");
        }
    }
}

async fn step_of(app: &TestApp, cases: &[Case], step: usize, lost: bool) {
    let is_lost = |case: &&Case| case.order.get(step) == Some(&Way::LostReply);
    let cases = cases.iter().filter(|case| is_lost(case) == lost);
    futures_util::stream::iter(cases)
        .for_each_concurrent(TOGETHER, |case| case.step(app, step))
        .await;
}

async fn run_refunds(longest: usize, by: By, declined: bool) {
    let mut app = TestApp::start_without_worker();
    let cases: Vec<Case> = futures_util::stream::iter(orders(&WAYS, longest))
        .map(|order| Case::new(&app, order, by))
        .buffered(TOGETHER)
        .collect()
        .await;
    let refused = if declined { u32::MAX } else { 0 };
    let faults = |lose_replies| Faults {
        lose_replies,
        decline_refunds: refused,
        ..Faults::default()
    };
    for step in 0..longest {
        set_faults(&app, faults(0)).await;
        step_of(&app, &cases, step, false).await;
        set_faults(&app, faults(u32::MAX)).await;
        step_of(&app, &cases, step, true).await;
        set_faults(&app, faults(0)).await;
        app = app.restart().await;
    }
    for case in &cases {
        // Where nobody could hear of it so far, somebody does in the end.
        super::sync(&app, &case.paid).await;
        let order = &case.order;
        let rows = case.paid.transactions(&app).await;
        let top_up = case.paid.top_up(&app).await;
        if by == By::Close {
            assert_eq!(rows.len(), 2, "{order:?}: {rows:?}");
            assert_eq!(top_up["refunded"], "25.00", "{order:?}");
            // A person has to pay what the provider refused.
            let path = format!(
                "/v1/events?type=wallet.updated&wallet_id={}",
                case.paid.wallet
            );
            let told = app.get(&path).await.json();
            let times = told["data"].as_array().map(Vec::len);
            assert_eq!(times, Some(usize::from(declined)), "{order:?}");
        } else if declined {
            assert_eq!(rows.len(), 3, "{order:?}: {rows:?}");
            assert_eq!(rows[2], ("reversal".to_owned(), "25.00".to_owned()));
            assert_eq!(top_up["refundable"], "25.00", "{order:?}");
        } else {
            assert_eq!(rows.len(), 2, "{order:?}: {rows:?}");
            assert_eq!(top_up["refunded"], "25.00", "{order:?}");
        }
        let wallet = &case.paid.wallet;
        let path = format!("/v1/events?type=top_up.refunded&wallet_id={wallet}");
        let told = app.get(&path).await.json();
        let times = told["data"].as_array().map(Vec::len);
        assert_eq!(times, Some(usize::from(!declined)), "{order:?}");
    }
    app.verify();
}

/// 155 orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r27_each_order_of_ways_to_learn_of_a_refund_pays_back_once() {
    run_refunds(3, By::Refund, false).await;
}

/// 155 orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r27_each_order_of_ways_to_learn_of_a_refund_that_failed_reverses_once() {
    run_refunds(3, By::Refund, true).await;
}

/// 30 orders each, of payouts that the end of a wallet has opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r39_each_order_of_ways_to_learn_of_a_payout_of_a_closed_wallet_ends_it_once() {
    run_refunds(2, By::Close, false).await;
    run_refunds(2, By::Close, true).await;
}

/// What may come of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Opened,
    Lost,
    Won,
    Refund,
    Spend,
    Hold,
}

const STEPS: [Step; 6] = [
    Step::Opened,
    Step::Lost,
    Step::Won,
    Step::Refund,
    Step::Spend,
    Step::Hold,
];

/// Carries a step out; what can't be done now is left, and what is told is told twice.
async fn carry_out(app: &TestApp, paid: &Paid, step: Step, place: usize) {
    let tell = |status| async move {
        paid.tell(app, status, "100").await;
        paid.tell(app, status, "100").await;
    };
    let key = format!("step {place}");
    let path = paid.path();
    match step {
        Step::Opened => tell(DisputeStatus::Open).await,
        Step::Lost => tell(DisputeStatus::Lost).await,
        Step::Won => tell(DisputeStatus::Won).await,
        Step::Refund => {
            app.post(&paid.refund_path(), &key, r#"{"amount":"40"}"#)
                .await;
            super::sync(app, paid).await;
        }
        Step::Spend => {
            app.post(&format!("{path}/debits"), &key, r#"{"amount":"25"}"#)
                .await;
        }
        Step::Hold => {
            app.post(&format!("{path}/holds"), &key, r#"{"amount":"15"}"#)
                .await;
        }
    }
}

/// Each order of three steps (258), with a crash between any two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_each_order_of_disputes_refunds_and_spending_comes_to_the_right_numbers() {
    let mut app = TestApp::start_without_worker();
    let cases: Vec<(Vec<Step>, Paid)> = futures_util::stream::iter(orders(&STEPS, 3))
        .map(|order| async {
            let paid = paid(&app, "pm_card_visa", "100").await;
            (order, paid)
        })
        .buffered(TOGETHER)
        .collect()
        .await;
    for step in 0..3 {
        futures_util::stream::iter(&cases)
            .for_each_concurrent(TOGETHER, |(order, paid)| {
                let app = &app;
                async move {
                    if let Some(next) = order.get(step) {
                        carry_out(app, paid, *next, step).await;
                    }
                }
            })
            .await;
        app = app.restart().await;
    }
    for (order, paid) in &cases {
        let cents = |value: &serde_json::Value| {
            let text = value.as_str().expect("text").replace('.', "");
            text.parse::<i64>().expect("cents")
        };
        let top_up = paid.top_up(&app).await;
        let (refunded, taken) = (cents(&top_up["refunded"]), cents(&top_up["charged_back"]));
        // The first decision stands, but for a win behind a loss.
        let is_lost = order.contains(&Step::Lost) && !order.contains(&Step::Won);
        let due = if is_lost { 10_000 - refunded } else { 0 };
        assert_eq!(taken, due, "{order:?}: {top_up}");
        assert!((0..=10_000).contains(&(refunded + taken)), "{order:?}");
        let rows = paid.transactions(&app).await;
        let spent = rows.iter().filter(|(reason, _)| reason == "usage").count();
        let spent = i64::try_from(spent).expect("few") * 2_500;
        let wallet = app.get(&paid.path()).await.json();
        let balance = 10_000 - spent - refunded - taken;
        assert_eq!(cents(&wallet["balance"]), balance, "{order:?}: {rows:?}");
        let is_open = order.contains(&Step::Opened)
            && !order.contains(&Step::Won)
            && !order.contains(&Step::Lost);
        if is_open {
            assert_eq!(wallet["available_balance"], json!("0.00"), "{order:?}");
        }
    }
    app.verify();
}
