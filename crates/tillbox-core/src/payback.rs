//! What goes back of a payment: refunds to the card, and what the bank takes by a dispute (R27, R28).
//!
//! All that has gone back of one payment stands whole in each row that changes it ([`Payback`]), so that the sums that
//! refunds and disputes share are one thing: `0 ≤ refunded + clawed + charged back ≤ charged + given`, in whatever
//! order their notices come. A *payout* is what is to be paid back over the provider: it is opened by the row that takes
//! the value, and is known by that transaction.

use crate::amount::Amount;
use crate::entry::Event;
use crate::id::{DisputeId, EntryId, HoldId, LotId};
use crate::reason::Reason;
use crate::time::Timestamp;
use crate::top_up::TopUp;

/// How a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PayoutStatus {
    /// The value is taken; what the provider says is not known yet.
    Pending,
    /// Paid back.
    Succeeded,
    /// The provider refused, and the value went back to its lots.
    Failed,
    /// The provider refused, and the wallet is closed: a person has to pay it.
    Manual,
}

impl PayoutStatus {
    /// Every status, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Succeeded, Self::Failed, Self::Manual];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Manual => "manual",
        }
    }

    /// The number in the log; never reused for another meaning.
    pub const fn code(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Succeeded => 1,
            Self::Failed => 2,
            Self::Manual => 3,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// What may follow. Banks return what a provider had reported as paid back; nothing follows that.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => !matches!(next, Self::Pending),
            Self::Succeeded => matches!(next, Self::Failed | Self::Manual),
            Self::Failed | Self::Manual => false,
        }
    }
}

/// What is to be paid back over the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// The transaction that took the value.
    pub debit_id: EntryId,
    /// What is paid back, in whole minor units.
    pub amount: Amount,
    /// What the same transaction took of what had been given with the payment.
    pub clawed: Amount,
    /// How it stands.
    pub status: PayoutStatus,
    /// The provider's code of why it failed.
    pub failure: Option<Box<str>>,
}

/// How a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DisputeStatus {
    /// The bank has not decided.
    Open,
    /// The bank has taken the money.
    Lost,
    /// The money stays, or has come back.
    Won,
}

impl DisputeStatus {
    /// Every status, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Open, Self::Lost, Self::Won];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Lost => "lost",
            Self::Won => "won",
        }
    }

    /// The number in the log; never reused for another meaning.
    pub const fn code(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Lost => 1,
            Self::Won => 2,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// What may follow. A bank may give back what it took; notices that come late change nothing.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Open => matches!(next, Self::Lost | Self::Won),
            Self::Lost => matches!(next, Self::Won),
            Self::Won => false,
        }
    }
}

/// A payment that the bank has taken back, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// The number of the row that first told of it.
    pub id: DisputeId,
    /// What the provider calls it.
    pub provider_id: Box<str>,
    /// How it stands.
    pub status: DisputeStatus,
    /// What the bank takes, by what the provider says.
    pub amount: Amount,
    /// Why, by what the provider says.
    pub reason: Option<Box<str>>,
    /// What reserves the value until it is decided; none where there was nothing to reserve.
    pub hold_id: Option<HoldId>,
    /// When it was first told of.
    pub opened_at: Timestamp,
}

/// A transaction by which a dispute took value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chargeback {
    /// The transaction.
    pub entry_id: EntryId,
    /// What of it was not given back.
    pub left: Amount,
}

/// What disputes may take yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// All of it.
    pub all: Amount,
    /// The part of that which was given.
    pub given: Amount,
}

impl Claim {
    /// How much of it lies on the payment's two lots, where so much of them is left, and so much is reserved already: of
    /// the bonus lot what was given, of the other the rest, and more of the bonus lot only where that does not do.
    pub(crate) fn on(self, bonus: Left, own: Left) -> (Amount, Amount) {
        let mut missing = (self.all - bonus.reserved - own.reserved).or_zero();
        let mut take = |left: Amount, most: Amount| {
            let share = left.min(most).min(missing);
            missing -= share;
            share
        };
        let given = take(bonus.free, (self.given - bonus.reserved).or_zero());
        let charged = take(own.free, self.all);
        let more = take(bonus.free - given, self.all);
        (given + more, charged)
    }
}

/// What is left of a lot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// By what disputes reserve of it already.
    pub(crate) reserved: Amount,
    /// Of what they may reserve.
    pub(crate) free: Amount,
}

