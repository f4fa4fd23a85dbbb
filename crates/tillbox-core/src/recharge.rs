//! Auto-recharge, as pure functions: whether to charge now, how much, and when to try again (R18–R22).
//!
//! Order of the questions in [`evaluate`]: is it on, may this wallet be recharged, is a charge under way, is it
//! paused or cooling down, is the effective balance strictly below the threshold, and does at least one multiple
//! fit the limits. The first "no" is the answer, and the reason that is shown. What a wallet keeps of it between
//! decisions is [`Recharge`].

mod standing;

pub use standing::{Charge, Month, Recharge, Skip, Standing};

use crate::amount::Amount;
use crate::currency::Currency;
use crate::time::Timestamp;
use crate::wallet::WalletStatus;

/// How much is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refill {
    /// This amount, or the least multiple of it that closes the gap.
    Fixed(Amount),
    /// What is missing up to this balance.
    UpTo(Amount),
}

/// What the customer asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RechargeSettings {
    /// It fires strictly below this.
    pub threshold: Amount,
    /// How much is charged.
    pub refill: Refill,
    /// What may be charged in a calendar month; none: no limit.
    pub monthly_cap: Option<Amount>,
}

/// What the merchant and the payment provider allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopUpLimits {
    /// The least of one charge: the higher of the setting and the provider's.
    pub minimum: Amount,
    /// The most of one charge.
    pub maximum: Option<Amount>,
    /// The balance that must not be passed.
    pub maximum_balance: Option<Amount>,
}

/// Why it waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// The card is stolen, lost, closed, or says never again.
    HardDecline,
    /// The bank wants the customer to confirm.
    AuthenticationRequired,
    /// Three retries failed.
    TooManyFailures,
    /// A withdrawal, a refund to a card or a dispute (R21).
    MoneyWentBack,
    /// Somebody paused it.
    ByHand,
}

impl PauseReason {
    /// Every reason, in the order of their codes.
    pub const ALL: [Self; 5] = [
        Self::HardDecline,
        Self::AuthenticationRequired,
        Self::TooManyFailures,
        Self::MoneyWentBack,
        Self::ByHand,
    ];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HardDecline => "hard_decline",
            Self::AuthenticationRequired => "authentication_required",
            Self::TooManyFailures => "too_many_failures",
            Self::MoneyWentBack => "money_went_back",
            Self::ByHand => "paused_by_hand",
        }
    }

    /// The number in the log; never reused for another meaning.
    pub const fn code(self) -> u8 {
        match self {
            Self::HardDecline => 1,
            Self::AuthenticationRequired => 2,
            Self::TooManyFailures => 3,
            Self::MoneyWentBack => 4,
            Self::ByHand => 5,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// How recharging stands for a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RechargeState {
    /// It watches.
    Armed,
    /// A charge failed; the next try is not before this instant.
    CoolingDown {
        /// When it may try again.
        until: Timestamp,
    },
    /// It waits for a person.
    Paused(PauseReason),
}

/// What a decision looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RechargeView {
    /// The wallet's status; only an active one is recharged.
    pub status: WalletStatus,
    /// Posted value.
    pub balance: Amount,
    /// Reserved value.
    pub held: Amount,
    /// Value past its date that is not booked yet.
    pub due_expiry: Amount,
    /// Top-ups in `processing`, unknown outcomes included.
    pub pending_top_ups: Amount,
    /// Charged in this month, succeeded and under way, gross of refunds (R23).
    pub month_charged: Amount,
    /// Whether a charge is under way, or its outcome unknown.
    pub is_charging: bool,
    /// How recharging stands.
    pub state: RechargeState,
    /// The instant of the commit.
    pub now: Timestamp,
}

