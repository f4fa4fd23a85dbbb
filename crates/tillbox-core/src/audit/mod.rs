//! The self-audit of one wallet: reads its rows in order and says which rule each breaks.
//!
//! It trusts nothing: rows may have been changed by any hand. So it neither applies rows nor adds amounts as the
//! product does (which stops the process when money would be corrupt), but follows them with checked steps of its
//! own; what it finds are values. Where a row can't be followed (it draws on a lot that is not there), it says so
//! once and goes on with what needs no lots: numbers, time, chain and balance. Memory: every lot and hold that the
//! wallet ever had, and sixteen bytes for each refundable debit.

mod paybacks;
mod replay;
mod reserved;
mod top_ups;

use crate::amount::Amount;
use crate::entry::{Entry, EntryKind, Hash};
use crate::hold::{Hold, HoldStatus};
use crate::id::{EntryId, HoldId, LotId, TopUpId, WalletId};
use crate::lot::Lot;
use crate::payback::{Payback, Payout};
use crate::reason::Reason;
use crate::time::Timestamp;
use crate::top_up::TopUp;
use crate::wallet::{NewWallet, WalletState, WalletStatus};
use paybacks::Paybacks;
use replay::Replay;
use reserved::Reserved;
use std::collections::BTreeMap;
use top_ups::TopUps;

const CLOSED: &str = "a closed wallet is empty, and only late payments come and go back";
/// Every row can be decoded.
pub const READABLE: &str = "every row is readable";
const VERSIONS: &str = "versions have no gaps";
const NUMBERS: &str = "transactions are numbered without gaps";
const TIME: &str = "time never goes backwards";
const CHAIN: &str = "the chain holds";
const TEXT: &str = "free text is what the chain holds";
const BALANCE: &str = "balance after = balance before + amount";
const PARTS: &str = "amount = sum of its parts";
const REFUNDED: &str = "refunds of a debit never pass the debit";

/// The rules that an audit checks on the way. Behind the last row it checks [`WalletState::check`] too, which names
/// more: they follow from these for whoever only follows rows, and are held against them all the same.
pub const RULES: &[&str] = &[
    READABLE,
    VERSIONS,
    NUMBERS,
    TIME,
    CHAIN,
    TEXT,
    BALANCE,
    PARTS,
    REFUNDED,
    CLOSED,
    replay::RANGE,
    replay::LOTS,
    replay::NAMED,
    replay::OPENED,
    replay::COST,
    replay::EXPIRED,
    replay::EXPIRY,
    replay::CHANGED,
    replay::WAY_OUT,
    replay::HOLDS,
    replay::ENDED,
    replay::DEBT,
    top_ups::ONE_CREDIT,
    top_ups::AS_PAID,
    top_ups::MOVES,
    top_ups::WENT_BACK,
    top_ups::ONE_CHARGE,
    paybacks::WITHIN,
    paybacks::AS_MOVED,
    paybacks::PAYOUTS,
    paybacks::GIVEN,
    paybacks::DISPUTES,
    reserved::AT_ONCE,
    reserved::CLAIMED,
    crate::wallet::BALANCE_OF_LOTS,
    crate::wallet::DEBT_AND_VALUE,
];

/// A rule that does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name; the same rule is always told by the same name.
    pub invariant: &'static str,
    /// Whose rows.
    pub wallet: WalletId,
    /// At which row; 0 where it is about what the wallet is in the end.
    pub version: u64,
    /// What was found, for people.
    pub detail: String,
}

/// Follows the rows of one wallet.
#[derive(Clone, Debug)]
pub struct WalletAudit {
    wallet: WalletId,
    version: u64,
    seq: u64,
    head: Hash,
    last_at: Timestamp,
    last_effective_at: Timestamp,
    balance: Amount,
    held: Amount,
    status: Option<WalletStatus>,
    overdraft_limit: Option<Amount>,
    replay: Replay,
    top_ups: TopUps,
    paybacks: Paybacks,
    reserved: Reserved,
    derailed: bool,
    /// What is left to give back of each debit that may be given back, in the order of their ids.
    refundable: Vec<(EntryId, Amount)>,
    violations: Vec<Violation>,
}

