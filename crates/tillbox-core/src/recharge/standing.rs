//! What a wallet keeps of auto-recharge: the settings, how they stand, the charge under way, the month's sum.
//!
//! A row that changes any of it carries all of it, so the state behind a row is what the row says.

use super::{NoCharge, RechargeSettings, RechargeState, RechargeView, TopUpLimits, evaluate};
use crate::amount::Amount;
use crate::id::{PaymentMethodId, TopUpId};
use crate::time::Timestamp;
use crate::wallet::WalletState;

/// A calendar month of the merchant's time zone: months since the year 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// The month (1 to 12) of a year.
    pub fn new(year: i16, month: i8) -> Self {
        let months = i32::from(year).saturating_mul(12);
        Self(months.saturating_add(i32::from(month)).saturating_sub(1))
    }

    /// The number in the log.
    pub const fn code(self) -> i32 {
        self.0
    }

    /// Back from the number in the log.
    pub const fn from_code(code: i32) -> Self {
        Self(code)
    }
}

/// A charge under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The top-up.
    pub top_up_id: TopUpId,
    /// How much.
    pub amount: Amount,
    /// The month whose cap it counts in.
    pub month: Month,
}

/// Auto-recharge of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recharge {
    /// Whether it is on.
    pub is_enabled: bool,
    /// What the customer asked for.
    pub settings: RechargeSettings,
    /// The saved method to charge; none: the customer's default.
    pub method: Option<PaymentMethodId>,
    /// Tried in this order when the first is declined.
    pub backups: Vec<PaymentMethodId>,
    /// How it stands.
    pub state: RechargeState,
    /// Tries that failed since the last success.
    pub failures: u32,
    /// The charge under way; one at a time (A3).
    pub charge: Option<Charge>,
    /// The month that `month_charged` is of.
    pub month: Month,
    /// Charged in that month, succeeded and under way, gross of refunds (R23).
    pub month_charged: Amount,
    /// The highest share of the cap that was warned of in that month: 0, 80, 90 or 100 %.
    pub warned_percent: u8,
    /// The limit that held back the last charge that was due; told once, not with each debit.
    pub skipped: Option<Skip>,
}

/// How auto-recharge stands, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It was never set, or is turned off.
    #[default]
    Off,
    /// It watches.
    Armed,
    /// A charge is under way.
    Charging,
    /// A charge failed; it tries again by itself.
    CoolingDown,
    /// It waits for a person.
    Paused,
}

impl Standing {
    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Armed => "armed",
            Self::Charging => "charging",
            Self::CoolingDown => "cooling_down",
            Self::Paused => "paused",
        }
    }

    /// Of a wallet.
    pub fn of(recharge: Option<&Recharge>) -> Self {
        match recharge {
            Some(recharge) if recharge.is_enabled => match recharge.state {
                _ if recharge.charge.is_some() => Self::Charging,
                RechargeState::Armed => Self::Armed,
                RechargeState::CoolingDown { until: _ } => Self::CoolingDown,
                RechargeState::Paused(_) => Self::Paused,
            },
            Some(_) | None => Self::Off,
        }
    }
}

/// The limit that holds back a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The month's cap.
    CapReached,
    /// The wallet's maximum balance.
    MaximumBalance,
    /// The limits of one top-up.
    OutsideLimits,
}

impl Skip {
    /// Every limit, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::CapReached, Self::MaximumBalance, Self::OutsideLimits];

    /// The number in the log; never reused for another meaning.
    pub const fn code(self) -> u8 {
        match self {
            Self::CapReached => 1,
            Self::MaximumBalance => 2,
            Self::OutsideLimits => 3,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|skip| skip.code() == code)
    }

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CapReached => NoCharge::CapReached.name(),
            Self::MaximumBalance => NoCharge::MaximumBalance.name(),
            Self::OutsideLimits => NoCharge::OutsideLimits.name(),
        }
    }

    /// The limit behind a decision, where it was one.
    pub const fn of(reason: NoCharge) -> Option<Self> {
        match reason {
            NoCharge::CapReached => Some(Self::CapReached),
            NoCharge::MaximumBalance => Some(Self::MaximumBalance),
            NoCharge::OutsideLimits => Some(Self::OutsideLimits),
            NoCharge::NotActive(_)
            | NoCharge::InFlight
            | NoCharge::Paused(_)
            | NoCharge::CoolingDown(_)
            | NoCharge::EnoughLeft => None,
        }
    }
}

