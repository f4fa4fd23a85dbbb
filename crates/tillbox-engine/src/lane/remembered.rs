//! What the store remembers for a command: read before it is decided, and kept up with what is booked until then.

use super::desk::Desk;
use crate::port::{LedgerStore, LoadError};
use crate::work::Submission;
use std::borrow::Cow;
use std::collections::BTreeMap;
use tillbox_core::command::{
    AdvanceTopUp, Close, Command, EndPayout, EndTopUp, LearnDispute, RefundTopUp, SettleTopUp,
    SourcePayment,
};
use tillbox_core::entry::Entry;
use tillbox_core::id::{LotId, TopUpId, WalletId};
use tillbox_core::lot::{DrawKey, Lot};
use tillbox_core::wallet::WalletState;

impl<S: LedgerStore> Desk<'_, S> {
    /// The command with what the store remembers for it; none where this batch has changed that.
    pub(super) fn completed<'c>(
        &mut self,
        submission: &'c Submission,
    ) -> Result<Option<Cow<'c, Command>>, LoadError> {
        let wallet = submission.wallet_id;
        let top_up = match &submission.command {
            Command::Refund(refund) => {
                if self.pending.has_touched(wallet) {
                    return Ok(None);
                }
                let debit = self.store.load_debit(wallet, refund.debit_id)?;
                let mut refund = refund.clone();
                refund.debit = debit.map(Box::new);
                return Ok(Some(Cow::Owned(Command::Refund(refund))));
            }
            Command::Close(close) => return self.completed_close(wallet, close),
            Command::RefundTopUp(_) | Command::EndPayout(_) | Command::LearnDispute(_) => {
                return self.completed_payback(submission);
            }
            Command::AdvanceTopUp(advance) => advance.top_up_id,
            Command::EndTopUp(end) => end.top_up_id,
            Command::SettleTopUp(settle) => settle.top_up_id,
            other => return Ok(Some(Cow::Borrowed(other))),
        };
        let state = self.cache.get(wallet);
        if state.is_some_and(|state| state.top_up(top_up).is_some()) {
            return Ok(Some(Cow::Borrowed(&submission.command)));
        }
        if self.pending.has_touched(wallet) {
            return Ok(None);
        }
        let known = self.store.load_top_up(wallet, top_up)?.map(Box::new);
        let mut command = submission.command.clone();
        if let Command::AdvanceTopUp(AdvanceTopUp { record, .. })
        | Command::EndTopUp(EndTopUp { record, .. })
        | Command::SettleTopUp(SettleTopUp { record, .. }) = &mut command
        {
            *record = known;
        }
        Ok(Some(Cow::Owned(command)))
    }

    /// A close, with the payments that the wallet's lots came from.
    fn completed_close<'c>(
        &mut self,
        wallet: WalletId,
        close: &Close,
    ) -> Result<Option<Cow<'c, Command>>, LoadError> {
        if self.pending.has_touched(wallet) {
            return Ok(None);
        }
        let lots = self
            .cache
            .get(wallet)
            .into_iter()
            .flat_map(WalletState::lots);
        let lots: Vec<DrawKey> = lots
            .filter(|lot| lot.withdrawable)
            .map(Lot::draw_key)
            .collect();
        let ids: Vec<LotId> = lots.iter().map(|lot| lot.id).collect();
        let origins = self.store.load_origins(&ids)?;
        let mut lots_of: BTreeMap<TopUpId, Vec<DrawKey>> = BTreeMap::new();
        for (lot, origin) in lots.into_iter().zip(origins) {
            let top_up = origin.filter(|origin| origin.event.top_up.is_some());
            if let Some(id) = top_up.and_then(|origin| origin.event.top_up_id) {
                lots_of.entry(id).or_default().push(lot);
            }
        }
        let mut payments = Vec::with_capacity(lots_of.len());
        for (top_up_id, lots) in lots_of {
            let record = self.store.load_payment(wallet, top_up_id, None)?;
            payments.extend(record.map(|record| SourcePayment {
                top_up_id,
                lots,
                record,
            }));
        }
        let close = Close {
            payments,
            ..close.clone()
        };
        Ok(Some(Cow::Owned(Command::Close(close))))
    }

    /// The same of what goes back of a payment.
    fn completed_payback<'c>(
        &mut self,
        submission: &'c Submission,
    ) -> Result<Option<Cow<'c, Command>>, LoadError> {
        let wallet = submission.wallet_id;
        if self.pending.has_touched(wallet) {
            return Ok(None);
        }
        let mut command = submission.command.clone();
        if let Command::RefundTopUp(RefundTopUp {
            top_up_id, record, ..
        })
        | Command::LearnDispute(LearnDispute {
            top_up_id, record, ..
        }) = &mut command
        {
            let known = self.store.load_payment(wallet, *top_up_id, None)?;
            *record = known.map(Box::new);
        }
        if let Command::EndPayout(end) = &mut command {
            let payout = Some(end.debit_id);
            let known = self.store.load_payment(wallet, end.top_up_id, payout)?;
            end.record = known.map(Box::new);
        }
        Ok(Some(Cow::Owned(command)))
    }
}

/// Lets what the store remembered for a command follow a row that was booked since. `before` is the state that the row
/// was sealed on.
pub(super) fn follow_in(command: &mut Cow<'_, Command>, before: &WalletState, row: &Entry) {
    let Cow::Owned(command) = command else {
        return;
    };
    if let Command::Refund(refund) = command
        && let Some(debit) = &mut refund.debit
    {
        debit.follow(before, row);
    }
    if let Command::Close(close) = command {
        close.follow(before, row);
    }
    if let Command::RefundTopUp(RefundTopUp { record, .. })
    | Command::EndPayout(EndPayout { record, .. })
    | Command::LearnDispute(LearnDispute { record, .. }) = command
        && let Some(record) = record
    {
        record.follow(before, row);
    }
}
