//! Auto-recharge as callers see it: saved, resumed, and looked at with what it did last (A1–A6).
//!
//! Whether and what it charges is decided by the ledger, in the commit of the debit; here is only who asks for what,
//! and the health that a page shows.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use crate::top_ups::TopUpView;
use crate::{Mode, Operation, Outcome};
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, SetRecharge};
use tillbox_core::currency::Currency;
use tillbox_core::id::{PaymentMethodId, WalletId};
use tillbox_core::policy::Policies;
use tillbox_core::reason::Reason;
use tillbox_core::recharge::{NoCharge, Recharge, RechargeSettings, RechargeState, Skip, Standing};
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tillbox_store::sqlite::top_ups::TopUpFilter;

/// Auto-recharge settings to save.
#[derive(Clone, Debug)]
pub struct NewRecharge {
    /// On or off.
    pub is_enabled: bool,
    /// When and how much.
    pub settings: RechargeSettings,
    /// The saved method to charge; none: the default.
    pub method: Option<PaymentMethodId>,
    /// Tried in this order when that is declined.
    pub backups: Vec<PaymentMethodId>,
}

/// Auto-recharge of a wallet, with how it stands.
#[derive(Clone, Debug)]
pub struct RechargeHealth {
    /// The wallet's currency.
    pub currency: Currency,
    /// As it was saved; none where it never was.
    pub recharge: Option<Recharge>,
    /// How it stands, in one word.
    pub standing: Standing,
    /// Why it does not charge now; none where it is about to, or is off.
    pub reason: Option<&'static str>,
    /// What it compares with the threshold: balance − held + pending top-ups (R18).
    pub effective: Amount,
    /// When it tries again by itself.
    pub next_eligible_at: Option<Timestamp>,
    /// Charged in this month, succeeded and under way.
    pub month_charged: Amount,
    /// Its last charges, newest first.
    pub last_attempts: Vec<TopUpView>,
}

/// Charges that the health shows.
const LAST_ATTEMPTS: usize = 10;
/// Backups that may be named.
const MAX_BACKUPS: usize = 5;

impl RechargeHealth {
    /// As it stands in a wallet's state at an instant; without what it did last.
    pub(crate) fn of(state: &WalletState, now: Timestamp, policies: &Policies) -> Self {
        let recharge = state.recharge.as_deref();
        let month = policies.month(now);
        let limits = &policies.of(state.currency).top_up_limits;
        let due = state.recharge_due(limits, month, now);
        Self {
            currency: state.currency,
            standing: Standing::of(recharge),
            reason: due.and_then(Result::err).map(NoCharge::name),
            effective: state.balance - state.held + state.pending_top_ups,
            next_eligible_at: recharge.and_then(|recharge| match recharge.state {
                RechargeState::CoolingDown { until } if recharge.is_enabled => Some(until),
                RechargeState::CoolingDown { until: _ }
                | RechargeState::Armed
                | RechargeState::Paused(_) => None,
            }),
            month_charged: recharge.map_or(Amount::ZERO, |recharge| recharge.charged_in(month)),
            recharge: recharge.cloned(),
            last_attempts: Vec::new(),
        }
    }

    /// As it stood right after a row of the log, with the reason that the log tells, whatever the merchant's limits
    /// are now.
    pub(crate) fn as_was(state: &WalletState, at: Timestamp, policies: &Policies) -> Self {
        let recharge = state.recharge.as_deref();
        let reason = recharge
            .filter(|recharge| recharge.is_enabled)
            .and_then(|recharge| match recharge.state {
                _ if recharge.charge.is_some() => Some(NoCharge::InFlight.name()),
                RechargeState::Paused(reason) => Some(reason.name()),
                RechargeState::CoolingDown { until } => Some(NoCharge::CoolingDown(until).name()),
                RechargeState::Armed => recharge.skipped.map(Skip::name),
            });
        Self {
            reason,
            ..Self::of(state, at, policies)
        }
    }
}

/// What saving settings of auto-recharge would do at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WouldCharge {
    /// What is compared with the threshold.
    pub effective: Amount,
    /// What would be charged, or why nothing would.
    pub charge: Result<Amount, NoCharge>,
}

/// What a change of auto-recharge would come to (R45).
#[derive(Clone, Debug)]
pub struct TriedRecharge {
    /// How it would stand.
    pub health: RechargeHealth,
    /// What would be charged at once, if anything.
    pub charge: Option<Amount>,
}

fn recharge_operation(wallet_id: WalletId, command: Command, mode: Mode) -> Operation {
    Operation {
        wallet_id,
        command,
        key: None,
        mode,
    }
}