/// What the rows come to.
#[derive(Debug)]
pub struct Audited {
    /// What was found, the first of each kind.
    pub violations: Vec<Violation>,
    /// The state behind the last row; none where the rows could not be followed.
    pub state: Option<WalletState>,
    /// All lots that there ever were, as they must be stored.
    pub lots: BTreeMap<LotId, Lot>,
    /// All holds that there ever were, as they must be stored.
    pub holds: BTreeMap<HoldId, Hold>,
    /// All top-ups that there ever were, as they must be stored, each with the transaction that it made.
    pub top_ups: BTreeMap<TopUpId, (TopUp, Option<EntryId>)>,
    /// What has gone back of payments, as it must be stored.
    pub paybacks: BTreeMap<TopUpId, Payback>,
    /// All payouts that there ever were, as they must be stored, each with its payment.
    pub payouts: BTreeMap<EntryId, (TopUpId, Payout)>,
}

/// How a wallet stands behind the rows that were read, as it must be stored.
#[derive(Debug)]
pub struct Stands<'a> {
    /// Its state; none where the rows could not be followed.
    pub state: Option<WalletState>,
    /// All lots that there ever were.
    pub lots: &'a BTreeMap<LotId, Lot>,
    /// All holds that there ever were.
    pub holds: &'a BTreeMap<HoldId, Hold>,
    /// All top-ups that there ever were, each with the transaction that it made.
    pub top_ups: &'a BTreeMap<TopUpId, (TopUp, Option<EntryId>)>,
    /// What has gone back of payments.
    pub paybacks: &'a BTreeMap<TopUpId, Payback>,
    /// All payouts that there ever were, each with its payment.
    pub payouts: &'a BTreeMap<EntryId, (TopUpId, Payout)>,
}