/// Shares of the cap that are warned of (A4).
const WARN_AT_PERCENT: [u8; 3] = [100, 90, 80];

impl Recharge {
    /// Settings that were saved just now.
    pub fn new(is_enabled: bool, settings: RechargeSettings) -> Self {
        Self {
            is_enabled,
            settings,
            method: None,
            backups: Vec::new(),
            state: RechargeState::Armed,
            failures: 0,
            charge: None,
            month: Month::default(),
            month_charged: Amount::ZERO,
            warned_percent: 0,
            skipped: None,
        }
    }

    /// What counts in the cap of a month.
    pub fn charged_in(&self, month: Month) -> Amount {
        if self.month == month {
            self.month_charged
        } else {
            Amount::ZERO
        }
    }

    /// When it tries again by itself, if it waits for that.
    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            RechargeState::CoolingDown { until } if self.is_enabled => Some(until),
            RechargeState::CoolingDown { until: _ }
            | RechargeState::Armed
            | RechargeState::Paused(_) => None,
        }
    }

    /// Watching again, as if nothing had failed.
    #[must_use]
    pub(crate) fn rearmed(mut self) -> Self {
        self.state = RechargeState::Armed;
        self.failures = 0;
        self.skipped = None;
        self
    }

    /// With a charge begun.
    #[must_use]
    pub(crate) fn charging(mut self, charge: Charge) -> Self {
        if self.month != charge.month {
            self.month = charge.month;
            self.month_charged = Amount::ZERO;
            self.warned_percent = 0;
        }
        self.month_charged = saturating(self.month_charged, charge.amount);
        self.warned_percent = self.warned_percent.max(self.percent_to_warn_of());
        self.charge = Some(charge);
        self.skipped = None;
        self
    }

    /// With its charge over: what was not charged counts in no cap.
    #[must_use]
    pub(crate) fn uncharged(mut self) -> Self {
        if let Some(charge) = self.charge.take()
            && charge.month == self.month
        {
            self.month_charged = self.month_charged.saturating_sub(charge.amount);
        }
        self
    }

    /// With a charge that was given up and has succeeded all the same.
    #[must_use]
    pub(crate) fn charged_late(mut self, amount: Amount, month: Month) -> Self {
        if self.month == month {
            self.month_charged = saturating(self.month_charged, amount);
        }
        self
    }

    fn percent_to_warn_of(&self) -> u8 {
        let Some(cap) = self.settings.monthly_cap.filter(|cap| cap.is_positive()) else {
            return 0;
        };
        let charged = i128::from(self.month_charged.micros()).saturating_mul(100);
        let reached =
            |percent: &u8| charged >= i128::from(cap.micros()).saturating_mul(i128::from(*percent));
        WARN_AT_PERCENT.into_iter().find(reached).unwrap_or(0)
    }
}

fn saturating(sum: Amount, more: Amount) -> Amount {
    sum.checked_add(more).unwrap_or(Amount::MAX_BALANCE)
}

impl WalletState {
    /// The charge that is due now, or why there is none; none where auto-recharge is off.
    pub fn recharge_due(
        &self,
        limits: &TopUpLimits,
        month: Month,
        now: Timestamp,
    ) -> Option<Result<Amount, NoCharge>> {
        let recharge = self.recharge.as_deref().filter(|one| one.is_enabled)?;
        let view = RechargeView {
            status: self.status,
            balance: self.balance,
            held: self.held,
            // What is due is booked before anything is decided.
            due_expiry: Amount::ZERO,
            pending_top_ups: self.pending_top_ups,
            month_charged: recharge.charged_in(month),
            is_charging: recharge.charge.is_some(),
            state: recharge.state,
            now,
        };
        Some(evaluate(&recharge.settings, limits, &view, self.currency))
    }
}
