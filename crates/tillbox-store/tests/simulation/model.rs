//! What a wallet must do, told a second time and as simply as can be: rows in lists, sums made anew each time.
//! It shares words (commands, refusals) with the core and none of its logic.

mod follows;
mod money_back;
mod money_in;
mod spending;
mod value;
mod ways_out;

pub(crate) use follows::Follow;
pub(crate) use money_back::ModelPayment;
pub(crate) use money_in::{BONUS_DAYS, MAXIMUM, MAXIMUM_BALANCE, MINIMUM};

use money_in::{ModelRecharge, ModelTopUp};
use std::collections::{BTreeMap, VecDeque};
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Expiry};
use tillbox_core::entry::Entry;
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{EntryId, HoldId, LotId, TopUpId};
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletStatus;

/// One wallet.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) lots: Vec<ModelLot>,
    pub(crate) holds: BTreeMap<HoldId, ModelHold>,
    moves: BTreeMap<EntryId, Move>,
    pub(crate) top_ups: BTreeMap<TopUpId, ModelTopUp>,
    pub(crate) recharge: Option<ModelRecharge>,
    /// Thresholds, and whether each is armed.
    pub(crate) alerts: Vec<(i128, bool)>,
    /// Payments that were made, and what has gone back of them.
    pub(crate) payments: BTreeMap<TopUpId, ModelPayment>,
    /// What follows from the last row by itself.
    follows: VecDeque<Follow>,
    /// Whether a dispute freezes it.
    freezes: bool,
    /// Whether the last row is one behind which auto-recharge is asked (R21).
    asks: bool,
    pub(crate) overdraft: i128,
    pub(crate) status: WalletStatus,
    pub(crate) version: u64,
    pub(crate) seq: u64,
    pub(crate) last_at: Timestamp,
    /// When what was done last took effect.
    instant: Timestamp,
}

/// A lot; its place in the list is its age.
#[derive(Clone, Debug)]
pub(crate) struct ModelLot {
    /// What the engine calls it, once its row was seen.
    id: Option<LotId>,
    /// The payment that it came from.
    payment: Option<TopUpId>,
    pub(crate) priority: u8,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) withdrawable: bool,
    created: Timestamp,
    pub(crate) amount: i128,
    pub(crate) remaining: i128,
    pub(crate) held: i128,
    /// What of it was lost unused.
    lapsed: i128,
}

/// A hold, with what it reserves of which lot.
#[derive(Clone, Debug)]
pub(crate) struct ModelHold {
    pub(crate) remaining: i128,
    pub(crate) captured: i128,
    pub(crate) released: i128,
    pub(crate) status: HoldStatus,
    pub(crate) expires: Timestamp,
    placed: Timestamp,
    parts: Vec<(usize, i128)>,
}

/// A transaction: each micro-unit of a debit came from somewhere, in order.
#[derive(Clone, Debug)]
struct Move {
    amount: i128,
    refundable: bool,
    refunded: i128,
    stretches: Vec<(From, i128)>,
}

/// Something that the clock brings.
enum Due {
    Hold(HoldId),
    Lot(usize),
    BackOff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Lot(usize),
    Owed,
    Canceled,
}

/// What a row must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) amount: i128,
    pub(crate) moves_money: bool,
}

const NOTHING: Moved = Moved {
    amount: 0,
    moves_money: false,
};

type Refusable<T> = Result<T, Rejection>;

impl Model {
    /// A wallet that was just opened; `freezes` says whether a dispute freezes it.
    pub(crate) fn new(status: WalletStatus, overdraft: i128, freezes: bool) -> Self {
        Self {
            lots: Vec::new(),
            holds: BTreeMap::new(),
            moves: BTreeMap::new(),
            top_ups: BTreeMap::new(),
            recharge: None,
            alerts: Vec::new(),
            payments: BTreeMap::new(),
            follows: VecDeque::new(),
            freezes,
            asks: false,
            overdraft,
            status,
            version: 0,
            seq: 0,
            last_at: Timestamp::from_micros(0),
            instant: Timestamp::from_micros(0),
        }
    }

