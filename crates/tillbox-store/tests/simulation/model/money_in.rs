//! Top-ups, auto-recharge and alerts: sums over all top-ups there ever were, made anew each time.

use super::{Follow, Model, Moved, NOTHING, Refusable, narrow, wide};
use tillbox_core::alerts::{AlertsChange, Source};
use tillbox_core::command::{OpenTopUp, SetRecharge, SettleTopUp, TopUpEnd};
use tillbox_core::id::{EntryId, TopUpId};
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;
use tillbox_core::recharge::{FailureClass, PauseReason, Refill, Standing};
use tillbox_core::rejection::{RechargeBrief, Rejection};
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::{Channel, TopUpStatus};
use tillbox_core::wallet::WalletStatus;

const UNIT: i128 = 1_000_000;
/// What the merchant of the simulation allows.
pub(crate) const MINIMUM: i128 = 5 * UNIT;
pub(crate) const MAXIMUM: i128 = 40 * UNIT;
pub(crate) const MAXIMUM_BALANCE: i128 = 120 * UNIT;
pub(crate) const BONUS_DAYS: i64 = 3;
pub(super) const CENT: i128 = 10_000;

/// A top-up, and how much of it came in.
#[derive(Clone, Debug)]
pub(crate) struct ModelTopUp {
    pub(crate) amount: i128,
    pub(crate) status: TopUpStatus,
    reason: Reason,
    opened: Timestamp,
}

/// Auto-recharge.
#[derive(Clone, Debug)]
pub(crate) struct ModelRecharge {
    pub(crate) enabled: bool,
    pub(crate) until: Option<Timestamp>,
    pub(crate) paused: Option<PauseReason>,
    pub(crate) charge: Option<TopUpId>,
    pub(crate) warned: u8,
    threshold: i128,
    refill: Refill,
    cap: Option<i128>,
    failures: usize,
    told: Option<&'static str>,
    last_month: (i64, i64),
}

impl ModelRecharge {
    fn rearm(&mut self) {
        (self.until, self.paused, self.failures, self.told) = (None, None, 0, None);
    }
}

impl Model {
    pub(crate) fn pending(&self) -> i128 {
        let processing = |one: &&ModelTopUp| one.status == TopUpStatus::Processing;
        let pending = self.top_ups.values().filter(processing);
        pending.map(|one| one.amount).sum()
    }

    /// balance − held + what is processing (R18).
    pub(super) fn effective(&self) -> i128 {
        self.balance() - self.held() + self.pending()
    }

    /// Charged by itself in the month of that instant: under way or paid (R23).
    pub(crate) fn charged_in_month_of(&self, at: Timestamp) -> i128 {
        let counts = |one: &&ModelTopUp| {
            let lost = [TopUpStatus::Failed, TopUpStatus::Canceled].contains(&one.status);
            one.reason == Reason::AutoRecharge && !lost && month(one.opened) == month(at)
        };
        let charged = self.top_ups.values().filter(counts);
        charged.map(|one| one.amount).sum()
    }

