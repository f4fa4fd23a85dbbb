//! What follows from a row by itself, in its commit.

use super::money_in::BONUS_DAYS;
use super::{Model, Moved, NOTHING};
use tillbox_core::entry::{Entry, EntryKind};
use tillbox_core::id::TopUpId;
use tillbox_core::lot::FundingType;
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletStatus;

/// A row that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    /// The provider's discount on that payment: a lot of its own (R26).
    Bonus(TopUpId, i128),
    /// What comes behind the wallet's end, by that payment or a dispute of it, goes back to its card (R39).
    SentBack(TopUpId),
    /// What can't, a person pays out.
    RestPaidOut,
    /// And what came with it is given up.
    GiftForfeited,
    /// A lost dispute takes what a failed refund of that payment gave back (R28).
    Retaken(TopUpId),
    /// What was set free of that payment is reserved for its disputes (R28).
    Reserved(TopUpId),
    /// A charge of that amount.
    Charge(i128),
    /// A limit held it back.
    Skipped,
}

impl Model {
    /// What a payment that was just booked brings by itself. Its lot is the last.
    pub(super) fn follow_payment(&mut self, id: TopUpId, charged: i128, given: i128) {
        if charged > 0 && given > 0 {
            self.follows.push_back(Follow::Bonus(id, given));
        }
        self.follow_late_value(id);
    }

    /// Behind its end a wallet keeps nothing.
    pub(super) fn follow_late_value(&mut self, id: TopUpId) {
        if self.status == WalletStatus::Closed {
            let all = [
                Follow::SentBack(id),
                Follow::RestPaidOut,
                Follow::GiftForfeited,
            ];
            self.follows.extend(all);
        }
    }

    /// The next row that follows, if any.
    pub(crate) fn next_follow(&mut self, now: Timestamp) -> Option<Follow> {
        while let Some(follow) = self.follows.pop_front() {
            let is_something = match follow {
                Follow::SentBack(payment) => {
                    let lots = self.open_lots(|lot| lot.withdrawable);
                    self.for_card(payment, &lots) > 0
                }
                Follow::RestPaidOut => !self.open_lots(|lot| lot.withdrawable).is_empty(),
                Follow::GiftForfeited => self.unheld() > 0,
                Follow::Retaken(payment) => self.is_owed_to_disputes(payment),
                Follow::Bonus(..) | Follow::Reserved(_) | Follow::Charge(_) | Follow::Skipped => {
                    true
                }
            };
            if is_something {
                return Some(follow);
            }
        }
        let freed = self.has_freed(self.instant);
        freed
            .map(Follow::Reserved)
            .or_else(|| self.recharge_follows(now))
    }

    /// Carries out what follows, whose row that is.
    pub(crate) fn run_follow(&mut self, follow: Follow, row: &Entry, now: Timestamp) -> Moved {
        let (kind, reason) = match follow {
            Follow::Bonus(..) => (EntryKind::Credit, Some(Reason::Bonus)),
            Follow::SentBack(_) => (EntryKind::TopUpRefunded, Some(Reason::Withdrawal)),
            Follow::RestPaidOut => (EntryKind::Withdrawn, Some(Reason::Withdrawal)),
            Follow::GiftForfeited => (EntryKind::Forfeited, Some(Reason::Forfeiture)),
            Follow::Retaken(_) => (EntryKind::ChargedBack, Some(Reason::Chargeback)),
            Follow::Reserved(_) => (EntryKind::DisputeChanged, None),
            Follow::Charge(_) => (EntryKind::TopUpOpened, None),
            Follow::Skipped => (EntryKind::RechargeChanged, None),
        };
        let is_it = (row.event.kind, row.event.reason) == (kind, reason);
        assert!(is_it, "{follow:?}, but {row:?}");
        match follow {
            Follow::Bonus(payment, amount) => {
                let end = now.plus_days(BONUS_DAYS);
                self.value_in(amount, FundingType::Promotional, 50, Some(end), now);
                let lot = self.lots.len() - 1;
                self.payments
                    .get_mut(&payment)
                    .expect("it was made")
                    .bonus_lot = Some(lot);
                self.moved(row.id, amount, false, Vec::new())
            }
            Follow::SentBack(payment) => {
                let lots = self.open_lots(|lot| lot.withdrawable);
                self.send_to_card(payment, &lots, row.id)
            }
            Follow::RestPaidOut => self.pay_out_rest(row.id),
            Follow::GiftForfeited => self.forfeit(row.id),
            Follow::Retaken(payment) => self.charge_back(payment, now, row.id),
            Follow::Reserved(payment) => self.reserve_freed(payment, self.instant, row.id),
            Follow::Charge(amount) => {
                let top_up = row.event.top_up.as_deref().expect("a charge is a top-up");
                assert_eq!(top_up.reason, Reason::AutoRecharge);
                assert_eq!(super::wide(top_up.amount), amount, "what is charged");
                self.charge(row.event.top_up_id.expect("its id"), amount, now);
                NOTHING
            }
            Follow::Skipped => NOTHING,
        }
    }
}