    pub(crate) fn debt(&self) -> i128 {
        let stretches = self.moves.values().flat_map(|one| &one.stretches);
        let owed = stretches.filter(|(from, _)| *from == From::Owed);
        owed.map(|(_, amount)| amount).sum()
    }

    pub(crate) fn balance(&self) -> i128 {
        self.lots.iter().map(|lot| lot.remaining).sum::<i128>() - self.debt()
    }

    pub(crate) fn held(&self) -> i128 {
        self.holds.values().map(|hold| hold.remaining).sum()
    }

    pub(crate) fn available(&self) -> i128 {
        self.balance() - self.held() + self.overdraft
    }

    fn unheld(&self) -> i128 {
        self.lots.iter().map(|lot| lot.remaining - lot.held).sum()
    }

    /// What is due first, and since when: holds before lots, and a back-off last.
    fn first_due(&self, now: Timestamp) -> Option<(Timestamp, Due)> {
        let holds = self.open_holds().map(|(id, hold)| (hold.expires, *id));
        let hold = holds.min().map(|(at, id)| (at, Due::Hold(id)));
        let lots = (0..self.lots.len()).filter(|at| self.lots[*at].remaining > self.lots[*at].held);
        let lots = lots.filter_map(|at| Some((self.lots[at].expires?, self.order(at))));
        let lot = lots.min().map(|(at, (.., lot))| (at, Due::Lot(lot)));
        let over = self.recharge.as_ref().filter(|one| one.enabled);
        let over = over.and_then(|one| Some((one.until?, Due::BackOff)));
        let all = hold.into_iter().chain(lot).chain(over);
        let first = all.min_by_key(|(at, _)| *at);
        first.filter(|(at, _)| *at <= now)
    }

