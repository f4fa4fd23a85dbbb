//! A wallet's state: what is open, and the sums that decisions read.
//!
//! It holds only what is open: lots with something left, open holds, unpaid debt. What is closed lives in
//! the store. Invariants, checked by [`WalletState::check`]:
//! `balance = Σ remaining − debt` · `held = Σ remaining of holds = Σ held of lots + Σ overdraft part of holds` ·
//! `0 ≤ lot.held ≤ lot.remaining ≤ lot.amount` · `debt > 0 ⇒ no unheld value` (R6).

use crate::alerts::{self, Alerts, Source};
use crate::amount::Amount;
use crate::currency::Currency;
use crate::debt::Debt;
use crate::entry::Hash;
use crate::hold::Hold;
use crate::id::{CustomerId, HoldId, LotId, MerchantId, TopUpId, WalletId};
use crate::lot::{DrawKey, FundingType, Lot};
use crate::payback::Payback;
use crate::policy::Policy;
use crate::reason::Language;
use crate::recharge::Recharge;
use crate::time::Timestamp;
use crate::top_up::{TopUp, TopUpStatus};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(crate) const BALANCE_OF_LOTS: &str = "balance = Σ remaining of lots − debt";
pub(crate) const DEBT_AND_VALUE: &str = "debt > 0 ⇒ no unheld value";

/// The life of a wallet (W2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WalletStatus {
    /// Waits for its first payment.
    PendingActivation,
    /// In use.
    Active,
    /// Takes credits, refuses spending.
    Frozen,
    /// Over.
    Closed,
}

impl WalletStatus {
    /// Every status, in the order of their codes.
    pub const ALL: [Self; 4] = [
        Self::PendingActivation,
        Self::Active,
        Self::Frozen,
        Self::Closed,
    ];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PendingActivation => "pending_activation",
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }

    /// The number in the log.
    pub const fn code(self) -> u8 {
        match self {
            Self::PendingActivation => 0,
            Self::Active => 1,
            Self::Frozen => 2,
            Self::Closed => 3,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}

/// Something that falls due by the clock. Holds come before lots that fall due at the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Due {
    /// A hold to give back.
    Hold(HoldId),
    /// A lot to expire.
    Lot(DrawKey),
    /// A back-off of auto-recharge that ends.
    Recharge,
}

/// What decisions read. Changed only by [`WalletState::apply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletState {
    /// The wallet.
    pub id: WalletId,
    /// Its merchant.
    pub merchant_id: MerchantId,
    /// Its owner.
    pub customer_id: CustomerId,
    /// Its currency.
    pub currency: Currency,
    /// In which default descriptions are written.
    pub language: Language,
    /// Its status.
    pub status: WalletStatus,
    /// The number of its last row; 0 after creation (R1).
    pub version: u64,
    /// The number of its last transaction.
    pub seq: u64,
    /// The chain after its last row.
    pub head: Hash,
    /// The time of its last row; time never goes back behind it.
    pub last_at: Timestamp,
    /// When its last row took effect: `last_at`, or earlier where it was booked late.
    pub last_effective_at: Timestamp,
    /// Posted value: Σ remaining − debt.
    pub balance: Amount,
    /// Reserved value.
    pub held: Amount,
    /// The part of `held` that is reserved on the overdraft.
    pub held_overdraft: Amount,
    /// What it owes.
    pub debt: Debt,
    /// How far available value may go below zero.
    pub overdraft_limit: Amount,
    /// Top-ups whose outcome is not known: never spendable.
    pub pending_top_ups: Amount,
    /// Auto-recharge, once it was set.
    pub recharge: Option<Box<Recharge>>,
    /// Low-balance alerts.
    pub alerts: Alerts,
    /// Payments of which a dispute is open, with what has gone back of each.
    pub(crate) disputed: BTreeMap<TopUpId, Payback>,
    pub(crate) top_ups: BTreeMap<TopUpId, TopUp>,
    pub(crate) lots: VecDeque<Lot>,
    pub(crate) holds: BTreeMap<HoldId, Hold>,
    pub(crate) due: BTreeSet<(Timestamp, Due)>,
}

/// What names a new wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewWallet {
    /// The wallet.
    pub id: WalletId,
    /// Its merchant.
    pub merchant_id: MerchantId,
    /// Its owner.
    pub customer_id: CustomerId,
    /// Its currency.
    pub currency: Currency,
    /// In which default descriptions are written.
    pub language: Language,
    /// The status that it starts in.
    pub status: WalletStatus,
    /// How far available value may go below zero.
    pub overdraft_limit: Amount,
}

