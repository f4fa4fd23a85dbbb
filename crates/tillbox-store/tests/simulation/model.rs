//! What a wallet must do, told a second time and as simply as can be: rows in lists, sums made anew each time.
//! It shares words (commands, refusals) with the core and none of its logic.

mod money_in;
mod value;

pub(crate) use money_in::{BONUS_DAYS, Follow, MAXIMUM, MAXIMUM_BALANCE, MINIMUM};

use money_in::{ModelRecharge, ModelTopUp};
use std::collections::BTreeMap;
use tillbox_core::amount::Amount;
use tillbox_core::command::{AfterCapture, Command, Expiry, Force};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{EntryId, HoldId, TopUpId};
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;
use tillbox_core::recharge::PauseReason;
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
    /// The discount of the payment that settled just now.
    pub(crate) owed_bonus: i128,
    /// Whether the last row is one behind which auto-recharge is asked (R21).
    asks: bool,
    pub(crate) overdraft: i128,
    pub(crate) status: WalletStatus,
    pub(crate) version: u64,
    pub(crate) seq: u64,
    pub(crate) last_at: Timestamp,
}

/// A lot; its place in the list is its age.
#[derive(Clone, Debug)]
pub(crate) struct ModelLot {
    pub(crate) priority: u8,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) withdrawable: bool,
    created: Timestamp,
    pub(crate) amount: i128,
    pub(crate) remaining: i128,
    pub(crate) held: i128,
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
    pub(crate) fn new(status: WalletStatus, overdraft: i128) -> Self {
        Self {
            lots: Vec::new(),
            holds: BTreeMap::new(),
            moves: BTreeMap::new(),
            top_ups: BTreeMap::new(),
            recharge: None,
            alerts: Vec::new(),
            owed_bonus: 0,
            asks: false,
            overdraft,
            status,
            version: 0,
            seq: 0,
            last_at: Timestamp::from_micros(0),
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
        Some(match due {
            Due::Hold(id) => {
                self.end(id, HoldStatus::Expired, at);
                NOTHING
            }
            Due::Lot(at) => {
                let lot = &mut self.lots[at];
                let rest = lot.remaining - lot.held;
                lot.remaining = lot.held;
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
            Command::Credit(credit) => {
                let named = credit.expiry.map(|expiry| instant(expiry, now));
                let is_gift = credit.funding == FundingType::Promotional;
                let standard = is_gift.then(|| now.plus_days(BONUS_DAYS));
                let expires = named.or(standard);
                if expires.is_some_and(|expires| expires <= now) {
                    return Err(out_of_time(now, Timestamp::NEVER));
                }
                let amount = wide(credit.amount);
                if let Some(maximum) = credit.maximum_balance {
                    let room = (wide(maximum) - self.balance()).max(0);
                    if amount > room {
                        return Err(Rejection::AmountOutOfRange {
                            minimum: None,
                            maximum: Some(narrow(room)),
                        });
                    }
                }
                self.value_in(amount, credit.funding, credit.priority, expires, now);
                Ok(self.moved(id, amount, false, Vec::new()))
            }
            Command::Debit(debit) => self.spend(wide(debit.amount), debit.force, debit.reason, id),
            Command::Usage(usage) => match usage.hold_id {
                Some(hold) => {
                    self.open_hold(hold)?;
                    self.only_active()?;
                    if usage.cost.is_zero() {
                        return Ok(NOTHING);
                    }
                    self.capture(hold, wide(usage.cost), AfterCapture::StayOpen, now, id)
                }
                None if usage.cost.is_zero() => {
                    match usage.force {
                        None => self.only_active()?,
                        Some(_) => self.not_pending()?,
                    }
                    Ok(NOTHING)
                }
                None => self.spend(wide(usage.cost), usage.force, Reason::Usage, id),
            },
            Command::Adjust(adjust) => {
                self.not_pending()?;
                let amount = wide(adjust.amount);
                if amount > 0 {
                    self.value_in(amount, FundingType::ManualAdjustment, 50, None, now);
                    return Ok(self.moved(id, amount, false, Vec::new()));
                }
                let most = (self.balance() - self.held()).max(0);
                if -amount > most {
                    return Err(self.short_of(-amount, most));
                }
                let drawn = self.draw(-amount);
                Ok(self.moved(id, amount, false, drawn))
            }
            Command::Withdraw(withdraw) => {
                self.only_active()?;
                self.withdraw(wide(withdraw.amount), id)
            }
            Command::PlaceHold(hold) => {
                self.only_active()?;
                let expires = hold_end(hold.expiry, now, now)?;
                let amount = wide(hold.amount);
                if amount > self.available() {
                    return Err(self.short_of(amount, self.available()));
                }
                let parts = self.plan(amount);
                for (lot, share) in &parts {
                    self.lots[*lot].held += share;
                }
                let placed = ModelHold {
                    remaining: amount,
                    captured: 0,
                    released: 0,
                    status: HoldStatus::Open,
                    expires,
                    placed: now,
                    parts,
                };
                self.holds.insert(HoldId::from_number(id.number()), placed);
                Ok(NOTHING)
            }
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
            Command::RefundTopUp(_) | Command::EndPayout(_) | Command::LearnDispute(_) => {
                unreachable!("the script asks for nothing that goes back")
            }
            Command::Freeze { .. } => {
                self.only_active()?;
                self.status = WalletStatus::Frozen;
                Ok(NOTHING)
            }
            Command::Unfreeze if self.status == WalletStatus::Active => {
                Err(Rejection::Conflict("the wallet is not frozen"))
            }
            Command::Unfreeze => {
                self.not_pending()?;
                self.status = WalletStatus::Active;
                self.asks = true;
                Ok(NOTHING)
            }
            Command::SetOverdraftLimit(limit) => {
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
            Command::SetAlerts(change) => Ok(self.set_alerts(change)),
            Command::ChangeLot(_) | Command::VoidLot(_) | Command::Close(_) | Command::BookDue => {
                panic!("the simulation does not submit it")
            }
        }
    }

    /// The newest lots that may be paid out give first, and auto-recharge waits for a person.
    fn withdraw(&mut self, amount: i128, id: EntryId) -> Refusable<Moved> {
        let lots = (0..self.lots.len()).filter(|at| self.lots[*at].withdrawable);
        let mut newest: Vec<usize> = lots.collect();
        newest.sort_by_key(|at| (self.lots[*at].created, *at));
        let unheld = |lot: &ModelLot| lot.remaining - lot.held;
        let sum: i128 = newest.iter().map(|at| unheld(&self.lots[*at])).sum();
        let most = sum.min((self.balance() - self.held()).max(0));
        if amount > most {
            let withdrawable = narrow(most);
            return Err(Rejection::NotWithdrawable { withdrawable });
        }
        let (mut left, mut drawn) = (amount, Vec::new());
        while let Some(at) = newest.pop() {
            let share = left.min(unheld(&self.lots[at]));
            self.lots[at].remaining -= share;
            left -= share;
            drawn.push((From::Lot(at), share));
        }
        if let Some(recharge) = self.recharge.as_mut().filter(|one| one.enabled) {
            recharge.until = None;
            let why = recharge.paused.take();
            recharge.paused = why.or(Some(PauseReason::MoneyWentBack));
        }
        Ok(self.moved(id, -amount, false, drawn))
    }

    fn spend(
        &mut self,
        amount: i128,
        force: Option<Force>,
        why: Reason,
        id: EntryId,
    ) -> Refusable<Moved> {
        let most = match force {
            None => {
                self.only_active()?;
                self.available()
            }
            Some(Force { floor: None }) => {
                self.not_pending()?;
                wide(Amount::MAX_SINGLE)
            }
            Some(Force { floor: Some(floor) }) => {
                self.not_pending()?;
                let by_force = self.unheld() - self.debt() + wide(floor);
                by_force.max(self.available())
            }
        };
        if amount > most {
            return Err(self.short_of(amount, most));
        }
        let drawn = self.draw(amount);
        Ok(self.moved(id, -amount, why.is_refundable(), drawn))
    }

    fn capture(
        &mut self,
        hold_id: HoldId,
        amount: i128,
        after: AfterCapture,
        now: Timestamp,
        id: EntryId,
    ) -> Refusable<Moved> {
        let remaining = self.holds[&hold_id].remaining;
        if amount <= 0 {
            return Err(nothing_of(remaining));
        }
        if amount > remaining {
            return Err(Rejection::CaptureExceedsHold {
                remaining: narrow(remaining),
            });
        }
        let hold = self.hold_mut(hold_id);
        (hold.captured, hold.remaining) = (hold.captured + amount, remaining - amount);
        let (mut left, mut taken) = (amount, Vec::new());
        for (lot, reserved) in &mut hold.parts {
            let share = left.min(*reserved);
            taken.push((From::Lot(*lot), share));
            (*reserved, left) = (*reserved - share, left - share);
        }
        for (from, share) in &taken {
            let From::Lot(lot) = from else { continue };
            self.lots[*lot].remaining -= share;
            self.lots[*lot].held -= share;
        }
        if after == AfterCapture::End || amount == remaining {
            self.end(hold_id, HoldStatus::Captured, now);
        }
        taken.extend(self.draw(left));
        Ok(self.moved(id, -amount, true, taken))
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

    /// Before its first payment a wallet takes what a merchant gives, and nothing else (R40).
    fn not_pending(&self) -> Refusable<()> {
        if self.status == WalletStatus::PendingActivation {
            return Err(Rejection::WalletNotActive(self.status));
        }
        Ok(())
    }

    fn open_hold(&self, id: HoldId) -> Refusable<i128> {
        match self.holds.get(&id) {
            None => Err(Rejection::HoldNotFound),
            Some(hold) if hold.status == HoldStatus::Open => Ok(hold.remaining),
            Some(hold) => Err(Rejection::HoldNotOpen(hold.status)),
        }
    }

    fn hold_mut(&mut self, id: HoldId) -> &mut ModelHold {
        self.holds.get_mut(&id).expect("it was found before")
    }

    fn short_of(&self, required: i128, available: i128) -> Rejection {
        let ends = self.open_holds().map(|(_, hold)| hold.expires);
        Rejection::InsufficientFunds {
            recharge: tillbox_core::rejection::RechargeBrief::default(),
            required: narrow(required),
            available: narrow(available),
            next_release_at: ends.min(),
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