/// Why nothing is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCharge {
    /// The wallet is not active.
    NotActive(WalletStatus),
    /// One charge at a time.
    InFlight,
    /// It waits for a person.
    Paused(PauseReason),
    /// The last charge failed; not before this instant.
    CoolingDown(Timestamp),
    /// The effective balance is not below the threshold.
    EnoughLeft,
    /// Not even one multiple fits what is left of the month's cap.
    CapReached,
    /// Not even one multiple fits the maximum balance.
    MaximumBalance,
    /// Not even one multiple fits the limits of one charge.
    OutsideLimits,
}

impl NoCharge {
    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotActive(_) => "wallet_not_active",
            Self::InFlight => "charge_in_flight",
            Self::Paused(reason) => reason.name(),
            Self::CoolingDown(_) => "cooling_down",
            Self::EnoughLeft => "balance_not_below_threshold",
            Self::CapReached => "monthly_cap_reached",
            Self::MaximumBalance => "maximum_balance",
            Self::OutsideLimits => "outside_limits",
        }
    }
}

impl RechargeView {
    /// balance − held − due expiry + pending top-ups; never the overdraft (R18).
    pub fn effective(&self) -> Amount {
        (self.balance + self.pending_top_ups)
            .saturating_sub(self.held)
            .saturating_sub(self.due_expiry)
    }
}

/// The charge that is due now, or why there is none.
pub fn evaluate(
    settings: &RechargeSettings,
    limits: &TopUpLimits,
    view: &RechargeView,
    currency: Currency,
) -> Result<Amount, NoCharge> {
    if view.status != WalletStatus::Active {
        return Err(NoCharge::NotActive(view.status));
    }
    if crate::seeded_bug!(ChargeInFlightIgnored: false; else view.is_charging) {
        return Err(NoCharge::InFlight);
    }
    match view.state {
        RechargeState::CoolingDown { until } if view.now < until => {
            return Err(NoCharge::CoolingDown(until));
        }
        RechargeState::Armed | RechargeState::CoolingDown { until: _ } => {}
        RechargeState::Paused(reason) => return Err(NoCharge::Paused(reason)),
    }
    let effective = view.effective();
    if effective >= settings.threshold {
        return Err(NoCharge::EnoughLeft);
    }
    match settings.refill {
        Refill::Fixed(amount) => fixed(
            amount,
            settings.threshold.saturating_sub(effective),
            settings,
            limits,
            view,
        ),
        Refill::UpTo(target) => up_to(
            target.saturating_sub(effective),
            settings,
            limits,
            view,
            currency,
        ),
    }
}

/// The least multiple that closes the gap, cut to the largest that fits (R19).
fn fixed(
    amount: Amount,
    gap: Amount,
    settings: &RechargeSettings,
    limits: &TopUpLimits,
    view: &RechargeView,
) -> Result<Amount, NoCharge> {
    let step = amount.micros().max(1);
    let steps = multiples_up(gap.micros(), step).max(1);
    let wanted = crate::seeded_bug!(OneStepPerCharge: 1; else steps);
    let (room, reason) = room(settings, limits, view);
    let fitting = wanted.min(room.micros().max(0).div_euclid(step));
    match step.checked_mul(fitting) {
        Some(charge) if charge > 0 => Ok(Amount::from_micros(charge)),
        Some(_) => Err(reason),
        None => Err(NoCharge::OutsideLimits),
    }
}

/// The gap in whole minor units, at least the minimum, cut to what fits.
fn up_to(
    gap: Amount,
    settings: &RechargeSettings,
    limits: &TopUpLimits,
    view: &RechargeView,
    currency: Currency,
) -> Result<Amount, NoCharge> {
    let unit = currency.minor_unit_micros();
    let whole = multiples_up(gap.micros(), unit).saturating_mul(unit);
    let wanted = Amount::from_micros(whole).max(limits.minimum);
    let (room, reason) = room(settings, limits, view);
    let fitting = if room < wanted {
        let units = room.micros().max(0).div_euclid(unit);
        Amount::from_micros(units.saturating_mul(unit))
    } else {
        wanted
    };
    if fitting < limits.minimum || !fitting.is_positive() {
        Err(reason)
    } else {
        Ok(fitting)
    }
}