    /// Why nothing is charged, or how much; nothing where it is off.
    fn recharge_due(&self, now: Timestamp) -> Option<Result<i128, &'static str>> {
        let recharge = self.recharge.as_ref().filter(|one| one.enabled)?;
        Some(if self.status != WalletStatus::Active {
            Err("wallet_not_active")
        } else if recharge.charge.is_some() {
            Err("charge_in_flight")
        } else if let Some(reason) = recharge.paused {
            Err(reason.name())
        } else if recharge.until.is_some_and(|until| now < until) {
            Err("cooling_down")
        } else if self.effective() >= recharge.threshold {
            Err("balance_not_below_threshold")
        } else {
            self.largest_charge(recharge, now)
        })
    }

    /// The amount of R19, found by trying.
    fn largest_charge(
        &self,
        recharge: &ModelRecharge,
        now: Timestamp,
    ) -> Result<i128, &'static str> {
        let mut rooms = vec![(MAXIMUM, "outside_limits")];
        let charged = self.charged_in_month_of(now);
        rooms.extend(
            recharge
                .cap
                .map(|cap| (cap - charged, "monthly_cap_reached")),
        );
        let expected = self.balance() + self.pending();
        rooms.push((MAXIMUM_BALANCE - expected, "maximum_balance"));
        let (room, why) = *rooms.iter().min_by_key(|(room, _)| *room).expect("some");
        let (step, goal, least) = match recharge.refill {
            Refill::Fixed(amount) => (wide(amount), recharge.threshold, wide(amount)),
            Refill::UpTo(target) => (CENT, wide(target), MINIMUM),
        };
        let mut charge = least;
        while self.effective() + charge < goal {
            charge += step;
        }
        while charge > room {
            charge -= step;
        }
        if charge < least {
            return Err(why);
        }
        Ok(charge)
    }

    /// The charge that is due behind a row, or the limit that holds it back, told once.
    pub(super) fn recharge_follows(&mut self, now: Timestamp) -> Option<Follow> {
        if !std::mem::take(&mut self.asks) {
            return None;
        }
        let due = self.recharge_due(now)?;
        let recharge = self.recharge.as_mut().expect("it is on");
        match due {
            Ok(amount) => Some(Follow::Charge(amount)),
            Err(why) => {
                let limits = ["outside_limits", "monthly_cap_reached", "maximum_balance"];
                if !limits.contains(&why) || recharge.told == Some(why) {
                    return None;
                }
                recharge.told = Some(why);
                Some(Follow::Skipped)
            }
        }
    }

    /// A charge that was begun by itself. Whatever goes wrong: one at a time, and within the cap.
    pub(crate) fn charge(&mut self, id: TopUpId, amount: i128, now: Timestamp) {
        let unknown = |one: &ModelTopUp| {
            let is_open = [TopUpStatus::Processing, TopUpStatus::RequiresAction];
            one.reason == Reason::AutoRecharge && is_open.contains(&one.status)
        };
        assert!(
            !self.top_ups.values().any(unknown),
            "a charge while the outcome of another is unknown"
        );
        let one = ModelTopUp {
            amount,
            status: TopUpStatus::Processing,
            reason: Reason::AutoRecharge,
            opened: now,
        };
        assert!(
            self.top_ups.insert(id, one).is_none(),
            "a top-up opened twice"
        );
        let sum = self.charged_in_month_of(now);
        let recharge = self.recharge.as_mut().expect("it is on");
        if recharge.last_month != month(now) {
            (recharge.last_month, recharge.warned) = (month(now), 0);
        }
        if let Some(cap) = recharge.cap {
            assert!(sum <= cap, "the cap is never passed");
            for percent in [80, 90, 100] {
                if sum * 100 >= cap * i128::from(percent) {
                    recharge.warned = recharge.warned.max(percent);
                }
            }
        }
        (recharge.charge, recharge.told) = (Some(id), None);
    }

    pub(super) fn open_top_up(&mut self, open: &OpenTopUp, now: Timestamp) -> Refusable<Moved> {
        let is_activation = open.reason == Reason::Activation;
        if !is_activation {
            self.in_use()?;
        } else if self.status != WalletStatus::PendingActivation {
            return Err(Rejection::WalletNotActive(self.status));
        } else {
            self.no_activation_under_way()?;
        }
        if open.channel == Channel::Saved && open.method.is_none() {
            return Err(Rejection::PaymentMethodRequired);
        }
        let amount = wide(open.amount);
        let room = (MAXIMUM_BALANCE - self.balance() - self.pending()).max(0);
        let (minimum, maximum) = if is_activation {
            (None, room)
        } else {
            (Some(MINIMUM), MAXIMUM.min(room))
        };
        if minimum.is_some_and(|minimum| amount < minimum) || amount > maximum {
            return Err(Rejection::AmountOutOfRange {
                minimum: minimum.map(narrow),
                maximum: Some(narrow(maximum)),
            });
        }
        if amount % CENT != 0 {
            return Err(Rejection::NotWholeMinorUnits);
        }
        let status = if open.channel == Channel::Saved {
            TopUpStatus::Processing
        } else {
            TopUpStatus::Pending
        };
        let one = ModelTopUp {
            amount,
            status,
            reason: open.reason,
            opened: now,
        };
        assert!(
            self.top_ups.insert(open.id, one).is_none(),
            "a top-up opened twice"
        );
        Ok(NOTHING)
    }

    pub(super) fn advance_top_up(&mut self, id: TopUpId, to: TopUpStatus) -> Refusable<Moved> {
        self.move_top_up(id, to)?;
        self.asks = true;
        Ok(NOTHING)
    }

    pub(super) fn end_top_up(
        &mut self,
        id: TopUpId,
        end: &TopUpEnd,
        now: Timestamp,
    ) -> Refusable<Moved> {
        let (status, class) = match end {
            TopUpEnd::Failed { class, .. } => (TopUpStatus::Failed, *class),
            TopUpEnd::Canceled => (TopUpStatus::Canceled, FailureClass::Soft),
        };
        self.move_top_up(id, status)?;
        self.asks = true;
        let Some(recharge) = self.recharge.as_mut() else {
            return Ok(NOTHING);
        };
        if recharge.charge != Some(id) {
            return Ok(NOTHING);
        }
        recharge.charge = None;
        if class != FailureClass::ProviderOutage {
            recharge.failures += 1;
        }
        if recharge.paused.is_some() {
            return Ok(NOTHING);
        }
        let hours = match class {
            FailureClass::Hard => Err(PauseReason::HardDecline),
            FailureClass::AuthenticationRequired => Err(PauseReason::AuthenticationRequired),
            FailureClass::ProviderOutage => Ok(1),
            FailureClass::Soft if recharge.failures > 3 => Err(PauseReason::TooManyFailures),
            FailureClass::Soft => Ok([1, 3, 7][recharge.failures - 1]),
        };
        match hours {
            Ok(hours) => recharge.until = Some(now.plus_seconds(hours * 3_600)),
            Err(reason) => (recharge.until, recharge.paused) = (None, Some(reason)),
        }
        Ok(NOTHING)
    }

    pub(super) fn settle_top_up(
        &mut self,
        settle: &SettleTopUp,
        now: Timestamp,
        id: EntryId,
    ) -> Refusable<Moved> {
        let top_up = self.top_ups.get(&settle.top_up_id);
        let charged = wide(settle.charged);
        if let Some(top_up) = top_up
            && top_up.status != TopUpStatus::Succeeded
            && charged > top_up.amount
        {
            let why = "the payment is not of the top-up's amount";
            return Err(Rejection::Conflict(why));
        }
        let top_up = self.move_top_up(settle.top_up_id, TopUpStatus::Succeeded)?;
        self.asks = true;
        let waits = self.status == WalletStatus::PendingActivation;
        if waits && top_up.reason == Reason::Activation {
            self.status = WalletStatus::Active;
        }
        if let Some(recharge) = self.recharge.as_mut() {
            let is_own = recharge.charge == Some(settle.top_up_id);
            let is_late = !is_own && top_up.reason == Reason::AutoRecharge;
            let is_armed = recharge.until.is_none() && recharge.paused.is_none();
            if is_own || is_late || !is_armed || recharge.failures > 0 {
                recharge.rearm();
            }
            if is_own {
                recharge.charge = None;
            }
        }
        let given = top_up.amount - charged;
        if charged == 0 {
            self.value_in(
                given,
                FundingType::Promotional,
                50,
                Some(now.plus_days(BONUS_DAYS)),
                now,
            );
        } else {
            self.value_in(charged, FundingType::Cash, 50, None, now);
            self.learn_payment(settle.top_up_id, charged, given);
        }
        self.follow_payment(settle.top_up_id, charged, given);
        let own = if charged == 0 { given } else { charged };
        Ok(self.moved(id, own, false, Vec::new()))
    }

    pub(super) fn set_recharge(&mut self, set: &SetRecharge) -> Refusable<Moved> {
        self.not_closed()?;
        if set.is_enabled && !set.has_method {
            return Err(Rejection::PaymentMethodRequired);
        }
        match set.settings.refill {
            Refill::Fixed(amount) if !(MINIMUM..=MAXIMUM).contains(&wide(amount)) => {
                return Err(out_of_range(MAXIMUM));
            }
            Refill::Fixed(amount) if wide(amount) % CENT != 0 => {
                return Err(Rejection::NotWholeMinorUnits);
            }
            Refill::UpTo(target) if target < set.settings.threshold => {
                return Err(Rejection::TargetBelowThreshold);
            }
            Refill::Fixed(_) | Refill::UpTo(_) => {}
        }
        let cap = set.settings.monthly_cap.map(wide);
        let before = self.recharge.as_ref();
        let warned = before.filter(|before| before.cap == cap);
        self.recharge = Some(ModelRecharge {
            enabled: set.is_enabled,
            until: None,
            paused: None,
            charge: before.and_then(|before| before.charge),
            warned: warned.map_or(0, |before| before.warned),
            threshold: wide(set.settings.threshold),
            refill: set.settings.refill,
            cap,
            failures: 0,
            told: None,
            last_month: before.map_or((0, 0), |before| before.last_month),
        });
        self.asks = true;
        Ok(NOTHING)
    }

    pub(super) fn resume_recharge(&mut self) -> Refusable<Moved> {
        let recharge = self.enabled()?;
        if recharge.until.is_none() && recharge.paused.is_none() {
            return Err(Rejection::Conflict("auto-recharge is not paused"));
        }
        recharge.rearm();
        self.asks = true;
        Ok(NOTHING)
    }

    pub(super) fn pause_recharge(&mut self, reason: PauseReason) -> Refusable<Moved> {
        let recharge = self.enabled()?;
        if recharge.paused.is_some() {
            return Err(Rejection::Conflict("auto-recharge is paused already"));
        }
        (recharge.until, recharge.paused) = (None, Some(reason));
        Ok(NOTHING)
    }

    pub(super) fn set_alerts(&mut self, change: &AlertsChange) -> Refusable<Moved> {
        self.not_closed()?;
        let mut thresholds: Vec<i128> = change.thresholds.iter().copied().map(wide).collect();
        thresholds.sort_unstable();
        thresholds.dedup();
        if change.source == Source::Off {
            thresholds.clear();
        }
        let armed = |one: i128| self.alerts.contains(&(one, true));
        self.alerts = thresholds.iter().map(|one| (*one, armed(*one))).collect();
        Ok(NOTHING)
    }

    /// Latches, once a row has moved the value (R41).
    pub(crate) fn follow_alerts(&mut self) {
        let value = self.balance() - self.held();
        for (threshold, armed) in &mut self.alerts {
            if value < *threshold {
                *armed = false;
            }
            if value * 10 >= *threshold * 11 {
                *armed = true;
            }
        }
    }

    /// Money went back: auto-recharge, where it is on, waits for a person (R21).
    pub(super) fn pause_for_money_back(&mut self) {
        if let Some(recharge) = self.recharge.as_mut().filter(|one| one.enabled) {
            recharge.until = None;
            let why = recharge.paused.take();
            recharge.paused = why.or(Some(PauseReason::MoneyWentBack));
        }
    }

    /// Says with a want of funds how auto-recharge stands.
    pub(super) fn with_brief(&self, rejection: Rejection, now: Timestamp) -> Rejection {
        let mut rejection = rejection;
        if let Rejection::InsufficientFunds { recharge, .. } = &mut rejection
            && let Some(one) = self.recharge.as_ref().filter(|one| one.enabled)
        {
            *recharge = RechargeBrief {
                is_enabled: true,
                standing: match one {
                    one if one.charge.is_some() => Standing::Charging,
                    one if one.paused.is_some() => Standing::Paused,
                    one if one.until.is_some() => Standing::CoolingDown,
                    _ => Standing::Armed,
                },
                reason: self.recharge_due(now).and_then(Result::err),
            };
        }
        rejection
    }

    fn enabled(&mut self) -> Refusable<&mut ModelRecharge> {
        self.not_closed()?;
        let on = self.recharge.as_mut().filter(|one| one.enabled);
        on.ok_or(Rejection::Conflict("auto-recharge is off"))
    }

    /// One activation at a time.
    pub(super) fn no_activation_under_way(&self) -> Refusable<()> {
        let mut open = self.top_ups.values().filter(|one| one.status.is_open());
        if open.any(|one| one.reason == Reason::Activation) {
            return Err(Rejection::Conflict("an activation is under way"));
        }
        Ok(())
    }

    fn move_top_up(&mut self, id: TopUpId, to: TopUpStatus) -> Refusable<ModelTopUp> {
        use TopUpStatus::{Canceled, Failed, Pending, Processing, RequiresAction, Succeeded};
        let Some(top_up) = self.top_ups.get_mut(&id) else {
            return Err(Rejection::TopUpNotFound);
        };
        let may = match top_up.status {
            Pending | RequiresAction | Processing => to != top_up.status && to != Pending,
            Failed | Canceled => to == Succeeded,
            Succeeded => false,
        };
        if !may {
            return Err(Rejection::TopUpNotOpen(top_up.status));
        }
        top_up.status = to;
        Ok(top_up.clone())
    }
}

fn out_of_range(maximum: i128) -> Rejection {
    Rejection::AmountOutOfRange {
        minimum: Some(narrow(MINIMUM)),
        maximum: Some(narrow(maximum)),
    }
}

/// Year and month of an instant after 1970, in UTC: counted off day by day.
fn month(at: Timestamp) -> (i64, i64) {
    let mut days = at.micros() / 86_400_000_000;
    let (mut year, mut month) = (1970, 1);
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if days < length {
            return (year, month);
        }
        days -= length;
        month += 1;
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
}
