//! Who learns of a payment, in every order: the reply, a lost reply, a notice, a doubled one, the return page, the
//! poller, Sync. Each order of up to four ends in one credit, also with a crash between any two (T4).
//!
//! All orders go forward together, each on a top-up of its own: the first way of all of them, a crash, the second way of
//! all, and so on. So every step of every order is followed by a crash, at the price of four.

use crate::app::TestApp;
use futures_util::StreamExt;
use serde_json::json;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, OpenTopUp};
use tillbox_core::entry::Note;
use tillbox_core::id::{PaymentMethodId, TopUpId, WalletId};
use tillbox_core::reason::Reason;
use tillbox_core::top_up::Channel;
use tillbox_service::payments::Notice;
use tillbox_service::payments::sandbox::Faults;
use tillbox_service::{Mode, Operation, Principal};

/// How somebody learns of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The worker charges, and hears the answer.
    Reply,
    /// The worker charges, and hears nothing.
    LostReply,
    /// The provider tells.
    Notice,
    /// The provider tells, twice.
    DoubledNotice,
    /// The customer comes back.
    ReturnPage,
    /// The worker asks again.
    Poller,
    /// Somebody presses Sync.
    Sync,
}

const WAYS: [Way; 7] = [
    Way::Reply,
    Way::LostReply,
    Way::Notice,
    Way::DoubledNotice,
    Way::ReturnPage,
    Way::Poller,
    Way::Sync,
];

/// All orders of one to `longest` ways.
fn orders(longest: usize) -> Vec<Vec<Way>> {
    let mut all = Vec::new();
    let mut last: Vec<Vec<Way>> = vec![Vec::new()];
    for _ in 0..longest {
        let longer = |order: &Vec<Way>| WAYS.map(|way| [order.as_slice(), &[way]].concat());
        last = last.iter().flat_map(longer).collect();
        all.extend(last.clone());
    }
    all
}

/// One order, with the top-up that it is about.
struct Case {
    order: Vec<Way>,
    wallet: WalletId,
    top_up: TopUpId,
}

/// Orders that go forward at the same time, so that they share commits.
const TOGETHER: usize = 200;

fn principal(app: &TestApp) -> Principal {
    app.service.authenticate(crate::app::KEY).expect("the key")
}

async fn case(app: &TestApp, order: Vec<Way>) -> Case {
    let body = json!({"name": "Acme"}).to_string();
    let customer = app.post("/v1/customers", "", &body).await.json();
    let customer = customer["id"].as_str().expect("an id").to_owned();
    let body = json!({"customer_id": customer, "currency": "USD"}).to_string();
    let wallet = app.post("/v1/wallets", "", &body).await.json();
    let wallet = WalletId::parse(wallet["id"].as_str().expect("an id")).expect("an id");
    let body = json!({"token": "pm_card_visa"}).to_string();
    let path = format!("/v1/customers/{customer}/payment-methods");
    let method = app.post(&path, "", &body).await.json();
    let method = PaymentMethodId::parse(method["id"].as_str().expect("an id")).expect("an id");
    // As fresh as the wallet's: of an old one the provider is not asked to charge any more.
    let top_up = TopUpId::from_number(wallet.number());
    let open = OpenTopUp {
        id: top_up,
        amount: Amount::from_micros(25_000_000),
        reason: Reason::TopUp,
        channel: Channel::Saved,
        method: Some(method),
        note: Note::default(),
    };
    let operation = Operation {
        wallet_id: wallet,
        command: Command::OpenTopUp(open),
        key: None,
        mode: Mode::Commit,
    };
    let opened = app.service.submit(&principal(app), operation).await;
    opened.expect("it is opened");
    Case {
        order,
        wallet,
        top_up,
    }
}

impl Case {
    async fn step(&self, app: &TestApp, step: usize) {
        let Some(way) = self.order.get(step) else {
            return;
        };
        let (service, who) = (&app.service, principal(app));
        match way {
            // Whether a reply is heard is set for all of them at once.
            Way::Reply | Way::LostReply | Way::Poller => {
                service.ask_provider(self.top_up).await.expect("asked");
            }
            Way::Notice => self.notice(app).await,
            Way::DoubledNotice => {
                self.notice(app).await;
                self.notice(app).await;
            }
            Way::ReturnPage => {
                service.come_back(self.top_up).await.expect("told");
            }
            Way::Sync => {
                service.sync_wallet(&who, self.wallet).await.expect("told");
            }
        }
    }

    /// The provider tells how the payment stands; of one that it does not know it tells nothing.
    async fn notice(&self, app: &TestApp) {
        let merchant = principal(app).merchant_id;
        let sandbox = app.service.sandbox();
        let payment = sandbox.look_up(merchant, self.top_up).await;
        if let Some(payment) = payment.expect("an answer") {
            let taken = app.service.take_notice(merchant, Notice::Payment(payment));
            taken.await.expect("taken");
        }
    }
}

/// Carries out one step of some of the cases, side by side.
async fn step_of(app: &TestApp, cases: &[Case], step: usize, is_in: impl Fn(Way) -> bool) {
    let cases = cases.iter().filter(|case| {
        let way = case.order.get(step);
        way.is_some_and(|way| is_in(*way))
    });
    futures_util::stream::iter(cases)
        .for_each_concurrent(TOGETHER, |case| case.step(app, step))
        .await;
}

async fn set_lost_replies(app: &TestApp, lose_replies: u32) {
    let faults = Faults {
        lose_replies,
        ..Faults::default()
    };
    let merchant = principal(app).merchant_id;
    let set = app.service.sandbox().set_faults(merchant, faults).await;
    set.expect("set");
}

async fn run(longest: usize) {
    let mut app = TestApp::start_without_worker();
    let orders = orders(longest);
    let cases: Vec<Case> = futures_util::stream::iter(orders)
        .map(|order| case(&app, order))
        .buffered(TOGETHER)
        .collect()
        .await;
    for step in 0..longest {
        step_of(&app, &cases, step, |way| way != Way::LostReply).await;
        set_lost_replies(&app, u32::MAX).await;
        step_of(&app, &cases, step, |way| way == Way::LostReply).await;
        set_lost_replies(&app, 0).await;
        app = app.restart().await;
    }
    for case in &cases {
        // Where nobody could hear of it so far, somebody does in the end.
        let who = principal(&app);
        app.service
            .sync_wallet(&who, case.wallet)
            .await
            .expect("told");
        let path = format!("/v1/wallets/{}", case.wallet);
        let wallet = app.get(&path).await.json();
        let order = &case.order;
        assert_eq!(wallet["balance"], "25.00", "{order:?}");
        assert_eq!(wallet["pending_top_ups"], "0.00", "{order:?}");
        let list = app.get(&format!("{path}/transactions")).await.json();
        assert_eq!(
            list["data"].as_array().map(Vec::len),
            Some(1),
            "{order:?}: {list}"
        );
    }
    app.verify();
}

/// 2,800 orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t04_each_order_of_up_to_four_ways_to_learn_of_a_payment_makes_one_credit() {
    run(4).await;
}