/// How many steps reach at least `amount`.
fn multiples_up(amount: i64, step: i64) -> i64 {
    let whole = amount.div_euclid(step);
    if amount.rem_euclid(step) > 0 {
        whole.saturating_add(1)
    } else {
        whole
    }
}

/// The least of the limits on this charge, and which one that is.
fn room(
    settings: &RechargeSettings,
    limits: &TopUpLimits,
    view: &RechargeView,
) -> (Amount, NoCharge) {
    let cap = settings
        .monthly_cap
        .map(|cap| cap.saturating_sub(view.month_charged));
    let expected = view.balance + view.pending_top_ups;
    let balance = limits
        .maximum_balance
        .map(|most| most.saturating_sub(expected));
    let one_charge = limits.maximum.unwrap_or(Amount::MAX_SINGLE);
    let (mut least, mut reason) = (one_charge.min(Amount::MAX_SINGLE), NoCharge::OutsideLimits);
    for (room, why) in [
        (cap, NoCharge::CapReached),
        (balance, NoCharge::MaximumBalance),
    ] {
        if let Some(room) = room.filter(|room| *room < least) {
            (least, reason) = (room, why);
        }
    }
    (least, reason)
}

/// What is wrong with settings that somebody wants to save (R20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The amount is outside what one charge may be.
    #[error("the amount is outside the limits of one top-up")]
    AmountOutOfRange,
    /// A card is charged in whole minor units.
    #[error("the amount must be in whole minor units of the currency")]
    NotWholeMinorUnits,
    /// A target below the threshold would fire for ever.
    #[error("the target must be at least the threshold")]
    TargetBelowThreshold,
}

impl RechargeSettings {
    /// Whether they may be saved.
    pub fn check(&self, limits: &TopUpLimits, currency: Currency) -> Result<(), SettingsError> {
        match self.refill {
            Refill::Fixed(amount) => {
                if amount < limits.minimum || limits.maximum.is_some_and(|most| amount > most) {
                    return Err(SettingsError::AmountOutOfRange);
                }
                if amount.micros().rem_euclid(currency.minor_unit_micros()) != 0 {
                    return Err(SettingsError::NotWholeMinorUnits);
                }
            }
            Refill::UpTo(target) if target < self.threshold => {
                return Err(SettingsError::TargetBelowThreshold);
            }
            Refill::UpTo(_) => {}
        }
        Ok(())
    }
}

/// How a charge failed (A5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// Never again with this card.
    Hard,
    /// The customer must confirm.
    AuthenticationRequired,
    /// Perhaps later.
    Soft,
    /// The provider's fault; counts for nothing.
    ProviderOutage,
}

/// Hours after a failure until the next try: the first try, then three retries.
const RETRY_AFTER_HOURS: [i64; 3] = [1, 3, 7];

/// How recharging stands after a charge failed with every method, and how many tries have failed then (R22).
pub fn after_failure(
    failures_before: u32,
    class: FailureClass,
    now: Timestamp,
) -> (RechargeState, u32) {
    let failures = failures_before.saturating_add(1);
    match class {
        FailureClass::Hard => (RechargeState::Paused(PauseReason::HardDecline), failures),
        FailureClass::AuthenticationRequired => {
            let reason = PauseReason::AuthenticationRequired;
            (RechargeState::Paused(reason), failures)
        }
        FailureClass::ProviderOutage => {
            let until = now.plus_seconds(3_600);
            (RechargeState::CoolingDown { until }, failures_before)
        }
        FailureClass::Soft => {
            let hours = usize::try_from(failures_before)
                .ok()
                .and_then(|index| RETRY_AFTER_HOURS.get(index));
            let state = match hours {
                Some(hours) => RechargeState::CoolingDown {
                    until: now.plus_seconds(hours.saturating_mul(3_600)),
                },
                None => RechargeState::Paused(PauseReason::TooManyFailures),
            };
            (state, failures)
        }
    }
}

#[cfg(test)]
mod tests;