/// What a wallet holds, in the words of the contract (L7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balances {
    /// Posted value.
    pub balance: Amount,
    /// Reserved value.
    pub held: Amount,
    /// The part of `held` that waits for invoices.
    pub pending_charges: Amount,
    /// balance − held + overdraft limit; may be negative.
    pub available: Amount,
    /// What is owed.
    pub debt: Amount,
    /// Top-ups under way; never spendable.
    pub pending_top_ups: Amount,
    /// What may be paid out (R8).
    pub withdrawable: Amount,
    /// What remains by origin, types with value only.
    pub by_funding_type: Vec<(FundingType, Amount)>,
    /// The unheld value that expires next, and when.
    pub expiring_next: Option<(Amount, Timestamp)>,
}

impl WalletState {
    /// A wallet without any row yet.
    pub fn new(wallet: NewWallet) -> Self {
        Self {
            id: wallet.id,
            merchant_id: wallet.merchant_id,
            customer_id: wallet.customer_id,
            currency: wallet.currency,
            language: wallet.language,
            status: wallet.status,
            version: 0,
            seq: 0,
            head: [0; 32],
            last_at: Timestamp::from_micros(0),
            last_effective_at: Timestamp::from_micros(0),
            balance: Amount::ZERO,
            held: Amount::ZERO,
            held_overdraft: Amount::ZERO,
            debt: Debt::default(),
            overdraft_limit: wallet.overdraft_limit,
            pending_top_ups: Amount::ZERO,
            recharge: None,
            alerts: Alerts::default(),
            disputed: BTreeMap::new(),
            top_ups: BTreeMap::new(),
            lots: VecDeque::new(),
            holds: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }

    /// Puts back what the store kept open. Sums that follow from lots and holds are made anew.
    #[must_use]
    pub fn with_open(mut self, mut lots: Vec<Lot>, holds: Vec<Hold>) -> Self {
        lots.sort_by_key(Lot::draw_key);
        // Most wallets have one lot: what a cache keeps of them is little more than that.
        lots.shrink_to_fit();
        self.lots = lots.into();
        self.holds = holds.into_iter().map(|hold| (hold.id, hold)).collect();
        self.held = self.holds.values().map(Hold::remaining).sum();
        self.held_overdraft = self.holds.values().map(|hold| hold.overdraft).sum();
        let lots = self.lots.iter().filter(|lot| lot.unheld().is_positive());
        let lots = lots.filter_map(|lot| Some((lot.expires_at?, Due::Lot(lot.draw_key()))));
        let holds = self
            .holds
            .values()
            .map(|hold| (hold.expires_at, Due::Hold(hold.id)));
        self.due = lots.chain(holds).collect();
        self
    }

    /// Puts back open top-ups, auto-recharge and alerts as the store kept them.
    #[must_use]
    pub fn with_policy(
        mut self,
        top_ups: impl IntoIterator<Item = (TopUpId, TopUp)>,
        recharge: Option<Recharge>,
        alerts: Alerts,
    ) -> Self {
        self.top_ups = top_ups.into_iter().collect();
        let processing = self
            .top_ups
            .values()
            .filter(|top_up| top_up.status == TopUpStatus::Processing);
        self.pending_top_ups = processing.map(|top_up| top_up.amount).sum();
        self.due.extend(
            recharge
                .as_ref()
                .and_then(Recharge::due_at)
                .map(|at| (at, Due::Recharge)),
        );
        self.recharge = recharge.map(Box::new);
        self.alerts = alerts;
        self
    }

    /// Puts back the payments of which a dispute is open, as the store kept them.
    #[must_use]
    pub fn with_disputed(mut self, disputed: BTreeMap<TopUpId, Payback>) -> Self {
        self.disputed = disputed;
        self
    }

    /// Payments of which a dispute is open, with what has gone back of each: what is set free of their lots is reserved
    /// (R28). Not those that were last told of before there was that rule.
    pub fn disputed(&self) -> &BTreeMap<TopUpId, Payback> {
        &self.disputed
    }

    /// Open top-ups, oldest first.
    pub fn top_ups(&self) -> impl ExactSizeIterator<Item = (TopUpId, &TopUp)> {
        self.top_ups.iter().map(|(id, top_up)| (*id, top_up))
    }

    /// The open top-up of that id.
    pub fn top_up(&self, id: TopUpId) -> Option<&TopUp> {
        self.top_ups.get(&id)
    }

    /// Whether the balance is low, by its own thresholds or those of the merchant (R41).
    pub fn is_low(&self, policy: &Policy) -> bool {
        let value = self.balance - self.held;
        let had_money = self.seq > 0;
        match self.alerts.source {
            Source::Wallet => alerts::is_low(value, self.alerts.amounts(), had_money),
            Source::Merchant => {
                let thresholds = policy.low_balance_thresholds.iter().copied();
                alerts::is_low(value, thresholds, had_money)
            }
            Source::Off => false,
        }
    }

    /// The same by the merchant's thresholds as the last row found them: how it was then, whatever they are now.
    pub fn was_low(&self) -> bool {
        let value = self.balance - self.held;
        match self.alerts.source {
            Source::Merchant | Source::Wallet => {
                alerts::is_low(value, self.alerts.amounts(), self.seq > 0)
            }
            Source::Off => false,
        }
    }

    /// Open lots in draw order.
    pub fn lots(&self) -> impl ExactSizeIterator<Item = &Lot> {
        self.lots.iter()
    }

    /// Open holds, oldest first.
    pub fn holds(&self) -> impl ExactSizeIterator<Item = &Hold> {
        self.holds.values()
    }

    /// The open hold of that id.
    pub fn hold(&self, id: HoldId) -> Option<&Hold> {
        self.holds.get(&id)
    }

    /// The open lot of that key.
    pub fn lot(&self, key: &DrawKey) -> Option<&Lot> {
        self.lot_index(key)
            .ok()
            .and_then(|index| self.lots.get(index))
    }

    /// When the next hold or lot falls due.
    pub fn next_due_at(&self) -> Option<Timestamp> {
        let first = self.due.first().map(|(at, _)| *at);
        first.filter(|at| *at < Timestamp::NEVER)
    }

    /// The sum of what no hold reserves on lots. O(1).
    pub fn unheld(&self) -> Amount {
        self.balance + self.debt.total() - (self.held - self.held_overdraft)
    }

    /// balance − held + overdraft limit. Below zero only after force, a chargeback or a lowered limit (R9).
    pub fn available(&self) -> Amount {
        crate::seeded_bug!(HoldsNotSubtracted: return self.balance + self.overdraft_limit);
        self.balance - self.held + self.overdraft_limit
    }

    /// How much value may come in: balance and overdraft limit together stay in range (R4), so that what
    /// is available does too.
    pub(crate) fn room_above(&self) -> Amount {
        Amount::MAX_BALANCE
            .checked_sub(self.overdraft_limit)
            .and_then(|room| room.checked_sub(self.balance))
            .map_or(Amount::MAX_BALANCE, Amount::or_zero)
    }

    /// How much debt may be made: all debt ever made and the overdraft that holds reserve stay in range (R4),
    /// so that a balance without its holds does too, and no capture is refused for want of room.
    pub(crate) fn room_below(&self) -> Amount {
        Amount::MAX_BALANCE - self.debt.owed_to() - self.held_overdraft
    }

    /// What may be paid out: unheld value of lots that allow it, and no more than the balance without what is held
    /// (R8). O(open lots).
    pub fn withdrawable(&self) -> Amount {
        let lots = self.lots.iter().filter(|lot| lot.withdrawable);
        let unheld: Amount = lots.map(Lot::unheld).sum();
        unheld.min((self.balance - self.held).or_zero())
    }

    /// The open lot of that id. O(open lots).
    pub fn lot_of(&self, id: LotId) -> Option<&Lot> {
        self.lots.iter().find(|lot| lot.id == id)
    }

    /// All sums. O(open lots and holds).
    pub fn balances(&self) -> Balances {
        let mut by_funding_type: Vec<(FundingType, Amount)> = Vec::new();
        for lot in &self.lots {
            match by_funding_type
                .iter_mut()
                .find(|(funding, _)| *funding == lot.funding)
            {
                Some((_, sum)) => *sum += lot.remaining,
                None => by_funding_type.push((lot.funding, lot.remaining)),
            }
        }
        by_funding_type.sort_by_key(|(funding, _)| funding.code());
        let invoiced = self.holds.values().filter(|hold| hold.invoice_id.is_some());
        Balances {
            balance: self.balance,
            held: self.held,
            pending_charges: invoiced.map(Hold::remaining).sum(),
            available: self.available(),
            debt: self.debt.total(),
            pending_top_ups: self.pending_top_ups,
            withdrawable: self.withdrawable(),
            by_funding_type,
            expiring_next: self.expiring_next(),
        }
    }

    fn expiring_next(&self) -> Option<(Amount, Timestamp)> {
        let lots = || {
            self.due
                .iter()
                .filter(|(_, due)| matches!(due, Due::Lot(_)))
        };
        let (at, _) = lots().next()?;
        let same_instant = lots().take_while(|(when, _)| when == at);
        let amounts = same_instant.filter_map(|(_, due)| match due {
            Due::Lot(key) => self.lot(key).map(Lot::unheld),
            Due::Hold(_) | Due::Recharge => None,
        });
        Some((amounts.sum(), *at))
    }

    /// The bytes that the state takes in memory, roughly: what a cache counts.
    pub fn size_bytes(&self) -> usize {
        let lots = self.lots.capacity().saturating_mul(size_of::<Lot>());
        let holds = self
            .holds
            .len()
            .saturating_mul(size_of::<Hold>().saturating_add(96));
        let due = self.due.len().saturating_mul(96);
        let top_ups = self
            .top_ups
            .len()
            .saturating_mul(size_of::<TopUp>().saturating_add(96));
        let recharge = usize::from(self.recharge.is_some()).saturating_mul(size_of::<Recharge>());
        let disputed = self
            .disputed
            .len()
            .saturating_mul(size_of::<Payback>().saturating_add(256));
        size_of::<Self>()
            .saturating_add(lots)
            .saturating_add(holds)
            .saturating_add(due)
            .saturating_add(top_ups)
            .saturating_add(recharge)
            .saturating_add(disputed)
    }

    /// The first invariant that does not hold, named.
    pub fn check(&self) -> Result<(), &'static str> {
        let remaining: Amount = self.lots.iter().map(|lot| lot.remaining).sum();
        let lots_held: Amount = self.lots.iter().map(|lot| lot.held).sum();
        let holds: Amount = self.holds.values().map(Hold::remaining).sum();
        let overdraft: Amount = self.holds.values().map(|hold| hold.overdraft).sum();
        let parts_match = self
            .lots
            .iter()
            .filter(|lot| !lot.held.is_zero())
            .all(|lot| {
                let parts = self.holds.values().flat_map(|hold| &hold.parts);
                parts
                    .filter(|part| part.lot.id == lot.id)
                    .map(|part| part.amount)
                    .sum::<Amount>()
                    == lot.held
            });
        let lot_bounds = self.lots.iter().all(|lot| {
            !lot.held.is_negative()
                && lot.held <= lot.remaining
                && lot.remaining <= lot.amount
                && lot.remaining.is_positive()
        });
        let holds_match = self.holds.values().all(|hold| {
            let parts: Amount = hold.parts.iter().map(|part| part.amount).sum();
            !hold.overdraft.is_negative() && parts + hold.overdraft == hold.remaining()
        });
        // Value that is freed past its date pays nothing: the next row expires it.
        let unheld_is_past_its_date = || {
            let mut unheld = self.lots.iter().filter(|lot| lot.unheld().is_positive());
            unheld.all(|lot| lot.is_expired(self.last_effective_at))
        };
        let processing = self
            .top_ups
            .values()
            .filter(|top_up| top_up.status == TopUpStatus::Processing);
        let pending: Amount = processing.map(|top_up| top_up.amount).sum();
        let charge = self
            .recharge
            .as_deref()
            .and_then(|recharge| recharge.charge);
        let charge_is_open =
            charge.is_none_or(|charge| self.top_ups.contains_key(&charge.top_up_id));
        let rules = [
            (
                self.balance == remaining - self.debt.total(),
                BALANCE_OF_LOTS,
            ),
            (self.held == holds, "held = Σ remaining of open holds"),
            (
                self.held_overdraft == overdraft,
                "held overdraft = Σ overdraft part of holds",
            ),
            (
                holds == lots_held + overdraft,
                "Σ holds = Σ held of lots + Σ overdraft part of holds",
            ),
            (parts_match, "held of a lot = Σ parts of holds on it"),
            (
                holds_match,
                "remaining of a hold = Σ its parts + its overdraft part",
            ),
            (
                lot_bounds,
                "0 ≤ held ≤ remaining ≤ amount of each lot, and something remains",
            ),
            (!self.debt.total().is_negative(), "debt is never negative"),
            (
                self.debt.total().is_zero() || unheld_is_past_its_date(),
                DEBT_AND_VALUE,
            ),
            (
                self.pending_top_ups == pending,
                "pending top-ups = Σ top-ups in processing",
            ),
            (charge_is_open, "a charge under way is an open top-up"),
            (
                self.lots.iter().map(Lot::draw_key).is_sorted(),
                "lots stand in draw order",
            ),
        ];
        rules
            .into_iter()
            .find(|(holds, _)| !holds)
            .map_or(Ok(()), |(_, rule)| Err(rule))
    }

    pub(crate) fn lot_index(&self, key: &DrawKey) -> Result<usize, usize> {
        self.lots.binary_search_by_key(key, Lot::draw_key)
    }
}