/// What has gone back of a payment, as it stands after a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payback {
    /// What was charged.
    pub charged: Amount,
    /// What was given on top of that.
    pub given: Amount,
    /// The lot of what was charged.
    pub lot: LotId,
    /// The lot of what was given.
    pub bonus_lot: Option<LotId>,
    /// What of the bonus lot had lapsed (expired, forfeited) when the row was decided.
    pub lapsed: Amount,
    /// Refunded to the card, what is on its way included.
    pub refunded: Amount,
    /// Taken back of what was given, for that.
    pub clawed: Amount,
    /// Taken by disputes, less what was given back of that.
    pub charged_back: Amount,
    /// The part of that which is of what was given, wherever it was taken from: no money.
    pub given_charged_back: Amount,
    /// How disputes took it, oldest first.
    pub chargebacks: Vec<Chargeback>,
    /// All disputes of the payment, oldest first.
    pub disputes: Vec<Dispute>,
    /// Whether what is set free of its lots is reserved while it is disputed. Rows of before there was that rule say no.
    pub reserves_freed: bool,
    /// The payout that the row opened or moved.
    pub payout: Option<Payout>,
    /// The dispute that the row moved.
    pub moved: Option<DisputeId>,
    /// The part of the row's amount that is of what was given, wherever it was taken from: no money.
    pub given_moved: Amount,
}

impl Payback {
    /// Of a payment that was credited and of which nothing has gone back; none where nothing was charged.
    pub fn none_yet(top_up: &TopUp, lot: LotId, bonus_lot: Option<LotId>) -> Option<Self> {
        top_up.charged.is_positive().then(|| Self {
            charged: top_up.charged,
            given: top_up.discount(),
            lot,
            bonus_lot,
            lapsed: Amount::ZERO,
            refunded: Amount::ZERO,
            clawed: Amount::ZERO,
            charged_back: Amount::ZERO,
            given_charged_back: Amount::ZERO,
            chargebacks: Vec::new(),
            disputes: Vec::new(),
            reserves_freed: false,
            payout: None,
            moved: None,
            given_moved: Amount::ZERO,
        })
    }

    /// What stays of it behind its row: without what the row alone was about.
    #[must_use]
    pub fn standing(&self) -> Self {
        Self {
            payout: None,
            moved: None,
            given_moved: Amount::ZERO,
            ..self.clone()
        }
    }

    /// All that was credited for the payment.
    pub fn credited(&self) -> Amount {
        self.charged + self.given
    }

    /// All that has gone back.
    pub fn gone(&self) -> Amount {
        self.refunded + self.clawed + self.charged_back
    }

    /// What a charge of `kept` would have been given: the provider's discount is a share of what was charged. Rounded
    /// down to a micro-unit.
    fn earned(&self, kept: Amount) -> Amount {
        let share = i128::from(self.given.micros())
            .checked_mul(i128::from(kept.micros()))
            .and_then(|product| product.checked_div(i128::from(self.charged.micros())));
        let share = share.and_then(|share| i64::try_from(share).ok());
        share.map_or(Amount::ZERO, Amount::from_micros)
    }

    /// What was given and is not earned any more once `more` of what was charged has gone back.
    fn unearned(&self, more: Amount) -> Amount {
        let kept = (self.charged - self.refunded - self.lost_charge() - more).or_zero();
        self.given - self.earned(kept)
    }

    /// What lost disputes come to of what was charged: never what was refunded already.
    fn lost_charge(&self) -> Amount {
        let lost = self.disputes.iter();
        let lost = lost.filter(|dispute| dispute.status == DisputeStatus::Lost);
        let amounts = lost.map(|dispute| dispute.amount);
        let most = (self.charged - self.refunded).or_zero();
        let most = crate::seeded_bug!(ClawedBackTwice: self.charged; else most);
        amounts.fold(Amount::ZERO, |sum, amount| {
            sum.checked_add(amount).unwrap_or(most).min(most)
        })
    }

    /// Disputes that the bank has not decided.
    pub fn open_disputes(&self) -> impl Iterator<Item = &Dispute> {
        let all = self.disputes.iter();
        all.filter(|dispute| dispute.status == DisputeStatus::Open)
    }

    /// Whether what is set free of its lots is to be reserved.
    pub fn is_disputed(&self) -> bool {
        self.reserves_freed && self.open_disputes().next().is_some()
    }

    /// Whether that lot is of the payment.
    pub fn owns(&self, lot: LotId) -> bool {
        lot == self.lot || Some(lot) == self.bonus_lot
    }

    /// What disputes may take yet: as if all that are open were lost.
    pub fn claimed(&self) -> Claim {
        let mut lost = self.clone();
        for dispute in &mut lost.disputes {
            if dispute.status == DisputeStatus::Open {
                dispute.status = DisputeStatus::Lost;
            }
        }
        let all = (lost.due_to_disputes() - self.charged_back).or_zero();
        let given = (lost.bonus_due_to_disputes() - self.bonus_charged_back()).or_zero();
        Claim {
            all,
            given: given.min(all),
        }
    }

