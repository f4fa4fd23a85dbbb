//! Lots that change or are taken back, value that is paid out, and the end of a wallet.

use super::{From, Model, Moved, NOTHING, Refusable, narrow, out_of_time};
use tillbox_core::command::TopUpEnd;
use tillbox_core::entry::PayoutWay;
use tillbox_core::id::{EntryId, LotId};
use tillbox_core::rejection::Rejection;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletStatus;

impl Model {
    pub(super) fn unheld_of(&self, lot: usize) -> i128 {
        self.lots[lot].remaining - self.lots[lot].held
    }

    fn open_lot(&self, id: LotId) -> Refusable<usize> {
        let named = self.lots.iter().position(|lot| lot.id == Some(id));
        let at = named.ok_or(Rejection::LotNotFound)?;
        if self.lots[at].remaining == 0 {
            return Err(Rejection::Conflict("nothing is left of the lot"));
        }
        Ok(at)
    }

    pub(super) fn change_lot(
        &mut self,
        id: LotId,
        end: Option<Timestamp>,
        now: Timestamp,
    ) -> Refusable<Moved> {
        let at = self.open_lot(id)?;
        self.not_closed()?;
        if self.lots[at].expires.is_some_and(|end| end <= now) {
            return Err(Rejection::Conflict("the lot has expired"));
        }
        if end.is_some_and(|end| end <= now) {
            return Err(out_of_time(now, Timestamp::NEVER));
        }
        self.lots[at].expires = end;
        Ok(NOTHING)
    }

    pub(super) fn void_lot(&mut self, id: LotId, row: EntryId) -> Refusable<Moved> {
        let at = self.open_lot(id)?;
        self.in_use()?;
        let amount = self.unheld_of(at);
        if amount == 0 {
            return Err(Rejection::Conflict("holds reserve all of the lot"));
        }
        self.lots[at].remaining -= amount;
        Ok(self.moved(row, -amount, false, vec![(From::Lot(at), amount)]))
    }

    /// The newest lots that may be paid out give first, and auto-recharge waits for a person (R8).
    pub(super) fn withdraw(&mut self, amount: i128, id: EntryId) -> Refusable<Moved> {
        self.only_active()?;
        let lots = (0..self.lots.len()).filter(|at| self.lots[*at].withdrawable);
        let mut newest: Vec<usize> = lots.collect();
        newest.sort_by_key(|at| (self.lots[*at].created, *at));
        newest.reverse();
        let sum = self.unheld_on(&newest);
        let most = sum.min((self.balance() - self.held()).max(0));
        if amount > most {
            let withdrawable = narrow(most);
            return Err(Rejection::NotWithdrawable { withdrawable });
        }
        let drawn = self.draw_from(&newest, amount);
        self.pause_for_money_back();
        Ok(self.moved(id, -amount, false, drawn))
    }

    /// The next row of the end (R39): what is under way ends, then value leaves, then nothing is left.
    pub(super) fn close(
        &mut self,
        way: PayoutWay,
        now: Timestamp,
        id: EntryId,
    ) -> Refusable<Moved> {
        self.not_closed()?;
        if self.open_holds().next().is_some() {
            return Err(Rejection::Conflict("the wallet has open holds"));
        }
        if self.debt() > 0 {
            return Err(Rejection::Conflict("the wallet has debt"));
        }
        if self.pending() > 0 {
            return Err(Rejection::Conflict("a top-up is processing"));
        }
        if let Some(recharge) = self.recharge.as_mut().filter(|one| one.enabled) {
            recharge.enabled = false;
            return Ok(NOTHING);
        }
        let mut open = self.top_ups.iter().filter(|(_, one)| one.status.is_open());
        if let Some((id, _)) = open.next() {
            let id = *id;
            return self.end_top_up(id, &TopUpEnd::Canceled, now);
        }
        let payments: Vec<_> = self.payments.keys().rev().copied().collect();
        for payment in payments {
            let lots = self.open_lots(|lot| lot.withdrawable && lot.payment == Some(payment));
            let left = self.unheld_on(&lots);
            match way {
                PayoutWay::Manual if left > 0 => return Ok(self.take_out(id, &lots, left)),
                PayoutWay::Original if self.for_card(payment, &lots) > 0 => {
                    return Ok(self.send_to_card(payment, &lots, id));
                }
                PayoutWay::Manual | PayoutWay::Original => {}
            }
        }
        if !self.open_lots(|lot| lot.withdrawable).is_empty() {
            return Ok(self.pay_out_rest(id));
        }
        if self.unheld() > 0 {
            return Ok(self.forfeit(id));
        }
        self.status = WalletStatus::Closed;
        Ok(NOTHING)
    }

    /// All that may be paid out.
    pub(super) fn pay_out_rest(&mut self, id: EntryId) -> Moved {
        let lots = self.open_lots(|lot| lot.withdrawable);
        self.take_out(id, &lots, self.unheld_on(&lots))
    }

    /// All that there is is given up.
    pub(super) fn forfeit(&mut self, id: EntryId) -> Moved {
        let lots = self.open_lots(|_| true);
        for lot in &lots {
            self.lots[*lot].lapsed += self.unheld_of(*lot);
        }
        let all = self.unheld();
        self.take_out(id, &lots, all)
    }

    pub(super) fn unheld_on(&self, lots: &[usize]) -> i128 {
        lots.iter().map(|lot| self.unheld_of(*lot)).sum()
    }

    pub(super) fn take_out(&mut self, id: EntryId, lots: &[usize], amount: i128) -> Moved {
        let drawn = self.draw_from(lots, amount);
        self.moved(id, -amount, false, drawn)
    }

    /// Takes so much of what lots have unheld, in that order.
    fn draw_from(&mut self, lots: &[usize], amount: i128) -> Vec<(From, i128)> {
        let (mut left, mut drawn) = (amount, Vec::new());
        for at in lots {
            let share = left.min(self.unheld_of(*at));
            self.lots[*at].remaining -= share;
            left -= share;
            drawn.push((From::Lot(*at), share));
        }
        assert_eq!(left, 0, "so much was there");
        drawn
    }

    /// Places of such lots, in the order in which they are drawn.
    pub(super) fn open_lots(&self, is_one: impl Fn(&super::ModelLot) -> bool) -> Vec<usize> {
        let all = (0..self.lots.len()).filter(|at| self.lots[*at].remaining > 0);
        let mut lots: Vec<usize> = all.filter(|at| is_one(&self.lots[*at])).collect();
        lots.sort_by_key(|lot| self.order(*lot));
        lots
    }
}