impl Service {
    /// What saving these settings, turned on, would charge at once (R21): pages say it before.
    pub async fn would_recharge(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        settings: RechargeSettings,
    ) -> Result<WouldCharge, ServiceError> {
        self.wallet_facts(who, wallet_id).await?;
        let policies = who.merchant.policies();
        let look = move |state: &WalletState, now: Timestamp| {
            let mut imagined = state.clone();
            let known = state.recharge.as_deref().cloned();
            imagined.recharge = Some(Box::new(Recharge {
                is_enabled: true,
                settings,
                state: RechargeState::Armed,
                ..known.unwrap_or_else(|| Recharge::new(true, settings))
            }));
            let limits = &policies.of(state.currency).top_up_limits;
            let due = imagined.recharge_due(limits, policies.month(now), now);
            WouldCharge {
                effective: state.balance - state.held + state.pending_top_ups,
                charge: due.unwrap_or(Err(NoCharge::EnoughLeft)),
            }
        };
        let clock = who.merchant.clock.clone();
        let read = self.engine.read(who.merchant_id, wallet_id, clock, look);
        Ok(read.await?)
    }

    /// Saves what the customer wants; it may charge at once (R21).
    pub async fn set_auto_recharge(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        new: NewRecharge,
    ) -> Result<(), ServiceError> {
        let command = self.saving_recharge(who, wallet_id, new).await?;
        let operation = recharge_operation(wallet_id, command, Mode::Commit);
        self.submit(who, operation).await.map(drop)
    }

    /// How it would stand once that were saved, and what would be charged at once; nothing is.
    pub async fn try_auto_recharge(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        new: NewRecharge,
    ) -> Result<TriedRecharge, ServiceError> {
        let command = self.saving_recharge(who, wallet_id, new).await?;
        self.try_recharge(who, wallet_id, command).await
    }

    /// Lets auto-recharge try again, as if nothing had failed.
    pub async fn resume_auto_recharge(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<(), ServiceError> {
        let operation = recharge_operation(wallet_id, Command::ResumeRecharge, Mode::Commit);
        self.submit(who, operation).await.map(drop)
    }

    /// How it would stand once it were resumed, and what would be charged at once; nothing is.
    pub async fn try_resume_auto_recharge(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<TriedRecharge, ServiceError> {
        self.try_recharge(who, wallet_id, Command::ResumeRecharge)
            .await
    }

    async fn saving_recharge(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        new: NewRecharge,
    ) -> Result<Command, ServiceError> {
        if new.backups.len() > MAX_BACKUPS {
            return Err(ServiceError::Invalid {
                pointer: "/backup_payment_method_ids",
                message: "at most five backups",
            });
        }
        let method = match new.method {
            Some(id) => Some(self.method_of_wallet(who, wallet_id, id).await?),
            None => None,
        };
        for backup in &new.backups {
            self.method_of_wallet(who, wallet_id, *backup).await?;
        }
        let has_method =
            method.is_some() || self.default_method_of(who, wallet_id).await?.is_some();
        Ok(Command::SetRecharge(SetRecharge {
            is_enabled: new.is_enabled,
            settings: new.settings,
            method,
            backups: new.backups,
            has_method,
        }))
    }

    async fn try_recharge(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        command: Command,
    ) -> Result<TriedRecharge, ServiceError> {
        let operation = recharge_operation(wallet_id, command, Mode::DryRun);
        let Outcome::Row { entry, .. } = self.submit(who, operation).await? else {
            return Err(ServiceError::KeyReused);
        };
        let last_attempts = self.auto_recharge(who, wallet_id).await?.last_attempts;
        let policies = who.merchant.policies();
        let look = move |state: &WalletState, now: Timestamp| {
            let mut imagined = state.clone();
            imagined.recharge.clone_from(&entry.event.recharge);
            let limits = &policies.of(state.currency).top_up_limits;
            let due = imagined.recharge_due(limits, policies.month(now), now);
            TriedRecharge {
                health: RechargeHealth {
                    last_attempts,
                    ..RechargeHealth::of(&imagined, now, &policies)
                },
                charge: due.and_then(Result::ok),
            }
        };
        let clock = who.merchant.clock.clone();
        let read = self.engine.read(who.merchant_id, wallet_id, clock, look);
        Ok(read.await?)
    }

    /// How auto-recharge of a wallet stands.
    pub async fn auto_recharge(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<RechargeHealth, ServiceError> {
        self.wallet_currency(who, wallet_id).await?;
        let filter = TopUpFilter {
            reason: Some(Reason::AutoRecharge),
            ..TopUpFilter::default()
        };
        let last_attempts = self
            .top_ups(who, wallet_id, filter, None, LAST_ATTEMPTS)
            .await?;
        let policies = who.merchant.policies();
        let look = move |state: &WalletState, now: Timestamp| RechargeHealth {
            last_attempts,
            ..RechargeHealth::of(state, now, &policies)
        };
        let clock = who.merchant.clock.clone();
        let read = self.engine.read(who.merchant_id, wallet_id, clock, look);
        Ok(read.await?)
    }

    /// Resumes auto-recharge of a customer's wallets that wait for a card, as one was added (A5).
    pub(crate) async fn resume_for_new_card(
        &self,
        who: &Principal,
        customer: tillbox_core::id::CustomerId,
    ) -> Result<(), ServiceError> {
        let filter = tillbox_store::sqlite::wallets::WalletFilter {
            customer_id: Some(customer),
            ..Default::default()
        };
        for wallet in self.wallets(who, filter, None, 100).await? {
            match self.resume_auto_recharge(who, wallet.row.id).await {
                // It is off, closed, or was not paused.
                Ok(()) | Err(ServiceError::Rejected { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