    /// Takes in a row behind the one that it stands in: what of the bonus was lost unused by it.
    pub(crate) fn follow(&mut self, row: &Event) {
        if row.reason.is_some_and(Reason::is_lapse) {
            let parts = row.parts.iter();
            let lapsed = parts.filter(|part| Some(part.lot.id) == self.bonus_lot);
            self.lapsed -= lapsed.map(|part| part.amount).sum();
        }
    }

    /// What disputes are to have taken, as they stand: the charge, and what was given for it.
    pub fn due_to_disputes(&self) -> Amount {
        let charge = self.lost_charge();
        if charge.is_zero() {
            return Amount::ZERO;
        }
        let to_claw = self.unearned(Amount::ZERO).min(self.given - self.lapsed);
        charge + (to_claw - self.clawed).or_zero()
    }

    /// The part of that which was given.
    pub fn bonus_due_to_disputes(&self) -> Amount {
        self.due_to_disputes() - self.lost_charge()
    }

    /// Lets disputes take `amount` more: of the charge first, as they stand, then of what was given.
    pub(crate) fn charge_back(&mut self, amount: Amount) {
        self.charged_back += amount;
        let given = self.bonus_charged_back() - self.given_charged_back;
        self.given_moved = given.or_zero().min(amount);
        self.given_charged_back += self.given_moved;
    }

    /// Lets disputes give `amount` back: the other way round.
    pub(crate) fn give_back(&mut self, amount: Amount) {
        self.charged_back -= amount;
        let given = self.given_charged_back - self.bonus_charged_back();
        self.given_moved = given.or_zero().min(amount);
        self.given_charged_back -= self.given_moved;
    }

    /// What disputes took of what was given, as they stand.
    fn bonus_charged_back(&self) -> Amount {
        (self.charged_back - self.lost_charge()).or_zero()
    }

    /// What was spent of what was given, so that it can't be taken from its lot, of which `rest` is left unheld.
    fn bonus_spent(&self, rest: Amount) -> Amount {
        let back = self.clawed + self.bonus_charged_back() + self.lapsed;
        (self.given - back - rest).or_zero()
    }

    /// What of the charge has not gone back: the most that its card may still get.
    pub fn unreturned(&self) -> Amount {
        let most = (self.charged - self.refunded - self.lost_charge()).or_zero();
        most.min((self.credited() - self.gone()).or_zero())
    }

    /// What may be refunded to the card, where that much is left unheld on the two lots (R27).
    pub fn refundable(&self, rest: Amount, bonus_rest: Amount, minor_unit: i64) -> Amount {
        let most = self.unreturned();
        let left = (rest - self.bonus_spent(bonus_rest)).or_zero();
        round_down(left.min(most), minor_unit)
    }

    /// What is taken back of what was given when that much is refunded: from its lot as far as that goes.
    pub fn to_claw(&self, refund: Amount, bonus_rest: Amount) -> Amount {
        let unearned = self.unearned(refund) - self.clawed - self.bonus_charged_back();
        let most = bonus_rest + self.bonus_spent(bonus_rest);
        let left = self.credited() - self.gone() - refund;
        unearned.or_zero().min(most).min(left.or_zero())
    }
}

/// Whole minor units.
pub(crate) fn round_down(amount: Amount, minor_unit: i64) -> Amount {
    let rest = amount.micros().rem_euclid(minor_unit);
    amount - Amount::from_micros(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payout_is_paid_once_or_not_at_all() {
        use PayoutStatus::{Failed, Manual, Pending, Succeeded};
        let table: [(PayoutStatus, &[PayoutStatus]); 4] = [
            (Pending, &[Succeeded, Failed, Manual]),
            (Succeeded, &[Failed, Manual]),
            (Failed, &[]),
            (Manual, &[]),
        ];
        for (status, expected) in table {
            let following = PayoutStatus::ALL
                .into_iter()
                .filter(|next| status.may_become(*next));
            assert_eq!(following.collect::<Vec<_>>(), expected, "{status:?}");
            assert_eq!(PayoutStatus::from_code(status.code()), Some(status));
        }
    }

    #[test]
    fn r28_a_dispute_goes_forward_and_winning_is_final() {
        use DisputeStatus::{Lost, Open, Won};
        let table: [(DisputeStatus, &[DisputeStatus]); 3] =
            [(Open, &[Lost, Won]), (Lost, &[Won]), (Won, &[])];
        for (status, expected) in table {
            let following = DisputeStatus::ALL
                .into_iter()
                .filter(|next| status.may_become(*next));
            assert_eq!(following.collect::<Vec<_>>(), expected, "{status:?}");
            assert_eq!(DisputeStatus::from_code(status.code()), Some(status));
        }
    }
}