impl WalletAudit {
    /// Before the first row.
    pub fn new(wallet: WalletId) -> Self {
        Self {
            wallet,
            version: 0,
            seq: 0,
            head: [0; 32],
            last_at: Timestamp::from_micros(0),
            last_effective_at: Timestamp::from_micros(0),
            balance: Amount::ZERO,
            held: Amount::ZERO,
            status: None,
            overdraft_limit: None,
            replay: Replay::default(),
            top_ups: TopUps::default(),
            paybacks: Paybacks::default(),
            reserved: Reserved::default(),
            derailed: false,
            refundable: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// The version of the last row that it was given.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Takes the next row, as it is stored.
    pub fn feed(&mut self, entry: &Entry) {
        self.check_numbers(entry);
        self.check_chain(entry);
        self.check_balance(entry);
        self.check_refund(entry);
        self.check_closed(entry);
        if !self.derailed
            && let Err(broken) = self.replay.follow(entry)
        {
            self.derailed = true;
            self.report(broken.invariant, entry.version, broken.detail);
        }
        if let Err(broken) = self.top_ups.follow(entry) {
            self.report(broken.invariant, entry.version, broken.detail);
        }
        if let Err(broken) = self.paybacks.follow(entry, &self.top_ups.all) {
            self.report(broken.invariant, entry.version, broken.detail);
        }
        let is_closed = self.status == Some(WalletStatus::Closed);
        self.reserved.learn(entry);
        if !self.derailed {
            if let Err(broken) = self.reserved.check(entry, &self.replay, is_closed) {
                self.report(broken.invariant, entry.version, broken.detail);
            }
            let value = self.balance_less_held(entry);
            self.top_ups.alerts.follow(value);
        }
        self.version = entry.version;
        self.seq = entry.seq.unwrap_or(self.seq);
        self.head = entry.hash;
        self.last_at = self.last_at.max(entry.at);
        self.last_effective_at = entry.event.effective_at.unwrap_or(entry.at);
        self.balance = entry.balance_after;
        self.status = entry.event.status.or(self.status);
        self.overdraft_limit = entry.event.overdraft_limit.or(self.overdraft_limit);
    }

    /// Says that the next row could not be read: it and all behind it are not followed.
    pub fn feed_unreadable(&mut self, detail: String) {
        let version = self.version.saturating_add(1);
        self.report(READABLE, version, detail);
        self.derailed = true;
    }

    /// The state behind the last row that it was given; none where the rows could not be followed. `wallet` is as for
    /// [`WalletAudit::finish`].
    pub fn state_so_far(&self, wallet: NewWallet) -> Option<WalletState> {
        if self.derailed {
            return None;
        }
        self.state(wallet).ok()
    }

    /// Ends with the state that must be stored. `wallet` is the wallet as it is stored: what no row says of it
    /// (its status and its overdraft limit, when they never changed) is taken from there.
    pub fn finish(mut self, wallet: NewWallet) -> Audited {
        let state = if self.derailed {
            None
        } else {
            self.state(wallet)
                .map_err(|broken| self.report(broken.invariant, 0, broken.detail))
                .ok()
        };
        let is_over = self.status == Some(WalletStatus::Closed);
        if is_over && !self.derailed && !self.replay.is_empty() {
            self.report(CLOSED, self.version, "value is left".to_owned());
        }
        if !self.derailed
            && let Err(broken) = self.reserved.nothing_due()
        {
            self.report(broken.invariant, self.version, broken.detail);
        }
        for broken in self.top_ups.left_over() {
            self.report(broken.invariant, self.version, broken.detail);
        }
        if let Some(Err(rule)) = state.as_ref().map(WalletState::check) {
            self.report(rule, 0, format!("after version {}", self.version));
        }
        Audited {
            violations: self.violations,
            state,
            lots: self.replay.lots,
            holds: self.replay.holds,
            top_ups: self.top_ups.all,
            paybacks: self.paybacks.all,
            payouts: self.paybacks.payouts,
        }
    }

    /// How the wallet stands now; more rows may follow. `wallet` as in [`WalletAudit::finish`].
    pub fn stands(&self, wallet: NewWallet) -> Stands<'_> {
        Stands {
            state: self.state_so_far(wallet),
            lots: &self.replay.lots,
            holds: &self.replay.holds,
            top_ups: &self.top_ups.all,
            paybacks: &self.paybacks.all,
            payouts: &self.paybacks.payouts,
        }
    }

    fn state(&self, wallet: NewWallet) -> Result<WalletState, replay::Broken> {
        self.replay.sums_in_range()?;
        let mut state = WalletState::new(NewWallet {
            status: self.status.unwrap_or(wallet.status),
            overdraft_limit: self.overdraft_limit.unwrap_or(wallet.overdraft_limit),
            ..wallet
        });
        state.version = self.version;
        state.seq = self.seq;
        state.head = self.head;
        state.last_at = self.last_at;
        state.last_effective_at = self.last_effective_at;
        state.balance = self.balance;
        state.debt = self.replay.debt();
        let lots = self.replay.lots.values();
        let lots = lots.filter(|lot| lot.remaining.is_positive());
        let holds = self.replay.holds.values();
        let holds = holds.filter(|hold| hold.status == HoldStatus::Open);
        let open = self.top_ups.all.iter();
        let open = open.filter(|(_, (top_up, _))| top_up.status.is_open());
        let open: Vec<_> = open
            .map(|(id, (top_up, _))| (*id, top_up.clone()))
            .collect();
        let recharge = self.top_ups.recharge.clone();
        let alerts = self.top_ups.alerts.clone();
        let state = state.with_open(lots.cloned().collect(), holds.cloned().collect());
        let state = state.with_policy(open, recharge, alerts);
        Ok(state.with_disputed(self.reserved.disputed.clone()))
    }

    fn balance_less_held(&mut self, entry: &Entry) -> Amount {
        let change = entry.event.checked_held_change().unwrap_or(Amount::ZERO);
        self.held = self.held.checked_add(change).unwrap_or(self.held);
        entry.balance_after.saturating_sub(self.held)
    }

    fn check_numbers(&mut self, entry: &Entry) {
        let next = self.version.saturating_add(1);
        if entry.version != next {
            let found = format!("version {} follows {}", entry.version, self.version);
            self.report(VERSIONS, entry.version, found);
        }
        let seq = entry
            .event
            .moves_money()
            .then(|| self.seq.saturating_add(1));
        if entry.seq != seq {
            let found = format!("seq {:?} where {seq:?} is due", entry.seq);
            self.report(NUMBERS, entry.version, found);
        }
        if entry.at < self.last_at {
            let found = format!("{} after {}", entry.at, self.last_at);
            self.report(TIME, entry.version, found);
        }
    }

    fn check_chain(&mut self, entry: &Entry) {
        if entry.hash != entry.chained_after(&self.head) {
            let found = "the row is not the one that was chained, or the row before is not";
            self.report(CHAIN, entry.version, found.to_owned());
        }
        if !entry.note_holds() {
            let found = "there is text that the chain does not hold";
            self.report(TEXT, entry.version, found.to_owned());
        }
    }

    fn check_balance(&mut self, entry: &Entry) {
        let amount = entry.event.amount;
        if self.balance.checked_add(amount) != Some(entry.balance_after) {
            let found = format!(
                "{} and {} make {}",
                self.balance.micros(),
                amount.micros(),
                entry.balance_after.micros()
            );
            self.report(BALANCE, entry.version, found);
        }
        let parts = replay::sum_of_parts(&entry.event);
        if parts != i128::from(amount.micros()) {
            let found = format!("{} where its parts make {parts}", amount.micros());
            self.report(PARTS, entry.version, found);
        }
    }

    fn check_refund(&mut self, entry: &Entry) {
        let amount = entry.event.amount;
        let is_refundable =
            entry.event.reason.is_some_and(Reason::is_refundable) || entry.event.payback.is_some();
        if amount.is_negative() && is_refundable {
            let whole = Amount::ZERO.checked_sub(amount).unwrap_or(Amount::ZERO);
            self.refundable.push((entry.id, whole));
        }
        let Some(debit) = entry.event.refund_of else {
            return;
        };
        let place = self.refundable.binary_search_by_key(&debit, |(id, _)| *id);
        let left = place.ok().and_then(|place| self.refundable.get_mut(place));
        let kept = left.and_then(|(_, left)| {
            *left = left.checked_sub(amount)?;
            (!left.is_negative() && amount.is_positive()).then_some(())
        });
        if kept.is_none() {
            let found = format!("{} of {debit}", amount.micros());
            self.report(REFUNDED, entry.version, found);
        }
    }

    /// Closing leaves nothing, and behind it only a payment comes that still succeeded, and goes back.
    fn check_closed(&mut self, entry: &Entry) {
        let event = &entry.event;
        if event.status == Some(WalletStatus::Closed) && !entry.balance_after.is_zero() {
            self.report(
                CLOSED,
                entry.version,
                "it is closed with a balance".to_owned(),
            );
        }
        if self.status != Some(WalletStatus::Closed) {
            return;
        }
        let is_of_payment = matches!(
            event.kind,
            EntryKind::Credit
                | EntryKind::Withdrawn
                | EntryKind::TopUpRefunded
                | EntryKind::Reversed
        );
        let is_told = matches!(
            event.kind,
            EntryKind::Forfeited | EntryKind::PayoutEnded | EntryKind::DisputeChanged
        );
        let is_late = (is_of_payment && event.top_up_id.is_some()) || is_told;
        if !is_late || event.status.is_some() {
            let found = format!("{:?} behind the end", event.kind);
            self.report(CLOSED, entry.version, found);
        }
    }

    fn report(&mut self, invariant: &'static str, version: u64, detail: String) {
        let known = self.violations.iter();
        if known.into_iter().any(|known| known.invariant == invariant) {
            return;
        }
        self.violations.push(Violation {
            invariant,
            wallet: self.wallet,
            version,
            detail,
        });
    }
}