    /// Whether anything is due.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.first_due(now).is_some()
    }

    /// Books the one thing that is due first, if anything is due.
    pub(crate) fn book_one_due(&mut self, now: Timestamp) -> Option<Moved> {
        let (at, due) = self.first_due(now)?;
        // A lot that was held past its date expires when it is free.
        self.instant = match due {
            Due::Lot(_) => at.max(self.instant),
            Due::Hold(_) | Due::BackOff => at,
        };
        Some(match due {
            Due::Hold(id) => {
                self.end(id, HoldStatus::Expired, at);
                NOTHING
            }
            Due::Lot(at) => {
                let lot = &mut self.lots[at];
                let rest = lot.remaining - lot.held;
                lot.remaining = lot.held;
                lot.lapsed += rest;
                self.asks = true;
                money(-rest)
            }
            Due::BackOff => {
                self.recharge.as_mut().expect("it is on").until = None;
                self.asks = true;
                NOTHING
            }
        })
    }

    /// Books all that is due, and what disputes reserve behind it: as reads see it, which number these rows from 0
    /// downwards.
    pub(crate) fn book_all_due(&mut self, now: Timestamp) {
        let mut row = 0;
        while self.book_one_due(now).is_some() {
            row -= 1;
            while let Some(payment) = self.has_freed(self.instant) {
                self.reserve_freed(payment, self.instant, EntryId::from_number(row));
                row -= 1;
            }
        }
    }

    /// Holds that are open.
    pub(crate) fn open_holds(&self) -> impl Iterator<Item = (&HoldId, &ModelHold)> {
        let all = self.holds.iter();
        all.filter(|(_, hold)| hold.status == HoldStatus::Open)
    }

    /// Once faults have ended and everything due was booked, nothing is left under way.
    pub(crate) fn expect_peace(&self, number: i64) {
        assert_eq!(
            self.open_holds().count(),
            0,
            "wallet {number} has open holds"
        );
        let open = self.top_ups.values().filter(|one| one.status.is_open());
        assert_eq!(open.count(), 0, "wallet {number} waits for a payment");
        assert_eq!(self.held(), 0, "wallet {number} holds value for nobody");
    }

    /// Carries out a command whose row has that id. What is due must be booked before.
    pub(crate) fn run(
        &mut self,
        command: &Command,
        now: Timestamp,
        id: EntryId,
    ) -> Refusable<Moved> {
        let effective = self.effective();
        self.asks = false;
        self.follows.clear();
        self.instant = now;
        match self.carry_out(command, now, id) {
            Ok(moved) => {
                self.asks |= self.effective() < effective;
                Ok(moved)
            }
            Err(rejection) => Err(self.with_brief(rejection, now)),
        }
    }

    fn carry_out(&mut self, command: &Command, now: Timestamp, id: EntryId) -> Refusable<Moved> {
        match command {
            Command::Credit(credit) => self.credit(credit, now, id),
            Command::Debit(debit) => self.spend(wide(debit.amount), debit.force, debit.reason, id),
            Command::Usage(usage) => self.usage(usage, now, id),
            Command::Adjust(adjust) => self.adjust(wide(adjust.amount), now, id),
            Command::Withdraw(withdraw) => self.withdraw(wide(withdraw.amount), id),
            Command::ChangeLot(change) => self.change_lot(change.lot_id, change.expires_at, now),
            Command::VoidLot(void) => self.void_lot(void.lot_id, id),
            Command::Close(close) => self.close(close.way, now, id),
            Command::PlaceHold(hold) => self.place_hold(hold, now, id),
            Command::CaptureHold(capture) => {
                let remaining = self.open_hold(capture.hold_id)?;
                let amount = capture.amount.map_or(remaining, wide);
                self.capture(capture.hold_id, amount, capture.after, now, id)
            }
            Command::ReleaseHold { hold_id } => {
                self.open_hold(*hold_id)?;
                self.end(*hold_id, HoldStatus::Released, now);
                Ok(NOTHING)
            }
            Command::ExtendHold { hold_id, expiry } => {
                self.open_hold(*hold_id)?;
                self.only_active()?;
                let end = hold_end(*expiry, now, self.holds[hold_id].placed)?;
                self.hold_mut(*hold_id).expires = end;
                Ok(NOTHING)
            }
            Command::Refund(refund) => {
                let amount = refund.amount.map(wide);
                self.refund(refund.debit_id, amount, refund.grace_days, now, id)
            }
            Command::RefundTopUp(refund) => {
                self.refund_top_up(refund.top_up_id, refund.amount.map(wide), id)
            }
            Command::EndPayout(end) => self.end_payout(end, now, id),
            Command::LearnDispute(learn) => self.learn_dispute(learn, now, id),
            Command::Freeze { .. } => {
                self.only_active()?;
                self.status = WalletStatus::Frozen;
                Ok(NOTHING)
            }
            Command::Unfreeze if self.status == WalletStatus::Active => {
                Err(Rejection::Conflict("the wallet is not frozen"))
            }
            Command::Unfreeze => {
                self.in_use()?;
                self.status = WalletStatus::Active;
                self.asks = true;
                Ok(NOTHING)
            }
            Command::SetOverdraftLimit(limit) => {
                self.not_closed()?;
                self.overdraft = wide(*limit);
                Ok(NOTHING)
            }
            Command::Activate if self.status != WalletStatus::PendingActivation => {
                Err(Rejection::WalletNotActive(self.status))
            }
            Command::Activate => {
                self.no_activation_under_way()?;
                self.status = WalletStatus::Active;
                Ok(NOTHING)
            }
            Command::OpenTopUp(open) => self.open_top_up(open, now),
            Command::AdvanceTopUp(advance) => self.advance_top_up(advance.top_up_id, advance.to),
            Command::EndTopUp(end) => self.end_top_up(end.top_up_id, &end.end, now),
            Command::SettleTopUp(settle) => self.settle_top_up(settle, now, id),
            Command::SetRecharge(set) => self.set_recharge(set),
            Command::ResumeRecharge => self.resume_recharge(),
            Command::PauseRecharge(reason) => self.pause_recharge(*reason),
            Command::SetAlerts(change) => self.set_alerts(change),
            Command::BookDue => unreachable!("what is due is booked one by one"),
        }
    }

    fn moved(
        &mut self,
        id: EntryId,
        amount: i128,
        refundable: bool,
        mut stretches: Vec<(From, i128)>,
    ) -> Moved {
        stretches.retain(|(_, length)| *length > 0);
        let record = Move {
            amount,
            refundable,
            refunded: 0,
            stretches,
        };
        self.moves.insert(id, record);
        money(amount)
    }

    fn only_active(&self) -> Refusable<()> {
        if self.status == WalletStatus::Active {
            return Ok(());
        }
        Err(Rejection::WalletNotActive(self.status))
    }

    /// Before its first payment a wallet takes what a merchant gives, and nothing else (R40); behind its end nothing.
    fn in_use(&self) -> Refusable<()> {
        match self.status {
            WalletStatus::Active | WalletStatus::Frozen => Ok(()),
            WalletStatus::PendingActivation | WalletStatus::Closed => {
                Err(Rejection::WalletNotActive(self.status))
            }
        }
    }

    fn not_closed(&self) -> Refusable<()> {
        if self.status == WalletStatus::Closed {
            return Err(Rejection::WalletNotActive(self.status));
        }
        Ok(())
    }

    /// The row of what was just done was seen: new lots are called by it, and it is a transaction that can be named.
    pub(crate) fn learn_names(&mut self, row: &Entry) {
        if row.seq.is_some() {
            let of_the_clock = Move {
                amount: wide(row.event.amount),
                refundable: false,
                refunded: 0,
                stretches: Vec::new(),
            };
            self.moves.entry(row.id).or_insert(of_the_clock);
        }
        // Lots that were spent and come back are named again.
        let is_known = |id: LotId| self.lots.iter().any(|lot| lot.id == Some(id));
        let named = row.event.lots.iter().map(|lot| lot.id);
        let named: Vec<LotId> = named.filter(|id| !is_known(*id)).collect();
        let fresh = self.lots.iter_mut().filter(|lot| lot.id.is_none());
        let fresh: Vec<&mut ModelLot> = fresh.collect();
        assert_eq!(fresh.len(), named.len(), "new lots: {row:?}");
        for (lot, id) in fresh.into_iter().zip(named) {
            lot.id = Some(id);
        }
    }
}

fn money(amount: i128) -> Moved {
    Moved {
        amount,
        moves_money: true,
    }
}

/// An amount that is none.
fn nothing_of(remaining: i128) -> Rejection {
    Rejection::AmountOutOfRange {
        minimum: Some(narrow(1)),
        maximum: Some(narrow(remaining)),
    }
}

fn instant(expiry: Expiry, now: Timestamp) -> Timestamp {
    match expiry {
        Expiry::InSeconds(seconds) => Timestamp::from_micros(now.micros() + seconds * 1_000_000),
        Expiry::At(at) => at,
    }
}

fn hold_end(expiry: Expiry, now: Timestamp, placed: Timestamp) -> Refusable<Timestamp> {
    let (end, latest) = (instant(expiry, now), placed.plus_days(30));
    if end <= now || end > latest {
        return Err(out_of_time(now, latest));
    }
    Ok(end)
}

fn out_of_time(earliest: Timestamp, latest: Timestamp) -> Rejection {
    Rejection::ExpiryOutOfRange { earliest, latest }
}

pub(crate) fn wide(amount: Amount) -> i128 {
    amount.micros().into()
}

pub(crate) fn narrow(amount: i128) -> Amount {
    Amount::from_micros(amount.try_into().expect("a small amount"))
}
