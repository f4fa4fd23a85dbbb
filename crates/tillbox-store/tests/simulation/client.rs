//! The caller's side, in a few words.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Debit, Force};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Actor, KeyStamp, Note};
use tillbox_core::id::{CustomerId, MerchantId, OutboxId, WalletId};
use tillbox_core::reason::{Language, Reason};
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::{NewWallet, WalletState, WalletStatus};
use tillbox_engine::clock::MerchantClock;
use tillbox_engine::port::OpenedWallet;
use tillbox_engine::work::{Mode, OpenSubmission, Submission};

pub(crate) const MERCHANT: MerchantId = MerchantId::from_number(1);
/// Where clocks stand at first: 2026-01-01.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// Runs a future to its end on this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Begins something, and does not wait for it.
pub(crate) fn begin<T>(future: impl Future<Output = T>) {
    let mut context = Context::from_waker(Waker::noop());
    // It may be answered already: then nobody hears that.
    let _heard_or_not = pin!(future).poll(&mut context).is_ready();
}

/// Runs futures to their end, all begun before the first is waited for; `begun` is called in between.
pub(crate) fn wait_for_all<T>(
    futures: impl Iterator<Item = impl Future<Output = T>>,
    begun: impl FnOnce(),
) -> Vec<T> {
    let mut all: Vec<Pin<Box<_>>> = futures.map(Box::pin).collect();
    let mut early = Vec::new();
    for future in &mut all {
        let mut context = Context::from_waker(Waker::noop());
        early.push(match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        });
    }
    begun();
    let both = early.into_iter().zip(all);
    both.map(|(early, future)| early.unwrap_or_else(|| wait(future)))
        .collect()
}

pub(crate) fn wallet(number: i64) -> WalletId {
    WalletId::from_number(number)
}

pub(crate) fn units(units: i64) -> Amount {
    Amount::from_micros(units * 1_000_000)
}

pub(crate) fn debit_of(amount: Amount, force: Option<Force>) -> Debit {
    Debit {
        amount,
        reason: Reason::Usage,
        force,
        note: Note::default(),
    }
}

pub(crate) fn key(number: u64, fingerprint: u8) -> KeyStamp {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number.to_be_bytes());
    KeyStamp {
        key,
        fingerprint: [fingerprint; 16],
    }
}

/// A command for wallet 1 without a key.
pub(crate) fn ask(command: Command) -> Submission {
    Submission {
        merchant_id: MERCHANT,
        wallet_id: wallet(1),
        command,
        key: None,
        actor: Actor::System,
        clock: MerchantClock::default(),
        policies: Arc::default(),
        at: None,
        mode: Mode::Commit,
        answer: None,
    }
}

pub(crate) fn new_wallet(
    number: i64,
    customer: i64,
    status: WalletStatus,
    overdraft_limit: Amount,
) -> NewWallet {
    NewWallet {
        id: wallet(number),
        merchant_id: MERCHANT,
        customer_id: CustomerId::from_number(customer),
        currency: Currency::parse("USD").expect("a currency"),
        language: Language::En,
        status,
        overdraft_limit,
    }
}

/// A wallet to open. Its answer is its balance in text.
pub(crate) fn opening(wallet: NewWallet) -> OpenSubmission {
    OpenSubmission {
        opened: OpenedWallet {
            wallet,
            name: None,
            metadata: "{}".to_owned(),
            created_at: START,
            outbox_id: OutboxId::from_number(0),
            opened_by: Actor::System,
            request: None,
        },
        credit: None,
        key: None,
        actor: Actor::System,
        clock: MerchantClock::default(),
        policies: Arc::default(),
        mode: Mode::Commit,
        answer: Arc::new(|state: &WalletState, _rows, now| {
            let text = format!("{} {now}", state.balance.micros());
            (201, text.into_bytes())
        }),
    }
}
